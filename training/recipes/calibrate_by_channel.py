"""Calibration of raw scores channel by channel, drawn towards that of all of them where a channel says little."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from models.calibration import Calibration
from training.recipes.calibrate import platt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

USUAL_DISTANCE = (0.3, 0.2)
"""How far a channel's intercept and slope usually lie from those of all channels (standard deviations)."""


def platt_by_channel(raw: FloatArray, paid: BoolArray, channel: IntArray, *, channels: int) -> tuple[Calibration, ...]:
    """Logistic calibration of each channel (Platt 1999), most likely under a normal prior around that of all rows.

    Parameters
    ----------
    raw, paid, channel
        Log odds, outcome and channel code of rows later than those learnt from, shape (n,) each.

    Returns
    -------
    One calibration a channel code; that of all rows for a channel without any.

    >>> raw = np.linspace(-2, 2, 400)
    >>> one = platt_by_channel(raw, raw > 0.5, np.zeros(400, dtype=np.int64), channels=2)
    >>> one[1] == platt(raw, raw > 0.5)
    True
    """
    pooled = platt(raw, paid)
    return tuple(_around(pooled, raw[channel == code], paid[channel == code]) for code in range(channels))


def _around(pooled: Calibration, raw: FloatArray, paid: BoolArray) -> Calibration:
    if not len(raw):
        return pooled
    centre, hit = np.array([pooled.intercept, pooled.slope]), paid.astype(np.float64)

    def loss(at: FloatArray) -> tuple[float, FloatArray]:
        score, pull = at[0] + at[1] * raw, (at - centre) / np.array(USUAL_DISTANCE)
        off = expit(score) - hit
        gradient = np.array([off.sum(), off @ raw]) + pull / np.array(USUAL_DISTANCE)
        return float(np.logaddexp(0.0, score).sum() - hit @ score + pull @ pull / 2), gradient

    found = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=[(None, None), (0.0, None)])
    return Calibration(float(found.x[0]), float(found.x[1]))
