"""Chance of payment without contact, and what each action adds to it: the model behind every uplift learner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit

from models.boosters import raw_parts, raw_scores
from models.calibration import Calibration
from models.per_channel import channel_codes, without_action

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Rows = npt.NDArray[np.floating[Any]]

LEAST_CHANCE = 1e-4
"""Chances are kept this far from 0 and 1: a sum of a chance and an effect may leave that range."""


@dataclass(frozen=True)
class Part:
    """One booster of an effect: its index, its weight in the sum, and whether it gives log odds of payment.

    Log odds become a chance, of which the chance under `none` is taken; other scores are effects as they stand.
    """

    booster: int
    weight: float
    log_odds: bool = False


@dataclass(frozen=True)
class Effect:
    """Effect of one channel's actions over `none`: level + slope × weighted sum of its parts."""

    parts: tuple[Part, ...]
    level: float = 0.0
    slope: float = 1.0


@dataclass(frozen=True)
class UpliftModel:
    """Probability = chance under `none` + effect of the action, kept within `LEAST_CHANCE` of 0 and 1.

    Attributes
    ----------
    base, calibration
        Log odds of payment under `none`, and their calibration.
    boosters, effects
        Boosters that effects refer to, and effects by channel code; a channel without one has the chance of `none`.
    channel_column
        Index of the action's channel in a row; the action's other columns stand behind it, to the end.
    """

    base: lgb.Booster
    calibration: Calibration
    boosters: tuple[lgb.Booster, ...]
    effects: Mapping[int, Effect]
    channel_column: int
    threads: int = 1

    def base_probability(self, rows: Rows) -> FloatArray:
        """Chance of payment without contact, whatever action the rows hold, shape (n,)."""
        blank = without_action(rows, self.channel_column)
        first, of_row = _runs(blank)  # over the grid each claim comes once for every action
        raw = raw_scores(self.base, blank[first], threads=self.threads)
        return self.calibration.probability(raw[of_row])

    def effect(self, rows: Rows) -> FloatArray:
        """What each row's action adds to the chance of payment, in probability, 0 for `none`, shape (n,)."""
        return self._effect(rows, self.base_probability(rows))

    def probability(self, rows: Rows) -> FloatArray:
        """Chance of payment of each row, shape (n,)."""
        base = self.base_probability(rows)
        chance: FloatArray = np.clip(base + self._effect(rows, base), LEAST_CHANCE, 1 - LEAST_CHANCE)
        return chance

    def contributions(self, rows: Rows) -> FloatArray:
        """What each column adds to the log odds, shape (n, F): tree SHAP values of base and effect.

        Those of an effect are in probability; they are carried over at the slope of the log odds at the row's chance.
        """
        blank = without_action(rows, self.channel_column)
        without = raw_parts(self.base, blank, threads=self.threads) * self.calibration.slope
        base, chance = self.base_probability(rows), self.probability(rows)
        parts = without * _steepness(base)[:, None]
        for effect, here in self._rows_of_effects(rows):
            for part in effect.parts:
                mine = raw_parts(self.boosters[part.booster], rows[here], threads=self.threads)
                if part.log_odds:
                    own = expit(raw_scores(self.boosters[part.booster], rows[here], threads=self.threads))
                    mine = mine * _steepness(own)[:, None] - without[here] * _steepness(base[here])[:, None]
                parts[here] += effect.slope * part.weight * mine
        spread: FloatArray = parts / _steepness(chance)[:, None]
        return spread

    def dump(self) -> dict[str, str]:
        """Model texts, and the rest as JSON."""
        files = {f"effect_{number}.txt": one.model_to_string() for number, one in enumerate(self.boosters)}
        head = {
            "channel_column": self.channel_column,
            "calibration": self.calibration.as_dict(),
            "boosters": len(self.boosters),
            "effects": {str(code): asdict(one) for code, one in self.effects.items()},
        }
        return {**files, "base.txt": self.base.model_to_string(), "uplift.json": json.dumps(head)}

    def _effect(self, rows: Rows, base: FloatArray) -> FloatArray:
        found = np.zeros(len(rows))
        for effect, here in self._rows_of_effects(rows):
            total = np.zeros(len(here))
            for part in effect.parts:
                raw = raw_scores(self.boosters[part.booster], rows[here], threads=self.threads)
                total += part.weight * (expit(raw) - base[here] if part.log_odds else raw)
            found[here] = effect.level + effect.slope * total
        return found

    def _rows_of_effects(self, rows: Rows) -> list[tuple[Effect, IntArray]]:
        code = channel_codes(rows, self.channel_column)
        return [(effect, np.flatnonzero(code == number)) for number, effect in self.effects.items() if number]


def _runs(rows: Rows) -> tuple[IntArray, IntArray]:
    """First row of each run of rows that are the same bits, and the run of each row.

    >>> first, of_row = _runs(np.array([[1.0, np.nan], [1.0, np.nan], [2.0, 0.0]]))
    >>> first.tolist(), of_row.tolist()
    ([0, 2], [0, 0, 1])
    """
    bits = np.ascontiguousarray(rows).view(f"u{rows.dtype.itemsize}")
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = (bits[1:] != bits[:-1]).any(axis=1)
    return np.flatnonzero(new), np.cumsum(new) - 1


def _steepness(chance: FloatArray) -> FloatArray:
    """Change of a chance for a change of its log odds."""
    kept = np.clip(chance, LEAST_CHANCE, 1 - LEAST_CHANCE)
    steep: FloatArray = kept * (1 - kept)
    return steep


def load_uplift(files: Mapping[str, str]) -> UpliftModel:
    """The model that `dump` wrote."""
    head = json.loads(files["uplift.json"])
    effects = {
        int(code): Effect(tuple(Part(**part) for part in one["parts"]), one["level"], one["slope"])
        for code, one in head["effects"].items()
    }
    return UpliftModel(
        lgb.Booster(model_str=files["base.txt"]),
        Calibration.from_dict(head["calibration"]),
        tuple(lgb.Booster(model_str=files[f"effect_{number}.txt"]) for number in range(head["boosters"])),
        effects,
        head["channel_column"],
    )
