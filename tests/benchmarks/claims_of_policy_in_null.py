"""How often training and the gate claim a gain of a policy in the world `null`, where no contact has any effect on any payment.

    make bench-claims           8 portfolios of 3,000 debtors and 8 months, 60 logs each

A policy's value needs more drawn decisions than a small portfolio holds, so that logs are drawn again. From one simulated portfolio (60 %
of its decisions in a random slice) the recipe `chain` learns its judged model, which decides the judged decisions again, on debtors that
it has not seen. One run is then a log of as many judged debtors, drawn from these with replacement, all decisions of a debtor
together, with what was paid; the action of every decision is drawn anew with the probabilities of the slice. That is what the log
would have been, because what is paid does not depend on actions here; only what features tell of earlier contacts stays that of
the first draw. Runs of one portfolio share its model and its people: counts are given by portfolio too. Values, differences, gate and
curve come from the program's own functions.

gain over present rules
    `rettid train` says "over the present rules" with an interval above the truth. It is net of cost and harm, and to contact fewer
    people saves money: what is saved is known, and a claim is false only beyond it. *Above 0* counts the others too.
gate, value check
    The value check lets the run pass where there is no champion yet: at most 1 % worse than the present rules. No claim of a gain.
Qini over no contact
    The picture's curve ends above 0 with its interval; the truth is minus the price of the contacts. *Ranking*: the area is above
    the truth, which prices alone make.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from claims_in_null import Size, line, simulated
from learnt_bundle import learnt, material_of, processor_s

from models.decide import Decided, Scored
from models.explore import draw, explore_probabilities
from models.value import Prices
from training.gate.contributions import CONTROL, OWN, Contributions, OtherDecisions, Part, difference
from training.gate.evidence import Evidence
from training.gate.gather import gather_evidence, present_rules
from training.gate.rivals import Rival
from training.gate.verdict import value_check
from training.judge import Judgement, judge
from training.material import Material
from training.policy_value import Judged, decide_again, policy_value
from training.qini import qini
from training.run_record import qini_of
from training.splits import cluster_numbers


@dataclass(frozen=True)
class Population:
    """One portfolio's judged decisions: what the model and the present rules do, and the chances of the slice, shape (n, A)."""

    material: Material
    own: Decided
    control: Decided
    chances: np.ndarray
    judgement: Judgement
    evidence: Evidence


def population_of(size: Size, *, seed: int) -> Population:
    """A portfolio, learnt from and decided again."""
    with TemporaryDirectory() as place:
        simulated(Path(place) / "portfolio", size, seed=seed)
        material = material_of(Path(place) / "portfolio")
    bundle = learnt(material, "chain", threads=1).judged
    own = decide_again(material.histories, material.judged, bundle=bundle, config=material.config, packs=material.packs)
    judgement = judge(bundle.model, material.rows, split=material.split, value=policy_value(material.judged, own))
    evidence = gather_evidence(
        material, "chain", settings={}, decided=own, judgement=judgement, rival=Rival("", "no champion", None)
    ).evidence
    chances = explore_probabilities(own.prepared.allowed, grid=own.prepared.grid, p_none=material.config.explore.none)
    return Population(material, own, present_rules(own), chances, judgement, evidence)


def some(decided: Decided, rows: np.ndarray) -> Decided:
    """The decisions `rows`, which may stand more than once, as far as a policy's value looks at them."""
    prepared, scored, price = decided.prepared, decided.scored, decided.price
    count = np.bincount(prepared.targets.moment, minlength=len(prepared.asks.debtor))
    begin = np.cumsum(count) - count
    moment = np.repeat(np.arange(len(rows)), count[rows])
    claim = np.arange(len(moment)) - np.repeat(np.cumsum(count[rows]) - count[rows], count[rows]) + begin[rows][moment]
    targets = replace(prepared.targets, claim=prepared.targets.claim[claim], moment=moment)
    prepared = replace(prepared, targets=targets, allowed=prepared.allowed[rows], covered=prepared.covered[claim])
    scored = Scored(scored.probability[claim], scored.worth_eur[claim], scored.value_eur[rows])
    choice = type(decided.choice)(
        **{one.name: getattr(decided.choice, one.name)[rows] for one in fields(decided.choice)}
    )
    return replace(
        decided, prepared=prepared, scored=scored, price=Prices(price.cost[rows], price.harm[rows]), choice=choice
    )


def drawn_again(of: Population, *, rng: np.random.Generator) -> tuple[np.ndarray, Judged]:
    """Rows of debtors drawn with replacement, and the log of them with fresh actions."""
    judged, grid = of.material.judged, of.own.prepared.grid
    unit = cluster_numbers(judged.debtor)
    count = np.bincount(unit)
    begin = np.cumsum(count) - count
    people = rng.integers(0, len(count), len(count))
    copy = np.repeat(np.arange(len(people)), count[people])
    rows = (
        np.arange(len(copy)) - np.repeat(np.cumsum(count[people]) - count[people], count[people]) + begin[people][copy]
    )
    action = draw(of.chances[rows], rng.random(len(rows)))
    names = np.array(
        [f"{name} {one}" for name, one in zip(judged.contact_id[rows].tolist(), copy.tolist(), strict=True)]
    )
    return rows, Judged(
        copy, judged.decided_us[rows], grid.channel[action].astype(np.int16), grid.hour[action].astype(np.int64),
        of.chances[rows, action], judged.paid_eur[rows], names.astype(object),
    )  # fmt: skip


def price_eur(decided: Decided) -> np.ndarray:
    """What each decision's action costs and harms, shape (n,)."""
    action = decided.choice.action
    return decided.price.total[np.arange(len(action)), decided.prepared.grid.channel[action]]


def one_log(of: Population, *, rng: np.random.Generator) -> dict[str, object]:
    """What is said of the policy from one log."""
    rows, judged = drawn_again(of, rng=rng)
    own, control = some(of.own, rows), some(of.control, rows)
    value = policy_value(judged, own)
    parts = {OWN: Part.of(value, judged.paid_eur), CONTROL: Part.of(policy_value(judged, control), judged.paid_eur)}
    log = Contributions(judged.contact_id, judged.decided_us, judged.debtor, judged.paid_eur, own.choice.action, parts)
    evidence = replace(of.evidence, value_refused=value.refusal if value.dr is None else "")
    found: dict[str, object] = {"gate, value check": value_check(evidence, log, champion=None).ok}
    saving = float((price_eur(of.control) - price_eur(of.own)).mean())
    try:
        gain = None if evidence.value_refused else difference(log, log, others=CONTROL).gain
    except OtherDecisions:
        gain = None
    if gain is not None:
        found |= {
            "gain over present rules": gain.low > saving, "gain over present rules, above 0": gain.low > 0,
            "loss against present rules": gain.high < saving, "half-width, EUR": gain.half_width,
            "z": (gain.value - saving) / gain.half_width * 1.96,
        }  # fmt: skip
    if value.dr is not None:
        curve = qini_of(replace(of.material, judged=judged), own, replace(of.judgement, value=value))
        found |= {
            "Qini over no contact": curve.gain[-1].low > 0,
            "Qini, ranking": curve.area.low > true_area(own, judged),
        }
    return found


def true_area(own: Decided, judged: Judged) -> float:
    """Area of the curve of what is true: contacts cost their price and bring nothing."""
    expected = own.scored.value_eur[np.arange(len(own.choice.action)), own.choice.action]
    return qini(-price_eur(own), expected, cluster_numbers(judged.debtor)).area.value


CLAIMS = (
    "gain over present rules", "gain over present rules, above 0", "loss against present rules", "Qini over no contact",
    "Qini, ranking", "gate, value check",
)  # fmt: skip


def told(of: Population, seed: int) -> str:
    """What the judged model itself says of its contacts, without an interval."""
    action, scored = of.own.choice.action, of.own.scored
    chosen, rows = action > 0, np.arange(len(action))
    logged = of.material.judged.action_probability
    channel = of.material.judged.channel
    grid = of.own.prepared.grid
    same = [
        bool(np.isclose(of.chances[row][grid.channel == channel[row]], logged[row], rtol=1e-6).any()) for row in rows
    ]
    saving = float((price_eur(of.control) - price_eur(of.own)).mean())
    return (
        f"portfolio {seed}: {len(rows):,} judged decisions of {len(np.unique(of.material.judged.debtor)):,} debtors; contacts in "
        f"{chosen.mean():.0%}, expected to bring {scored.value_eur[rows, action][chosen].mean():.2f} EUR net each; true saving over "
        f"the present rules {saving:.3f} EUR a decision; logged probability among those drawn from in {np.mean(same):.1%}"
    )


def table(found: list[dict[str, object]]) -> list[str]:
    """Counts of every claim; a run in which the log bears no number claims nothing."""
    lines = [
        "| claim | runs | with a number | claims | % | p (share above 5 %) | at level .01 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in CLAIMS:
        answers = [run.get(name) for run in found]
        lines.append(line(name, sum(map(bool, answers)), sum(one is not None for one in answers), len(found)))
    z = np.array([run["z"] for run in found if "z" in run], dtype=np.float64)
    width = np.array([run["half-width, EUR"] for run in found if "z" in run], dtype=np.float64)
    if len(z) > 1:
        lines.append(
            f"gain less truth over its error: mean {z.mean():+.3f}, deviation {z.std(ddof=1):.3f}; half-width {width.mean():.2f} EUR"
        )
    return lines


def main() -> None:
    """Print every portfolio's counts, then those of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portfolios", type=int, default=8)
    parser.add_argument("--logs", type=int, default=60)
    parser.add_argument("--debtors", type=int, default=3_000)
    parser.add_argument("--months", type=int, default=8)
    parser.add_argument("--random", type=float, default=0.6, help="share of decisions in the random slice")
    parser.add_argument("--out", type=Path, default=None, help="also write a line a run")
    given = parser.parse_args()
    begin, used, every = time.perf_counter(), processor_s(), []
    for seed in range(1, given.portfolios + 1):
        of = population_of(Size("null", given.debtors, given.months, given.random), seed=seed)
        print(told(of, seed), flush=True)
        rng = np.random.default_rng(seed)
        mine = [one_log(of, rng=rng) for _ in range(given.logs)]
        every += mine
        counts = {name: sum(bool(run.get(name)) for run in mine) for name in CLAIMS}
        print(f"  of {len(mine)} logs: {counts}", flush=True)
    print(f"{time.perf_counter() - begin:.0f} s, {processor_s() - used:.0f} s of processor")
    print("\n".join(table(every)))
    if given.out is not None:
        given.out.write_text("\n".join(json.dumps(run, default=float) for run in every), encoding="utf-8")


if __name__ == "__main__":
    main()
