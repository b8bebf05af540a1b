"""The harm budget of a debtor: what contacts of the last days have cost it, and what one more may."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION, ActionGrid
from data.config import MoneySettings
from data.stretches import rows_of
from data.times import DAY_US, IntArray
from features.tables import Histories

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

ROUNDING_EUR = 1e-9
"""Sums of harms that meet the budget exactly are inside it."""


def past_harm(
    histories: Histories, debtor: IntArray, *, as_of_us: IntArray, days: int, harm: MoneySettings
) -> FloatArray:
    """Harm in EUR of each debtor's contacts decided on in the `days` days before `as_of` and known by then, shape (n,).

    Each contact counts with what its channel's harm was on the day of its decision.

    Parameters
    ----------
    debtor, as_of_us
        Row in the histories and moment of each, shape (n,).

    Raises
    ------
    MissingRate
        No harm of a channel held on such a day.
    """
    contacts = histories.contacts
    owner, row = rows_of(contacts.start[debtor], contacts.start[debtor + 1])
    moment = as_of_us[owner]
    decided = contacts.decided_us[row]
    counts = (
        (decided < moment)
        & (decided >= moment - days * DAY_US)
        & (contacts.known_us[row] <= moment)
        & (contacts.channel[row] > 0)
    )
    owner, row = owner[counts], row[counts]
    keys = contacts.channel[row].astype(np.int64) * 1_000_000 + contacts.decided_us[row] // DAY_US
    distinct, which = np.unique(keys, return_inverse=True)
    amounts = [harm.on(histories.channels[key // 1_000_000], key % 1_000_000).amount for key in distinct.tolist()]
    each = np.array(amounts, dtype=np.float64)[which] if amounts else np.zeros(0)
    return np.bincount(owner, weights=each, minlength=len(debtor)).astype(np.float64)


def within_budget(past_eur: FloatArray, harm_eur: FloatArray, *, grid: ActionGrid, budget_eur: float) -> BoolArray:
    """Actions whose harm and that of the past stay inside the budget, shape (n, A); `none` always does.

    Parameters
    ----------
    past_eur
        As `past_harm` gives it, shape (n,).
    harm_eur
        Harm of one more contact by channel, shape (n, channels).

    >>> grid = ActionGrid(("none", "sms", "phone"), days=1, hours=(10,))
    >>> within_budget(np.array([0.6]), np.array([[0.0, 0.15, 0.5]]), grid=grid, budget_eur=1.0).tolist()
    [[True, True, False]]
    """
    fits: BoolArray = (past_eur[:, None] + harm_eur <= budget_eur + ROUNDING_EUR)[:, grid.channel]
    fits[:, NO_ACTION] = True
    return fits
