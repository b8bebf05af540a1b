"""contextualbandits: the doubly robust estimator over all arms, and the offset tree, which only names an arm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from contextualbandits.offpolicy import DoublyRobustEstimator, OffsetTree
from frame import Filled, FloatArray, Frame, Learnt, Matrix, effect_regressor, outcome_classifier

if not hasattr(np, "in1d"):
    np.in1d = np.isin  # noqa: NPY201 - contextualbandits 0.3.30 still calls what NumPy 2.4 took away


@dataclass(frozen=True)
class Costs:
    """A fitted doubly robust estimator."""

    estimator: Any
    filled: Filled

    def values(self, x: Matrix) -> FloatArray:
        """Expected rewards, shape (u, K)."""
        # `decision_function` of the estimator gives a softmax; its costs are what it was fitted to.
        return -np.asarray(self.estimator.oracle.decision_function(self.filled(x), False))


def doubly_robust(frame: Frame, seed: int) -> Learnt:
    """Regression on doubly robust rewards; `handle_invalid` would replace all estimates by noise, as costs are below 0."""
    filled = Filled.of(frame.x)
    estimator = DoublyRobustEstimator(
        effect_regressor(seed), outcome_classifier(seed), frame.arms, method="rovr", handle_invalid=False, smoothing=None,
        njobs=1, random_state=seed,
    )  # fmt: skip
    estimator.fit(filled(frame.x), frame.arm, frame.reward, frame.own_chance())
    return Costs(estimator, filled)


@dataclass(frozen=True)
class Named:
    """A policy that names one arm."""

    policy: Any
    filled: Filled
    arms: int

    def values(self, x: Matrix) -> FloatArray:
        """1 for the arm that it names, shape (u, K)."""
        return np.eye(self.arms)[np.asarray(self.policy.predict(self.filled(x)), dtype=np.int64)]


def offset_tree(frame: Frame, seed: int) -> Learnt:
    """A tree of weighted classifications (Beygelzimer and Langford 2009)."""
    filled = Filled.of(frame.x)
    tree = OffsetTree(outcome_classifier(seed), frame.arms, njobs=1, random_state=seed)
    tree.fit(filled(frame.x), frame.arm, frame.reward, frame.own_chance())
    return Named(tree, filled, frame.arms)


TOOLS: dict[str, Callable[[Frame, int], Learnt]] = {
    "contextualbandits-dr": doubly_robust,
    "contextualbandits-offset-tree": offset_tree,
}
