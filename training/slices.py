"""The rows that trials of settings learn from and are judged on; their matrix in memory or in a file that processes share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from features.reference import Reference
from training.material import Material
from training.rows import TrainingRows
from training.splits import Split


@dataclass(frozen=True)
class Slices:
    """What a recipe is given in a trial: rows, their parts, the reference of the features."""

    rows: TrainingRows
    split: Split
    reference: Reference

    def write(self, file: Path) -> Slices:
        """The same without the matrix, which goes to a file (.npy)."""
        np.save(file, self.rows.matrix, allow_pickle=False)
        return self._with(self.rows.matrix[:0].copy())

    def read(self, file: Path) -> Slices:
        """The inverse of `write`; processes share the file's memory."""
        return self._with(np.load(file, mmap_mode="r"))

    def _with(self, matrix: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Slices:
        return replace(self, rows=replace(self.rows, matrix=matrix))


def slices_of(material: Material) -> Slices:
    """All rows as `rettid train` has them, but for what was paid outside the learning part and the calibration slice.

    There nothing is paid: no payment of a judged debtor can reach a trial. Features stay, since `chain` takes the borders of
    its bins from all rows, and so do answers and ways of payment, which it counts to tell what a channel's links can be
    learnt from.
    """
    rows, seen = material.rows, material.split.learn | material.split.calibrate
    waits = rows.waits and rows.waits._replace(paid_days=np.where(seen, rows.waits.paid_days, np.inf))
    known = replace(
        rows,
        paid=rows.paid & seen,
        share=np.where(seen, rows.share, 0.0),
        amount_eur=np.where(seen, rows.amount_eur, 0.0),
        waits=waits,
    )
    return Slices(known, material.split, material.reference)
