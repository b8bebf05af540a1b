"""What every recipe takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from features.reference import Reference
from models.bundle import Chooser
from models.protocol import PropensityModel
from training.rows import TrainingRows
from training.splits import Split

Setting = int | float | str | bool


@dataclass(frozen=True)
class Fitted:
    """What a recipe made.

    Attributes
    ----------
    model
        Learnt from the learning part alone: this one is judged.
    shipped
        The one that decides: a LightGBM learnt from all mature rows in the same way, with the same calibration; of the
        baselines the judged model itself.
    chooser, constant
        How it chooses, and for a constant choice its channel and part of the day.
    notes
        What who relies on the model should know of how it was learnt, in words.
    """

    model: PropensityModel
    shipped: PropensityModel
    chooser: Chooser
    constant: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()


Recipe = Callable[[TrainingRows, Split, Reference, Mapping[str, Setting], int], Fitted]
"""Rows, their parts, the reference of the features, settings, seed."""
