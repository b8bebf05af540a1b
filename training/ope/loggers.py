"""One value from the logs of several policies: pooled weights, or a combination by precision.

Pooled weights need every logger's chance of the action that was taken, whoever took it; the combination needs only
that of the logger who did, and pays for it in variance (Agarwal, Basu, Schnabel and Joachims 2017).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.ope.intervals import unit_sums

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class NoSpread(ValueError):
    """A logger's rows do not differ, so that nothing says how precise its value is."""


def pooled_probability(each: FloatArray, logger: IntArray) -> FloatArray:
    """Chance of the action that was taken under the mixture of all loggers, shape (n,).

    Parameters
    ----------
    each
        Chance of that action under every logger, shape (n, K); one column is not the row's own only.
    logger
        Who took the action, shape (n,), numbers 0..K-1.

    Notes
    -----
    The *balanced* weights of Agarwal et al. (2017), after Veach and Guibas (1995): shares are those of the rows. Of
    the unbiased estimators by weights none has a smaller variance, up to a term that vanishes.

    >>> pooled_probability(np.array([[0.5, 0.1], [0.2, 0.4]]), np.array([0, 1]))
    array([0.3, 0.3])
    """
    share = np.bincount(logger, minlength=each.shape[1]) / len(logger)
    return np.asarray(each @ share, dtype=np.float64)


def precision_weighted(per_row: FloatArray, logger: IntArray, *, unit: IntArray) -> FloatArray:
    """Each logger's mean, weighted by one over its variance, as value plus influence of each row, shape (n,).

    Parameters
    ----------
    per_row
        An estimator's numbers with every row's weight against its own logger, shape (n,).
    logger
        Who took the action, shape (n,), numbers 0..K-1.
    unit
        What the variances are clustered by, shape (n,), numbers 0..U-1.

    Raises
    ------
    NoSpread
        A logger's numbers are all alike.

    Notes
    -----
    The *weighted* estimator of Agarwal et al. (2017). Variances are estimated: where rewards are rare and skewed, a
    logger with few of them looks precise, and the value is pulled down.

    >>> rows = np.array([0.0, 2.0, 0.0, 4.0])
    >>> precision_weighted(rows, np.array([0, 0, 1, 1]), unit=np.arange(4)).mean().round(6)
    np.float64(1.2)
    """
    loggers = np.unique(logger)
    means = np.array([per_row[logger == one].mean() for one in loggers])
    precision = np.array([_precision(per_row, logger == one, unit) for one in loggers])
    if np.isinf(precision).any():
        one = int(loggers[np.isinf(precision)][0])
        what = f"all {int((logger == one).sum()):,} rows of logger {one} are {means[np.isinf(precision)][0]:g}"
        raise NoSpread(f"expected rows that differ within each logger; {what}: leave it out, or use pooled weights")
    share = precision / precision.sum()
    place = np.searchsorted(loggers, logger)
    scale = share * len(per_row) / np.bincount(place)
    return np.asarray(float(share @ means) + scale[place] * (per_row - means[place]))


def _precision(per_row: FloatArray, taken: npt.NDArray[np.bool_], unit: IntArray) -> float:
    """One over the variance of the mean of some rows; infinite where they are all alike."""
    rows = per_row[taken]
    if np.ptp(rows) == 0.0:
        return float("inf")
    sums, _ = unit_sums(rows - rows.mean(), unit[taken])
    squares = float(sums @ sums)
    return len(rows) ** 2 / squares if squares > 0 else float("inf")
