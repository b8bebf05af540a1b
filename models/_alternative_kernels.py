"""What else could be done: loops over debtors, channels and slots.

Shapes: m claims, n debtors, A actions, C contact channels of S slots each behind action 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from data.action_grid import BoolArray, CodeArray
from data.times import IntArray

FloatArray = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def best_slots(value_eur: FloatArray, allowed: BoolArray, scale: float, best: IntArray) -> None:
    """First action of the highest value (A,), rounded to one part in `scale`, of each channel; OUT `best` (C,), 0 where none is allowed."""
    slots = (len(allowed) - 1) // max(len(best), 1)
    for c in range(len(best)):
        highest, best[c] = -np.inf, 0
        for action in range(1 + c * slots, 1 + (c + 1) * slots):
            if allowed[action]:
                rounded = np.rint(value_eur[action] * scale) / scale
                if highest < rounded < np.inf:
                    highest, best[c] = rounded, action


@njit(cache=True, nogil=True)
def unpaid_under(
    moment: IntArray,
    covered: BoolArray,
    theirs: BoolArray,
    chance: FloatArray,
    other_chance: FloatArray,
    best: IntArray,
    unpaid: FloatArray,
) -> None:
    """Chance that no covered claim is paid on under each of some actions of its debtor, `best` (n, C); IN/OUT `unpaid` (n, C), 1 at first."""
    for row in range(len(moment)):
        if covered[row]:
            i = moment[row]
            chances = other_chance[row] if theirs[i] else chance[row]
            for c in range(best.shape[1]):
                unpaid[i, c] *= 1.0 - chances[best[i, c]]


@njit(cache=True, nogil=True)
def other_channels(
    moment: IntArray,
    covered: BoolArray,
    theirs: BoolArray,
    chance: FloatArray,
    other_chance: FloatArray,
    value_eur: FloatArray,
    other_value_eur: FloatArray,
    allowed: BoolArray,
    chosen: CodeArray,
    scale: float,
    best: IntArray,
    paid: FloatArray,
    value: FloatArray,
) -> IntArray:
    """Every other allowed channel of each debtor, best first, (k, 2): debtor and channel less one.

    Parameters
    ----------
    moment, covered
        Debtor of each claim, and whether a contact would cover it, (m,).
    theirs
        Debtors for whom the other model speaks, (n,).
    chance, other_chance, value_eur, other_value_eur
        By each model: chance of each claim (m, A), value of each debtor (n, A) under each action.
    allowed, chosen
        Actions allowed (n, A), and the channel chosen, less one, (n,).
    best, paid, value
        OUT: of each channel its best action, 0 where none is allowed, the chance that something is paid under it, and its
        value, (n, C).
    """
    size, channels = best.shape
    unpaid, found, count = np.ones((size, channels)), np.empty((size * channels, 2), np.int64), 0
    for i in range(size):
        values = other_value_eur[i] if theirs[i] else value_eur[i]
        best_slots(values, allowed[i], scale, best[i])
        first = count
        for c in range(channels):
            value[i, c] = values[best[i, c]]
            if best[i, c] > 0 and c != chosen[i]:
                place = count
                while place > first and value[i, found[place - 1, 1]] < value[i, c]:
                    found[place] = found[place - 1]
                    place -= 1
                found[place, 0], found[place, 1] = i, c
                count += 1
    unpaid_under(moment, covered, theirs, chance, other_chance, best, unpaid)
    paid[:] = 1.0 - unpaid
    return found[:count]
