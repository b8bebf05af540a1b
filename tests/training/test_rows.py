"""Training rows: which decisions train, what they are labelled with, what was known when they were made."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.calendar import place_of
from data.times import DAY_US, from_us, to_us
from features.columns import instants
from features.pipeline import Targets, build
from features.reference import Reference, learn_reference
from tests.deciding import COLUMNS
from tests.features.naive import Row, known
from tests.portfolios import CHANNELS, CONFIG, histories, portfolio_of
from tests.samples import with_column
from tests.strategies import START, random_tables
from training.rows import LAST_FACT, NoTrainingRows, TrainingRows, known_until, training_rows

HORIZON = timedelta(days=CONFIG.horizon.days)
AS_OF = START + timedelta(days=380)
SEEDS = st.integers(0, 10_000)


def with_statutory_steps(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    steps = ["debt_notice" if row % 7 == 0 else None for row in range(len(tables["contacts"]))]
    return tables | {"contacts": with_column(tables["contacts"], "statutory_step", steps, kind=pa.string())}


def trained_on(tables: dict[str, pa.Table], as_of: datetime = AS_OF) -> tuple[TrainingRows, Reference]:
    found = histories(tables)
    reference = learn_reference(found, until_us=to_us(as_of), config=CONFIG)
    rows = training_rows(portfolio_of(tables), found, as_of_us=to_us(as_of), reference=reference, config=CONFIG)
    return rows, reference


def expected_rows(tables: dict[str, pa.Table], as_of: datetime) -> dict[tuple[str, str], Row]:
    """Decisions that train, by contact and claim."""
    claims = {row["claim_id"]: row for row in tables["claims"].to_pylist()}
    found = {}
    for row in tables["contacts"].to_pylist():
        claim = claims[row["claim_id"]]
        is_open = claim["registered_at"] <= row["decided_at"]
        is_open &= claim["closed_at"] is None or claim["closed_at"] > row["decided_at"]
        if row["decided_at"] + HORIZON <= as_of and row["statutory_step"] is None and is_open:
            found[row["contact_id"], row["claim_id"]] = row
    return found


def payments_within(tables: dict[str, pa.Table], decision: Row, as_of: datetime) -> list[Row]:
    """Unreversed payments on the decision's claim from the decision to the end of its horizon, as known at `as_of`."""
    return [
        row
        for row in tables["payments"].to_pylist()
        if row["claim_id"] == decision["claim_id"]
        and decision["decided_at"] <= row["paid_at"] < decision["decided_at"] + HORIZON
        and known(row, "paid_at") <= as_of
        and (row["reversed_at"] is None or row["reversed_at"] > as_of)
    ]


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_mature_decisions_on_open_claims_train_and_no_others(seed: int) -> None:
    tables = with_statutory_steps(random_tables(seed))
    rows, _ = trained_on(tables)
    claim_id = histories(tables).claim_id[rows.claim]
    found = list(zip(rows.contact_id.tolist(), claim_id.tolist(), strict=True))
    assert len(set(found)) == len(found) == len(rows)
    assert set(found) == set(expected_rows(tables, AS_OF))


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_labels_equal_a_plain_loop_over_the_payments(seed: int) -> None:
    tables = with_statutory_steps(random_tables(seed, debtors=16))
    whole, (rows, _) = histories(tables), trained_on(tables)
    expected = expected_rows(tables, AS_OF)
    for number in range(len(rows)):
        decision = expected[rows.contact_id[number], whole.claim_id[rows.claim[number]]]
        payments = payments_within(tables, decision, AS_OF)
        amount = sum(float(one["amount"]) * rate_of(one) for one in payments)
        assert rows.paid[number] == bool(payments)
        assert rows.amount_eur[number] == pytest.approx(amount)
        assert 0 <= rows.share[number] <= 1
        assert (rows.share[number] > 0) == bool(payments)


def rate_of(payment: Row) -> float:
    return CONFIG.rates.on(payment["currency"], to_us(payment["paid_at"]) // 86_400_000_000).amount


@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_a_row_holds_the_features_of_the_instant_of_its_decision_and_of_what_was_sent(seed: int) -> None:
    tables = random_tables(seed)
    whole, (rows, reference) = histories(tables), trained_on(tables)
    decisions = {(row["contact_id"], row["claim_id"]): row for row in tables["contacts"].to_pylist()}
    people = {row["debtor_id"]: row for row in tables["debtors"].to_pylist()}
    for number in range(0, len(rows), 5):
        moment = np.array([rows.decided_us[number]])
        one = Targets(rows.debtor[number : number + 1], moment, rows.claim[number : number + 1], np.zeros(1, np.int64))
        own = build(whole, one, reference=reference, rates=CONFIG.rates).matrix[0]
        np.testing.assert_array_equal(rows.matrix[number, : len(own)], own)
        decision = decisions[rows.contact_id[number], whole.claim_id[rows.claim[number]]]
        assert from_us(int(rows.decided_us[number])) == decision["decided_at"]
        person = people[decision["debtor_id"]]
        action = dict(zip(COLUMNS[len(own) :], rows.matrix[number, len(own) :].tolist(), strict=True))
        assert CHANNELS[int(action["channel"])] == CHANNELS[rows.channel[number]] == decision["channel"]
        if decision["channel"] == "none":
            assert np.isnan(action["hour"])
        else:
            zone = ZoneInfo(place_of(person["country"], region=person["region"], time_zone=None).zones[0])
            local = decision["send_at"].astimezone(zone)
            assert (action["hour"], action["weekday"]) == (local.hour, local.weekday())
            ahead = (local.date() - decision["decided_at"].astimezone(zone).date()).days
            assert action["days_ahead"] == ahead


def test_rows_stand_in_order_of_debtor_and_time() -> None:
    rows, _ = trained_on(random_tables(6, debtors=30))
    assert rows.names == COLUMNS
    assert rows.matrix.shape == (len(rows), len(COLUMNS))
    order = np.lexsort((rows.decided_us, rows.debtor))
    assert (np.diff(rows.debtor) >= 0).all()
    assert (rows.decided_us[order] == rows.decided_us).all()


def test_a_later_look_adds_rows_and_changes_no_features_of_the_earlier_ones() -> None:
    tables = random_tables(8, debtors=30)
    whole = histories(tables)
    reference = learn_reference(whole, until_us=to_us(START + timedelta(days=200)), config=CONFIG)
    early, late = (
        training_rows(
            portfolio_of(tables), whole, as_of_us=to_us(START + timedelta(days=day)), reference=reference, config=CONFIG
        )
        for day in (250, 380)
    )
    keys = [list(zip(rows.contact_id.tolist(), rows.claim.tolist(), strict=True)) for rows in (early, late)]
    assert set(keys[0]) < set(keys[1])
    place = [keys[1].index(key) for key in keys[0]]
    np.testing.assert_array_equal(early.matrix, late.matrix[place])


def test_a_log_without_mature_decisions_says_what_to_give() -> None:
    with pytest.raises(NoTrainingRows, match="give a later --as-of or a longer history"):
        trained_on(random_tables(1), START)


def test_a_log_without_any_decision_says_what_to_give() -> None:
    tables = random_tables(1)
    for name in ("contacts", "contact_events"):
        del tables[name]
    with pytest.raises(NoTrainingRows, match="0 of 0 rows of contacts"):
        trained_on(tables)


def test_tables_that_end_before_as_of_bear_no_negatives_of_later_days() -> None:
    subject = portfolio_of(random_tables(5))
    last = max(
        int(instants(subject[name], column).max()) for name, column in LAST_FACT.items() if subject[name].num_rows
    )
    assert known_until(subject, as_of_us=last + 60 * DAY_US) == last
    assert known_until(subject, as_of_us=last + DAY_US) == last + DAY_US
    assert known_until(portfolio_of({}), as_of_us=last) == last
