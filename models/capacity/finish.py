"""From prices to one action for each debtor within every limit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.capacity._kernels import move_all, place_all, spread_at
from models.capacity.dual import Dual
from models.capacity.problem import Problem, slack
from models.capacity.undecided import core_choice, core_of

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ASK_BEST = -2
"""Stands for the best candidate at prices where a choice to start with is given."""

GOLDEN = (5**0.5 - 1) / 2

MOVE, LOOK = 0, 1
"""What `move_all` is asked for."""

ROUNDS = 10
"""Most rounds of moves into what is left over."""

DEARER = 6
"""How often a creditor that stays below its minimum is made dearer."""

GOOD_ENOUGH = 0.998
"""Share of the bound from which on no core is solved for whole numbers."""

WHOLE_COLUMNS, NODES = 3_000, 50
"""Candidates of such a core, and nodes that HiGHS may look at: a count, not a time, so that the result is the same anywhere."""


def finish(problem: Problem, dual: Dual) -> IntArray:
    """Candidate of each debtor (-1: `none`), shape (n,), within every limit; as few below minimums as found.

    Debtors take their best action at prices, those who would lose most without it first; who finds it used up takes
    the next best that fits. Then what is left over goes to who gains most. Where that is short of the bound, the
    least certain debtors are decided together.
    """
    choice = _dearer(problem, dual.prices, _placed(problem, dual.prices))
    if not _is_good(problem, choice, dual):
        choice = _better(problem, choice, _dearer(problem, dual.prices, _spread(problem, dual)))
    if not _is_good(problem, choice, dual):
        choice = _together(problem, dual.prices, choice)
    return choice


def _is_good(problem: Problem, choice: IntArray, dual: Dual) -> bool:
    below, value, _ = problem.standing(choice)
    return below == 0 and value >= GOOD_ENOUGH * dual.bound_eur


def _dearer(problem: Problem, prices: FloatArray, choice: IntArray) -> IntArray:
    """The choice after creditors that stay below their minimum were made dearer, as long as that helps."""
    short = np.inf
    for _ in range(DEARER):
        missing = np.maximum(problem.wanted - problem.used(choice)[1][len(problem.names) :], 0.0)
        if not missing.any() or missing.sum() >= short:
            break
        short = float(missing.sum())
        dearer = prices.copy()
        dearer[len(problem.names) :] += np.where(missing > 0, problem.short_eur, 0.0)
        choice = _better(problem, choice, _placed(problem, dearer))
    return choice


def _spread(problem: Problem, dual: Dual) -> IntArray:
    """Debtors spread over actions that are about equally good, as the smoothed prices would have it, within the limits.

    Where many debtors are alike, the best action at prices is the same one for all of them, and says nothing of how many
    should get the next: the chances of the smoothed maximum do. Each debtor's place in the draw is a multiple of the golden
    section, which spreads any number of them evenly.
    """
    size = len(problem.candidates)
    uniform = ((np.arange(size) * GOLDEN) % 1.0).astype(np.float64)
    wish = np.empty(size, dtype=np.int64)
    spread_at(problem.candidates.part, problem.priced(dual.soft), dual.temperature, uniform, wish)
    return _filled(problem, dual.prices, _in_order(problem, dual.soft, start_with=wish))


def _placed(problem: Problem, prices: FloatArray) -> IntArray:
    choice = _in_order(problem, prices, start_with=np.full(len(problem.candidates), ASK_BEST, dtype=np.int64))
    return _filled(problem, prices, choice)


def _in_order(problem: Problem, prices: FloatArray, *, start_with: IntArray) -> IntArray:
    _, margin = problem.best(prices)
    order = np.argsort(-margin, kind="stable")
    choice = np.full(len(order), -1, dtype=np.int64)
    room = slack(problem.room)
    place_all(problem.candidates.part, problem.priced(prices), problem.needs, order, room, choice, start_with)
    return choice


def _filled(problem: Problem, prices: FloatArray, choice: IntArray) -> IntArray:
    """The choice after all moves that bring in more and fit, those that gain most first."""
    part, priced, needs = problem.candidates.part, problem.priced(prices), problem.needs
    size = len(problem.names)
    _, used = problem.used(choice)
    room, surplus = slack(problem.room) - used[:size], used[size:] - problem.wanted
    gain, everyone = np.empty(len(choice)), np.arange(len(choice))
    for _ in range(ROUNDS):
        if not move_all(part, priced, needs, everyone, room, surplus, problem.short_eur, choice, gain, LOOK):
            break
        order = np.argsort(-gain, kind="stable")[: int(np.isfinite(gain).sum())]
        move_all(part, priced, needs, order, room, surplus, problem.short_eur, choice, gain, MOVE)
    return choice


def _together(problem: Problem, prices: FloatArray, choice: IntArray) -> IntArray:
    """The least certain debtors decided together as whole numbers, if that is better."""
    best, margin = problem.best(prices)
    # Whoever did not get the best action at prices is where value was lost.
    first = np.where(best != choice, -1.0, margin)
    core = core_of(problem, prices, choice=choice, first=first, columns=WHOLE_COLUMNS)
    return _better(problem, choice, core_choice(problem, core, choice=choice, nodes=NODES))


def _better(problem: Problem, one: IntArray, other: IntArray) -> IntArray:
    """The one within the limits, less below minimums, worth more; the first of equal ones."""
    short, value, _ = problem.standing(one)
    other_short, other_value, holds = problem.standing(other)
    return other if holds and (-other_short, other_value) > (-short, value) else one
