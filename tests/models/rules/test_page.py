"""The page of rules says what the rules and the packs say."""

from __future__ import annotations

from pathlib import Path

import pytest

import models.rules
from data.vocabulary import POINT_KINDS
from models.rules.mask import RULES
from models.rules.pack import FOLDER, Pack, read_folder
from models.rules.page import TIER_TITLES, page
from models.rules.page_prose import CANNOT_CARRY
from models.rules.rule import TIERS, Rule

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
PACKS = read_folder(FOLDER)


def section(name: str) -> str:
    """What the page says of one pack."""
    return PAGE.split(f"\n### {name.removesuffix('.toml')}\n")[1].split("\n#")[0]


def test_the_page_is_what_rules_and_packs_say() -> None:
    remedy = "write it anew: .venv/bin/python -m models.rules.page > docs/rules.md"
    assert page(PACKS) == PAGE, remedy


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_has_its_plain_sentence(rule: Rule) -> None:
    assert f"| `{rule.name}` | {rule.sentence} |" in PAGE


def test_the_page_names_the_rules_in_their_order_under_their_tiers() -> None:
    places = [PAGE.index(f"| `{rule.name}` |") for rule in RULES]
    assert places == sorted(places)
    assert set(TIER_TITLES) == set(TIERS)
    for rule in RULES:
        heading = PAGE[: PAGE.index(f"| `{rule.name}` |")].rsplit("\n### ", 1)[1].split("\n")[0]
        assert heading == TIER_TITLES[rule.tier]


def test_each_rule_is_a_file_of_its_name_and_none_is_forgotten() -> None:
    folder = Path(models.rules.__path__[0])
    files = {path.stem for path in folder.glob("*.py") if "\nRULE = Rule(" in path.read_text(encoding="utf-8")}
    assert files == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", PACKS)
def test_the_page_gives_everything_that_a_pack_says_with_its_source(name: str) -> None:
    pack, told = PACKS[name], section(name)
    assert str(pack.valid_from) in told
    assert pack.source in told
    assert ("switched off" in told) is not pack.enabled
    for row in every_row(pack):
        assert row.source in told
    for cap in pack.caps:
        assert f"at most {cap.most}" in told
    for wait in pack.waits:
        assert f"{wait.days} {'bank ' if wait.bank_days else ''}days" in told
    for window in pack.windows:
        assert f"{window.from_hour:02d}-{window.to_hour:02d}" in told
    rows = [line for line in told.splitlines() if line.startswith("|")][2:]
    assert len(rows) == len(every_row(pack))
    assert [f"`{row.status}`" in line for row, line in zip(every_row(pack), rows, strict=True)] == [True] * len(rows)


def every_row(pack: Pack) -> list[object]:
    """Everything in a pack that has a status and a source of its own, in the order of the tables."""
    single = (pack.school_hours, pack.in_writing, pack.promotion)
    return [*pack.windows, *pack.caps, *pack.waits, *(one for one in single if one is not None)]


def test_the_overview_gives_each_pack_s_hours_and_whether_it_is_in_force() -> None:
    for name, pack in PACKS.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| {name.removesuffix('.toml')} | "))
        assert row.endswith("| yes |" if pack.enabled else "| switched off |")
        assert f"`{pack.status}`" in row
        for window in pack.windows:
            if "phone" in window.channels:
                assert f"{window.from_hour:02d}-{window.to_hour:02d}" in row


def test_what_the_contract_cannot_carry_stands_on_the_page_with_its_branch() -> None:
    for fact, branch in CANNOT_CARRY:
        assert f"| {fact} | {branch} |" in PAGE
    assert "work" in POINT_KINDS  # the branch for work places names it
