"""The list of all pages with their verdicts: as a page for those who see all, as JSON for the service, which shows each their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.reports.blocks import Moment, Name, Page, Text
from training.reports.rendering import rendered
from training.reports.site.addresses import INDEX, stem
from training.reports.site.around import Link, age_of, in_languages
from training.reports.site.html import STYLES
from training.reports.site.reader import Reader

LIST = "index.json"
OTHERS = ("quality", "overlap", "frontier", "what-if")
"""Pages that other commands write, in English."""

MOODS = ("good", "bad", "wait", "none")
WORDS = ("index.title", "index.other", "index.none", "index.old", "page.languages")
Entries = Mapping[str, Mapping[str, Any]]
"""What is listed of each page, by its name, as it stands in `index.json`."""


@dataclass(frozen=True)
class Entry:
    """A line of the list."""

    link: Link
    mood: str
    said: str


def entries(pages: Sequence[Page], *, readers: Sequence[Reader], by: str) -> dict[str, dict[str, Any]]:
    """What is listed of pages; `by` names the command that wrote them."""
    return {
        page.name: {
            "by": by,
            "creditor": page.creditor,
            "mood": "" if page.verdict is None else str(page.verdict.mood),
            "known_until_us": page.known_until_us,
            "told": {reader.language: _told(page, reader) for reader in readers},
        }
        for page in pages
    }


def listed(out: Path) -> dict[str, dict[str, Any]]:
    """What is listed in a folder."""
    path = out / LIST
    return dict(json.loads(path.read_text(encoding="utf-8"))["pages"]) if path.is_file() else {}


def listing_html(found: Entries, out: Path, *, reader: Reader, languages: Sequence[str], written_us: int) -> str:
    """The list as a page, with other commands' pages in the folder `out`."""
    known = [entry["known_until_us"] for entry in found.values()]
    others = [name for name in OTHERS if (out / f"{name}.html").is_file()]
    values = {
        "reader": reader,
        "title": reader.word("index.title"),
        "languages": in_languages(INDEX, languages, now=reader.language),
        "age": age_of(min(known), written_us, reader) if known else None,
        "scopes": _scopes(found, reader),
        "others": [Link(f"{name}.html", reader.word(f"other.{name}"), language="en") for name in others],
    }
    return rendered("index.html.j2", values, styles=STYLES)


def listing_json(found: Entries, *, readers: Sequence[Reader], written_us: int) -> dict[str, Any]:
    """The list for the service: what it shows of each page in each language, and the words around it."""
    return {
        "languages": [reader.language for reader in readers],
        "written_us": written_us,
        "words": {reader.language: _words(reader) for reader in readers},
        "pages": found,
    }


def _words(reader: Reader) -> dict[str, str]:
    keys = (*WORDS, *(f"mood.{mood}" for mood in MOODS), *(f"other.{name}" for name in OTHERS))
    return {key: reader.word(key) for key in keys}


def _told(page: Page, reader: Reader) -> dict[str, str]:
    return {
        "file": stem(page.name, reader.language),
        "title": reader.text(page.title),
        "scope": _scope(page.creditor, reader),
        "said": "" if page.verdict is None else reader.text(page.verdict.headline),
        "until": reader.text(Text("index.until", {"until": Moment(page.known_until_us)})),
    }


def _scopes(found: Entries, reader: Reader) -> list[tuple[str, list[Entry]]]:
    """Lines by creditor, those about all creditors first."""
    creditors = list(dict.fromkeys(entry["creditor"] for entry in found.values()))
    order = sorted(creditors, key=lambda one: (one is not None, one or ""))
    return [
        (_scope(one, reader), [_entry(entry, reader) for entry in found.values() if entry["creditor"] == one])
        for one in order
    ]


def _entry(entry: Mapping[str, Any], reader: Reader) -> Entry:
    told = entry["told"].get(reader.language) or next(iter(entry["told"].values()))
    return Entry(Link(f"{told['file']}.html", told["title"]), entry["mood"], told["said"])


def _scope(creditor: str | None, reader: Reader) -> str:
    if creditor is None:
        return reader.word("page.every-creditor")
    return reader.text(Text("page.one-creditor", {"creditor": Name(creditor)}))
