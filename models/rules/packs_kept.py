"""Packs in force with a tenant's own before the shipped ones, and its last good ones kept for when a new file is bad.

A bad file never opens anything: its country goes on under the last packs that were good, and without such nobody there is
contacted. The shipped pack never steps in by itself for one that the tenant has replaced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data.vocabulary import CHANNELS
from data.whole import whole_file
from models.rules.pack import country_of, file_text, read_packs, read_text
from models.rules.pack_checks import COUNTRY, in_force
from models.rules.pack_tables import BadPack, Pack, Packs

Texts = Mapping[str, str]
"""Files of one country: text by name."""


@dataclass(frozen=True)
class PacksFound:
    """Packs in force by country, and what somebody should know about them, a sentence each."""

    packs: Packs
    notices: tuple[str, ...]


@dataclass(frozen=True)
class _Kept:
    """What is kept for one country: its last good files, when they were taken, and since when they stand in for bad ones."""

    files: Texts
    good_on: str
    instead_since: str | None


def packs_in_force(
    own: Path | None, kept: Path, *, channels: tuple[str, ...] = CHANNELS[1:], on: date, keep: bool = True
) -> PacksFound:
    """The pack of each country in force on a day: a tenant's own, its last good one, or the shipped one.

    Parameters
    ----------
    own
        Folder of a tenant's packs; the shipped pack of a country with a file in it is left alone. None or missing: none.
    kept
        Folder where each country's last good files are kept, one JSON a country, there whole or not at all.
    channels
        Channels that packs may name besides the contract's.
    on
        Local date; own packs that have all ended before it, or of which none has begun, are refused like bad ones.
    keep
        False for who only looks: nothing is written.

    Raises
    ------
    BadPack
        A shipped pack is bad.
    """
    packs, notices = dict(read_packs(channels=channels, on=on)), []
    look = _Look(kept, channels, on, keep)
    groups = _groups(own)
    for country, files in groups.items():
        if not COUNTRY.fullmatch(country):
            notices.append(_of_no_country(files))
            continue
        packs.pop(country, None)
        found, said = look.at(country, files)
        notices += said
        if found is not None:
            packs[country] = found
    notices += [
        f"{path.stem}: {own or 'the tenant'} has no pack of it any more: "
        f"{'the shipped one decides' if path.stem in packs else 'nobody there is contacted'}. The last own ones: {path}"
        for path in sorted(kept.glob("*.json"))
        if path.stem not in groups
    ]
    return PacksFound(packs, tuple(notices))


def packs_of(workspace: Path, *, channels: tuple[str, ...], on: date, keep: bool = True) -> PacksFound:
    """The packs in force in a workspace: its own stand under `rules/`, the last good ones in `rules/.last-good/`."""
    own = workspace / "rules"
    return packs_in_force(own, own / ".last-good", channels=channels, on=on, keep=keep)


def _groups(own: Path | None) -> Mapping[str, Mapping[str, Path]]:
    """Files of a folder by country and name; `no.toml` is a bad file of NO, so that the shipped pack does not step in."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(own.glob("*.toml")) if own is not None else ():
        found.setdefault(country_of(path.name).upper(), {})[path.name] = path
    return found


def _of_no_country(files: Mapping[str, Path]) -> str:
    return (
        f"{', '.join(files)}: not read: expected a file named for its country by two capital letters, such as NO.toml; "
        "until it is renamed no country is held to it"
    )


@dataclass(frozen=True)
class _Look:
    """One look at a tenant's packs: where good ones are kept, the channels they may name, the day, whether to write."""

    kept: Path
    channels: tuple[str, ...]
    on: date
    keep: bool

    def at(self, country: str, files: Mapping[str, Path]) -> tuple[Pack | None, list[str]]:
        """The pack of one country with own files, None where nobody is to be contacted, and what is to be said of it."""
        place = self.kept / f"{country}.json"
        before = _read_kept(place)
        try:
            texts = {name: file_text(path) for name, path in files.items()}
            pack = self._in_force(texts, country)
        except BadPack as error:
            return self._last_good(str(error), before, place)
        if before is None or before.files != texts or before.instead_since is not None:
            self._write(place, _Kept(texts, self.on.isoformat(), None))
        said = [] if pack else [f"{country}: none of {', '.join(files)} is enabled; nobody there is contacted"]
        return pack, said

    def _last_good(self, fault: str, before: _Kept | None, place: Path) -> tuple[Pack | None, list[str]]:
        """The kept pack of a country whose own files are bad, and what is to be said of it."""
        country = place.stem
        closed = f"nobody in {country} is contacted until it is mended; the shipped pack does not step in"
        if before is None:
            return None, [f"{country}: refused: {fault}. No good own pack is kept: {closed}"]
        try:
            pack = self._in_force(before.files, country)
        except BadPack as error:
            return None, [f"{country}: refused: {fault}. The kept one will not do either ({error}): {closed}"]
        since = before.instead_since or self.on.isoformat()
        if before.instead_since is None:
            self._write(place, _Kept(before.files, before.good_on, since))
        used = f"the last good one, of {before.good_on}, is used since {since}"
        return pack, [f"{country}: refused: {fault}. Until it is mended {used}"]

    def _in_force(self, texts: Texts, country: str) -> Pack | None:
        packs = {name: read_text(text, name=name, channels=self.channels) for name, text in texts.items()}
        return in_force(packs, country=country, on=self.on, begun=True)

    def _write(self, place: Path, kept: _Kept) -> None:
        if self.keep:
            with whole_file(place) as file:
                file.write_text(json.dumps(asdict(kept), indent=1, ensure_ascii=False), encoding="utf-8")


def _read_kept(place: Path) -> _Kept | None:
    """What is kept at a place; None where nothing is, or nothing that can be read."""
    try:
        plain: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        return _Kept(dict(plain["files"]), plain["good_on"], plain["instead_since"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
