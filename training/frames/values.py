"""Values of policies on a decision log frame: every estimator, its interval, or the reason for none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.frame_spec import SupportSpec
from data.frame_table import FloatArray, IntArray
from training.ope.estimators import dm, dr, ips, sndr, snips
from training.ope.intervals import Interval, normal_interval
from training.ope.overlap import NoOverlap, Support, require_support

STRICT = SupportSpec()


@dataclass(frozen=True)
class Log:
    """What every estimator needs of a log, shape (n,) each: action, its logging probability, reward, unit."""

    action: IntArray
    action_probability: FloatArray
    reward: FloatArray
    unit: IntArray


@dataclass(frozen=True)
class Estimate:
    """One estimator's value with its interval.

    The direct method's has no interval: how rows differ says nothing of how wrong the model is.
    """

    name: str
    value: float
    interval: Interval | None

    def text(self) -> str:
        """Name, value and range."""
        shown = f"{figure(self.value)} (by the model alone)" if self.interval is None else with_range(self.interval)
        return f"{self.name} {shown}"

    def as_dict(self) -> dict[str, float]:
        """Value and, where there is one, its interval."""
        return {"value": self.value} if self.interval is None else self.interval.as_dict()


@dataclass(frozen=True)
class PolicyValue:
    """Value of one policy, or the reason why the log gives none.

    Parameters
    ----------
    naive
        Mean reward of the rows where one action was taken; None for a policy over several.
    estimates
        Empty where `refused` says why.
    thin
        The support lies below the default bounds and a number stands only because the SPEC lowered them.
    """

    name: str
    rows: int
    naive: float | None
    estimates: tuple[Estimate, ...]
    support: Support | None
    refused: str
    thin: bool = False

    def line(self) -> str:
        """The value in one line."""
        seen = f"{self.rows:,} rows" + ("" if self.naive is None else f", naive mean {figure(self.naive)}")
        if self.refused:
            return f"{self.name} ({seen}): no number: {self.refused}"
        rests = "" if self.support is None else f"; effective rows {self.support.effective:,.0f}"
        rests += "" if self.support is None else f", largest weight {self.support.largest:.4g}"
        thin = "; THIN, given because the SPEC lowers [support]" if self.thin else ""
        return f"{self.name} ({seen}{rests}{thin}): {', '.join(estimate.text() for estimate in self.estimates)}"

    def as_dict(self) -> dict[str, object]:
        """The value for JSON."""
        return {
            "name": self.name,
            "rows": self.rows,
            "naive_mean": self.naive,
            "estimates": {estimate.name: estimate.as_dict() for estimate in self.estimates},
            "support": None if self.support is None else self.support.as_dict(),
            "refused": self.refused,
            "thin": self.thin,
        }

    def of(self, name: str) -> Interval | None:
        """Interval of one estimator, None where it gave no number."""
        return next((estimate.interval for estimate in self.estimates if estimate.name == name), None)


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


def arm_value(log: Log, action: int, *, name: str) -> PolicyValue:
    """Value of giving one action to all, by IPS and SNIPS."""
    taken = log.action == action
    rows = int(taken.sum())
    naive = float(log.reward[taken].mean()) if rows else None
    weight = np.where(taken, 1 / log.action_probability, 0.0)
    value = _value(log, weight, name=name, rows=rows, model=None)
    return PolicyValue(value.name, rows, naive, value.estimates, value.support, value.refused, value.thin)


def policy_value(
    log: Log,
    probability: FloatArray,
    *,
    model: tuple[FloatArray, FloatArray] | None,
    name: str,
    unlogged_mass: float = 0.0,
    bounds: SupportSpec = STRICT,
) -> PolicyValue:
    """Value of a policy by every estimator.

    Parameters
    ----------
    probability
        Of the logged action under the policy, shape (n,).
    model
        A cross-fitted model's reward under the policy, and of the logged action, shape (n,) each; None: no model.
    unlogged_mass
        Probability the policy gives to actions the log never took.
    bounds
        Support below which there is no number.
    """
    weight = probability / log.action_probability
    rows = int((probability > 0).sum())
    return _value(log, weight, name=name, rows=rows, model=model, unlogged_mass=unlogged_mass, bounds=bounds)


def _value(
    log: Log,
    weight: FloatArray,
    *,
    name: str,
    rows: int,
    model: tuple[FloatArray, FloatArray] | None,
    unlogged_mass: float = 0.0,
    bounds: SupportSpec = STRICT,
) -> PolicyValue:
    try:
        found = require_support(
            weight,
            log.reward,
            effective_share=bounds.effective_share,
            largest_weight=bounds.largest_weight,
            unlogged_mass=unlogged_mass,
        )
    except NoOverlap as error:
        return PolicyValue(name, rows, None, (), None, str(error))
    return PolicyValue(name, rows, None, _estimates(log, weight, model), found, "", _is_thin(log, weight, bounds))


def _estimates(log: Log, weight: FloatArray, model: tuple[FloatArray, FloatArray] | None) -> tuple[Estimate, ...]:
    columns = {"IPS": ips(log.reward, weight), "SNIPS": snips(log.reward, weight)}
    if model is not None:
        expected, predicted = model
        columns["DM"] = dm(expected)
        columns["DR"] = dr(log.reward, weight, predicted=predicted, expected=expected)
        columns["SN-DR"] = sndr(log.reward, weight, predicted=predicted, expected=expected)
    return tuple(
        Estimate(key, float(column.mean()), None if key == "DM" else normal_interval(column, log.unit))
        for key, column in columns.items()
    )


def _is_thin(log: Log, weight: FloatArray, bounds: SupportSpec) -> bool:
    if bounds == STRICT:
        return False
    try:
        require_support(weight, log.reward)
    except NoOverlap:
        return True
    return False
