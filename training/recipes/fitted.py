"""What every recipe takes and gives, and what one gives that can be tuned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

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

Model = TypeVar("Model", bound=PropensityModel, covariant=True)


@dataclass(frozen=True)
class Uncalibrated(Generic[Model]):
    """The judged model before the later slice has calibrated it, and the rounds at which its boosters stopped, by name."""

    model: Model
    rounds: Mapping[str, int]


Watch = Callable[[float, float], None]
"""Told while a booster learns: how much by now (rounds × learning rate), and the log loss on the later slice.

It may raise, to break off.
"""


def unwatched(learnt: float, loss: float) -> None:
    """Nobody looks."""


Learn = Callable[[TrainingRows, Split, Reference, Mapping[str, Setting], int, Watch], Uncalibrated[PropensityModel]]
"""The part of a recipe that its settings are judged by: what the recipe itself calibrates and then learns again from all rows.

Arguments are a recipe's, and who watches. One whose losses on the way are not those of its chance of payment tells nothing.
"""
