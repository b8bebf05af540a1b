"""The links of the chain: who answers, what an answer leads to, what is paid without contact; cross-fitted by debtor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import PoissonRegressor

from data.times import IntArray
from models.cells import RowCells
from models.chain import Fold, Links, expected, raw_of
from training.recipes.chain.hazard import Bins, Fit, Known, boost_counts, boost_hazard
from training.rows import TrainingRows

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FEWEST_ANSWERS = 100
"""Answers to a channel below which it counts as one that leaves none: a letter, say."""
FEWEST_PAID = 100
"""Payments through contacts below which conversion is learnt from payments in total instead."""
FEWEST_NONE = 500
"""Decisions for `none` below which payment by itself is learnt from what was not paid through a contact."""
PRIOR_ANSWERS = 50.0
"""Expected answers' worth of all channels' rate mixed into each channel's own."""
MOST_FOR_SLOPE = 100_000
HOURS = 24


@dataclass(frozen=True)
class Task:
    """What the links are learnt from.

    `learn` and `later` are rows to learn from and rows after them on which boosting stops; `fold` tells which of the folds
    a row's debtor is in, shape (r,).
    """

    rows: TrainingRows
    bins: Bins
    learn: BoolArray
    later: BoolArray
    fold: IntArray
    folds: int
    attribution: bool
    most_rows: int
    fits: Mapping[str, Fit]
    threads: int
    rng: np.random.Generator

    @property
    def answered(self) -> FloatArray:
        """1 where the person answered or paid through the contact, shape (r,)."""
        return (self.rows.responded | (self.rows.paid_through & self.attribution)).astype(np.float64)

    def cells(self, some: IntArray | slice = slice(None)) -> RowCells:
        """Some of the rows, as models are asked of them."""
        return RowCells(self.rows.matrix[some], self.threads)

    def sample(self, wanted: BoolArray) -> IntArray:
        """Wanted rows, of each channel at most `most_rows`, sorted."""
        kept = []
        for code in range(int(self.rows.channel.max(initial=0)) + 1):
            here = np.flatnonzero(wanted & (self.rows.channel == code))
            kept.append(here if len(here) <= self.most_rows else self.rng.choice(here, self.most_rows, replace=False))
        return np.sort(np.concatenate(kept))


def first_links(task: Task, *, channels: int) -> Links:
    """Columns, usual rates of answers and how far these follow the hours at which debtors pay."""
    rows, names = task.rows, list(task.rows.names)
    learnt = rows.channel[task.learn]
    answers = np.bincount(learnt, weights=task.answered[task.learn], minlength=channels)
    # Counted over all rows, so that the model that is judged and the one that decides are built alike.
    leaves = np.bincount(rows.channel[rows.responded], minlength=channels) >= FEWEST_ANSWERS
    leaves[0] = False
    rate = np.where(
        leaves, np.log(np.maximum(answers, 1.0) / np.maximum(np.bincount(learnt, minlength=channels), 1)), 0.0
    )
    zeros = (0.0,) * channels
    links = Links(
        channel=names.index("channel"),
        hour=names.index("hour"),
        near=tuple(names.index(f"paid_near_{hour:02d}") for hour in range(HOURS)),
        own_rate=0.0,
        answers=tuple(leaves.tolist()),
        answer_rate=tuple(rate.tolist()),
        hour_slope=zeros,
        paid_rate=zeros,
        change=zeros,
        lift=zeros,
        level=1.0,
    )
    slopes = [_hour_slope(task, links, code) if leaves[code] else 0.0 for code in range(channels)]
    return replace(links, hour_slope=tuple(slopes))


def _hour_slope(task: Task, links: Links, code: int) -> float:
    """How the logarithm of the chance of an answer moves with `near_hour`, the hour itself held; 0 or more."""
    here = np.flatnonzero(task.learn & (task.rows.channel == code))
    here = here if len(here) <= MOST_FOR_SLOPE else np.sort(task.rng.choice(here, MOST_FOR_SLOPE, replace=False))
    part = task.rows.matrix[here]
    hour = np.nan_to_num(part[:, links.hour]).astype(np.int64)
    design = np.column_stack([hour[:, None] == np.arange(HOURS), np.nan_to_num(links.near_hour(RowCells(part)))])
    fitted = PoissonRegressor(alpha=1e-4, max_iter=300).fit(design, task.answered[here])
    return max(float(fitted.coef_[-1]), 0.0)


def own_hazard(task: Task) -> FloatArray:
    """Hazard of payment by itself, from decisions for `none` alone, by a fit that has not seen the debtor, shape (r,).

    Where there are too few of them: from all decisions, a payment through the contact counted as none.
    """
    rows = task.rows
    none = task.learn & (rows.channel == 0)
    enough = int((rows.channel == 0).sum()) >= FEWEST_NONE and 0 < int(rows.paid[none].sum()) < int(none.sum())
    learn, paid = (none, rows.paid) if enough else (task.learn, rows.paid & ~rows.paid_through)
    known = Known(paid, np.zeros(len(rows)), np.ones(len(rows)))
    later = np.flatnonzero(task.later & ((rows.channel == 0) | (not enough)))
    raw = np.zeros(len(rows))
    for number in range(task.folds):
        wanted = task.sample(learn & (task.fold != number))
        booster, start = boost_hazard(task.bins, known, rows=wanted, later=later, fit=task.fits["own"])
        mine = np.flatnonzero(task.fold == number)
        raw[mine] = start + raw_of(booster, task.cells(mine))
    return np.exp(raw)


def fit_folds(task: Task, links: Links, *, own: FloatArray) -> tuple[tuple[Fold, ...], Links, FloatArray]:
    """Each fold's boosters, learnt from the debtors of the others; the links with what answers lead to; the effect.

    The effect of every row, shape (r,), is that by the fold that has not seen its debtor, 0 for `none`.

    Parameters
    ----------
    own
        Hazard of payment by itself of each row, shape (r,), from a fit that has not seen its debtor.
    """
    rows, made = task.rows, task.rows.channel > 0
    offset = links.answer_offset(task.cells())
    reach = [Fold(_reach(task, links, number, offset=offset), None) for number in range(task.folds)]
    answers = [np.where(made, one.answer(task.cells(), links, offset=offset), 0.0) for one in reach]
    through = (
        task.attribution and int(rows.paid_through.sum()) >= FEWEST_PAID and bool(rows.paid_through[task.learn].any())
    )
    target = rows.paid_through.astype(np.float64) if through else np.clip(rows.paid - own, 0.0, None)
    answered = np.exp(np.choose(task.fold, answers))
    links = replace(
        links, paid_rate=_paid_rate(task, target, answered, leaves=links.answers, channels=len(links.answers))
    )
    rate = np.array(links.paid_rate)[rows.channel]
    folds, effect = [], np.zeros(len(rows))
    for number, one in enumerate(reach):
        start = answers[number] + rate
        booster = _conversion(task, number, start, own=None if through else own)
        folds.append(Fold(one.reach, booster))
        mine = np.flatnonzero((task.fold == number) & made)
        effect[mine] = expected(start[mine] + raw_of(booster, task.cells(mine)))
    return tuple(folds), links, effect


def _reach(task: Task, links: Links, number: int, *, offset: FloatArray) -> lgb.Booster | None:
    """Who answers, by channel and hour, from the debtors of other folds; None where no channel leaves answers."""
    leaves = np.array(links.answers)[task.rows.channel]
    if not leaves.any():
        return None
    wanted = task.sample(task.learn & leaves & (task.fold != number))
    later = np.flatnonzero(task.later & leaves)
    return boost_counts(task.bins, task.answered, offset, rows=wanted, later=later, fit=task.fits["reach"])


def _paid_rate(
    task: Task, target: FloatArray, expected: FloatArray, *, leaves: tuple[bool, ...], channels: int
) -> tuple[float, ...]:
    """Logarithm of what is paid for each expected answer, by channel; 0 for `none`.

    A channel with few answers keeps to what all channels of its kind (that leave answers, or do not) have in common.
    """
    code = task.rows.channel[task.learn]
    paid = np.bincount(code, weights=target[task.learn], minlength=channels)
    answers = np.bincount(code, weights=expected[task.learn], minlength=channels)
    kind = np.array(leaves, dtype=np.int64)
    paid[0] = answers[0] = 0.0
    every = (np.bincount(kind, paid, 2) + 0.5) / (np.bincount(kind, answers, 2) + PRIOR_ANSWERS)
    rate = np.log((paid + PRIOR_ANSWERS * every[kind]) / (answers + PRIOR_ANSWERS))
    rate[0] = 0.0
    return tuple(rate.tolist())


def _conversion(task: Task, number: int, start: FloatArray, *, own: FloatArray | None) -> lgb.Booster:
    """What an answer leads to: payments through the contact or, where `own` is given, payments beyond those by itself."""
    rows, made = task.rows, task.rows.channel > 0
    wanted = task.sample(task.learn & made & (task.fold != number))
    later, fit = np.flatnonzero(task.later & made), task.fits["conversion"]
    if own is None:
        label = rows.paid_through.astype(np.float64)
        return boost_counts(task.bins, label, start, rows=wanted, later=later, fit=fit)
    known = Known(rows.paid, own, expected(start))
    return boost_hazard(task.bins, known, rows=wanted, later=later, fit=fit, start=0.0)[0]
