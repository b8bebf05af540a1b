"""Our learning beside that of public tools, on the same rows: value of the policies, seconds of processor, bytes.

    python3.11 -m venv PEERS && PEERS/bin/pip install -r tests/benchmarks/peers/requirements.txt
    make bench-peers PEERS=PEERS/bin/python

The tools (causalml, EconML, scikit-uplift, contextualbandits, Vowpal Wabbit) run in that environment, by `peers/learn.py`.

simulated
    World `default`, a seed that nothing was made on, judged by the truth file as in `three_lines.py`. A tool is given the
    74 columns of the first version with hour, weekday and days ahead of the action among them, channels as arms, and whether
    the claim was paid. `drawn` are the decisions drawn at random, with the log's chances (of the channel: estimated where
    the log shows one slot's); `every` all decisions, without chances. Decisions without contact are given the hour of a drawn
    contact. Whatever the tool, its effects are priced in the same way. `calm` are tools with effects held back further, `means`
    is one mean effect a channel and no tool, and the numbers behind Vowpal Wabbit are rates and passes. Ours is the recipe
    `chain`, which looks at more of the log: which contacts were answered and which payments came through them.
hillstrom
    Visits, three arms, one half learnt from, the other judged, five times. DR with one model of the reward for all policies.

All run on one thread. Seconds are of the processor, without imports; bytes are of the pickled model, ours of its text.
"""

from __future__ import annotations

import argparse
import json
import pickle
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from feature_ceiling import AS_OF_US, expanded
from share_of_best import rettid
from three_lines import BLOCK, FIRST_VERSION, Truth, by_claim_without, summed, truth_of

from data.config import read_config
from data.decision_frame import DecisionFrame, read_frame
from data.frame_spec import read_spec
from data.outcomes import Waits
from data.portfolio import read_portfolio
from models.prepare import Prepared
from models.protocol import PropensityModel
from models.rules.pack import read_packs
from training.fit import recipe
from training.frames.estimates import Log
from training.frames.evaluate import predict
from training.frames.outcome import Outcome, fit_outcome, kind_of, predict_each, rows_of
from training.frames.policy import arm_levels, choose, trust_in
from training.material import Material, gather
from training.ope.estimators import dr, snips
from training.recipes.uplift.sample import comparable, sample_of
from training.rows import TrainingRows
from training.splits import Split

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "data" / "frames" / "hillstrom.toml"
HILLSTROM = ROOT.parent / "shared" / "data" / "hillstrom" / "hillstrom.parquet"
CONTROL = "No E-Mail"
WHEN = ("hour", "weekday", "days_ahead")
TOOLS = (
    "means", "causalml-t", "causalml-x", "causalml-x-calm", "causalml-r", "causalml-dr", "causalml-dr-calm",
    "causalml-forest", "econml-dr-boosted", "econml-dr-boosted-calm", "econml-dr-linear", "econml-dr-forest",
    "econml-causal-forest", "econml-causal-forest-calm", "sklift-solo", "sklift-two", "contextualbandits-dr",
    "contextualbandits-offset-tree", "vw-mtr-0.5-1", "vw-mtr-0.05-1", "vw-mtr-0.005-4", "vw-mtr-0.001-4", "vw-dr-0.05-1",
    "vw-dr-0.005-4",
)  # fmt: skip
WITHOUT_VALUES = ("contextualbandits-offset-tree",)
"""Tools that name an arm and do not value it: prices and rules cannot be laid on that."""
WITHOUT_CHANCES = ("causalml-t", "sklift-solo")
"""Tools that ask for no chances: rules decided most rows for certain, so that nothing doubly robust holds there."""
PATIENCE_S = 1500


@dataclass(frozen=True)
class Effort:
    """Seconds of processor to learn and to score, bytes of the model."""

    learning_s: float
    scoring_s: float
    bytes: int

    def cells(self) -> str:
        """Columns of the table."""
        return f"{self.learning_s:.1f} | {self.scoring_s:.1f} | {self.bytes / 1e3:,.0f}"


class PeerFailed(RuntimeError):
    """A tool ended without values."""


def by_peer(tool: str, folder: Path, *, interpreter: str, seed: int) -> tuple[np.ndarray, Effort]:
    """Values of a tool, shape (u, K), and what they took.

    Raises
    ------
    PeerFailed
        It ended with an error, or not in time.
    """
    script = Path(__file__).with_name("peers") / "learn.py"
    command = [interpreter, str(script), "--tool", tool, "--folder", str(folder), "--seed", str(seed)]
    try:
        ended = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.CalledProcessError as error:
        raise PeerFailed(error.stderr.strip().splitlines()[-1]) from error
    except subprocess.TimeoutExpired as error:
        raise PeerFailed(f"no values after {PATIENCE_S} s") from error
    return np.load(folder / f"{tool}.npy"), Effort(**json.loads(ended.stdout.strip().splitlines()[-1]))


# The simulator


@dataclass(frozen=True)
class World:
    """A portfolio as learning rows and judged cells; `rows_of_cell` is the row of each cell among those a tool values."""

    material: Material
    prepared: Prepared
    truth: Truth
    cells: np.ndarray
    rows_of_cell: np.ndarray
    share: float

    def gained(self, lift: np.ndarray) -> np.ndarray:
        """True net EUR of the best-looking action of each debtor, given lifts of chance by cell, shape (d,)."""
        truth, shape = self.truth, self.truth.net_eur.shape
        covered = self.prepared.covered[truth.cells.claim]
        eur = lift * self.share * truth.outstanding_eur * covered
        value, prices = summed(eur, truth.debtor, truth.cells.action, shape=shape), np.zeros(shape)
        prices[truth.debtor, truth.cells.action] = truth.price_eur
        allowed = np.isfinite(truth.net_eur)
        chosen = np.argmax(np.round(np.where(allowed, value - prices, -np.inf), 12), axis=1)
        return truth.net_eur[np.arange(shape[0]), chosen]

    def share_of(self, gained: np.ndarray) -> np.ndarray:
        """Each debtor's part in the share of the way, shape (d,): its mean is the share."""
        net, row = self.truth.net_eur, np.arange(len(gained))
        base = net[row, self.truth.incumbent]
        return (gained - base) / (net.max(axis=1).mean() - base.mean())


def world_of(portfolio: Path, *, judged: int, seed: int) -> World:
    """Learning rows and truth of a portfolio."""
    config = read_config(portfolio)
    material = gather(
        read_portfolio(portfolio), as_of_us=AS_OF_US, config=config, packs=read_packs(channels=config.grid.channels[1:]),
        seed=1, progress=lambda _: None,
    )  # fmt: skip
    prepared, truth = truth_of(portfolio, material, debtors=judged, seed=seed)
    cells = expanded(prepared, truth.cells, np.arange(len(truth.cells.claim)))
    when = np.nan_to_num(cells[:, [material.rows.names.index(name) for name in WHEN]], nan=-1).astype(np.int64)
    key = truth.cells.claim * 1_000_000 + (when[:, 2] + 1) * 10_000 + (when[:, 0] + 1) * 100 + when[:, 1] + 1
    rows_of_cell = np.unique(key, return_inverse=True)[1]
    share = float(material.rows.share[material.split.learn & material.rows.paid].mean())
    return World(material, prepared, truth, cells, rows_of_cell, share)


def given_columns(rows: TrainingRows, *, every: bool) -> list[int]:
    """Columns a tool is given: those of the first version, or all, of debtor and claim, and `WHEN` last."""
    kept = set(FIRST_VERSION.read_text(encoding="utf-8").split())
    width = rows.names.index("channel")
    known = [number for number, name in enumerate(rows.names[:width]) if every or name in kept]
    return known + [rows.names.index(name) for name in WHEN]


def write_world(world: World, folder: Path, *, drawn: bool, every_column: bool, seed: int) -> None:
    """The learning rows and the judged ones for tools."""
    rows, rng = world.material.rows, np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    channels = len(world.material.reference.channels)
    everything = np.ones(len(rows), dtype=np.bool_)
    mine, chance = np.arange(len(rows)), np.full((len(rows), channels), np.nan, dtype=np.float32)
    if drawn:
        mine = np.flatnonzero(comparable(rows, everything, channels=channels))
        sample = sample_of(rows, everything, later=~everything, channels=channels, threads=1, rng=rng)
        chance = sample.chance
    columns = given_columns(rows, every=every_column)
    x, arm = rows.matrix[np.ix_(mine, columns)], rows.channel[mine].astype(np.int64)
    none, contact = np.flatnonzero(arm == 0), np.flatnonzero(arm > 0)
    x[none, -len(WHEN) :] = x[rng.choice(contact, len(none)), -len(WHEN) :]
    np.savez(folder / "learn.npz", x=x, arm=arm, reward=rows.paid[mine].astype(np.float64), chance=chance)
    first = np.unique(world.rows_of_cell, return_index=True)[1]
    np.savez(folder / "judged.npz", x=world.cells[np.ix_(first, columns)])


def lift_of(world: World, values: np.ndarray) -> np.ndarray:
    """A tool's lift of each judged cell over no contact, shape (c,)."""
    channel = world.prepared.grid.channel[world.truth.cells.action]
    return np.where(channel > 0, values[world.rows_of_cell, channel] - values[world.rows_of_cell, 0], 0.0)


def only(rows: TrainingRows, kept: np.ndarray) -> TrainingRows:
    """Some of the rows."""
    parts = {
        item.name: getattr(rows, item.name) for item in fields(TrainingRows) if item.name not in ("names", "waits")
    }
    waits = rows.waits
    if waits is not None:
        waits = Waits(*(one[kept] for one in waits))
    return TrainingRows(names=rows.names, waits=waits, **{name: one[kept] for name, one in parts.items()})


def ours(world: World, *, drawn: bool, every_column: bool) -> tuple[np.ndarray, Effort]:
    """Lift of each judged cell by the recipe `chain`, and what it took; judged and deciding model are both learnt."""
    material, rows, split, cells = world.material, world.material.rows, world.material.split, world.cells
    if not every_column:
        kept = set(FIRST_VERSION.read_text(encoding="utf-8").split())
        other = [number for number, name in enumerate(rows.names) if name not in kept]
        matrix, cells = rows.matrix.copy(), cells.copy()
        matrix[:, other], cells[:, other] = np.nan, np.nan
        rows = replace(rows, matrix=matrix)
    if drawn:
        mine = comparable(rows, np.ones(len(rows), dtype=np.bool_), channels=len(material.reference.channels))
        rows = only(rows, mine)
        split = Split(split.learn[mine], split.calibrate[mine], split.judge[mine], split.later_from_us)
    begin = time.process_time()
    model = recipe("chain")(rows, split, material.reference, {"num_threads": 1}, material.seed).shipped
    learning = time.process_time() - begin
    begin = time.process_time()
    chance = np.concatenate([model.probability(part) for part in np.array_split(cells, len(cells) // BLOCK + 1)])
    scoring = time.process_time() - begin
    return chance - by_claim_without(world.truth.cells, chance), Effort(learning, scoring, size_of(model))


def size_of(model: PropensityModel) -> int:
    """Bytes of a model in a bundle."""
    return sum(len(text.encode()) for text in model.dump().values())


Line = tuple[str, Callable[[], tuple[np.ndarray, Effort]]]


def simulated(given: argparse.Namespace) -> Iterator[str]:
    """The table of the simulator."""
    portfolio = given.folder / f"default-{given.seed}"
    if not (portfolio / "truth" / "actions.parquet").is_file():
        size = ("--debtors", str(given.debtors), "--months", str(given.months), "--truth", str(given.debtors))
        rettid(given.folder / "workspace", "simulate", str(portfolio), *size, "--seed", str(given.seed))
    world = world_of(portfolio, judged=given.judged, seed=given.seed)
    rows = len(world.material.rows)
    judged = f"{len(world.truth.incumbent):,} debtors, {len(world.cells):,} cells"
    yield f"world default, seed {given.seed}, {given.debtors:,} debtors, {given.months} months: {rows:,} rows; judged {judged}\n"
    yield "| learner | rows | columns | share by value | less ours | learning s | scoring s | kB |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    best: np.ndarray | None = None
    for drawn in (False, True):
        for every in (True, False):
            lift, effort = ours(world, drawn=drawn, every_column=every)
            found = world.share_of(world.gained(lift))
            best = found if best is None else best
            yield row_of("ours: chain", drawn, every, found=found, best=best, effort=effort)
    for drawn, every in ((True, False), (False, False), (True, True)):
        yield from _peers_of(world, given, drawn=drawn, every=every, best=best)


def _peers_of(world: World, given: argparse.Namespace, *, drawn: bool, every: bool, best: np.ndarray) -> Iterator[str]:
    tools = [one for one in given.tools if one not in WITHOUT_VALUES and (drawn or one in WITHOUT_CHANCES)]
    tools = [one for one in tools if not every or one in given.wide]
    folder = given.folder / f"simulated-{'drawn' if drawn else 'every'}-{'all' if every else 'first'}"
    if tools:
        write_world(world, folder, drawn=drawn, every_column=every, seed=given.seed)
    for tool in tools:
        try:
            values, effort = by_peer(tool, folder, interpreter=given.peers, seed=1)
        except PeerFailed as error:
            yield f"| {tool} | {'drawn' if drawn else 'every'} | | failed: {error} |"
            continue
        found = world.share_of(world.gained(lift_of(world, values)))
        yield row_of(tool, drawn, every, found=found, best=best, effort=effort)


def row_of(name: str, drawn: bool, every: bool, *, found: np.ndarray, best: np.ndarray, effort: Effort) -> str:
    """A row of the simulator's table; the difference with its standard error over judged debtors."""
    less = found - best
    error = less.std(ddof=1) / np.sqrt(len(less))
    rows, columns = "drawn" if drawn else "every", "all" if every else "first 74"
    return f"| {name} | {rows} | {columns} | {found.mean():.3f} | {less.mean():+.3f} ± {error:.3f} | {effort.cells()} |"


# Hillstrom


@dataclass(frozen=True)
class Half:
    """A split: both halves, and the reward model of the learning half for DR on the other."""

    learn: DecisionFrame
    held: DecisionFrame
    row: np.ndarray
    each: np.ndarray

    def columns(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """DR and SNIPS contributions of the held rows of a policy that takes `chosen`, shape (h,) each."""
        frame, here = self.held, np.arange(len(chosen))
        if frame.action_probability is None:
            raise ValueError("expected a frame with action probabilities; came one without")
        weight = (frame.action == chosen) / frame.action_probability
        predicted, expected = self.each[here, frame.action], self.each[here, chosen]
        return dr(frame.reward, weight, predicted=predicted, expected=expected), snips(frame.reward, weight)


def half_of(frame: DecisionFrame, *, seed: int) -> Half:
    """One half learnt from, the other held."""
    order = np.random.default_rng(seed).permutation(len(frame))
    learns = np.zeros(len(frame), dtype=np.bool_)
    learns[order[: len(frame) // 2]] = True
    learn, held = frame.rows(learns), frame.rows(~learns)
    return Half(learn, held, np.flatnonzero(~learns), predict_each(_outcome(learn, seed=seed), held))


def _outcome(frame: DecisionFrame, *, seed: int) -> Outcome:
    return fit_outcome(rows_of(frame), kind_of(frame), seed=seed)


def our_policy(half: Half, *, seed: int) -> tuple[np.ndarray, Effort]:
    """What `rettid frame evaluate` calls the learned policy, learnt from one half and taken to the other."""
    learn, begin = half.learn, time.process_time()
    if learn.action_probability is None:
        raise ValueError("expected a frame with action probabilities; came one without")
    log = Log(learn.action, learn.action_probability, learn.reward, learn.unit)
    crossed, outcome, weight = (
        predict(learn, log, seed=seed).each,
        _outcome(learn, seed=seed),
        1 / log.action_probability,
    )
    residual = weight * (log.reward - crossed[np.arange(len(learn)), log.action])
    level = arm_levels(log.action, log.reward, weight, actions=len(learn.actions))
    trust = trust_in(crossed, log.action, residual)
    learning = time.process_time() - begin
    begin = time.process_time()
    chosen = choose(predict_each(outcome, half.held), level, trust=trust)
    scoring = time.process_time() - begin
    size = sum(len(one.model_to_string().encode()) for one in outcome.boosters) + len(pickle.dumps((level, trust)))
    return chosen, Effort(learning, scoring, size)


def write_half(half: Half, folder: Path) -> list[int]:
    """Both halves for tools, categories as columns of 0 and 1; the order of the arms, the control first."""
    folder.mkdir(parents=True, exist_ok=True)
    names = half.learn.actions
    arms = sorted(range(len(names)), key=lambda number: names[number] != CONTROL)
    arm_of = np.argsort(arms)
    chance = np.full((len(half.learn), len(arms)), 1 / len(arms))
    np.savez(
        folder / "learn.npz",
        x=_wide(half.learn),
        arm=arm_of[half.learn.action],
        reward=half.learn.reward,
        chance=chance,
    )
    np.savez(folder / "judged.npz", x=_wide(half.held))
    return arms


def _wide(frame: DecisionFrame) -> np.ndarray:
    blocks = []
    for values, levels in zip(frame.context.values.T, frame.context.levels, strict=True):
        known = np.nan_to_num(values, nan=-1).astype(np.int64)
        blocks.append(values[:, None] if not levels else (known[:, None] == np.arange(len(levels))))
    return np.hstack(blocks).astype(np.float32)


def hillstrom(given: argparse.Namespace) -> Iterator[str]:
    """The table of the real test."""
    frame = read_frame(given.hillstrom, read_spec(SPEC))
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    effort: dict[str, list[Effort]] = {}
    halves = [half_of(frame, seed=seed) for seed in given.splits]
    men = frame.actions.index("Mens E-Mail")
    for seed, half in zip(given.splits, halves, strict=True):
        folder = given.folder / f"hillstrom-{seed}"
        arms = np.array(write_half(half, folder))
        chosen, took = our_policy(half, seed=seed)
        found.setdefault("ours", []).append(half.columns(chosen))
        effort.setdefault("ours", []).append(took)
        found.setdefault("men's to all", []).append(half.columns(np.full(len(half.held), men)))
        for tool in given.tools:
            try:
                values, took = by_peer(tool, folder, interpreter=given.peers, seed=seed)
            except PeerFailed as error:
                print(f"{tool}, split {seed}: failed: {error}", file=sys.stderr)
                continue
            found.setdefault(tool, []).append(half.columns(arms[np.argmax(np.round(values, 12), axis=1)]))
            effort.setdefault(tool, []).append(took)
    yield f"visits, {len(frame):,} rows, splits {given.splits}\n"
    yield "| learner | DR | SNIPS | ours less it, DR | ours less it, SNIPS | splits ours is behind | learning s | scoring s | kB |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for name, columns in found.items():
        if len(columns) == len(halves):
            yield hillstrom_row(name, columns, found["ours"], halves=halves, effort=effort.get(name, []))


def hillstrom_row(
    name: str,
    columns: list[tuple[np.ndarray, np.ndarray]],
    of_ours: list[tuple[np.ndarray, np.ndarray]],
    *,
    halves: list[Half],
    effort: list[Effort],
) -> str:
    """Means over splits; a row held in several splits counts as one in the error."""
    cells = [f"{np.mean([one[number].mean() for one in columns]):.4f}" for number in (0, 1)]
    behind = 0
    for number in (0, 1):
        less = [mine[number] - one[number] for mine, one in zip(of_ours, columns, strict=True)]
        value = float(np.mean([one.mean() for one in less]))
        cells.append(f"{value:+.4f} ± {_clustered_error(less, halves):.4f}")
        if number == 0:
            behind = sum(bool(one.mean() < -one.std(ddof=1) / np.sqrt(len(one))) for one in less)
    took = ""
    if effort:
        took = Effort(
            float(np.mean([one.learning_s for one in effort])), float(np.mean([one.scoring_s for one in effort])),
            int(np.mean([one.bytes for one in effort])),
        ).cells()  # fmt: skip
    return f"| {name} | {' | '.join(cells)} | {behind} of {len(columns)} | {took or '– | – | –'} |"


def _clustered_error(less: list[np.ndarray], halves: list[Half]) -> float:
    """Standard error of the mean over splits of paired differences."""
    total = np.zeros(1 + max(int(half.row.max()) for half in halves))
    count = sum(len(one) for one in less)
    for one, half in zip(less, halves, strict=True):
        total[half.row] += one - one.mean()
    return float(np.sqrt((total**2).sum()) / count)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", required=True, help="interpreter of the peers' environment")
    parser.add_argument("--questions", nargs="+", default=["simulated", "hillstrom"])
    parser.add_argument("--tools", nargs="*", default=list(TOOLS))
    parser.add_argument("--wide", nargs="*", default=[], help="tools that are also given all columns")
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--debtors", type=int, default=20_000)
    parser.add_argument("--months", type=int, default=18)
    parser.add_argument("--judged", type=int, default=1_500, help="debtors whose every action is scored, at most")
    parser.add_argument("--splits", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--hillstrom", type=Path, default=HILLSTROM)
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-peers"))
    given = parser.parse_args()
    print(f"{platform.machine()}, one thread")
    questions = {"simulated": simulated, "hillstrom": hillstrom}
    for question in given.questions:
        for line in questions[question](given):
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
