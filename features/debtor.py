"""Features of a debtor at a moment: counts from the kernels as the columns of the catalogue."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data.times import DAY_US, NO_DAY, IntArray
from data.vocabulary import NONE
from features._claim_kernels import ClaimCounts
from features._columns_kernels import (
    days_between,
    days_until,
    known_above,
    log_of,
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
from features.reference import LEAST_PAYMENTS, PRIOR_CONTACTS, PRIOR_HOURS, PRIOR_PARTS, Reference, code_of
from features.tables import Histories

Columns = dict[str, npt.NDArray[np.float32]]
"""Columns by family name, views of one matrix: shape (d,), or (d, ...) with the family's axes."""


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


def fill_debtors(
    into: Columns, histories: Histories, moments: Moments, *, claims: ClaimCounts, reference: Reference
) -> DebtorState:
    """Write every column of the debtor's side for each moment, and give what rules look at.

    Parameters
    ----------
    into
        Views that come in with any content, each of d rows.
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
    _fill_person(into, histories, debtor, as_of_us, reference)
    _fill_claims(into, histories, as_of_us, claims, reference)
    _fill_contacts(into, as_of_us, met)
    _fill_responses(into, as_of_us, met, reference)
    _fill_promises(into, as_of_us, met)
    _fill_times(into, met, paid, reference)
    _fill_payments(into, histories, debtor, as_of_us, paid, reference)
    return DebtorState(
        contacts=met.sent[:, 1:, -1].sum(axis=1),
        last_contact_us=met.last_contact_us.max(axis=1),
        opted_out=met.opted_out_of,
        wrong_person=met.wrong_person_on,
        promised_until_us=met.open_until_us,
        pay_day=paid.pay_day,
    )


def _fill_person(
    into: Columns, histories: Histories, debtor: IntArray, as_of_us: IntArray, reference: Reference
) -> None:
    profile, since_us = np.full((len(debtor), 3), np.nan), np.zeros(len(debtor), dtype=np.int64)
    usable = np.zeros((len(debtor), len(histories.channels)), dtype=np.bool_)
    last_profile(debtor, as_of_us, histories.profiles, profile, since_us)
    usable_points(debtor, as_of_us, histories.points, usable)
    birth = histories.birth_day[debtor]
    age = np.floor((as_of_us / DAY_US - birth) / 365.25)
    into["country"][:] = code_of(histories.countries, reference.countries, histories.country[debtor])
    into["age"][:] = np.where(birth == NO_DAY, np.nan, age)
    into["known_days"][:] = since_days(as_of_us, histories.registered_us[debtor])
    for number, name in enumerate(("income_band", "employment", "other_debts")):
        into[name][:] = profile[:, number]
    into["profile_days"][:] = since_days(as_of_us, since_us)
    into["reachable_{channel}"][:] = usable[:, 1:]
    into["digital_reach"][:] = usable @ digital(histories.channels)


@lru_cache(maxsize=64)
def digital(channels: tuple[str, ...]) -> IntArray:
    """1 for each channel of a grid that needs neither paper nor a voice, shape (C,).

    >>> digital(("none", "sms", "letter")).tolist()
    [0, 1, 0]
    """
    return np.array([int(name not in (NONE, "letter", "phone")) for name in channels])


def _fill_claims(
    into: Columns, histories: Histories, as_of_us: IntArray, claims: ClaimCounts, reference: Reference
) -> None:
    today = as_of_us // DAY_US
    closed = claims.paid + claims.unpaid
    into["open_claims"][:] = claims.open
    into["claims_paid"][:] = claims.paid
    into["claims_unpaid"][:] = claims.unpaid
    into["claims_{window}"][:] = claims.registered
    into["paid_claims_rate"][:] = shrunk(claims.paid, closed, reference.paid_claims_rate, PRIOR_CONTACTS)
    into["paid_claim_days"][:] = mean_of(claims.paid_days, claims.paid)
    into["since_claim"][:] = since_days(as_of_us, claims.last_us)
    into["oldest_due_days"][:] = days_between(today, claims.due_day, NO_DAY)
    into["open_sectors"][:] = claims.open_sectors
    into["main_sector"][:] = code_of(histories.sectors, reference.sectors, claims.main_sector)
    into["outstanding_all_log"][:] = log_of(claims.total_eur)
    into["largest_open_log"][:] = log_of(claims.largest_eur)
    into["disputed_claims"][:] = claims.disputed
    into["held_claims"][:] = claims.held
    into["plan_claims"][:] = claims.on_plan
    into["highest_stage"][:] = known_above(claims.stage, 0)
    into["soonest_due_days"][:] = days_between(claims.next_due_day, today, NO_DAY)


def _fill_contacts(into: Columns, as_of_us: IntArray, met: ContactCounts) -> None:
    last_us = met.last_contact_us[:, 1:]
    into["last_channel"][:] = known_above(met.last_channel, 1)
    into["sent_{channel}_{window}"][:] = met.sent[:, 1:]
    into["none_decisions_{window}"][:] = met.sent[:, 0]
    into["contacts_{window}"][:] = met.sent[:, 1:].sum(axis=1)
    for number, days in enumerate((3, 7, 14)):
        into[f"contacts_in_{days}_days"][:] = met.last_days[:, number]
    into["since_contact"][:] = since_days(as_of_us, last_us.max(axis=1))
    into["since_contact_{channel}"][:] = since_days(as_of_us[:, None], last_us)
    into["same_channel_run"][:] = met.run
    into["contacts_since_response"][:] = met.since_response
    into["contacts_since_payment"][:] = met.since_payment


def _fill_responses(into: Columns, as_of_us: IntArray, met: ContactCounts, reference: Reference) -> None:
    sent, usual = met.sent[:, 1:], reference.usual
    ever, last_us = sent[..., -1], met.last_response_us[:, 1:]
    into["{measure}_rate_{channel}_{window}"][:] = shrunk(
        met.hits[:, :, 1:], sent[:, None], usual.measure, PRIOR_CONTACTS
    )
    into["reach_rate_{channel}"][:] = shrunk(met.reached[:, 1:], ever, usual.reach, PRIOR_CONTACTS)
    into["response_rate_{channel}"][:] = shrunk(met.responded[:, 1:], ever, usual.response, PRIOR_CONTACTS)
    into["paid_after_rate_{decision}_{window}"][:] = shrunk(
        met.paid_after, met.mature, usual.paid_after, PRIOR_CONTACTS
    )
    into["since_response"][:] = since_days(as_of_us, last_us.max(axis=1))
    into["since_response_{channel}"][:] = since_days(as_of_us[:, None], last_us)
    for number, name in enumerate(("bounced", "opted_out", "complained", "wrong_person")):
        into[name][:] = met.refusals[:, number]


def _fill_promises(into: Columns, as_of_us: IntArray, met: ContactCounts) -> None:
    into["promises_kept"][:] = met.kept
    into["promises_broken"][:] = met.broken
    into["since_promise"][:] = since_days(as_of_us, met.promise_us)
    into["promise_due_days"][:] = days_until(as_of_us, met.open_until_us)
    click_us = np.where(met.paid_us >= met.click_us, 0, met.click_us)
    into["unpaid_click_days"][:] = since_days(as_of_us, click_us)


def _fill_times(into: Columns, met: ContactCounts, paid: PaymentCounts, reference: Reference) -> None:
    usual = reference.usual
    into["reach_rate_{part}"][:] = shrunk(met.reached_part, met.made_part, usual.reach_part, PRIOR_CONTACTS)
    into["reach_rate_{weekday}"][:] = shrunk(met.reached_weekday, met.made_weekday, usual.reach_weekday, PRIOR_CONTACTS)
    into["responses_{part}"][:] = _shares(met.response_part, usual.response_part)
    into["responses_{weekday}"][:] = _shares(met.response_weekday, usual.response_weekday)
    into["response_hour"][:] = mean_of(met.hours, met.response_part.sum(axis=1))
    into["payments_{part}"][:] = _shares(paid.part, usual.payment_part)
    into["payments_{weekday}"][:] = _shares(paid.weekday, usual.payment_weekday)
    into["payment_hour"][:] = mean_of(paid.hours, paid.payments[:, -1])
    into["paid_near_{hour}"][:] = log_over_usual(paid.at_hour, reference.payment_hour, weight=PRIOR_HOURS)


def _fill_payments(
    into: Columns, histories: Histories, debtor: IntArray, as_of_us: IntArray, paid: PaymentCounts, reference: Reference
) -> None:
    ever, known = paid.payments[:, -1], paid.pay_day > 0
    since, to = from_pay_days(
        histories.countries, histories.country[debtor], day=as_of_us // DAY_US, learned=paid.pay_day
    )  # fmt: skip
    into["payments_{window}"][:] = paid.payments
    into["paid_log_{window}"][:] = log_of(paid.eur)
    into["paid_through_{channel}"][:] = paid.through[:, 1:]
    into["since_payment"][:] = since_days(as_of_us, paid.last_us)
    into["payment_gap_days"][:] = mean_of((paid.last_us - paid.first_us) / DAY_US, ever - 1)
    into["payments_reversed"][:] = paid.reversed
    into["self_paid_rate"][:] = shrunk(paid.unprompted, ever, reference.self_paid_rate, PRIOR_CONTACTS)
    into["since_pay_day"][:] = since
    into["to_pay_day"][:] = to
    into["pay_day_learned"][:] = known
    into["pay_day_share"][:] = mean_of(paid.near_pay_day, np.where(known, ever, 0))


def _shares(counts: IntArray, usual: FloatArray) -> npt.NDArray[np.float32]:
    shares: npt.NDArray[np.float32] = shrunk(counts, counts.sum(axis=1, keepdims=True), usual, PRIOR_PARTS)
    return shares
