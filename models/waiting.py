"""How long `none` holds: until something that stands in the way is over, at most until the grid's last day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.times import DAY_US, IntArray
from features.pay_days import from_pay_days
from models._waiting_kernels import soonest_end
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
    as_of_us, grid, slots = prepared.asks.as_of_us, prepared.grid, prepared.mask.slots
    promised, first = prepared.situation.claims, 1 + grid.hours.index(min(grid.hours))
    return soonest_end(
        as_of_us, as_of_us + grid.days * DAY_US, prepared.situation.stop_until_us, promised.debtor,
        promised.promised_until_us, prepared.targets.moment, prepared.rows.state.next_due_day,
        _after_pay_day(prepared, by_value), slots.first_day, slots.of_debtor,
        slots.send_us[:, first : 1 + grid.slots : len(grid.hours)],
    )  # fmt: skip


def _after_pay_day(prepared: Prepared, here: BoolArray) -> IntArray:
    """Day after the next pay day, learned or the country's, days since the epoch, of some debtors, 0 for the others, shape (n,)."""
    found = np.zeros(len(here), dtype=np.int64)
    if here.any():
        whole, slots = prepared.histories, prepared.mask.slots
        today = slots.first_day[slots.of_debtor[here]]
        country, learned = whole.country[prepared.asks.debtor[here]], prepared.rows.debtors.pay_day[here]
        _, ahead = from_pay_days(whole.countries, country, day=today, learned=learned)
        found[here] = today + ahead + 1
    return found
