"""scikit-uplift: two arms only, so that each arm is learnt against arm 0 by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from frame import FloatArray, Frame, Learnt, Matrix, outcome_classifier
from sklift.models import SoloModel, TwoModels


@dataclass(frozen=True)
class Pairs:
    """A model for each arm but arm 0."""

    models: tuple[Any, ...]

    def values(self, x: Matrix) -> FloatArray:
        """Effects over arm 0, shape (u, K)."""
        return np.column_stack([np.zeros(len(x)), *(model.predict(x) for model in self.models)])


def _pairs(frame: Frame, make: Callable[[], Any]) -> Learnt:
    models = []
    for arm in range(1, frame.arms):
        mine = (frame.arm == arm) | (frame.arm == 0)
        model = make()
        model.fit(frame.x[mine], frame.reward[mine], (frame.arm[mine] == arm).astype(np.int64))
        models.append(model)
    return Pairs(tuple(models))


def solo(frame: Frame, seed: int) -> Learnt:
    """One LightGBM a pair, the arm a column."""
    return _pairs(frame, lambda: SoloModel(outcome_classifier(seed)))


def two_models(frame: Frame, seed: int) -> Learnt:
    """Two LightGBM a pair, the second over what the first says of the control."""
    return _pairs(
        frame, lambda: TwoModels(outcome_classifier(seed), outcome_classifier(seed + 1), method="ddr_control")
    )


TOOLS: dict[str, Callable[[Frame, int], Learnt]] = {"sklift-solo": solo, "sklift-two": two_models}
