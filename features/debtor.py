"""Features of a debtor at a moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.calendar import days_since_pay_day
from data.times import DAY_US, NO_DAY, IntArray
from data.vocabulary import DAYPARTS
from features import _kernels as kernels
from features.columns import BoolArray, CodeArray, FloatArray, TextArray
from features.histories import Histories
from features.reference import PRIOR_CONTACTS, PRIOR_PARTS, Reference, code_of

Columns = dict[str, FloatArray]

LEAST_PAYMENTS = 3
"""Payments near one day of the month before that day is taken for the pay day."""


def debtor_columns(histories: Histories, debtor: IntArray, *, as_of_us: IntArray, reference: Reference) -> Columns:
    """Features of each (debtor, moment), one float array of shape (d,) per name; outstanding sums are added by the pipeline."""
    return {
        **_person(histories, debtor, as_of_us, reference),
        **_claims(histories, debtor, as_of_us),
        **_contacts(histories, debtor, as_of_us, reference),
        **_payments(histories, debtor, as_of_us, reference),
    }


def since_days(as_of_us: IntArray, then_us: IntArray) -> FloatArray:
    """Days since an instant, NaN where `then_us` is 0 (never), shape as given."""
    days: FloatArray = np.where(then_us > 0, (as_of_us - then_us) / DAY_US, np.nan)
    return days


def pay_day(histories: Histories, debtor: IntArray, *, as_of_us: IntArray) -> CodeArray:
    """Learned day of the month on which a debtor pays, -1 where it is not known yet, shape (d,)."""
    return kernels.learned_pay_day(_paid(histories, debtor, as_of_us)["by_day"], least=LEAST_PAYMENTS)


def _person(histories: Histories, debtor: IntArray, as_of_us: IntArray, reference: Reference) -> Columns:
    profiles, points = histories.profiles, histories.points
    row = np.full(len(debtor), -1, dtype=np.int64)
    kernels.last_begun(debtor, as_of_us, profiles.start, profiles.valid_from_us, row)
    profile = {
        "income_band": _picked(profiles.income, row),
        "employment": _picked(profiles.employment, row),
        "other_debts": _picked(profiles.other_debts, row),
    }
    usable = np.zeros((len(debtor), len(histories.channels)), dtype=np.bool_)
    kernels.usable_points(
        debtor,
        as_of_us,
        points.start,
        points.channel,
        np.maximum(points.valid_from_us, points.verified_us),
        points.valid_to_us,
        points.verified,
        points.withdrawn,
        usable,
    )
    reach = {
        f"reachable_{name}": usable[:, code].astype(np.float64) for code, name in enumerate(histories.channels) if code
    }
    birth = histories.birth_day[debtor]
    age = np.where(birth == NO_DAY, np.nan, (as_of_us / DAY_US - birth) / 365.25)
    return {
        "country": code_of(histories.country, reference.countries)[debtor],
        "age": np.floor(age),
        "known_days": since_days(as_of_us, histories.registered_us[debtor]),
        **profile,
        **reach,
    }


def _picked(values: CodeArray | FloatArray, row: IntArray) -> FloatArray:
    """Values at rows, NaN for row -1 and for code -1."""
    if not len(values):
        return np.full(len(row), np.nan)
    found = values[row].astype(np.float64)
    return np.where((row < 0) | (found < 0), np.nan, found)


def _claims(histories: Histories, debtor: IntArray, as_of_us: IntArray) -> Columns:
    claims = histories.claims
    is_open, paid, unpaid, last_365 = (np.zeros(len(debtor), dtype=np.int64) for _ in range(4))
    kernels.walk_claims(
        debtor,
        as_of_us,
        claims.start,
        claims.registered_us,
        claims.closed_us,
        claims.closed_paid,
        is_open,
        paid,
        unpaid,
        last_365,
    )
    counts = {"open_claims": is_open, "claims_paid": paid, "claims_unpaid": unpaid, "claims_365": last_365}
    return {name: count.astype(np.float64) for name, count in counts.items()}


def made_contacts(histories: Histories, debtor: IntArray, *, as_of_us: IntArray) -> dict[str, IntArray]:
    """Contacts made before each moment: `made` (d, C), `by_part` (d, 3), `last_30`, `last_90`, `last_us`, `last_channel` (d,)."""
    contacts, shape = histories.contacts, (len(debtor), len(histories.channels))
    out = {name: np.zeros(len(debtor), dtype=np.int64) for name in ("last_30", "last_90", "last_us", "last_channel")}
    made = np.zeros(shape, dtype=np.int64)
    by_part = np.zeros((len(debtor), len(DAYPARTS)), dtype=np.int64)
    kernels.walk_contacts(
        debtor,
        as_of_us,
        contacts.start,
        contacts.decided_us,
        contacts.known_us,
        contacts.channel,
        contacts.hour,
        made,
        by_part,
        out["last_30"],
        out["last_90"],
        out["last_us"],
        out["last_channel"],
    )
    return {"made": made, "by_part": by_part, **out}


@dataclass(frozen=True)
class Responses:
    """What contacts met with.

    `reached`, `responded` count contacts by channel (d, C), `reached_by_part` by the part of the day of sending (d, 3),
    `by_part` responses by the part of the day they came in (d, 3); `opted_out`, `wrong_person` are (d, C); `last_us` is
    the last response (d,), 0 where there was none.
    """

    reached: IntArray
    responded: IntArray
    reached_by_part: IntArray
    by_part: IntArray
    opted_out: BoolArray
    wrong_person: BoolArray
    last_us: IntArray


def contact_responses(histories: Histories, debtor: IntArray, *, as_of_us: IntArray) -> Responses:
    """Responses before each moment."""
    events, shape = histories.contact_events, (len(debtor), len(histories.channels))
    reached, responded = (np.zeros(shape, dtype=np.int64) for _ in range(2))
    opted_out, wrong_person = (np.zeros(shape, dtype=np.bool_) for _ in range(2))
    reached_by_part, by_part = (np.zeros((len(debtor), len(DAYPARTS)), dtype=np.int64) for _ in range(2))
    last_us = np.zeros(len(debtor), dtype=np.int64)
    kernels.walk_contact_events(
        debtor,
        as_of_us,
        events.start,
        events.at_us,
        events.known_us,
        events.kind,
        events.channel,
        events.hour,
        events.sent_hour,
        events.first,
        events.first_reach,
        reached,
        responded,
        reached_by_part,
        by_part,
        opted_out,
        wrong_person,
        last_us,
    )
    return Responses(reached, responded, reached_by_part, by_part, opted_out, wrong_person, last_us)


def promises(histories: Histories, debtor: IntArray, *, as_of_us: IntArray) -> dict[str, IntArray]:
    """Promises before each moment, shape (d,): kept, broken, and the end of the latest not yet due (0 without)."""
    events, payments = histories.contact_events, histories.payments
    out = {name: np.zeros(len(debtor), dtype=np.int64) for name in ("kept", "broken", "open_until")}
    kernels.walk_promises(
        debtor,
        as_of_us,
        events.start,
        events.at_us,
        events.known_us,
        events.kind,
        events.promised_us,
        payments.start,
        payments.paid_us,
        payments.known_us,
        payments.reversed_us,
        out["kept"],
        out["broken"],
        out["open_until"],
    )
    return out


def _contacts(histories: Histories, debtor: IntArray, as_of_us: IntArray, reference: Reference) -> Columns:
    made = made_contacts(histories, debtor, as_of_us=as_of_us)
    seen = contact_responses(histories, debtor, as_of_us=as_of_us)
    kept = promises(histories, debtor, as_of_us=as_of_us)
    columns: Columns = {
        "contacts_30": made["last_30"].astype(np.float64),
        "contacts_90": made["last_90"].astype(np.float64),
        "since_contact": since_days(as_of_us, made["last_us"]),
        "last_channel": np.where(made["last_channel"] > 0, made["last_channel"], np.nan),
        "since_response": since_days(as_of_us, seen.last_us),
        "promises_kept": kept["kept"].astype(np.float64),
        "promises_broken": kept["broken"].astype(np.float64),
    }
    for code, name in enumerate(histories.channels):
        if code:
            sent = made["made"][:, code].astype(np.float64)
            columns[f"contacts_{name}"] = sent
            columns[f"reach_rate_{name}"] = _shrunk(
                seen.reached[:, code], sent, reference.reach_rate[code], PRIOR_CONTACTS
            )
            columns[f"response_rate_{name}"] = _shrunk(
                seen.responded[:, code], sent, reference.response_rate[code], PRIOR_CONTACTS
            )
    for k, part in enumerate(DAYPARTS):
        sent = made["by_part"][:, k].astype(np.float64)
        usual = reference.reach_part[k]
        columns[f"reach_rate_{part}"] = _shrunk(seen.reached_by_part[:, k], sent, usual, PRIOR_CONTACTS)
    return columns | _shares("responses", seen.by_part, reference.response_part)


def _shrunk(count: IntArray, total: FloatArray, usual: float, weight: float) -> FloatArray:
    rate: FloatArray = (count + weight * usual) / (total + weight)
    return rate


def _shares(name: str, by_part: IntArray, usual: tuple[float, ...]) -> Columns:
    total = by_part.sum(axis=1).astype(np.float64)
    return {f"{name}_{part}": _shrunk(by_part[:, k], total, usual[k], PRIOR_PARTS) for k, part in enumerate(DAYPARTS)}


def _paid(histories: Histories, debtor: IntArray, as_of_us: IntArray) -> dict[str, IntArray]:
    payments = histories.payments
    out = {name: np.zeros(len(debtor), dtype=np.int64) for name in ("ever", "last_90", "last_365")}
    through = np.zeros((len(debtor), len(histories.channels)), dtype=np.int64)
    by_part = np.zeros((len(debtor), len(DAYPARTS)), dtype=np.int64)
    by_day = np.zeros((len(debtor), 32), dtype=np.int64)
    last_us = np.zeros(len(debtor), dtype=np.int64)
    kernels.walk_payments(
        debtor,
        as_of_us,
        payments.start,
        payments.paid_us,
        payments.known_us,
        payments.reversed_us,
        payments.channel,
        payments.hour,
        payments.month_day,
        out["ever"],
        out["last_90"],
        out["last_365"],
        through,
        by_part,
        by_day,
        last_us,
    )
    return {**out, "through": through, "by_part": by_part, "by_day": by_day, "last_us": last_us}


def _payments(histories: Histories, debtor: IntArray, as_of_us: IntArray, reference: Reference) -> Columns:
    paid = _paid(histories, debtor, as_of_us)
    learned = kernels.learned_pay_day(paid["by_day"], least=LEAST_PAYMENTS)
    columns: Columns = {
        "payments_ever": paid["ever"].astype(np.float64),
        "payments_90": paid["last_90"].astype(np.float64),
        "payments_365": paid["last_365"].astype(np.float64),
        "since_payment": since_days(as_of_us, paid["last_us"]),
        "since_pay_day": since_pay_day(histories.country[debtor], as_of_us // DAY_US, learned=learned),
        "pay_day_learned": (learned > 0).astype(np.float64),
    }
    for code, name in enumerate(histories.channels):
        if code:
            columns[f"paid_through_{name}"] = paid["through"][:, code].astype(np.float64)
    return columns | _shares("payments", paid["by_part"], reference.payment_part)


def since_pay_day(country: TextArray, day: IntArray, *, learned: CodeArray) -> FloatArray:
    """Days since the last pay day, by learned day of the month or the country's habit; all three of shape (n,)."""
    since = np.zeros(len(day), dtype=np.float64)
    for name in dict.fromkeys(country.tolist()):
        here = np.flatnonzero(country == name)
        since[here] = days_since_pay_day(name, day[here], day_of_month=learned[here].astype(np.int64))
    return since
