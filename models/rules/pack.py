"""Rule packs: what a country allows, when, and who says so, read from TOML and refused if anything is amiss."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path

from data.vocabulary import CHANNELS
from models.rules.pack_checks import COUNTRY, in_force
from models.rules.pack_reading import parse_pack
from models.rules.pack_tables import (
    SCOPES,
    STATUSES,
    WAITS,
    WEEKDAYS,
    BadPack,
    Cap,
    InWriting,
    Pack,
    Packs,
    Promotion,
    SchoolHours,
    Wait,
    Window,
)

__all__ = [
    "FOLDER",
    "SCOPES",
    "STATUSES",
    "WAITS",
    "WEEKDAYS",
    "BadPack",
    "Cap",
    "InWriting",
    "Pack",
    "Packs",
    "Promotion",
    "SchoolHours",
    "Wait",
    "Window",
    "by_country",
    "country_of",
    "faults",
    "file_text",
    "parse_pack",
    "read_folder",
    "read_packs",
    "read_text",
    "rules_version",
]

FOLDER = Path(__file__).parent / "packs"


def read_packs(folder: Path = FOLDER, *, channels: tuple[str, ...] = CHANNELS[1:], on: date | None = None) -> Packs:
    """The pack of each country that is in force on a day; they may name the contract's channels and `channels`.

    A country has one file, `NO.toml`, or several, `NO-2027.toml` beside it, each with its dates; a pack with
    `enabled = false` is read and checked like the others and never in force. A grid with fewer channels than the
    contract leaves the packs as they are: what it has no slot for is not asked.

    Parameters
    ----------
    on
        Local date; None: the newest enabled pack of each country.

    Raises
    ------
    BadPack
        A file is no TOML, is called for another country than it names, or fails `parse_pack`; packs of a country
        overlap, leave a gap, or have all ended before the day.
    """
    found = {
        country: in_force(packs, country=country, on=on)
        for country, packs in by_country(read_folder(folder, channels=channels)).items()
    }
    packs = {country: pack for country, pack in found.items() if pack is not None}
    if not packs:
        raise BadPack(f"no rule pack (*.toml) in {folder}: without one nobody may be contacted")
    return packs


def read_folder(folder: Path, *, channels: tuple[str, ...] = CHANNELS[1:]) -> Mapping[str, Pack]:
    """Every pack of a folder by file name, switched off or not, in the order of the names.

    Raises
    ------
    BadPack
        As `read_packs` for single files.
    """
    return {path.name: _read_file(path, channels=channels) for path in sorted(folder.glob("*.toml"))}


def by_country(packs: Mapping[str, Pack]) -> Mapping[str, Mapping[str, Pack]]:
    """Packs by file name, sorted apart by country."""
    countries = sorted({pack.country for pack in packs.values()})
    return {one: {name: pack for name, pack in packs.items() if pack.country == one} for one in countries}


def faults(folder: Path, *, channels: tuple[str, ...] = CHANNELS[1:], on: date | None = None) -> list[str]:
    """Everything that is wrong with the packs of a folder: a line for each bad file, and for each country out of step.

    A country of which no pack has begun `on` the day is out of step too: nobody there could be contacted.
    """
    found, sound = [], {}
    for path in sorted(folder.glob("*.toml")):
        try:
            sound[path.name] = _read_file(path, channels=channels)
        except BadPack as error:
            found.append(str(error))
    for country, packs in by_country(sound).items():
        try:
            in_force(packs, country=country, on=on, begun=True)
        except BadPack as error:
            found.append(str(error))
    return found


def country_of(name: str) -> str:
    """Country that a file is for, as its name has it: what stands before the first dash.

    >>> country_of("NO-2027.toml")
    'NO'
    """
    return Path(name).stem.split("-")[0]


def read_text(text: str, *, name: str, channels: tuple[str, ...] = CHANNELS[1:]) -> Pack:
    """Pack from the text of a file of that name.

    Raises
    ------
    BadPack
        The text is no TOML, names another country than the file's name, the name none, or the text fails `parse_pack`.
    """
    if not COUNTRY.fullmatch(country_of(name)):
        raise BadPack(
            f"{name}: expected a file named for its country, two capital letters (ISO 3166-1), such as NO.toml or "
            f"NO-2027.toml, came {country_of(name)!r}"
        )
    known = tuple(dict.fromkeys((*CHANNELS[1:], *channels)))
    try:
        pack = parse_pack(tomllib.loads(text), where=name, channels=known)
    except tomllib.TOMLDecodeError as error:
        raise BadPack(f"{name} is not TOML: {error}") from error
    if pack.country != country_of(name):
        raise BadPack(
            f'{name}: expected country = "{country_of(name)}" as the file is called, came "{pack.country}"; '
            "a file is named for its country, then a dash and anything"
        )
    return pack


def file_text(path: Path) -> str:
    """Text of a pack's file.

    Raises
    ------
    BadPack
        It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPack(f"{path.name} cannot be read as UTF-8 text: {error}") from error


def _read_file(path: Path, *, channels: tuple[str, ...]) -> Pack:
    return read_text(file_text(path), name=path.name, channels=channels)


def rules_version(packs: Packs, *, rules: Iterable[str]) -> str:
    """First 16 hexadecimal digits of the SHA-256 of all packs and the names of the rules in their order."""
    content = {"packs": {country: asdict(packs[country]) for country in sorted(packs)}, "rules": list(rules)}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]
