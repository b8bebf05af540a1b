"""Facts of one debtor: the base portfolio's rows and the events received since."""

import pyarrow as pa
import pytest

from data.portfolio import Portfolio
from data.schemas import SCHEMAS
from data.vocabulary import CHANNELS
from features.histories import histories_of
from serving.base_portfolio import BasePortfolio
from serving.state import facts_of, is_current, portfolio_of
from tests.samples import sample_tables
from tests.small_service import small_tables


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
    with service.client.app.state.service.log.reading() as connection:
        facts = [facts_of(connection, base, name) for name in ("s1", "d3", "d1", "d2")]
    parts = histories_of(portfolio_of(facts, given=base.given), channels=CHANNELS)
    assert parts.debtor_id.tolist() == whole.debtor_id.tolist()
    assert parts.claims.claim_id.tolist() == whole.claims.claim_id.tolist()
    assert parts.payments.amount.tolist() == whole.payments.amount.tolist()
    assert parts.contact_events.at_us.tolist() == whole.contact_events.at_us.tolist()
    assert parts.points.known == whole.points.known


def test_facts_are_current_until_something_is_received_decided_or_done(service):
    running = service.client.app.state.service

    def still(facts):
        with running.log.reading() as connection:
            return is_current(connection, facts)

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
