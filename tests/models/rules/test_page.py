"""The page of rules says what the rules say."""

from __future__ import annotations

from pathlib import Path

import pytest

import models.rules
from models.rules.mask import RULES
from models.rules.pack import read_packs
from models.rules.rule import Rule

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_has_its_plain_sentence(rule: Rule) -> None:
    assert f"| `{rule.name}` | {rule.sentence} |" in PAGE


def test_the_page_names_the_rules_in_their_order() -> None:
    places = [PAGE.index(f"| `{rule.name}` |") for rule in RULES]
    assert places == sorted(places)
    assert PAGE.count("\n| `") == len(RULES)


def test_each_rule_is_a_file_of_its_name_and_none_is_forgotten() -> None:
    folder = Path(models.rules.__path__[0])
    files = {path.stem for path in folder.glob("*.py") if "\nRULE = Rule(" in path.read_text(encoding="utf-8")}
    assert files == {rule.name for rule in RULES}


def test_the_page_shows_each_pack_with_its_status() -> None:
    rows = [line for line in PAGE.splitlines() if line[:2] == "| " and line[4:7] == " | " and line[2:4].isupper()]
    assert {row[2:4]: row.rsplit("`", 2)[1] for row in rows} == {
        name: pack.status for name, pack in read_packs().items()
    }


def test_the_page_gives_each_pack_s_hours() -> None:
    for country, pack in read_packs().items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| {country} | "))
        for window in pack.windows:
            if "phone" in window.channels:
                assert f"{window.from_hour:02d}-{window.to_hour:02d}" in row
