"""What rules ask of the past, against plain loops over the tables' rows: what was sent, said, clicked, begun and paid."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.calendar import place_of
from data.situation import RECALL_DAYS, Situation
from data.times import NEVER, NO_DAY, to_day, to_us
from data.vocabulary import STAGES
from features.situation import situation_of, with_contacts_of
from tests.features import naive
from tests.portfolios import CHANNELS, built, histories
from tests.samples import with_column
from tests.strategies import DAYS, START, random_tables

SEEDS = st.integers(0, 10_000)
MOMENTS = st.integers(30, DAYS - 10)
Tables = dict[str, pa.Table]


def with_statutory_steps(tables: Tables) -> Tables:
    """Every third row of the log of contacts, and every row of some contacts, as a step that the law prescribes."""
    rows = tables["contacts"].to_pylist()
    every = {row["contact_id"] for number, row in enumerate(rows) if number % 7 == 0}
    steps = ["demand" if number % 3 == 0 or row["contact_id"] in every else None for number, row in enumerate(rows)]
    return tables | {"contacts": with_column(tables["contacts"], "statutory_step", steps, kind=pa.string())}


def looked_at(tables: Tables, as_of: datetime) -> tuple[Situation, naive.Past, list[naive.Row], list[str]]:
    """A situation, its past by rows, its debtors in order, and its open claims in order."""
    found = histories(tables)
    targets, rows = built(found, as_of)
    people = sorted(tables["debtors"].to_pylist(), key=lambda row: row["debtor_id"])
    return (
        situation_of(found, targets, rows=rows),
        naive.Past.of(tables, as_of),
        people,
        found.claim_id[targets.claim].tolist(),
    )


def situation(seed: int, day: int) -> tuple[Situation, naive.Past, list[naive.Row], list[str]]:
    return looked_at(with_statutory_steps(random_tables(seed, unusual=True)), START + timedelta(days=day))


def sent_at(row: naive.Row) -> datetime:
    return row["send_at"] or row["decided_at"]


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_contacts_of_late_and_to_come_are_told_with_the_open_claims_they_cover(seed: int, day: int) -> None:
    subject, past, people, claims = situation(seed, day)
    found = [
        (
            people[subject.made.debtor[row]]["debtor_id"],
            CHANNELS[subject.made.channel[row]],
            int(subject.made.send_us[row]),
            bool(subject.made.statutory[row]),
            tuple(
                sorted(
                    claims[claim]
                    for contact, claim in zip(subject.made.link_contact, subject.made.link_claim, strict=True)
                    if contact == row
                )
            ),
        )
        for row in range(len(subject.made.debtor))
    ]
    expected = []
    for person in people:
        for contact in past.contacts(person["debtor_id"]):
            rows = [row for row in past.rows["contacts"] if row["contact_id"] == contact["contact_id"]]
            if sent_at(contact) >= past.as_of - timedelta(days=RECALL_DAYS):
                covered = tuple(sorted(row["claim_id"] for row in rows if row["claim_id"] in claims))
                statutory = all(row["statutory_step"] for row in rows)
                expected.append((person["debtor_id"], contact["channel"], to_us(sent_at(contact)), statutory, covered))
    assert sorted(found) == sorted(expected)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_each_debtors_last_events_and_payments_equal_a_plain_loop(seed: int, day: int) -> None:
    subject, past, people, _ = situation(seed, day)
    for number, person in enumerate(people):
        who = person["debtor_id"]
        events = past.responses(who)
        paid = past.of_debtor("payments", who)
        clicks = [row["at"] for row in events if row["kind"] == "clicked"]
        in_flight = [at for at in clicks if not any(row["paid_at"] >= max(clicks) for row in paid)]
        mine = [row["claim_id"] for row in past.of_debtor("claims", who)]
        inbound = [
            row["at"] for row in past.rows["claim_events"] if row["claim_id"] in mine and row["kind"] == "inbound"
        ]
        talked = [row["at"] for row in events if row["kind"] == "conversation"]
        sent = [sent_at(row) for row in past.contacts(who)]
        expected = {"talked_us": talked, "clicked_us": in_flight, "inbound_us": inbound, "last_sent_us": sent}
        for name, instants in expected.items():
            assert getattr(subject, name)[number] == max(map(to_us, instants), default=0), name
        closed = [row for row in past.of_debtor("claims", who) if row["closed_at"] and row["closed_at"] <= past.as_of]
        good = [row for row in closed if row["close_reason"] == "paid"]
        zone = ZoneInfo(place_of(person["country"], region=person["region"], time_zone=person["time_zone"]).zones[0])
        late = [row for row in good if row["closed_at"].astimezone(zone).date() > row["due_on"]]
        assert (subject.paid_claims[number], subject.paid_late[number]) == (len(good), len(late))


@settings(max_examples=20, deadline=None)
@example(seed=9314, day=158)
@given(seed=SEEDS, day=MOMENTS)
def test_each_open_claims_stage_and_writings_equal_a_plain_loop(seed: int, day: int) -> None:
    subject, past, _, claims = situation(seed, day)
    for number, claim_id in enumerate(claims):
        events = [row for row in past.rows["claim_events"] if row["claim_id"] == claim_id and row["kind"] == "stage"]
        last = max(
            events, key=lambda row: (row["at"], STAGES.index(row["stage"]), str(row["next_due_on"] or "")), default={}
        )
        due = last.get("next_due_on")
        assert subject.claims.stage_us[number] == (to_us(last["at"]) if last else 0)
        assert subject.claims.next_due_day[number] == (to_day(due) if due else NO_DAY)
        made = [row for row in past.rows["contacts"] if row["claim_id"] == claim_id and row["channel"] != "none"]
        for code, channel in enumerate(CHANNELS):
            sent = [to_us(sent_at(row)) for row in made if row["channel"] == channel]
            assert subject.claims.first_sent_us[number, code] == min(sent, default=NEVER)
        letters = [to_us(sent_at(row)) for row in made if row["statutory_step"]]
        assert subject.claims.first_statutory_us[number] == min(letters, default=NEVER)
        assert subject.claims.statutory_us[number] == max(letters, default=0)


LATER = {"contacts": "decided_at", "contact_events": "at", "claim_events": "at", "payments": "paid_at"}


def without_later(tables: Tables, as_of: datetime) -> Tables:
    """The tables as they stood: rows that happened or came to be known at `as_of` or later are gone.

    A contact that an earlier event names stays: whom it reached through which channel was then known, the contact itself not yet.
    """
    found = dict(tables)
    for name, column in LATER.items():
        rows = [row for row in tables[name].to_pylist() if naive.known(row, column) < as_of]
        found[name] = pa.Table.from_pylist(rows, schema=tables[name].schema)
    named = set(found["contact_events"]["contact_id"].to_pylist())
    contacts = tables["contacts"].to_pylist()
    kept = [row for row in contacts if naive.known(row, "decided_at") < as_of or row["contact_id"] in named]
    return found | {"contacts": pa.Table.from_pylist(kept, schema=tables["contacts"].schema)}


@settings(max_examples=15, deadline=None)
@example(seed=707, day=284)
@given(seed=SEEDS, day=MOMENTS)
def test_no_later_fact_is_seen(seed: int, day: int) -> None:
    tables, as_of = with_statutory_steps(random_tables(seed, unusual=True)), START + timedelta(days=day)
    whole, cut = looked_at(tables, as_of)[0], looked_at(without_later(tables, as_of), as_of)[0]
    for before, after in ((whole, cut), (whole.made, cut.made), (whole.claims, cut.claims)):
        for name, value in vars(before).items():
            if hasattr(value, "tolist"):
                assert value.tolist() == getattr(after, name).tolist(), name


def test_without_a_table_of_claim_events_no_course_is_known() -> None:
    tables = random_tables(4)
    assert looked_at(tables, START + timedelta(days=200))[0].claims.course_known
    del tables["claim_events"]
    assert not looked_at(tables, START + timedelta(days=200))[0].claims.course_known


@pytest.mark.parametrize("seed", [2, 3])
def test_without_a_contact_the_rest_of_the_situation_stays_as_it_is(seed: int) -> None:
    tables, as_of = with_statutory_steps(random_tables(seed)), START + timedelta(days=300)
    found = histories(tables)
    targets, rows = built(found, as_of)
    whole = situation_of(found, targets, rows=rows)
    fewer = pa.Table.from_pylist(tables["contacts"].to_pylist()[::2], schema=tables["contacts"].schema)
    subject = with_contacts_of(whole, histories(tables | {"contacts": fewer}), targets)
    alone, _, _, _ = looked_at(tables | {"contacts": fewer}, as_of)
    changed: dict[str, Any] = {
        "last_sent_us": alone.last_sent_us,
        "contacts": whole.contacts,
        "talked_us": whole.talked_us,
    }
    for name, expected in changed.items():
        assert getattr(subject, name).tolist() == expected.tolist(), name
    for name, value in vars(alone.made).items():
        assert getattr(subject.made, name).tolist() == value.tolist(), name
    assert subject.claims.first_sent_us.tolist() == alone.claims.first_sent_us.tolist()
