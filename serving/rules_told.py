"""What the command line says of contact rules: a country's packs, faults in a folder of them, one debtor's mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape

from data.action_grid import ActionGrid
from data.config import Config
from data.times import IntArray, to_us
from features.pipeline import build, open_targets
from features.reference import learn_reference
from features.situation import situation_of
from features.store import StoredHistories
from features.tables import Histories
from models.prepare import UnknownDebtor
from models.rules.company_caps import with_company_caps
from models.rules.mask import contact_mask
from models.rules.mask_told import told_mask
from models.rules.pack import FOLDER, BadPack, country_of, faults, file_text, read_text
from models.rules.pack_tables import Pack, Packs
from models.rules.pack_told import HEAD, holidays_told, hours_told, told_rows, validity
from models.rules.packs_kept import PacksFound, packs_of
from serving.terminal import show_table

OVERVIEW = ("country", "pack", "in force", "calls: Mon-Fri / Sat / Sun and holidays", "status", "validity")


class NoSuchPack(LookupError):
    """A country was asked for that no pack speaks of."""


@dataclass(frozen=True)
class RulesHome:
    """Whose packs: a workspace with its own under `rules/`, and the channels of its configuration."""

    workspace: Path
    config: Config

    @property
    def own(self) -> Path:
        """Folder of the workspace's own packs; it may be missing."""
        return self.workspace / "rules"

    def in_force(self, on: date) -> PacksFound:
        """The pack of each country on a day; a look that writes nothing."""
        return packs_of(self.workspace, channels=self.config.grid.channels[1:], on=on, keep=False)

    def every(self) -> Mapping[str, Pack]:
        """Every readable pack by where it lies: the workspace's own, and shipped ones of other countries."""
        own = sorted(self.own.glob("*.toml"))
        replaced = {country_of(path.name).upper() for path in own}
        shipped = [path for path in sorted(FOLDER.glob("*.toml")) if country_of(path.name) not in replaced]
        found = {(f"own {path.name}" if path in own else path.name): self._read(path) for path in (*own, *shipped)}
        return {name: pack for name, pack in found.items() if pack is not None}

    def _read(self, path: Path) -> Pack | None:
        try:
            return read_text(file_text(path), name=path.name, channels=self.config.grid.channels[1:])
        except BadPack:
            return None  # the notices of `in_force` tell of it


def show_rules(country: str | None, home: RulesHome, *, on: date | None = None) -> list[str]:
    """Shows one country's packs as tables, or all in short; gives the notices.

    Raises
    ------
    NoSuchPack
        No pack speaks of the country.
    """
    found, every = home.in_force(on or _today()), dict(home.every())
    for pack in found.packs.values():
        if pack not in every.values():
            every[f"{pack.country}, last good one"] = pack
    if country is None:
        show_table(OVERVIEW, (_overview(name, pack, found.packs) for name, pack in every.items()), width=160)
        return list(found.notices)
    theirs = {name: pack for name, pack in every.items() if pack.country == country.upper()}
    notices = _of_country(found, country.upper())
    if not theirs and not notices:
        known = ", ".join(sorted({pack.country for pack in every.values()}))
        raise NoSuchPack(f"no pack speaks of {country!r}: nobody there is contacted. Expected one of {known}")
    for name, pack in sorted(theirs.items(), key=lambda one: _standing(one[1], found.packs)):  # in force comes first
        lines = (
            f"{name}: {_standing(pack, found.packs)}",
            validity(pack),
            f"Holidays: {holidays_told(pack)}",
            pack.source,
        )
        Console().print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
        show_table(HEAD, ([escape(cell) for cell in row] for row in told_rows(pack)), width=160)
    return notices


def faults_of_rules(folder: Path | None, home: RulesHome) -> list[str]:
    """Every fault in a folder of packs, a line for each file; without a folder in the shipped and the workspace's own.

    Raises
    ------
    NoSuchPack
        The folder holds no pack.
    """
    if folder is not None and not any(folder.glob("*.toml")):
        raise NoSuchPack(f"expected rule packs such as NO.toml in {folder}, came none")
    channels, today = home.config.grid.channels[1:], _today()
    folders = (folder,) if folder is not None else (FOLDER, home.own)
    return [f"{one}: {fault}" for one in folders for fault in faults(one, channels=channels, on=today)]


def explain_rules(directory: Path, debtor_id: str, *, as_of: datetime, home: RulesHome) -> list[str]:
    """Lines on one debtor of a portfolio: what each rule leaves of its claims and channels at a moment.

    No model is asked: the mask is the same for every bundle. What the service has received since is not looked at.

    Raises
    ------
    UnknownDebtor
        The portfolio does not hold the debtor.
    """
    config, found = home.config, home.in_force(as_of.astimezone(UTC).date())
    stored = StoredHistories(directory, config.grid.channels, home.workspace / "features")
    for histories in stored:
        row = np.flatnonzero(histories.debtor_id == debtor_id)
        if row.size:
            country = histories.places[histories.place[row[0]]].country
            told = _explained(histories, row, as_of_us=to_us(as_of), config=config, packs=found.packs)
            return [*_of_country(found, country), *told]
    raise UnknownDebtor(f"{directory} holds no debtor {debtor_id!r}; expected an identifier from its table debtors")


def _explained(histories: Histories, row: IntArray, *, as_of_us: int, config: Config, packs: Packs) -> list[str]:
    targets = open_targets(histories, row, as_of_us=np.array([as_of_us], dtype=np.int64))
    # The rules look at no rate: any reference will do for the features that come along.
    reference = learn_reference(histories, until_us=as_of_us, config=config)
    situation = situation_of(
        histories, targets, rows=build(histories, targets, reference=reference, rates=config.rates)
    )
    grid = ActionGrid.of(config.grid)
    mask = contact_mask(situation, grid=grid, packs=with_company_caps(packs, config.caps))
    return told_mask(mask, situation, debtor=0, grid=grid, claim_ids=histories.claim_id[targets.claim].tolist())


def _of_country(found: PacksFound, country: str) -> list[str]:
    return [one for one in found.notices if one.startswith(f"{country}:")]


def _overview(name: str, pack: Pack, packs: Packs) -> tuple[str, ...]:
    return pack.country, name, _standing(pack, packs), hours_told(pack, "phone"), pack.status, validity(pack)


def _standing(pack: Pack, packs: Packs) -> str:
    if not pack.enabled:
        return "switched off"
    return "in force" if packs.get(pack.country) == pack else "not in force today"


def _today() -> date:
    return datetime.now(UTC).date()
