"""Features of a debtor at a moment: counts from the kernels as the columns of the catalogue, one loop for each group of them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from data.times import DAY_US, NO_DAY, DayArray, IntArray
from data.vocabulary import NONE
from features._claim_kernels import ClaimCounts
from features._columns_kernels import (
    days_between,
    days_until,
    known_above,
    mean_of,
    shrunk,
    since_days,
)
from features._contact_kernels import ContactCounts, count_contacts, no_contacts
from features._payment_kernels import PaymentCounts, count_payments, no_payments
from features._person_kernels import last_profile, usable_points
from features.columns import BoolArray, FloatArray
from features.hours import log_over_usual
from features.pay_days import from_pay_days
from features.places import DebtorPlaces, debtor_places
from features.reference import LEAST_PAYMENTS, PRIOR_CONTACTS, PRIOR_HOURS, PRIOR_PARTS, Reference, Usual, code_of
from features.tables import Histories

Matrix = npt.NDArray[np.float32]


class Moments(NamedTuple):
    """Debtors at moments, both (d,), and what a unit of currency k was worth in EUR: `eur[rate_row[i], k]`."""

    debtor: IntArray
    as_of_us: IntArray
    eur: FloatArray
    rate_row: IntArray


class DebtorState(NamedTuple):
    """What rules and values look at, (d,) or by channel (d, C); instants are 0 where nothing happened.

    `promised_until_us` is the end of the latest promise not yet due; `pay_day` the learned day of the month or -1.
    """

    contacts: IntArray
    last_contact_us: IntArray
    opted_out: BoolArray
    wrong_person: BoolArray
    promised_until_us: IntArray
    pay_day: IntArray


class Person(NamedTuple):
    """What is known of each person at a moment, shape (d,): profile (d, 3), usable addresses by channel (d, C)."""

    country: FloatArray
    birth_day: DayArray
    registered_us: IntArray
    profile: FloatArray
    profile_us: IntArray
    usable: BoolArray


class Rates(NamedTuple):
    """Numbers of a reference that single columns are held against."""

    paid_claims: float
    self_paid: float


def fill_debtors(
    block: Matrix, histories: Histories, moments: Moments, *, claims: ClaimCounts, reference: Reference
) -> DebtorState:
    """Write every column of the debtor's side for each moment, and give what rules look at.

    Parameters
    ----------
    block
        Matrix with any content, shape (d, F).
    claims
        The debtors' claims at the same moments.
    """
    debtor, as_of_us = moments.debtor, moments.as_of_us
    horizon_us, channels = reference.horizon_days * DAY_US, len(histories.channels)
    met, paid = no_contacts(len(debtor), channels), no_payments(len(debtor), channels)
    count_contacts(debtor, as_of_us, horizon_us, histories.contacts, histories.contact_events, histories.payments, met)
    count_payments(
        debtor, as_of_us, moments.eur, moments.rate_row, horizon_us, LEAST_PAYMENTS, histories.payments,
        histories.contacts, paid,
    )  # fmt: skip
    at, person = debtor_places(histories.channels), _person(histories, debtor, as_of_us, reference)
    pay_days = from_pay_days(
        histories.countries, histories.country[debtor], day=as_of_us // DAY_US, learned=paid.pay_day
    )  # fmt: skip
    sector = code_of(histories.sectors, reference.sectors, claims.main_sector)
    rates = Rates(reference.paid_claims_rate, reference.self_paid_rate)
    state = DebtorState(
        np.zeros(len(debtor), dtype=np.int64), np.zeros(len(debtor), dtype=np.int64), met.opted_out_of, met.wrong_person_on,
        met.open_until_us, paid.pay_day,
    )  # fmt: skip
    _write(
        block, at, as_of_us, person, digital(histories.channels), claims, sector, met, paid, pay_days, reference.usual, rates,
        state.contacts, state.last_contact_us,
    )  # fmt: skip
    near = log_over_usual(paid.at_hour, reference.payment_hour, weight=PRIOR_HOURS)
    block[:, at.paid_near_hour : at.paid_near_hour + near.shape[1]] = near
    return state


def _person(histories: Histories, debtor: IntArray, as_of_us: IntArray, reference: Reference) -> Person:
    profile, since_us = np.full((len(debtor), 3), np.nan), np.zeros(len(debtor), dtype=np.int64)
    usable = np.zeros((len(debtor), len(histories.channels)), dtype=np.bool_)
    last_profile(debtor, as_of_us, histories.profiles, profile, since_us)
    usable_points(debtor, as_of_us, histories.points, usable)
    country = code_of(histories.countries, reference.countries, histories.country[debtor])
    return Person(country, histories.birth_day[debtor], histories.registered_us[debtor], profile, since_us, usable)


@lru_cache(maxsize=64)
def digital(channels: tuple[str, ...]) -> IntArray:
    """1 for each channel of a grid that needs neither paper nor a voice, shape (C,).

    >>> digital(("none", "sms", "letter")).tolist()
    [0, 1, 0]
    """
    return np.array([int(name not in (NONE, "letter", "phone")) for name in channels])


@njit(cache=True, nogil=True)
def _write(
    out: Matrix,
    at: DebtorPlaces,
    as_of: IntArray,
    person: Person,
    is_digital: IntArray,
    claims: ClaimCounts,
    main_sector: FloatArray,
    met: ContactCounts,
    paid: PaymentCounts,
    pay_days: npt.NDArray[np.int16],
    usual: Usual,
    rates: Rates,
    contacts: IntArray,
    last_contact_us: IntArray,
) -> None:
    """Fill every column but those near each hour; OUT also `contacts` and `last_contact_us` (d,)."""
    _write_person(out, at, as_of, person, is_digital)
    _write_claims(out, at, as_of, claims, main_sector, rates.paid_claims)
    _write_contacts(out, at, as_of, met, contacts, last_contact_us)
    _write_responses(out, at, as_of, met, usual)
    _write_promises(out, at, as_of, met)
    _write_times(out, at, met, paid, usual)
    _write_payments(out, at, as_of, paid, pay_days, rates.self_paid)


@njit(cache=True, nogil=True)
def _write_person(out: Matrix, at: DebtorPlaces, as_of: IntArray, person: Person, is_digital: IntArray) -> None:
    for i in range(len(as_of)):
        now, born = as_of[i], person.birth_day[i]
        out[i, at.country] = person.country[i]
        out[i, at.age] = np.nan if born == NO_DAY else np.floor((now / DAY_US - born) / 365.25)
        out[i, at.known_days] = since_days(now, person.registered_us[i])
        out[i, at.income_band] = person.profile[i, 0]
        out[i, at.employment] = person.profile[i, 1]
        out[i, at.other_debts] = person.profile[i, 2]
        out[i, at.profile_days] = since_days(now, person.profile_us[i])
        reach = 0
        for c in range(1, len(is_digital)):
            out[i, at.reachable_channel + c - 1] = person.usable[i, c]
            reach += person.usable[i, c] * is_digital[c]
        out[i, at.digital_reach] = reach


@njit(cache=True, nogil=True)
def _write_claims(
    out: Matrix, at: DebtorPlaces, as_of: IntArray, claims: ClaimCounts, main_sector: FloatArray, usual_paid: float
) -> None:
    for i in range(len(as_of)):
        now, today, paid = as_of[i], as_of[i] // DAY_US, claims.paid[i]
        out[i, at.open_claims] = claims.open[i]
        out[i, at.claims_paid] = paid
        out[i, at.claims_unpaid] = claims.unpaid[i]
        for w in range(claims.registered.shape[1]):
            out[i, at.claims_window + w] = claims.registered[i, w]
        out[i, at.paid_claims_rate] = shrunk(paid, paid + claims.unpaid[i], usual_paid, PRIOR_CONTACTS)
        out[i, at.paid_claim_days] = mean_of(claims.paid_days[i], paid)
        out[i, at.since_claim] = since_days(now, claims.last_us[i])
        out[i, at.oldest_due_days] = days_between(today, claims.due_day[i], NO_DAY)
        out[i, at.open_sectors] = claims.open_sectors[i]
        out[i, at.main_sector] = main_sector[i]
        out[i, at.outstanding_all_log] = np.log1p(claims.total_eur[i])
        out[i, at.largest_open_log] = np.log1p(claims.largest_eur[i])
        out[i, at.disputed_claims] = claims.disputed[i]
        out[i, at.held_claims] = claims.held[i]
        out[i, at.plan_claims] = claims.on_plan[i]
        out[i, at.highest_stage] = known_above(claims.stage[i], 0)
        out[i, at.soonest_due_days] = days_between(claims.next_due_day[i], today, NO_DAY)


@njit(cache=True, nogil=True)
def _write_contacts(
    out: Matrix, at: DebtorPlaces, as_of: IntArray, met: ContactCounts, contacts: IntArray, last_contact_us: IntArray
) -> None:
    channels, windows = met.sent.shape[1:3]
    for i in range(len(as_of)):
        now, last_us = as_of[i], 0
        out[i, at.last_channel] = known_above(met.last_channel[i], 1)
        for w in range(windows):
            total = 0
            for c in range(1, channels):
                out[i, at.sent_channel_window + (c - 1) * windows + w] = met.sent[i, c, w]
                total += met.sent[i, c, w]
            out[i, at.none_decisions_window + w] = met.sent[i, 0, w]
            out[i, at.contacts_window + w] = total
            contacts[i] = total  # the last window is ever
        out[i, at.contacts_in_3_days] = met.last_days[i, 0]
        out[i, at.contacts_in_7_days] = met.last_days[i, 1]
        out[i, at.contacts_in_14_days] = met.last_days[i, 2]
        for c in range(1, channels):
            out[i, at.since_contact_channel + c - 1] = since_days(now, met.last_contact_us[i, c])
            last_us = max(last_us, met.last_contact_us[i, c])
        out[i, at.since_contact] = since_days(now, last_us)
        last_contact_us[i] = max(last_us, met.last_contact_us[i, 0])
        out[i, at.same_channel_run] = met.run[i]
        out[i, at.contacts_since_response] = met.since_response[i]
        out[i, at.contacts_since_payment] = met.since_payment[i]


@njit(cache=True, nogil=True)
def _write_responses(out: Matrix, at: DebtorPlaces, as_of: IntArray, met: ContactCounts, usual: Usual) -> None:
    measures, channels, windows = met.hits.shape[1:4]
    for i in range(len(as_of)):
        now, last_us, column = as_of[i], 0, at.measure_rate_channel_window
        for m in range(measures):
            for c in range(1, channels):
                for w in range(windows):
                    rate = shrunk(met.hits[i, m, c, w], met.sent[i, c, w], usual.measure[m, c - 1, 0], PRIOR_CONTACTS)
                    out[i, column] = rate
                    column += 1
        for c in range(1, channels):
            ever = met.sent[i, c, windows - 1]
            out[i, at.reach_rate_channel + c - 1] = shrunk(met.reached[i, c], ever, usual.reach[c - 1], PRIOR_CONTACTS)
            response = shrunk(met.responded[i, c], ever, usual.response[c - 1], PRIOR_CONTACTS)
            out[i, at.response_rate_channel + c - 1] = response
            out[i, at.since_response_channel + c - 1] = since_days(now, met.last_response_us[i, c])
            last_us = max(last_us, met.last_response_us[i, c])
        out[i, at.since_response] = since_days(now, last_us)
        for c in range(channels):
            for w in range(windows):
                rate = shrunk(met.paid_after[i, c, w], met.mature[i, c, w], usual.paid_after[c, 0], PRIOR_CONTACTS)
                out[i, at.paid_after_rate_decision_window + c * windows + w] = rate
        out[i, at.bounced] = met.refusals[i, 0]
        out[i, at.opted_out] = met.refusals[i, 1]
        out[i, at.complained] = met.refusals[i, 2]
        out[i, at.wrong_person] = met.refusals[i, 3]


@njit(cache=True, nogil=True)
def _write_promises(out: Matrix, at: DebtorPlaces, as_of: IntArray, met: ContactCounts) -> None:
    for i in range(len(as_of)):
        out[i, at.promises_kept] = met.kept[i]
        out[i, at.promises_broken] = met.broken[i]
        out[i, at.since_promise] = since_days(as_of[i], met.promise_us[i])
        out[i, at.promise_due_days] = days_until(as_of[i], met.open_until_us[i])
        out[i, at.unpaid_click_days] = since_days(as_of[i], 0 if met.paid_us[i] >= met.click_us[i] else met.click_us[i])


@njit(cache=True, nogil=True)
def _write_times(out: Matrix, at: DebtorPlaces, met: ContactCounts, paid: PaymentCounts, usual: Usual) -> None:
    _write_rates(out, at.reach_rate_part, met.reached_part, met.made_part, usual.reach_part)
    _write_rates(out, at.reach_rate_weekday, met.reached_weekday, met.made_weekday, usual.reach_weekday)
    _write_shares(out, at.responses_part, met.response_part, usual.response_part)
    _write_shares(out, at.responses_weekday, met.response_weekday, usual.response_weekday)
    _write_shares(out, at.payments_part, paid.part, usual.payment_part)
    _write_shares(out, at.payments_weekday, paid.weekday, usual.payment_weekday)
    for i in range(len(out)):
        out[i, at.response_hour] = mean_of(float(met.hours[i]), met.response_part[i].sum())
        out[i, at.payment_hour] = mean_of(float(paid.hours[i]), paid.payments[i, -1])


@njit(cache=True, nogil=True)
def _write_rates(out: Matrix, first: int, counts: IntArray, totals: IntArray, usual: FloatArray) -> None:
    for i in range(len(out)):
        for k in range(counts.shape[1]):
            out[i, first + k] = shrunk(counts[i, k], totals[i, k], usual[k], PRIOR_CONTACTS)


@njit(cache=True, nogil=True)
def _write_shares(out: Matrix, first: int, counts: IntArray, usual: FloatArray) -> None:
    for i in range(len(out)):
        total = counts[i].sum()
        for k in range(counts.shape[1]):
            out[i, first + k] = shrunk(counts[i, k], total, usual[k], PRIOR_PARTS)


@njit(cache=True, nogil=True)
def _write_payments(
    out: Matrix,
    at: DebtorPlaces,
    as_of: IntArray,
    paid: PaymentCounts,
    pay_days: npt.NDArray[np.int16],
    usual_self_paid: float,
) -> None:
    windows, channels = paid.payments.shape[1], paid.through.shape[1]
    for i in range(len(as_of)):
        ever, known = paid.payments[i, windows - 1], paid.pay_day[i] > 0
        for w in range(windows):
            out[i, at.payments_window + w] = paid.payments[i, w]
            out[i, at.paid_log_window + w] = np.log1p(paid.eur[i, w])
        for c in range(1, channels):
            out[i, at.paid_through_channel + c - 1] = paid.through[i, c]
        out[i, at.since_payment] = since_days(as_of[i], paid.last_us[i])
        out[i, at.payment_gap_days] = mean_of((paid.last_us[i] - paid.first_us[i]) / DAY_US, ever - 1)
        out[i, at.payments_reversed] = paid.reversed[i]
        out[i, at.self_paid_rate] = shrunk(paid.unprompted[i], ever, usual_self_paid, PRIOR_CONTACTS)
        out[i, at.since_pay_day] = pay_days[0, i]
        out[i, at.to_pay_day] = pay_days[1, i]
        out[i, at.pay_day_learned] = known
        out[i, at.pay_day_share] = mean_of(float(paid.near_pay_day[i]), ever if known else 0)
