"""Arrow columns from the simulator's arrays: instants, dates, money, codes, identifiers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.schemas import DATE, MONEY, TIME
from data.situation import BoolArray, CodeArray, FloatArray
from data.times import NEVER, NO_DAY, DayArray, IntArray


def instants(at_us: IntArray) -> pa.Array:
    """Instants, null where `NEVER`."""
    return pa.array(at_us, pa.int64(), mask=at_us == NEVER).cast(TIME)


def dates(day: DayArray) -> pa.Array:
    """Dates, null where `NO_DAY`."""
    return pa.array(day.astype(np.int32), pa.int32(), mask=day == NO_DAY).cast(DATE)


def money(cents: IntArray, *, missing: BoolArray | None = None) -> pa.Array:
    """Decimals from hundredths, null where `missing`."""
    words = np.stack([cents, cents >> 63], axis=1).astype("<i8")
    column = pa.Array.from_buffers(MONEY, len(cents), [None, pa.py_buffer(words.tobytes())])
    return column if missing is None else pc.if_else(pa.array(missing), pa.scalar(None, MONEY), column)


def words(codes: CodeArray | IntArray, names: Sequence[str]) -> pa.Array:
    """Texts by code, null where the code is below 0."""
    index = pa.array(codes.astype(np.int32), pa.int32(), mask=codes < 0)
    return pa.array(list(names), pa.string()).take(index)


def numbers(value: FloatArray) -> pa.Array:
    """Floats, null where NaN."""
    return pa.array(value, pa.float64(), mask=np.isnan(value))


def padded(prefix: str, number: IntArray, *, width: int) -> pa.Array:
    """Identifiers such as `d0000017`."""
    digits = pc.utf8_lpad(pa.array(number).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), digits, pa.scalar(""))


def joined(left: pa.Array, right: pa.Array) -> pa.Array:
    """Two identifiers with a hyphen between."""
    return pc.binary_join_element_wise(left, right, pa.scalar("-"))
