"""A page as one HTML file in one language: nothing from elsewhere, no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from training.reports.blocks import Block, Chart, Moment, Name, Note, Page, Quantity, Section, Table, Text, Tile, Tiles
from training.reports.rendering import rendered
from training.reports.site.around import Around, age_of, all_pages, in_languages
from training.reports.site.charts import chart_svg
from training.reports.site.reader import Reader
from training.reports.site.tables import Sheet, sheet_of, sheet_of_chart

STYLES = ("base.css", "page.css")
LISTED_FROM = 4
"""Sections from which on a page begins with a list of them."""


@dataclass(frozen=True)
class Figure:
    """A chart with its words and numbers; `drawing` is None where nothing may be drawn."""

    key: str
    title: str
    caption: str
    drawing: Markup | None
    sheet: Sheet


@dataclass(frozen=True)
class Part:
    """Blocks of a section that are drawn together: charts that follow each other stand side by side."""

    kind: str
    figures: tuple[Figure, ...] = ()
    sheet: Sheet | None = None
    note: Note | None = None
    tiles: tuple[Tile, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A word and what it means here, with the sections that use it."""

    key: str
    term: str
    meaning: str
    used_in: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Drawn:
    """A section as it is drawn."""

    key: str
    title: str
    parts: tuple[Part, ...]
    definitions: tuple[tuple[str, str], ...]


def page_html(page: Page, *, reader: Reader, around: Around) -> str:
    """A page in the reader's language."""
    values = {
        "page": page,
        "reader": reader,
        "title": reader.text(page.title),
        "scope": _scope(page, reader),
        "age": age_of(page.known_until_us, around.written_us, reader),
        "home": all_pages(reader),
        "navigation": around.navigation(page, reader),
        "languages": in_languages(page.name, around.languages, now=reader.language),
        "files": around.files(page, reader),
        "span": _span(page, reader),
        "interval_of": lambda said: reader.interval(said) if isinstance(said, Quantity) else "",
        "sections": [_section(section, reader) for section in page.sections],
        "contents": len(page.sections) >= LISTED_FROM,
        "definitions": _definitions(page, reader),
    }
    return rendered("page.html.j2", values, styles=STYLES)


def definition_id(key: str) -> str:
    """Where on the page a definition stands.

    >>> definition_id("definition.gain"), definition_id("gain.net")
    ('d-gain', 'd-gain-net')
    """
    return "d-" + key.removeprefix("definition.").replace(".", "-")


def _scope(page: Page, reader: Reader) -> str:
    if page.creditor is None:
        return reader.word("page.every-creditor")
    return reader.text(Text("page.one-creditor", {"creditor": Name(page.creditor)}))


def _span(page: Page, reader: Reader) -> str:
    """Between which moments the decisions were taken."""
    if page.span_us is None:
        return ""
    first, last = page.span_us
    if first == last:
        return reader.text(Text("page.on", {"first": Moment(first)}))
    return reader.text(Text("page.span", {"first": Moment(first), "last": Moment(last)}))


def _section(section: Section, reader: Reader) -> Drawn:
    used = tuple((definition_id(key), _term(key, reader)) for key in section.definitions)
    return Drawn(section.key, reader.text(section.title), tuple(_parts(section, reader)), used)


def _parts(section: Section, reader: Reader) -> list[Part]:
    parts: list[Part] = []
    for block in section.blocks:
        part = _part(block, section, reader)
        if part.kind == "charts" and parts and parts[-1].kind == "charts":
            part = Part("charts", (*parts.pop().figures, *part.figures))
        parts.append(part)
    return parts


def _part(block: Block, section: Section, reader: Reader) -> Part:
    match block:
        case Chart():
            return Part("charts", (_figure(block, section, reader),))
        case Table():
            return Part("table", sheet=sheet_of(block, reader))
        case Note():
            return Part("note", note=block)
        case Tiles():
            return Part("tiles", tiles=block.tiles)


def _figure(chart: Chart, section: Section, reader: Reader) -> Figure:
    key = f"{section.key}-{chart.key}".replace(".", "-")
    drawing = chart_svg(chart, reader, key=f"c-{key}")
    return Figure(
        key,
        reader.text(chart.title),
        reader.text(chart.caption),
        None if drawing is None else Markup(drawing),  # noqa: S704 - drawn by us, its words escaped
        sheet_of_chart(chart, reader),
    )


def _term(key: str, reader: Reader) -> str:
    return reader.word(f"definition.{key.removeprefix('definition.')}.term")


def _definitions(page: Page, reader: Reader) -> list[Definition]:
    """Every definition that a section names, once, in the order of the page."""
    used: dict[str, list[Section]] = {}
    for section in page.sections:
        for key in section.definitions:
            used.setdefault(key.removeprefix("definition."), []).append(section)
    return [_definition(key, sections, reader) for key, sections in used.items()]


def _definition(key: str, sections: Sequence[Section], reader: Reader) -> Definition:
    places = tuple((f"s-{one.key}", reader.text(one.title)) for one in sections)
    return Definition(definition_id(key), _term(key, reader), reader.word(f"definition.{key}.meaning"), places)
