"""Values of a pack's TOML, each taken as what it must be or refused with its place, what came and what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from models.rules.pack_checks import COUNTRY
from models.rules.pack_tables import STATUSES, WEEKDAYS, BadPack


def must_have(row: Mapping[str, Any], where: str, *, known: set[str], needed: set[str]) -> None:
    """Refuse unknown and missing keys."""
    unknown, missing = sorted(set(row) - known), sorted(needed - set(row))
    if unknown or missing:
        raise BadPack(f"{where}: unknown keys {unknown}, missing keys {missing}; a complete one has {sorted(known)}")


def authority(row: Mapping[str, Any], where: str) -> tuple[str, str]:
    """Status and source."""
    if row["status"] not in STATUSES:
        raise BadPack(f"{where} status: expected one of {', '.join(STATUSES)}, came {row['status']!r}")
    return row["status"], text(row["source"], f"{where} source")


def table(value: object, where: str) -> Mapping[str, Any]:
    """A TOML table."""
    if not isinstance(value, Mapping):
        raise BadPack(f"{where}: expected a table, came {value!r}")
    return value


def text(value: object, where: str, *, empty: bool = False) -> str:
    """A text, blank only where `empty` allows it."""
    if not isinstance(value, str) or not (value.strip() or empty):
        raise BadPack(f"{where}: expected a text, came {value!r}")
    return value


def country(value: object, where: str) -> str:
    """A country's code, ISO 3166-1 alpha-2."""
    found = text(value, where)
    if not COUNTRY.fullmatch(found):
        raise BadPack(f"{where}: expected two capital letters (ISO 3166-1) such as NO, came {found!r}")
    return found


def texts(value: object, where: str, *, empty: bool = False) -> tuple[str, ...]:
    """A list of texts, without any only where `empty` allows it."""
    if not isinstance(value, list) or not (value or empty) or not all(isinstance(item, str) for item in value):
        raise BadPack(f"{where}: expected a list of texts, came {value!r}")
    return tuple(value)


def names(value: object, where: str, *, known: tuple[str, ...]) -> tuple[str, ...]:
    """At least one of the known names, none twice."""
    found = texts(value, where)
    strange = [name for name in found if name not in known]
    if strange or len(set(found)) < len(found):
        raise BadPack(f"{where}: expected names out of {', '.join(known)}, none twice, came {list(found)}")
    return found


def weekdays(value: object, where: str) -> tuple[int, ...]:
    """Weekdays by name as numbers, 0 = Monday."""
    return tuple(WEEKDAYS.index(name) for name in names(value, where, known=WEEKDAYS))


def hours(row: Mapping[str, Any], where: str) -> tuple[int, int]:
    """Whole local hours `from` and `to`."""
    low, high = row["from"], row["to"]
    if type(low) is not int or type(high) is not int or not 0 <= low < high <= 24:
        raise BadPack(f"{where}: expected whole hours 0 <= from < to <= 24, came from = {low!r}, to = {high!r}")
    return low, high


def number(value: object, where: str, *, least: int) -> int:
    """A whole number, not below `least`."""
    if type(value) is not int or value < least:
        raise BadPack(f"{where}: expected a whole number, {least} or more, came {value!r}")
    return value


def flag(value: object, where: str) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise BadPack(f"{where}: expected true or false, came {value!r}")
    return value


def one_of(value: object, where: str, *, known: tuple[str, ...]) -> str:
    """One of the known words."""
    if not isinstance(value, str) or value not in known:
        raise BadPack(f"{where}: expected one of {', '.join(known)}, came {value!r}")
    return value


def day(value: object, where: str) -> date:
    """A date without a time."""
    if type(value) is not date:
        raise BadPack(f"{where}: expected a date such as 2026-01-31, came {value!r}")
    return value
