"""How long `none` holds: until something that stands in the way is over, at most until the grid's last day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.times import DAY_US, HOUR_US, NEVER, NO_DAY, IntArray
from features.pay_days import from_pay_days
from models.prepare import Prepared

BoolArray = npt.NDArray[np.bool_]


def wait_until_us(prepared: Prepared, *, by_value: BoolArray) -> IntArray:
    """When to ask again about debtors who are not contacted, microseconds UTC, shape (n,).

    The soonest of: the end of a pause that was granted, the morning after a promised day, that after the date until which a
    claim's stage runs, where no contact was worth more than contact the morning after the next pay day, and the grid's
    days from `as_of`. Never sooner than an hour after it. A dispute or a hold has no known end; a contact point that is
    to begin is not known before it does.

    Parameters
    ----------
    by_value
        Debtors who could have been contacted, and for whom `none` was worth most, shape (n,).
    """
    as_of_us = prepared.asks.as_of_us
    last = as_of_us + prepared.grid.days * DAY_US
    lifts = [
        prepared.situation.stop_until_us,
        _morning_us(prepared, _after_promise(prepared)),
        _morning_us(prepared, _after_due(prepared)),
    ]
    if by_value.any():
        lifts.append(_morning_us(prepared, np.where(by_value, _after_pay_day(prepared), -1)))
    soonest = last
    for one in lifts:
        soonest = np.where(one > as_of_us, np.minimum(soonest, one), soonest)
    return np.maximum(soonest, as_of_us + HOUR_US)


def _morning_us(prepared: Prepared, day: IntArray) -> IntArray:
    """First hour of the grid on the debtor's local day so many after that of `as_of`, `NEVER` outside the grid, shape (n,)."""
    grid, slots = prepared.grid, prepared.mask.slots
    inside = (day > 0) & (day < grid.days)
    if not inside.any():
        return np.full(len(day), NEVER)
    first = grid.action_of(1, 0, min(grid.hours)) + np.where(inside, day, 0) * len(grid.hours)
    return np.where(inside, slots.send_us[slots.of_debtor, first], NEVER)


def _today(prepared: Prepared) -> IntArray:
    """Local date of each debtor at `as_of`, days since the epoch, shape (n,)."""
    slots = prepared.mask.slots
    today: IntArray = slots.first_day[slots.of_debtor]
    return today


def _after_promise(prepared: Prepared) -> IntArray:
    """Days to the one after the latest day promised; -1 without, or where that is over, shape (n,)."""
    claims, day = prepared.situation.claims, np.zeros(prepared.situation.size, dtype=np.int64)
    if claims.promised_until_us.any():
        np.maximum.at(day, claims.debtor, claims.promised_until_us // DAY_US)
    return np.where(day > 0, day - _today(prepared), -1)


def _after_due(prepared: Prepared) -> IntArray:
    """Days to the one after the soonest date, from today on, until which a claim's stage runs; -1 without, shape (n,)."""
    moment, due = prepared.targets.moment, prepared.rows.state.next_due_day.astype(np.int64)
    ahead = due - _today(prepared)[moment]
    coming = (due != NO_DAY) & (ahead >= 0)
    found = np.full(prepared.situation.size, NEVER, dtype=np.int64)
    np.minimum.at(found, moment[coming], ahead[coming] + 1)
    return np.where(found == NEVER, -1, found)


def _after_pay_day(prepared: Prepared) -> IntArray:
    """Days to the one after the next pay day, learned or the country's, shape (n,)."""
    whole, debtor = prepared.histories, prepared.asks.debtor
    _, ahead = from_pay_days(
        whole.countries, whole.country[debtor], day=_today(prepared), learned=prepared.rows.debtors.pay_day
    )
    after: IntArray = ahead.astype(np.int64) + 1
    return after
