"""Parts of a page by their keys, and all words it says."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from training.reports.blocks import Chart, Page, Quantity, Row, Table, Text
from training.reports.site.catalogue import LANGUAGES, the_catalogue
from training.reports.site.reader import reader_of


def table(page: Page, key: str) -> Table:
    return next(b for s in page.sections for b in s.blocks if isinstance(b, Table) and b.key == key)


def chart(page: Page, key: str) -> Chart:
    return next(b for s in page.sections for b in s.blocks if isinstance(b, Chart) and b.key == key)


def row(found: Table, key: str) -> Row:
    return next(one for one in found.rows if one.key == key)


def cell(found: Table, name: str, column: str) -> Any:
    return row(found, name).cells[[one.key for one in found.columns].index(column)]


def number(found: Table, name: str, column: str) -> Quantity:
    said = cell(found, name, column)
    assert isinstance(said, Quantity)
    return said


def parts(said: Any) -> Iterator[Any]:
    """Everything a page is made of."""
    yield said
    if dataclasses.is_dataclass(said):
        for field in dataclasses.fields(said):
            yield from parts(getattr(said, field.name))
    elif isinstance(said, Mapping):
        for one in said.values():
            yield from parts(one)
    elif isinstance(said, tuple):
        for one in said:
            yield from parts(one)


def read_in_all_languages(page: Page) -> int:
    """Number of texts of a page; fails where one, or a definition, is missing in a language or a place stays empty."""
    told = 0
    for language in LANGUAGES:
        reader = reader_of(language, the_catalogue())
        for text in (one for one in parts(page) if isinstance(one, Text)):
            assert reader.text(text)
            told += 1
        for key in (key for one in page.sections for key in one.definitions):
            assert reader.word(f"definition.{key}.term")
            assert reader.word(f"definition.{key}.meaning")
    for one in (b for s in page.sections for b in s.blocks if isinstance(b, Table)):
        assert {len(line.cells) for line in one.rows} <= {len(one.columns)}, one.key
    return told
