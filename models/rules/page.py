"""The page of contact rules, written from the rules and the packs; a test holds `docs/rules.md` against it.

.venv/bin/python -m models.rules.page > docs/rules.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from models.rules.mask import RULES
from models.rules.pack import FOLDER, read_folder
from models.rules.pack_tables import Pack
from models.rules.pack_told import HEAD as TABLE_HEAD
from models.rules.pack_told import holidays_told, hours_told, told_rows, validity
from models.rules.page_prose import AFTER_TIER, CANNOT_CARRY, HEAD, LADDER, PACKS
from models.rules.rule import TIERS

TIER_TITLES = {
    "stop": "Stop",
    "identity": "Identity",
    "legal": "Law",
    "preference": "Preference",
    "policy": "Policy",
}


def page(packs: Mapping[str, Pack]) -> str:
    """The page for packs by file name, in Markdown."""
    parts = (_tiers(), _overview(packs), _packs(packs), _cannot_carry())
    tiers, overview, each, cannot = ("\n".join(part) for part in parts)
    return f"{HEAD}\n{tiers}\n{PACKS}\n{overview}\n{each}\n{LADDER}\n{cannot}\n"


def _tiers() -> Iterator[str]:
    for tier in TIERS:
        mine = [rule for rule in RULES if rule.tier == tier]
        if mine:
            yield f"### {TIER_TITLES[tier]}\n\n| rule | what it says |\n| --- | --- |"
            yield from (f"| `{rule.name}` | {rule.sentence} |" for rule in mine)
            yield f"\n{AFTER_TIER[tier]}\n" if tier in AFTER_TIER else ""


def _overview(packs: Mapping[str, Pack]) -> Iterator[str]:
    yield "| pack | calls and SMS, Monday to Friday / Saturday / Sunday and holidays | hours are | in force |"
    yield "| --- | --- | --- | --- |"
    for name, pack in packs.items():
        switched = "yes" if pack.enabled else "switched off"
        yield f"| {name.removesuffix('.toml')} | {hours_told(pack, 'phone')} | `{pack.status}` | {switched} |"
    yield ""


def _packs(packs: Mapping[str, Pack]) -> Iterator[str]:
    for name, pack in packs.items():
        yield f"### {name.removesuffix('.toml')}\n"
        yield f"{validity(pack)}. Holidays: {holidays_told(pack)}. Hours unless a row says otherwise: {pack.source}\n"
        yield f"| {' | '.join(TABLE_HEAD)} |\n|{' --- |' * len(TABLE_HEAD)}"
        for row in told_rows(pack):
            source = "as above" if row.source == pack.source else row.source
            yield f"| {row.kind} | {row.says} | `{row.status}` | {source} |"
        yield ""


def _cannot_carry() -> Iterator[str]:
    yield "## What the contract cannot carry\n"
    yield "No table has a column for these facts, or no source was read; until then the cautious branch holds.\n"
    yield "| fact | cautious branch |\n| --- | --- |"
    yield from (f"| {fact} | {branch} |" for fact, branch in CANNOT_CARRY)


if __name__ == "__main__":
    sys.stdout.write(page(read_folder(FOLDER)))
