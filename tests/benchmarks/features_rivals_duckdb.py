"""The features in DuckDB: one hand-written query, its repeated columns written out here.

What was tried for the expensive part, hits by measure, channel and window (9,294 debtors with open claims, CPU ms, one thread):
counting by (debtor, code) with the four windows packed in one sum and then `sum(case)` 41; one `sum(case)` a column over
packed windows 56; `max(...) filter` in place of `case` 53; a list or map of each debtor 33 without reading it; one `sum(case)` a
column and window 142; `count(*) filter`, the textbook's shape, 1,410. One query of the whole instead of statements: 1.2 s
instead of 0.85, of it 0.4 to 0.5 of planning, at every call: `prepare` saves nothing, `execute` plans again. Sorting and joining
310 columns to the claims in the database costs 0.17 s; Arrow's `take` 0.02. Literals have an exponent, so that they are doubles.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from features_layout import Moment

from data.times import DAY_US, NO_DAY
from data.vocabulary import CONTACT_EVENT_KINDS, DAYPARTS
from features.catalogue import MEASURES, WEEKDAYS, WINDOW_DAYS, WINDOWS
from features.debtor import digital
from features.reference import LEAST_PAYMENTS, PRIOR_CONTACTS, PRIOR_PARTS

SQL = Path(__file__).with_suffix(".sql")
FIELD = 15
LOW = (1 << FIELD) - 1
WINDOW_FIELDS = {"30": 3, "90": 2, "365": 1, "ever": 0}
MONTH = 31
RESPONSES = (MEASURES.index("clicked"), MEASURES.index("answered"))


def features(base: duckdb.DuckDBPyConnection, moment: Moment, *, only: str = "") -> pa.Table:
    """Every feature of every open claim of the debtors that `only` leaves, a column each."""
    *steps, person, contacts, payments, claims = statements(moment, only=only)
    for step in steps:
        base.execute(step)
    # `sql(...)` would plan twice; its copy of the rows saved is less.
    sides = [base.execute(one).to_arrow_table() for one in (person, contacts, payments, claims)]
    *debtors, claim = sides
    columns = dict(zip(claim.column_names[1:], claim.columns[1:], strict=True))
    for side in debtors:
        row = _places(side["debtor"].to_numpy(), claim["debtor"].to_numpy())
        taken = side.drop_columns("debtor").take(pa.array(row))
        columns |= dict(zip(taken.column_names, taken.columns, strict=True))
    return pa.table({name: columns[name] for name in moment.columns})


def _places(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Row of each wanted key: quicker than to let the database sort or join hundreds of columns."""
    order = np.argsort(keys)
    return order[np.searchsorted(keys, wanted, sorter=order)]


def statements(moment: Moment, *, only: str = "") -> list[str]:
    """The statements at a moment."""
    return query(moment, only=only).split(";\n")


def query(moment: Moment, *, only: str = "") -> str:
    """The query at a moment, of the debtors that `only` leaves."""
    kinds = CONTACT_EVENT_KINDS.index
    marks = ("clicked", "promised", "bounced", "opted_out", "complained", "wrong_person")
    made = len(moment.channels) - 1
    now = moment.as_of_us
    windows = {f"one_{days}": sum(1 << FIELD * k for k in range(WINDOW_FIELDS[str(days)] + 1)) for days in WINDOW_DAYS}
    return SQL.read_text(encoding="utf-8").format(
        as_of=now,
        day=moment.today,
        horizon=moment.horizon_us,
        no_day=NO_DAY,
        least=LEAST_PAYMENTS,
        only=only,
        **{f"since_{days}": now - days * DAY_US for days in (3, 7, 14, *WINDOW_DAYS)},
        **windows,
        one_7=1 + (1 << FIELD),
        one_3=1 + (1 << FIELD) + (1 << 2 * FIELD),
        clicked=kinds("clicked"),
        promised=kinds("promised"),
        marks=", ".join(str(kinds(kind)) for kind in marks),
        first_response=RESPONSES[0] * made,
        last_response=(RESPONSES[1] + 1) * made - 1,
        eur=_chosen("payments.currency", moment.eur, times="amount"),
        currency_eur=_chosen("owing.currency", moment.eur),
        part_field=_fields("part", range(len(DAYPARTS))),
        weekday_field_1=_fields("weekday", range(4)),
        weekday_field_2=_fields("weekday", range(4, 7)),
        sent_part_field=_fields("sent_part", range(len(DAYPARTS))),
        sent_weekday_field_1=_fields("sent_weekday", range(4)),
        sent_weekday_field_2=_fields("sent_weekday", range(4, 7)),
        refusal_field=_fields("kind", [kinds(kind) for kind in marks[2:]]),
        **_pivots(made),
        person_columns=_listed([*_person(moment), *_claims(moment)], moment),
        contact_columns=_listed([*_contacts(moment), *_responses(moment)], moment),
        payment_columns=_listed([*_promises(moment), *_times(moment), *_payments(moment)], moment),
        claim_columns=_listed(_claim_columns(moment), moment),
    )


def _pivots(made: int) -> dict[str, str]:
    """Rows of a code turned into columns."""
    every, ours = range(made + 1), range(1, made + 1)
    hits = range(len(MEASURES) * made)
    responses = [
        f"max(case when hit in ({', '.join(str(m * made + c - 1) for m in RESPONSES)}) then last_us end) as response_us_{c}"
        for c in ours
    ]
    return {
        "sent_columns": ", ".join(_sum_of("channel", c, "sent") for c in every),
        "mature_columns": ", ".join(_sum_of("channel", c, "mature") for c in every),
        "paid_columns": ", ".join(
            f"total(case when channel = {c} then coalesce(paid, 0) else 0 end) as paid_{c}" for c in every
        ),
        "total_columns": ", ".join(
            f"{_open(f'{name}_{c}', window)} + {_double(PRIOR_CONTACTS)} as {name}_{c}_{window}"
            for name in ("sent", "mature")
            for c in every
            for window in WINDOWS
        ),
        "last_us_columns": ", ".join(f"max(case when channel = {c} then last_us end) as last_us_{c}" for c in ours),
        "hit_columns": ", ".join(_sum_of("hit", k, "windows") for k in hits),
        "response_columns": ", ".join(responses),
        "reached_columns": ", ".join(f"total((channel = {c})::int) as reached_{c}" for c in ours),
        "through_columns": ", ".join(f"total((channel = {c})::int) as through_{c}" for c in ours),
    }


def _sum_of(code: str, value: int, column: str) -> str:
    return f"total(case when {code} = {value} then {column} else 0 end) as {column}_{value}"


def _fields(code: str, values: Iterable[int]) -> str:
    """A one in the field of each value's place."""
    cases = " ".join(f"when {value} then {1 << FIELD * place}" for place, value in enumerate(values))
    return f"case {code} {cases} else 0 end::bigint"


def _chosen(code: str, values: np.ndarray, *, times: str = "1") -> str:
    cases = " ".join(f"when {k} then {'NULL' if np.isnan(v) else _double(v)}" for k, v in enumerate(values))
    return f"{times} * case {code} {cases} end::double"


def _listed(columns: Iterable[tuple[str, str]], moment: Moment) -> str:
    blank = set(moment.blank)
    return ",\n        ".join(
        f'{"NULL" if name in blank else f"({expression})"}::float as "{name}"' for name, expression in columns
    )


def _double(value: float) -> str:
    """A literal: without an exponent it would be a decimal, and decimals are counted in 128 bits."""
    return f"{float(value)!r}e0" if "e" not in repr(float(value)) else repr(float(value))


def _count(column: str) -> str:
    return f"coalesce({column}, 0)"


def _field(packed: str, place: int) -> str:
    return _bare(_count(packed), place)


def _bare(packed: str, place: int) -> str:
    """A field of a sum that is never missing: every node less in 150 columns is planned faster."""
    return f"(({packed} >> {FIELD * place}) & {LOW})" if place else f"({packed} & {LOW})"


def _open(packed: str, window: str) -> str:
    return _bare(packed, WINDOW_FIELDS[window])


def _window(packed: str, window: str) -> str:
    return _field(packed, WINDOW_FIELDS[window])


def _shrunk(count: str, total: str, usual: float, weight: float = PRIOR_CONTACTS) -> str:
    return f"({count} + {_double(weight * usual)}) / ({total} + {_double(weight)})"


def _since(column: str, moment: Moment) -> str:
    return f"({moment.as_of_us} - {column}) / {_double(DAY_US)}"


def _weekday(table: str, weekday: int) -> str:
    return _field(f"{table}.weekdays_{1 + weekday // 4}", weekday % 4)


def _named(moment: Moment) -> list[tuple[int, str]]:
    return list(enumerate(moment.channels))[1:]


def _person(moment: Moment) -> Iterable[tuple[str, str]]:
    yield "country", _chosen("country", moment.country_code)
    age = f"floor(({_double(moment.as_of_us / DAY_US)} - birth_day) / 36525e-2)"
    yield "age", f"case when birth_day <> {NO_DAY} then {age} end"
    yield "known_days", _since("registered_us", moment)
    yield "income_band", "nullif(income, -1)"
    yield "employment", "nullif(employment, -1)"
    yield "other_debts", "other_debts"
    yield "profile_days", _since("profile.valid_from_us", moment)
    for c, name in _named(moment):
        yield f"reachable_{name}", f"(coalesce(channels, 0) >> {c}) & 1"
    mask = sum(1 << c for c, on in enumerate(digital(moment.channels)) if on)
    yield "digital_reach", f"bit_count(coalesce(channels, 0) & {mask})"


def _claims(moment: Moment) -> Iterable[tuple[str, str]]:
    yield "open_claims", "claim_counts.open"
    yield "claims_paid", "claim_counts.paid"
    yield "claims_unpaid", "unpaid"
    for window in WINDOWS:
        yield f"claims_{window}", _window("claim_counts.windows", window)
    usual = moment.reference.paid_claims_rate
    yield "paid_claims_rate", _shrunk("claim_counts.paid", "(claim_counts.paid + unpaid)", usual)
    yield "paid_claim_days", "case when claim_counts.paid > 0 then paid_days / claim_counts.paid end"
    yield "since_claim", _since("claim_counts.last_us", moment)
    yield "oldest_due_days", "oldest_due_days"
    yield "open_sectors", "open_sectors"
    yield "main_sector", _chosen("main.sector", moment.sector_code)
    yield "outstanding_all_log", "ln(1 + total_eur)"
    yield "largest_open_log", "ln(1 + largest_eur)"
    yield from (
        ("disputed_claims", _count("disputed")),
        ("held_claims", _count("held")),
        ("plan_claims", _count("on_plan")),
    )
    yield "highest_stage", "stage"
    yield "soonest_due_days", "soonest"


def _contacts(moment: Moment) -> Iterable[tuple[str, str]]:
    yield "last_channel", "last_of_all % 64"
    for c, name in _named(moment):
        for window in WINDOWS:
            yield f"sent_{name}_{window}", _open(f"sent_{c}", window)
    for window in WINDOWS:
        yield f"none_decisions_{window}", _open("sent_0", window)
    for window in WINDOWS:
        yield f"contacts_{window}", _open("contacts", window)
    for place, days in ((2, 3), (1, 7), (0, 14)):
        yield f"contacts_in_{days}_days", _bare("lately", place)
    yield "since_contact", _since("met.last_us", moment)
    for c, name in _named(moment):
        yield f"since_contact_{name}", _since(f"last_us_{c}", moment)
    yield "same_channel_run", _count("run")
    yield "contacts_since_response", _count("since_response")
    yield "contacts_since_payment", _count("since_payment")


def _responses(moment: Moment) -> Iterable[tuple[str, str]]:
    reference, made = moment.reference, len(moment.channels) - 1
    yield from _rates(moment)
    for c, name in _named(moment):
        sent = _open(f"sent_{c}", "ever")
        yield f"reach_rate_{name}", _shrunk(_count(f"reached_{c}"), sent, reference.reach_rate[c])
    for c, name in _named(moment):
        sent = _open(f"sent_{c}", "ever")
        responded = "(" + " + ".join(_open(f"windows_{m * made + c - 1}", "ever") for m in RESPONSES) + ")"
        yield f"response_rate_{name}", _shrunk(responded, sent, reference.response_rate[c])
    yield "since_response", _since("response_us", moment)
    for c, name in _named(moment):
        yield f"since_response_{name}", _since(f"response_us_{c}", moment)
    for place, name in enumerate(("bounced", "opted_out", "complained", "wrong_person")):
        yield name, _field("refusals", place)
    for c, name in enumerate(moment.channels):
        for window in WINDOWS:
            paid, usual = _open(f"paid_{c}", window), PRIOR_CONTACTS * reference.paid_after_rate[c]
            yield f"paid_after_rate_{name}_{window}", f"({paid} + {_double(usual)}) / mature_{c}_{window}"
    for c, name in _named(moment):
        yield f"paid_through_{name}", _count(f"through_{c}")


def _rates(moment: Moment) -> Iterable[tuple[str, str]]:
    reference, made = moment.reference, len(moment.channels) - 1
    for m, measure in enumerate(MEASURES):
        for c, name in _named(moment):
            for window in WINDOWS:
                hits, usual = (
                    _open(f"windows_{m * made + c - 1}", window),
                    PRIOR_CONTACTS * reference.measure_rate[m][c],
                )
                yield f"{measure}_rate_{name}_{window}", f"({hits} + {_double(usual)}) / sent_{c}_{window}"


def _promises(moment: Moment) -> Iterable[tuple[str, str]]:
    yield "promises_kept", _count("kept")
    yield "promises_broken", _count("broken")
    yield "since_promise", _since("promise_us", moment)
    yield "promise_due_days", f"(open_until_us - {moment.as_of_us}) / {_double(DAY_US)}"
    click = _since("click_us", moment)
    yield "unpaid_click_days", f"case when paid.last_us is null or paid.last_us < click_us then {click} end"


def _times(moment: Moment) -> Iterable[tuple[str, str]]:
    reference = moment.reference
    for k, part in enumerate(DAYPARTS):
        yield f"reach_rate_{part}", _shrunk(_field("reached.parts", k), _field("met.parts", k), reference.reach_part[k])
    for k, day in enumerate(WEEKDAYS):
        yield f"reach_rate_{day}", _shrunk(_weekday("reached", k), _weekday("met", k), reference.reach_weekday[k])
    yield from _shares("responses", "responses", reference.response_part, reference.response_weekday)
    yield "response_hour", f"responses.hours / {_total('responses')}"
    yield from _shares("payments", "paid", reference.payment_part, reference.payment_weekday)
    yield "payment_hour", f"paid.hours / {_window('paid.windows', 'ever')}"


def _total(table: str) -> str:
    return "(" + " + ".join(_field(f"{table}.parts", k) for k in range(len(DAYPARTS))) + ")"


def _shares(feature: str, table: str, part: tuple[float, ...], weekday: tuple[float, ...]) -> Iterable[tuple[str, str]]:
    for k, name in enumerate(DAYPARTS):
        yield f"{feature}_{name}", _shrunk(_field(f"{table}.parts", k), _total(table), part[k], PRIOR_PARTS)
    for k, name in enumerate(WEEKDAYS):
        yield f"{feature}_{name}", _shrunk(_weekday(table, k), _total(table), weekday[k], PRIOR_PARTS)


def _payments(moment: Moment) -> Iterable[tuple[str, str]]:
    ever = _window("paid.windows", "ever")
    for window in WINDOWS:
        yield f"payments_{window}", _window("paid.windows", window)
    for window in WINDOWS:
        yield f"paid_log_{window}", f"ln(1 + coalesce(eur_{window}, 0))"
    yield "since_payment", _since("paid.last_us", moment)
    gap = f"(paid.last_us - paid.first_us) / {_double(DAY_US)} / ({ever} - 1)"
    yield "payment_gap_days", f"case when {ever} > 1 then {gap} end"
    yield "payments_reversed", _count("reversed")
    yield "self_paid_rate", _shrunk(_count("unprompted"), ever, moment.reference.self_paid_rate)
    for name, table in zip(("since_pay_day", "to_pay_day"), moment.pay_days, strict=True):
        days = ", ".join(str(int(one)) for one in table.ravel())
        yield name, f"[{days}][country * {MONTH + 1} + coalesce(learned, 0) + 1]"
    yield "pay_day_learned", "(learned is not null)::int"
    yield "pay_day_share", f"case when learned is not null then near / {ever} end"


def _claim_columns(moment: Moment) -> Iterable[tuple[str, str]]:
    yield "sector", _chosen("sector", moment.sector_code)
    yield "outstanding_log", "ln(1 + outstanding_eur)"
    yield "share_paid", "1 - outstanding / greatest(principal, 1e-2)"
    yield "share_of_all", "case when total_eur > 0 then outstanding_eur / total_eur end"
    yield "days_past_due", f"{moment.today} - claim_state.due_day"
    yield "claim_days", _since("registered_us", moment)
    yield "claim_payments", "payments"
    yield "since_claim_payment", _since("payment_us", moment)
    yield "contacts_since_claim", "contacts"
    yield "sector_claims", "in_sector"
    yield "sector_paid_rate", _shrunk("in_sector_paid", "in_sector_closed", moment.reference.paid_claims_rate)
    yield "creditor_claims", "of_creditor"
    yield "stage", "claim_state.stage"
    yield "stage_days", _since("stage_us", moment)
    yield "to_next_due", "to_next_due"
    yield "plans_broken", "plans_broken"
    yield "disputes", "disputes"
    yield "since_inbound", _since("inbound_us", moment)
