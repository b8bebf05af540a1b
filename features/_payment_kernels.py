"""What was paid: loops over one debtor's time-sorted payments, and the contacts before them.

A payment counts at a moment when it had come, was known, and had not been reversed by then.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from data.times import DAY_US, IntArray
from data.vocabulary import DAYPARTS
from features.catalogue import HOURS, WEEKDAYS, WINDOW_DAYS, WINDOWS
from features.columns import FloatArray
from features.tables import Contacts, Payments

WINDOW_US = np.array([days * DAY_US for days in WINDOW_DAYS])
MONTH = 31


class PaymentCounts(NamedTuple):
    """What is known of each debtor's payments at its moment, d moments; instants are 0 without a payment.

    `payments`, `eur` by window (d, W); `through` by channel (d, C); `part` (d, 3), `weekday` (d, 7), `at_hour` (d, 24);
    `month_day` (d, 32), column 0 unused. `hours` sums local hours; `unprompted` counts payments with no contact in the horizon
    before. `pay_day` is the learned day of the month, -1 where it is not known, and `near_pay_day` the payments on it or the two
    days after.
    """

    payments: IntArray
    eur: FloatArray
    through: IntArray
    part: IntArray
    weekday: IntArray
    at_hour: IntArray
    month_day: IntArray
    hours: IntArray
    first_us: IntArray
    last_us: IntArray
    reversed: IntArray
    unprompted: IntArray
    pay_day: IntArray
    near_pay_day: IntArray


def no_payments(moments: int, channels: int) -> PaymentCounts:
    """Counts of nothing, to be filled by `count_payments`."""

    def zeros(*shape: int) -> IntArray:
        return np.zeros((moments, *shape), dtype=np.int64)

    return PaymentCounts._make(
        [zeros(len(WINDOWS)), np.zeros((moments, len(WINDOWS))), zeros(channels), zeros(len(DAYPARTS)), zeros(len(WEEKDAYS)),
        zeros(len(HOURS)), zeros(MONTH + 1), *(zeros() for _ in range(7))]
    )  # fmt: skip


@njit(cache=True, nogil=True)
def count_payments(
    debtor: IntArray,
    as_of: IntArray,
    eur: FloatArray,
    rate_row: IntArray,
    horizon_us: int,
    least: int,
    payments: Payments,
    contacts: Contacts,
    out: PaymentCounts,
) -> None:
    """Fill `out` (comes in as zeros) for each debtor at its moment, both of shape (d,).

    `eur[rate_row[i], k]` is EUR for a unit of currency k at moment i. A pay day is learned from `least` payments.
    """
    _count_paid(debtor, as_of, eur, rate_row, payments, out)
    _count_unprompted(debtor, as_of, horizon_us, payments, contacts, out)
    for i in range(len(debtor)):
        for w in range(1, out.payments.shape[1]):
            out.payments[i, w] += out.payments[i, w - 1]
            out.eur[i, w] += out.eur[i, w - 1]
        out.pay_day[i], out.near_pay_day[i] = learned_pay_day(out.month_day[i], least)


@njit(cache=True, nogil=True)
def _count_paid(
    debtor: IntArray, as_of: IntArray, eur: FloatArray, rate_row: IntArray, payments: Payments, out: PaymentCounts
) -> None:
    for i in range(len(debtor)):
        for p in range(payments.start[debtor[i]], payments.start[debtor[i] + 1]):
            age = as_of[i] - payments.paid_us[p]
            if age <= 0:
                break
            if payments.known_us[p] >= as_of[i]:
                continue
            if payments.reversed_us[p] < as_of[i]:
                out.reversed[i] += 1
                continue
            window = 0 if age <= WINDOW_US[0] else 1 if age <= WINDOW_US[1] else 2 if age <= WINDOW_US[2] else 3
            out.payments[i, window] += 1
            out.eur[i, window] += payments.amount[p] * eur[rate_row[i], payments.currency[p]]
            if payments.channel[p] > 0:
                out.through[i, payments.channel[p]] += 1
            out.part[i, payments.part[p]] += 1
            out.weekday[i, payments.weekday[p]] += 1
            out.at_hour[i, payments.hour[p]] += 1
            out.month_day[i, payments.month_day[p]] += 1
            out.hours[i] += payments.hour[p]
            if out.first_us[i] == 0:
                out.first_us[i] = payments.paid_us[p]
            out.last_us[i] = payments.paid_us[p]


@njit(cache=True, nogil=True)
def _count_unprompted(
    debtor: IntArray, as_of: IntArray, horizon_us: int, payments: Payments, contacts: Contacts, out: PaymentCounts
) -> None:
    """Payments with no contact in the horizon before: payments and contacts both from the earliest to the latest."""
    for i in range(len(debtor)):
        c, contact_us = contacts.start[debtor[i]], 0
        for p in range(payments.start[debtor[i]], payments.start[debtor[i] + 1]):
            paid = payments.paid_us[p]
            if paid >= as_of[i]:
                break
            if payments.known_us[p] >= as_of[i] or payments.reversed_us[p] < as_of[i]:
                continue
            while c < contacts.start[debtor[i] + 1] and contacts.decided_us[c] <= paid:
                if contacts.channel[c] > 0 and contacts.known_us[c] < as_of[i]:
                    contact_us = contacts.decided_us[c]
                c += 1
            out.unprompted[i] += contact_us == 0 or contact_us <= paid - horizon_us


@njit(cache=True, nogil=True)
def learned_pay_day(by_day: IntArray, least: int) -> tuple[int, int]:
    """Day of the month on or within two days after which most payments fell, -1 with fewer than `least` there; and those.

    `by_day` counts payments by day of the month, shape (32,), entry 0 unused; the 31st is followed by the 1st.

    >>> counts = np.zeros(32, dtype=np.int64)
    >>> counts[[25, 26]] = 2
    >>> learned_pay_day(counts, 2)
    (25, 4)
    """
    best, weight, near = -1, -1, 0
    for day in range(1, MONTH + 1):
        around = by_day[day] + by_day[day % MONTH + 1] + by_day[(day + 1) % MONTH + 1]
        if around * 64 + by_day[day] > weight:
            best, weight, near = day, around * 64 + by_day[day], around
    return (best, near) if near >= least else (-1, near)
