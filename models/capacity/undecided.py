"""The undecided part of a problem, small enough for HiGHS: debtors whose best action is least certain, candidates least behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from models.capacity._kernels import behind_at
from models.capacity.candidates import ranges
from models.capacity.problem import Problem
from models.capacity.quiet import quiet

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CORE_DEBTORS = 2_000
"""Most debtors of a core."""

CORE_COLUMNS = 8_000
"""Most candidates of a core that is solved as a linear program."""

TOLERANCE = 1e-6
"""So much may HiGHS go beyond a side; budgets and shares are given that much less."""


@dataclass(frozen=True, eq=False)
class Core:
    """A small problem inside another: the debtors outside keep what they have.

    Attributes
    ----------
    debtors
        Who is decided again, (d,).
    column, owner
        Candidates that they may get, and the place of their debtor in `debtors`, (m,) each; `none` is always one more.
    matrix
        What each column uses, then what it adds to each creditor, shape (R + Q, m).
    left
        Room and wanted contacts that the others leave, (R + Q,).
    """

    debtors: IntArray
    column: IntArray
    owner: IntArray
    matrix: sparse.csr_array
    left: FloatArray


def core_of(
    problem: Problem, prices: FloatArray, *, choice: IntArray, first: FloatArray, columns: int = CORE_COLUMNS
) -> Core:
    """Core around a choice.

    Parameters
    ----------
    choice
        Candidate of each debtor (-1: `none`), kept outside the core and always possible inside, (n,).
    first
        Debtors with the least of this come first, (n,).
    columns
        Most candidates; those least behind at prices are taken.
    """
    debtors = _least(first, CORE_DEBTORS)
    count = np.diff(problem.candidates.start)[debtors]
    start_of, column = ranges(problem.candidates.start, debtors)
    owner = np.repeat(np.arange(len(debtors)), count)
    behind = np.empty(len(column))
    behind_at(problem.candidates.part, problem.priced(prices), debtors, start_of, behind)
    behind[column == choice[debtors][owner]] = -1.0
    kept = _least(behind, columns)
    column, owner = column[kept], owner[kept]
    inside = np.zeros(len(choice), dtype=np.bool_)
    inside[debtors] = True
    _, used = problem.used(choice, np.flatnonzero(~inside))
    left = np.maximum(np.concatenate([problem.room, problem.wanted]) - used, 0.0)
    return Core(debtors, column, owner, _matrix(problem, debtors[owner], column), left)


def _least(amount: FloatArray, count: int) -> IntArray:
    """Places of the `count` least amounts, rising; of equal ones the first."""
    if len(amount) <= count:
        return np.arange(len(amount))
    edge = np.partition(amount, count - 1)[count - 1]
    below, at = np.flatnonzero(amount < edge), np.flatnonzero(amount == edge)
    return np.sort(np.concatenate([below, at[: count - len(below)]]))


def _matrix(problem: Problem, debtor: IntArray, column: IntArray) -> sparse.csr_array:
    """What columns use and reach, shape (R + Q, m)."""
    given, usage = problem.candidates, problem.usage
    action, k = given.action[column].astype(np.int64), given.of_class[debtor].astype(np.int64)
    uses = usage.amount[k * usage.budget.shape[1] + action].tocsc().T.tocsr()
    paid = np.flatnonzero(usage.budget[k, action] >= 0)
    cost = given.cost[debtor[paid], given.channel[action[paid]]] if len(paid) else np.zeros(0)
    where = (usage.budget[k, action][paid], paid)
    uses = uses + sparse.csr_array((cost, where), shape=uses.shape)
    start, place = ranges(given.creditor_start, debtor)
    reached = (given.creditor[place], np.repeat(np.arange(len(column)), np.diff(start)))
    covers = sparse.csr_array((np.ones(len(place)), reached), shape=(len(given.creditors), len(column)))
    return sparse.csr_array(sparse.vstack([uses, covers]))


def _rows(problem: Problem, core: Core) -> tuple[FloatArray, sparse.csr_array, FloatArray]:
    """Costs, rows and right-hand sides of: least cost, rows at most their side; a column for each creditor's shortfall last."""
    creditors = len(problem.wanted)
    sign = np.where(np.arange(len(core.left)) < len(problem.room), 1.0, -1.0)
    short = sparse.csr_array(
        (-np.ones(creditors), (len(problem.room) + np.arange(creditors), np.arange(creditors))),
        shape=(len(core.left), creditors),
    )
    limits = sparse.hstack([core.matrix.multiply(sign[:, None]), short])
    once = sparse.csr_array(
        (np.ones(len(core.owner)), (core.owner, np.arange(len(core.owner)))),
        shape=(len(core.debtors), len(core.owner) + creditors),
    )
    value = problem.candidates.value[core.column].astype(np.float64)
    cost = np.concatenate([-value, np.full(creditors, problem.short_eur)])
    side = np.concatenate([sign * core.left, np.ones(len(core.debtors))])
    return cost, sparse.csr_array(sparse.vstack([limits, once])), side


def core_prices(problem: Problem, core: Core) -> FloatArray | None:
    """Prices of the core's linear program, (R + Q,); None where HiGHS finds none."""
    if not len(core.column):
        return None
    cost, rows, side = _rows(problem, core)
    found = optimize.linprog(cost, A_ub=rows, b_ub=side, bounds=(0, None), method="highs")
    if found.status != 0:
        return None
    prices: FloatArray = np.maximum(-found.ineqlin.marginals[: len(core.left)], 0.0)
    return prices


def _whole(rows: sparse.csr_array) -> npt.NDArray[np.bool_]:
    """Rows that hold whole numbers alone, which HiGHS meets exactly."""
    broken = rows.data != np.rint(rows.data)
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    whole: npt.NDArray[np.bool_] = np.bincount(owner[broken], minlength=rows.shape[0]) == 0
    return whole


def core_choice(problem: Problem, core: Core, *, choice: IntArray, nodes: int) -> IntArray:
    """The best whole choice of the core that HiGHS finds within so many nodes; `choice` where it finds none, (n,)."""
    if not len(core.column):
        return choice
    cost, rows, side = _rows(problem, core)
    side = np.where(_whole(rows), side, np.maximum(side - TOLERANCE, 0.0))
    whole = np.concatenate([np.ones(len(core.column)), np.zeros(len(problem.wanted))])
    most = np.where(whole > 0, 1.0, np.inf)
    with quiet():
        found = optimize.milp(
            cost,
            constraints=optimize.LinearConstraint(rows, -np.inf, side),
            integrality=whole,
            bounds=optimize.Bounds(0.0, most),
            options={"node_limit": nodes, "mip_rel_gap": 2e-3},
        )
    if found.x is None:
        return choice
    better = choice.copy()
    better[core.debtors] = -1
    taken = np.flatnonzero(found.x[: len(core.column)] > 0.5)
    better[core.debtors[core.owner[taken]]] = core.column[taken]
    return better
