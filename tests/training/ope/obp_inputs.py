"""Inputs that our estimators and obp's are held against each other on: drawn from a seed, so not stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SEED = 20260302
ROWS, ACTIONS, CELLS, LOGGERS = 600, 12, 5, 3
THRESHOLDS = (0.5, 1.0, 3.0, 8.0)
SHRINKAGES = (0.1, 1.0, 10.0, 200.0)
CANDIDATES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 20.0, 50.0)
"""What parameters are chosen from, thresholds and shrinkages alike."""


@dataclass(frozen=True)
class Inputs:
    """A log: chances per row and action, shape (n, A), what was done, and what came of it, shape (n,).

    Parameters
    ----------
    loggers
        Chances of actions under every logger, shape (K, n, A); `logger` says who took each row's action.
    predicted
        A model's reward of every action, shape (n, A); too high, so that what is chosen is no end of its list.
    cell
        Cell of each action, shape (A,).
    """

    loggers: FloatArray
    logger: IntArray
    target: FloatArray
    predicted: FloatArray
    action: IntArray
    reward: FloatArray
    cell: IntArray

    @property
    def logging(self) -> FloatArray:
        """Chances of actions under each row's own logger, shape (n, A)."""
        return np.asarray(self.loggers[self.logger, np.arange(len(self.logger))])

    def of_logged(self, each: FloatArray) -> FloatArray:
        """Entry of the action that was taken, shape (n,)."""
        return np.asarray(each[np.arange(len(self.action)), self.action])


def made_inputs() -> Inputs:
    """The inputs; every step but the draws of uniform numbers is plain arithmetic."""
    rng = np.random.default_rng(SEED)
    loggers = _chances(rng.random((LOGGERS, ROWS, ACTIONS)) ** 3 + 0.02)
    logger = (rng.random(ROWS) * LOGGERS).astype(np.int64)
    target = _chances(rng.random((ROWS, ACTIONS)) ** 3)
    own = loggers[logger, np.arange(ROWS)]
    action = (own.cumsum(axis=1) < rng.random((ROWS, 1))).sum(axis=1).clip(max=ACTIONS - 1)
    chance = 0.1 + 0.5 * rng.random((ROWS, ACTIONS))
    reward = (rng.random(ROWS) < chance[np.arange(ROWS), action]) * (0.5 + rng.random(ROWS))
    predicted = 0.9 * chance + 0.225 * rng.random((ROWS, ACTIONS))
    return Inputs(loggers, logger, target, predicted, action, reward, np.arange(ACTIONS) * CELLS // ACTIONS)


def _chances(pull: FloatArray) -> FloatArray:
    return np.asarray(pull / pull.sum(axis=-1, keepdims=True))


def fingerprint(inputs: Inputs) -> float:
    """A number that differs if a generator of another version drew other inputs."""
    parts = (inputs.loggers, inputs.logger, inputs.target, inputs.predicted, inputs.action, inputs.reward)
    return float(sum((number + 1) * np.cos(part.astype(np.float64)).sum() for number, part in enumerate(parts)))
