"""Calibration of raw scores, fitted here and kept as plain numbers in the bundle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from models.calibration import Calibration

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def platt(raw: FloatArray, paid: BoolArray) -> Calibration:
    """Logistic calibration of raw scores (Platt 1999) with a weak pull to the identity's side of the optimum."""
    fitted = LogisticRegression(C=1e6).fit(raw[:, None], paid)
    if fitted.coef_[0, 0] <= 0:  # a later slice that ranks backwards is noise: it may flatten the scores, not turn them
        share = float(np.mean(paid))
        return Calibration(float(np.log(share / (1 - share))), 0.0)
    return Calibration(float(fitted.intercept_[0]), float(fitted.coef_[0, 0]))
