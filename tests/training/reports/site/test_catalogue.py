"""The words of all pages: every key in every language with the same places, and every key that a page names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from training.reports.blocks import Mood
from training.reports.site.catalogue import LANGUAGES, BadCatalogue, UnknownText, merged, the_catalogue

REPORTS = Path(__file__).parents[4] / "training" / "reports"
NAMED_ELSEWHERE = ("feature.", "rule.", "segment.", "model.group.", "prices.tier.", "replay.", "other.", "country.")
"""Keys whose last part is a name of another room: a feature's, a rule's, a stage's."""


def entry(key: str, **texts: str) -> str:
    lines = "\n".join(f'{language} = "{text}"' for language, text in texts.items())
    return f'["{key}"]\n{lines}\n'


def whole(key: str, text: str) -> str:
    return entry(key, **dict.fromkeys(LANGUAGES, text))


def test_every_text_of_ours_stands_in_every_language_with_the_same_places() -> None:
    catalogue = the_catalogue()
    assert len(catalogue.words) > 50
    for key, texts in catalogue.words.items():
        assert set(texts) == set(LANGUAGES), key


def test_texts_are_translated() -> None:
    long = {key: texts for key, texts in the_catalogue().words.items() if len(texts["en"].split()) > 3}
    same = [key for key, texts in long.items() if any(texts[one] == texts["en"] for one in LANGUAGES[1:])]
    assert same == []


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ([("a.toml", entry("k", en="x", sv="x"))], "a.toml: 'k': expected en, sv, nb, da, got en, sv"),
        ([("a.toml", entry("k", en="{n}", sv="{m}", nb="{n}", da="{n}"))], r"places in en are \['n'\], in sv \['m'\]"),
        ([("a.toml", whole("k", "{n.x}"))], "cannot be a place's name"),
        ([("a.toml", whole("k", "{"))], "expected places like"),
        ([("a.toml", whole("k", " "))], "empty in en"),
        ([("a.toml", whole("k", "x")), ("b.toml", whole("k", "x"))], "b.toml: 'k' stands in another file too"),
        ([("a.toml", 'k = "x"')], "expected a table of texts"),
        ([("a.toml", '[k.title]\nen = "x"')], "write the key in quotes"),
        ([("a.toml", "[")], "a.toml: expected TOML"),
    ],
)
def test_a_catalogue_with_a_fault_is_refused_with_its_place(sources: list[tuple[str, str]], told: str) -> None:
    with pytest.raises(BadCatalogue, match=told):
        merged(sources)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadCatalogue, match=r"(?s)'one'.*'two'"):
        merged([("a.toml", entry("one", en="x") + entry("two", en="x"))])


def test_a_key_that_is_missing_is_an_error() -> None:
    with pytest.raises(UnknownText, match=r"expected a text under the key 'no\.such'"):
        the_catalogue().text("no.such", "en")


def keys_of_code() -> set[str]:
    """Keys that stand in `Text("…")` as they are."""
    found = set()
    for path in REPORTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
                "Text",
                "word",
            ):
                found |= {one.value for one in node.args[:1] if isinstance(one, ast.Constant)}
    return found


def test_every_key_that_code_names_stands_in_the_catalogue() -> None:
    named = keys_of_code()
    assert len(named) > 30
    assert sorted(key for key in named if key not in the_catalogue()) == []


def test_every_key_that_a_template_names_stands_in_the_catalogue() -> None:
    sources = [path.read_text(encoding="utf-8") for path in REPORTS.glob("templates/*.j2")]
    named = {key for source in sources for key in re.findall(r'reader\.word\("([a-z.-]+)"\)', source)}
    assert len(named) > 10
    assert sorted(key for key in named if key not in the_catalogue()) == []
    assert all(f"mood.{mood}" in the_catalogue() for mood in Mood)


def test_no_text_is_left_over_that_no_code_can_name() -> None:
    """Code names a key whole, or puts it together; then at least its last part stands somewhere in code."""
    rooms = [REPORTS.rglob("*.py"), REPORTS.glob("templates/*.j2"), (REPORTS.parent / "replay").glob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for room in rooms for path in room)
    known = set(re.findall(r"[A-Za-z0-9]+", code))
    last = {key: re.findall(r"[A-Za-z0-9]+", key.rpartition(".")[2]) for key in the_catalogue().words}
    unused = [key for key, parts in last.items() if not (set(parts) <= known or key.startswith(NAMED_ELSEWHERE))]
    assert unused == []


def test_every_definition_has_a_term_and_a_meaning() -> None:
    keys = [key for key in the_catalogue().words if key.startswith("definition.")]
    names = {key.removesuffix(".term").removesuffix(".meaning") for key in keys}
    assert {f"{name}.{part}" for name in names for part in ("term", "meaning")} == set(keys)
