"""What stands around a page: the other pages of the same scope, the other languages, when it was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data.times import DAY_US
from training.reports.blocks import Kind, Moment, Page, Quantity, Text
from training.reports.site.addresses import INDEX, stem
from training.reports.site.reader import Reader

OLD_DAYS = 3
"""Days after which data are called old."""

ENDONYMS = {"en": "English", "sv": "Svenska", "nb": "Norsk bokmål", "da": "Dansk"}


@dataclass(frozen=True)
class Link:
    """A link in the navigation; `here` marks where the reader is."""

    href: str
    text: str
    here: bool = False
    language: str | None = None


@dataclass(frozen=True)
class Around:
    """What a page must know of the others.

    Parameters
    ----------
    pages
        Pages of the same scope: about all creditors, or about the same one.
    languages
        In which they are written.
    written_us
        When.
    pdf
        Whether a PDF stands beside each page.
    """

    pages: Sequence[Page]
    languages: Sequence[str]
    written_us: int
    pdf: bool = True

    def navigation(self, page: Page, reader: Reader) -> list[Link]:
        """Links to the pages of the same scope."""
        return [
            Link(f"{stem(one.name, reader.language)}.html", reader.text(one.title), here=one.name == page.name)
            for one in self.pages
        ]

    def files(self, page: Page, reader: Reader) -> list[Link]:
        """Links to the same numbers in other forms."""
        pdf = [Link(f"{stem(page.name, reader.language)}.pdf", "PDF")] if self.pdf else []
        return [*pdf, Link(f"{page.name}.json", "JSON"), Link(f"{page.name}.csv", "CSV")]


def all_pages(reader: Reader) -> Link:
    """The way to the list of all pages."""
    return Link(f"{stem(INDEX, reader.language)}.html", reader.word("page.all"))


def in_languages(name: str, languages: Sequence[str], *, now: str) -> list[Link]:
    """Links to the same page in other languages; none where there is but one."""
    if len(languages) < 2:
        return []
    return [Link(f"{stem(name, one)}.html", ENDONYMS[one], here=one == now, language=one) for one in languages]


@dataclass(frozen=True)
class Age:
    """How old the data are: a sentence, and a caution where they are old."""

    told: str
    caution: str | None


def age_of(known_until_us: int, written_us: int, reader: Reader) -> Age:
    """How old data were when a page was written."""
    days = max(0, (written_us - known_until_us) // DAY_US)
    told = reader.text(Text("page.age", {"until": Moment(known_until_us), "written": Moment(written_us)}))
    old = Text("page.old", {"days": Quantity(Kind.DAYS, days)})
    return Age(told, reader.text(old) if days > OLD_DAYS else None)
