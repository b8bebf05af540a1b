"""Expected value of every action: what it brings in over `none`, less its cost and harm (contract section 0)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import ActionGrid
from data.config import Config
from data.times import DAY_US
from features.distinct import distinct
from models._value_kernels import net_values

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
    days, inverse = distinct(as_of_us // DAY_US)
    cells = [(name, day) for day in days for name in config.grid.channels]
    costs, harms = [config.costs.on(*cell) for cell in cells], [config.harm.on(*cell) for cell in cells]
    each = [one.amount for one in costs], [one.per_answer for one in costs], [one.amount for one in harms]
    amount, per_answer, harm = np.array(each).reshape(3, len(days), len(config.grid.channels))[:, inverse]
    return Prices(amount + per_answer * answer_rate, harm)


def value_grid(
    probability: FloatArray,
    *,
    worth_eur: FloatArray,
    debtor: IntArray,
    covered: BoolArray,
    price: Prices,
    grid: ActionGrid,
    allowed: BoolArray,
) -> FloatArray:
    """Expected value of every action for every debtor in EUR, shape (n, A); −inf where barred, 0 for `none`.

    That is the sum over covered claims of (chance under the action − chance under `none`) × worth, less the price.

    Parameters
    ----------
    probability
        Chance of payment of each claim, shape (m, A), `none` in column 0; NaN where it was not scored: it brings in nothing.
    worth_eur
        What each claim is expected to pay if it pays: mean share paid × outstanding, shape (m,).
    debtor, covered
        Row of each claim's debtor, and whether a contact would cover the claim, shape (m,).
    allowed
        After the rules, shape (n, A).
    """
    return net_values(probability, worth_eur, debtor, covered, price.cost, price.harm, grid.channel, allowed)
