"""Features that say too much: what cannot have been known when the decision was taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.frame_table import BoolArray, Features, FloatArray, IntArray
from training.frames.outcome import Kind, Outcome, Rows, fit_outcome
from training.frames.quality import auc, auc_error, is_high
from training.ope.intervals import normal_interval

ALONE = 0.75
"""AUC that no single feature reaches that was known before the outcome, unless the SPEC says it was."""
LIFT = 0.10
"""AUC that no single feature adds to all others together."""
TRIED = 5
"""Features, those with most gain first, that the model is fitted once more without."""
BINS = 32
CHANCE_ERRORS = 4.0
"""Standard errors of chance that an AUC must also stand above, so that short logs raise no false alarm."""
TRIED_BAGS = 2
"""Bags of each model compared: a lift of interest stands far above what the others smooth out."""
LEAST_GAIN = 0.05
"""Share of the model's gain below which a feature cannot lift much, and is not tried."""
CERTAIN = 0.90
"""AUC at which a feature alone stops the model even where it does not differ between actions."""
BALANCE_LEVEL = 0.9999
FEWEST_COMPARED = 30
PRIOR_ROWS = 20.0
"""Rows of the mean reward added to each bin, so that a rare level proves nothing."""


@dataclass(frozen=True)
class Flag:
    """A feature that looks like leakage.

    Parameters
    ----------
    alone
        AUC of the feature alone on the held-out rows.
    lift
        AUC that the model loses without it; None where not tried.
    declared
        The SPEC names it under `known_before`.
    """

    feature: str
    alone: float
    lift: float | None
    declared: bool

    def line(self) -> str:
        """The warning in words."""
        lifts = self.lift is not None and self.lift > LIFT
        said = [f"alone reaches AUC {self.alone:.3f}"] if self.alone >= ALONE else []
        said += [f"lifts AUC by {self.lift:.3f}"] if lifts else []
        column = self.feature.removeprefix("x_")
        ask = f'leave it out (leave_out = ["{column}"]), or declare it: known_before = ["{column}"]'
        if self.declared:
            ask = "declared under known_before: make sure that it is"
        return f"leakage? {self.feature} {' and '.join(said)}: can it be known at the decision? {ask}"

    def as_dict(self) -> dict[str, object]:
        """Figures by name."""
        return {"feature": self.feature, "alone": self.alone, "lift": self.lift, "declared": self.declared}


@dataclass(frozen=True)
class Trial:
    """Rows learnt from, rows held out, and the model that was fitted on the former."""

    learn: Rows
    held: Rows
    kind: Kind
    outcome: Outcome


def flags(trial: Trial, context: Features, *, known_before: tuple[str, ...], seed: int) -> tuple[Flag, ...]:
    """Features of the context that look like leakage on the held-out rows, the most telling first.

    Named is a feature that alone reaches `ALONE` and is not declared known before, or that adds more than `LIFT` to
    all others together (declared or not). The first columns of the trial's rows are the context's.
    """
    high = is_high(trial.held.reward)
    if high.all() or not high.any():
        return ()
    lifted = _lifts(trial, high, columns=len(context.names), seed=seed)
    chance = CHANCE_ERRORS * auc_error(0.5, high)
    found = []
    for column, name in enumerate(context.names):
        categorical = context.levels[column] is not None
        alone = auc(high, _alone(trial.learn, trial.held, column, categorical=categorical)) or 0.0
        declared = name.removeprefix("x_") in known_before
        lift = lifted.get(column)
        lifts = lift is not None and lift > max(LIFT, chance)
        if lifts or (alone >= max(ALONE, 0.5 + chance) and not declared):
            found.append(Flag(name, alone, lift, declared))
    return tuple(sorted(found, key=lambda flag: -max(flag.alone, flag.lift or 0.0)))


def _lifts(trial: Trial, high: BoolArray, *, columns: int, seed: int) -> dict[int, float]:
    """AUC lost without each of the columns with most gain."""
    gain = trial.outcome.gain(trial.learn.values.shape[1])
    least = LEAST_GAIN * gain.sum()
    whole = auc(high, trial.outcome.first(TRIED_BAGS).predict(trial.held.values)) or 0.5
    lifted = {}
    for column in (int(c) for c in np.argsort(-gain[:columns], kind="stable")[:TRIED] if gain[c] > least):
        learn, held = _without(trial.learn, column), _without(trial.held, column)
        without = fit_outcome(learn, trial.kind, seed=seed, bags=TRIED_BAGS).predict(held.values)
        lifted[column] = whole - (auc(high, without) or 0.5)
    return lifted


def _without(rows: Rows, column: int) -> Rows:
    """The rows with one feature not known, so that the others keep their places."""
    values = rows.values.copy()
    values[:, column] = np.nan
    return Rows(values, rows.reward, rows.unit)


@dataclass(frozen=True)
class Telling:
    """A feature that alone reaches `ALONE` and is not declared known before.

    Parameters
    ----------
    score
        Shape (n,), the mean reward of its bin or level, for every row of the frame.
    """

    feature: str
    alone: float
    score: FloatArray


def telling(rows: Rows, held: BoolArray, context: Features, *, known_before: tuple[str, ...]) -> tuple[Telling, ...]:
    """Context features that alone all but tell the rewards of the rows held out, `held` of shape (n,)."""
    learn, high = rows.only(~held), is_high(rows.reward[held])
    if high.all() or not high.any() or held.all():
        return ()
    least = max(ALONE, 0.5 + CHANCE_ERRORS * auc_error(0.5, high))
    found = []
    for column, name in enumerate(context.names):
        score = _alone(learn, rows, column, categorical=context.levels[column] is not None)
        alone = auc(high, score[held]) or 0.0
        if alone >= least and name.removeprefix("x_") not in known_before:
            found.append(Telling(name, alone, score))
    return tuple(found)


def moved_by_action(score: FloatArray, action: IntArray, weight: FloatArray, unit: IntArray) -> bool:
    """Whether a feature differs between actions that were drawn, so that it cannot have been there before them.

    Parameters
    ----------
    weight
        One over the logging probability, shape (n,): under it every feature known before is balanced.
    """
    away = weight * (score - score.mean())
    for each in np.flatnonzero(np.bincount(action) >= FEWEST_COMPARED):
        found = normal_interval(np.where(action == each, away, 0.0), unit, level=BALANCE_LEVEL)
        if not found.low <= 0 <= found.high:
            return True
    return False


def _alone(learn: Rows, held: Rows, column: int, *, categorical: bool) -> FloatArray:
    """Held-out rows scored with the mean reward of their bin or level among the rows learnt from."""
    values = learn.values[:, column], held.values[:, column]
    if categorical:
        codes = [np.nan_to_num(v, nan=-1.0).astype(np.int64) + 1 for v in values]
    else:
        codes = [_binned(v, values[0]) for v in values]
    levels = int(max(c.max() for c in codes)) + 1
    mean = float(learn.reward.mean())
    sums = np.bincount(codes[0], learn.reward, levels) + PRIOR_ROWS * mean
    return np.asarray((sums / (np.bincount(codes[0], minlength=levels) + PRIOR_ROWS))[codes[1]])


def _binned(values: FloatArray, learn: FloatArray) -> IntArray:
    """Bin of equal size among the rows learnt from, 0 for not known."""
    known = learn[~np.isnan(learn)]
    if len(known) == 0:
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.asarray(np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values)), dtype=np.int64)
