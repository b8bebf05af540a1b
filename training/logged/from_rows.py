"""Training rows as decisions: a contact over several claims was decided once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import dayparts_of
from features.catalogue import action_features
from training.logged.chances import Decisions
from training.rows import TrainingRows

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OfRows:
    """Decisions behind training rows.

    Parameters
    ----------
    first
        Row that stands for each decision, its first, shape (d,); its claim's features are the decision's.
    decision
        Decision of each row, shape (r,).
    """

    first: IntArray
    decision: IntArray


def decisions_behind(rows: TrainingRows) -> OfRows:
    """Decisions by `contact_id`, in order of their first rows."""
    _, first, inverse = np.unique(rows.contact_id.astype(str), return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return OfRows(first[order].astype(np.int64), place[inverse])


def decisions_of(
    rows: TrainingRows, behind: OfRows, *, channels: int, channel_probability: FloatArray | None = None
) -> Decisions:
    """What chances are learnt from: debtor and claim side of each decision's first row, and what was decided.

    Parameters
    ----------
    channel_probability
        Chance of the chosen channel in each row, shape (r,), NaN where not logged; our own decision log has it.
    """
    first = behind.first
    hour = rows.matrix[first, rows.names.index("hour")]
    known = len(rows.names) - len(action_features())
    channel = rows.channel[first]
    country = np.nan_to_num(rows.matrix[first, rows.names.index("country")], nan=-1.0)
    part = dayparts_of(np.nan_to_num(hour, nan=-1.0).astype(np.int64))
    return Decisions(
        features=rows.matrix[first, :known],
        channel=channel,
        part=np.where(channel > 0, part, -1),
        policy=rows.policy[first],
        decided_us=rows.decided_us[first],
        unit=rows.debtor[first],
        group=(country + 1).astype(np.int64),
        action_probability=rows.action_probability[first],
        channels=channels,
        channel_probability=None if channel_probability is None else channel_probability[first],
    )


def paid_of(rows: TrainingRows, behind: OfRows) -> FloatArray:
    """Whether any claim of each decision was paid on in the horizon, 0 or 1, shape (d,)."""
    paid: FloatArray = (np.bincount(behind.decision, weights=rows.paid.astype(np.float64)) > 0).astype(np.float64)
    return paid
