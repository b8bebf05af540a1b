"""Rule packs: what a country allows, when, and who says so, read from TOML and refused if anything is amiss."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

from data.calendar import UnknownHolidaySet, public_holidays
from data.vocabulary import CHANNELS

FOLDER = Path(__file__).parent / "packs"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
STATUSES = ("confirmed", "conservative_default")
_PACK_KEYS = {"country", "status", "source", "valid_from", "valid_to", "reviewed_by", "holidays", "windows"}
_WINDOW_KEYS = {"channels", "weekdays", "from", "to", "holidays", "regions", "status", "source"}


class BadPack(ValueError):
    """A rule pack cannot be read, or says something that no rule can follow."""


@dataclass(frozen=True)
class Window:
    """Local hours `[from_hour, to_hour)` on some weekdays (0 = Monday) in which some channels may be used.

    `holidays` tells whether the window holds on public holidays too; `regions` whom it binds: empty for every region
    that has no window of its own for the channel.
    """

    channels: tuple[str, ...]
    weekdays: tuple[int, ...]
    from_hour: int
    to_hour: int
    holidays: bool
    regions: tuple[str, ...]
    status: str
    source: str


@dataclass(frozen=True)
class Pack:
    """Contact rules of one country.

    `categories` and `extra` say which days count as holidays (see `data.calendar.public_holidays`). `valid_from` is
    the day since which the source holds; earlier days, met only in replays of old logs, are held to the same windows.
    """

    country: str
    status: str
    source: str
    valid_from: date
    valid_to: date | None
    reviewed_by: str
    categories: tuple[str, ...]
    extra: tuple[str, ...]
    windows: tuple[Window, ...]

    def __hash__(self) -> int:
        # Packs key the calendar caches; hashing every window on each look-up would cost more than the look-up.
        return hash((self.country, self.valid_from, self.source, len(self.windows)))

    def channels(self) -> frozenset[str]:
        """Channels that the pack names at all."""
        return frozenset(name for window in self.windows for name in window.channels)

    def windows_of(self, channel: str, region: str | None) -> tuple[Window, ...]:
        """Windows of a channel that bind in one region: its own, else those of the country."""
        named = [window for window in self.windows if channel in window.channels]
        own = tuple(window for window in named if region in window.regions)
        return own or tuple(window for window in named if not window.regions)

    def regions_with_own_windows(self) -> tuple[str, ...]:
        """Regions that some window names, in alphabetical order."""
        return tuple(sorted({region for window in self.windows for region in window.regions}))


Packs = Mapping[str, Pack]
"""Packs by country code."""


def read_packs(folder: Path = FOLDER, *, channels: tuple[str, ...] = CHANNELS[1:]) -> Packs:
    """All packs of a folder, by country; they may name the contract's channels and `channels`, a deployment's own.

    A grid with fewer channels than the contract leaves the packs as they are: what it has no slot for is not asked.

    Raises
    ------
    BadPack
        A file is no TOML, names a country twice or differently from its own name, or fails `parse_pack`.
    """
    packs = {}
    known = tuple(dict.fromkeys((*CHANNELS[1:], *channels)))
    for path in sorted(folder.glob("*.toml")):
        try:
            pack = parse_pack(tomllib.loads(path.read_text(encoding="utf-8")), where=path.name, channels=known)
        except tomllib.TOMLDecodeError as error:
            raise BadPack(f"{path.name} is not TOML: {error}") from error
        if pack.country != path.stem:
            raise BadPack(f'{path.name}: expected country = "{path.stem}" as the file is called, came "{pack.country}"')
        packs[pack.country] = pack
    if not packs:
        raise BadPack(f"no rule pack (*.toml) in {folder}: without one nobody may be contacted")
    return packs


def rules_version(packs: Packs, *, rules: Iterable[str]) -> str:
    """First 16 hexadecimal digits of the SHA-256 of all packs and the names of the rules in their order."""
    content = {"packs": {country: asdict(packs[country]) for country in sorted(packs)}, "rules": list(rules)}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def parse_pack(document: Mapping[str, Any], *, where: str, channels: tuple[str, ...] = CHANNELS[1:]) -> Pack:
    """Pack from parsed TOML; `where` names its file in messages, `channels` those it may name.

    Raises
    ------
    BadPack
        A key is unknown or missing, a value of the wrong kind, a window empty, or two windows overlap.
    """
    _keys(document, where, known=_PACK_KEYS, needed=_PACK_KEYS - {"valid_to"})
    holidays = _table(document["holidays"], f"{where} [holidays]")
    _keys(holidays, f"{where} [holidays]", known={"categories", "extra"}, needed={"categories", "extra"})
    status, source = _authority(document, where)
    rows = document["windows"] if isinstance(document["windows"], list) else []
    if not rows:
        raise BadPack(f"{where}: expected at least one [[windows]], came {document['windows']!r}")
    inherited = {"status": status, "source": source}
    windows = tuple(
        _window({**inherited, **_table(row, where)}, f"{where} window {number}", channels)
        for number, row in enumerate(rows, 1)
    )
    pack = Pack(
        country=_text(document["country"], f"{where} country"),
        status=status,
        source=source,
        valid_from=_date(document["valid_from"], f"{where} valid_from"),
        valid_to=_date(document["valid_to"], f"{where} valid_to") if "valid_to" in document else None,
        reviewed_by=_text(document["reviewed_by"], f"{where} reviewed_by", empty=True),
        categories=_texts(holidays["categories"], f"{where} [holidays] categories"),
        extra=_texts(holidays["extra"], f"{where} [holidays] extra", empty=True),
        windows=windows,
    )
    _check_whole(pack, where)
    return pack


def _check_whole(pack: Pack, where: str) -> None:
    if pack.valid_to is not None and pack.valid_to < pack.valid_from:
        raise BadPack(f"{where}: expected valid_to on or after valid_from, came {pack.valid_from} to {pack.valid_to}")
    for number, window in enumerate(pack.windows, 1):
        foreign = [region for region in window.regions if not region.startswith(f"{pack.country}-")]
        if foreign:
            raise BadPack(
                f"{where} window {number}: expected regions of {pack.country} such as {pack.country}-XX, came {foreign}"
            )
    for one, other in combinations(range(len(pack.windows)), 2):
        shared = _overlap(pack.windows[one], pack.windows[other])
        if shared:
            raise BadPack(f"{where}: windows {one + 1} and {other + 1} both speak of {shared}; let one window say it")
    try:
        public_holidays(pack.country, None, year=pack.valid_from.year, categories=pack.categories, extra=pack.extra)
    except UnknownHolidaySet as error:
        raise BadPack(f"{where} [holidays]: {error}") from error


def _overlap(one: Window, other: Window) -> str:
    channels = [name for name in one.channels if name in other.channels]
    days = [WEEKDAYS[day] for day in one.weekdays if day in other.weekdays]
    same_regions = (not one.regions and not other.regions) or set(one.regions) & set(other.regions)
    low, high = max(one.from_hour, other.from_hour), min(one.to_hour, other.to_hour)
    return (
        f"{channels[0]} on {days[0]} {low:02d}-{high:02d}" if channels and days and same_regions and low < high else ""
    )


def _window(row: Mapping[str, Any], where: str, channels: tuple[str, ...]) -> Window:
    _keys(row, where, known=_WINDOW_KEYS, needed=_WINDOW_KEYS - {"regions"})
    status, source = _authority(row, where)
    hours = (row["from"], row["to"])
    if not all(type(hour) is int for hour in hours) or not 0 <= hours[0] < hours[1] <= 24:
        raise BadPack(
            f"{where}: expected whole hours 0 <= from < to <= 24, came from = {hours[0]!r}, to = {hours[1]!r}"
        )
    if type(row["holidays"]) is not bool:
        raise BadPack(f"{where} holidays: expected true or false, came {row['holidays']!r}")
    return Window(
        channels=_names(row["channels"], f"{where} channels", known=channels),
        weekdays=tuple(WEEKDAYS.index(name) for name in _names(row["weekdays"], f"{where} weekdays", known=WEEKDAYS)),
        from_hour=hours[0],
        to_hour=hours[1],
        holidays=row["holidays"],
        regions=_texts(row.get("regions", []), f"{where} regions", empty="regions" not in row),
        status=status,
        source=source,
    )


def _keys(row: Mapping[str, Any], where: str, *, known: set[str], needed: set[str]) -> None:
    unknown, missing = sorted(set(row) - known), sorted(needed - set(row))
    if unknown or missing:
        raise BadPack(f"{where}: unknown keys {unknown}, missing keys {missing}; a complete one has {sorted(known)}")


def _authority(row: Mapping[str, Any], where: str) -> tuple[str, str]:
    if row["status"] not in STATUSES:
        raise BadPack(f"{where} status: expected one of {', '.join(STATUSES)}, came {row['status']!r}")
    return row["status"], _text(row["source"], f"{where} source")


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadPack(f"{where}: expected a table, came {value!r}")
    return value


def _text(value: object, where: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value.strip() or empty):
        raise BadPack(f"{where}: expected a text, came {value!r}")
    return value


def _texts(value: object, where: str, *, empty: bool = False) -> tuple[str, ...]:
    if not isinstance(value, list) or not (value or empty) or not all(isinstance(item, str) for item in value):
        raise BadPack(f"{where}: expected a list of texts, came {value!r}")
    return tuple(value)


def _names(value: object, where: str, *, known: tuple[str, ...]) -> tuple[str, ...]:
    names = _texts(value, where)
    strange = [name for name in names if name not in known]
    if strange or len(set(names)) < len(names):
        raise BadPack(f"{where}: expected names out of {', '.join(known)}, none twice, came {list(names)}")
    return names


def _date(value: object, where: str) -> date:
    if type(value) is not date:
        raise BadPack(f"{where}: expected a date such as 2026-01-31, came {value!r}")
    return value
