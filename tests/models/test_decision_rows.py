"""The contract's decision rows (section 4), on random portfolios."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.schemas import DECISION_SCHEMA
from data.times import to_us
from data.vocabulary import ARMS, SEGMENTS, TONES
from models.decide import Decided, decide
from models.decision_rows import decision_table
from models.prepare import Asks
from models.rules.mask import RULES
from models.segments_indicators import INDICATORS
from tests.deciding import GRID, PACKS, FormulaModel, arms, asks_of, bundle_of, by_everything, decided, rows_of
from tests.models.naive_rows import naive_rows
from tests.portfolios import CHANNELS, CONFIG, histories
from tests.strategies import DAYS, START, random_tables
from training.segments import stated_model

Row = dict[str, Any]
SEGMENT_MODEL = stated_model({one.name: one.cuts or (10.0, 40.0) for one in INDICATORS})
ALL_ARMS = arms(control=0.25, explore=0.25, champion=0.5)
RULE_NAMES = {rule.name for rule in RULES}
SHARED = ("debtor_id", "decided_at", "valid_until", "channel", "send_at", "payment_option", "tone", "arm", "explored")
PROBABILITIES = ("action_probability", "channel_probability", "channel_daypart_probability")
every_portfolio = given(seed=st.integers(0, 10_000), day=st.integers(60, DAYS - 10))


def subject_of(seed: int, day: int) -> Decided:
    found = histories(random_tables(seed))
    as_of = START + timedelta(days=day, hours=6)
    bundle = bundle_of(found, FormulaModel(by_everything), segments=SEGMENT_MODEL)
    return decided(found, as_of, bundle=bundle, config=ALL_ARMS)


def by_decision(rows: list[Row]) -> dict[str, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[row["decision_id"]].append(row)
    return found


@settings(max_examples=10, deadline=None)
@every_portfolio
def test_every_open_claim_has_one_row_in_the_contracts_columns(seed: int, day: int) -> None:
    subject = subject_of(seed, day)
    table = decision_table(subject, packs_version="r1")
    assert table.schema.equals(DECISION_SCHEMA)
    claims = subject.prepared.histories.claim_id[subject.prepared.targets.claim]
    assert table["claim_id"].to_pylist() == claims.tolist()
    assert len(set(table["claim_id"].to_pylist())) == table.num_rows
    assert all(re.fullmatch("[a-z0-9-]{1,64}", one) for one in table["decision_id"].to_pylist())


@settings(max_examples=10, deadline=None)
@every_portfolio
def test_claims_under_one_contact_share_the_decision_and_exactly_one_of_them_leads(seed: int, day: int) -> None:
    for rows in by_decision(rows_of(subject_of(seed, day))).values():
        assert sum(row["lead"] for row in rows) == 1
        for name in (*SHARED, *PROBABILITIES):
            assert len({row[name] for row in rows}) == 1, name


@settings(max_examples=10, deadline=None)
@every_portfolio
def test_a_claim_that_a_rule_holds_has_a_decision_of_its_own_with_no_contact(seed: int, day: int) -> None:
    subject = subject_of(seed, day)
    rows = rows_of(subject)
    covered, moment = subject.prepared.covered, subject.prepared.targets.moment
    contacted = subject.choice.action[moment] > 0
    groups = by_decision(rows)
    for row, is_covered, is_contacted in zip(rows, covered.tolist(), contacted.tolist(), strict=True):
        assert (row["channel"] != "none") == (is_covered and is_contacted)
        if is_contacted and not is_covered:
            assert groups[row["decision_id"]] == [row]
            assert row["lead"]
            assert (row["send_at"], row["expected_value"], row["uplift"]) == (None, 0.0, 0.0)
            assert [row[name] for name in PROBABILITIES] == [1.0] * 3
            assert not row["explored"]
            assert {one["rule"] for one in row["blocked"]} <= RULE_NAMES
            assert {one["channel"] for one in row["blocked"]} == set(CHANNELS[1:])


@settings(max_examples=10, deadline=None)
@every_portfolio
def test_the_rows_of_a_contact_sum_to_the_debtors_value_its_cost_on_the_lead_alone(seed: int, day: int) -> None:
    subject = subject_of(seed, day)
    assume(subject.prepared.situation.size)
    as_of_day = int(subject.prepared.asks.as_of_us[0]) // 86_400_000_000
    total = np.zeros(subject.prepared.situation.size)
    price = subject.price.total
    for number, row in enumerate(rows_of(subject)):
        debtor = subject.prepared.targets.moment[number]
        value_eur = row["expected_value"] * CONFIG.rates.on(row["currency"], as_of_day).amount
        total[debtor] += value_eur
        owed = subject.prepared.rows.outstanding_eur[number]
        cost = price[debtor, CHANNELS.index(row["channel"])] if row["lead"] else 0.0
        assert value_eur == pytest.approx(row["uplift"] * subject.champion.mean_share * owed - cost, abs=1e-9)
    chosen = subject.scored.value_eur[np.arange(len(total)), subject.choice.action]
    np.testing.assert_allclose(total, chosen, atol=1e-9)


@settings(max_examples=10, deadline=None)
@every_portfolio
def test_a_contact_is_sent_in_an_allowed_slot_and_valid_until_its_end(seed: int, day: int) -> None:
    subject = subject_of(seed, day)
    slots = subject.slots
    for number, row in enumerate(rows_of(subject)):
        debtor = subject.prepared.targets.moment[number]
        as_of_us = subject.prepared.asks.as_of_us[debtor]
        assert to_us(row["decided_at"]) == as_of_us
        if row["channel"] == "none":
            assert (row["send_at"], row["tone"], row["payment_option"]) == (None, None, None)
            assert timedelta(hours=1) <= row["valid_until"] - row["decided_at"] <= timedelta(days=GRID.days)
        else:
            mine = subject.prepared.allowed[debtor] & (GRID.channel == CHANNELS.index(row["channel"]))
            assert to_us(row["send_at"]) in slots.send_us[slots.of_debtor[debtor]][mine]
            assert row["send_at"] >= row["decided_at"]
            assert row["valid_until"] - row["send_at"] == timedelta(hours=1)
            assert row["tone"]


@settings(max_examples=10, deadline=None)
@every_portfolio
def test_arms_and_probabilities_are_logged_as_the_contract_says(seed: int, day: int) -> None:
    subject = subject_of(seed, day)
    shares = dict(zip(ARMS, (0.25, 0.25, 0.5, 0.0), strict=True))
    asks = subject.prepared.asks
    objected = subject.prepared.histories.objected_us[asks.debtor] <= asks.as_of_us
    for number, row in enumerate(rows_of(subject)):
        if objected[subject.prepared.targets.moment[number]]:
            assert (row["arm"], row["arm_probability"]) == ("control", None)
        else:
            assert row["arm_probability"] == shares[row["arm"]]
        assert row["explored"] <= (row["arm"] == "explore")
        exact, channel, daypart = (
            row[name] for name in ("action_probability", "channel_probability", "channel_daypart_probability")
        )
        assert 0 < exact <= daypart + 1e-12 <= channel + 2e-12 <= 1 + 3e-12
        assert row["explored"] or exact == 1
        assert 1 / daypart <= 25 * (1 + 1e-9)
        assert 0 <= row["payment_probability"] <= 1


SLOT = re.compile(
    r"slot=[a-z_]+@\dT\d\d \(channel [+-]\S+, day [+-]\S+, hour [+-]\S+, together [+-]\S+ EUR over the mean contact's -?\S+\)"
)


@settings(max_examples=5, deadline=None)
@every_portfolio
def test_reasons_are_given_on_request_only(seed: int, day: int) -> None:
    subject = subject_of(seed, day)
    assert {row["reasons"] for row in rows_of(subject)} <= {None}
    explained = decision_table(subject, packs_version="r1", explain=True).to_pylist()
    assert all(isinstance(row["reasons"], list) for row in explained)
    for row in explained:
        kinds = [one.split("=")[0] for one in row["reasons"]]
        assert kinds.count("slot") == 1 or row["channel"] == "none"
        assert all(SLOT.fullmatch(one) for one in row["reasons"] if one.startswith("slot="))
        assert kinds.count("segment") == (row["segment"] != "unknown")
        assert "segment" not in kinds or row["reasons"][-1].startswith(f"segment={row['segment']} (")


def test_versions_stand_in_every_row() -> None:
    rows = decision_table(subject_of(1, 200), packs_version="r7").to_pylist()
    assert {row["model_version"] for row in rows} == {"m1"}
    assert {row["rules_version"] for row in rows} == {"r7"}
    assert len({row["policy_version"] for row in rows}) == 1


def by_two_models(seed: int, day: int) -> Decided:
    """Two models, all four arms, and half of the claims asked about."""
    found = histories(random_tables(seed))
    asks = asks_of(found, START + timedelta(days=day, hours=6))
    asks = replace(asks, claim_ids=frozenset(found.claim_id[seed % 2 :: 2].tolist()))
    champion = bundle_of(found, FormulaModel(by_everything))
    challenger = replace(
        champion, model_version="m2", segments=SEGMENT_MODEL, model=FormulaModel(lambda rows: 1.0 - by_everything(rows))
    )
    config = arms(control=0.2, explore=0.2, champion=0.3, challenger=0.3)
    return decide(found, asks, champion=champion, challenger=challenger, config=config, packs=PACKS)


def to_members_who_forgot(seed: int, day: int) -> Decided:
    """Contacts in the digital mailbox alone, under a model by which most debtors forgot."""
    found = histories(random_tables(seed))
    asks = replace(asks_of(found, START + timedelta(days=day, hours=6)), channels=("digital_mailbox",))
    model = replace(SEGMENT_MODEL, share=(0.98, 0.01, 0.01))
    bundle = bundle_of(found, FormulaModel(by_everything), segments=model)
    return decide(found, asks, champion=bundle, config=ALL_ARMS, packs=PACKS)


@pytest.mark.parametrize("subject", [subject_of, by_two_models, to_members_who_forgot])
@settings(max_examples=15, deadline=None)
@every_portfolio
def test_every_value_is_that_of_a_plain_loop_over_claims(
    subject: Callable[[int, int], Decided], seed: int, day: int
) -> None:
    found = subject(seed, day)
    rows = decision_table(found, packs_version="r1").to_pylist()
    assert rows == naive_rows(found, packs_version="r1")
    assert all(list(row) == DECISION_SCHEMA.names for row in rows)


def test_the_plain_loop_meets_claims_held_back_both_models_and_every_tone() -> None:
    rows = [
        row for seed in range(12) for row in decision_table(by_two_models(seed, 200), packs_version="r1").to_pylist()
    ]
    assert {row["model_version"] for row in rows} == {"m1", "m2"}
    assert {row["tone"] for row in rows} == {None, *TONES}
    assert {"not_asked", "disputed_claim"} <= {pair["rule"] for row in rows for pair in row["blocked"]}


def test_each_debtors_segment_is_that_of_the_model_of_its_arm() -> None:
    told = [(one["model_version"], one["segment"]) for seed in range(12) for one in rows_of(by_two_models(seed, 200))]
    assert {segment for version, segment in told if version == "m1"} == {"unknown"}
    assert {segment for version, segment in told if version == "m2"} == set(SEGMENTS)


def test_a_segment_is_never_told_of_who_objected_to_profiling() -> None:
    objected = known = 0
    for seed in range(12):
        subject = subject_of(seed, 200)
        asks, moment = subject.prepared.asks, subject.prepared.targets.moment
        against = (subject.prepared.histories.objected_us[asks.debtor] <= asks.as_of_us)[moment]
        segment = np.array([row["segment"] for row in rows_of(subject)])
        assert set(segment[against]) <= {"unknown"}
        objected, known = objected + against.sum(), known + (segment[~against] != "unknown").sum()
    assert objected
    assert known


def test_the_plain_loop_meets_every_way_to_pay_and_ends_of_none_of_several_kinds() -> None:
    rows = [
        row
        for seed in range(15)
        for one in (subject_of, to_members_who_forgot)
        for row in rows_of(one(seed, 120 + 15 * seed))
    ]
    assert {row["payment_option"] for row in rows} == {None, "link", "qr", "instalments", "direct_debit"}
    held = {row["valid_until"] - row["decided_at"] for row in rows if row["channel"] == "none"}
    assert len(held) > 2
    assert max(held) == timedelta(days=GRID.days)


def test_debtors_without_any_claim_in_the_portfolio_have_no_rows() -> None:
    tables = random_tables(3)
    nobody_owes = {name: table if name == "debtors" else table.slice(0, 0) for name, table in tables.items()}
    found = histories(nobody_owes)
    assert found.currencies == ()
    asks = Asks(np.arange(found.size), np.full(found.size, to_us(START + timedelta(days=90))))
    bundle = bundle_of(histories(tables), FormulaModel(by_everything), segments=SEGMENT_MODEL)
    subject = decide(found, asks, champion=bundle, config=ALL_ARMS, packs=PACKS)
    assert decision_table(subject, packs_version="r1", explain=True).num_rows == 0
    assert not subject.choice.action.any()
