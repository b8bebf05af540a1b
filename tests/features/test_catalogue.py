"""The list of features: one name each, one side each, one order everywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import numpy as np
import pytest

from data.schemas import SCHEMAS
from data.times import to_us
from features.catalogue import ACTION, Side, catalogue, claim_features, debtor_features, names
from features.claim import claim_columns
from features.debtor import debtor_columns
from features.export import feature_table
from features.reference import learn_reference
from tests.portfolios import CHANNELS, CONFIG, built, histories
from tests.strategies import START, random_tables

AS_OF = START + timedelta(days=320)
EVERY = catalogue(CHANNELS)
OTHER_SOURCES = {"grid", "calendar"}


def test_every_name_stands_once() -> None:
    assert len(set(names(EVERY))) == len(EVERY)


def test_every_feature_declares_one_side_and_the_sides_stand_in_order() -> None:
    assert {feature.side for feature in EVERY} == set(get_args(Side))
    assert {feature.side for feature in debtor_features(CHANNELS)} == {"debtor"}
    assert {feature.side for feature in claim_features()} == {"claim"}
    assert {feature.side for feature in ACTION} == {"action"}
    assert (*debtor_features(CHANNELS), *claim_features(), *ACTION) == EVERY


@pytest.mark.parametrize("feature", EVERY, ids=lambda feature: feature.name)
def test_every_feature_says_what_it_means_in_which_unit_and_from_which_tables(feature: object) -> None:
    meaning, unit, null = feature.meaning, feature.unit, feature.null  # type: ignore[attr-defined] # a Feature
    assert meaning
    assert unit
    assert null
    tables = set(feature.tables.split(", "))  # type: ignore[attr-defined] # a Feature
    assert tables <= set(SCHEMAS) | OTHER_SOURCES


def test_no_audit_column_is_a_feature() -> None:
    assert not [name for name in names(EVERY) if name.startswith("audit_")]


def test_the_columns_of_the_matrix_stand_in_the_order_of_the_catalogue() -> None:
    found = histories(random_tables(5))
    targets, rows = built(found, AS_OF)
    as_of_us = targets.as_of_us[targets.moment]
    reference = learn_reference(found, until_us=to_us(AS_OF))
    debtor = debtor_columns(found, targets.debtor, as_of_us=targets.as_of_us, reference=reference)
    claim = claim_columns(
        found,
        targets.claim,
        as_of_us=as_of_us,
        state=rows.state,
        outstanding_eur=rows.outstanding_eur,
        reference=reference,
    )
    sides = names(debtor_features(CHANNELS)), names(claim_features())
    assert rows.matrix.shape == (len(targets.claim), len(sides[0]) + len(sides[1]))
    assert set(debtor) | {"outstanding_all_log"} == set(sides[0])
    assert set(claim) == set(sides[1])
    for number, name in enumerate((*sides[0], *sides[1])):
        if name in debtor:
            np.testing.assert_array_equal(rows.matrix[:, number], debtor[name][targets.moment])
        elif name in claim:
            np.testing.assert_array_equal(rows.matrix[:, number], claim[name])


def test_the_exported_table_holds_every_debtor_and_claim_feature_and_words_for_codes() -> None:
    found = histories(random_tables(5))
    table = feature_table(found, np.arange(found.size), as_of_us=to_us(AS_OF), config=CONFIG)
    expected = names((*debtor_features(CHANNELS), *claim_features()))
    assert table.column_names == ["claim_id", "debtor_id", "as_of", *expected]
    assert set(table["country"].to_pylist()) <= set(found.country.tolist())
    assert set(table["last_channel"].to_pylist()) <= {None, *CHANNELS[1:]}
    assert set(table["as_of"].to_pylist()) == {AS_OF}
    _, rows = built(found, AS_OF)
    np.testing.assert_array_equal(
        table["outstanding_log"].to_numpy(), rows.matrix[:, expected.index("outstanding_log")]
    )


def test_a_grid_with_fewer_channels_has_the_same_features_less_those_of_the_channels() -> None:
    fewer = names(catalogue(("none", "sms", "letter")))
    assert set(fewer) < set(names(EVERY))
    assert not [name for name in fewer if name.endswith("_phone")]
