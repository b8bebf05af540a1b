"""Columns of decision rows: what Arrow holds and what Python holds are the same values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from data.schemas import BLOCKED, TIME
from data.times import to_us
from models import columns
from models.columns import Column, Flags, Instants, Numbers, Pairs, Reasons, Texts, Words, spans
from models.decide import decide
from models.decision_rows import decision_columns
from models.prepare import Asks
from tests.deciding import PACKS, FormulaModel, arms, asks_of, bundle_of, by_everything
from tests.decisions_kept import rows_of
from tests.portfolios import histories
from tests.strategies import START, random_tables

SIZES = (0, 1, 600)
COLUMNS: dict[str, tuple[Callable[[np.random.Generator, int], Column], pa.DataType]] = {
    "words": (lambda rng, size: Words(("sms", "påminnelse", ""), rng.integers(-1, 3, size)), pa.string()),
    "texts": (lambda rng, size: Texts(np.array([f"c{n}" for n in range(size)], dtype=object)), pa.string()),
    "instants": (lambda rng, size: Instants(rng.integers(-5, 2**50, size)), TIME),
    "numbers": (lambda rng, size: Numbers(np.where(rng.random(size) < 0.3, np.nan, rng.random(size))), pa.float64()),
    "flags": (lambda rng, size: Flags(rng.random(size) < 0.5), pa.bool_()),
    "pairs": (
        lambda rng, size: Pairs(("sms", "phone"), ("a", "b"), rng.integers(-1, 2, (7, 2)), rng.integers(0, 7, size)),
        BLOCKED,
    ),
    "reasons": (
        lambda rng, size: Reasons([["x", "y"], []], rng.integers(0, 2, size)),
        columns.REASONS,
    ),
    "no reasons": (lambda rng, size: Reasons(None, np.zeros(size, dtype=np.int64)), columns.REASONS),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", COLUMNS)
def test_arrow_and_python_hold_the_same_values(name: str, size: int) -> None:
    make, kind = COLUMNS[name]
    column = make(np.random.default_rng(size), size)
    told = column.arrow()
    assert told.type == kind
    assert told.to_pylist() == column.plain()
    assert len(column.plain()) == size


def test_missing_values_are_none() -> None:
    assert Words(("sms",), np.array([0, -1])).plain() == ["sms", None]
    assert Numbers(np.array([0.5, np.nan])).plain() == [0.5, None]
    assert Instants(np.array([0, -1])).plain() == [datetime(1970, 1, 1, tzinfo=UTC), None]


def test_each_row_has_the_pairs_of_its_own_codes() -> None:
    codes, which = np.array([[0, -1], [-1, -1], [1, 0], [0, -1]]), np.array([3, 1, 2, 0])
    found = Pairs(("sms", "phone"), ("quiet", "blocked"), codes, which).plain()
    sms, phone = {"channel": "sms", "rule": "quiet"}, {"channel": "phone", "rule": "quiet"}
    assert found == [[sms], [], [{"channel": "sms", "rule": "blocked"}, phone], [sms]]
    assert found[0] is found[3]


def test_the_rows_are_those_of_the_table() -> None:
    met = set()
    for seed in range(6):
        found = histories(random_tables(seed))
        asks = asks_of(found, START + timedelta(days=200, hours=6))
        config = arms(control=0.2, explore=0.3, champion=0.5)
        decided = decide(
            found, asks, champion=bundle_of(found, FormulaModel(by_everything)), config=config, packs=PACKS
        )
        columns_of = decision_columns(decided, packs_version="r1")
        assert columns_of.rows() == rows_of(columns_of.table)
        met |= {row.channel for row in columns_of.rows()}
    assert len(met) > 1


def test_a_debtor_without_rows_has_an_empty_span() -> None:
    assert spans(np.array([0, 0, 2]), 4) == [(0, 2), (2, 2), (2, 3), (3, 3)]


def test_reasons_are_no_trouble_where_a_debtor_has_no_open_claim() -> None:
    found = histories(random_tables(3))
    every = np.arange(len(found.debtor_id))
    asks = Asks(every, np.full(len(every), to_us(START + timedelta(days=1, hours=6))))
    bundle = bundle_of(found, FormulaModel(by_everything))
    decided = decide(found, asks, champion=bundle, config=arms(champion=1.0), packs=PACKS)
    assert len(set(decided.prepared.targets.moment.tolist())) < len(asks.debtor)
    told = decision_columns(decided, packs_version="r1", explain=True).rows()
    assert all(row.reasons is not None for row in told)
