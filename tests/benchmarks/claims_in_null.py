"""How often what we say of a log claims an uplift in the world `null`, where no contact has any effect on any payment.

    make bench-claims           400 logs of 1,000 debtors and 8 months

One run is one simulated portfolio of its own seed, with the incumbent's ladder and a random slice, which goes through the program's own
functions: the training rows, the effects of `rettid overlap`, a nightly batch with arms (45 % control, 10 % explore, 45 %
champion), 28 days played forward, the report. Nothing of that is written again here, and nothing is shared between runs. Four things
are cheaper than on the command line, and change no claim:

- The random slice is 60 % of the decisions in place of 15 %, so that a small portfolio holds enough drawn decisions for a number.
- The effects are asked of the decisions of the random slice alone, which are what `rettid overlap` answers them by.
- Features are those of the first version: the others are left out by `[features] leave_out`. `--every-feature` takes all.
- The champion of the batch is the recipe `constant`: what is paid in an arm does not depend on what is done in it here.

A claim is what a reader would take as "there is uplift":

overlap, CHANNEL
    `rettid overlap` answers "what does CHANNEL bring over no contact?" by drawn decisions with an interval above 0.
overlap, any channel
    At least one of the six does.
report
    The verdict is `gain_shown`. *Report, more* adds `more_but_dearer`, which says that more was recovered.

What training and the gate say of a fitted policy is in `claims_of_policy_in_null.py`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from feature_ceiling import AS_OF
from learnt_bundle import learnt, material_of, processor_s
from scipy.stats import binomtest

from data.action_grid import ActionGrid
from data.config import Config, read_config
from data.decision_log import FILE_NAME, DecisionLog
from data.portfolio import read_portfolio
from data.simulator.continuation import continue_simulation, read_decisions
from data.simulator.settings import SimulationSettings
from data.simulator.simulate import simulate
from data.times import read_moment
from features.catalogue import action_features, catalogue, names
from models.behaviour import RANDOM, IncumbentWithRandomSlice
from models.bundle import Bundle, point_to, write_bundle
from models.rules.pack import read_packs
from serving.nightly import run_nightly
from training.logged.chances import ChanceSettings, Decisions, action_chances
from training.logged.effect import EffectSettings
from training.logged.from_rows import decisions_behind, decisions_of, paid_of
from training.logged.multinomial import FitSettings
from training.logged.questions import Asked, Exploration, questions
from training.logged.report import WEEK_US, OverlapSettings
from training.material import Material
from training.reports.evidence import latest_fact_us
from training.reports.facts import facts_of
from training.reports.pages.overview import overview

FIRST_VERSION = Path(__file__).with_name("first_features.txt")
ARMS = "[arms]\ncontrol = 0.45\nexplore = 0.10\nchampion = 0.45\n"
PLAYED_DAYS = 28
ASKED, LEVEL = 0.05, 0.01
"""Share of runs with a false claim that is allowed, and the level of the test that it is not exceeded."""


@dataclass(frozen=True)
class Size:
    """How large one portfolio is."""

    world: str
    debtors: int
    months: int
    random_share: float
    every_feature: bool = False


def simulated(folder: Path, size: Size, *, seed: int) -> Config:
    """A fresh portfolio in `folder`; its configuration."""
    folder.mkdir(parents=True)
    left_out = "" if size.every_feature else f"[features]\nleave_out = {json.dumps(later_features())}\n"
    (folder / "rettid.toml").write_text(ARMS + left_out, encoding="utf-8")
    config = read_config(folder)
    settings = SimulationSettings(size.debtors, size.months, seed, world=size.world, truth=0)
    packs = read_packs(channels=config.grid.channels[1:])
    past = IncumbentWithRandomSlice(
        ActionGrid.of(config.grid), packs, control=config.control, random_share=size.random_share
    )
    simulate(folder, settings=settings, behaviour=past, config=config, progress=lambda *_: None)
    return config


def later_features() -> list[str]:
    """Features of debtor and claim that came after the first version."""
    kept = {*FIRST_VERSION.read_text(encoding="utf-8").split(), *names(action_features())}
    return [one for one in names(catalogue(Config().grid.channels)) if one not in kept]


def overlap_claims(material: Material, *, seed: int) -> dict[str, object]:
    """Whether each channel's effect over none lies above 0, None where the log bears no number."""
    rng, rows = np.random.default_rng(seed), material.rows
    behind = decisions_behind(rows)
    log, paid = decisions_of(rows, behind, channels=len(material.config.grid.channels)), paid_of(rows, behind)
    drawn = log.policy == RANDOM
    log, paid = _only(log, drawn), paid[drawn]
    settings = one_thread()
    chances = action_chances(log, settings=settings.chances, rng=rng)
    config = material.config
    plan = Exploration(config.arms.explore, config.explore.none, config.grid.channels)
    weeks = max(float(np.ptp(log.decided_us)) / WEEK_US, 1.0)
    found = questions(Asked(log, chances, paid, weeks, plan), (), (), settings=settings.effect, rng=rng)
    effects = {config.grid.channels[one.channel]: one.effect for one in found if one.kind == "channel"}
    claims: dict[str, object] = {
        f"overlap, {name}": None if one is None else one.value.low > 0 for name, one in effects.items()
    }
    claims["overlap, any channel"] = any(bool(one) for one in claims.values())
    for name, one in effects.items():
        claims[f"z of overlap, {name}"] = None if one is None else one.value.value / one.value.half_width * 1.96
        claims[f"below 0, {name}"] = None if one is None else one.value.high < 0
    return claims


def one_thread() -> OverlapSettings:
    """The settings of `rettid overlap`, on one thread; LightGBM is deterministic, so that the numbers are the same."""
    usual = OverlapSettings()
    chances = ChanceSettings(FitSettings(threads=1))
    effect = usual.effect
    fit = FitSettings(column_share=effect.fit.column_share, threads=1)
    return OverlapSettings(chances, EffectSettings(fit=fit, outcome_rounds=effect.outcome_rounds))


def _only(log: Decisions, drawn: np.ndarray) -> Decisions:
    """Some of the decisions."""
    arrays = {name: column[drawn] if isinstance(column, np.ndarray) else column for name, column in vars(log).items()}
    return Decisions(**arrays)


def report_claims(portfolio: Path, bundle: Bundle, *, config: Config) -> dict[str, object]:
    """The report's verdict after a batch with arms was played forward."""
    workspace = portfolio.parent / "workspace"
    decisions = portfolio.parent / "decisions.parquet"
    write_bundle(bundle, workspace / "models" / bundle.model_version)
    point_to(workspace, "champion", model_version=bundle.model_version, forced="a world without any effect")
    when = read_moment(AS_OF)
    run_nightly(
        portfolio, as_of=when, out=decisions, workspace=workspace, config=config, greedy=False, progress=lambda *_: None
    )
    continue_simulation(
        portfolio, days=PLAYED_DAYS, decisions=read_decisions(decisions), config=config, progress=lambda *_: None
    )
    log = DecisionLog.open(workspace / FILE_NAME)
    try:
        rows = log.decisions()
    finally:
        log.close()
    tables = read_portfolio(portfolio, channels=config.grid.channels)
    known_until_us = latest_fact_us(tables)
    found = overview(facts_of(rows, tables, config=config, workspace=workspace, known_until_us=known_until_us))
    code = "no_experiment" if found.verdict is None else found.verdict.code
    judged = code not in ("not_enough_data", "arms_out_of_balance", "no_experiment")
    return {
        "report": code == "gain_shown" if judged else None,
        "report, more": code in ("gain_shown", "more_but_dearer") if judged else None,
        "report, loss": code == "loss_shown" if judged else None,
        "verdict": code,
    }


def one_run(seed: int, size: Size) -> dict[str, object]:
    """Everything that is said about one log."""
    with TemporaryDirectory() as place:
        portfolio = Path(place) / "portfolio"
        config = simulated(portfolio, size, seed=seed)
        material = material_of(portfolio)
        champion = learnt(material, "constant").shipped
        overlap, report = overlap_claims(material, seed=seed), report_claims(portfolio, champion, config=config)
    return {"rows": len(material.rows), **overlap, **report}


CLAIMS = (
    "overlap, sms", "overlap, email", "overlap, digital_mailbox", "overlap, letter", "overlap, phone", "overlap, portal",
    "overlap, any channel", "report", "report, more", "report, loss",
)  # fmt: skip


def any_of(names: tuple[str, ...]) -> Callable[[dict[str, object]], bool]:
    """Whether a run makes at least one of some claims."""
    return lambda run: any(bool(run.get(name)) for name in names)


def line(name: str, claimed: int, answered: int, runs: int) -> str:
    """One claim's counts and the one-sided p-value that its share exceeds what is allowed."""
    p_value = binomtest(claimed, runs, ASKED, alternative="greater").pvalue
    word = "above 5 %" if p_value < LEVEL else "not above 5 %"
    return f"| {name} | {runs} | {answered} | {claimed} | {100 * claimed / runs:.1f} | {p_value:.3f} | {word} |"


def table(found: list[dict[str, object]]) -> list[str]:
    """Counts of every claim; a run in which the log bears no number claims nothing."""
    lines = [
        "| claim | runs | with a number | claims | % | p (share above 5 %) | at level .01 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in CLAIMS:
        answers = [run.get(name) for run in found]
        lines.append(line(name, sum(bool(one) for one in answers), sum(one is not None for one in answers), len(found)))
    overlap = [bool(run.get(name)) for run in found for name in CLAIMS[:6]]
    lines.append(line("overlap, all six questions together", sum(overlap), len(overlap), len(overlap)))
    ours = ("overlap, any channel", "report, more")
    lines.append(line("any of all these", sum(map(any_of(ours), found)), len(found), len(found)))
    return lines


def spread(found: list[dict[str, object]]) -> list[str]:
    """Value over standard error of the effects, which has mean 0 and standard deviation 1 where nothing is wrong; verdicts."""
    values = np.array(
        [one for run in found for name, one in run.items() if name.startswith("z of") and one is not None],
        dtype=np.float64,
    )
    codes = [str(run["verdict"]) for run in found]
    counts = {code: codes.count(code) for code in sorted(set(codes))}
    low = sum(bool(one) for run in found for name, one in run.items() if name.startswith("below 0"))
    mean, deviation = values.mean(), values.std(ddof=1)
    return [
        f"effects over their standard errors: mean {mean:+.3f}, standard deviation {deviation:.3f}",
        f"{low} of {len(values)} intervals lie below 0; verdicts: {counts}",
    ]


def main() -> None:
    """Run what is not in the file yet, then print the table of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--world", default="null")
    parser.add_argument("--debtors", type=int, default=1_000)
    parser.add_argument("--months", type=int, default=8)
    parser.add_argument("--random", type=float, default=0.6, help="share of decisions in the random slice")
    parser.add_argument("--every-feature", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(".rettid/claims-in-null.jsonl"), help="a line a run, kept")
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    kept = [json.loads(one) for one in given.out.read_text().splitlines()] if given.out.is_file() else []
    done = {one["seed"] for one in kept}
    begin, used = time.perf_counter(), processor_s()
    size = Size(given.world, given.debtors, given.months, given.random, given.every_feature)
    fresh = [seed for seed in range(given.first, given.first + given.runs) if seed not in done]
    for seed in fresh:
        run = {"seed": seed, **one_run(seed, size)}
        kept.append(run)
        with given.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(run, default=float) + "\n")
    took, busy = time.perf_counter() - begin, processor_s() - used
    print(
        f"{given.world}, {given.debtors:,} debtors, {given.months} months, {given.random:.0%} drawn; {len(fresh)} runs now: {took:.0f} s, {busy:.0f} s of processor"
    )
    print("\n".join([*table(kept), *spread(kept)]))


if __name__ == "__main__":
    main()
