"""The learned policy of a frame: for each unit the action with the highest predicted reward."""

from __future__ import annotations

import numpy as np

from data.frame_table import FloatArray, IntArray


def choose(predicted: FloatArray, level: FloatArray, *, trust: float) -> IntArray:
    """Action per row: each arm's level plus, as far as it is trusted, how the row deviates from the arm, shape (n,).

    The level of each action comes from its logged rewards weighted by their probabilities, so that a model that is
    wrong about an action as a whole (too shrunk, or confounded) decides only who deviates from it.

    Parameters
    ----------
    predicted
        Shape (n, A), by a model that has not seen these rows.
    level
        Shape (A,), from rows other than these.
    trust
        From 0 to 1, see `trust_in`.

    >>> choose(np.array([[0.1, 0.2], [0.3, 0.2]]), np.array([0.5, 0.5]), trust=1.0).tolist()
    [1, 0]
    """
    return np.asarray((level + trust * deviation(predicted)).argmax(axis=1), dtype=np.int64)


def deviation(predicted: FloatArray) -> FloatArray:
    """What is left of predictions, shape (n, A), when row means and action means are taken off."""
    rows = predicted.mean(axis=1, keepdims=True)
    return np.asarray(predicted - rows - predicted.mean(axis=0) + rows.mean())


def trust_in(predicted: FloatArray, action: IntArray, residual: FloatArray) -> float:
    """Slope from 0 to 1 with which predicted deviations came true; 0 where they are noise.

    Parameters
    ----------
    predicted
        Shape (n, A), by models that have not seen the rows.
    residual
        Reward less prediction of the logged action, over its logging probability, shape (n,).

    Notes
    -----
    Least squares of the doubly robust pseudo-outcomes on the deviations (Kennedy 2023, in one dimension).
    """
    away = deviation(predicted)
    squares = float((away**2).sum())
    if squares == 0.0:
        return 0.0
    slope = float((away * predicted).sum() + away[np.arange(len(action)), action] @ residual) / squares
    return float(np.clip(slope, 0.0, 1.0))


def arm_levels(action: IntArray, reward: FloatArray, weight: FloatArray, *, actions: int) -> FloatArray:
    """Weighted mean reward of each action, shape (actions,), shrunk to their mean as far as chance explains them.

    Parameters
    ----------
    weight
        One over the logging probability, shape (n,).

    Notes
    -----
    Empirical Bayes (Efron and Morris 1975): the spread of true levels is what is left of the spread of the means when
    their sampling variance is taken off; an action never taken gets the mean.

    >>> arm_levels(np.array([0, 1]), np.array([0.0, 1.0]), np.ones(2), actions=2).tolist()
    [0.5, 0.5]
    """
    overall = float(weight @ reward / weight.sum())
    mass = np.bincount(action, weight, actions)
    seen = np.bincount(action, minlength=actions) >= 2
    mean = np.bincount(action, weight * reward, actions) / np.where(mass > 0, mass, 1.0)
    squares = np.bincount(action, weight**2 * (reward - mean[action]) ** 2, actions)
    variance = squares / np.where(mass > 0, mass, 1.0) ** 2
    if seen.sum() < 2:
        return np.full(actions, overall)
    spread = max(0.0, float(mean[seen].var(ddof=1) - variance[seen].mean()))
    if spread == 0.0:
        return np.full(actions, overall)
    centre = float(mean[seen].mean())
    return np.where(seen, centre + (mean - centre) * spread / (spread + variance), centre)
