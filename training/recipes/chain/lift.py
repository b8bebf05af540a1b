"""What contact changes in total: by how much the chain's effect counts, channel by channel, on decisions drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar

from models.chain import LEAST, MOST, with_contact
from training.recipes.chain.hazard import surprise

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

SPREAD_CHANGE = 0.15
"""Standard deviation, before the data, of a channel's change of payment by itself around 0."""
SPREAD_LIFT = 0.5
"""Standard deviation, before the data, of a channel's lift around what all channels have in common."""
SPREAD_COMMON = 2.0
"""The same of the common lift around 1."""


@dataclass(frozen=True)
class Observed:
    """Decisions with what the chain expects of them, shape (n,) each.

    `own` is the hazard of payment by itself, `effect` the expected payments through the contact, both from fits that have
    not seen the debtor; `code` the channel, 0 for `none`.
    """

    paid: BoolArray
    own: FloatArray
    effect: FloatArray
    code: IntArray

    def of(self, rows: IntArray) -> Observed:
        """Some of them."""
        return Observed(self.paid[rows], self.own[rows], self.effect[rows], self.code[rows])


@dataclass(frozen=True)
class Lift:
    """Factor on payment by itself (`own`), and by channel code the change of it by a contact and the effect's lift."""

    own: float
    change: FloatArray
    lift: FloatArray

    def hazard(self, seen: Observed) -> FloatArray:
        """Whole hazard of decisions, shape (n,)."""
        total = with_contact(self.own * seen.own, seen.effect, seen.code, change=self.change, lift=self.lift)
        whole: FloatArray = np.clip(total, LEAST, MOST)
        return whole


def measure_lift(seen: Observed, *, channels: int) -> Lift:
    """Most likely lifts, shrunk: each channel's towards the common one, its change towards none.

    First one lift for all channels, then one for each around it: a channel with few decisions keeps to the others.
    """
    common = _most_likely(seen, channels=channels, around=1.0, spread=SPREAD_COMMON, same=True)
    middle = float(common.lift[1]) if channels > 1 else 1.0
    return _most_likely(seen, channels=channels, around=middle, spread=SPREAD_LIFT * max(abs(middle), 0.2), same=False)


def _most_likely(seen: Observed, *, channels: int, around: float, spread: float, same: bool) -> Lift:
    contact = channels - 1
    lifts = 1 if same else contact

    def read(values: FloatArray) -> Lift:
        lift = np.repeat(values[1 + contact :], contact) if same else values[1 + contact :]
        return Lift(float(values[0]), np.append(0.0, values[1 : 1 + contact]), np.append(0.0, lift))

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        found = read(values)
        hazard = found.hazard(seen)
        odds = np.exp(-hazard) / -np.expm1(-hazard)
        slope = np.where(seen.paid, -odds, 1.0)
        by_change = np.bincount(seen.code, slope * found.own * seen.own, channels)[1:]
        by_lift = np.bincount(seen.code, slope * seen.effect, channels)[1:]
        change, lift = values[1 : 1 + contact], values[1 + contact :]
        value = float(surprise(hazard, seen.paid).sum())
        value += 0.5 * float(np.sum((change / SPREAD_CHANGE) ** 2) + np.sum(((lift - around) / spread) ** 2))
        gradient = np.concatenate(
            [
                [slope @ (seen.own * (1.0 + (seen.code > 0) * found.change[seen.code]))],
                by_change + change / SPREAD_CHANGE**2,
                (by_lift.sum(keepdims=True) if same else by_lift) + (lift - around) / spread**2,
            ]
        )
        return value, gradient

    start = np.concatenate([[1.0], np.zeros(contact), np.full(lifts, around)])
    bounds = [(0.05, 20.0)] + [(-0.95, 2.0)] * contact + [(0.0, 50.0)] * lifts
    return read(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def measure_level(hazard: FloatArray, paid: BoolArray) -> float:
    """Factor on hazards, shape (n,), that fits later payments best."""

    def loss(logarithm: float) -> float:
        scaled = np.clip(hazard * np.exp(logarithm), LEAST, MOST)
        return float(surprise(scaled, paid).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))
