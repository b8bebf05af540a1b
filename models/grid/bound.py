"""A compiled model and one grid of actions: which leaves can be met at all, and which cells each of them counts for.

A leaf counts for the cells whose action passes the leaf's tests, whatever the row. Columns of the action that vary
independently of each other (such as hour and channel) form axes; the cells of a leaf are then a product of sets, one an
axis, and sums over leaves are spread over the cells axis by axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

from models.grid._kernels import BITS, FLAGS, CodeArray, Plan, encode
from models.grid.compiled import Compiled
from models.grid.trees import BoolArray, FloatArray, IntArray

ROOM = 2.0
"""How many times as many cells as the grid has the product of its axes may have: rows like `none` leave gaps."""

MOST_NARROW = 32_767
"""Sets of tests whose regions fit into two bytes each."""

MOST_ORDERED = 4
"""Axes whose every order is tried; more are taken as they come."""


@dataclass(frozen=True)
class _Axis:
    """Columns of the action that vary together.

    `of_cell` is the position of each cell, shape (A,); `meets` whether each set of tests lets each position pass, as far as its
    tests are about these columns, shape (C, positions).
    """

    of_cell: IntArray
    meets: BoolArray


def bound(model: Compiled, actions: FloatArray) -> Plan:
    """The plan for a grid of actions, shape (A, k), values in the order of the action's columns."""
    axes = [_Axis(of_cell, _meets(model, first, codes)) for of_cell, first, codes in _axes(model, actions)]
    regions, of_set = _regions(axes, len(model.conditions.parent), cells=len(actions))
    of_leaf = of_set[model.conditions.of_leaf]
    region = np.full(len(model.words.value), -1, dtype=np.int32)
    region[model.place] = of_leaf
    stages, cell = _stages(axes, regions)
    most = max(len(model.coding.source) - model.of_rows, 1)
    return Plan(
        alive=np.packbits(region >= 0, bitorder="little").view(np.uint64)[None],
        # Half as wide for most models: what is looked up for each leaf stays in a nearer cache.
        region=region[None].astype(np.int16 if len(of_set) <= MOST_NARROW else np.int32),
        goes=_goes(model, of_leaf >= 0)[None],
        source=np.concatenate([stage.source for stage in stages]).astype(np.int32),
        target=np.concatenate([stage.target for stage in stages]).astype(np.int32),
        times=np.concatenate([stage.times for stage in stages]).astype(np.int32),
        begin=_filled_up(np.cumsum([0, *(len(stage.source) for stage in stages)]), most + 1),
        width=_filled_up(np.array([stage.width for stage in stages]), most),
        size=_filled_up(np.array([stage.size for stage in stages]), most),
        cell=cell[None],
        sums=len(regions),
    )


def _filled_up(numbers: IntArray, width: int) -> IntArray:
    """Numbers with zeros behind them, shape (1, width)."""
    row = np.zeros((1, width), dtype=np.int64)
    row[0, : len(numbers)] = numbers
    return row


def _goes(model: Compiled, met: BoolArray) -> npt.NDArray[np.int8]:
    """Sides of each split by the action below which some leaf can be met, shape (S,)."""
    goes = np.zeros(len(model.walk.nodes), dtype=np.int8)
    before = np.concatenate([[0], np.cumsum(met)])
    low, middle, high = before[model.spans.T]
    goes[model.forks] = (middle > low) + 2 * (high > middle)
    return goes


def _axes(model: Compiled, actions: FloatArray) -> list[tuple[IntArray, IntArray, CodeArray]]:
    """Axes of the grid: position of each cell (A,), coded columns of the axis, and their codes by position.

    Columns are put together, those first that tell most of each other, until the product of the axes is not much larger
    than the grid.
    """
    columns = np.arange(model.of_rows, len(model.coding.source))
    if not len(columns):
        return [(np.zeros(len(actions), dtype=np.int64), columns, np.zeros((0, 1), dtype=np.uint16))]
    codes = np.empty((len(columns), len(actions)), dtype=np.uint16)
    encode(np.ascontiguousarray(actions, dtype=np.float64), np.arange(len(actions)), model.of_rows, model.coding, codes)
    groups = [([number], _numbered(codes[number])) for number in range(len(columns))]
    groups = [one for one in groups if one[1].max(initial=0) > 0] or groups[:1]
    while len(groups) > 1 and np.prod([of_cell.max() + 1.0 for _, of_cell in groups]) > ROOM * len(actions) + BITS:
        groups = _closest_joined(groups)
    fixed = [number for number in range(len(columns)) if not any(number in members for members, _ in groups)]
    found = []
    for place, (members, of_cell) in enumerate(groups):
        every = members + (fixed if place == 0 else [])
        first = np.unique(of_cell, return_index=True)[1]
        found.append((of_cell, columns[every], codes[every][:, first]))
    return found


def _numbered(codes: npt.NDArray[np.integer]) -> IntArray:
    number: IntArray = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    return number


def _closest_joined(groups: list[tuple[list[int], IntArray]]) -> list[tuple[list[int], IntArray]]:
    """The groups with those two made one whose pairs of values are the fewest of all that could be."""
    best, pair, joined = np.inf, (0, 1), groups[0][1]
    for i in range(len(groups)):
        for j in range(i + 1, len(groups)):
            a, b = groups[i][1], groups[j][1]
            together = _numbered(a * (b.max() + 1) + b)
            share = (together.max() + 1) / ((a.max() + 1) * (b.max() + 1))
            if share < best:
                best, pair, joined = share, (i, j), together
    rest = [one for number, one in enumerate(groups) if number not in pair]
    return [*rest, (groups[pair[0]][0] + groups[pair[1]][0], joined)]


def _meets(model: Compiled, columns: IntArray, codes: CodeArray) -> BoolArray:
    """Whether each set of tests lets each position of an axis pass, tests of other columns left out, shape (C, positions)."""
    asked = model.conditions
    row = {column: place for place, column in enumerate(columns.tolist())}
    mine = [number for number, one in enumerate(asked.column.tolist()) if one in row]
    goes = np.ones((len(asked.column) + 1, codes.shape[1]), dtype=np.bool_)
    for test in mine:
        code = codes[row[int(asked.column[test])]]
        at = int(asked.at[test])
        goes[test] = _among(model.words.goes_left, at, code) if asked.categorical[test] else code <= at
    concerned = np.zeros(len(goes), dtype=np.bool_)
    concerned[mine] = True
    meets = np.ones((len(asked.parent), codes.shape[1]), dtype=np.bool_)
    for depth in range(1, int(asked.depth.max(initial=0)) + 1):
        here = np.flatnonzero(asked.depth == depth)
        tests = asked.test[here]
        passed = (goes[tests] == asked.left[here][:, None]) | ~concerned[tests][:, None]
        meets[here] = meets[asked.parent[here]] & passed
    return meets


def _among(goes_left: CodeArray, table: int, code: CodeArray) -> BoolArray:
    """Whether categories go left by a table of flags, shape (n,)."""
    return (goes_left[table + code.astype(np.int64) // FLAGS] >> (code % FLAGS)) & 1 > 0


def _regions(axes: list[_Axis], sets: int, *, cells: int) -> tuple[IntArray, IntArray]:
    """Distinct regions that hold a cell, as a set of tests each that stands for it, and the region of each set or −1."""
    key = np.zeros(sets, dtype=np.int64)
    for axis in axes:
        number = _same_rows(axis.meets)
        key = _numbered(key * (number.max() + 1) + number)
    first = np.unique(key, return_index=True)[1]
    holds = np.ones((len(first), cells), dtype=np.bool_)
    for axis in axes:
        holds &= axis.meets[first][:, axis.of_cell]
    kept = holds.any(axis=1)
    renumbered = np.where(kept, np.cumsum(kept) - 1, -1)
    return first[kept], renumbered[key]


def _same_rows(rows: BoolArray) -> IntArray:
    """Number of each row among the distinct ones, shape (C,)."""
    packed = np.packbits(rows, axis=1)
    wide = np.zeros((len(rows), -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    wide[:, : packed.shape[1]] = packed
    words = wide.view(np.uint64)
    number = np.zeros(len(rows), dtype=np.int64)
    for word in words.T:
        found = _numbered(word)
        number = _numbered(number * (found.max(initial=0) + 1) + found)
    return number


@dataclass(frozen=True)
class _Stage:
    source: IntArray
    target: IntArray
    times: IntArray
    width: int
    size: int


def _stage(source: IntArray, target: IntArray, *, width: int, size: int) -> _Stage:
    """Parts of one source to targets behind each other are one part."""
    begins = (np.diff(source, prepend=-1) != 0) | (np.diff(target, prepend=-1) != 1)
    first = np.flatnonzero(begins)
    return _Stage(source[first], target[first], np.diff(first, append=len(source)), width, size)


def _stages(axes: list[_Axis], regions: IntArray) -> tuple[list[_Stage], IntArray]:
    """Cheapest order of axes: its stages, and where the last leaves each cell."""
    as_they_come = tuple(range(len(axes)))
    orders = list(permutations(as_they_come)) if len(axes) <= MOST_ORDERED else [as_they_come]
    sets = [axis.meets[regions] for axis in axes]
    number = [_same_rows(one) for one in sets]
    plans = [_staged([sets[k] for k in order], [number[k] for k in order]) for order in orders]
    costs = [sum(int(stage.times.sum()) * stage.width for stage in stages) for stages in plans]
    best = int(np.argmin(costs))
    cell = np.zeros(len(axes[0].of_cell), dtype=np.int64)
    for k in reversed(orders[best]):
        cell = cell * sets[k].shape[1] + axes[k].of_cell
    return plans[best], cell


def _staged(sets: list[BoolArray], number: list[IntArray]) -> list[_Stage]:
    """Stages that spread sums by region over one axis after the other.

    Regions that differ only in the axes spread so far share their sums from then on.
    """
    stages, width = [], 1
    current = np.arange(len(sets[0]))  # a region for each block of sums
    for place, mine in enumerate(sets):
        left = np.zeros(len(current), dtype=np.int64)
        for later in number[place + 1 :]:
            left = _numbered(left * (later.max(initial=0) + 1) + later[current])
        block, position = np.nonzero(mine[current])
        target, size = left[block] * mine.shape[1] + position, (int(left.max(initial=0)) + 1) * mine.shape[1] * width
        stages.append(_stage(block, target, width=width, size=size))
        current = current[np.unique(left, return_index=True)[1]]
        width *= mine.shape[1]
    return stages
