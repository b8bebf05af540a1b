"""The files of all pages: HTML, PDF, JSON and CSV, the list of pages, and who may see which."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from data.progress import Progress
from data.times import to_us
from data.whole import whole_file
from training.reports.blocks import Page
from training.reports.site.addresses import INDEX, checked, stem
from training.reports.site.around import Around
from training.reports.site.catalogue import LANGUAGES, Catalogue, the_catalogue
from training.reports.site.html import page_html
from training.reports.site.listing import LIST, Entries, entries, listed, listing_html, listing_json
from training.reports.site.numbers import as_csv, as_json
from training.reports.site.pdf import Printer, printer
from training.reports.site.reader import Reader, reader_of

MANIFEST = "manifest.json"
Pdf = Literal["none", "first", "every"]
LARGEST = 2_000_000
"""Bytes that a page may have at most."""


class TooLarge(ValueError):
    """A page that would not be opened on a phone."""


@dataclass(frozen=True)
class Order:
    """How pages are to be written.

    Parameters
    ----------
    languages
        In which; each page and its PDF once in each, JSON and CSV once.
    written_us
        The present.
    pdf
        Of which pages PDFs are wanted, as they take most of the time: `none`, `first` (those about all creditors, and
        the first page of each creditor) or `every`.
    by
        Name of the command: pages that another one wrote are left as they are.
    catalogue
        The words; None: those of this package.
    """

    languages: Sequence[str]
    written_us: int
    pdf: Pdf = "first"
    by: str = "report"
    catalogue: Catalogue | None = None

    @classmethod
    def of(cls, languages: Sequence[str], *, now: datetime, pdf: Pdf = "first", by: str = "report") -> Order:
        """An order of languages as they are typed, `all` among them."""
        chosen = LANGUAGES if "all" in languages else dict.fromkeys(languages)
        return cls(tuple(chosen), to_us(now), pdf, by)


@dataclass(frozen=True)
class Written:
    """What was written: files by name, and why there are no PDFs, where there are none."""

    files: tuple[Path, ...]
    index: Path
    note: str | None = None


@dataclass(frozen=True)
class _Desk:
    """What is at hand while pages are written."""

    out: Path
    order: Order
    readers: Sequence[Reader]
    printer: Printer
    files: list[Path] = field(default_factory=list)

    @property
    def languages(self) -> list[str]:
        """In which it is written."""
        return [reader.language for reader in self.readers]

    def put(self, name: str, content: str | bytes) -> None:
        """One file, whole or not at all: it may be read while it is renewed."""
        path = self.out / name
        with whole_file(path) as unfinished:
            unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
        self.files.append(path)


def write_pages(
    pages: Sequence[Page], out: Path, *, order: Order, progress: Progress = lambda _what, _share: None
) -> Written:
    """Writes every page in every language, the list of them and the manifest, to the folder `out`.

    Pages of one creditor lead to each other alone. Pages that the same command wrote before and that are not among these
    are removed.

    Raises
    ------
    training.reports.site.addresses.BadName
        A name cannot be a file's.
    training.reports.site.reader.UnknownLanguage
        There are no texts in a language.
    TooLarge
        A page has more than 2 MB.
    """
    checked(list(pages))
    catalogue = order.catalogue or the_catalogue()
    languages = [one for one in LANGUAGES if one in order.languages]
    readers = [reader_of(one, catalogue) for one in dict.fromkeys((*languages, *order.languages))]
    desk = _Desk(out, order, readers, printer(wanted=order.pdf != "none"))
    scopes: dict[str | None, list[Page]] = defaultdict(list)
    for page in pages:
        scopes[page.creditor].append(page)
    for number, page in enumerate(pages):
        progress("drawing pages", number / len(pages))
        _write_page(page, scopes[page.creditor], desk)
    _write_lists(pages, desk)
    progress("drawing pages", 1.0)
    return Written(tuple(desk.files), out / f"{stem(INDEX, readers[0].language)}.html", desk.printer.note)


def _write_page(page: Page, scope: Sequence[Page], desk: _Desk) -> None:
    pdf = desk.printer.prints and (page.creditor is None or page is scope[0] or desk.order.pdf == "every")
    around = Around(scope, desk.languages, desk.order.written_us, pdf=pdf)
    for reader in desk.readers:
        name = stem(page.name, reader.language)
        html = page_html(page, reader=reader, around=around)
        if len(html.encode()) > LARGEST:
            raise TooLarge(
                f"{name}.html: expected at most {LARGEST:,} bytes, got {len(html.encode()):,}: show fewer rows"
            )
        desk.put(f"{name}.html", html)
        if pdf:
            desk.put(f"{name}.pdf", desk.printer.pdf(html))
    desk.put(f"{page.name}.json", json.dumps(as_json(page), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    desk.put(f"{page.name}.csv", as_csv(page))


def _write_lists(pages: Sequence[Page], desk: _Desk) -> None:
    """The lists of pages, and last who may see them: a page that the manifest does not name is seen by few."""
    order, earlier = desk.order, listed(desk.out)
    kept = {name: entry for name, entry in earlier.items() if entry["by"] != order.by}
    found = {**kept, **entries(pages, readers=desk.readers, by=order.by)}
    for reader in desk.readers:
        html = listing_html(found, desk.out, reader=reader, languages=desk.languages, written_us=order.written_us)
        desk.put(f"{stem(INDEX, reader.language)}.html", html)
    gone = [name for name, entry in earlier.items() if entry["by"] == order.by]
    manifest = {**_others(desk.out, [*gone, *found]), **_manifest(found)}
    desk.put(LIST, _indented(listing_json(found, readers=desk.readers, written_us=order.written_us)))
    desk.put(MANIFEST, _indented(manifest))
    _remove(gone, desk)


def _manifest(found: Entries) -> dict[str, dict[str, list[str] | None]]:
    """Whose each page is, under each of its names."""
    return {
        name: {"creditors": None if entry["creditor"] is None else [entry["creditor"]]}
        for page, entry in found.items()
        for name in dict.fromkeys((page, *(told["file"] for told in entry["told"].values())))
    }


def _others(out: Path, ours: Sequence[str]) -> dict[str, object]:
    """What the manifest says of pages that are not listed."""
    path = out / MANIFEST
    if not path.is_file():
        return {}
    stems = _stems(ours)
    return {name: entry for name, entry in json.loads(path.read_text(encoding="utf-8")).items() if name not in stems}


def _remove(gone: Sequence[str], desk: _Desk) -> None:
    """Takes away what an earlier call wrote and this one did not: pages, languages, PDFs where Pango is gone."""
    kept = {path.name for path in desk.files}
    for name in _stems([*gone, INDEX]):
        for suffix in ("html", "pdf", "json", "csv"):
            if f"{name}.{suffix}" not in kept:
                (desk.out / f"{name}.{suffix}").unlink(missing_ok=True)


def _stems(names: Sequence[str]) -> set[str]:
    return {stem(name, language) for name in names for language in LANGUAGES}


def _indented(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
