"""What the rules look at, against plain loops over the tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from data.situation import Situation
from data.times import DAY_US, NEVER, to_day, to_us
from data.vocabulary import POINT_KINDS, STAGES
from features.catalogue import claim_features, debtor_features, names
from features.columns import UNDATED_PROMISE_DAYS
from features.pipeline import build, open_targets
from features.reference import learn_reference
from features.situation import situation_of
from tests.features import naive
from tests.portfolios import CHANNELS, CONFIG, built, histories
from tests.samples import rows_to_table, sample_tables, with_cell, with_column
from tests.strategies import DAYS, START, random_tables

SEEDS = st.integers(0, 10_000)
COLUMNS = names((*debtor_features(CHANNELS), *claim_features()))
MOMENTS = st.integers(30, DAYS - 10)


def situation(seed: int, day: int) -> tuple[Situation, naive.Past, list[naive.Row], list[str]]:
    """A random portfolio's situation, its past by rows, its debtors in order, and its open claims in order."""
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    found = histories(tables)
    targets, rows = built(found, as_of)
    people = sorted(tables["debtors"].to_pylist(), key=lambda row: row["debtor_id"])
    subject = situation_of(found, targets, rows=rows)
    return subject, naive.Past.of(tables, as_of), people, found.claim_id[targets.claim].tolist()


@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_what_is_known_of_each_debtor_equals_a_plain_loop(seed: int, day: int) -> None:
    subject, past, people, _ = situation(seed, day)
    assert subject.debtor_id.tolist() == [row["debtor_id"] for row in people]
    for number, person in enumerate(people):
        contacts = past.contacts(person["debtor_id"])
        assert subject.contacts[number] == len(contacts)
        last = max((to_us(row["decided_at"]) for row in contacts), default=0)
        assert subject.last_contact_us[number] == last
        for column, name in ((subject.opted_out, "opted_out"), (subject.wrong_person, "wrong_person")):
            stops = {row["channel"] for row in past.responses(person["debtor_id"]) if row["kind"] == name}
            assert {CHANNELS[code] for code in np.flatnonzero(column[number])} == stops
        for column, name in ((subject.blocked_us, "blocked_at"), (subject.objected_us, "objected_at")):
            assert column[number] == (to_us(person[name]) if person[name] else NEVER)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_points_are_those_that_had_begun_with_what_was_said_of_their_addresses(seed: int, day: int) -> None:
    subject, past, people, _ = situation(seed, day)
    begun = [row for row in past.rows["contact_points"] if row["valid_from"] <= past.as_of]
    number = {row["debtor_id"]: place for place, row in enumerate(people)}
    begun.sort(key=lambda row: (number[row["debtor_id"]], row["valid_from"]))
    told = subject.points
    assert told.debtor.tolist() == [number[row["debtor_id"]] for row in begun]
    assert told.channel.tolist() == [CHANNELS.index(row["channel"]) for row in begun]
    assert told.valid_from_us.tolist() == [to_us(row["valid_from"]) for row in begun]
    assert told.valid_to_us.tolist() == [to_us(row["valid_to"]) if row["valid_to"] else NEVER for row in begun]
    assert told.verified.tolist() == [naive.verified(row, past) for row in begun]
    assert told.withdrawn.tolist() == [naive.withdrawn(row, past) for row in begun]
    kinds = [None if code < 0 else POINT_KINDS[code] for code in told.kind]
    assert [kind in naive.kinds(row, past) for kind, row in zip(kinds, begun, strict=True)] == [True] * len(begun)
    assert told.known


@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_open_claims_carry_their_course_and_the_debtors_promise(seed: int, day: int) -> None:
    subject, past, people, claim_ids = situation(seed, day)
    claims = {row["claim_id"]: row for row in past.rows["claims"]}
    assert (np.diff(subject.claims.debtor) >= 0).all()
    for number, claim_id in enumerate(claim_ids):
        claim, facts = claims[claim_id], naive.claim_facts(past, claims[claim_id])
        assert people[subject.claims.debtor[number]]["debtor_id"] == claim["debtor_id"]
        for name in ("disputed", "held", "on_plan"):
            assert getattr(subject.claims, name)[number] == stands(past, claim_id, *PAIRS[name]), name
        stage = subject.claims.stage[number]
        assert (STAGES[stage] if stage >= 0 else None) == (None if facts["stage"] is None else STAGES[facts["stage"]])
        assert subject.claims.promised_until_us[number] == last_promise_us(past, claim["debtor_id"])


PAIRS = {
    "disputed": ("dispute_opened", "dispute_closed"),
    "held": ("hold_placed", "hold_lifted"),
    "on_plan": ("plan_agreed", "plan_broken"),
}


def stands(past: naive.Past, claim_id: str, begins: str, ends: str) -> bool:
    """What the last instant with events of one kind alone says: one with both changes nothing."""
    kinds: dict[datetime, set[str]] = {}
    for row in past.rows["claim_events"]:
        if row["claim_id"] == claim_id and row["kind"] in (begins, ends):
            kinds.setdefault(row["at"], set()).add(row["kind"])
    clear = [at for at, of in kinds.items() if len(of) == 1]
    return bool(clear) and kinds[max(clear)] == {begins}


def last_promise_us(past: naive.Past, debtor_id: str) -> int:
    promises = [row for row in past.responses(debtor_id) if row["kind"] == "promised"]
    days = [row["promised_for"] or row["at"].date() + timedelta(days=UNDATED_PROMISE_DAYS) for row in promises]
    return (to_day(max(days)) + 1) * DAY_US if days else 0


def test_without_a_table_of_points_none_is_known() -> None:
    tables = random_tables(4)
    del tables["contact_points"]
    found = histories(tables)
    targets, rows = built(found, START + timedelta(days=200))
    subject = situation_of(found, targets, rows=rows)
    assert not subject.points.known
    assert not len(subject.points.debtor)


def test_a_debtor_is_vulnerable_from_the_first_instant_to_before_the_last() -> None:
    tables, begin, end = random_tables(4), START + timedelta(days=100), START + timedelta(days=200)
    for name, moment in (("vulnerable_from", begin), ("vulnerable_to", end)):
        people = tables["debtors"].to_pylist()
        rows = [{**row, name: moment} for row in people]
        tables["debtors"] = type(tables["debtors"]).from_pylist(rows, schema=tables["debtors"].schema)
    found = histories(tables)
    for as_of, expected in ((begin - timedelta(days=1), False), (begin, True), (end, False)):
        targets, rows_ = built(found, as_of)
        subject = situation_of(found, targets, rows=rows_)
        assert set(subject.vulnerable.tolist()) == {expected}


def test_a_promise_without_a_day_holds_for_two_weeks_and_is_not_broken_at_once() -> None:
    tables = sample_tables()
    days = tables["contact_events"]["promised_for"].to_pylist()
    tables["contact_events"] = with_column(
        tables["contact_events"], "promised_for", [None] * len(days), kind=pa.date32()
    )
    found = histories(tables)
    made = next(row for row in tables["contact_events"].to_pylist() if row["kind"] == "promised")
    for later, pending in ((1, True), (UNDATED_PROMISE_DAYS - 1, True), (UNDATED_PROMISE_DAYS + 1, False)):
        as_of_us = np.full(found.size, to_us(made["at"] + timedelta(days=later)))
        targets = open_targets(found, np.arange(found.size), as_of_us=as_of_us)
        reference = learn_reference(found, until_us=int(as_of_us[0]), config=CONFIG)
        rows = build(found, targets, reference=reference, rates=CONFIG.rates)
        assert (rows.debtors.promised_until_us > 0).any() == pending
        assert rows.matrix[:, COLUMNS.index("promises_broken")].any() <= (not pending)


def test_a_claim_paid_to_the_cent_in_parts_has_nothing_outstanding() -> None:
    tables = sample_tables()
    claim, payment = tables["claims"].to_pylist()[0], tables["payments"].to_pylist()[0]
    at = claim["registered_at"] + timedelta(hours=1)
    parts = [Decimal("33.37"), Decimal("33.37"), Decimal("33.36")]  # as floats they leave 1.4e-14 of 100.10
    same = {"claim_id": claim["claim_id"], "debtor_id": claim["debtor_id"], "paid_at": at, "known_at": at}
    paid = [{**payment, **same, "payment_id": f"q{n}", "amount": part} for n, part in enumerate(parts)]
    tables["claims"] = with_cell(tables["claims"], "principal", Decimal("100.10"))
    tables["payments"] = rows_to_table("payments", paid)
    found = histories(tables)
    targets, rows = built(found, at + timedelta(hours=1))
    mine = found.claim_id[targets.claim] == claim["claim_id"]
    assert rows.state.outstanding[mine].tolist() == [0.0]


def test_an_end_of_vulnerability_without_a_beginning_counts_from_ever() -> None:
    tables = random_tables(5)
    end = pa.array([START + timedelta(days=200)] * len(tables["debtors"]), pa.timestamp("us", tz="UTC"))
    debtors = tables["debtors"]
    place = debtors.column_names.index("vulnerable_to")
    found = histories(tables | {"debtors": debtors.set_column(place, debtors.field("vulnerable_to"), end)})
    for day, expected in ((100, True), (300, False)):
        targets, rows = built(found, START + timedelta(days=day))
        subject = situation_of(found, targets, rows=rows)
        assert set(subject.vulnerable.tolist()) == {expected}
