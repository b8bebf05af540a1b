"""The words of all pages in all languages: `training/reports/texts/*.toml`, read as one catalogue and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter

LANGUAGES = ("en", "sv", "nb", "da")
Words = Mapping[str, Mapping[str, str]]
"""Each key with its text in each language."""


class BadCatalogue(ValueError):
    """Texts that are missing, given twice, or do not have the same places in every language."""


class UnknownText(LookupError):
    """A page says something that stands in no catalogue, or leaves one of its places empty."""


@dataclass(frozen=True)
class Catalogue:
    """Texts by key and language.

    >>> words = Catalogue({"a": {"en": "{n} debtors", "sv": "{n} gäldenärer", "nb": "{n}", "da": "{n}"}})
    >>> words.text("a", "sv"), words.places("a")
    ('{n} gäldenärer', frozenset({'n'}))
    """

    words: Words

    def text(self, key: str, language: str) -> str:
        """A text as it stands in the catalogue, its places unfilled.

        Raises
        ------
        UnknownText
            There is no such key.
        """
        if key not in self.words:
            raise UnknownText(f"expected a text under the key {key!r}, found none: add it to training/reports/texts/")
        return self.words[key][language]

    def places(self, key: str) -> frozenset[str]:
        """Names of a text's places."""
        return _places(self.text(key, "en"))

    def __contains__(self, key: object) -> bool:
        return key in self.words


@cache
def the_catalogue() -> Catalogue:
    """The catalogue of this package, read once."""
    folder = files("training.reports").joinpath("texts")
    sources = sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    return merged((one.name, one.read_text(encoding="utf-8")) for one in sources)


def merged(sources: Iterable[tuple[str, str]]) -> Catalogue:
    """One catalogue of several files, each given by name and TOML.

    Raises
    ------
    BadCatalogue
        With every fault, a line each: a key given twice, a language missing or unknown, places that differ.
    """
    words: dict[str, dict[str, str]] = {}
    faults: list[str] = []
    for name, source in sources:
        for key, texts in _read(name, source).items():
            if key in words:
                faults.append(f"{name}: {key!r} stands in another file too: keep one of them")
            faults += [f"{name}: {key!r}: {fault}" for fault in _faults(texts)]
            words[key] = texts
    if faults:
        raise BadCatalogue("\n".join(faults))
    return Catalogue(words)


def _read(name: str, source: str) -> dict[str, dict[str, str]]:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise BadCatalogue(f'{name}: expected TOML with ["key"] tables of en, sv, nb, da: {error}') from error


def _faults(texts: object) -> list[str]:
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        return [f'expected a table of texts, got {texts!r}: write the key in quotes, ["like.this"]']
    faults = []
    if set(texts) != set(LANGUAGES):
        faults.append(f"expected {', '.join(LANGUAGES)}, got {', '.join(texts)}")
    faults += [f"empty in {language}" for language, text in texts.items() if not text.strip()]
    try:
        places = {language: _places(text) for language, text in texts.items()}
    except ValueError as error:
        return [*faults, f"expected places like {{name}}: {error}"]
    wanted = places.get("en", frozenset())
    for language, found in places.items():
        if found != wanted:
            faults.append(f"places in en are {sorted(wanted)}, in {language} {sorted(found)}")
    return faults


def _places(text: str) -> frozenset[str]:
    found = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    strange = [name for name in found if not name.isidentifier()]
    if strange:
        raise ValueError(f"{strange} cannot be a place's name")
    return frozenset(found)
