"""Whose claims the decisions were about: creditors of claims, and of the claims that a contact covered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.portfolio import Portfolio
from data.times import IntArray

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Creditors:
    """Creditors of the portfolio by name, in order, and the creditor of each claim of the log, shape (claims,)."""

    name: tuple[str, ...]
    of_claim: IntArray


@dataclass(frozen=True)
class Cover:
    """Which creditors' claims something covered, one entry per claim covered: its row there, and the creditor."""

    row: IntArray
    creditor: IntArray

    def share(self, creditor: int, size: int) -> FloatArray:
        """Share of the claims covered that are the creditor's, shape (size,); 0 where none is.

        >>> Cover(np.array([0, 0, 1]), np.array([4, 7, 7])).share(7, 3).tolist()
        [0.5, 1.0, 0.0]
        """
        theirs = np.bincount(self.row[self.creditor == creditor], minlength=size)
        return theirs / np.maximum(np.bincount(self.row, minlength=size), 1)

    def only(self, kept: BoolArray) -> Cover:
        """The same for the rows kept, shape (size,), numbered anew."""
        place = np.cumsum(kept) - 1
        here = kept[self.row]
        return Cover(place[self.row[here]], self.creditor[here])


def creditors_of(portfolio: Portfolio, claim_id: pa.Array) -> Creditors:
    """Creditors of the portfolio's claims; those of claims that the portfolio does not have are -1."""
    name = tuple(sorted(portfolio["claims"]["creditor_id"].unique().to_pylist()))
    return Creditors(name, creditor_rows(portfolio, claim_id, name=name))


def creditor_rows(portfolio: Portfolio, claim_id: pa.Array | pa.ChunkedArray, *, name: tuple[str, ...]) -> IntArray:
    """Row in `name` of each claim's creditor, -1 where the portfolio does not have the claim."""
    claims = portfolio["claims"]
    names = pc.index_in(claims["creditor_id"], value_set=pa.array(name, pa.string()))
    of_claim = np.append(names.to_numpy(zero_copy_only=False).astype(np.int64), -1)
    row = pc.fill_null(pc.index_in(claim_id, value_set=claims["claim_id"].combine_chunks()), -1)
    found: IntArray = of_claim[row.to_numpy(zero_copy_only=False).astype(np.int64)]
    return found
