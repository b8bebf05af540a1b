"""How often intervals cover a known truth, and how far off the estimators without one are.

    make bench-coverage         2,000 logs of 2,000 units (about 3,700 rows), both rewards

The world is `ope_world.py`: overlap, clusters, two loggers, an imperfect cross-fitted model. Each log is looked at ten times
while it grows, the model fitted anew each time. *Covers*: `skewed_interval` at the last look, and beside it the normal one.
*All looks*: the intervals of every look at once. *Times*: width of the anytime-valid interval over the normal one's at the
last look, which is the planned one.
Marginalised estimators answer the question of cells (channel, part of day); their truth is that of this question.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ope_world import (
    CELL_OF_ACTION,
    CELLS,
    CHANNEL_OF_ACTION,
    CHANNELS,
    Drawn,
    Reward,
    World,
    cross_fitted,
    draw_log,
    make_world,
)

from training.ope.anytime import anytime_interval
from training.ope.estimators import dm, dr, ips, shrunk_dr, sndr, snips, switch_dr
from training.ope.intervals import Interval, normal_interval, skewed_interval
from training.ope.loggers import pooled_probability, precision_weighted
from training.ope.marginal import cell_probability, cell_weight, embedding_of
from training.ope.overlap import ess
from training.ope.tuning import least_error, shrinkage_candidates, slope, switch_candidates

FloatArray = npt.NDArray[np.float64]
LOOKS = 10
MARGINAL = ("marginalised IPS", "marginalised DR")


@dataclass(frozen=True)
class Policies:
    """Chances at every level the estimators ask for, by context."""

    target: FloatArray
    loggers: FloatArray
    target_cells: FloatArray
    logger_cells: FloatArray
    target_channels: FloatArray


def policies_of(world: World) -> Policies:
    """The world's policies at the levels of actions, cells and channels."""
    cells, channels = embedding_of(CELL_OF_ACTION), embedding_of(CHANNEL_OF_ACTION)
    logger_cells = np.array([cell_probability(logger, cells) for logger in world.loggers])
    return Policies(
        world.target,
        world.loggers,
        cell_probability(world.target, cells),
        logger_cells,
        cell_probability(world.target, channels),
    )


@dataclass(frozen=True)
class Weights:
    """Weights of a log's rows, shape (n,) each: against the row's own logger, of cells, against the mixture."""

    own: FloatArray
    cells: FloatArray
    pooled: FloatArray


def weights_of(log: Drawn, policies: Policies) -> Weights:
    """Weights of one log."""
    target = policies.target[log.context, log.action]
    each = policies.loggers[:, log.context, log.action].T
    return Weights(
        target / each[np.arange(len(each)), log.logger],
        cell_weight(
            policies.target_cells[log.context],
            policies.logger_cells[log.logger, log.context],
            cell=CELL_OF_ACTION[log.action],
        ),
        target / pooled_probability(each, log.logger),
    )


def unbiased(log: Drawn, reward: FloatArray, *, weights: Weights, policies: Policies) -> dict[str, FloatArray]:
    """Rows of the estimators that have an interval."""
    predicted, expected = predictions(log, reward, policies)
    own = dr(reward, weights.own, predicted=predicted, expected=expected)
    return {
        "IPS": ips(reward, weights.own),
        "SNIPS": snips(reward, weights.own),
        "DR": own,
        "SN-DR": sndr(reward, weights.own, predicted=predicted, expected=expected),
        "marginalised IPS": ips(reward, weights.cells),
        "marginalised DR": dr(reward, weights.cells, predicted=predicted, expected=expected),
        "pooled IPS": ips(reward, weights.pooled),
        "pooled DR": dr(reward, weights.pooled, predicted=predicted, expected=expected),
        "DR by precision of loggers": precision_weighted(own, log.logger, unit=log.unit),
    }


def predictions(log: Drawn, reward: FloatArray, policies: Policies) -> tuple[FloatArray, FloatArray]:
    """The model's reward of what was done, and under the target, shape (n,) each; alike within a cell."""
    model, fold = cross_fitted(log, reward)
    expected = (model * policies.target_channels[None]).sum(axis=2)
    return model[fold, log.context, CHANNEL_OF_ACTION[log.action]], expected[fold, log.context]


def biased(log: Drawn, reward: FloatArray, *, weights: Weights, policies: Policies) -> dict[str, float]:
    """Values of the estimators that have no interval."""
    predicted, expected = predictions(log, reward, policies)
    weight = weights.own

    def switched(threshold: float) -> FloatArray:
        return switch_dr(reward, weight, predicted=predicted, expected=expected, threshold=threshold)

    def shrunk(shrinkage: float) -> FloatArray:
        return shrunk_dr(reward, weight, predicted=predicted, expected=expected, shrinkage=shrinkage)

    unbiased = dr(reward, weight, predicted=predicted, expected=expected)
    found = {"DM": dm(expected)}
    for name, candidates, under in (
        ("Switch-DR", switch_candidates(weight), switched),
        ("shrunk DR", shrinkage_candidates(weight), shrunk),
    ):
        found[name] = least_error(candidates, log.unit, rows_under=under, unbiased=unbiased).per_row
        found[f"{name} by SLOPE"] = slope(candidates, log.unit, rows_under=under).per_row
    return {name: float(rows.mean()) for name, rows in found.items()}


@dataclass(frozen=True)
class Tally:
    """One estimator over all logs, shape (logs,) each; intervals are NaN where it has none."""

    value: FloatArray
    fixed_half: FloatArray
    normal_half: FloatArray
    anytime_half: FloatArray
    covers: npt.NDArray[np.bool_]
    normal_covers: npt.NDArray[np.bool_]
    fixed_all: npt.NDArray[np.bool_]
    anytime_all: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Seen:
    """One estimator at the looks of one log."""

    fixed: tuple[Interval, ...]
    normal: Interval
    anytime: tuple[Interval, ...]


def seen_at_looks(log: Drawn, reward: Reward, *, policies: Policies, units: int) -> dict[str, Seen]:
    """Fixed and anytime-valid intervals of every estimator at each look."""
    fixed: dict[str, list[Interval]] = {}
    anytime: dict[str, list[Interval]] = {}
    normal: dict[str, Interval] = {}
    for look in range(1, LOOKS + 1):
        part = log.first(units * look // LOOKS)
        rows = unbiased(part, getattr(part, reward), weights=weights_of(part, policies), policies=policies)
        for name, column in rows.items():
            fixed.setdefault(name, []).append(skewed_interval(column, part.unit))
            normal[name] = normal_interval(column, part.unit)
            anytime.setdefault(name, []).append(anytime_interval(column, part.unit, planned_units=units))
    return {name: Seen(tuple(fixed[name]), normal[name], tuple(anytime[name])) for name in fixed}


def tally(world: World, reward: Reward, *, logs: int, units: int, seed: int) -> dict[str, Tally]:
    """Every estimator over all logs."""
    policies = policies_of(world)
    truth = truths(world, reward)
    seen: dict[str, list[Seen]] = {}
    values: dict[str, list[float]] = {}
    for number in range(logs):
        log = draw_log(world, np.random.default_rng([seed, number]), units=units)
        for name, one in seen_at_looks(log, reward, policies=policies, units=units).items():
            seen.setdefault(name, []).append(one)
        weights = weights_of(log, policies)
        for name, value in biased(log, getattr(log, reward), weights=weights, policies=policies).items():
            values.setdefault(name, []).append(value)
    found = {name: _with_intervals(each, truth(name)) for name, each in seen.items()}
    none, no = np.full(logs, np.nan), np.zeros(logs, dtype=np.bool_)
    return found | {name: Tally(np.array(each), none, none, none, no, no, no, no) for name, each in values.items()}


def truths(world: World, reward: Reward) -> Callable[[str], float]:
    """The truth of each estimator's question, by its name."""
    whole, cells = world.value(world.target, reward), world.value(world.inside_as_logged(), reward)
    return lambda name: cells if name in MARGINAL else whole


def _with_intervals(seen: list[Seen], truth: float) -> Tally:
    def within(interval: Interval) -> bool:
        return interval.low <= truth <= interval.high

    return Tally(
        np.array([one.fixed[-1].value for one in seen]),
        np.array([one.fixed[-1].half_width for one in seen]),
        np.array([one.normal.half_width for one in seen]),
        np.array([one.anytime[-1].half_width for one in seen]),
        np.array([within(one.fixed[-1]) for one in seen]),
        np.array([within(one.normal) for one in seen]),
        np.array([all(map(within, one.fixed)) for one in seen]),
        np.array([all(map(within, one.anytime)) for one in seen]),
    )


def line(name: str, found: Tally, truth: float) -> str:
    """A row of the table."""
    off = found.value - truth
    error = found.value.std() / np.sqrt(len(off))
    accuracy = (
        f"{100 * off.mean() / truth:+.2f} ± {100 * error / truth:.2f} | {100 * np.sqrt((off**2).mean()) / truth:.2f}"
    )
    if np.isnan(found.fixed_half[0]):
        return f"| {name} | {accuracy} | – | – | – | – | – | – |"
    half = 100 * found.fixed_half.mean() / truth
    hits = (found.covers, found.normal_covers, found.fixed_all, found.anytime_all)
    rates = " | ".join(f"{100 * hit.mean():.1f}" for hit in hits)
    return f"| {name} | {accuracy} | {half:.2f} | {rates} | {(found.anytime_half / found.normal_half).mean():.2f} |"


def overlap_line(world: World, *, units: int, seed: int) -> str:
    """What the first log offers."""
    log = draw_log(world, np.random.default_rng([seed, 0]), units=units)
    weights = weights_of(log, policies_of(world))
    shares = ((name, ess(w) / len(w), w.max()) for name, w in vars(weights).items())
    text = "; ".join(f"{name}: effective {share:.0%}, largest {largest:.1f}" for name, share, largest in shares)
    return f"first log: {len(log.unit):,} rows of {units:,} units, {CELLS} cells, {CHANNELS} channels; weights {text}"


def main() -> None:
    """Print a table for each reward."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logs", type=int, default=2_000)
    parser.add_argument("--units", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1, help="of the logs")
    parser.add_argument("--world", type=int, default=0, help="seed of the world")
    given = parser.parse_args()
    world = make_world(np.random.default_rng(given.world))
    print(overlap_line(world, units=given.units, seed=given.seed))
    rewards: tuple[Reward, ...] = ("paid", "amount")
    for reward in rewards:
        found = tally(world, reward, logs=given.logs, units=given.units, seed=given.seed)
        truth = truths(world, reward)
        print(f"\n{reward}: true value {truth('IPS'):.4f}, of cells {truth(MARGINAL[0]):.4f}; {given.logs:,} logs\n")
        print(
            "| estimator | bias % | RMSE % | half-width % | covers % | normal covers % | all looks, fixed % | all looks, anytime % | times |"
        )
        print(f"| --- |{' --- |' * 8}")
        for name, each in found.items():
            print(line(name, each, truth(name)), flush=True)


if __name__ == "__main__":
    main()
