"""The rows that trials of settings learn from and are judged on, in memory or in files that processes share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from features.pipeline import Matrix
from training.material import Material

BoolArray = npt.NDArray[np.bool_]
NAMES = ("learn", "learn_paid", "later", "later_paid")


@dataclass(frozen=True)
class Slices:
    """What trials learn from and are judged on: features, shape (r, F), and whether paid, shape (r,)."""

    learn: Matrix
    learn_paid: BoolArray
    later: Matrix
    later_paid: BoolArray

    def write(self, folder: Path) -> None:
        """One file for each array."""
        for name in NAMES:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)

    @classmethod
    def read(cls, folder: Path) -> Slices:
        """The inverse of `write`; processes share the files' memory."""
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in NAMES))


def slices_of(material: Material) -> Slices:
    """The learning part, and the calibration slice after it; the judged debtors are in neither."""
    rows, split = material.rows, material.split
    learn, later = split.learn, split.calibrate
    return Slices(rows.matrix[learn], rows.paid[learn], rows.matrix[later], rows.paid[later])
