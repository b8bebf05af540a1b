"""Columns of decision rows, each made once as arrays: told as Arrow for tables, or as plain values for rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.online_decisions import DecisionRow
from data.schemas import BLOCKED, DECISION_SCHEMA, TIME
from data.times import IntArray, from_us
from models.words import Codes, words_of

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]

REASONS = DECISION_SCHEMA.field("reasons").type


class Column(Protocol):
    """One value for each row."""

    def arrow(self) -> pa.Array:
        """The values as Arrow holds them."""
        ...

    def plain(self) -> list[Any]:
        """The values as Python holds them, None for missing."""
        ...


@dataclass(frozen=True)
class DecisionColumns:
    """Every column of `DECISION_SCHEMA` by name."""

    columns: Mapping[str, Column]

    @property
    def table(self) -> pa.Table:
        """The rows as a table."""
        return pa.Table.from_arrays([self.columns[name].arrow() for name in _NAMES], schema=DECISION_SCHEMA)

    def rows(self) -> tuple[DecisionRow, ...]:
        """The same rows one by one, what is said of several written once and shared."""
        return tuple(map(DecisionRow._make, zip(*(self.columns[name].plain() for name in _NAMES), strict=True)))


_NAMES = tuple(DECISION_SCHEMA.names)


class Words(NamedTuple):
    """A word by its code, missing where the code is -1."""

    words: Sequence[str]
    codes: Codes

    def arrow(self) -> pa.Array:
        """Text."""
        return words_of(self.words, self.codes)

    def plain(self) -> list[str | None]:
        """Words."""
        words = [*self.words, None]  # which stands at -1
        return list(map(words.__getitem__, self.codes.tolist()))


class Texts(NamedTuple):
    """Texts that are there already."""

    texts: TextArray

    def arrow(self) -> pa.Array:
        """Text."""
        return pa.array(self.texts, pa.string())

    def plain(self) -> list[str]:
        """The texts."""
        found: list[str] = self.texts.tolist()
        return found


class Instants(NamedTuple):
    """Microseconds UTC, missing where negative."""

    instants_us: IntArray

    def arrow(self) -> pa.Array:
        """Times."""
        return pa.array(self.instants_us, pa.int64(), mask=self.instants_us < 0).view(TIME)

    def plain(self) -> list[Any]:
        """Aware times; the same one is made once."""
        each = self.instants_us.tolist()
        known = {instant: from_us(instant) if instant >= 0 else None for instant in set(each)}
        return list(map(known.__getitem__, each))


class Numbers(NamedTuple):
    """Numbers, missing where NaN."""

    values: FloatArray

    def arrow(self) -> pa.Array:
        """Double precision."""
        return pa.array(self.values, pa.float64(), from_pandas=True)

    def plain(self) -> list[float | None]:
        """Numbers."""
        return [None if value != value else value for value in self.values.tolist()]


class Flags(NamedTuple):
    """True or False, never missing."""

    values: BoolArray

    def arrow(self) -> pa.Array:
        """Booleans."""
        return pa.array(self.values)

    def plain(self) -> list[bool]:
        """True or False."""
        found: list[bool] = self.values.tolist()
        return found


class Pairs(NamedTuple):
    """Channels that are shut, each with its rule: what there is to say (k, C), codes in `rules`, negative where open; which of it, (m,)."""

    channels: Sequence[str]
    rules: tuple[str, ...]
    rule: Codes
    which: IntArray

    def arrow(self) -> pa.Array:
        """Lists of pairs."""
        rule = self.rule[self.which]
        row, channel = np.nonzero(rule >= 0)
        begin = np.zeros(len(rule) + 1, dtype=np.int32)
        np.cumsum(np.bincount(row, minlength=len(rule)), out=begin[1:])
        pair = [words_of(self.channels, channel), words_of(self.rules, rule[row, channel])]
        pairs = pa.StructArray.from_arrays(pair, fields=list(BLOCKED.value_type))
        return pa.ListArray.from_arrays(pa.array(begin), pairs, type=BLOCKED)

    def plain(self) -> list[list[dict[str, str]]]:
        """Lists of pairs; rows that say the same, as the claims of one debtor do, share theirs."""
        each = self.which.tolist()
        distinct = list(set(each))
        codes = list(map(tuple, self.rule[distinct].tolist()))
        told = {some: self._pairs(some) for some in set(codes)}
        known = dict(zip(distinct, map(told.__getitem__, codes), strict=True))
        return list(map(known.__getitem__, each))

    def _pairs(self, codes: Sequence[int]) -> list[dict[str, str]]:
        told = zip(self.channels, codes, strict=True)
        return [{"channel": channel, "rule": self.rules[code]} for channel, code in told if code >= 0]


class Reasons(NamedTuple):
    """Reasons of each debtor (n,) for its rows (m,); None where nobody asked for any."""

    of_debtor: Sequence[list[str]] | None
    moment: IntArray

    def arrow(self) -> pa.Array:
        """Lists of text, or nulls."""
        if self.of_debtor is None:
            return pa.nulls(len(self.moment), REASONS)
        return pa.array(self.of_debtor, REASONS).take(pa.array(self.moment))

    def plain(self) -> list[list[str] | None]:
        """Lists of text; those of one debtor are shared."""
        if self.of_debtor is None:
            return [None] * len(self.moment)
        return [self.of_debtor[debtor] for debtor in self.moment.tolist()]


def spans(moment: IntArray, size: int) -> list[tuple[int, int]]:
    """First row and end of each debtor's rows, (n,), where `moment` (m,) rises."""
    return list(pairwise(np.searchsorted(moment, np.arange(size + 1)).tolist()))
