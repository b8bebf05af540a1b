"""Histories as a few long arrays, one for each kind of number, so that what is put together often is copied in few steps.

What there is to pack is read off the class: its arrays, and its tables, which are tuples of arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from features._joining_kernels import weave

Array = npt.NDArray[Any]

DEBTORS, START = "debtors", "start"
OWNERS = {"claim_events": "claims", "covers": "contacts"}
"""What the `start` of a table counts, where that is not debtors."""

POINTERS = {("claims", "debtor"): DEBTORS, ("covers", "claim"): "claims", ("payments", "claim"): "claims"}
"""Columns that name rows of another kind."""

COPIED_AS = {"float64": "int64", "bool": "uint8"}
"""Numbers that are copied as whole numbers of their width."""


class Column(NamedTuple):
    """One array of histories: the table, "" for the histories' own, and what its entries count or name rows of, "" for nothing."""

    table: str
    name: str
    dtype: np.dtype[Any]
    rows: str
    names: str


class Layout(NamedTuple):
    """Columns that are copied as one kind of whole number.

    `rows` and `names` are places among the kinds of rows (debtors, each table, nothing) of each column's rows and of what it
    names; `lead` is 1 for a start.
    """

    kind: str
    columns: tuple[Column, ...]
    rows: IntArray
    names: IntArray
    lead: IntArray


@dataclass(frozen=True)
class Plan:
    """How histories are packed: the classes of their tables by name, and what is copied together."""

    tables: Mapping[str, type[Any]]
    layouts: tuple[Layout, ...]


@dataclass(frozen=True)
class Packed:
    """Numbers of histories, an array for each layout, column after column; `rows` counts debtors, then the rows of each table."""

    rows: tuple[int, ...]
    flat: tuple[Array, ...]


def plan_of(whole: type[Any]) -> Plan:
    """The plan for a class of histories."""
    hints = get_type_hints(whole)
    tables = {item.name: hints[item.name] for item in fields(whole) if hasattr(hints[item.name], "_fields")}
    place = {name: number for number, name in enumerate((DEBTORS, *tables, ""))}
    own = {name: hint for name, hint in hints.items() if name not in tables}
    found: dict[str, list[Column]] = {}
    for table, arrays in {"": own, **{name: get_type_hints(kind) for name, kind in tables.items()}}.items():
        for column in _columns(table, arrays):
            found.setdefault(COPIED_AS.get(column.dtype.name, column.dtype.name), []).append(column)
    return Plan(tables, tuple(_layout(kind, some, place) for kind, some in found.items()))


def _columns(table: str, arrays: Mapping[str, Any]) -> Iterator[Column]:
    """Arrays of numbers among what a class holds, by the types that it declares."""
    for name, hint in arrays.items():
        dtype = np.dtype(get_args(get_args(hint)[1])[0]) if get_origin(hint) is np.ndarray else np.dtype(np.object_)
        if dtype != np.object_:
            rows, names = table or DEBTORS, POINTERS.get((table, name), "")
            yield Column(table, name, dtype, *((OWNERS.get(table, DEBTORS), table) if name == START else (rows, names)))


def _layout(kind: str, columns: list[Column], place: Mapping[str, int]) -> Layout:
    return Layout(
        kind,
        tuple(columns),
        np.array([place[one.rows] for one in columns]),
        np.array([place[one.names] for one in columns]),
        np.array([int(one.name == START) for one in columns]),
    )


def packed(histories: Any, plan: Plan) -> Packed:  # noqa: ANN401 # of whatever class the plan is for
    """The numbers of histories, packed; a start without its first entry, which is 0."""
    flat = []
    for layout in plan.layouts:
        arrays = [
            getattr(getattr(histories, one.table) if one.table else histories, one.name) for one in layout.columns
        ]
        flat.append(
            np.concatenate(
                [
                    array[1:] if lead else array.view(layout.kind)
                    for array, lead in zip(arrays, layout.lead, strict=True)
                ]
            )
        )
    rows = (len(histories.debtor_id), *(len(getattr(histories, name)[1]) for name in plan.tables))
    return Packed(rows, tuple(flat))


def unpacked(parts: Sequence[Packed], plan: Plan) -> dict[str, dict[str, Array]]:
    """Arrays of all parts end to end, by table and name; what names or counts rows counts on from those of earlier parts."""
    rows = np.array([one.rows for one in parts])
    before = np.zeros((len(parts), rows.shape[1] + 1), dtype=np.int64)
    np.cumsum(rows[:-1], axis=0, out=before[1:, :-1])
    total = rows.sum(axis=0)
    found: dict[str, dict[str, Array]] = {name: {} for name in ("", *plan.tables)}
    for number, layout in enumerate(plan.layouts):
        lengths = total[layout.rows] + layout.lead
        ends = np.cumsum(lengths)
        flat = np.concatenate([one.flat[number] for one in parts])
        out = np.zeros(ends[-1], dtype=flat.dtype)
        weave(flat, rows[:, layout.rows], before[:, layout.names], ends - lengths + layout.lead, out)
        begin = 0
        for column, end in zip(layout.columns, ends.tolist(), strict=True):
            piece = out[begin:end]
            found[column.table][column.name] = piece if column.dtype == out.dtype else piece.view(column.dtype)
            begin = end
    return found
