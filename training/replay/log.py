"""The log as arrays: contacts and rows worked out beside them, features as of the decision, and what came of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config, HorizonSettings
from data.outcomes import Payments, paid_within
from data.portfolio import Portfolio
from data.times import IntArray
from features.columns import BoolArray, FloatArray
from features.reference import learn_reference
from features.tables import Histories
from training.logged.chances import Decisions
from training.logged.from_rows import OfRows, decisions_behind, decisions_of
from training.logged.segments import Segment, segments_of
from training.replay.made import Made
from training.replay.risk_sets import RiskSets, claims_at
from training.rows import TrainingRows, training_rows
from training.splits import later_from

MARK = "risk-set/"
"""How the identifiers of rows begin that no system wrote."""
CUT = 0.99
"""Quantile of the amounts paid at which they are cut: one large payment would else decide what a channel seems to bring."""


@dataclass(frozen=True)
class Outcome:
    """What came of decisions within some days, shape (n,): paid anything or not, and EUR, cut at `most_eur`."""

    paid: FloatArray
    eur: FloatArray
    most_eur: float


@dataclass(frozen=True)
class ReplayLog:
    """Mature decisions of the debtors looked at, shape (n,).

    Parameters
    ----------
    decisions
        Contacts, decisions for none that the log holds, and rows worked out from risk sets.
    reconstructed
        Rows that no system wrote.
    comparable
        Whether a row may be compared with none: it has rows of the other kind beside it.
    outcomes
        By days.
    segments
        Those of the overlap map.
    """

    decisions: Decisions
    reconstructed: BoolArray
    comparable: BoolArray
    outcomes: Mapping[int, Outcome]
    segments: tuple[Segment, ...]

    def __len__(self) -> int:
        return len(self.reconstructed)

    @property
    def contact(self) -> BoolArray:
        """Whether a contact was made, shape (n,)."""
        return self.decisions.channel > 0


def replay_log(
    portfolio: Portfolio,
    histories: Histories,
    made: Made,
    *,
    risk: RiskSets | None,
    debtors: BoolArray,
    payments: Payments,
    known_us: int,
    config: Config,
) -> ReplayLog:
    """Decisions whose longer horizon was over, with features as of the decision.

    Parameters
    ----------
    risk
        Rows beside the contacts; None where the log holds its own decisions for none.
    debtors
        Who is looked at, by row in the histories.

    Raises
    ------
    NoTrainingRows
        There is none.
    """
    reference = learn_reference(
        histories,
        until_us=later_from(portfolio, as_of_us=known_us, horizon_days=config.horizon.days),
        config=config,
    )
    tables = {**portfolio.tables, "contacts": _with_rows(portfolio["contacts"], histories, risk=risk, debtors=debtors)}
    longer = replace(config, horizon=HorizonSettings(config.horizon.also_days, config.horizon.also_days))
    rows = training_rows(
        Portfolio(tables, portfolio.given), histories, as_of_us=known_us, reference=reference, config=longer
    )
    behind = decisions_behind(rows)
    names = pa.array(rows.contact_id[behind.first].astype(str))
    log = decisions_of(rows, behind, channels=len(config.grid.channels))
    reconstructed = np.asarray(pc.starts_with(names, MARK).to_numpy(zero_copy_only=False), dtype=np.bool_)
    return ReplayLog(
        decisions=log,
        reconstructed=reconstructed,
        comparable=_comparable(names, made, risk) | reconstructed
        if risk is not None
        else np.ones(len(names), np.bool_),
        outcomes={
            days: _outcome(rows, behind, payments, days=days, known_us=known_us)
            for days in (config.horizon.days, config.horizon.also_days)
        },
        segments=segments_of(rows.matrix[behind.first], rows.names, countries=reference.countries),
    )


def _with_rows(contacts: pa.Table, histories: Histories, *, risk: RiskSets | None, debtors: BoolArray) -> pa.Table:
    """Rows of the log on these debtors, those worked out behind them: one for each claim that a contact could have covered."""
    chosen = pa.array(histories.debtor_id[debtors], pa.string())
    ours = contacts.filter(pc.is_in(contacts["debtor_id"], value_set=chosen))
    if risk is None or not len(risk):
        return ours
    claim, moment = claims_at(histories, risk.debtor, at_us=risk.at_us)
    given = {
        "contact_id": pa.array([f"{MARK}{number}" for number in moment.tolist()]),
        "debtor_id": pa.array(histories.debtor_id[risk.debtor[moment]]),
        "claim_id": pa.array(histories.claim_id[claim]),
        "decided_at": pa.array(risk.at_us[moment]).cast(pa.timestamp("us", "UTC")),
        "channel": pa.array(["none"] * len(moment)),
        "policy": pa.array(risk.policy[moment]),
    }
    columns = [given.get(one.name, pa.nulls(len(moment), one.type)).cast(one.type) for one in ours.schema]
    return pa.concat_tables([ours, pa.Table.from_arrays(columns, schema=ours.schema)])


def _comparable(names: pa.Array, made: Made, risk: RiskSets) -> BoolArray:
    """Whether each decision is a contact with rows beside it, shape (n,)."""
    with_rows = made.contact_id.filter(pa.array(risk.comparable))
    return np.asarray(pc.is_in(names, value_set=with_rows).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _outcome(rows: TrainingRows, behind: OfRows, payments: Payments, *, days: int, known_us: int) -> Outcome:
    """What was paid on the claims of each decision within so many days."""
    found = paid_within(rows.decided_us, rows.claim, payments=payments, horizon_days=days, known_until_us=known_us)
    size = len(behind.first)
    paid = np.bincount(behind.decision, weights=found.paid, minlength=size) > 0
    eur = np.bincount(behind.decision, weights=found.amount_eur, minlength=size)
    most = float(np.quantile(eur[paid], CUT)) if paid.any() else 1.0
    return Outcome(paid.astype(np.float64), np.minimum(eur, most), most)


def cells_of(segments: tuple[Segment, ...], families: tuple[str, ...]) -> tuple[IntArray, tuple[tuple[str, ...], ...]]:
    """Cells in which the segments of some families cross: the cell of each row, shape (n,), and the cells' names."""
    size = len(segments[0].here)
    code = np.zeros(size, dtype=np.int64)
    names: list[tuple[str, ...]] = [()]
    for family in families:
        own = [one for one in segments if one.family == family]
        place = np.zeros(size, dtype=np.int64)
        for number, one in enumerate(own):
            place[one.here] = number
        code = code * len(own) + place
        names = [(*name, one.name) for name in names for one in own]
    return code, tuple(names)
