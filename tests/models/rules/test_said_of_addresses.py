"""From tables to the mask: no row that says something against an address ever opens a contact, and which contacts it shuts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.action_grid import ActionGrid
from data.config import GridSettings
from features.situation import situation_of
from models.rules.mask import Mask, contact_mask
from models.rules.pack import Packs, read_packs
from tests.dense_packs import dense_packs
from tests.portfolios import built, histories
from tests.samples import rows_to_table
from tests.small_service import NOW, small_tables
from tests.strategies import DAYS, START, random_tables

GRID = ActionGrid.of(GridSettings())
PACKS = read_packs()
DENSE = dense_packs()
Tables = dict[str, pa.Table]
Row = dict[str, Any]
AGAINST: tuple[Row, ...] = (
    {"consent": "withdrawn"},
    {"kind": "may_be_childs"},
    {"kind": "shared"},
    {"kind": "work"},
    {"verified": False, "verified_at": None},
)


def masked(tables: Tables, as_of: datetime, packs: Packs = PACKS) -> Mask:
    """What the rules leave of every debtor's actions."""
    found = histories(tables)
    targets, rows = built(found, as_of)
    return contact_mask(situation_of(found, targets, rows=rows), grid=GRID, packs=packs)


def with_point(tables: Tables, row: Row) -> Tables:
    """The tables and one more row of a contact point."""
    return tables | {
        "contact_points": pa.concat_tables([tables["contact_points"], rows_to_table("contact_points", [row])])
    }


@pytest.mark.parametrize("packs", [PACKS, DENSE], ids=["shipped", "dense"])
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    day=st.integers(90, DAYS - 10),
    word=st.sampled_from(AGAINST),
    keyed=st.booleans(),
    back_days=st.integers(-3, 60),
)
def test_a_further_row_with_a_word_against_an_address_never_opens_an_action(
    packs: Packs, seed: int, day: int, word: Row, keyed: bool, back_days: int
) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    points = tables["contact_points"].to_pylist()
    point = points[seed % len(points)]
    begun = as_of - timedelta(days=back_days)
    # It says nothing else that could open the channel by itself: its own period is over when it begins.
    said = {
        **point,
        **word,
        "valid_from": begun,
        "valid_to": begun,
        "address_key": point["address_key"] if keyed else None,
    }
    before, after = masked(tables, as_of, packs), masked(with_point(tables, said), as_of, packs)
    assert (after.allowed <= before.allowed).all()
    assert (after.covered == before.covered).all()


POINT: Row = {"debtor_id": "s1", "channel": "sms", "verified": True, "consent": "given", "kind": "private"}


def of_s1(*rows: Row, as_of: datetime = NOW) -> tuple[set[str], dict[str, str]]:
    """Open channels of the small service's debtor, to whose points (SMS, e-mail, phone, without keys) some are added; and reasons."""
    tables = small_tables()
    for row in rows:
        tables = with_point(tables, POINT | row)
    mask, row = masked(tables, as_of), sorted(tables["debtors"]["debtor_id"].to_pylist()).index("s1")
    channels = {GRID.channels[code] for code in np.unique(GRID.channel[mask.allowed[row]])} - {"none"}
    return channels, dict(mask.blocked(row))


@pytest.mark.parametrize(
    ("word", "rule"),
    [({"consent": "withdrawn"}, "consent_withdrawn"), ({"kind": "may_be_childs"}, "point_not_private")],
)
def test_a_word_against_the_address_shuts_its_channel_from_its_day_on_and_gives_its_rule(word: Row, rule: str) -> None:
    said = word | {"valid_from": NOW - timedelta(days=3)}
    channels, reasons = of_s1(said)
    assert (channels, reasons["sms"]) == ({"email", "phone"}, rule)
    assert of_s1(said, as_of=NOW - timedelta(days=3))[0] == channels
    assert of_s1(said, as_of=NOW - timedelta(days=3, microseconds=1))[0] == {"sms", "email", "phone"}
    ended = of_s1(said | {"valid_to": NOW - timedelta(days=2)})
    assert ended == (channels, reasons)


def test_a_later_row_opens_the_channel_again() -> None:
    word = {"consent": "withdrawn", "valid_from": NOW - timedelta(days=3)}
    assert of_s1(word, {"valid_from": NOW - timedelta(days=2)})[0] == {"sms", "email", "phone"}
    assert of_s1(word, {"valid_from": NOW - timedelta(days=3)})[0] == {"email", "phone"}
