"""The difference of two arms, adjusted for what was known of each debtor before the first decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from training.ope.intervals import tail_reach
from training.trials.intervals import LEVEL, UNKNOWN, Interval

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

DEBTORS_PER_COVARIATE = 20
"""The smaller arm needs so many debtors for each covariate; with fewer, nothing is adjusted for."""


class UnevenColumns(ValueError):
    """Outcomes, arms and covariates are not of the same debtors."""


@dataclass(frozen=True)
class Contrast:
    """First arm less second, and what each debtor adds to its error.

    Attributes
    ----------
    value
        The difference; NaN where an arm has fewer than two debtors.
    rows
        Shape (n,), one entry per debtor, their mean 0: the squared standard error is the mean of squares over n.
    freedom
        Degrees of freedom of the error (Welch).
    covariates
        How many columns were adjusted for.
    """

    value: float
    rows: FloatArray
    freedom: float
    covariates: int

    @property
    def error(self) -> float:
        """Standard error of the value."""
        return float(np.sqrt(self.rows @ self.rows)) / max(1, len(self.rows))

    @property
    def skewness(self) -> float:
        """Skewness of the value itself; 0 where the rows do not differ."""
        spread = float(self.rows @ self.rows)
        return float((self.rows * self.rows) @ self.rows) / spread**1.5 if spread > 0 else 0.0


@dataclass(frozen=True)
class _Fit:
    """One arm: mean at the covariates of all debtors, slopes, errors of that mean (m,), rows without slopes."""

    mean: float
    slopes: FloatArray
    parts: FloatArray
    spare: int


def interval_of(found: Contrast, *, level: float = LEVEL) -> Interval:
    """The interval of a contrast at one look settled beforehand: Student's, further out on the longer tail's side.

    Where a few large payments in the smaller arm decide, the end on their side is moved outwards
    (`training.ope.intervals.tail_interval`): beside a control arm a tenth as large, an interval that is even on both sides
    claims gains too often.
    """
    return stretched(found, reach_in_errors=float(stats.t.ppf((1 + level) / 2, found.freedom)))


def stretched(found: Contrast, *, reach_in_errors: float) -> Interval:
    """The interval of a contrast that reaches so many standard errors, and further on the side of the longer tail."""
    if np.isnan(found.value):
        return UNKNOWN
    if found.error == 0:
        return Interval(found.value, found.value, found.value)
    down, up = tail_reach(reach_in_errors, skewness=found.skewness)
    return Interval(found.value, found.value - down * found.error, found.value + up * found.error)


def p_value(found: Contrast) -> float:
    """Two-sided p-value of no difference: the level at which the contrast's interval would just end at zero.

    >>> one = contrast(np.array([3.0, 5.0, 1.0, 3.0]), np.array([True, True, False, False]))
    >>> round(p_value(one), 3)
    0.293
    """
    if np.isnan(found.value) or found.error == 0:
        return 1.0 if not found.value else 0.0 if found.error == 0 else float("nan")
    distance = abs(found.value) / found.error
    tail = max(0.0, -found.skewness * np.sign(found.value))
    reach = distance if tail < 1e-9 else (np.sqrt(max(0.0, 1 + 4 * tail / 3 * (distance - tail / 6))) - 1) * 1.5 / tail
    return float(min(1.0, 2 * stats.t.sf(max(0.0, reach), found.freedom)))


def narrower_by(adjusted: Interval, raw: Interval) -> float:
    """Share of its width that adjusting takes off an interval; 0 where there is none, negative where it got wider.

    >>> narrower_by(Interval(1.0, 0.0, 2.0), Interval(1.0, -1.0, 3.0))
    0.5
    """
    width = raw.high - raw.low
    return 1 - (adjusted.high - adjusted.low) / width if width > 0 else 0.0


def linearised(hits: FloatArray, sizes: FloatArray, treated: BoolArray) -> FloatArray:
    """Outcomes per debtor, shape (n,), whose mean in each arm is that arm's hits over sizes, to be adjusted like any other.

    Deng, Knoblich and Lu (2018): the delta method. Hits and sizes are a debtor's, such as claims paid on and claims.

    >>> linearised(np.array([1.0, 0.0, 2.0]), np.array([1.0, 3.0, 4.0]), np.array([True, True, False])).tolist()
    [0.625, -0.125, 0.5]
    """
    found = np.empty(len(hits))
    for here in (treated, ~treated):
        size = sizes[here].sum()
        ratio = hits[here].sum() / size if size else np.nan
        found[here] = ratio + (hits[here] - ratio * sizes[here]) * (here.sum() / size if size else np.nan)
    return found


def contrast(outcome: FloatArray, treated: BoolArray, covariates: FloatArray | None = None) -> Contrast:
    """Mean of the treated less mean of the others, adjusted, with each debtor's part of its error.

    Parameters
    ----------
    outcome, treated
        One entry per debtor, shape (n,).
    covariates
        Shape (n, k): only what was known before the arm was drawn. Amounts as logarithms: a column with a few giants
        explains little. Constant and redundant columns do no harm.

    Raises
    ------
    UnevenColumns
        The three are not of the same debtors.

    Notes
    -----
    Lin (2013): in each arm a regression on the centred covariates, read at their mean over both arms, which never costs
    precision in large samples, whatever the truth looks like. Squared residuals over one less leverage (HC2), and the
    spread of the covariates themselves where the effect varies with them, so that it is about debtors to come and not
    only about these (Negi and Wooldridge 2021). Without covariates the error is Welch's.

    >>> contrast(np.array([3.0, 5.0, 1.0, 3.0]), np.array([True, True, False, False])).value
    2.0
    """
    lengths = [len(outcome), len(treated), len(outcome if covariates is None else covariates)]
    if len(set(lengths)) > 1:
        raise UnevenColumns(f"expected one entry per debtor everywhere; came outcomes, arms, covariates of {lengths}")
    smaller = min(int(treated.sum()), int((~treated).sum()))
    if smaller < 2:
        return Contrast(float("nan"), np.zeros(len(outcome)), float("nan"), 0)
    centred = _centred(covariates, most=smaller // DEBTORS_PER_COVARIATE)
    one, two = (_fit(outcome[here], None if centred is None else centred[:, here]) for here in (treated, ~treated))
    rows = np.zeros(len(outcome))
    rows[treated], rows[~treated] = one.parts, -two.parts
    if centred is not None:
        rows += (one.slopes - two.slopes) @ centred / len(outcome)
        rows -= rows.mean()
    return Contrast(one.mean - two.mean, rows * len(outcome), _freedom(one, two), one.slopes.size)


def _centred(covariates: FloatArray | None, *, most: int) -> FloatArray | None:
    """Columns of mean 0 and spread 1 over both arms, those that vary, shape (k, n): one after the other in memory.

    None where there is none, or more than `most`.
    """
    if covariates is None or not covariates.shape[1]:
        return None
    columns = np.ascontiguousarray(covariates.T)
    size = np.abs(columns).max(axis=1)
    columns = columns - columns.mean(axis=1)[:, None]
    spread = np.sqrt(np.einsum("ij,ij->i", columns, columns) / columns.shape[1])
    varying = spread > 1e-9 * (1 + size)
    if not 0 < varying.sum() <= most:
        return None
    centred: FloatArray = columns[varying] / spread[varying, None]
    return centred


def _fit(outcome: FloatArray, centred: FloatArray | None) -> _Fit:
    size = len(outcome)
    if centred is None:
        mean = float(outcome.mean())
        return _Fit(mean, np.zeros(0), (outcome - mean) / np.sqrt(size * (size - 1)), size - 1)
    design = np.vstack([np.ones(size), centred])
    squares = design @ design.T
    inverse = np.linalg.pinv(squares, rcond=1e-10, hermitian=True)
    coefficients = inverse @ (design @ outcome)
    reach = inverse @ design
    leverage = np.einsum("ij,ij->j", reach, design)
    parts = reach[0] * (outcome - coefficients @ design) / np.sqrt(np.maximum(1 - leverage, 1e-9))
    return _Fit(float(coefficients[0]), coefficients[1:], parts, size - round(float(np.trace(inverse @ squares))))


def _freedom(one: _Fit, two: _Fit) -> float:
    """Welch's degrees of freedom of two arms' errors."""
    squares = np.array([one.parts @ one.parts, two.parts @ two.parts])
    total = float(squares.sum())
    spare = np.array([one.spare, two.spare])
    return total**2 / float((squares**2 / spare).sum()) if total > 0 else float(spare.sum())
