"""Facts of one debtor: the base portfolio's rows and the events received since."""

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from data.event_rows import rows_table
from data.portfolio import Portfolio
from data.schemas import SCHEMAS
from data.times import to_us
from data.vocabulary import CHANNELS
from features._rule_kernels import begun
from features.histories import histories_of
from serving.base_portfolio import BasePortfolio
from serving.state import facts_of, portfolio_of, portfolio_with_events
from tests.samples import sample_tables
from tests.small_service import NOW, small_tables


@pytest.fixture(scope="module")
def portfolio():
    return Portfolio.from_tables(small_tables())


@pytest.fixture(scope="module")
def base(portfolio):
    return BasePortfolio.of(portfolio)


def of_debtor(portfolio, table, debtor_id):
    """The plain way to find a debtor's rows: look at each."""
    claims = {row["claim_id"]: row["debtor_id"] for row in portfolio["claims"].to_pylist()}
    contacts = {row["contact_id"]: row["debtor_id"] for row in portfolio["contacts"].to_pylist()}

    def owner(row):
        if table == "claim_events":
            return claims[row["claim_id"]]
        return contacts[row["contact_id"]] if table == "contact_events" else row["debtor_id"]

    return [row for row in portfolio[table].to_pylist() if owner(row) == debtor_id]


@pytest.mark.parametrize("table", SCHEMAS)
@pytest.mark.parametrize("debtor_id", ["d1", "d2", "d3", "s1", "nobody"])
def test_a_slice_holds_the_debtors_rows_and_no_others(portfolio, base, table, debtor_id):
    assert base.rows(table, debtor_id).to_pylist() == of_debtor(portfolio, table, debtor_id)


def test_slices_of_all_debtors_make_up_the_tables(portfolio, base):
    for name in SCHEMAS:
        rows = [row for one in ("d1", "d2", "d3", "s1") for row in base.rows(name, one).to_pylist()]
        assert len(rows) == portfolio[name].num_rows


def test_claims_and_contacts_lead_to_their_debtor(base):
    assert [base.debtor_named("claims", key) for key in ("c1", "c5", "k2", "nothing")] == ["d1", "d3", "s1", None]
    assert [base.debtor_named("contacts", key) for key in ("p1", "p2", "nothing")] == ["d1", "d2", None]


def test_rows_of_strangers_are_left_out():
    tables = sample_tables()
    stray = tables["claims"].slice(0, 1).to_pylist()[0] | {"claim_id": "x", "debtor_id": "stranger"}
    tables["claims"] = pa.concat_tables([tables["claims"], pa.Table.from_pylist([stray], tables["claims"].schema)])
    found = BasePortfolio.of(Portfolio.from_tables(tables, checked=False))
    assert found.tables["claims"].num_rows == 5
    assert found.debtor_named("claims", "x") is None


def test_an_empty_portfolio_knows_nobody():
    found = BasePortfolio.of(Portfolio.from_tables({}))
    assert (found.size, found.knows("d1"), found.rows("claims", "d1").num_rows) == (0, False, 0)


def test_the_service_sees_what_the_batch_sees(portfolio, base, service):
    whole = histories_of(portfolio, channels=CHANNELS)
    with service.client.app.state.tenants["main"].service.log.reading() as connection:
        facts = [facts_of(connection, base, name) for name in ("s1", "d3", "d1", "d2")]
    parts = histories_of(portfolio_of(facts, given=base.given), channels=CHANNELS)
    assert parts.debtor_id.tolist() == whole.debtor_id.tolist()
    assert parts.claim_id.tolist() == whole.claim_id.tolist()
    assert parts.payments.amount.tolist() == whole.payments.amount.tolist()
    assert parts.contact_events.at_us.tolist() == whole.contact_events.at_us.tolist()
    assert parts.missing == whole.missing


def test_facts_are_current_until_something_is_received_decided_or_done(service):
    running = service.client.app.state.tenants["main"].service

    def still(facts):
        with running.log.reading() as connection:
            return facts_of(connection, running.base, "s1").version == facts.version

    def look():
        with running.log.reading() as connection:
            return facts_of(connection, running.base, "s1")

    facts = look()
    service.ask("d2")
    service.tell("claim_events", claim_id="c3", at="2026-03-01T00:00:00Z", kind="inbound")
    assert still(facts)
    service.tell("claim_events", claim_id="k1", at="2026-03-01T00:00:00Z", kind="inbound")
    assert not still(facts)
    facts = look()
    decided = service.ask("s1")["decision_id"]
    assert not still(facts)
    facts = look()
    service.client.post(f"/v1/decisions/{decided}/confirm")
    assert not still(facts)
    facts = look()
    assert [row["contact_id"] for row in facts.tables["contacts"].to_pylist()] == [decided, decided]
    service.tell("contact_events", contact_id=decided, at="2026-03-10T09:00:00Z", kind="sent")
    assert not still(facts)


BASE_STOP, EVENT_STOP = "2026-03-05T00:00:00+00:00", "2026-03-01T00:00:00+00:00"
CLAIM = {
    "claim_id": "k1",
    "debtor_id": "s1",
    "creditor_id": "k-energy",
    "sector": "energy",
    "principal": "2400.00",
    "currency": "SEK",
    "due_on": "2026-01-31",
    "registered_at": "2026-01-10T12:00:00Z",
}
DEBTOR = {
    "debtor_id": "s1",
    "country": "SE",
    "time_zone": "Europe/Stockholm",
    "birth_date": "1979-04-30",
    "registered_at": "2026-01-05T12:00:00Z",
}
POINT = {"debtor_id": "s1", "channel": "sms", "valid_from": "2026-01-05T12:00:00Z", "verified": True, "kind": "private"}


def newer_base(table, **changed):
    """The portfolio of the next day, in which one row of s1 has changed."""
    tables = small_tables()
    key = {"debtors": ("debtor_id", "s1"), "claims": ("claim_id", "k1"), "contact_points": ("debtor_id", "s1")}[table]
    rows = [row | changed if row[key[0]] == key[1] else row for row in tables[table].to_pylist()]
    return Portfolio.from_tables(tables | {table: pa.Table.from_pylist(rows, SCHEMAS[table].arrow)})


def row_over(service, portfolio, table, **identity):
    """A row of s1 by its identity, as events make it over another portfolio."""
    with service.client.app.state.tenants["main"].service.log.reading() as connection:
        facts = facts_of(connection, BasePortfolio.of(portfolio), "s1")
        whole = portfolio_with_events(connection, portfolio, as_of=NOW)
    (row,) = [row for row in facts.tables[table].to_pylist() if identity.items() <= row.items()]
    assert row in whole[table].to_pylist()
    return row


def test_an_old_event_does_not_open_a_claim_that_the_portfolio_closed(service):
    service.tell("claims", **CLAIM)
    closed = newer_base("claims", closed_at=datetime.fromisoformat(BASE_STOP), close_reason="paid")
    row = row_over(service, closed, "claims", claim_id="k1")
    assert (row["closed_at"].isoformat(), row["close_reason"]) == (BASE_STOP, "paid")


def test_a_claim_closed_by_event_and_portfolio_is_closed_from_the_earlier_moment(service):
    service.tell("claims", **CLAIM, closed_at=EVENT_STOP, close_reason="withdrawn")
    closed = newer_base("claims", closed_at=datetime.fromisoformat(BASE_STOP), close_reason="paid")
    row = row_over(service, closed, "claims", claim_id="k1")
    assert (row["closed_at"].isoformat(), row["close_reason"]) == (EVENT_STOP, "withdrawn")


def test_a_later_event_opens_a_claim_that_only_an_event_closed(service):
    service.tell("claims", **CLAIM, closed_at=EVENT_STOP, close_reason="withdrawn")
    service.tell("claims", **CLAIM)
    row = row_over(service, Portfolio.from_tables(small_tables()), "claims", claim_id="k1")
    assert (row["closed_at"], row["close_reason"]) == (None, None)


@pytest.mark.parametrize("column", ["blocked_at", "cease_at", "objected_at", "stop_until"])
@pytest.mark.parametrize("told", [None, EVENT_STOP])
def test_an_old_event_does_not_lift_a_stop_of_the_portfolio(service, column, told):
    service.tell("debtors", **DEBTOR, **{column: told})
    stopped = newer_base("debtors", **{column: datetime.fromisoformat(BASE_STOP)})
    found = row_over(service, stopped, "debtors", debtor_id="s1")[column].isoformat()
    assert found == (EVENT_STOP if told and column != "stop_until" else BASE_STOP)


def test_an_old_event_does_not_give_back_a_consent_that_the_portfolio_withdrew(service):
    service.tell("contact_points", **POINT, consent="given")
    withdrawn = newer_base("contact_points", consent="withdrawn")
    assert row_over(service, withdrawn, "contact_points", channel="sms")["consent"] == "withdrawn"


WORDS = (
    {"consent": "withdrawn", "valid_from": "2026-02-01T12:00:00Z"},
    {"kind": "may_be_childs", "channel": "phone", "valid_from": "2026-02-02T12:00:00Z", "address_key": "p"},
    {"verified": False, "channel": "phone", "valid_from": "2026-02-03T12:00:00Z", "address_key": "p"},
    {"consent": "not_required", "channel": "email", "valid_from": "2026-02-05T12:00:00Z", "address_key": "e"},
    {"consent": "withdrawn", "channel": "email", "valid_from": "2026-02-04T12:00:00Z", "address_key": "e"},
)


def points_at(histories, moments):
    """What is known of the first debtor's contact points at several moments."""
    size = len(moments)
    asked = np.zeros(size, dtype=np.int64), np.array([to_us(moment) for moment in moments])
    return [column.tolist() for column in begun(*asked, histories.points)]


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0)])
def test_what_is_said_of_addresses_is_the_same_live_and_in_a_portfolio_whenever_it_came(service, order):
    for number in order:
        service.tell("contact_points", **POINT | {"consent": "given"} | WORDS[number])
    tables = small_tables()
    rows = rows_table("contact_points", [POINT | {"consent": "given"} | word for word in WORDS])
    tables["contact_points"] = pa.concat_tables([tables["contact_points"], rows])
    running = service.client.app.state.tenants["main"].service
    with running.log.reading() as connection:
        live = portfolio_of([facts_of(connection, running.base, "s1")], given=running.base.given)
    alone = Portfolio(
        {name: BasePortfolio.of(Portfolio(tables, live.given)).rows(name, "s1") for name in SCHEMAS}, live.given
    )
    moments = [NOW, *(NOW.replace(month=2, day=day, hour=12, minute=0) for day in range(1, 7))]
    found = [points_at(histories_of(one, channels=CHANNELS), moments) for one in (live, alone)]
    assert found[0] == found[1]
    *_, verified, withdrawn, kind = found[0]
    assert (True in withdrawn, False in verified, 3 in kind) == (True, True, True)


def test_a_claim_that_the_portfolio_gives_to_another_debtor_is_the_other_debtors(service):
    service.tell("claims", **CLAIM | {"claim_id": "n9"})
    tables = small_tables()
    other = [row | {"claim_id": "n9"} for row in tables["claims"].to_pylist() if row["claim_id"] == "c3"]
    tables["claims"] = pa.concat_tables([tables["claims"], pa.Table.from_pylist(other, SCHEMAS["claims"].arrow)])
    portfolio = Portfolio.from_tables(tables)
    with service.client.app.state.tenants["main"].service.log.reading() as connection:
        assert "n9" not in facts_of(connection, BasePortfolio.of(portfolio), "s1").identifiers("claims")
        whole = portfolio_with_events(connection, portfolio, as_of=NOW)
    assert [row["debtor_id"] for row in whole["claims"].to_pylist() if row["claim_id"] == "n9"] == ["d2"]


def test_the_whole_portfolio_holds_of_every_debtor_what_the_service_knows_of_it(service):
    running = service.client.app.state.tenants["main"].service
    decided = service.ask()["decision_id"]
    service.client.post(f"/v1/decisions/{decided}/confirm")
    service.tell("debtors", **DEBTOR | {"debtor_id": "new"})
    service.tell("claims", **CLAIM | {"claim_id": "n1", "debtor_id": "new"})
    service.tell("claims", **CLAIM | {"claim_id": "n2", "debtor_id": "waits for its debtor"})
    service.tell("claim_events", claim_id="n1", at="2026-03-01T00:00:00Z", kind="inbound")
    service.tell("claim_events", claim_id="c3", at="2026-03-01T00:00:00Z", kind="dispute_opened")
    service.tell("contact_events", contact_id="p1", at="2026-03-01T00:00:00Z", kind="opted_out")
    service.tell("contact_events", contact_id=decided, at="2026-03-10T07:30:00Z", kind="sent")
    base = Portfolio.from_tables(small_tables())
    with running.log.reading() as connection:
        whole = BasePortfolio.of(portfolio_with_events(connection, base, as_of=NOW + timedelta(minutes=1)))
        facts = [facts_of(connection, running.base, name) for name in ("d1", "d2", "d3", "s1", "new")]
    assert whole.size == len(facts)
    assert not whole.knows("waits for its debtor")
    for one in facts:
        for name in SCHEMAS:
            assert whole.rows(name, one.debtor_id).to_pylist() == one.tables[name].to_pylist()


def test_without_events_the_portfolio_is_the_one_given(service, portfolio):
    service.ask()
    with service.client.app.state.tenants["main"].service.log.reading() as connection:
        assert portfolio_with_events(connection, portfolio, as_of=NOW + timedelta(days=1)) is portfolio
