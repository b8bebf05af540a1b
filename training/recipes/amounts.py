"""How much is paid where something is: a LightGBM of the share of what is outstanding, kept only if it beats the mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from features.reference import Reference
from models.amounts import ShareModel, claim_side, without_action
from models.boosters import raw_scores
from training.logged.folds import folds_by_unit
from training.ope.intervals import Interval, normal_interval
from training.recipes.boosting import STOPPING_FOLDS, Lesson, School
from training.recipes.lightgbm import BOOSTER, category_columns
from training.rows import TrainingRows
from training.splits import Split, cluster_numbers

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

FEWEST_PAYING = 300
"""Paying rows, to learn from, and debtors below which the mean share is all there is."""
FEWEST_LATER_DEBTORS = 30
BANDS, FEWEST_IN_BAND = 10, 50
"""Bands of predicted share whose mean is matched, at most; and rows of one, at least."""
WINSORISED_AT = 0.99
"""Outstanding sums are cut at this quantile when errors are compared: one large claim is not to decide."""
SHARE_LESSON = School({**BOOSTER, "objective": "regression", "num_leaves": 15}, rounds=300, patience=30, categories=())


@dataclass(frozen=True)
class Amounts:
    """The share that a decision reckons with.

    Attributes
    ----------
    mean_share
        Mean share of paying rows.
    model
        What is used in its place; None where it has not been shown to be better.
    difference
        Squared error of the model less that of the mean, in EUR² a later paying row, None where it could not be measured.
    why
        In words.
    """

    mean_share: float
    model: ShareModel | None
    difference: Interval | None
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values for the bundle's card."""
        return {
            "learnt": self.model is not None,
            "squared_error_difference_eur2": self.difference and asdict(self.difference),
            "why": self.why,
        }


def mean_share(rows: TrainingRows, split: Split) -> float:
    """Mean share of the outstanding sum that paying rows of the learning part paid, 1 without any."""
    shares = rows.share[split.learn & rows.paid]
    return float(shares.mean()) if len(shares) else 1.0


def learn_amounts(rows: TrainingRows, split: Split, *, reference: Reference, seed: int, threads: int = 2) -> Amounts:
    """A model of the share paid, if it is nearer to the amounts of the later slice than the mean is: the interval says so.

    It learns from debtor and claim, never from the action, which on a log that nobody drew stands for who was chosen.
    """
    usual = mean_share(rows, split)
    paying, later = np.flatnonzero(split.learn & rows.paid), np.flatnonzero(split.calibrate & rows.paid)
    if len(paying) < FEWEST_PAYING or len(np.unique(rows.debtor[later])) < FEWEST_LATER_DEBTORS:
        return Amounts(
            usual, None, None, f"{len(paying):,} paying rows to learn from, {len(later):,} later ones: too few"
        )
    params = {**SHARE_LESSON.params, "num_threads": threads, "seed": seed}
    school = School(params, SHARE_LESSON.rounds, SHARE_LESSON.patience, tuple(category_columns(reference.channels)))
    claims = claim_side(rows.matrix)
    model = _share_model(
        school, Lesson(without_action(claims[paying]), rows.share[paying]), rows.debtor[paying], seed=seed
    )
    owed = np.expm1(rows.matrix[later, rows.names.index("outstanding_log")].astype(np.float64))
    owed = np.minimum(owed, np.quantile(owed, WINSORISED_AT))
    share = rows.share[later]
    worse = ((model.share(claims[later]) - share) ** 2 - (usual - share) ** 2) * owed**2
    difference = normal_interval(worse, cluster_numbers(rows.debtor[later]))
    if difference.high < 0:
        return Amounts(usual, model, difference, "nearer to the amounts paid in the later slice than the mean share")
    return Amounts(
        usual, None, difference, "not shown to be nearer to the amounts paid in the later slice than the mean"
    )


def _share_model(school: School, lesson: Lesson, debtor: IntArray, *, seed: int) -> ShareModel:
    """A booster, and bands by which each prediction is what debtors it has not seen paid at such a one."""
    rng = np.random.default_rng(seed)
    rounds = school.rounds_by_debtor(lesson, debtor, rng=rng)
    fold = folds_by_unit(debtor, STOPPING_FOLDS, rng=rng)
    raw = np.zeros(len(debtor))
    for number in range(STOPPING_FOLDS):
        booster = school.exactly(lesson.part(fold != number), rounds)
        raw[fold == number] = raw_scores(booster, lesson.matrix[fold == number])
    return ShareModel(school.exactly(lesson, rounds), bands_of(raw, lesson.target))


def bands_of(raw: FloatArray, share: FloatArray) -> tuple[tuple[float, float], ...]:
    """Mean prediction and mean share of bands of equal size, shape (n,) each; neighbours out of order are joined.

    >>> bands_of(np.repeat([0.2, 0.8], 50), np.repeat([0.5, 0.9], 50))
    ((0.2, 0.5), (0.8, 0.9))
    """
    order = np.argsort(raw, kind="stable")
    groups = np.array_split(order, max(1, min(BANDS, len(raw) // FEWEST_IN_BAND)))
    predicted = np.array([raw[group].mean() for group in groups])
    size = np.array([len(group) for group in groups], dtype=np.float64)
    observed = np.array([share[group].mean() for group in groups])
    rising = IsotonicRegression().fit_transform(predicted, observed, sample_weight=size)
    places = np.unique(predicted, return_index=True)[1]
    return tuple((round(float(predicted[k]), 12), round(float(rising[k]), 12)) for k in places)
