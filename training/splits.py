"""Who is learnt from and who is judged: by debtor and by time, with a gap of the horizon between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.portfolio import Portfolio
from data.times import DAY_US, IntArray
from features.columns import instants
from models.hashing import keyed_uniform
from training.rows import TrainingRows

BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]

JUDGED_DEBTORS = 0.30
"""Share of debtors that no fit ever sees."""

LATER_SHARE = 0.30
"""Share of decisions, by time, that lie in the later slice."""


class TooShort(ValueError):
    """The log is too short, or too small, to hold a learning part and a later part."""


@dataclass(frozen=True)
class Split:
    """Rows of each part, shape (r,): no debtor and no day of outcome is in both `learn` and `judge`.

    `calibrate` are later rows of debtors that were learnt from.
    """

    learn: BoolArray
    calibrate: BoolArray
    judge: BoolArray
    later_from_us: int


def later_from(portfolio: Portfolio, *, as_of_us: int, horizon_days: int) -> int:
    """Instant from which decisions are judged: the last `LATER_SHARE` of those mature at `as_of`; `as_of` without any."""
    decided_us = instants(portfolio["contacts"], "decided_at")
    mature = decided_us[decided_us + horizon_days * DAY_US <= as_of_us]
    return int(np.quantile(mature, 1 - LATER_SHARE, method="lower")) if len(mature) else as_of_us


def judged_debtors(debtor_id: TextArray, *, seed: int) -> BoolArray:
    """Debtors that no fit ever sees, by keyed hash, shape (n,)."""
    chosen: BoolArray = keyed_uniform(debtor_id, key=f"{seed}/judge") < JUDGED_DEBTORS
    return chosen


def split_rows(rows: TrainingRows, judged: BoolArray, *, later_from_us: int, horizon_days: int) -> Split:
    """Parts of the rows.

    Parameters
    ----------
    judged
        As `judged_debtors` gives it, by row in the histories.

    Raises
    ------
    TooShort
        A part would be empty or hold one outcome only.
    """
    held_out, later = judged[rows.debtor], rows.decided_us >= later_from_us
    learn = ~held_out & (rows.decided_us + horizon_days * DAY_US < later_from_us)
    split = Split(learn, ~held_out & later, held_out & later, later_from_us)
    for name in ("learn", "calibrate", "judge"):
        part = rows.paid[getattr(split, name)]
        if not part.any() or part.all():
            raise TooShort(
                f"the {name} part has {len(part):,} rows of {len(rows):,}, {int(part.sum()):,} of them paid: expected both "
                f"outcomes; give a history of several times the horizon ({horizon_days} days) or more debtors"
            )
    return split


def cluster_numbers(debtor: IntArray) -> IntArray:
    """Debtors numbered 0..U-1, shape as given."""
    numbers: IntArray = np.unique(debtor, return_inverse=True)[1].astype(np.int64)
    return numbers
