"""A page's numbers for programs: JSON and CSV, the same in every language."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from data.times import from_us
from training.reports.blocks import (
    Block,
    Chart,
    Moment,
    Name,
    Note,
    Page,
    Quantity,
    Said,
    Section,
    Table,
    Text,
    Tiles,
    Verdict,
)

HEAD = ("section", "block", "row", "column", "kind", "value", "low", "high", "withheld")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Beginnings that a spreadsheet takes for a formula."""

Line = tuple[str, str, str, str, str, object, object, object, object]


def as_json(page: Page) -> dict[str, Any]:
    """Every number and word of a page, words as keys of the catalogue with what fills them."""
    return {
        "name": page.name,
        "title": _plain(page.title),
        "creditor": page.creditor,
        "known_until": _iso(page.known_until_us),
        "decided": None if page.span_us is None else [_iso(one) for one in page.span_us],
        "verdict": None if page.verdict is None else _verdict(page.verdict),
        "sections": [_section(section) for section in page.sections],
    }


def as_csv(page: Page) -> str:
    """One line for each number or word of tables, charts and tiles.

    A name that a spreadsheet would take for a formula has an apostrophe before it.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(HEAD)
    for section in page.sections:
        for block in section.blocks:
            lines.writerows(tuple(guarded(cell) for cell in line) for line in _lines(section.key, block))
    return text.getvalue()


def guarded(cell: object) -> object:
    """A cell that no spreadsheet computes.

    >>> guarded("=cmd()"), guarded(-1.5), guarded("k-energy")
    ("'=cmd()", -1.5, 'k-energy')
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _verdict(verdict: Verdict) -> dict[str, Any]:
    words = {"headline": verdict.headline, "sentence": verdict.sentence, "advice": verdict.advice}
    return {"code": verdict.code, "mood": str(verdict.mood), **{name: _plain(text) for name, text in words.items()}}


def _section(section: Section) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": _plain(section.title),
        "definitions": list(section.definitions),
        "blocks": [_block(block) for block in section.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Table():
            return _table(block)
        case Chart():
            return _chart(block)
        case Tiles():
            tiles = [
                {"name": _plain(one.name), "said": _plain(one.said), "more": _plain(one.more)} for one in block.tiles
            ]
            return {"block": "tiles", "tiles": tiles}
        case Note():
            return {"block": "note", "caution": block.caution, "text": _plain(block.text)}


def _table(table: Table) -> dict[str, Any]:
    columns = [column.key for column in table.columns]
    rows = [
        {"key": row.key, "title": _plain(row.title), "cells": dict(zip(columns, map(_plain, row.cells), strict=True))}
        for row in table.rows
    ]
    return {"block": "table", "key": table.key, "caption": _plain(table.caption), "rows": rows}


def _chart(chart: Chart) -> dict[str, Any]:
    series = [
        {
            "key": one.key,
            "title": _plain(one.title),
            "points": [{"at": _place(point.at), **_quantity(point.quantity)} for point in one.points],
        }
        for one in chart.series
    ]
    return {
        "block": "chart",
        "key": chart.key,
        "shape": str(chart.shape),
        "title": _plain(chart.title),
        "series": series,
    }


def _lines(section: str, block: Block) -> Iterator[Line]:
    match block:
        case Table():
            for row in block.rows:
                for column, said in zip(block.columns, row.cells, strict=True):
                    yield section, block.key, row.key, column.key, *_cells(said)
        case Chart():
            for series in block.series:
                for point in series.points:
                    yield section, block.key, str(_flat(point.at)), series.key, *_cells(point.quantity)
        case Tiles():
            for tile in block.tiles:
                yield section, "tiles", tile.name.key, "value", *_cells(tile.said)
        case Note():
            return


def _cells(said: Said | None) -> tuple[str, object, object, object, object]:
    if isinstance(said, Quantity):
        ends = (said.value, said.low, said.high)
        value, low, high = ("" if one is None or said.withheld else _rounded(one) for one in ends)
        return str(said.kind), value, low, high, int(said.withheld)
    return "word", _flat(said), "", "", 0


def _flat(said: Said | float | None) -> object:
    match said:
        case None:
            return ""
        case Text():
            return said.key
        case Name():
            return said.text
        case Moment():
            return _iso(said.us)
        case date():
            return said.isoformat()
        case _:
            return said


def _place(at: float | date | Text | Name) -> object:
    return at if isinstance(at, int | float) else _plain(at)


def _plain(said: Said | None) -> object:
    match said:
        case Quantity():
            return _quantity(said)
        case Text():
            return {"text": said.key, **({"values": _values(said.values)} if said.values else {})}
        case _:
            return _flat(said) if said is not None else None


def _values(values: Mapping[str, Said]) -> dict[str, object]:
    return {name: _plain(value) for name, value in values.items()}


def _quantity(found: Quantity) -> dict[str, object]:
    """A number with its interval; nothing of it where it is withheld."""
    if found.withheld:
        return {"kind": str(found.kind), "value": None, "withheld": True}
    ends = (
        {} if found.low is None and found.high is None else {"low": _rounded(found.low), "high": _rounded(found.high)}
    )
    return {"kind": str(found.kind), "value": _rounded(found.value), **ends}


def _rounded(value: float | None) -> float | None:
    """To six decimals: what follows is noise of the computation."""
    return None if value is None else round(value, 6)


def _iso(us: int) -> str:
    return from_us(us).isoformat()
