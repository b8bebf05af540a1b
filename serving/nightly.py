"""The nightly batch: a decision for every debtor who owes something, as one file and on record."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from data.config import Config
from data.decision_log import DecisionLog
from data.problems import counted
from data.progress import Progress
from data.schemas import DECISION_SCHEMA, write_table
from data.stopwatch import Stopwatch
from data.times import IntArray, to_us
from data.vocabulary import NONE
from features.store import StoredHistories
from features.tables import Histories
from models.bundle import Bundle, champion, must_fit, pointed
from models.decide import decide
from models.decision_rows import decision_table
from models.prepare import Asks, debtors_with_open_claims
from models.rules.mask import rules_version
from models.rules.pack import Packs, read_packs
from models.sample_ratio import SUSPICIOUS, SampleRatio, sample_ratio
from serving.nightly_parts import Parts, is_whole, join, remove_abandoned
from serving.nightly_told import Told

DEBTORS_AT_ONCE = 6_000
NO_CONTROL = (
    "nobody is in the control arm: what the model is worth cannot be measured; give [arms] control a small share"
)
KNEW_LATER = "the model was trained at a later moment than this as_of: as a backtest, these decisions knew the future"


@dataclass(frozen=True)
class NightlySummary:
    """What a batch decided: rows, debtors by the channel of their contact (or `none`) and by arm, and the model.

    `knew_later` is True where the model was trained at a later moment than the one decided for; `found` counts shards that
    an earlier run, cut short, had decided; `processor_time` is the share of each part of this one. `sizes` holds the arms of
    the debtors drawn into them against their shares; None where nobody was.
    """

    claims: int
    debtors: int
    by_channel: dict[str, int]
    by_arm: dict[str, int]
    model_version: str
    knew_later: bool
    sizes: SampleRatio | None
    batch_id: str
    out: Path
    found: int
    processor_time: str

    def lines(self) -> list[str]:
        """The summary to read."""
        contacts = sum(count for channel, count in self.by_channel.items() if channel != NONE)
        channels = ", ".join(f"{channel} {count:,}" for channel, count in sorted(self.by_channel.items()))
        arms = ", ".join(f"{arm} {count:,}" for arm, count in sorted(self.by_arm.items()))
        return [
            f"{counted(self.debtors, 'debtor')} with {counted(self.claims, 'open claim')}: {counted(contacts, 'contact')}",
            f"by channel: {channels or 'none'}",
            f"by arm: {arms or 'none'}",
            f"model {self.model_version}, batch {self.batch_id}, written to {self.out}",
            *([f"{counted(self.found, 'shard')} had been decided by a run that was cut short"] if self.found else []),
            f"processor time: {self.processor_time}",
            *([KNEW_LATER] if self.knew_later else []),
            *self._of_arms(),
        ]

    def _of_arms(self) -> list[str]:
        """What is amiss with the arms, if anything is."""
        if self.sizes is None:
            return []
        if self.sizes.p_value < SUSPICIOUS:
            return [f"the arms do not have the sizes they were drawn with: {self.sizes.told()}"]
        return [] if "control" in self.sizes.arms else [NO_CONTROL]


@dataclass(frozen=True)
class _Night:
    """What every shard of a batch shares."""

    as_of: datetime
    champion: Bundle
    challenger: Bundle | None
    config: Config
    packs: Packs
    greedy: bool
    clock: Stopwatch

    def decided(self, histories: Histories) -> Iterator[tuple[float, pa.Table]]:
        """Rows of every debtor with an open claim, some debtors at a time, each with the share that was done before it."""
        debtors = debtors_with_open_claims(histories, to_us(self.as_of))
        for start in range(0, len(debtors), DEBTORS_AT_ONCE):
            yield start / len(debtors), self._rows(histories, debtors[start : start + DEBTORS_AT_ONCE])

    def _rows(self, histories: Histories, debtors: IntArray) -> pa.Table:
        found = decide(
            histories,
            Asks(debtors, debtors * 0 + to_us(self.as_of)),
            champion=self.champion,
            challenger=self.challenger,
            config=self.config,
            packs=self.packs,
            everyone_champion=self.greedy,
            done=self.clock.lap,
        )
        self.clock.lap("draw")
        rows = decision_table(found, packs_version=rules_version(self.packs))
        self.clock.lap("rows")
        return rows

    def depends_on(self) -> list[object]:
        """What decisions depend on besides portfolio, events and code; one text each."""
        bundles = [bundle and (bundle.model_version, bundle.chooser) for bundle in (self.champion, self.challenger)]
        return [self.as_of.isoformat(), bundles, self.config.fingerprint, rules_version(self.packs), self.greedy]


def run_nightly(
    directory: Path,
    *,
    as_of: datetime,
    out: Path,
    workspace: Path,
    config: Config,
    greedy: bool,
    progress: Progress,
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
    clock = Stopwatch(time.process_time)
    model, second = champion(workspace), pointed(workspace, "challenger")
    for bundle in filter(None, (model, second)):
        must_fit(bundle, config)
    progress("reading", 0.0)
    packs = read_packs(channels=config.grid.channels[1:])
    night = _Night(as_of, model, second, config, packs, greedy, clock)
    parts = Parts.of(workspace, directory, depends_on=night.depends_on())
    with closing(DecisionLog.open(workspace)) as log:
        with log.reading() as connection:
            told = _told(connection, directory, workspace, night)
            found = list(_decided_shards(night, told, parts, progress=progress))
        tally = _Tally.over(join([part for part, _ in found], out), progress=progress, parts=len(found))
        clock.lap("writing")
        batch = log.write_batch(out, portfolio=directory.resolve(), as_of=as_of, config_fingerprint=config.fingerprint)
        clock.lap("logging")
    parts.remove()
    remove_abandoned(workspace, now_s=time.time())
    progress("writing", 1.0)
    return tally.summary(night, batch_id=batch.batch_id, out=out, found=sum(earlier for _, earlier in found))


def _told(connection: sa.Connection, directory: Path, workspace: Path, night: _Night) -> Told:
    stored = StoredHistories(directory, night.config.grid.channels, workspace / "features")
    told = Told.of(connection, stored, as_of=night.as_of)
    night.clock.lap("reading")
    return told


def _decided_shards(night: _Night, told: Told, parts: Parts, *, progress: Progress) -> Iterator[tuple[Path, bool]]:
    """The part of every shard, decided unless it is there, and whether it was."""
    count = len(told.shards)
    for number in range(count):
        progress("deciding", number / count)
        part = parts.place(number, told.mark(number))
        earlier = is_whole(part)
        if not earlier:
            histories, tables = told.histories(number), [DECISION_SCHEMA.empty_table()]
            night.clock.lap("reading")
            for share, table in night.decided(histories):
                progress("deciding", (number + share) / count)
                tables.append(table)
            write_table(pa.concat_tables(tables), part)
            night.clock.lap("writing")
        yield part, earlier
    progress("deciding", 1.0)


@dataclass(frozen=True)
class _Tally:
    """What was decided, counted part by part: a debtor stands in one of them only."""

    claims: int
    debtors: int
    channels: Counter[str]
    arms: Counter[str]
    drawn: Counter[str]

    @staticmethod
    def over(tables: Iterator[pa.Table], *, parts: int, progress: Progress) -> _Tally:
        """The sum over all parts."""
        claims, debtors, channels, arms, drawn = 0, 0, Counter[str](), Counter[str](), Counter[str]()
        for number, table in enumerate(tables):
            progress("writing", number / (parts + 1))
            claims += table.num_rows
            debtors += pc.count_distinct(table["debtor_id"]).as_py()
            contacts = table.filter(pc.and_(table["lead"], pc.not_equal(table["channel"], NONE)))
            channels.update(contacts["channel"].to_pylist())
            arms.update(_debtors_by_arm(table))
            drawn.update(_debtors_by_arm(table.filter(pc.is_valid(table["arm_probability"]))))
        channels[NONE] = debtors - channels.total()
        return _Tally(claims, debtors, channels, arms, drawn)

    def summary(self, night: _Night, *, batch_id: str, out: Path, found: int) -> NightlySummary:
        """The same with what there is to tell of the batch."""
        trained = night.champion.card.get("as_of")
        return NightlySummary(
            claims=self.claims,
            debtors=self.debtors,
            by_channel=dict(self.channels),
            by_arm=dict(self.arms),
            model_version=night.champion.model_version,
            knew_later=trained is not None and datetime.fromisoformat(trained) > night.as_of,
            sizes=None if night.greedy or not self.drawn else sample_ratio(self.drawn, night.config.arms),
            batch_id=batch_id,
            out=out,
            found=found,
            processor_time=night.clock.line(),
        )


def _debtors_by_arm(table: pa.Table) -> list[str]:
    """The arm of each debtor of a table, once."""
    arms: list[str] = table.group_by(["debtor_id", "arm"]).aggregate([])["arm"].to_pylist()
    return arms
