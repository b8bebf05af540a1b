"""What may be done with each debtor, as compact arrays: the best action for each thing that limits tell apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.action_grid import ActionGrid, Slots
from data.capacity_settings import CapacitySettings
from data.stretches import rows_of
from models.capacity._kernels import Part, keep_best
from models.capacity.usage import Coverage, GridUsage, grid_usage

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
NumberArray = npt.NDArray[np.int32]
CodeArray = npt.NDArray[np.int16]


class WrongShape(ValueError):
    """Values and what belongs to them do not have the same debtors or actions."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Actions that may be worth it for n debtors; `none` is always one more, worth 0.

    Attributes
    ----------
    channels, channel
        The grid's channel names, and the code of each action's, shape (A,).
    send_us
        When each calendar class sends, microseconds UTC, shape (K, A).
    creditors
        Creditors with a minimum, sorted, length Q.
    start, action, value
        Candidates of debtor i stand from `start[i]` to `start[i + 1]`, by rising action: (n + 1,), (m,), (m,); EUR, float32.
    of_class
        Calendar class of each debtor, shape (n,).
    cost
        EUR a contact costs, shape (n, channels); (0, channels) where there is no budget.
    creditor_start, creditor
        The same for places in `creditors` of each debtor's covered claims: (n + 1,), (c,).
    """

    channels: tuple[str, ...]
    creditors: tuple[str, ...]
    channel: CodeArray
    send_us: IntArray
    start: IntArray
    action: CodeArray
    value: npt.NDArray[np.float32]
    of_class: NumberArray
    cost: FloatArray
    creditor_start: IntArray
    creditor: NumberArray

    def __len__(self) -> int:
        return len(self.of_class)

    @property
    def part(self) -> Part:
        """The arrays that kernels read."""
        return Part(
            self.start, self.action, self.value, self.of_class, self.channel,
            self.cost, self.creditor_start, self.creditor,
        )  # fmt: skip

    @property
    def size_bytes(self) -> int:
        """Memory of all arrays."""
        return sum(one.nbytes for one in (*self.part, self.send_us))

    def some(self, rows: IntArray) -> Candidates:
        """The candidates of some debtors, in the order of `rows` (k,)."""
        start, kept = ranges(self.start, rows)
        creditor_start, covered = ranges(self.creditor_start, rows)
        return replace(
            self,
            start=start,
            action=self.action[kept],
            value=self.value[kept],
            of_class=self.of_class[rows],
            cost=self.cost[rows] if len(self.cost) else self.cost,
            creditor_start=creditor_start,
            creditor=self.creditor[covered],
        )


def ranges(start: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Starts of some rows one after another, and the places of what they hold."""
    first, end = start[rows], start[rows + 1]
    return np.concatenate([[0], np.cumsum(end - first)]).astype(np.int64), rows_of(first, end)[1]


def reduce(
    value_eur: FloatArray,
    *,
    grid: ActionGrid,
    slots: Slots,
    settings: CapacitySettings,
    cost_eur: FloatArray,
    coverage: Coverage | None = None,
) -> Candidates:
    """Candidates of some debtors: of actions that use the same of what is limited, the best; without loss for any prices.

    Left out as well is what gains no more than an action that uses nothing, `none` for one; where a creditor of the debtor has
    a minimum, contacts that lose stay in.

    Parameters
    ----------
    value_eur
        Value over `none` of every action, shape (n, A), -inf where barred.
    slots
        Send times of these debtors.
    cost_eur
        What a contact costs, shape (n, channels).
    coverage
        Covered claims; may be left out where no creditor has a minimum.

    Raises
    ------
    WrongShape
        The arrays do not belong together.
    """
    _must_fit(value_eur, grid, slots, cost_eur)
    creditors = tuple(sorted(settings.creditor_minimum))
    creditor_start, creditor = _covered(coverage or Coverage.nobody(), creditors, len(value_eur))
    channel, send_us = grid.channel, slots.send_us
    usage = grid_usage(grid.channels, channel, send_us=send_us, settings=settings)
    kind = _kinds(usage, channel)
    most = len(value_eur) * min(int(kind.max(initial=0)) + 1, grid.size)
    start, action = np.zeros(len(value_eur) + 1, dtype=np.int64), np.empty(most, dtype=np.int16)
    kept = np.empty(most, dtype=np.float32)
    of_class = slots.of_debtor.astype(np.int64)
    size = keep_best(np.ascontiguousarray(value_eur), of_class, kind, np.diff(creditor_start) > 0, start, action, kept)
    cost = cost_eur.astype(np.float64) if settings.budget_eur_per_day else np.zeros((0, len(grid.channels)))
    return Candidates(
        grid.channels, creditors, channel, send_us, start, action[:size].copy(), kept[:size].copy(),
        of_class.astype(np.int32), cost, creditor_start, creditor,
    )  # fmt: skip


def _must_fit(value_eur: FloatArray, grid: ActionGrid, slots: Slots, cost_eur: FloatArray) -> None:
    debtors = len(slots.of_debtor)
    expected = {"value_eur": (debtors, grid.size), "cost_eur": (debtors, len(grid.channels))}
    for name, came in (("value_eur", value_eur.shape), ("cost_eur", cost_eur.shape)):
        if came != expected[name]:
            raise WrongShape(f"{name}: expected shape {expected[name]} for the slots of {debtors} debtors, came {came}")


def _covered(coverage: Coverage, creditors: tuple[str, ...], debtors: int) -> tuple[IntArray, NumberArray]:
    place = {name: number for number, name in enumerate(creditors)}
    code = np.array([place.get(name, -1) for name in coverage.creditor_id.tolist()], dtype=np.int64)
    here = code >= 0
    pairs = np.unique(coverage.debtor[here] * max(len(creditors), 1) + code[here])
    row, creditor = np.divmod(pairs, max(len(creditors), 1))
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=debtors))]).astype(np.int64)
    return start, creditor.astype(np.int32)


def _kinds(usage: GridUsage, channel: CodeArray) -> NumberArray:
    """Number of what each action uses, the same for the same amounts; 0 for nothing, shape (K, A)."""
    amount = usage.amount
    numbers: dict[object, int] = {((), -1, 0): 0}
    kind = np.zeros(usage.budget.shape, dtype=np.int32)
    for row in range(amount.shape[0]):
        one = slice(amount.indptr[row], amount.indptr[row + 1])
        place = divmod(row, len(channel))
        if channel[place[1]] == 0:
            continue
        uses = tuple(sorted(zip(amount.indices[one].tolist(), amount.data[one].tolist(), strict=True)))
        budget = int(usage.budget[place])
        # What a contact takes from a budget depends on its channel.
        key = (uses, budget, int(channel[place[1]]) if budget >= 0 else 0)
        kind[place] = numbers.setdefault(key, len(numbers))
    return kind
