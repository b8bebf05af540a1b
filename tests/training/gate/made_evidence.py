"""Evidence and contributions made by hand: a run that meets every check, and changes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from training.gate.calibration import CalibrationSlice
from training.gate.contributions import CHAMPION, CONTROL, OWN, Contributions, Part
from training.gate.evidence import Evidence
from training.gate.fairness import Pressure
from training.gate.leakage import Telling

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

AS_OF = "2026-03-02T05:00:00+00:00"
GOOD = Evidence(
    recipe="lightgbm",
    settings={"rounds": 20},
    features="abc",
    as_of=AS_OF,
    champion="",
    champion_note="",
    value_refused="",
    auc=0.7,
    telling=Telling("age", 0.6),
    calibration=(CalibrationSlice("all", 5_000, 0.01, 0.005), CalibrationSlice("sms AT", 2_500, 0.03, 0.01)),
    pressure=(
        Pressure("age", {"under 25": 0.4, "25 to 34": 0.45}, {"under 25": 300, "25 to 34": 300}, 1.125, certain=True),
    ),
    barred=0,
    decisions=2_000,
)


def evidence(**changes: Any) -> Evidence:
    return replace(GOOD, **changes)


def contributions(**gain_eur: float) -> Contributions:
    """2,000 decisions of 500 debtors worth 10 EUR each under the run's own policy, give or take, others so much less.

    One in five paid 1 EUR; the log drew evenly between the run's own cell, 1, and that of all others, 0.
    """
    rng = np.random.default_rng(5)
    size = 2_000
    own = 10 + rng.normal(0, 1, size)
    paid_eur, drawn = np.where(np.arange(size) % 5 == 0, 1.0, 0.0), np.random.default_rng(6).integers(0, 2, size)
    parts = {OWN: part_of(own, paid_eur, cell=1, drawn=drawn == 1)}
    for name, gain in gain_eur.items():
        parts[name] = part_of(own - gain - rng.normal(0, 0.5, size), paid_eur, cell=0, drawn=drawn == 0)
    ids = np.array([f"c{row}" for row in range(size)], dtype=object)
    return Contributions(
        ids, np.arange(size) * 3_600, np.repeat(np.arange(500), 4), paid_eur, np.arange(size) % 295, parts
    )


def part_of(earned_eur: FloatArray, paid_eur: FloatArray, *, cell: int, drawn: BoolArray) -> Part:
    """A policy that always takes one cell, which the log drew for half of the decisions, and earned so much on each."""
    weight = np.where(drawn, 2.0, 0.0)
    return Part(weight, earned_eur - weight * paid_eur, np.full(len(weight), cell))


ABOVE = {CONTROL: 1.0, CHAMPION: 1.0}
EQUAL = {CONTROL: 0.0, CHAMPION: 0.0}
BELOW = {CONTROL: -1.0, CHAMPION: -1.0}
