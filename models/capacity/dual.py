"""Prices that prove the least bound: the dual of the linear relaxation, smoothed, then made exact on what is undecided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from models.capacity.problem import Problem
from models.capacity.undecided import core_of, core_prices

FloatArray = npt.NDArray[np.float64]

SAMPLE = 40_000
"""Debtors of the sample on which prices are sought first; with fewer than twice as many it is all of them."""

TEMPERATURES = (0.3, 0.1, 0.03, 0.01, 0.003)
"""Steps of smoothing, as shares of what a debtor's best action is worth on average."""

LAST_TEMPERATURES = (0.003, 0.001, 0.0003)
"""Steps on all debtors after those on the sample."""

STEPS, LAST_STEPS = 80, 25
"""Most iterations at one temperature, on the sample and on all debtors."""

EXACT_ROUNDS = 3
"""Linear programs solved on the undecided debtors, as long as each lowers the bound."""


@dataclass(frozen=True, eq=False)
class Dual:
    """Prices of what is limited, then of creditors' minimums, shape (R + Q,), in EUR a unit, each >= 0.

    Attributes
    ----------
    prices, bound_eur
        Those that prove the least bound, and the bound.
    soft, temperature
        Those of the last smoothed bound, and its temperature in EUR: where many actions are equally good, its chances
        say how many debtors each should get.
    """

    prices: FloatArray
    bound_eur: float
    soft: FloatArray
    temperature: float


def solve_dual(problem: Problem, *, threads: int = 1) -> Dual:
    """Prices that prove the least bound on the value of a problem.

    Notes
    -----
    Bertsekas (1999), Nonlinear Programming, section 6.3, for the dual; the maximum over actions is smoothed by
    T log sum exp(. / T), after Nesterov (2005), Smooth minimization of non-smooth functions.
    """
    prices = np.zeros(len(problem.room) + len(problem.wanted))
    if not len(problem.candidates) or not len(prices):
        return Dual(prices, problem.dual(prices)[0], prices, 1.0)
    scale = _scale(problem)
    large = len(problem.candidates) > 2 * SAMPLE
    first = problem.sample(SAMPLE) if large else problem
    for share in TEMPERATURES:
        prices = _smoothed(first, prices, temperature=share * scale, steps=STEPS, threads=threads)
    for share in LAST_TEMPERATURES:
        prices = _smoothed(problem, prices, temperature=share * scale, steps=LAST_STEPS, threads=threads)
    exact, bound = _exact(problem, prices, threads=threads)
    return Dual(exact, bound, prices, LAST_TEMPERATURES[-1] * scale)


def _scale(problem: Problem) -> float:
    """What a debtor's best action is worth on average without prices, in EUR."""
    free, _ = problem.dual(np.zeros(len(problem.room) + len(problem.wanted)))
    return max(free / len(problem.candidates), 1e-6)


def _smoothed(problem: Problem, prices: FloatArray, *, temperature: float, steps: int, threads: int) -> FloatArray:
    """Prices of the least smoothed bound, sought from given ones."""
    offered = np.concatenate([problem.room, problem.wanted])
    _, slope = problem.dual(prices, temperature=temperature, threads=threads)
    # The curvature along a price grows with its demand: in these units it is about the same along all.
    unit = temperature / np.sqrt(1.0 + np.abs(offered) + np.abs(slope))
    most = np.where(np.arange(len(prices)) < len(problem.room), np.inf, problem.short_eur)

    def smoothed(scaled: FloatArray) -> tuple[float, FloatArray]:
        value, slope = problem.dual(scaled * unit, temperature=temperature, threads=threads)
        return value / temperature, slope * unit / temperature

    found = optimize.minimize(
        smoothed, prices / unit, jac=True, method="L-BFGS-B", bounds=optimize.Bounds(0.0, most / unit),
        options={"maxiter": steps, "maxcor": 20, "ftol": 1e-9, "gtol": 1e-6},
    )  # fmt: skip
    better: FloatArray = found.x * unit
    return better


def _exact(problem: Problem, prices: FloatArray, *, threads: int) -> tuple[FloatArray, float]:
    """Prices of the linear program over the least certain debtors, as long as the bound falls, and the bound."""
    bound, _ = problem.dual(prices, threads=threads)
    for _ in range(EXACT_ROUNDS):
        choice, margin = problem.best(prices)
        found = core_prices(problem, core_of(problem, prices, choice=choice, first=margin))
        if found is None:
            break
        other, _ = problem.dual(found, threads=threads)
        if other >= bound - 1e-9 * abs(bound):
            break
        prices, bound = found, other
    return prices, bound
