"""What every recipe learns from and is judged on: made once for a portfolio and a moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.config import Config
from data.portfolio import Portfolio
from data.progress import Say
from data.times import from_us
from features.catalogue import catalogue
from features.columns import rows_of, texts
from features.histories import histories_of
from features.reference import Reference, learn_reference
from features.tables import Histories
from models.rules.pack import Packs
from training.gate.leakage import Telling, most_telling
from training.policy_value import Judged, judged_decisions
from training.rows import TrainingRows, known_until, last_fact_us, training_rows
from training.splits import Split, judged_debtors, later_from, split_rows
from training.usual import usual_values

TextArray = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Material:
    """What every recipe learns from: made once for a portfolio and a moment.

    `usual` is the usual value of each feature among the rows learnt from, None for missing; `telling` the feature that
    alone tells most of the outcomes; `sex` each debtor's by row in the histories, where the tenant gave an `audit_sex`
    column, else "". `judged` are drawn decisions on debtors that no fit sees, `drawn` those on all others.
    """

    histories: Histories
    reference: Reference
    rows: TrainingRows
    split: Split
    judged: Judged
    drawn: Judged
    as_of_us: int
    config: Config
    packs: Packs
    seed: int
    usual: tuple[float | None, ...]
    telling: Telling
    sex: TextArray


def gather(portfolio: Portfolio, *, as_of_us: int, config: Config, packs: Packs, seed: int, progress: Say) -> Material:
    """Histories, training rows, their parts, and the decisions to judge policies on.

    Raises
    ------
    NoTrainingRows, TooShort
        The log holds too little.
    """
    progress("histories")
    histories = histories_of(portfolio, channels=config.grid.channels)
    known_us = known_until(last_fact_us([histories], as_of_us=as_of_us), as_of_us=as_of_us)
    if known_us < as_of_us:
        progress(
            f"payments are known up to {from_us(known_us):%Y-%m-%d}, not to as_of: what was decided in the horizon before it is left out"
        )
    begin_us = later_from(portfolio, as_of_us=known_us, horizon_days=config.horizon.days)
    reference = learn_reference(histories, until_us=begin_us, config=config)
    progress("features of every decision")
    rows = training_rows(portfolio, histories, as_of_us=known_us, reference=reference, config=config)
    held_out = judged_debtors(histories.debtor_id, seed=seed)
    split = split_rows(rows, held_out, later_from_us=begin_us, horizon_days=config.horizon.days)
    judged, drawn = (
        judged_decisions(portfolio, histories, as_of_us=known_us, debtors=one, config=config)
        for one in (held_out, ~held_out)
    )
    return Material(
        histories, reference, rows, split, judged, drawn, as_of_us, config, packs, seed,
        usual=usual_values(rows.matrix[split.learn], catalogue(histories.channels)),
        telling=_telling(rows, split),
        sex=audited(portfolio, histories, "audit_sex"),
    )  # fmt: skip


def _telling(rows: TrainingRows, split: Split) -> Telling:
    learn, judge = ((rows.matrix[part], rows.paid[part]) for part in (split.learn, split.judge))
    return most_telling(learn, judge, names=rows.names)


def audited(portfolio: Portfolio, histories: Histories, column: str) -> TextArray:
    """A column of `debtors` that serves fairness checks only, by row in the histories; "" where it is not given."""
    found = np.full(histories.size, "", dtype=np.object_)
    debtors = portfolio["debtors"]
    if column in debtors.column_names:
        row = rows_of(debtors["debtor_id"], pa.array(histories.debtor_id, pa.string()))
        words = np.array([str(one or "") for one in texts(debtors, column).tolist()], dtype=np.object_)
        found[row[row >= 0]] = words[row >= 0]
    return found
