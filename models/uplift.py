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
from models.cells import Cells, RowCells, channel_codes
from models.protocol import PropensityModel

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
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
class UpliftModel(PropensityModel):
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

    def base_probability(self, cells: Cells) -> FloatArray:
        """Chance of payment without contact, whatever action the cells hold."""
        return self.calibration.probability(cells.without_action(self.channel_column).raw(self.base))

    def effect(self, cells: Cells) -> FloatArray:
        """What each cell's action adds to the chance of payment, in probability, 0 for `none`."""
        return self._effect(cells, self.base_probability(cells))

    def chance(self, cells: Cells) -> FloatArray:
        """Chance of payment of each cell."""
        base = self.base_probability(cells)
        chance: FloatArray = np.clip(base + self._effect(cells, base), LEAST_CHANCE, 1 - LEAST_CHANCE)
        return chance

    def contributions(self, rows: Rows) -> FloatArray:
        """What each column adds to the log odds, shape (n, F): tree SHAP values of base and effect.

        Those of an effect are in probability; they are carried over at the slope of the log odds at the row's chance.
        """
        cells = RowCells(rows, self.threads)
        blank = cells.without_action(self.channel_column).rows
        without = raw_parts(self.base, blank, threads=self.threads) * self.calibration.slope
        base, chance = self.base_probability(cells), self.chance(cells)
        parts = without * _steepness(base)[:, None]
        for effect, here in self._cells_of_effects(cells):
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

    def _effect(self, cells: Cells, base: FloatArray) -> FloatArray:
        found = np.zeros(cells.shape)
        whole = np.broadcast_to(base, cells.shape)
        for effect, here in self._cells_of_effects(cells):
            some, total = cells.only(here), np.zeros(1)
            for part in effect.parts:
                raw = some.raw(self.boosters[part.booster])
                total = total + part.weight * (expit(raw) - whole[..., here] if part.log_odds else raw)
            found[..., here] = effect.level + effect.slope * total
        return found

    def _cells_of_effects(self, cells: Cells) -> list[tuple[Effect, BoolArray]]:
        code = channel_codes(cells, self.channel_column)
        return [
            (effect, code == number) for number, effect in self.effects.items() if number and (code == number).any()
        ]


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
