"""The chain between contact and payment: reached, then moved to pay, beside what would have been paid anyway.

The chance of payment in the horizon is `1 - exp(-H)`. Without contact `H` is a debtor's own hazard; a contact multiplies
that by `1 + change` of its channel and adds `lift * reach * conversion`: the chance of an answer, times what an answer leads
to. What `change` and `lift` are is learnt from payments in total, whoever claims them (`training.recipes.chain`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models.boosters import raw_parts
from models.cells import Cells, RowCells, channel_codes
from models.protocol import PropensityModel

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.int64]

LEAST, MOST = 1e-6, 12.0
"""Hazards are kept between these: chances never become exactly 0 or 1."""


@dataclass(frozen=True)
class Links:
    """The numbers between the boosters, by channel code where they are lists.

    Attributes
    ----------
    channel, hour
        Columns of the action's channel and local hour.
    near
        Columns of how much is paid near each hour 0 to 23, in logarithms.
    own_rate
        Logarithm of the usual hazard of payment by itself.
    answers
        Whether a channel leaves answers: a letter does not.
    answer_rate
        Logarithm of the usual chance of an answer, 0 where a channel leaves none.
    hour_slope
        How far answers follow the hours at which a debtor pays, 0 or more.
    paid_rate
        Logarithm of what is usually paid through a contact for each expected answer.
    change, lift
        By how much a contact changes payment by itself, and what its own effect counts.
    level
        Factor on the whole hazard, from the later slice.
    """

    channel: int
    hour: int
    near: tuple[int, ...]
    own_rate: float
    answers: tuple[bool, ...]
    answer_rate: tuple[float, ...]
    hour_slope: tuple[float, ...]
    paid_rate: tuple[float, ...]
    change: tuple[float, ...]
    lift: tuple[float, ...]
    level: float

    @staticmethod
    def from_dict(plain: Mapping[str, Any]) -> Links:
        """The inverse of `asdict`."""
        values: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in plain.items()}
        return Links(**values)

    def channels(self, cells: Cells) -> IntArray:
        """Channel code of each cell."""
        return channel_codes(cells, self.channel)

    def answer_offset(self, cells: Cells) -> FloatArray:
        """Logarithm of the chance of an answer before the booster: the channel's, moved by the debtor's hours."""
        code = self.channels(cells)
        near = np.nan_to_num(self.near_hour(cells))
        offset: FloatArray = np.array(self.answer_rate)[code] + np.array(self.hour_slope)[code] * near
        return offset

    def near_hour(self, cells: Cells) -> FloatArray:
        """How much the debtor pays near the action's hour, in logarithms, NaN for `none`."""
        hour = cells.column(self.hour)
        column = np.array(self.near)[np.nan_to_num(hour).astype(np.int64)]
        near: FloatArray = np.where(np.isnan(hour), np.nan, cells.picked(column)).astype(np.float64)
        return near

    def hazard(self, own: FloatArray, effect: FloatArray, code: IntArray) -> FloatArray:
        """Hazard from payment by itself and a contact's effect; all three broadcast."""
        total = with_contact(own, effect, code, change=np.array(self.change), lift=np.array(self.lift))
        whole: FloatArray = np.clip(self.level * total, LEAST, MOST)
        return whole


def with_contact(
    own: FloatArray, effect: FloatArray, code: IntArray, *, change: FloatArray, lift: FloatArray
) -> FloatArray:
    """Hazard of payment by itself as a contact changes it, and the contact's own effect; `none` is code 0.

    `own`, `effect` and `code` broadcast; `change` and `lift` are by channel code.
    """
    contact = code > 0
    total: FloatArray = own * (1.0 + contact * change[code]) + contact * lift[code] * effect
    return total


@dataclass(frozen=True)
class Fold:
    """Boosters learnt from a part of the debtors: logarithms of reach and of conversion; None where nothing was to learn."""

    reach: lgb.Booster | None
    conversion: lgb.Booster | None

    def answer(self, cells: Cells, links: Links, *, offset: FloatArray) -> FloatArray:
        """Logarithm of the expected answers of each cell; `offset` is `Links.answer_offset`, the same for all folds."""
        leaves = np.array(links.answers)[links.channels(cells)]
        logarithm: FloatArray = offset + np.where(leaves, raw_of(self.reach, cells), 0.0)
        return logarithm

    def effect(self, cells: Cells, links: Links, *, offset: FloatArray) -> FloatArray:
        """Expected payments through the contact of each cell; meaningless for `none`."""
        paid_rate = np.array(links.paid_rate)[links.channels(cells)]
        return expected(self.answer(cells, links, offset=offset) + paid_rate + raw_of(self.conversion, cells))


def expected(logarithm: FloatArray) -> FloatArray:
    """Expected number of payments of its logarithm, at most `MOST`, shape as given."""
    number: FloatArray = np.exp(np.minimum(logarithm, np.log(MOST)))
    return number


def raw_of(booster: lgb.Booster | None, cells: Cells) -> FloatArray:
    """Raw scores of a booster, 0 without one."""
    return np.zeros(1) if booster is None else cells.raw(booster)


@dataclass(frozen=True)
class ChainModel(PropensityModel):
    """Payment by itself, which no column of the action moves, and the effect of contacts, a mean over folds."""

    own: lgb.Booster
    folds: tuple[Fold, ...]
    links: Links
    threads: int = 1

    def chance(self, cells: Cells) -> FloatArray:
        """Chance of payment of each cell."""
        own, effect = self._parts(cells)
        chance: FloatArray = -np.expm1(-self.links.hazard(own, effect, self.links.channels(cells)))
        return chance

    @property
    def members(self) -> tuple[ChainModel, ...]:
        """One model for each fold: how much they differ says how sure the effects are."""
        return tuple(ChainModel(self.own, (fold,), self.links, self.threads) for fold in self.folds)

    def _parts(self, cells: Cells) -> tuple[FloatArray, FloatArray]:
        """Hazard of payment by itself, and expected payments through the contact (0 for `none`)."""
        own = np.exp(self.links.own_rate + raw_of(self.own, cells))
        effect, made = np.zeros(cells.shape), self.links.channels(cells) > 0
        if made.any():
            some = cells.only(made)
            offset = self.links.answer_offset(some)
            each = (fold.effect(some, self.links, offset=offset) for fold in self.folds)
            effect[..., made] = sum(each) / len(self.folds)
        return own, effect

    def contributions(self, rows: Rows) -> FloatArray:
        """What each column adds to the log odds, to first order, shape (n, F): tree SHAP of each booster by its share.

        Each booster speaks of the logarithm of a part of the hazard; the log odds move with the hazard `H` by
        `1 / (1 - exp(-H))`.
        """
        links, cells = self.links, RowCells(rows, self.threads)
        code, (own, effect) = links.channels(cells), self._parts(cells)
        hazard = links.hazard(own, effect, code)
        per_hazard = links.level / -np.expm1(-hazard)
        by_own = per_hazard * own * (1.0 + (code > 0) * np.array(links.change)[code])
        by_effect = per_hazard * effect * np.array(links.lift)[code]
        parts = np.zeros(rows.shape, dtype=np.float64)
        parts += by_own[:, None] * raw_parts(self.own, rows, threads=self.threads)
        leaves = np.array(links.answers)[code]
        for fold in self.folds:
            for booster, here in ((fold.reach, leaves), (fold.conversion, code > 0)):
                if booster is not None:
                    parts += (
                        (here * by_effect)[:, None] * raw_parts(booster, rows, threads=self.threads) / len(self.folds)
                    )
        slope = np.array(links.hour_slope)[code] * np.nan_to_num(links.near_hour(cells))
        parts[:, links.hour] += by_effect * slope
        parts[:, links.channel] += by_effect + per_hazard * own * (code > 0) * np.array(links.change)[code]
        return parts

    def dump(self) -> dict[str, str]:
        """Model texts and the numbers between them."""
        files = {"own.txt": self.own.model_to_string(), "chain.json": json.dumps(asdict(self.links))}
        for number, fold in enumerate(self.folds):
            for name, booster in (("reach", fold.reach), ("conversion", fold.conversion)):
                files[f"{name}-{number}.txt"] = "" if booster is None else booster.model_to_string()
        return files


def load_chain(files: Mapping[str, str]) -> ChainModel:
    """The model that `ChainModel.dump` wrote."""
    numbers = sorted(int(name[len("reach-") : -len(".txt")]) for name in files if name.startswith("reach-"))
    folds = tuple(
        Fold(_booster(files[f"reach-{one}.txt"]), _booster(files[f"conversion-{one}.txt"])) for one in numbers
    )
    return ChainModel(lgb.Booster(model_str=files["own.txt"]), folds, Links.from_dict(json.loads(files["chain.json"])))


def _booster(text: str) -> lgb.Booster | None:
    return lgb.Booster(model_str=text) if text else None
