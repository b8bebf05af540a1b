"""One value from the logs of several policies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from training.ope.estimators import ips
from training.ope.intervals import normal_interval
from training.ope.loggers import NoSpread, pooled_probability, precision_weighted

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
LOGGERS = np.array([[0.85, 0.10, 0.05], [0.10, 0.20, 0.70]])
TARGET = np.array([0.2, 0.2, 0.6])
CHANCE = np.array([0.3, 0.5, 0.4])
VALUE = float(TARGET @ CHANCE)


def drawn(seed: int, *, units: int) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Unit, logger, action and reward of a log; two rows a unit, two thirds of the units with the first logger."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(units), 2)
    logger = (rng.random(units) < 1 / 3).astype(np.int64)[unit]
    action = (LOGGERS.cumsum(axis=1)[logger] < rng.random((2 * units, 1))).sum(axis=1).clip(max=2)
    mood = rng.uniform(-0.2, 0.2, units)[unit]
    return unit, logger, action, (rng.random(2 * units) < CHANCE[action] + mood).astype(np.float64)


def columns(seed: int, *, units: int) -> tuple[IntArray, dict[str, FloatArray]]:
    unit, logger, action, reward = drawn(seed, units=units)
    own = ips(reward, TARGET[action] / LOGGERS[logger, action])
    pooled = ips(reward, TARGET[action] / pooled_probability(LOGGERS[:, action].T, logger))
    return unit, {"own": own, "pooled": pooled, "by precision": precision_weighted(own, logger, unit=unit)}


def test_values_cover_the_truth_and_both_ways_of_combining_are_narrower() -> None:
    covered = dict.fromkeys(("own", "pooled", "by precision"), 0)
    width = dict.fromkeys(covered, 0.0)
    for seed in range(200):
        unit, found = columns(seed, units=400)
        for name, rows in found.items():
            interval = normal_interval(rows, unit)
            covered[name] += interval.low <= VALUE <= interval.high
            width[name] += interval.half_width
    assert all(181 <= hits <= 199 for hits in covered.values()), covered
    assert width["pooled"] < width["by precision"] < width["own"]


def test_with_one_logger_nothing_is_combined() -> None:
    unit, _, action, reward = drawn(3, units=50)
    alone = np.zeros(100, dtype=np.int64)
    own = ips(reward, TARGET[action] / LOGGERS[0, action])
    assert precision_weighted(own, alone, unit=unit) == pytest.approx(own)
    assert pooled_probability(LOGGERS[:1, action].T, alone) == pytest.approx(LOGGERS[0, action])


def test_the_more_precise_logger_counts_more() -> None:
    rng = np.random.default_rng(0)
    logger = np.repeat([0, 1], 500)
    rows = np.where(logger == 0, rng.normal(0.0, 1.0, 1000), rng.normal(1.0, 10.0, 1000))
    combined = precision_weighted(rows, logger, unit=np.arange(1000))
    assert combined.mean() == pytest.approx(rows[:500].mean(), abs=0.05)


def test_numbers_of_loggers_need_not_follow_each_other() -> None:
    rows = np.random.default_rng(1).normal(size=60)
    logger = np.tile([2, 7], 30)
    named = precision_weighted(rows, (logger == 7).astype(np.int64), unit=np.arange(60))
    assert precision_weighted(rows, logger, unit=np.arange(60)) == pytest.approx(named)


def test_a_logger_whose_rows_are_all_alike_is_refused() -> None:
    rows = np.concatenate([np.zeros(40), np.arange(40.0)])
    with pytest.raises(NoSpread, match="all 40 rows of logger 0 are 0: leave it out, or use pooled weights"):
        precision_weighted(rows, np.repeat([0, 1], 40), unit=np.arange(80))
