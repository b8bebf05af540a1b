"""The portfolio decided under its limits: an action for each debtor, a price for each limit, and how near to the best it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION
from data.capacity_settings import CapacitySettings
from models.capacity.candidates import Candidates
from models.capacity.dual import Dual, solve_dual
from models.capacity.finish import finish
from models.capacity.problem import Problem, problem_of
from models.capacity.shards import joined
from models.capacity.usage import CREDITOR

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ResourceUse:
    """One limit and what became of it.

    Attributes
    ----------
    name
        Such as `phone@2026-03-02T10`, or `creditor:c1` for a minimum.
    limit, taken, used
        The limit or minimum; what was used before the batch decided; what its decisions use.
    price_eur
        What one more unit is worth, or one contact less of a minimum; for a budget EUR for each EUR.
    over, short
        By how much `taken` alone exceeds the limit; contacts missing to a minimum.
    """

    name: str
    limit: float
    taken: float
    used: float
    price_eur: float
    over: float
    short: float

    @property
    def binding(self) -> bool:
        """Whether more of it would be worth anything."""
        return self.price_eur > 0


@dataclass(frozen=True, eq=False)
class Allotment:
    """What was decided for n debtors.

    Attributes
    ----------
    action
        Each debtor's action, shape (n,); shards one after another, `of_shard` takes them apart.
    displaced
        Whether it is another than the best at these prices, shape (n,): it was given, not chosen.
    resources
        Limits in the order of their names, then minimums.
    value_eur, bound_eur
        What the actions are worth over `none`; no actions within the limits, as many contacts below minimums, are worth more
        than the bound.
    shard_start
        First debtor of each shard, and n.
    """

    action: npt.NDArray[np.int16]
    displaced: BoolArray
    resources: tuple[ResourceUse, ...]
    value_eur: float
    bound_eur: float
    shard_start: tuple[int, ...]

    @property
    def share(self) -> float:
        """Value over bound: at least so near to the best it is; 1 where nothing can be gained."""
        return self.value_eur / self.bound_eur if self.bound_eur > 0 else 1.0

    @property
    def prices(self) -> dict[str, float]:
        """Price of everything that has one, by name."""
        return {one.name: one.price_eur for one in self.resources if one.binding}

    def of_shard(self, number: int) -> slice:
        """Where the debtors of one shard stand in `action` and `displaced`."""
        return slice(self.shard_start[number], self.shard_start[number + 1])


def solve(
    shards: Sequence[Candidates],
    *,
    settings: CapacitySettings,
    taken: Mapping[str, float] | None = None,
    threads: int = 1,
) -> Allotment:
    """Decides for all debtors of some shards together.

    Parameters
    ----------
    shards
        Candidates as `candidates.reduce` made them under the same settings; `shards.Stored` for those that wait in files.
    taken
        What is used before, by name, as `usage.usage_of_contacts` and `usage.creditors_reached` count it.
    threads
        Debtors are gone through without the interpreter lock. The result does not depend on it.

    Raises
    ------
    models.capacity.shards.OtherGrid
        The shards were made on different grids or for other creditors.
    models.capacity.usage.UnknownResource
        Something is taken of what the settings do not limit.
    """
    if not shards:
        return Allotment(np.zeros(0, dtype=np.int16), np.zeros(0, dtype=np.bool_), (), 0.0, 0.0, (0,))
    together, starts = joined(shards)
    problem = problem_of(together, settings=settings, taken=taken or {})
    dual = solve_dual(problem, threads=threads)
    return _allotment(problem, dual, choice=finish(problem, dual), starts=starts)


def _actions(problem: Problem, choice: IntArray) -> npt.NDArray[np.int16]:
    if not len(problem.candidates.action):
        return np.full(len(choice), NO_ACTION, dtype=np.int16)
    return np.where(choice < 0, NO_ACTION, problem.candidates.action[choice]).astype(np.int16)


def _allotment(problem: Problem, dual: Dual, *, choice: IntArray, starts: tuple[int, ...]) -> Allotment:
    best, _ = problem.best(dual.prices)
    value, used = problem.used(choice)
    below = problem.short(used[len(problem.names) :])
    return Allotment(
        action=_actions(problem, choice),
        displaced=best != choice,
        resources=_resources(problem, dual.prices, used),
        value_eur=value,
        bound_eur=dual.bound_eur + problem.short_eur * below,
        shard_start=starts,
    )


def _resources(problem: Problem, prices: FloatArray, used: FloatArray) -> tuple[ResourceUse, ...]:
    size = len(problem.names)
    limits = [
        ResourceUse(name, limit, taken, one, price, max(taken - limit, 0.0), 0.0)
        for name, limit, taken, one, price in zip(
            problem.names, problem.limit.tolist(), problem.taken.tolist(), used[:size].tolist(),
            prices[:size].tolist(), strict=True,
        )
    ]  # fmt: skip
    minimums = [
        ResourceUse(CREDITOR + name, least, taken, one, price, 0.0, max(least - taken - one, 0.0))
        for name, least, taken, one, price in zip(
            problem.candidates.creditors, problem.minimum.tolist(), problem.reached.tolist(), used[size:].tolist(),
            prices[size:].tolist(), strict=True,
        )
    ]  # fmt: skip
    return (*limits, *minimums)
