"""Every estimator of one policy's value, with its intervals where they cover and its parameter where one was chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.frame_table import FloatArray, IntArray
from training.ope.anytime import anytime_interval
from training.ope.estimators import dm, dr, ips, shrunk_dr, sndr, snips, switch_dr
from training.ope.intervals import Interval, skewed_interval
from training.ope.tuning import least_error, shrinkage_candidates, switch_candidates


@dataclass(frozen=True)
class Log:
    """What every estimator needs of a log, shape (n,) each: action, its logging probability, reward, unit."""

    action: IntArray
    action_probability: FloatArray
    reward: FloatArray
    unit: IntArray


@dataclass(frozen=True)
class Model:
    """A cross-fitted model's reward of what was done, and under the policy, shape (n,) each."""

    predicted: FloatArray
    expected: FloatArray


@dataclass(frozen=True)
class Marginal:
    """Weights of cells of actions, shape (n,), the model's rewards of cells (None: no model), and what cells are."""

    weight: FloatArray
    model: Model | None
    cells: str


@dataclass(frozen=True)
class Estimate:
    """One estimator's value.

    Parameters
    ----------
    interval
        At one look; None where the estimator may be biased: how rows differ says nothing of how wrong a model is.
    anytime
        The one that may be looked at as often as one likes while the log grows.
    parameter
        Name and value of what was chosen from the data; infinite where nothing is cut or shrunk.
    """

    name: str
    value: float
    interval: Interval | None = None
    anytime: Interval | None = None
    parameter: tuple[str, float] | None = None

    def text(self) -> str:
        """Name, value and range."""
        return f"{self.name} {figure(self.value) if self.interval is None else with_range(self.interval)}"

    def line(self) -> str:
        """Name, value, both ranges or the chosen parameter, in columns."""
        if self.interval is None or self.anytime is None:
            return f"{self.name:<17}{figure(self.value)}{self._chosen()}"
        low, high = figure(self.anytime.low), figure(self.anytime.high)
        return f"{self.name:<17}{with_range(self.interval)}  at any look [{low}, {high}]"

    def _chosen(self) -> str:
        if self.parameter is None:
            return ""
        name, value = self.parameter
        return f"  {name} 0: the model alone" if value == 0 else f"  {name} {value:.4g}"

    def as_dict(self) -> dict[str, float | None]:
        """Value, intervals where there are any, and the parameter (null where infinite: nothing is cut or shrunk)."""
        found: dict[str, float | None] = {"value": self.value}
        if self.interval is not None:
            found |= self.interval.as_dict()
        if self.anytime is not None:
            found |= {"anytime_low": self.anytime.low, "anytime_high": self.anytime.high}
        if self.parameter is not None:
            name, value = self.parameter
            found[name] = value if np.isfinite(value) else None
        return found


def figure(value: float) -> str:
    """A number with four places below ten, fewer above.

    >>> figure(0.10617), figure(1432.18)
    ('0.1062', '1432.2')
    """
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}" if abs(value) < 1000 else f"{value:.1f}"


def with_range(interval: Interval) -> str:
    """A value and its range.

    >>> with_range(Interval(0.5, 0.4, 0.6))
    '0.5000 [0.4000, 0.6000]'
    """
    return f"{figure(interval.value)} [{figure(interval.low)}, {figure(interval.high)}]"


def estimates_of(
    log: Log, weight: FloatArray, *, model: Model | None, marginal: Marginal | None
) -> tuple[Estimate, ...]:
    """Estimators with an interval first, then those without.

    Parameters
    ----------
    weight
        Target over logging probability of the logged action, shape (n,).
    model
        None: only estimators that need none.
    """
    columns = {"IPS": ips(log.reward, weight), "SNIPS": snips(log.reward, weight)}
    if model is not None:
        columns["DR"] = dr(log.reward, weight, predicted=model.predicted, expected=model.expected)
        columns["SN-DR"] = sndr(log.reward, weight, predicted=model.predicted, expected=model.expected)
    columns |= {} if marginal is None else _marginalised(log, marginal)
    covered = tuple(_covered(name, column, log.unit) for name, column in columns.items())
    return covered if model is None else (*covered, *_model_bound(log, weight, model))


def _marginalised(log: Log, marginal: Marginal) -> dict[str, FloatArray]:
    columns = {"marginalised IPS": ips(log.reward, marginal.weight)}
    if marginal.model is not None:
        predicted, expected = marginal.model.predicted, marginal.model.expected
        columns["marginalised DR"] = dr(log.reward, marginal.weight, predicted=predicted, expected=expected)
    return columns


def _covered(name: str, column: FloatArray, unit: IntArray) -> Estimate:
    interval, anytime = skewed_interval(column, unit), anytime_interval(column, unit)
    return Estimate(name, float(column.mean()), interval, anytime)


def _model_bound(log: Log, weight: FloatArray, model: Model) -> tuple[Estimate, ...]:
    """Estimators that lean on the model for the sake of less variance, their parameters chosen by least error."""
    reward, predicted, expected = log.reward, model.predicted, model.expected
    unbiased = dr(reward, weight, predicted=predicted, expected=expected)

    def switched(threshold: float) -> FloatArray:
        return switch_dr(reward, weight, predicted=predicted, expected=expected, threshold=threshold)

    def shrunk(shrinkage: float) -> FloatArray:
        return shrunk_dr(reward, weight, predicted=predicted, expected=expected, shrinkage=shrinkage)

    cut = least_error(switch_candidates(weight), log.unit, rows_under=switched, unbiased=unbiased)
    less = least_error(shrinkage_candidates(weight), log.unit, rows_under=shrunk, unbiased=unbiased)
    return (
        Estimate("DM", float(dm(expected).mean())),
        Estimate("Switch-DR", float(cut.per_row.mean()), parameter=("threshold", cut.parameter)),
        Estimate("shrunk DR", float(less.per_row.mean()), parameter=("shrinkage", less.parameter)),
    )
