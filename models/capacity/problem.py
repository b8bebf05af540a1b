"""The whole portfolio under its limits: candidates, what they use, how much is left, and what prices make of it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.capacity_settings import CapacitySettings
from models.capacity._kernels import Needs, Priced, best_at, total_at, use_of
from models.capacity.candidates import Candidates
from models.capacity.usage import CREDITOR, GridUsage, grid_usage, limit_of

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BLOCK = 65_536
"""Debtors summed at a time; sums are added up in their order, whatever the number of threads."""

SHORT_TIMES = 20.0
"""A contact below a creditor's minimum costs so many times the span of values: more than any contact it displaces."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Choose one candidate or `none` for each debtor, worth most in sum, within `room` and down to `minimum`.

    Attributes
    ----------
    names, limit, taken, room
        What is limited, its limit, what is used already, and what is left, at least 0: shape (R,) each.
    creditors, minimum, reached, wanted
        The same for creditors with a minimum: `wanted` contacts are still missing, at least 0: shape (Q,).
    short_eur
        What each contact below a minimum costs.
    """

    candidates: Candidates
    usage: GridUsage
    limit: FloatArray
    taken: FloatArray
    room: FloatArray
    minimum: FloatArray
    reached: FloatArray
    wanted: FloatArray
    short_eur: float

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what is limited; prices stand in this order, those of creditors behind them."""
        return self.usage.names

    @property
    def needs(self) -> Needs:
        """What kernels read of the usage."""
        amount = self.usage.amount
        return Needs(
            amount.indptr.astype(np.int64), amount.indices.astype(np.int32), amount.data, self.usage.budget
        )  # fmt: skip

    def priced(self, prices: FloatArray) -> Priced:
        """Prices by class and action; `prices` (R + Q,)."""
        fixed = (self.usage.amount @ prices[: len(self.names)]).reshape(self.usage.budget.shape)
        padded = np.append(prices[: len(self.names)], 0.0)
        return Priced(fixed, padded[self.usage.budget], prices[len(self.names) :])

    def dual(self, prices: FloatArray, *, temperature: float = 0.0, threads: int = 1) -> tuple[float, FloatArray]:
        """Bound on the value that prices prove, and its slope, (R + Q,); a temperature above 0 smooths both.

        The sum of what is left at its price and of what each debtor's best action is worth after prices; no
        assignment within the limits is worth more.
        """
        priced, part, size = self.priced(prices), self.candidates.part, len(self.candidates)

        def block(low: int) -> tuple[float, FloatArray]:
            count, spent, covered = self._zeros()
            total = total_at(part, priced, low, min(low + BLOCK, size), temperature, count, spent, covered)
            return total, self._used(count, spent, covered)

        if threads > 1 and size > BLOCK:
            with ThreadPoolExecutor(threads) as pool:
                blocks = list(pool.map(block, range(0, size, BLOCK)))
        else:
            blocks = [block(low) for low in range(0, size, BLOCK)]
        offered = np.concatenate([self.room, -self.wanted])
        used = np.sum([one for _, one in blocks], axis=0) if blocks else np.zeros(len(offered))
        sign = np.where(np.arange(len(offered)) < len(self.names), 1.0, -1.0)
        return float(offered @ prices + sum(total for total, _ in blocks)), offered - sign * used

    def best(self, prices: FloatArray) -> tuple[IntArray, FloatArray]:
        """Candidate that is best for each debtor at prices (-1: `none`), and its lead over the next, (n,) each."""
        choice, margin = np.empty(len(self.candidates), dtype=np.int64), np.empty(len(self.candidates))
        best_at(self.candidates.part, self.priced(prices), choice, margin)
        return choice, margin

    def used(self, choice: IntArray, rows: IntArray | None = None) -> tuple[float, FloatArray]:
        """Value of a choice in EUR, and what it uses: resources, then contacts by creditor, (R + Q,)."""
        count, spent, covered = self._zeros()
        rows = np.arange(len(choice)) if rows is None else rows
        value = use_of(self.candidates.part, choice, rows, count, spent, covered)
        return value, self._used(count, spent, covered)

    def standing(self, choice: IntArray) -> tuple[float, float, bool]:
        """Contacts below minimums, value, and whether every limit holds."""
        value, used = self.used(choice)
        size = len(self.names)
        return self.short(used[size:]), value, bool((used[:size] <= slack(self.room)).all())

    def short(self, covered: FloatArray) -> float:
        """Contacts that are missing to the minimums, given those by creditor (Q,)."""
        return float(np.maximum(self.wanted - covered, 0.0).sum())

    def sample(self, size: int) -> Problem:
        """About `size` debtors of all, with their share of what is left; the same ones each time."""
        share = size / len(self.candidates)
        # Fibonacci hashing spreads rows that may stand in some order.
        spread = (np.arange(len(self.candidates), dtype=np.uint64) * np.uint64(2_654_435_769)) % np.uint64(2**32)
        rows = np.flatnonzero(spread < share * 2**32)
        share = len(rows) / len(self.candidates)
        return replace(
            self, candidates=self.candidates.some(rows), room=self.room * share, wanted=self.wanted * share
        )  # fmt: skip

    def _zeros(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        shape = self.usage.budget.shape
        return np.zeros(shape), np.zeros(shape), np.zeros(len(self.wanted))

    def _used(self, count: FloatArray, spent: FloatArray, covered: FloatArray) -> FloatArray:
        used = self.usage.amount.T @ count.ravel()
        paid = self.usage.budget >= 0
        used += np.bincount(self.usage.budget[paid], weights=spent[paid], minlength=len(used))
        return np.concatenate([used, covered])


def slack(room: FloatArray) -> FloatArray:
    """Room with so much more as sums of floats may be off."""
    return room + 1e-9 * (1.0 + room)


def problem_of(candidates: Candidates, *, settings: CapacitySettings, taken: Mapping[str, float]) -> Problem:
    """The problem of candidates under settings; `taken` holds what is used already, by name (`usage.usage_of_contacts`).

    Raises
    ------
    models.capacity.usage.UnknownResource
        Something is taken of what the settings do not limit.
    """
    others = tuple(name for name in taken if not name.startswith(CREDITOR))
    usage = grid_usage(
        candidates.channels, candidates.channel, send_us=candidates.send_us, settings=settings, names=others
    )
    for name in taken:
        limit_of(name, settings)
    limit = np.array([limit_of(name, settings) for name in usage.names], dtype=np.float64)
    used = np.array([taken.get(name, 0.0) for name in usage.names], dtype=np.float64)
    minimum = np.array([settings.creditor_minimum[name] for name in candidates.creditors], dtype=np.float64)
    reached = np.array([taken.get(CREDITOR + name, 0.0) for name in candidates.creditors], dtype=np.float64)
    value = candidates.value
    span = float(max(value.max(initial=0.0), 0.0) - min(value.min(initial=0.0), 0.0))
    return Problem(
        candidates, usage, limit, used, np.maximum(limit - used, 0.0), minimum, reached,
        np.maximum(minimum - reached, 0.0), SHORT_TIMES * max(span, 1.0),
    )  # fmt: skip
