"""Values of actions: loops over claims, debtors and cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float32]


@njit(cache=True, nogil=True)
def add_lifts(
    probability: FloatArray, worth_eur: FloatArray, debtor: IntArray, covered: BoolArray, total: FloatArray
) -> None:
    """Add to IN/OUT `total` (n, A) what each covered claim brings in over action 0, claim by claim; NaN adds nothing.

    Chances (m, A); what a claim is worth, its debtor and whether it is covered, (m,) each.
    """
    for claim in range(len(debtor)):
        if covered[claim]:
            mine, row, worth = probability[claim], total[debtor[claim]], worth_eur[claim]
            without = mine[0]
            for action in range(len(mine)):
                one = (mine[action] - without) * worth
                row[action] += 0.0 if np.isnan(one) else one


@njit(cache=True, nogil=True)
def net_values(
    probability: FloatArray,
    worth_eur: FloatArray,
    debtor: IntArray,
    covered: BoolArray,
    cost: FloatArray,
    harm: FloatArray,
    channel: npt.NDArray[np.int16],
    allowed: BoolArray,
) -> FloatArray:
    """What covered claims bring in less cost and harm (n, channels) of each action's channel (A,); −inf where not allowed (n, A)."""
    total = np.zeros(allowed.shape)
    add_lifts(probability, worth_eur, debtor, covered, total)
    for row in range(len(total)):
        mine, here = total[row], allowed[row]
        price = cost[row] + harm[row]
        for action in range(len(mine)):
            mine[action] = mine[action] - price[channel[action]] if here[action] else -np.inf
    return total


@njit(cache=True, nogil=True)
def answer_rates(rows: Matrix, columns: IntArray, debtor: IntArray, usual: FloatArray, size: int) -> FloatArray:
    """Chance that a contact is answered, shape (size, channels): the debtor's own, from its columns (channels − 1,) of claims (m, F).

    Where that is missing, the usual one (channels,). The last claim of a debtor (m,) speaks for it.
    """
    rate = np.empty((size, len(usual)))
    rate[:] = usual
    for claim in range(len(debtor)):
        for place in range(len(columns)):
            mine = rows[claim, columns[place]]
            rate[debtor[claim], place + 1] = usual[place + 1] if np.isnan(mine) else mine
    return np.minimum(np.maximum(rate, 0.0), 1.0)


@njit(cache=True, nogil=True)
def best_worth(value_eur: FloatArray, candidates: BoolArray, least_eur: float, scale: float) -> IntArray:
    """Candidate of the highest value of each row (n, A), rounded to one part in `scale`, the first of equals; 0 where there is none.

    An action but the first is no candidate where it is worth less than `least_eur`.
    """
    found = np.zeros(len(value_eur), np.int64)
    for row in range(len(value_eur)):
        mine, here, most = value_eur[row], candidates[row], -np.inf
        for action in range(len(mine)):
            one = mine[action]
            if here[action] and (action == 0 or one >= least_eur):
                rounded = np.rint(one * scale) / scale
                if rounded > most:
                    found[row], most = action, rounded
    return found
