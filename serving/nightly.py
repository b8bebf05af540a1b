"""The nightly batch: a decision for every debtor who owes something, as one file and on record."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config
from data.decision_log import DecisionLog
from data.portfolio import Portfolio, read_portfolio
from data.problems import counted
from data.progress import Progress
from data.schemas import DECISION_SCHEMA, write_table
from data.times import IntArray, to_us
from data.vocabulary import NONE
from features.histories import histories_of
from features.tables import Histories
from models.bundle import Bundle, champion, must_fit, pointed
from models.decide import Asks, debtors_with_open_claims, decide
from models.decision_rows import decision_table
from models.rules.mask import rules_version
from models.rules.pack import Packs, read_packs
from serving.state import portfolio_with_events

DEBTORS_AT_ONCE = 2_000
KNEW_LATER = "the model was trained at a later moment than this as_of: as a backtest, these decisions knew the future"


@dataclass(frozen=True)
class NightlySummary:
    """What a batch decided: rows, debtors by the channel of their contact (or `none`) and by arm, and the model.

    `knew_later` is True where the model was trained at a later moment than the one decided for.
    """

    claims: int
    debtors: int
    by_channel: dict[str, int]
    by_arm: dict[str, int]
    model_version: str
    knew_later: bool
    batch_id: str
    out: Path

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
            *([KNEW_LATER] if self.knew_later else []),
        ]


@dataclass(frozen=True)
class _Night:
    """What every block of a batch shares."""

    histories: Histories
    as_of_us: int
    champion: Bundle
    challenger: Bundle | None
    config: Config
    packs: Packs
    greedy: bool

    def decided(self, debtors: IntArray) -> pa.Table:
        """Rows of some debtors."""
        found = decide(
            self.histories,
            Asks(debtors, debtors * 0 + self.as_of_us),
            champion=self.champion,
            challenger=self.challenger,
            config=self.config,
            packs=self.packs,
            everyone_champion=self.greedy,
        )
        return decision_table(found, packs_version=rules_version(self.packs))


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
    model, second = champion(workspace), pointed(workspace, "challenger")
    for bundle in filter(None, (model, second)):
        must_fit(bundle, config)
    progress("reading", 0.0)
    portfolio = _up_to_date(read_portfolio(directory, channels=config.grid.channels), workspace, as_of=as_of)
    histories = histories_of(portfolio, channels=config.grid.channels)
    packs = read_packs(channels=config.grid.channels[1:])
    night = _Night(histories, to_us(as_of), model, second, config, packs, greedy)
    debtors = debtors_with_open_claims(histories, to_us(as_of))
    tables = [DECISION_SCHEMA.empty_table()]
    for start in range(0, len(debtors), DEBTORS_AT_ONCE):
        progress("deciding", start / len(debtors))
        tables.append(night.decided(debtors[start : start + DEBTORS_AT_ONCE]))
    decisions = pa.concat_tables(tables)
    progress("writing", 1.0)
    write_table(decisions, out)
    batch_id = _logged(workspace, decisions, directory, as_of=as_of, config=config)
    return _summary(decisions, model, batch_id=batch_id, as_of=as_of, out=out)


def _up_to_date(portfolio: Portfolio, workspace: Path, *, as_of: datetime) -> Portfolio:
    with closing(DecisionLog.open(workspace)) as log, log.reading() as connection:
        return portfolio_with_events(connection, portfolio, as_of=as_of)


def _logged(workspace: Path, decisions: pa.Table, directory: Path, *, as_of: datetime, config: Config) -> str:
    with closing(DecisionLog.open(workspace)) as log:
        batch = log.write_batch(
            decisions, portfolio=directory.resolve(), as_of=as_of, config_fingerprint=config.fingerprint
        )
    return batch.batch_id


def _summary(decisions: pa.Table, model: Bundle, *, batch_id: str, as_of: datetime, out: Path) -> NightlySummary:
    trained = model.card.get("as_of")
    contacts = decisions.filter(pc.not_equal(decisions["channel"], NONE))
    by_channel = Counter(contacts.filter(contacts["lead"])["channel"].to_pylist())
    by_channel[NONE] = pc.count_distinct(decisions["debtor_id"]).as_py() - by_channel.total()
    arms = decisions.group_by(["debtor_id", "arm"]).aggregate([])["arm"].to_pylist()
    return NightlySummary(
        claims=decisions.num_rows,
        debtors=pc.count_distinct(decisions["debtor_id"]).as_py(),
        by_channel=dict(by_channel),
        by_arm=dict(Counter(arms)),
        model_version=model.model_version,
        knew_later=trained is not None and datetime.fromisoformat(trained) > as_of,
        batch_id=batch_id,
        out=out,
    )
