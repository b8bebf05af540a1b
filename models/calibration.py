"""Calibration of raw scores, kept as plain numbers (fitting lives in training)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models._cell_kernels import logistic

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Probability = logistic(intercept + slope × raw score), Platt (1999); the identity has 0 and 1.

    >>> Calibration(0.0, 1.0).probability(np.array([0.0]))
    array([0.5])
    """

    intercept: float = 0.0
    slope: float = 1.0

    def probability(self, raw: FloatArray) -> FloatArray:
        """Probabilities of raw scores (log odds), any shape; NaN of NaN."""
        flat = np.ascontiguousarray(raw, dtype=np.float64).reshape(-1)
        return logistic(flat, float(self.intercept), float(self.slope)).reshape(raw.shape)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(plain: Mapping[str, Any]) -> Calibration:
        """The inverse of `as_dict`."""
        return Calibration(**plain)
