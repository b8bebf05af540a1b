"""Hyper-parameters of biased estimators, chosen from the log alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.ope.intervals import normal_interval, standard_error

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CANDIDATES = 30
ONE_SIDED = 0.90
"""Level of the two-sided intervals compared: one side of each misses in 5 %."""
SLACK = float(np.sqrt(6)) - 1


@dataclass(frozen=True)
class Tuned:
    """A chosen parameter and the estimator's rows under it, shape (n,)."""

    parameter: float
    per_row: FloatArray


def slope(parameters: FloatArray, unit: IntArray, *, rows_under: Callable[[float], FloatArray]) -> Tuned:
    """The parameter whose interval is the narrowest that still agrees with all wider ones.

    Parameters
    ----------
    parameters
        Candidates, shape (m,), at least one.
    unit
        What intervals are clustered by, shape (n,), numbers 0..U-1.
    rows_under
        The estimator's rows, shape (n,), under a parameter.

    Notes
    -----
    SLOPE (Su, Srinath and Krishnamurthy 2020) with the sharper bound of Tucker and Lee (2021): candidates are taken
    from the widest interval (least biased) to the narrowest; the last whose value differs from each earlier one's by no
    more than its own half-width and `SLACK` times the other's is chosen. It holds where less variance means more bias.

    >>> rows = {1.0: np.array([0.0, 2.0, 0.0, 2.0]), 0.5: np.array([0.5, 1.5, 0.5, 1.5]), 0.0: np.full(4, 9.0)}
    >>> slope(np.array([0.0, 0.5, 1.0]), np.arange(4), rows_under=lambda parameter: rows[parameter]).parameter
    0.5
    """
    found = [normal_interval(rows_under(float(parameter)), unit, level=ONE_SIDED) for parameter in parameters]
    width = np.array([interval.half_width for interval in found])
    value = np.array([interval.value for interval in found])
    order = np.argsort(-width, kind="stable")
    chosen = order[0]
    for place in range(1, len(order)):
        this, wider = order[place], order[:place]
        if (np.abs(value[wider] - value[this]) > width[this] + SLACK * width[wider]).any():
            break
        chosen = this
    parameter = float(parameters[chosen])
    return Tuned(parameter, rows_under(parameter))


def least_error(
    parameters: FloatArray, unit: IntArray, *, rows_under: Callable[[float], FloatArray], unbiased: FloatArray
) -> Tuned:
    """The parameter with the least estimated squared error: variance of the value plus its squared distance to DR's.

    Parameters
    ----------
    parameters
        Candidates, shape (m,), at least one; of equal ones the first.
    unit
        What variances are clustered by, shape (n,), numbers 0..U-1.
    rows_under
        The estimator's rows, shape (n,), under a parameter.
    unbiased
        Rows of the estimator without bias that the others are held against (`dr`), shape (n,).

    Notes
    -----
    The direct estimate of the bias of Su, Dimakopoulou, Krishnamurthy and Dudik (2020, appendix). `slope` allows a bias
    of some two standard errors of DR at every size of log, which with a smooth model means the model alone; this
    rule allows one, and comes closer to DR as a log grows (`tests/benchmarks/ope_coverage.py` has both).

    >>> rows = {1.0: np.array([0.0, 2.0, 0.0, 2.0]), 0.5: np.array([0.5, 1.5, 0.5, 1.5]), 0.0: np.full(4, 9.0)}
    >>> least_error(np.array([0.0, 0.5, 1.0]), np.arange(4), rows_under=rows.__getitem__, unbiased=rows[1.0]).parameter
    0.5
    """
    error = [_squared_error(rows_under(float(parameter)), unit, unbiased) for parameter in parameters]
    parameter = float(parameters[int(np.argmin(error))])
    return Tuned(parameter, rows_under(parameter))


def _squared_error(per_row: FloatArray, unit: IntArray, unbiased: FloatArray) -> float:
    bias = float(unbiased.mean() - per_row.mean())
    return standard_error(per_row, unit)[0] ** 2 + bias**2


def switch_candidates(weight: FloatArray) -> FloatArray:
    """Thresholds for `switch_dr`, ascending: 0 (the model alone) and quantiles of the weights above 0 up to the largest.

    >>> switch_candidates(np.array([0.0, 2.0, 2.0, 4.0]))
    array([0., 2., 4.])
    """
    positive = weight[weight > 0]
    levels = np.linspace(0.05, 1.0, CANDIDATES)
    return np.unique(np.append(np.quantile(positive, levels, method="inverted_cdf"), 0.0))


def shrinkage_candidates(weight: FloatArray) -> FloatArray:
    """Values of lambda for `shrunk_dr`, ascending, the last infinite (`dr`).

    Notes
    -----
    Su et al. (2020): from a hundredth of the square of the weights' 5 % quantile to a hundred times that of the 95 % one.
    """
    low, high = np.quantile(weight[weight > 0], [0.05, 0.95])
    return np.append(np.geomspace(0.01 * low**2, 100 * high**2, CANDIDATES), np.inf)
