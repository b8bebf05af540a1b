"""What was paid after a decision: unreversed payments within a horizon, and whether that horizon is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.config import MoneySettings
from data.stretches import rows_of
from data.times import DAY_US, NEVER, IntArray

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
ArrowColumn: TypeAlias = pa.Array | pa.ChunkedArray


@dataclass(frozen=True)
class Payments:
    """Payments in any order, one entry each, shape (p,).

    Attributes
    ----------
    claim_row
        Row of the payment's claim in the caller's list of claims, -1 where it is not in it.
    paid_us, known_us, reversed_us
        When it was made, when the collection system came to know of it, and when it was taken back (`NEVER` if it
        was not), microseconds UTC.
    amount
        In the payment's own currency.
    amount_eur
        The same in EUR, at the rate of the day of payment.
    """

    claim_row: IntArray
    paid_us: IntArray
    known_us: IntArray
    reversed_us: IntArray
    amount: FloatArray
    amount_eur: FloatArray


class Outcome(NamedTuple):
    """What came of decisions, shape (n,) each: any payment, EUR paid, and whether the horizon is over.

    Where `mature` is False the decision is censored: `paid` and `amount_eur` are what is known so far, and an absent
    payment is no negative.
    """

    paid: BoolArray
    amount_eur: FloatArray
    mature: BoolArray


class Waits(NamedTuple):
    """Days from decisions to the first payment, shape (n,) each.

    `paid_days` is infinite where none is known; `followed_days` is for how long the decision has been looked at: without
    a payment it is censored there, and negative where it was made later.
    """

    paid_days: FloatArray
    followed_days: FloatArray


class Pairs(NamedTuple):
    """Which payment falls into the horizon of which decision, one entry per pair, sorted by decision."""

    decision: IntArray
    payment: IntArray


def payments_of(payments: pa.Table, claim_id: ArrowColumn, *, rates: MoneySettings) -> Payments:
    """The contract's `payments` table as arrays, its claims as rows of `claim_id`.

    Raises
    ------
    MissingRate
        A currency has no exchange rate on a day on which something was paid in it.
    """
    values = claim_id.combine_chunks() if isinstance(claim_id, pa.ChunkedArray) else claim_id
    row = pc.fill_null(pc.index_in(payments["claim_id"], value_set=values.cast(pa.string())), -1)
    paid_us = instants_us(payments["paid_at"])
    known_us = instants_us(pc.coalesce(payments["known_at"], payments["paid_at"]))
    amount = payments["amount"].cast(pa.float64()).to_numpy()
    rate = eur_rates(payments["currency"], paid_us // DAY_US, rates=rates)
    reversed_us = instants_us(payments["reversed_at"])
    return Payments(row.to_numpy().astype(np.int64), paid_us, known_us, reversed_us, amount, amount * rate)


def instants_us(times: ArrowColumn) -> IntArray:
    """Microseconds UTC of a column of instants, `NEVER` where null, shape (n,)."""
    whole: IntArray = pc.fill_null(pc.cast(times, pa.int64()), NEVER).to_numpy()
    return whole


def eur_rates(currency: ArrowColumn, day: IntArray, *, rates: MoneySettings) -> FloatArray:
    """EUR for one unit of each row's currency on each row's day (days since the epoch), shape (n,).

    Raises
    ------
    MissingRate
        A currency has no exchange rate on one of its days.
    """
    coded = pc.dictionary_encode(currency)
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    names, code = coded.dictionary.to_pylist(), coded.indices.to_numpy()
    found = np.zeros(len(day))
    for index, name in enumerate(names):
        here = np.flatnonzero(code == index)
        days, inverse = np.unique(day[here], return_inverse=True)
        found[here] = np.array([rates.on(name, int(one)).amount for one in days])[inverse]
    return found


def paid_pairs(
    decided_at_us: IntArray,
    claim_row: IntArray,
    *,
    payments: Payments,
    horizon_days: float,
    known_until_us: int,
) -> Pairs:
    """Pairs of a decision on a claim and an unreversed payment on that claim within its horizon.

    A payment counts from the instant of the decision on (it included) to the end of the horizon (not included), if
    the collection system knew of it by `known_until_us` and had not seen it reversed by then. A payment in the
    horizons of several decisions stands in several pairs: who adds up over decisions takes each payment once.

    Parameters
    ----------
    decided_at_us, claim_row
        Instant and claim of each decision, shape (n,); claim -1 pairs with nothing.
    """
    counts = (payments.claim_row >= 0) & (payments.known_us <= known_until_us) & (payments.paid_us <= known_until_us)
    chosen = np.flatnonzero(counts & (payments.reversed_us > known_until_us))
    times, rank = np.unique(payments.paid_us[chosen], return_inverse=True)
    step = len(times) + 1  # composite keys claim * step + rank of the time: one search for both
    key = payments.claim_row[chosen] * step + rank
    order = np.argsort(key, kind="stable")
    end_us = decided_at_us + round(horizon_days * DAY_US)
    first = np.searchsorted(key[order], claim_row * step + np.searchsorted(times, decided_at_us), side="left")
    last = np.searchsorted(key[order], claim_row * step + np.searchsorted(times, end_us), side="left")
    decision, place = rows_of(first, last)
    return Pairs(decision, chosen[order[place]])


def paid_within(
    decided_at_us: IntArray,
    claim_row: IntArray,
    *,
    payments: Payments,
    horizon_days: float,
    known_until_us: int,
) -> Outcome:
    """What was paid on each decision's claim within the horizon, as known at `known_until_us`.

    Which payments count: see `paid_pairs`. `mature` is True where the whole horizon lies before `known_until_us`.

    Parameters
    ----------
    decided_at_us, claim_row
        Instant and claim of each decision, shape (n,).

    Examples
    --------
    Two payments of 10 and 5 EUR on one claim, on day 1 and on day 20; the data end on day 25:

    >>> day = np.array([1, 20]) * DAY_US
    >>> never = np.full(2, NEVER)
    >>> money = np.array([10.0, 5.0])
    >>> payments = Payments(np.zeros(2, np.int64), day, day, never, money, money)
    >>> decided = np.array([0, 15]) * DAY_US
    >>> rows = np.zeros(2, np.int64)
    >>> found = paid_within(decided, rows, payments=payments, horizon_days=14, known_until_us=25 * DAY_US)
    >>> found.amount_eur.tolist(), found.mature.tolist()
    ([10.0, 5.0], [True, False])
    """
    pairs = paid_pairs(
        decided_at_us, claim_row, payments=payments, horizon_days=horizon_days, known_until_us=known_until_us
    )
    size = len(decided_at_us)
    amount_eur = np.bincount(pairs.decision, weights=payments.amount_eur[pairs.payment], minlength=size)
    paid = np.bincount(pairs.decision, minlength=size) > 0
    mature = decided_at_us + round(horizon_days * DAY_US) <= known_until_us
    return Outcome(paid, amount_eur.astype(np.float64), mature)


def first_payments(
    decided_at_us: IntArray,
    claim_row: IntArray,
    *,
    payments: Payments,
    known_until_us: int,
    longest_days: float = 90.0,
) -> Waits:
    """Days to the first payment on each decision's claim, and for how many days it has been followed.

    Which payments count: see `paid_pairs`; one after `longest_days` is not looked for, and decisions older than that have
    been followed for as long.

    Examples
    --------
    Paid on day 20, looked at on day 25:

    >>> day, money = np.array([20]) * DAY_US, np.array([10.0])
    >>> payments = Payments(np.zeros(1, np.int64), day, day, np.full(1, NEVER), money, money)
    >>> decided = np.array([0, 15, 22]) * DAY_US
    >>> found = first_payments(decided, np.zeros(3, np.int64), payments=payments, known_until_us=25 * DAY_US)
    >>> found.paid_days.tolist(), found.followed_days.tolist()
    ([20.0, 5.0, inf], [25.0, 10.0, 3.0])
    """
    pairs = paid_pairs(
        decided_at_us, claim_row, payments=payments, horizon_days=longest_days, known_until_us=known_until_us
    )
    paid_days = np.full(len(decided_at_us), np.inf)
    waited = (payments.paid_us[pairs.payment] - decided_at_us[pairs.decision]) / DAY_US
    np.minimum.at(paid_days, pairs.decision, waited)
    return Waits(paid_days, np.minimum((known_until_us - decided_at_us) / DAY_US, longest_days))
