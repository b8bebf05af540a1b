"""Histories of several debtors put together: what `histories_of` would give of their portfolios in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np

from data.times import IntArray
from features.packing import Array, unpacked
from features.tables import Histories, plan

TEXTS = ("debtor_id", "claim_id", "language")
CODED = {
    "countries": (("", "country"),),
    "sectors": (("claims", "sector"),),
    "currencies": (("claims", "currency"), ("payments", "currency")),
    "creditors": (("claims", "creditor"),),
    "places": (("", "place"),),
}
"""Words of histories, and the columns of each table that hold codes of them."""


class NotApart(ValueError):
    """Histories that cannot stand one after another: of other grids, or of debtors that repeat or interleave."""


def joined(parts: Sequence[Histories]) -> Histories:
    """Histories of all debtors of some histories, in order of their identifiers.

    They are those of the joint portfolio, field by field, as long as no part speaks of another part's claims or contacts. A
    table is missing where it is missing from every part.

    Parameters
    ----------
    parts
        At least one, in any order; mostly of one debtor each, or of none.

    Raises
    ------
    NotApart
        There is no part, their channels differ, or their debtors repeat or interleave.
    """
    if len(parts) == 1:
        return parts[0]
    parts = _in_order(parts)
    packs = [one.packed for one in parts]
    arrays = unpacked(packs, plan())
    rows = dict(zip(("", *plan().tables), zip(*(one.rows for one in packs), strict=True), strict=True))
    words = {name: _Words.of([getattr(one, name) for one in parts], ordered=name != "places") for name in CODED}
    for name, one in words.items():
        for table, column in CODED[name]:
            arrays[table][column] = one.recoded(arrays[table][column], rows[table])
    found: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in parts]) for name in TEXTS}
    found |= {name: one.words for name, one in words.items()} | arrays[""]
    found |= {name: kind(**arrays[name]) for name, kind in plan().tables.items()}
    missing = tuple(name for name in parts[0].missing if all(name in one.missing for one in parts))
    return Histories(channels=parts[0].channels, missing=missing, **found)


def _in_order(parts: Sequence[Histories]) -> list[Histories]:
    """The parts in order of their debtors."""
    grids = {one.channels for one in parts}
    if len(grids) != 1:
        told = "; ".join(sorted(", ".join(one) for one in grids)) or "none"
        raise NotApart(f"expected one or more histories of one grid, came {len(parts)} of {len(grids)} grids: {told}")
    ordered = sorted(parts, key=lambda one: one.debtor_id[0] if one.size else "")
    for earlier, later in pairwise([name for one in ordered for name in one.debtor_id.tolist()]):
        if earlier >= later:
            raise NotApart(
                f"expected each debtor in one part and parts that do not interleave, came '{later}' after '{earlier}': "
                "join histories of one debtor each"
            )
    return ordered


@dataclass(frozen=True)
class _Words:
    """Words of all parts; `code[first[i] + k]` is what code k of part i becomes, both None where every code stays."""

    words: tuple[Any, ...]
    code: IntArray | None
    first: IntArray | None

    @staticmethod
    def of(words: list[tuple[Any, ...]], *, ordered: bool) -> _Words:
        """Words in their order, or else in that in which they first come."""
        if all(one == words[0] for one in words):
            return _Words(words[0], None, None)
        every = tuple(sorted({*chain(*words)})) if ordered else tuple(dict.fromkeys(chain(*words)))
        index = {word: number for number, word in enumerate(every)}
        code: list[int] = []
        first: list[int] = []
        for one in words:
            code.append(-1)  # what stands for a null, before and after
            first.append(len(code))
            code.extend(map(index.__getitem__, one))
        return _Words(every, np.array(code), np.array(first))

    def recoded(self, codes: Array, rows: Sequence[int]) -> Array:
        """Codes of the parts end to end, so many `rows` of each, as codes of all words."""
        if self.code is None or self.first is None:
            return codes
        found: Array = self.code[codes + np.repeat(self.first, rows)]
        return found
