"""The portfolio as it stood when the service started, in an order in which one debtor's rows are found at once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.portfolio import Portfolio
from data.schemas import SCHEMAS
from data.times import IntArray


@dataclass(frozen=True)
class _Lookup:
    """Values in rising order, and the row in which each stood; found by halving."""

    values: pa.Array
    row: IntArray

    @staticmethod
    def of(column: pa.ChunkedArray) -> _Lookup:
        order = pc.sort_indices(column)
        return _Lookup(_one_chunk(column.take(order)), order.to_numpy().astype(np.int64))

    def find(self, value: str) -> int | None:
        """Row of a value, None where it is not there."""
        at = bisect_left(range(len(self.values)), value, key=lambda index: self.values[index].as_py())
        return int(self.row[at]) if at < len(self.values) and self.values[at].as_py() == value else None


@dataclass(frozen=True)
class BasePortfolio:
    """A portfolio's tables sorted by debtor; `start[table][i]` is the first row of debtor i, shape (debtors + 1,).

    `given` names the tables that were handed over; rows whose debtor, claim or contact is not known are left out.
    """

    tables: Mapping[str, pa.Table]
    start: Mapping[str, IntArray]
    given: frozenset[str]
    _debtors: _Lookup
    _owners: Mapping[str, tuple[_Lookup, IntArray]]
    digest: str = ""

    @staticmethod
    def of(portfolio: Portfolio, *, digest: str = "") -> BasePortfolio:
        """Sorts the tables of a portfolio once; `digest` tells it from others."""
        debtors = portfolio["debtors"]["debtor_id"]
        owner = {name: _owner(portfolio, name, debtors) for name in SCHEMAS}
        tables, start = {}, {}
        for name, of_row in owner.items():
            order = np.argsort(of_row, kind="stable")
            order = order[of_row[order] >= 0]
            tables[name] = portfolio[name].select(list(SCHEMAS[name].names)).take(pa.array(order)).combine_chunks()
            start[name] = np.searchsorted(of_row[order], np.arange(len(debtors) + 1)).astype(np.int64)
        owners = {
            name: (_Lookup.of(portfolio[name][key]), owner[name])
            for name, key in (("claims", "claim_id"), ("contacts", "contact_id"), ("payments", "payment_id"))
        }
        return BasePortfolio(tables, start, portfolio.given, _Lookup.of(debtors), owners, digest)

    @property
    def size(self) -> int:
        """Number of debtors."""
        return int(self.tables["debtors"].num_rows)

    def owing(self, most: int) -> list[str]:
        """Some debtors with a claim that is not closed."""
        claims = self.tables["claims"]
        found: list[str] = (
            claims.filter(pc.is_null(claims["closed_at"]))["debtor_id"].unique().slice(0, most).to_pylist()
        )
        return found

    def knows(self, debtor_id: str) -> bool:
        """True where the debtor has a row."""
        return self._debtors.find(debtor_id) is not None

    def rows(self, table: str, debtor_id: str) -> pa.Table:
        """Rows of one table that belong to a debtor; none for a debtor that is not known."""
        first, last = self.spans(debtor_id)[table]
        return self.tables[table].slice(first, last - first)

    def spans(self, debtor_id: str) -> dict[str, tuple[int, int]]:
        """First row of a debtor, and the one after the last, in every table."""
        debtor = self._debtors.find(debtor_id)
        if debtor is None:
            return dict.fromkeys(self.tables, (0, 0))
        return {name: (int(start[debtor]), int(start[debtor + 1])) for name, start in self.start.items()}

    def debtor_named(self, table: str, key: str) -> str | None:
        """Debtor of a claim, contact or payment by its identifier; None where it is not known."""
        lookup, owner = self._owners[table]
        row = lookup.find(key)
        if row is None or owner[row] < 0:
            return None
        debtor_id: str = self.tables["debtors"]["debtor_id"][int(owner[row])].as_py()
        return debtor_id


def _owner(portfolio: Portfolio, table: str, debtors: pa.ChunkedArray) -> IntArray:
    """Debtor of each row of a table as its row in `debtors`, -1 where it is not known, shape (rows,)."""
    if table == "claim_events":
        return _through(portfolio, table, "claim_id", parent="claims", debtors=debtors)
    if table == "contact_events":
        return _through(portfolio, table, "contact_id", parent="contacts", debtors=debtors)
    return _positions(portfolio[table]["debtor_id"], debtors)


def _through(portfolio: Portfolio, table: str, column: str, *, parent: str, debtors: pa.ChunkedArray) -> IntArray:
    above = _owner(portfolio, parent, debtors)
    row = _positions(portfolio[table][column], portfolio[parent][column])
    return np.where(row >= 0, above[row] if len(above) else -1, -1)


def _positions(values: pa.ChunkedArray, keys: pa.ChunkedArray) -> IntArray:
    found = pc.fill_null(pc.index_in(values, value_set=keys), -1)
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
