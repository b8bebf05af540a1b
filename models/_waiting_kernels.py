"""How long `none` holds: a loop over debtors."""

from __future__ import annotations

import numpy as np
from numba import njit

from data.times import DAY_US, HOUR_US, NO_DAY, DayArray, IntArray


@njit(cache=True, nogil=True)
def _after_promises(debtor: IntArray, promised_until_us: IntArray, after: IntArray) -> None:
    """Day after the latest one promised on any claim (m,); IN/OUT `after` (n,), 0 without."""
    for claim in range(len(debtor)):
        i = debtor[claim]
        after[i] = max(after[i], promised_until_us[claim] // DAY_US)


@njit(cache=True, nogil=True)
def _after_stages(debtor: IntArray, next_due_day: DayArray, today: IntArray, after: IntArray) -> None:
    """Day after the soonest one, from today on, until which the stage of any claim (m,) runs; IN/OUT `after` (n,), 0 without."""
    for claim in range(len(debtor)):
        i, due = debtor[claim], np.int64(next_due_day[claim])
        if due != NO_DAY and due >= today[i] and (after[i] == 0 or due < after[i]):
            after[i] = due + 1


@njit(cache=True, nogil=True)
def soonest_end(
    as_of_us: IntArray,
    last_us: IntArray,
    pause_until_us: IntArray,
    promised_of: IntArray,
    promised_until_us: IntArray,
    due_of: IntArray,
    next_due_day: DayArray,
    after_pay_day: IntArray,
    first_day: IntArray,
    of_debtor: IntArray,
    morning_us: IntArray,
) -> IntArray:
    """The soonest of the latest there may be, the end of a pause, and the mornings that something lifts, at least an hour on, (n,).

    Parameters
    ----------
    promised_of, promised_until_us, due_of, next_due_day
        Debtor of each claim with the end of its promises (0: none), and with the date until which its stage runs, (m,).
    after_pay_day
        Day whose morning counts too, days since the epoch, 0 for none, (n,).
    first_day, of_debtor, morning_us
        Today and the first slot of each of the grid's days, by class (K,) and (K, days), and each debtor's class (n,).
    """
    today, found = first_day[of_debtor], np.empty(len(as_of_us), np.int64)
    days = np.zeros((3, len(as_of_us)), np.int64)
    _after_promises(promised_of, promised_until_us, days[0])
    _after_stages(due_of, next_due_day, today, days[1])
    days[2] = after_pay_day
    for i in range(len(as_of_us)):
        end_us = last_us[i]
        if pause_until_us[i] > as_of_us[i]:
            end_us = min(end_us, pause_until_us[i])
        for one in range(3):
            ahead = days[one, i] - today[i]
            if 0 < ahead < morning_us.shape[1] and morning_us[of_debtor[i], ahead] > as_of_us[i]:
                end_us = min(end_us, morning_us[of_debtor[i], ahead])
        found[i] = max(end_us, as_of_us[i] + HOUR_US)
    return found
