"""Value of a policy from another's log. Each estimator gives one number per row; its mean is the value.

Because the numbers stand per row, the interval of a value, and of the difference of two, follows from them alone
(`training.ope.intervals`). IPS, SNIPS, DR and self-normalised DR are right where the logged probabilities are, so that
their intervals cover; the direct method, Switch-DR and shrunk DR trade bias for variance, and no interval made of their
rows covers the bias. Arguments are the same throughout, shape (n,) each:

reward
    What was paid, clicked or bought.
weight
    Target over logging probability of the action that was taken, each >= 0; `training.ope.marginal` and
    `training.ope.loggers` have weights for embedded actions and for several logging policies.
predicted
    A model's reward of the action that was taken, from a fit that has not seen the row's unit.
expected
    The same model's reward under the target policy: sum over actions of probability times prediction.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

TINY = float(np.finfo(np.float64).tiny)


def ips(reward: FloatArray, weight: FloatArray) -> FloatArray:
    """Inverse propensity scoring (Horvitz and Thompson 1952): unbiased where all that matters was logged.

    >>> ips(np.array([1.0, 0.0]), np.array([2.0, 0.0])).mean()
    np.float64(1.0)
    """
    return weight * reward


def snips(reward: FloatArray, weight: FloatArray) -> FloatArray:
    """Self-normalised IPS (Swaminathan and Joachims 2015), written as value plus influence of each row.

    The mean is exactly the sum of weighted rewards over the sum of weights; needs one positive weight.

    >>> snips(np.array([1.0, 0.0, 1.0]), np.array([2.0, 2.0, 0.0])).mean()
    np.float64(0.5)
    """
    value = float(weight @ reward / weight.sum())
    return np.asarray(value + weight * (reward - value) / weight.mean())


def dm(expected: FloatArray) -> FloatArray:
    """Direct method: what the model says. Its interval knows nothing of the model's own error."""
    return expected


def dr(reward: FloatArray, weight: FloatArray, *, predicted: FloatArray, expected: FloatArray) -> FloatArray:
    """Doubly robust (Dudik, Langford and Li 2011): right if the probabilities are, precise if the model is.

    >>> one = np.array([1.0])
    >>> dr(one, 2 * one, predicted=np.array([0.5]), expected=np.array([0.25]))
    array([1.25])
    """
    return expected + weight * (reward - predicted)


def sndr(reward: FloatArray, weight: FloatArray, *, predicted: FloatArray, expected: FloatArray) -> FloatArray:
    """Doubly robust with the correction self-normalised, written as value plus influence of each row."""
    return expected + snips(reward - predicted, weight)


def switch_dr(
    reward: FloatArray, weight: FloatArray, *, predicted: FloatArray, expected: FloatArray, threshold: float
) -> FloatArray:
    """Doubly robust where the weight is at most `threshold`, the model alone where it is more.

    Biased by the model's error on the rows left to it; `training.ope.tuning` chooses the threshold.

    Notes
    -----
    Wang, Agarwal and Dudik (2017). A threshold of 0 is `dm`, one at the largest weight is `dr`.

    >>> one, rough = np.ones(2), np.array([0.5, 0.5])
    >>> switch_dr(one, np.array([2.0, 9.0]), predicted=rough, expected=rough, threshold=5.0)
    array([1.5, 0.5])
    """
    kept = np.where(weight <= threshold, weight, 0.0)
    return dr(reward, kept, predicted=predicted, expected=expected)


def shrunk_dr(
    reward: FloatArray, weight: FloatArray, *, predicted: FloatArray, expected: FloatArray, shrinkage: float
) -> FloatArray:
    """Doubly robust with optimistic shrinkage: weight times lambda over (weight squared plus lambda).

    Biased where weights are large against the root of `shrinkage`, the paper's lambda, which `training.ope.tuning`
    chooses.

    Notes
    -----
    Su, Dimakopoulou, Krishnamurthy and Dudik (2020). A shrinkage of 0 is `dm`, of infinity `dr`.

    >>> one, rough = np.ones(1), np.array([0.5])
    >>> shrunk_dr(one, np.array([3.0]), predicted=rough, expected=rough, shrinkage=9.0)
    array([1.25])
    """
    kept = weight if np.isinf(shrinkage) else shrinkage * weight / np.maximum(weight**2 + shrinkage, TINY)
    return dr(reward, kept, predicted=predicted, expected=expected)
