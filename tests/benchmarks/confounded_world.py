"""A log in which phone looks harmful but helps by 3 points: hard cases got the call.

    make bench-confounded       100 logs of 30,000 decisions on 10,000 debtors, and as many with a hidden driver

Each log is drawn from a small world written here: what is known of a claim moves both the old rule and the payment, the
rule is partly random, and its probabilities were not logged. Counted over logs: how often the plain difference of
`phone` and `none` has the wrong sign; how often the doubly robust interval of `training.logged.effect` covers the truth,
and excludes 0. In the second half something that was never recorded moves both as well, the odds of an action by up to a
factor of 2: no adjustment finds the truth then; counted is how often the bound at the odds ratio 2 holds it, and how
often a sign is claimed at that odds ratio.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from training.logged.effect import EffectSettings, Log, effect
from training.logged.multinomial import FitSettings

FloatArray = npt.NDArray[np.float64]

NONE, SMS, PHONE = 0, 1, 2
TRUE_EFFECT = 0.03
STATED_ODDS_RATIO = 2.0
HIDDEN_FACTOR = 1.75
"""Odds of a call with the driver over those without are its square; against the mean of both at most 2."""


@dataclass(frozen=True)
class World:
    """Sizes of one log; `hidden` is the factor by which an unrecorded driver moves the odds of a call, 1 for none."""

    decisions: int = 30_000
    each: int = 3
    hidden: float = 1.0


@dataclass(frozen=True)
class Drawn:
    """One log, what phone over none truly does to each of its decisions (n,), and the odds ratio that the hidden driver has."""

    log: Log
    lift: FloatArray
    odds_ratio: float


def draw_log(world: World, *, rng: np.random.Generator) -> Drawn:
    """One log of the world."""
    debtors = world.decisions // world.each
    unit = np.repeat(np.arange(debtors), world.each)
    features, hard = claims(unit, rng=rng)
    driver = rng.random(len(unit)) < 0.5
    chance, odds_ratio = old_rule(hard, driver, hidden=world.hidden)
    action = (rng.random(len(unit))[:, None] > np.cumsum(chance, axis=1)[:, :-1]).sum(axis=1)
    paid, lift = payments(hard, features, driver, unit, action, hidden=world.hidden, rng=rng)
    return Drawn(Log(features, action, paid, unit), lift, odds_ratio)


def claims(unit: npt.NDArray[np.int64], *, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """What is known of each claim, shape (n, 9), and how hard it is, shape (n,), from -2 to 2."""
    size, debtors = len(unit), int(unit.max()) + 1
    age_days = rng.gamma(2.0, 45.0, size)
    amount_log = rng.normal(5.5, 1.0, size)
    broken = rng.poisson(0.6, debtors)[unit].astype(np.float64)
    earlier = rng.binomial(6, rng.beta(2, 2, debtors))[unit].astype(np.float64)
    digital = (rng.random(debtors) < 0.7)[unit].astype(np.float64)
    noise = rng.normal(size=(size, 4))
    hard = np.tanh(age_days / 90 - 1) + 0.5 * (broken > 0) - 0.25 * (earlier - 3) + 0.3 * (amount_log > 6)
    features = np.column_stack([age_days, amount_log, broken, earlier, digital, noise])
    features[rng.random(size) < 0.1, 4] = np.nan
    return features, hard.clip(-2.0, 2.0)


def old_rule(hard: FloatArray, driver: npt.NDArray[np.bool_], *, hidden: float) -> tuple[FloatArray, float]:
    """Chances of none, sms and phone, shape (n, 3): calls go to hard cases, with some chance to all.

    The hidden driver multiplies the odds of a call by `hidden` or divides them by it; the second value is the largest
    odds ratio between the chances with and without knowing the driver, over all actions and rows.
    """
    call = 0.10 + 0.65 * expit(2.5 * hard - 0.5)
    text = 0.5 + 0.15 * np.sin(3 * hard)
    by_driver = [_three(expit(logit(call) + sign * np.log(hidden)), text) for sign in (-1.0, 1.0)]
    marginal = (by_driver[0] + by_driver[1]) / 2
    apart = [np.abs(logit(one) - logit(marginal)).max() for one in by_driver]
    return np.where(driver[:, None], by_driver[1], by_driver[0]), float(np.exp(max(apart)))


def _three(call: FloatArray, text: FloatArray) -> FloatArray:
    return np.column_stack([(1 - call) * (1 - text), (1 - call) * text, call])


def payments(
    hard: FloatArray,
    features: FloatArray,
    driver: npt.NDArray[np.bool_],
    unit: npt.NDArray[np.int64],
    action: npt.NDArray[np.int64],
    *,
    hidden: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Whether each decision was paid on, and by how much phone lifts its chance: 3 points on average, more for some."""
    habit = 0.04 * rng.uniform(-1, 1, int(unit.max()) + 1)[unit]
    without = 0.08 + 0.30 * expit(-1.6 * hard - 0.3) + habit + 0.02 * (features[:, 1] < 5)
    without -= 0.08 * (driver - 0.5) * (hidden > 1.0)
    shape = 0.3 + expit(hard) + 0.3 * (features[:, 3] > 3)
    lift = TRUE_EFFECT * shape / shape.mean()
    chance = without + np.where(action == PHONE, lift, 0.0) + 0.01 * (action == SMS)
    return (rng.random(len(hard)) < chance).astype(np.float64), lift


def one_log(seed: int, *, world: World, threads: int) -> dict[str, float]:
    """What is found in one log."""
    rng = np.random.default_rng([seed, int(100 * world.hidden)])
    drawn = draw_log(world, rng=rng)
    settings = EffectSettings(FitSettings(folds=5, column_share=0.8, threads=threads), odds_ratios=(STATED_ODDS_RATIO,))
    found = effect(drawn.log, of=PHONE, over=NONE, settings=settings, rng=rng)
    (bound,) = found.bounds
    return {
        "truth": float(drawn.lift.mean()),
        "naive": found.naive.value,
        "value": found.value.value,
        "low": found.value.low,
        "high": found.value.high,
        "kept": found.kept,
        "overturned_at": found.overturned_at,
        "bound_low": bound.low,
        "bound_high": bound.high,
        "world_odds_ratio": drawn.odds_ratio,
    }


def summary(logs: list[dict[str, float]]) -> dict[str, float]:
    """Shares and means over logs."""
    column = {name: np.array([one[name] for one in logs]) for name in logs[0]}
    truth = column["truth"]
    told = (column["bound_low"] > 0) | (column["bound_high"] < 0)
    return {
        "logs": len(logs),
        "naive sign wrong": float((column["naive"] < 0).mean()),
        "naive mean, points": 100 * float(column["naive"].mean()),
        "truth mean, points": 100 * float(truth.mean()),
        "ours mean, points": 100 * float(column["value"].mean()),
        "ours, standard deviation over logs, points": 100 * float(column["value"].std(ddof=1)),
        "half-width, points": 50 * float((column["high"] - column["low"]).mean()),
        "interval covers the truth": float(((column["low"] <= truth) & (truth <= column["high"])).mean()),
        "interval excludes 0, above it": float((column["low"] > 0).mean()),
        "rows kept": float(column["kept"].mean()),
        "overturned at odds ratio, median": float(np.median(column["overturned_at"])),
        "odds ratio of the hidden driver, largest": float(column["world_odds_ratio"].max()),
        "bound at 2 holds the truth": float(((column["bound_low"] <= truth) & (truth <= column["bound_high"])).mean()),
        "bound at 2, mean low end, points": 100 * float(column["bound_low"].mean()),
        "bound at 2, mean high end, points": 100 * float(column["bound_high"].mean()),
        "sign claimed at 2": float(told.mean()),
    }


def main() -> None:
    """Print both summaries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--decisions", type=int, default=30_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, default=None, help="Also write every log's figures to this file.")
    given = parser.parse_args()
    kept: dict[str, list[dict[str, float]]] = {}
    for name, hidden in (("all that matters is recorded", 1.0), ("a hidden driver", HIDDEN_FACTOR)):
        began = time.perf_counter()
        world = World(decisions=given.decisions, hidden=hidden)
        kept[name] = [one_log(seed, world=world, threads=given.threads) for seed in range(1, given.seeds + 1)]
        print(f"\n{name} ({time.perf_counter() - began:.0f} s)")
        for what, value in summary(kept[name]).items():
            print(f"  {what:<46} {value:8.3f}", flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
