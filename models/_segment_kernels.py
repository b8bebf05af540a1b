"""What a debtor's features say of its segment: loops over debtors, features and indicators.

Shapes: m rows of features, n debtors, f features in the order of `segments_indicators.NEEDED`, k indicators in that of
`INDICATORS`. NaN stands for what is not known, and comes out of every formula that it enters.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
LevelArray = npt.NDArray[np.int8]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

(
    OPEN_CLAIMS, CLAIMS_PAID, CLAIMS_UNPAID, PAID_CLAIM_DAYS, PAYMENTS_EVER, CONTACTS_EVER, SINCE_PAYMENT,
    SINCE_RESPONSE, PROMISES_KEPT, PROMISES_BROKEN, PROMISE_DUE_DAYS, PLAN_CLAIMS, PLANS_BROKEN, DISPUTES,
    DISPUTED_CLAIMS, COMPLAINED, OPTED_OUT, PAY_DAY_LEARNED, PAY_DAY_SHARE, OTHER_DEBTS, INCOME_BAND,
) = range(21)  # fmt: skip
"""Places of the features."""

FEWEST_PAYMENTS = 3
"""Payments from which on their days of the month say anything."""

FEWEST_CONTACTS = 3
"""Contacts from which on it says something that no claim was ever paid."""

PAID = -1.0
"""Stands for days without payment since the last answer where there was a payment."""


@njit(cache=True, nogil=True)
def raise_to_highest(matrix: npt.NDArray[np.floating], debtor: IntArray, place: IntArray, found: FloatArray) -> None:
    """Raise IN/OUT `found` (n, f), NaN at first, to the highest value in each debtor's rows.

    Columns of `matrix` (m, F) at `place` (f,), those that are negative left out; whose each row is, `debtor` (m,).
    """
    for row in range(len(debtor)):
        mine = found[debtor[row]]
        for number in range(len(place)):
            if place[number] >= 0:
                value = matrix[row, place[number]]
                if value > mine[number] or np.isnan(mine[number]):
                    mine[number] = value


@njit(cache=True, nogil=True, error_model="numpy")
def _paying(seen: FloatArray, value: FloatArray) -> None:
    """How what was owed came to be paid: indicators 0 to 4 of one debtor, OUT `value` (k,)."""
    paid, payments, contacts = seen[CLAIMS_PAID], seen[PAYMENTS_EVER], seen[CONTACTS_EVER]
    value[0] = seen[PAID_CLAIM_DAYS]
    value[1] = paid / (paid + seen[CLAIMS_UNPAID])
    if paid > 0 or contacts >= FEWEST_CONTACTS:
        value[2] = contacts / paid
    if payments > 0:
        parts = payments - paid
        value[3] = 0.0 if parts < 0 else parts
    if payments >= FEWEST_PAYMENTS:
        value[4] = seen[PAY_DAY_SHARE] if seen[PAY_DAY_LEARNED] > 0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _promising(seen: FloatArray, value: FloatArray) -> None:
    """What came of answers and promises: indicators 5 to 7 of one debtor, OUT `value` (k,)."""
    kept, answered = seen[PROMISES_KEPT], seen[SINCE_RESPONSE]
    made = kept + seen[PROMISES_BROKEN]
    if not np.isnan(answered):
        value[5] = made + (0.0 if np.isnan(seen[PROMISE_DUE_DAYS]) else 1.0)
    value[6] = kept / made
    value[7] = PAID if seen[SINCE_PAYMENT] <= answered else answered


@njit(cache=True, nogil=True)
def _standing(seen: FloatArray, value: FloatArray) -> None:
    """How the debtor stands now, plans, disputes, complaints, means, open claims: indicators 8 to 13, OUT `value` (k,)."""
    value[8] = 2.0 if seen[PLANS_BROKEN] > 0 else 1.0 if seen[PLAN_CLAIMS] > 1 else seen[PLAN_CLAIMS]
    opened, now = seen[DISPUTES], seen[DISPUTED_CLAIMS]
    value[9] = now if now > opened or np.isnan(opened) else opened
    if seen[CONTACTS_EVER] > 0:
        value[10] = seen[COMPLAINED] + seen[OPTED_OUT]
    value[11] = seen[OTHER_DEBTS]
    value[12] = seen[INCOME_BAND]
    value[13] = seen[OPEN_CLAIMS]


@njit(cache=True, nogil=True)
def read_indicators(seen: FloatArray, values: FloatArray) -> None:
    """Each indicator's value of each debtor from `seen` (n, f); OUT `values` (n, k), NaN at first, and where it was not seen."""
    for i in range(len(seen)):
        _paying(seen[i], values[i])
        _promising(seen[i], values[i])
        _standing(seen[i], values[i])


@njit(cache=True, nogil=True)
def levels_of(seen: FloatArray, cuts: FloatArray, most: IntArray) -> LevelArray:
    """Level of each indicator, (n, k): 0 where it was not seen, 1 up to the first of its `cuts` (k, c), at most `most` (k,)."""
    values, level = np.full((len(seen), len(most)), np.nan), np.zeros((len(seen), len(most)), np.int8)
    read_indicators(seen, values)
    for i in range(len(seen)):
        for one in range(len(most)):
            if not np.isnan(values[i, one]):
                reached = 1
                for cut in cuts[one]:
                    reached += cut < values[i, one]
                level[i, one] = min(reached, most[one])
    return level


@njit(cache=True, nogil=True)
def log_chances(level: LevelArray, share: FloatArray, evidence: FloatArray) -> FloatArray:
    """Logarithm of each segment's chance, the likeliest at 0, (n, s), from levels (n, k); of shares (s,) and levels (k, 1 + levels, s)."""
    found = np.empty((len(level), len(share)))
    for i in range(len(level)):
        found[i] = share
        for one in range(level.shape[1]):
            for segment in range(len(share)):
                found[i, segment] += evidence[one, level[i, one], segment]
        found[i] -= found[i].max()
    return found


@njit(cache=True, nogil=True)
def enough_seen(level: LevelArray, own: BoolArray, least: int) -> BoolArray:
    """Debtors of whom at least so many of their `own` indicators (k,) were seen, (n,), from levels (n, k)."""
    found = np.empty(len(level), np.bool_)
    for i in range(len(level)):
        count = 0
        for one in range(len(own)):
            count += own[one] and level[i, one] > 0
        found[i] = count >= least
    return found


@njit(cache=True, nogil=True)
def likeliest(chance: FloatArray, enough: BoolArray, sure: float) -> IntArray:
    """The likeliest of s segments, the first of equal ones, s itself below a chance of `sure` and where not enough was seen, (n,)."""
    found = np.full(len(chance), chance.shape[1])
    for i in range(len(chance)):
        best = chance[i].argmax()
        if enough[i] and chance[i, best] >= sure:
            found[i] = best
    return found
