"""Names of files: a page in a language, its PDF, its numbers."""

from __future__ import annotations

import re

from training.reports.blocks import Page
from training.reports.site.catalogue import LANGUAGES

FIRST = LANGUAGES[0]
INDEX = "index"
NAME = re.compile(r"[a-z0-9-]{1,61}")
"""With a language behind it, still a name that the service takes."""


class BadName(ValueError):
    """Pages whose names cannot stand beside each other."""


def stem(name: str, language: str) -> str:
    """Name of a page's file in a language, without its ending.

    >>> stem("overview", "en"), stem("overview", "sv")
    ('overview', 'overview-sv')
    """
    return name if language == FIRST else f"{name}-{language}"


def checked(pages: list[Page]) -> None:
    """Raises where a name cannot be a file's, or two files would have the same.

    Raises
    ------
    BadName
        With the names.
    """
    stems = [stem(page.name, language) for page in pages for language in LANGUAGES]
    strange = [page.name for page in pages if not NAME.fullmatch(page.name) or page.name == INDEX]
    twice = sorted({one for one in stems if stems.count(one) > 1})
    if strange or twice:
        raise BadName(
            f"expected names of {NAME.pattern}, each once in every language; strange: {strange}, twice: {twice}"
        )
