"""Which contacts count as having been about a claim, one by one and against a plain loop."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.times import NEVER, to_us
from data.vocabulary import SEGMENTS, TONES
from features.tables import Histories
from models._message_kernels import contacts_about as about_one
from models.message import tone
from tests.deciding import bundle_of, decided, rate_model
from tests.models.naive_rows import contacts_about_one
from tests.portfolios import histories
from tests.samples import Row, moment, rows_to_table, sample_tables
from tests.strategies import START, random_tables

SENT, LATER = moment(3, 4, hour=9), moment(3, 10)


def sms(number: int = 1, **changes: Any) -> Row:
    """A text message to d1 about c1, sent on 4 March."""
    row: Row = {
        "contact_id": f"z{number}",
        "debtor_id": "d1",
        "claim_id": "c1",
        "decided_at": moment(3, 3),
    }
    row |= {"channel": "sms", "send_at": SENT, "policy": "incumbent"}
    return row | changes


def bounced(number: int = 1, **changes: Any) -> Row:
    """Its bounce, told half an hour after sending."""
    at = SENT + timedelta(minutes=30)
    return {"event_id": f"b{number}", "contact_id": f"z{number}", "at": at, "kind": "bounced"} | changes


def tables_of(*contacts: Row, events: tuple[Row, ...] = (), **others: list[Row]) -> dict[str, pa.Table]:
    """The sample portfolio with these contacts and events and no others; `claim_events` may be replaced."""
    rows = {"contacts": list(contacts), "contact_events": list(events), "payments": [], **others}
    return sample_tables() | {name: rows_to_table(name, found) for name, found in rows.items()}


def contacts_about(found: Histories, claim: np.ndarray, as_of_us: np.ndarray) -> np.ndarray:
    """Contacts about each claim at its moment, shape (m,)."""
    contacts, covers, debtor = found.contacts, found.covers, found.claims.debtor[claim]
    facts = contacts.send_us, contacts.known_us, contacts.bounced_us, covers.start, covers.claim, covers.known_us
    ends = contacts.start[debtor], contacts.start[debtor + 1]
    return np.array([about_one(*one, *facts) for one in zip(claim, as_of_us, *ends, strict=True)], dtype=np.int64)


def count(*contacts: Row, events: tuple[Row, ...] = (), claim: str = "c1", as_of: datetime = LATER) -> int:
    found = histories(tables_of(*contacts, events=events))
    row = np.flatnonzero(found.claim_id == claim)
    return int(contacts_about(found, row, np.array([to_us(as_of)]))[0])


def test_a_contact_that_covered_the_claim_and_was_sent_counts_once_whatever_else_it_covered() -> None:
    assert count() == 0
    assert count(sms()) == 1
    assert count(sms(), sms(claim_id="c2")) == 1
    assert count(sms(), sms(2)) == 2


def test_a_contact_about_another_claim_of_the_debtor_does_not_count() -> None:
    assert count(sms(claim_id="c2")) == 0
    assert count(sms(claim_id="c2"), claim="c2") == 1


def test_a_contact_counts_from_after_its_sending_on_not_from_the_decision() -> None:
    assert count(sms(), as_of=SENT) == 0
    assert count(sms(), as_of=SENT + timedelta(microseconds=1)) == 1
    assert count(sms(send_at=moment(3, 20))) == 0


def test_a_contact_that_came_to_be_known_later_does_not_count_before() -> None:
    assert count(sms(known_at=moment(3, 11))) == 0
    assert count(sms(known_at=moment(3, 9))) == 1


def test_a_decision_to_make_no_contact_is_none() -> None:
    assert count(sms(channel="none", send_at=None)) == 0


def test_a_contact_that_bounced_does_not_count_from_when_that_was_known() -> None:
    assert count(sms(), sms(2, channel="email"), events=(bounced(),)) == 1
    assert count(sms(), events=(bounced(),), as_of=SENT + timedelta(minutes=30)) == 1
    assert count(sms(), events=(bounced(known_at=moment(3, 11)),)) == 1
    assert count(sms(), events=(bounced(kind="delivered"),)) == 1


def test_a_bounce_of_another_debtor_or_another_instant_takes_nothing_back() -> None:
    other = sms(2, debtor_id="d2", claim_id="c3")
    assert count(sms(), other, events=(bounced(2),)) == 1
    assert count(sms(), sms(2, decided_at=moment(3, 2)), events=(bounced(2),)) == 1


def test_of_two_decided_at_one_instant_for_one_channel_only_the_one_that_bounced_is_left_out() -> None:
    assert count(sms(), sms(2), events=(bounced(2),)) == 1


def test_one_claim_is_counted_at_each_moment_asked_of() -> None:
    found = histories(tables_of(sms(), sms(2, send_at=moment(3, 8))))
    row = np.repeat(np.flatnonzero(found.claim_id == "c1"), 3)
    as_of = np.array([to_us(moment(3, day)) for day in (9, 3, 5)])
    assert contacts_about(found, row, as_of).tolist() == [2, 0, 1]
    assert contacts_about(found, row[:0], as_of[:0]).tolist() == []


@pytest.mark.parametrize("seed", range(6))
def test_the_count_is_that_of_a_plain_loop(seed: int) -> None:
    found = histories(random_tables(seed, unusual=True))
    claim = np.flatnonzero(found.claims.registered_us < NEVER)
    as_of_us = np.full(len(claim), to_us(START + timedelta(days=150)))
    expected = [contacts_about_one(found, one, int(as_of_us[0])) for one in claim.tolist()]
    assert contacts_about(found, claim, as_of_us).tolist() == expected
    assert sum(expected)


def tone_after(*contacts: Row, events: tuple[Row, ...] = ()) -> str:
    """Tone of a message on 10 March about c1 alone, which is in collection, to a debtor who is unwilling."""
    stage: Row = {"event_id": "e1", "claim_id": "c1", "at": moment(2, 1), "kind": "stage", "stage": "collection"}
    found = histories(tables_of(*contacts, events=events, claim_events=[stage]))
    prepared = decided(found, moment(3, 10), bundle=bundle_of(found, rate_model())).prepared
    prepared.covered[:] = found.claim_id[prepared.targets.claim] == "c1"
    who = prepared.situation.debtor_id.tolist().index("d1")
    return TONES[tone(prepared, np.full(prepared.situation.size, SEGMENTS.index("unwilling")))[who]]


def test_it_is_firm_only_after_two_contacts_about_that_claim_that_were_sent_and_did_not_bounce() -> None:
    two = (sms(), sms(2, channel="email"))
    assert tone_after(*two) == "firm"
    assert tone_after(two[0]) == "neutral"
    assert tone_after(*two, events=(bounced(),)) == "neutral"
    assert tone_after(two[0], sms(2, channel="email", send_at=moment(3, 12))) == "neutral"
    assert tone_after(*(one | {"claim_id": "c2"} for one in two)) == "friendly"
