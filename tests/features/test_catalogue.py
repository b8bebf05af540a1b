"""The list of features: one name each, one side each, one order everywhere."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import numpy as np
import pytest

from data.schemas import SCHEMAS
from data.times import to_us
from features.catalogue import (
    FAMILIES,
    Side,
    action_features,
    catalogue,
    claim_features,
    debtor_features,
    layout,
    names,
)
from features.export import feature_table
from features.places import ClaimPlaces, DebtorPlaces, claim_places, debtor_places
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
    assert {feature.side for feature in action_features()} == {"action"}
    assert (*debtor_features(CHANNELS), *claim_features(), *action_features()) == EVERY


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


@pytest.mark.parametrize("side", ["debtor", "claim", "action"])
def test_the_layout_of_a_side_covers_its_columns_in_order_and_names_each_family_once(side: Side) -> None:
    columns = [feature for feature in EVERY if feature.side == side]
    end = 0
    for name, begin, stop, shape in layout(side, CHANNELS):
        assert begin == end
        assert stop - begin == np.prod(shape)
        assert {feature.family for feature in columns[begin:stop]} == {name}
        end = stop
    assert end == len(columns)
    assert len({family.name for family in FAMILIES[side]}) == len(FAMILIES[side])


@pytest.mark.parametrize(("side", "places"), [("debtor", debtor_places(CHANNELS)), ("claim", claim_places())])
def test_a_family_is_written_where_the_catalogue_has_it(side: Side, places: DebtorPlaces | ClaimPlaces) -> None:
    assert places._fields == tuple(re.sub("[{}]", "", family.name) for family in FAMILIES[side])
    assert tuple(places) == tuple(begin for _, begin, _, _ in layout(side, CHANNELS))


def test_the_exported_table_holds_every_debtor_and_claim_feature_and_words_for_codes() -> None:
    found = histories(random_tables(5))
    reference = learn_reference(found, until_us=to_us(AS_OF), config=CONFIG)
    table = feature_table(found, as_of_us=to_us(AS_OF), reference=reference, rates=CONFIG.rates)
    expected = names((*debtor_features(CHANNELS), *claim_features()))
    assert table.column_names == ["claim_id", "debtor_id", "as_of", *expected]
    assert set(table["country"].to_pylist()) <= set(found.countries)
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
