"""How far predicted chances lie from what was observed, overall and by channel and country."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.judge import calibration_bins, calibration_error

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FEWEST_IN_SLICE = 2_000
"""Rows of a channel in a country below which chance alone makes the error large."""

REDRAWN = 50
"""Times that outcomes are drawn from the predictions themselves, to see the error that chance alone makes."""


@dataclass(frozen=True)
class CalibrationSlice:
    """Expected calibration error of some rows, and the mean error that chance alone would make of perfect predictions."""

    name: str
    rows: int
    error: float
    by_chance: float


def calibration_slices(
    chance: FloatArray, paid: BoolArray, *, group: npt.NDArray[np.object_], rng: np.random.Generator
) -> tuple[CalibrationSlice, ...]:
    """The error over all rows first, named `all`, then of each group of at least `FEWEST_IN_SLICE` rows, by name.

    Parameters
    ----------
    chance, paid, group
        Of the judged rows, shape (r,).
    """
    found = [calibration_slice("all", chance, paid, rng=rng)]
    for name in sorted(set(group.tolist())):
        here = group == name
        if here.sum() >= FEWEST_IN_SLICE:
            found.append(calibration_slice(name, chance[here], paid[here], rng=rng))
    return tuple(found)


def calibration_slice(name: str, chance: FloatArray, paid: BoolArray, *, rng: np.random.Generator) -> CalibrationSlice:
    """Error of one group of rows, in ten bins of equal size."""
    drawn = [_error(chance, rng.random(len(chance)) < chance) for _ in range(REDRAWN)]
    return CalibrationSlice(name, len(chance), _error(chance, paid), float(np.mean(drawn)))


def _error(chance: FloatArray, paid: BoolArray) -> float:
    return calibration_error(calibration_bins(chance, paid))
