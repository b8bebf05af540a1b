"""Loops over cells, a claim under an action each."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def wanted_cells(allowed: BoolArray, debtor: IntArray, covered: BoolArray) -> BoolArray:
    """Cells to score, shape (m, A): what is allowed (n, A) to the debtor of a covered claim, and action 0; `debtor`, `covered` (m,)."""
    wanted = np.zeros((len(debtor), allowed.shape[1]), np.bool_)
    for claim in range(len(debtor)):
        if covered[claim]:
            wanted[claim] = allowed[debtor[claim]]
        wanted[claim, 0] = True
    return wanted


@njit(cache=True, nogil=True)
def class_of_contacts(wanted: BoolArray, class_of_row: IntArray, classes: int) -> IntArray:
    """Class of each row with a wanted contact, `classes` for the others, shape (m,); `wanted` (m, A)."""
    found = np.full(len(wanted), classes, np.int64)
    for row in range(len(wanted)):
        for one in wanted[row, 1:]:
            if one:
                found[row] = class_of_row[row]
                break
    return found


@njit(cache=True, nogil=True)
def numbered(classes: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """Which of so many classes occur, in order, and the place of each row's among them, shape (k,)."""
    place = np.full(count, -1, np.int64)
    for one in classes:
        place[one] = 0
    there = np.flatnonzero(place == 0)
    place[there] = np.arange(len(there))
    return there, place[classes]


@njit(cache=True, nogil=True)
def keep_wanted(raw: FloatArray, wanted: BoolArray) -> None:
    """Scores IN/OUT `raw` (m, A), missing where they are not wanted, (m, A)."""
    for row in range(len(raw)):
        mine, here = raw[row], wanted[row]
        for action in range(len(mine)):
            mine[action] = mine[action] if here[action] else np.nan


@njit(cache=True, nogil=True)
def put_wanted(chance: FloatArray, wanted: BoolArray, rows: IntArray, result: FloatArray) -> None:
    """Chances (k, A) of some rows (k,) where they are wanted, (m, A): OUT `result` (m, A), the other cells stay as they are."""
    for k in range(len(rows)):
        mine, here, into = chance[k], wanted[rows[k]], result[rows[k]]
        for action in range(len(mine)):
            if here[action]:
                into[action] = mine[action]


@njit(cache=True, nogil=True)
def logistic(raw: FloatArray, intercept: float, slope: float) -> FloatArray:
    """Logistic of intercept + slope × raw, shape (k,); a missing score stays missing, and costs nothing."""
    chance = np.empty(len(raw))
    for k in range(len(raw)):
        one = raw[k]
        chance[k] = one if np.isnan(one) else 1.0 / (1.0 + math.exp(-(intercept + slope * one)))
    return chance
