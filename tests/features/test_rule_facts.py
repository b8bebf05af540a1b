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
from tests.samples import rows_to_table, sample_tables, with_column
from tests.strategies import DAYS, START, random_tables

SEEDS = st.integers(0, 10_000)
MOMENTS = st.integers(30, DAYS - 10)
DAY = timedelta(days=1)
Tables = dict[str, pa.Table]
WRITTEN = ("letter", "digital_mailbox")


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


def is_promise_in_call(row: naive.Row) -> bool:
    return bool(row["kind"] == "promised" and row["channel"] == "phone")


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
                statutory = all(row["statutory_step"] and row["channel"] in WRITTEN for row in rows)
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
        talked = [row["at"] for row in events if row["kind"] == "conversation" or is_promise_in_call(row)]
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
        bounced = {row["contact_id"] for row in past.rows["contact_events"] if row["kind"] == "bounced"}
        arrived = [row for row in made if row["contact_id"] not in bounced]
        for code, channel in enumerate(CHANNELS):
            sent = [to_us(sent_at(row)) for row in arrived if row["channel"] == channel]
            assert subject.claims.first_sent_us[number, code] == min(sent, default=NEVER)
        steps = [to_us(sent_at(row)) for row in made if row["statutory_step"]]
        letters = [to_us(sent_at(row)) for row in arrived if row["statutory_step"] and row["channel"] in WRITTEN]
        assert subject.claims.first_statutory_us[number] == min(letters, default=NEVER)
        assert subject.claims.statutory_us[number] == max(steps, default=0)


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


def test_without_a_table_of_claim_events_no_stage_is_known() -> None:
    tables = random_tables(4)
    assert (looked_at(tables, START + timedelta(days=200))[0].claims.stage >= 0).any()
    del tables["claim_events"]
    assert set(looked_at(tables, START + timedelta(days=200))[0].claims.stage.tolist()) == {-1}


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


NOON, LAST = START + timedelta(days=100, hours=12), START + timedelta(days=200)


def one_claim(
    *, events: tuple[tuple[str, int], ...] = (), contact: naive.Row | None = None, met: tuple[str, ...] = ()
) -> Situation:
    """A claim with a course of (kind, day), and a contact that met with events the next day."""
    tables = sample_tables()
    claim = tables["claims"].to_pylist()[0]
    claim |= {"registered_at": START, "due_on": START.date(), "closed_at": None, "close_reason": None}
    about = {"claim_id": claim["claim_id"]}
    sent = {
        "contact_id": "k1",
        "debtor_id": claim["debtor_id"],
        **about,
        "decided_at": NOON,
        "send_at": NOON,
        "policy": "x",
    }
    course = [
        {"event_id": f"e{n}", **about, "kind": kind, "at": START + DAY * day} for n, (kind, day) in enumerate(events)
    ]
    replies = [{"event_id": f"r{n}", "contact_id": "k1", "kind": kind, "at": NOON + DAY} for n, kind in enumerate(met)]
    rows = {"claims": [claim], "claim_events": course, "contacts": [sent | contact] if contact else [], "payments": []}
    made = {name: rows_to_table(name, of) for name, of in {**rows, "contact_events": replies}.items()}
    return looked_at(tables | made, LAST)[0]


@pytest.mark.parametrize(
    ("mark", "begins", "ends"),
    [
        ("disputed", "dispute_opened", "dispute_closed"),
        ("held", "hold_placed", "hold_lifted"),
        ("on_plan", "plan_agreed", "plan_broken"),
    ],
)
def test_opposite_events_of_one_instant_leave_a_claim_as_it_was(mark: str, begins: str, ends: str) -> None:
    for events, expected in (
        (((begins, 5), (ends, 5)), False),
        (((ends, 5), (begins, 5), (begins, 5)), False),
        (((begins, 2), (ends, 5), (begins, 5)), True),
        (((begins, 2), (begins, 5), (ends, 5), (ends, 5)), True),
        (((begins, 2), (ends, 5)), False),
        (((begins, 2), (ends, 5), (begins, 5), (ends, 6)), False),
        (((ends, 2), (begins, 5)), True),
    ):
        assert getattr(one_claim(events=events).claims, mark).tolist() == [expected], events


def test_a_text_that_bounced_is_none() -> None:
    for channel in ("email", "letter"):
        for met, written in (((), True), (("sent", "delivered"), True), (("sent", "bounced"), False)):
            contact = {"channel": channel, "statutory_step": "demand"}
            seen = one_claim(contact=contact, met=met).claims
            assert (seen.first_sent_us[0, CHANNELS.index(channel)] < NEVER) == written
            assert (seen.first_statutory_us[0] < NEVER) == (written and channel == "letter")
            assert seen.statutory_us[0] == to_us(NOON)


@pytest.mark.parametrize("channel", CHANNELS[1:])
def test_a_step_of_the_law_is_left_out_of_caps_in_writing_alone(channel: str) -> None:
    found = one_claim(contact={"channel": channel, "statutory_step": "demand", "send_at": LAST})
    assert found.made.statutory.tolist() == [channel in WRITTEN]
    assert (found.claims.first_statutory_us[0] < NEVER) == (channel in WRITTEN)


@pytest.mark.parametrize("channel", ["phone", "email"])
def test_a_promise_in_a_call_is_a_conversation(channel: str) -> None:
    expected = to_us(NOON + DAY) if channel == "phone" else 0
    assert one_claim(contact={"channel": channel}, met=("promised",)).talked_us.max() == expected
