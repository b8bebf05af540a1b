"""Effects held against what the later slice says of them: one level and one slope a channel, drawn together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.cells import RowCells
from models.uplift import Effect, UpliftModel
from training.recipes.uplift.learner import pseudo_outcomes
from training.recipes.uplift.sample import Sample

FloatArray = npt.NDArray[np.float64]

USUAL_LEVEL, USUAL_SLOPE = 0.02, 0.3
"""How far level and slope usually lie from 0 and from what all channels have (standard deviations)."""
FEWEST_LATER = 50
"""Later rows of a channel below which its effect stays as it was learnt."""


def levelled(model: UpliftModel, sample: Sample, *, expected: FloatArray, largest_weight: float) -> dict[int, Effect]:
    """Effects with level and slope from the later rows of the sample.

    The doubly robust pseudo-outcome is regressed on the effect (Chernozhukov, Demirer, Duflo and Fernández-Val 2018: the best
    linear predictor): payments in total, whoever claims them. Each channel's line is the most likely one under a normal
    prior around that of all channels, and that one under a prior around 0 and 1; a slope is never below 0.
    """
    told: dict[int, tuple[FloatArray, FloatArray]] = {}
    for code in model.effects:
        rows = np.flatnonzero(~sample.learn & sample.compared(code))
        if len(rows) >= FEWEST_LATER:
            pseudo = pseudo_outcomes(sample, expected, code=code, largest_weight=largest_weight)
            told[code] = (model.effect(RowCells(sample.cells(code, rows))), pseudo[rows])
    if not told:
        return dict(model.effects)
    every = [np.concatenate(one) for one in zip(*told.values(), strict=True)]
    middle = line_around(*every, centre=(0.0, 1.0))
    return _with_lines(model.effects, {code: line_around(*one, centre=middle) for code, one in told.items()})


def line_around(effect: FloatArray, pseudo: FloatArray, *, centre: tuple[float, float]) -> tuple[float, float]:
    """Level and slope of pseudo-outcomes over effects, shape (n,) each, drawn towards `centre`; the slope at least 0.

    >>> effect = np.linspace(-0.1, 0.3, 100_000)
    >>> np.round(line_around(effect, 0.05 + 0.5 * effect, centre=(0.0, 1.0)), 2).tolist()
    [0.05, 0.5]
    """
    design = np.column_stack([np.ones(len(effect)), effect])
    noise = max(float(np.var(pseudo - effect)), 1e-9)
    prior = np.diag(1 / np.array([USUAL_LEVEL, USUAL_SLOPE]) ** 2)
    level, slope = np.linalg.solve(design.T @ design / noise + prior, design.T @ pseudo / noise + prior @ centre)
    if slope < 0:
        tight = len(effect) / noise + prior[0, 0]
        return float((pseudo.sum() / noise + prior[0, 0] * centre[0]) / tight), 0.0
    return float(level), float(slope)


def _with_lines(effects: Mapping[int, Effect], lines: Mapping[int, tuple[float, float]]) -> dict[int, Effect]:
    found = dict(effects)
    for code, (level, slope) in lines.items():
        found[code] = replace(effects[code], level=level, slope=slope)
    return found
