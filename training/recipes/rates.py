"""The incumbent's rules and the best constant action: usual rates of payment under each channel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from data.action_grid import dayparts_of
from data.vocabulary import DAYPARTS
from features.catalogue import action_features
from features.reference import Reference
from models.propensity import RateModel
from training.recipes.fitted import Fitted, Setting
from training.rows import TrainingRows
from training.splits import Split

FloatArray = npt.NDArray[np.float64]

LEAST_RATE = 1e-4
"""Rates of payment are kept this far from 0 and 1: a channel tried ten times in vain is not hopeless."""


def fit_incumbent(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
) -> Fitted:
    """The tenant's present rules; chances of payment are the usual ones under each channel."""
    del settings, seed
    rates = _rates(rows, split, reference)
    return Fitted(rates, rates, "control")


def fit_constant(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
) -> Fitted:
    """The one channel and part of the day that recovered most per randomised decision, as soon as it is allowed."""
    del settings, seed
    weight = inverse_probability(rows)
    hour = rows.matrix[:, rows.names.index("hour")]
    part = dayparts_of(np.nan_to_num(hour, nan=-1.0).astype(np.int64))
    found: dict[tuple[str, str], float] = {}
    for code, channel in enumerate(reference.channels):
        for number, name in enumerate(DAYPARTS) if code else [(-1, DAYPARTS[0])]:
            here = split.learn & (rows.channel == code) & (part == number)
            if here.sum() >= 30:
                found[channel, name] = float(np.average(rows.amount_eur[here], weights=weight[here]))
    best = max(found, key=lambda key: found[key]) if found else (reference.channels[0], DAYPARTS[0])
    rates = _rates(rows, split, reference)
    return Fitted(rates, rates, "constant", best)


def inverse_probability(rows: TrainingRows) -> FloatArray:
    """1 over the logged probability where the choice was drawn, 0 for decided rows if there are any drawn, else 1."""
    chance = rows.action_probability
    drawn = np.isfinite(chance) & (chance < 0.999)
    if not drawn.any():
        return np.ones(len(rows), dtype=np.float64)
    weight: FloatArray = np.where(drawn, 1.0 / np.where(drawn, chance, 1.0), 0.0)
    return weight


def _rates(rows: TrainingRows, split: Split, reference: Reference) -> RateModel:
    weight = inverse_probability(rows) * split.learn
    overall = float(rows.paid[split.learn].mean())
    rates = []
    for code in range(len(reference.channels)):
        here = (rows.channel == code) & (weight > 0)
        rate = float(np.average(rows.paid[here], weights=weight[here])) if here.any() else overall
        rates.append(min(max(rate, LEAST_RATE), 1 - LEAST_RATE))
    return RateModel(tuple(rates), len(rows.names) - len(action_features()))
