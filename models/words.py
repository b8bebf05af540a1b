"""Columns of words from codes, as Arrow holds them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.times import IntArray
from models._word_kernels import spelled

Codes = npt.NDArray[np.integer]
Letters = npt.NDArray[np.uint8]


def words_of(words: Sequence[str], codes: Codes) -> pa.Array:
    """A word for each code, null where the code is negative.

    >>> words_of(("sms", "letter"), np.array([1, -1, 0])).to_pylist()
    ['letter', None, 'sms']
    """
    start, letters = _known(words) if isinstance(words, tuple) else _letters(words)
    begin, told = spelled(codes.astype(np.int64), start, letters)
    known = codes >= 0
    nulls = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.StringArray.from_buffers(len(codes), pa.py_buffer(begin), pa.py_buffer(told), nulls)


@lru_cache(maxsize=256)
def _known(words: tuple[str, ...]) -> tuple[IntArray, Letters]:
    """Vocabularies are asked for again and again."""
    return _letters(words)


def _letters(words: Sequence[str]) -> tuple[IntArray, Letters]:
    """Where each word begins and the last ends, and all letters in UTF-8."""
    spelt = [word.encode() for word in words]
    start = np.zeros(len(spelt) + 1, dtype=np.int64)
    np.cumsum([len(word) for word in spelt], out=start[1:])
    return start, np.frombuffer(b"".join(spelt), dtype=np.uint8)
