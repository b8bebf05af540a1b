"""Tenants: each with a log, models, configuration, rules and reports of its own; nothing leads from one to another."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from functools import cached_property
from pathlib import Path

from data.config import Config, read_config
from data.decision_log import DecisionLog
from data.log_place import MAIN, LogPlace
from data.parquet_folder import table_files
from data.portfolio import Portfolio, read_portfolio
from models.rules.packs_kept import PacksFound, packs_of
from serving.again import Repeater
from serving.base_portfolio import BasePortfolio
from serving.capacity_standing import KeptPrices
from serving.counter import Counter
from serving.decider import Clock, Service
from serving.engine import DecideEngine, Engine
from serving.group_told import Told
from serving.live import LiveState
from serving.models_in_use import ModelsInUse, ModelSource
from serving.settings import BadServiceSettings, ServiceSettings

NAME = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True)
class Parts:
    """What may take the place of what is made of a tenant's folders: for tests, or a caller that has it already."""

    base: Portfolio | None = None
    engine: Engine | None = None
    models: ModelSource | None = None


@dataclass(frozen=True)
class Tenant:
    """One tenant: its counter, its workspace, the number of its rule packs and what is to be known of them.

    `fell_back` holds a word of `serving.telemetry.vocabulary.FALLBACKS` for each country whose own pack was refused.
    """

    name: str
    counter: Counter
    workspace: Path
    packs: int
    notices: tuple[str, ...]
    fell_back: tuple[str, ...] = ()

    @cached_property
    def repeater(self) -> Repeater:
        """What takes its decisions again; made once, since it keeps the bundles it had to load."""
        return Repeater(self.service, self.workspace)

    @property
    def reports(self) -> Path:
        """Folder of its report pages."""
        return self.workspace / "reports"

    @property
    def service(self) -> Service:
        """Everything its answers are made of."""
        return self.counter.service


def open_tenants(
    settings: ServiceSettings,
    clock: Clock,
    *,
    told: Told,
    parts: Parts | None = None,
) -> dict[str, Tenant]:
    """Every tenant by name, all of them counted in one place.

    Raises
    ------
    serving.settings.BadServiceSettings
        There is no folder of a tenant, or one whose name is none of ours.
    data.problems.BadPortfolio, data.config.BadConfiguration
        As for a single one.
    """
    settings.workspace.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, workspace in workspaces(settings).items():
        one = replace(settings, workspace=workspace)
        found[name] = _tenant(name, one, clock, told=told, parts=parts or Parts())
    return found


def workspaces(settings: ServiceSettings) -> dict[str, Path]:
    """The workspace of each tenant."""
    if not settings.tenants:
        return {MAIN: settings.workspace}
    folders = [one for one in sorted(settings.workspace.iterdir()) if one.is_dir()]
    strange = [one.name for one in folders if not NAME.fullmatch(one.name)]
    if strange or not folders:
        raise BadServiceSettings(
            f"{settings.workspace}: expected a folder for each tenant, named with a-z, 0-9 and -, "
            f"came {', '.join(strange) or 'none'}: rename them, or leave out --tenants"
        )
    return {one.name: one for one in folders}


def opened_service(
    name: str, settings: ServiceSettings, clock: Clock, *, told: Told | None = None, parts: Parts | None = None
) -> Service:
    """Everything the answers of one tenant are made of; `settings.workspace` is that tenant's."""
    return _opened(name, settings, clock, told=told or Told(), parts=parts or Parts())[0]


def _opened(
    name: str, settings: ServiceSettings, clock: Clock, *, told: Told, parts: Parts
) -> tuple[Service, PacksFound]:
    log = LogPlace(settings.workspace, settings.database, name).open()
    folder = settings.portfolio or _last_portfolio(log)
    config = read_config(*([folder] if folder else []), settings.workspace)
    standing = BasePortfolio.of(parts.base or _portfolio(folder, config), digest=digest_of(folder) if folder else "")
    found = packs_of(settings.workspace, channels=config.grid.channels[1:], on=clock().astimezone(UTC).date())
    state = LiveState(standing, channels=config.grid.channels)
    prices = KeptPrices(settings.workspace, config.capacity)
    service = Service(
        base=standing,
        state=state,
        log=log,
        engine=parts.engine or DecideEngine(config, found.packs, state=state, prices=prices),
        models=parts.models or ModelsInUse(settings.workspace, on_refused=told.bundle_refused),
        config=config,
        clock=clock,
        ahead=timedelta(days=settings.ahead_days),
    )
    return service, found


def _tenant(name: str, settings: ServiceSettings, clock: Clock, *, told: Told, parts: Parts) -> Tenant:
    service, found = _opened(name, settings, clock, told=told, parts=parts)
    counter = Counter(service, patience_s=settings.patience_ms / 1_000, told=told, to_be_warmed=settings.warm_up)
    return Tenant(name, counter, settings.workspace, len(found.packs), found.notices, fell_back(found))


def fell_back(found: PacksFound) -> tuple[str, ...]:
    """For each country whose own pack was refused: whether its last good one goes on, or nobody there is contacted.

    >>> fell_back(PacksFound({}, ("NO: refused: no.toml is not TOML. No good own pack is kept", "XX.toml: not read")))
    ('no_pack',)
    """
    countries = (country for country, refused, _ in (one.partition(": refused: ") for one in found.notices) if refused)
    return tuple("last_good_pack" if country in found.packs else "no_pack" for country in countries)


def digest_of(folder: Path) -> str:
    """16 hexadecimal digits of what a portfolio's files hold."""
    found = hashlib.sha256()
    for name, files in sorted(table_files(folder).items()):
        for file in files:
            with file.open("rb") as content:
                found.update(f"{name}|{file.name}|{hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode())
    return found.hexdigest()[:16]


def _last_portfolio(log: DecisionLog) -> Path | None:
    """Folder of the latest batch, if it is still there."""
    folders = [Path(batch.portfolio) for batch in log.batches() if batch.portfolio is not None]
    return next((folder for folder in reversed(folders) if folder.is_dir()), None)


def _portfolio(folder: Path | None, config: Config) -> Portfolio:
    if folder is None:
        return Portfolio.from_tables({})
    return read_portfolio(folder, channels=config.grid.channels)
