"""Columns read as they lie in memory: the values that Arrow itself tells, wherever a slice begins and whatever is null."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.schemas import DATE, FLAG, MONEY, TEXT, TIME
from data.times import NEVER, NO_DAY
from features.columns import amounts, codes, days, flags, instants, rows_of, texts, told_instants, worded
from features.columns import given as values_given

WORDS = ("sms", "email", "letter")
EPOCH, FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC), date(1970, 1, 1)
CELLS = st.lists(st.none() | st.integers(0, 40), max_size=40)


@st.composite
def slices(draw: st.DrawFn) -> tuple[pa.Table, list[int | None]]:
    """A slice of a table with a column of each kind, in one chunk or two, and what stands in its rows."""
    cells = draw(CELLS)
    table = table_of(cells)
    if draw(st.booleans()):
        middle = len(cells) // 2
        table = pa.concat_tables([table.slice(0, middle), table.slice(middle)])
    first = draw(st.integers(0, len(cells)))
    count = draw(st.integers(0, len(cells) - first))
    return table.slice(first, count), cells[first : first + count]


def table_of(cells: list[int | None]) -> pa.Table:
    def column(kind: pa.DataType, values: list[object]) -> pa.Array:
        told = [None if cell is None else value for cell, value in zip(cells, values, strict=True)]
        return pa.array(told, kind)

    numbers = [cell or 0 for cell in cells]
    return pa.table(
        {
            "at": column(TIME, [EPOCH + timedelta(seconds=one) for one in numbers]),
            "day": column(DATE, [FIRST_DAY + timedelta(days=one) for one in numbers]),
            "amount": column(MONEY, [Decimal(one) / 4 for one in numbers]),
            "flag": column(FLAG, [one % 2 == 1 for one in numbers]),
            "word": column(TEXT, [(*WORDS, "fax")[one % 4] for one in numbers]),
        }
    )


@settings(max_examples=200, deadline=None)
@given(case=slices())
def test_every_kind_of_column_is_what_its_cells_say(case: tuple[pa.Table, list[int | None]]) -> None:
    table, cells = case
    assert instants(table, "at").tolist() == [NEVER if one is None else one * 1_000_000 for one in cells]
    assert instants(table, "at", missing=0).tolist() == [(one or 0) * 1_000_000 for one in cells]
    assert days(table, "day").tolist() == [NO_DAY if one is None else one for one in cells]
    assert amounts(table, "amount").tolist() == pytest.approx(
        [np.nan if one is None else one / 4 for one in cells], nan_ok=True
    )
    assert flags(table, "flag").tolist() == [one is not None and one % 2 == 1 for one in cells]
    assert values_given(table, "flag").tolist() == [one is not None for one in cells]
    assert codes(table, "word", WORDS).tolist() == [-1 if one is None or one % 4 == 3 else one % 4 for one in cells]
    assert texts(table, "word").tolist() == table["word"].to_pylist()


@settings(max_examples=50, deadline=None)
@given(case=slices())
def test_words_are_in_order_and_codes_lead_back_to_them(case: tuple[pa.Table, list[int | None]]) -> None:
    table, _ = case
    words, code = worded(table["word"])
    assert list(words) == sorted({one for one in table["word"].to_pylist() if one is not None})
    assert [None if one < 0 else words[one] for one in code] == table["word"].to_pylist()


def test_what_is_read_can_be_written_to_and_leaves_the_table_as_it_was() -> None:
    table = table_of([1, 2, 3])
    for read in (instants(table, "at"), days(table, "day"), amounts(table, "amount"), flags(table, "flag")):
        read[:] = 0
    assert table.equals(table_of([1, 2, 3]))


def test_a_value_among_no_keys_and_no_value_at_all_have_no_row() -> None:
    words, nothing = pa.chunked_array([["sms", "email"]]), pa.chunked_array([pa.nulls(2, TEXT)])
    assert rows_of(words, pa.array([], TEXT)).tolist() == [-1, -1]
    assert rows_of(nothing, pa.array(["sms"])).tolist() == [-1, -1]
    assert rows_of(words, pa.array(["email"])).tolist() == [-1, 0]


def test_a_fact_told_before_it_happened_counts_as_known_at_once() -> None:
    table = pa.table({"known_at": pa.array([EPOCH, EPOCH + timedelta(seconds=9), None], TIME)})
    assert told_instants(table, np.array([5_000_000] * 3)).tolist() == [5_000_000, 9_000_000, 5_000_000]
