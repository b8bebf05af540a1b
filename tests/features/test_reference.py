"""The reference: learnt from the past only, the same after a round trip through JSON."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest

from data.times import to_us
from features.reference import Reference, code_of, learn_reference
from tests.features import naive
from tests.portfolios import CHANNELS, histories
from tests.strategies import START, random_tables

AS_OF = START + timedelta(days=250)


def learnt(seed: int) -> Reference:
    return learn_reference(histories(random_tables(seed, debtors=30)), until_us=to_us(AS_OF))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_reference_survives_json(seed: int) -> None:
    reference = learnt(seed)
    assert Reference.from_dict(json.loads(json.dumps(reference.as_dict()))) == reference


@pytest.mark.parametrize("seed", [1, 2])
def test_rates_lie_between_zero_and_one_and_shares_sum_to_one(seed: int) -> None:
    reference = learnt(seed)
    for rates in (reference.reach_rate, reference.response_rate):
        assert len(rates) == len(CHANNELS)
        assert 0 <= min(rates) <= max(rates) <= 1
    assert 0 <= min(reference.reach_part) <= max(reference.reach_part) <= 1
    for shares in (reference.response_part, reference.payment_part):
        assert min(shares) > 0
        assert sum(shares) == pytest.approx(1)


def test_response_rates_are_first_responses_over_contacts_made_before() -> None:
    tables = random_tables(7, debtors=30)
    past = naive.Past.of(tables, AS_OF)
    reference = learn_reference(histories(tables), until_us=to_us(AS_OF))
    ids = [row["debtor_id"] for row in tables["debtors"].to_pylist()]
    contacts = [row for who in ids for row in past.contacts(who)]
    responses = [row for who in ids for row in naive.firsts(past.responses(who), ("clicked", "answered"))]
    for code, channel in enumerate(CHANNELS[1:], start=1):
        made = sum(row["channel"] == channel for row in contacts)
        met = sum(row["channel"] == channel for row in responses)
        assert reference.response_rate[code] == pytest.approx(min(met / max(made, 1), 1.0))


def test_every_category_feature_has_its_words() -> None:
    reference = learnt(1)
    assert set(reference.words()) == {"country", "sector", "employment", "last_channel", "channel"}
    assert reference.countries == tuple(sorted(reference.countries))


def test_a_word_that_was_never_learnt_has_no_code() -> None:
    codes = code_of(np.array(["b", "a", "new", None], dtype=object), ("a", "b"))
    np.testing.assert_array_equal(codes, [1, 0, np.nan, np.nan])
