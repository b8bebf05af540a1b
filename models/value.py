"""Expected value of every action: what it brings in over `none`, less its cost and harm (contract section 0)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import ActionGrid
from data.config import Config
from data.times import DAY_US
from models._value_kernels import add_by_debtor
from models.grid import best

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Prices:
    """Cost and harm of a contact in EUR, shape (n, channels)."""

    cost: FloatArray
    harm: FloatArray

    @property
    def total(self) -> FloatArray:
        """Cost and harm together."""
        return self.cost + self.harm


def prices(config: Config, *, as_of_us: IntArray, answer_rate: FloatArray) -> Prices:
    """Prices of each debtor's channels on the day of `as_of`.

    Parameters
    ----------
    as_of_us
        Shape (n,).
    answer_rate
        Chance that a contact is answered, shape (n, channels); only channels with a price per answer look at it.

    Raises
    ------
    MissingRate
        No cost or harm of a channel holds on that day.
    """
    days, inverse = np.unique(as_of_us // DAY_US, return_inverse=True)
    cells = [(name, int(day)) for day in days for name in config.grid.channels]
    costs, harms = [config.costs.on(*cell) for cell in cells], [config.harm.on(*cell) for cell in cells]

    def by_row(values: list[float]) -> FloatArray:
        table: FloatArray = np.array(values, dtype=np.float64).reshape(len(days), len(config.grid.channels))[inverse]
        return table

    per_answer = by_row([one.per_answer for one in costs])
    return Prices(
        by_row([one.amount for one in costs]) + per_answer * answer_rate, by_row([one.amount for one in harms])
    )


def expected_paid(
    probability: FloatArray, *, outstanding_eur: FloatArray, mean_share: float | FloatArray
) -> FloatArray:
    """E[paid | action] of each claim in EUR: probability × mean share paid × outstanding, shape (m, A).

    Parameters
    ----------
    probability
        Shape (m, A), NaN where not scored.
    mean_share
        Share of the outstanding sum that is paid where anything is: one number, or one a claim (m,).
    """
    paid: FloatArray = probability * (mean_share * outstanding_eur)[:, None]
    return paid


def brought_in(probability: FloatArray, *, outstanding_eur: FloatArray, mean_share: float | FloatArray) -> FloatArray:
    """E[paid | action] − E[paid | none] of each claim in EUR, shape (m, A); NaN where not scored.

    `probability` has `none` in column 0; the rest as for `expected_paid`.
    """
    paid = expected_paid(probability, outstanding_eur=outstanding_eur, mean_share=mean_share)
    lift: FloatArray = paid - paid[:, :1]
    return lift


def value_grid(
    lift_eur: FloatArray, *, debtor: IntArray, covered: BoolArray, price: Prices, grid: ActionGrid, allowed: BoolArray
) -> FloatArray:
    """Expected value of every action for every debtor in EUR, shape (n, A); −inf where barred, 0 for `none`.

    Parameters
    ----------
    lift_eur
        As `brought_in` gives it, shape (m, A).
    debtor, covered
        Row of each claim's debtor, and whether a contact would cover the claim, shape (m,).
    allowed
        After the rules, shape (n, A).
    """
    total = np.zeros(allowed.shape)
    add_by_debtor(lift_eur, debtor, covered, total)
    total -= price.total[:, grid.channel]
    return np.where(allowed, total, -np.inf)


def best_action(value: FloatArray) -> IntArray:
    """Action of the highest value, shape (n,); values equal to 1e-12 go to the lowest index, so `none` wins a tie at 0."""
    return best(value)
