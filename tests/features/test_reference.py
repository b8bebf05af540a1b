"""The reference: learnt from the past only, the same after a round trip through JSON."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from data.config import FeatureSettings
from data.times import to_us
from features.reference import Reference, UnknownFeature, code_of, count, learn_reference, reference_of, unlawful
from tests.features import naive
from tests.portfolios import CHANNELS, CONFIG, histories
from tests.strategies import START, random_tables

AS_OF = START + timedelta(days=250)


def learnt(seed: int) -> Reference:
    return learn_reference(histories(random_tables(seed, debtors=30)), until_us=to_us(AS_OF), config=CONFIG)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_reference_survives_json(seed: int) -> None:
    reference = learnt(seed)
    assert Reference.from_dict(json.loads(json.dumps(reference.as_dict()))) == reference


@pytest.mark.parametrize("seed", [1, 2])
def test_rates_lie_between_zero_and_one_and_shares_sum_to_one(seed: int) -> None:
    reference = learnt(seed)
    for rates in (*reference.measure_rate, reference.paid_after_rate, reference.reach_rate, reference.response_rate):
        assert len(rates) == len(CHANNELS)
        assert 0 <= min(rates) <= max(rates) <= 1
    assert 0 <= min(reference.reach_part) <= max(reference.reach_part) <= 1
    by_part = (reference.response_part, reference.payment_part)
    for shares in (*by_part, reference.response_weekday, reference.payment_weekday, reference.payment_hour):
        assert min(shares) > 0
        assert sum(shares) == pytest.approx(1)


def test_the_usual_hours_are_those_of_all_unreversed_payments_and_one_more_for_each_hour() -> None:
    tables = random_tables(7, debtors=30)
    past = naive.Past.of(tables, AS_OF)
    reference = learn_reference(histories(tables), until_us=to_us(AS_OF), config=CONFIG)
    hours = [
        naive.local_hour(row["paid_at"], person)
        for person in tables["debtors"].to_pylist()
        for row in past.of_debtor("payments", person["debtor_id"])
    ]
    expected = [(hours.count(hour) + 1) / (len(hours) + 24) for hour in range(24)]
    assert len(set(expected)) > 3
    assert reference.payment_hour == pytest.approx(expected)


def test_a_reference_from_before_hours_were_learnt_can_be_read_and_takes_them_as_even() -> None:
    plain = learnt(1).as_dict()
    del plain["payment_hour"]
    assert Reference.from_dict(plain).payment_hour == pytest.approx([1 / 24] * 24)


def test_response_rates_are_first_responses_over_contacts_made_before() -> None:
    tables = random_tables(7, debtors=30)
    past = naive.Past.of(tables, AS_OF)
    reference = learn_reference(histories(tables), until_us=to_us(AS_OF), config=CONFIG)
    ids = [row["debtor_id"] for row in tables["debtors"].to_pylist()]
    contacts = [row for who in ids for row in past.contacts(who)]
    responses = [row for who in ids for row in naive.firsts(past.responses(who), ("clicked", "answered"))]
    for code, channel in enumerate(CHANNELS[1:], start=1):
        made = sum(row["channel"] == channel for row in contacts)
        met = sum(row["channel"] == channel for row in responses)
        assert reference.response_rate[code] == pytest.approx(min(met / max(made, 1), 1.0))


def test_every_category_feature_has_its_words() -> None:
    reference = learnt(1)
    assert set(reference.words()) == {"country", "sector", "main_sector", "employment", "last_channel", "channel"}
    assert reference.countries == tuple(sorted(reference.countries))


def test_a_word_that_was_never_learnt_has_no_code() -> None:
    codes = code_of(("a", "b", "new"), ("a", "b"), np.array([1, 0, 2, -1]))
    np.testing.assert_array_equal(codes, [1, 0, np.nan, np.nan])


@pytest.mark.parametrize("cut", [1, 12, 29])
def test_counts_of_two_halves_of_a_portfolio_add_up_to_those_of_the_whole(cut: int) -> None:
    tables = random_tables(3, debtors=30)
    first = set(tables["debtors"]["debtor_id"].to_pylist()[:cut])
    halves = [of_debtors(tables, first, keep=keep) for keep in (True, False)]
    parts = [count(histories(half), until_us=to_us(AS_OF), config=CONFIG) for half in halves]
    whole = learn_reference(histories(tables), until_us=to_us(AS_OF), config=CONFIG)
    assert reference_of(parts, until_us=to_us(AS_OF), config=CONFIG) == whole


def of_debtors(tables: dict[str, pa.Table], debtors: set[str], *, keep: bool) -> dict[str, pa.Table]:
    """The rows of some debtors, or of all others."""
    owner = {row["claim_id"]: row["debtor_id"] for row in tables["claims"].to_pylist()}
    owner |= {row["contact_id"]: row["debtor_id"] for row in tables["contacts"].to_pylist()}
    keys = {"claim_events": "claim_id", "contact_events": "contact_id"}
    found = {}
    for name, table in tables.items():
        ids = table[keys.get(name, "debtor_id")].to_pylist()
        found[name] = table.filter(pa.array([(owner.get(one, one) in debtors) == keep for one in ids], pa.bool_()))
    return found


def test_a_sensitive_feature_is_seen_only_where_it_is_declared_lawful() -> None:
    assert unlawful(FeatureSettings(), CHANNELS) == ("age",)
    assert unlawful(FeatureSettings(lawful=("age",)), CHANNELS) == ()


def test_a_family_may_be_left_out_by_its_name() -> None:
    barred = unlawful(FeatureSettings(lawful=("age",), leave_out=("claims_{window}", "sector")), CHANNELS)
    assert barred == ("claims_30", "claims_90", "claims_365", "claims_ever", "sector")


def test_a_name_that_is_no_feature_is_refused() -> None:
    with pytest.raises(UnknownFeature, match="fortune: no feature of a debtor or claim"):
        unlawful(FeatureSettings(leave_out=("fortune",)), CHANNELS)
