"""The nightly batch: a decision for every debtor who owes something, as one file and on record."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from data.config import Config
from data.erasure import erased_among
from data.log_place import LogPlace
from data.progress import Progress
from data.schemas import DECISION_SCHEMA, write_table
from data.stopwatch import Stopwatch
from data.times import IntArray, to_us
from features.store import StoredHistories
from features.tables import Histories
from models.bundle import Bundle, must_fit
from models.decide import Weighed, settle, weigh
from models.decision_rows import decision_table
from models.limits import Allotted, Priced, allot
from models.prepare import Asks, debtors_with_open_claims
from models.rules.mask import rules_version
from models.rules.packs_kept import PacksFound, packs_of
from models.sample_ratio import sample_ratio
from serving.capacity_standing import keep_prices, taken_by
from serving.models_in_use import ModelsInUse
from serving.nightly_parts import Parts, is_whole, join, remove_abandoned
from serving.nightly_summary import NightlySummary, Tally
from serving.nightly_told import Told

DEBTORS_AT_ONCE = 6_000


@dataclass(frozen=True)
class Night:
    """What every shard of a batch shares; `erased` are those of some debtors who were erased: nothing is decided for them."""

    as_of: datetime
    champion: Bundle
    challenger: Bundle | None
    config: Config
    rules: PacksFound
    greedy: bool
    clock: Stopwatch
    limits: Priced | None = None
    erased: Callable[[Collection[str]], Collection[str]] = lambda _: ()

    def rows(self, histories: Histories) -> Iterator[tuple[float, pa.Table]]:
        """Rows of every debtor with an open claim, some debtors at a time, each with the share that was done before it."""
        for share, weighed in self.weighed(histories):
            found = settle(weighed, self.limits)
            self.clock.lap("draw")
            rows = decision_table(found, packs_version=rules_version(self.rules.packs))
            self.clock.lap("rows")
            yield share, rows

    def weighed(self, histories: Histories) -> Iterator[tuple[float, Weighed]]:
        """Every debtor with an open claim, some at a time, before anything is chosen, with the share that was done before them."""
        debtors = self._to_decide(histories)
        for start in range(0, len(debtors), DEBTORS_AT_ONCE):
            some = debtors[start : start + DEBTORS_AT_ONCE]
            yield (
                start / len(debtors),
                weigh(
                    histories,
                    Asks(some, some * 0 + to_us(self.as_of)),
                    champion=self.champion,
                    challenger=self.challenger,
                    config=self.config,
                    packs=self.rules.packs,
                    everyone_champion=self.greedy,
                    done=self.clock.lap,
                ),
            )

    def _to_decide(self, histories: Histories) -> IntArray:
        debtors = debtors_with_open_claims(histories, to_us(self.as_of))
        erased = self.erased(histories.debtor_id[debtors].tolist())
        return debtors[~np.isin(histories.debtor_id[debtors], list(erased))] if erased else debtors

    def depends_on(self) -> list[object]:
        """What decisions depend on besides portfolio, events and code; one text each."""
        bundles = [bundle and (bundle.model_version, bundle.chooser) for bundle in (self.champion, self.challenger)]
        limits = self.limits and self.limits.fingerprint
        return [
            self.as_of.isoformat(),
            bundles,
            self.config.fingerprint,
            rules_version(self.rules.packs),
            self.greedy,
            limits,
        ]


def run_nightly(
    directory: Path,
    *,
    as_of: datetime,
    out: Path,
    workspace: Path,
    config: Config,
    greedy: bool,
    progress: Progress,
    log_place: LogPlace | None = None,
) -> NightlySummary:
    """Decides for every debtor of a portfolio with an open claim, writes the file, then the log.

    A portfolio laid out by debtor is gone through shard by shard, one of them in memory. Decided shards wait in the
    workspace until all are: after having been killed, a night of the same portfolio and moment goes on where it stood.
    What the service has received since, and what it has confirmed, counts as it does for the service.

    Parameters
    ----------
    out
        Parquet file in `data.schemas.DECISION_SCHEMA`, there whole or not at all.
    greedy
        Every debtor to the champion, without arms and exploration.
    log_place
        Where the decision log is; None: in the workspace.

    Raises
    ------
    data.problems.BadPortfolio
        The portfolio breaks the contract.
    models.bundle.NoChampion
        No model has been promoted.
    models.bundle.OtherConfiguration
        The champion or challenger was trained for other channels or another horizon.
    data.decision_log.ConflictingDecision
        Decisions of the same moment stand in the log, differ, and were acted on.
    """
    progress("reading", 0.0)
    night = night_of(workspace, as_of=as_of, config=config, greedy=greedy)
    with closing((log_place or LogPlace(workspace)).open()) as log:
        with log.reading() as connection:
            night = replace(night, erased=partial(erased_among, connection))
            told = told_of(connection, directory, workspace, night)
            allotted = allotted_for(night, told, progress=progress)
            night = replace(night, limits=allotted.limits if allotted else None)
            parts = Parts.of(workspace, directory, depends_on=night.depends_on())
            found = list(_decided_shards(night, told, parts, progress=progress))
        tally = Tally.over(join([part for part, _ in found], out), progress=progress, parts=len(found))
        night.clock.lap("writing")
        batch = log.write_batch(out, portfolio=directory.resolve(), as_of=as_of, config_fingerprint=config.fingerprint)
        night.clock.lap("logging")
    parts.remove()
    remove_abandoned(workspace, now_s=time.time())
    if allotted is not None:
        keep_prices(workspace, allotted, as_of=as_of)
    progress("writing", 1.0)
    again = sum(earlier for _, earlier in found)
    return _summary(night, tally, allotted=allotted, batch_id=batch.batch_id, out=out, found=again)


def night_of(workspace: Path, *, as_of: datetime, config: Config, greedy: bool = False) -> Night:
    """A night with the workspace's models, before any limits.

    Raises
    ------
    NoChampion, OtherConfiguration
        There is no model, or it was trained for other channels or another horizon.
    """
    models = ModelsInUse(workspace).current()
    model, second = models.champion, models.challenger
    for bundle in filter(None, (model, second)):
        must_fit(bundle, config)
    found = packs_of(workspace, channels=config.grid.channels[1:], on=as_of.astimezone(UTC).date())
    return Night(as_of, model, second, config, found, greedy, Stopwatch(time.process_time))


def told_of(connection: sa.Connection, directory: Path, workspace: Path, night: Night) -> Told:
    """The portfolio with what the service was told since, shard by shard."""
    stored = StoredHistories(directory, night.config.grid.channels, workspace / "features")
    told = Told.of(connection, stored, as_of=night.as_of)
    night.clock.lap("reading")
    return told


def allotted_for(night: Night, told: Told, *, progress: Progress) -> Allotted | None:
    """What is scarce, priced over the whole portfolio before any shard is decided; None where nothing is limited."""
    settings = night.config.capacity
    if settings.limits_nothing:
        return None

    def portfolio() -> Iterator[Weighed]:
        for number in range(len(told.shards)):
            histories = told.histories(number)
            for share, weighed in night.weighed(histories):
                progress("weighing", (number + share) / len(told.shards))
                yield weighed

    shards = (told.histories(number) for number in range(len(told.shards)))
    standing = taken_by(shards, night.config, at=night.as_of, answer_rate=night.champion.reference.response_rate)
    drawn = night.config.policy.kind != "greedy" and not night.greedy
    found = allot(portfolio, settings=settings, taken=standing, draws=drawn)
    night.clock.lap("limits")
    return found


def _decided_shards(night: Night, told: Told, parts: Parts, *, progress: Progress) -> Iterator[tuple[Path, bool]]:
    """The part of every shard, decided unless it is there, and whether it was."""
    count = len(told.shards)
    for number in range(count):
        progress("deciding", number / count)
        part = parts.place(number, told.mark(number))
        earlier = is_whole(part)
        if not earlier:
            histories, tables = told.histories(number), [DECISION_SCHEMA.empty_table()]
            night.clock.lap("reading")
            for share, table in night.rows(histories):
                progress("deciding", (number + share) / count)
                tables.append(table)
            write_table(pa.concat_tables(tables), part)
            night.clock.lap("writing")
        yield part, earlier
    progress("deciding", 1.0)


def _summary(
    night: Night, tally: Tally, *, allotted: Allotted | None, batch_id: str, out: Path, found: int
) -> NightlySummary:
    """What there is to tell of the batch."""
    trained = night.champion.card.get("as_of")
    return NightlySummary(
        claims=tally.claims,
        debtors=tally.debtors,
        by_channel=dict(tally.channels),
        by_arm=dict(tally.arms),
        model_version=night.champion.model_version,
        knew_later=trained is not None and datetime.fromisoformat(trained) > night.as_of,
        sizes=None if night.greedy or not tally.drawn else sample_ratio(tally.drawn, night.config.arms),
        limits=tuple(allotted.lines()) if allotted else (),
        notices=night.rules.notices,
        batch_id=batch_id,
        out=out,
        found=found,
        processor_time=night.clock.line(),
    )
