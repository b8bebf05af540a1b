"""Columns of words hold the word of each code, whatever alphabet, and null where there is none."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.words import words_of


@given(words=st.lists(st.text(max_size=6), min_size=1, max_size=8), data=st.data(), kept=st.booleans())
def test_each_code_has_its_word(words: list[str], data: st.DataObject, kept: bool) -> None:
    codes = data.draw(st.lists(st.integers(-1, len(words) - 1), max_size=20))
    column = words_of(tuple(words) if kept else words, np.array(codes, dtype=np.int16))
    column.validate(full=True)
    assert column.type == pa.string()
    assert column.to_pylist() == [words[code] if code >= 0 else None for code in codes]


@pytest.mark.parametrize("size", [0, 1, 9])
def test_a_column_without_any_word_is_all_null(size: int) -> None:
    column = words_of((), np.full(size, -1))
    assert column.null_count == len(column) == size
