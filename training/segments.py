"""Learning the segments: latent classes by expectation and maximisation, held to their stated meaning by a prior.

A. P. Dempster, N. M. Laird and D. B. Rubin, "Maximum likelihood from incomplete data via the EM algorithm", J. R. Stat. Soc.
B 39 (1977). Each segment's shares have a Dirichlet prior around the indicator's meaning, which weighs as much as the debtors
that an even third of the data would hold: classes move away from what was stated, but do not change places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.segments import LEAST_SEEN, UNKNOWN, SegmentModel, chances
from models.segments_indicators import (
    INDICATORS,
    FloatArray,
    LevelArray,
    columns_by_debtor,
    indicator_values,
    with_history,
)
from training.rows import TrainingRows

STATED_SHARE = (0.5, 0.3, 0.2)
"""Most debtors forgot, fewer are short of money, fewest unwilling."""

LEAST_WEIGHT = 30.0
"""Debtors that a segment's meaning weighs at least, however few there are to learn from."""

MOST_DEBTORS = 200_000
"""Debtors learnt from; of more of them, an even selection."""

ROUNDS, SETTLED = 500, 1e-8


@dataclass(frozen=True)
class Fit:
    """A model, and the logarithm of its posterior before each round; it never falls."""

    model: SegmentModel
    course: tuple[float, ...]


def learn_segments(rows: TrainingRows, learn: npt.NDArray[np.bool_]) -> SegmentModel:
    """Segments of the debtors in the rows learnt from, each as it was at its last decision there.

    Parameters
    ----------
    learn
        Rows learnt from, shape (r,).
    """
    chosen = _last_rows(rows.debtor, rows.decided_us, learn)
    _, debtor = np.unique(rows.debtor[chosen], return_inverse=True)
    size = int(debtor.max(initial=-1)) + 1
    columns = columns_by_debtor(rows.matrix[chosen], debtor.astype(np.int64), names=rows.names, size=size)
    empty = stated_model(_cuts(indicator_values(columns, size=size)))
    return fit_segments(empty, empty.level(columns, size=size)).model


def _last_rows(
    debtor: npt.NDArray[np.int64], decided_us: npt.NDArray[np.int64], learn: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Rows of each debtor's last decision, in order of debtor, of at most `MOST_DEBTORS` debtors."""
    rows = np.flatnonzero(learn)
    rows = rows[np.lexsort((decided_us[rows], debtor[rows]))]
    _, first, which = np.unique(debtor[rows], return_index=True, return_inverse=True)
    last = np.append(first[1:], len(rows)) - 1
    every = -(-len(first) // MOST_DEBTORS) or 1
    kept: npt.NDArray[np.int64] = rows[(decided_us[rows] == decided_us[rows[last]][which]) & (which % every == 0)]
    return kept


def _cuts(values: dict[str, FloatArray]) -> dict[str, tuple[float, ...]]:
    """Where the levels of each indicator part: as declared, else at thirds of what was seen."""
    return {one.name: _thirds(values[one.name]) if one.cuts is None else one.cuts for one in INDICATORS}


def _thirds(values: FloatArray) -> tuple[float, ...]:
    seen = values[np.isfinite(values)]
    return tuple(np.quantile(seen, (1 / 3, 2 / 3)).tolist()) if len(seen) else (0.0, 0.0)


def stated_model(cuts: dict[str, tuple[float, ...]]) -> SegmentModel:
    """The segments as stated, before any data."""
    return SegmentModel(STATED_SHARE, cuts, {one.name: one.meaning for one in INDICATORS})


def fit_segments(stated: SegmentModel, level: LevelArray) -> Fit:
    """The most likely model given the levels of debtors with history, starting from what was stated: nothing is drawn.

    Parameters
    ----------
    level
        Shape (n, indicators), 0 where not seen.
    """
    pattern, count = np.unique(level[with_history(level, least=LEAST_SEEN)], axis=0, return_counts=True)
    weight = _prior_weight(pattern, count)
    model, course = stated, [-np.inf]
    for _ in range(ROUNDS):
        belongs = count[:, None] * chances(model, pattern)
        course.append(_log_posterior(model, pattern, count, weight))
        model = _maximised(model, pattern, belongs, weight)
        if course[-1] - course[-2] < SETTLED * max(int(count.sum()), 1):
            break
    return Fit(model, tuple(course[1:]))


def _prior_weight(pattern: LevelArray, count: npt.NDArray[np.int64]) -> FloatArray:
    """Debtors that the meaning of each indicator weighs as much as, for each segment; last that of the shares."""
    seen = (pattern > 0).T @ count
    return np.maximum(np.append(seen, count.sum()) / UNKNOWN, LEAST_WEIGHT)


def _maximised(model: SegmentModel, pattern: LevelArray, belongs: FloatArray, weight: FloatArray) -> SegmentModel:
    """Shares given how much each pattern belongs to each segment, shape (p, 3)."""
    levels = {}
    for number, one in enumerate(INDICATORS):
        table = weight[number] * np.array(one.meaning)
        for code in range(len(one.words)):
            table[:, code] += belongs[pattern[:, number] == code + 1].sum(axis=0)
        levels[one.name] = tuple(map(tuple, (table / table.sum(axis=1, keepdims=True)).tolist()))
    share = weight[-1] * np.array(STATED_SHARE) + belongs.sum(axis=0)
    return SegmentModel(tuple((share / share.sum()).tolist()), model.cuts, levels)


def _log_posterior(model: SegmentModel, pattern: LevelArray, count: npt.NDArray[np.int64], weight: FloatArray) -> float:
    """Logarithm of the posterior up to a constant: what every round raises."""
    logarithm = np.tile(np.log(np.array(model.share)), (len(pattern), 1))
    prior = weight[-1] * float(np.dot(STATED_SHARE, np.log(np.array(model.share))))
    for number, one in enumerate(INDICATORS):
        logarithm += model.evidence[number][pattern[:, number]]
        prior += weight[number] * float(np.sum(np.array(one.meaning) * np.log(np.array(model.levels[one.name]))))
    return float(prior + count @ np.logaddexp.reduce(logarithm, axis=1))
