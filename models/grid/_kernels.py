"""Loops over rows, words and leaves, with the arrays and constants that they read.

What calls each other stands in one file: what numba has compiled is kept until this file changes, whatever changes elsewhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from numba.cpython.unsafe import numbers

trailing_zeros: Any = numbers.trailing_zeros
"""Numba's intrinsic: the place of the lowest bit."""

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
CodeArray = npt.NDArray[np.uint16]
NumberArray = npt.NDArray[np.int32]
WordArray = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.floating[Any]]

MISSING_NONE, MISSING_ZERO, MISSING_NAN, CODED_CATEGORICAL = 0, 1, 2, 3
"""Kinds of coded columns: LightGBM's kinds of missing values for numbers, and categories."""

ZERO = float(np.float32(1e-35))
"""Numbers not further from 0 than this are 0 to LightGBM: its threshold is a float32, widened."""

MOST = float(np.finfo(np.float64).max)
"""Infinite values and thresholds are brought down to this, so that what stands for a missing value lies beyond them."""

BITS, FLAGS = 64, 16
"""Leaves to a word, of which a tree begins a new one; leaves to a part of a word, and categories to a row of flags. Parts are so
narrow because many rows are then compared at a time."""

LEAST, BLOCK = 32, 512
"""Rows whose leaves are found at once, fewer where there are many regions: codes, words and sums stay in the nearer caches."""

NUMBERS = 131_072
"""Sums that a block may hold."""

LANES, HALF = 16, 8
"""Rows whose sums are spread over the cells at once; half as many where a grid has no more. Rows of a block are filled up to them:
loops over rows then have no rest."""


class Coding(NamedTuple):
    """How values of a column become codes, one entry a coded column, those of the row before those of the action.

    A column is coded once for each way in which the model treats its missing values, mostly once.

    Attributes
    ----------
    source
        Column of the row, or of the action.
    kind
        LightGBM's kind of missing value, or `CODED_CATEGORICAL`.
    missing
        Number that a missing value counts as: 0, or an infinite one by the side that LightGBM sends it to.
    start, size
        Where its thresholds stand in `edges`, or its categories in `dense`, and how many.
    edges
        Thresholds of each numeric column, ascending, infinity behind them up to a power of two less one: a search by halves
        needs to look at no end.
    dense
        Code of each category, by its number, 0 for those that the model does not know.
    """

    source: IntArray
    kind: IntArray
    missing: FloatArray
    start: IntArray
    size: IntArray
    edges: FloatArray
    dense: CodeArray


class Words(NamedTuple):
    """Splits by the row, each once for every part of a word that holds leaves below it.

    Attributes
    ----------
    begin, middle, end
        Splits of each part: numeric ones, then categorical ones, shape (W * 4,) each.
    column, at
        Coded column of a split; highest code that goes left, or where its table stands in `goes_left`.
    keep_left, keep_right
        Leaves of the part that stay possible.
    flag_column, flag_row
        Coded column of each row of flags, shape (G,), and first row of flags of each coded
        column of the row's, shape (columns + 1,).
    goes_left
        As in `Coded`.
    value
        Of each leaf, shape (W * 64,), 0 where a word has fewer.
    """

    begin: IntArray
    middle: IntArray
    end: IntArray
    column: NumberArray
    at: CodeArray
    keep_left: CodeArray
    keep_right: CodeArray
    flag_column: IntArray
    flag_row: IntArray
    goes_left: CodeArray
    value: FloatArray


class Walk(NamedTuple):
    """The trees to walk for a single row.

    Attributes
    ----------
    root
        First node of each tree: a split, or `~place` of a leaf among the words' 64s.
    nodes
        Of each split, shape (S, 4): coded column (−1 where the action decides, −2 − column where a category does), its place as
        in `Words`, the nodes left and right. What a step looks at lies beside each other.
    """

    root: npt.NDArray[np.int32]
    nodes: npt.NDArray[np.int32]


class Plan(NamedTuple):
    """How a row's sums by region become its scores by cell, for one grid or for each of K grids of as many cells.

    Attributes
    ----------
    alive
        Leaves of each word that some cell can meet, as bits, shape (K, W).
    region
        Of each leaf, shape (K, W * 64); −1 for one that no cell meets.
    goes
        Which sides of each split by the action some cell can meet, 1 left, 2 right, 3 both, shape (K, S); 0 for other splits.
    source, target, times, begin, width, size
        Stages of each grid, shape (K, T) or (K, T + 1): parts `begin[., t]` to `begin[., t + 1]` add `width[., t]` sums from
        `source` to `target` and to those behind it, so many `times`; both are counted in widths, `target` of an array of
        `size[., t]` sums. A grid with fewer stages than columns of the action has ones of size 0 behind them.
    cell
        Where the last stage leaves the score of each cell, shape (K, A).
    sums
        Number of regions, the highest of the grids'.
    """

    alive: WordArray
    region: npt.NDArray[np.signedinteger[Any]]
    goes: npt.NDArray[np.int8]
    source: NumberArray
    target: NumberArray
    times: NumberArray
    begin: IntArray
    width: IntArray
    size: IntArray
    cell: IntArray
    sums: int


@njit(cache=True, nogil=True)
def encode(rows: Rows, take: IntArray, first: int, coding: Coding, codes: CodeArray) -> None:
    """Codes of some rows in the coded columns from `first` on: OUT `codes`, shape (columns, len(take) or more).

    LightGBM's rules: numbers next to 0 are 0; a missing one is 0 where the column has no kind of missing value; a category is
    the whole number before the point, and goes right where it is negative, missing or not known.
    """
    source, kind, missing, start, size, edges, dense = coding
    count = len(take)
    value = np.empty(count)
    place = np.empty(count, np.int64)
    for number in range(len(codes)):
        column = first + number
        here, low, rule, code = source[column], start[column], kind[column], codes[number]
        gone = missing[column]
        nothing = gone if rule == MISSING_ZERO else 0.0
        for b in range(count):
            one = float(rows[take[b], here])
            one = gone if np.isnan(one) else min(max(one, -MOST), MOST)
            value[b] = nothing if abs(one) <= ZERO else one
        if rule == CODED_CATEGORICAL:
            for b in range(count):
                known = -1.0 < value[b] < size[column]
                code[b] = dense[low + np.int64(value[b])] if known else 0
            continue
        step = 1
        while 2 * step <= size[column]:
            step *= 2
        mine = edges[low : low + 2 * step - 1]
        place[:] = -1
        while step > 0:
            for b in range(count):
                further = place[b] + step
                place[b] = further if mine[np.uint64(further)] < value[b] else place[b]
            step //= 2
        for b in range(count):
            code[b] = place[b] + 1


@njit(cache=True, nogil=True)
def _flags(codes: CodeArray, flag_column: IntArray, flag_row: IntArray) -> CodeArray:
    """Categories of a block of rows as one flag of 16, 0 in the rows of flags that hold others, shape (G, b)."""
    flags = np.zeros((len(flag_column), codes.shape[1]), np.uint16)
    for row in range(len(flag_column)):
        code, place = codes[flag_column[row]], row - flag_row[flag_column[row]]
        for b in range(codes.shape[1]):
            if code[b] // FLAGS == place:
                flags[row, b] = 1 << (code[b] % FLAGS)
    return flags


@njit(cache=True, nogil=True)
def _spread(sums: FloatArray, stride: int, rows: int, plan: Plan, number: int) -> FloatArray:
    """Scores by cell from sums by region, rows beside each other: one dimension, as the plan of a grid says.

    Sums of a region stand `stride` behind those of the one before. Places are without a sign: numba would ask of each other one
    whether it is counted from the end.
    """
    sources, targets, times = plan.source, plan.target, plan.times
    begin, widths, sizes = plan.begin[number], plan.width[number], plan.size[number]
    for stage in range(len(widths)):
        if sizes[stage] == 0:
            break
        width, into = np.uint64(widths[stage] * rows), np.zeros(sizes[stage] * rows)
        step = width if stage > 0 else np.uint64(stride)
        for part in range(begin[stage], begin[stage + 1]):
            a, b = np.uint64(sources[part]) * step, np.uint64(targets[part]) * width
            if width == 1:
                one = sums[a]
                for k in range(np.uint64(times[part])):
                    into[b + k] += one
                continue
            for _ in range(times[part]):
                for k in range(width):
                    into[b + k] += sums[a + k]
                b += width
        sums = into
    return sums


@njit(cache=True, nogil=True)
def _sum_leaves(
    codes: CodeArray, flags: CodeArray, words: Words, plan: Plan, which: IntArray, run: IntArray, sums: FloatArray
) -> None:
    """Add to `sums` (regions, b) the leaves that each row of a block can reach, tree by tree, from left to right.

    Rows `run[k]` to `run[k + 1]` of the block are scored under grid `which[k]`. All in one body: handing arrays on to a smaller
    function takes longer than a split over a whole block.
    """
    begin, middle, end, column, at, keep_left, keep_right, _, flag_row, goes_left, value = words
    alive, region = plan.alive, plan.region
    count = codes.shape[1]
    bits, found, reached = np.empty((4, count), np.uint16), np.empty(count, np.uint16), np.empty(count, np.uint64)
    for word in range(alive.shape[1]):
        bits[:] = 0xFFFF
        for quarter in range(4):
            part, here = 4 * word + quarter, bits[quarter]
            for split in range(begin[part], middle[part]):
                mine, most, left, right = codes[column[split]], at[split], keep_left[split], keep_right[split]
                for b in range(count):
                    here[b] &= left if mine[b] <= most else right
            for split in range(middle[part], end[part]):
                first, last = flag_row[column[split]], flag_row[column[split] + 1]
                left, right, table = keep_left[split], keep_right[split], np.int64(at[split])
                flag, known = flags[first], goes_left[table]
                for b in range(count):
                    found[b] = flag[b] & known
                for row in range(first + 1, last):
                    flag, known = flags[row], goes_left[table + row - first]
                    for b in range(count):
                        found[b] |= flag[b] & known
                for b in range(count):
                    here[b] &= left if found[b] != 0 else right
        for b in range(count):
            reached[b] = (
                np.uint64(bits[0, b]) | np.uint64(bits[1, b]) << np.uint64(16)
                | np.uint64(bits[2, b]) << np.uint64(32) | np.uint64(bits[3, b]) << np.uint64(48)
            )  # fmt: skip
        base = word * BITS
        for k in range(len(which)):
            into, met = region[which[k]], alive[which[k], word]
            for b in range(run[k], run[k + 1]):
                possible = reached[b] & met
                while possible:
                    leaf = base + trailing_zeros(possible)
                    possible &= possible - np.uint64(1)
                    sums[into[leaf], b] += value[leaf]


@njit(cache=True, nogil=True)
def score_rows(
    rows: Rows,
    take: IntArray,
    run: IntArray,
    which: IntArray,
    of_rows: int,
    coding: Coding,
    words: Words,
    plan: Plan,
    out: FloatArray,
) -> None:
    """Raw scores of some rows, `take[run[k]:run[k + 1]]` under grid `which[k]`: OUT `out[take]`, shape (n, A)."""
    size = min(BLOCK, max(LEAST, NUMBERS // max(plan.sums, 1) // LANES * LANES))
    size = min(size, -(-len(take) // max(-(-len(take) // size), 1)))
    wide = -(-size // LANES) * LANES
    sums = np.empty((plan.sums, wide + LANES))
    for first in range(0, len(take), size):
        mine = take[first : first + size]
        here = np.minimum(np.maximum(run - first, 0), len(mine))
        codes = np.empty((of_rows, wide), np.uint16)
        encode(rows, mine, 0, coding, codes)
        sums[:] = 0.0
        _sum_leaves(codes, _flags(codes, words.flag_column, words.flag_row), words, plan, which, here, sums)
        for k in range(len(which)):
            number, low = which[k], here[k]
            cell = plan.cell[number]
            while low < here[k + 1]:
                # The number of lanes is a constant in each call, or the loops over them would not be unrolled.
                if here[k + 1] - low <= HALF:
                    lanes, scores = HALF, _spread(sums.reshape(-1)[low:], sums.shape[1], HALF, plan, number)
                else:
                    lanes, scores = LANES, _spread(sums.reshape(-1)[low:], sums.shape[1], LANES, plan, number)
                for b in range(min(lanes, here[k + 1] - low)):
                    row = out[mine[low + b]]
                    for action in range(len(cell)):
                        row[action] = scores[cell[action] * lanes + b]
                low += lanes


@njit(cache=True, nogil=True)
def by_number(numbers: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """Rows (n,) by their number, 0 to `count` − 1, else as they came, and where those of each begin and end, shape (count + 1,)."""
    begin = np.zeros(count + 1, np.int64)
    for number in numbers:
        begin[number + 1] += 1
    begin = np.cumsum(begin)
    order, free = np.empty(len(numbers), np.int64), begin.copy()
    for row in range(len(numbers)):
        order[free[numbers[row]]] = row
        free[numbers[row]] += 1
    return order, begin


@njit(cache=True, nogil=True)
def walk_row(
    rows: Rows,
    one: int,
    number: int,
    of_rows: int,
    coding: Coding,
    words: Words,
    walk: Walk,
    plan: Plan,
    out: FloatArray,
) -> None:
    """Raw scores of a single row under one grid: OUT `out[one]`, the bits of `score_rows`: leaves are met in the same order."""
    region, goes, cell = plan.region[number], plan.goes[number], plan.cell[number]
    value, goes_left = words.value, words.goes_left
    root, nodes = walk
    codes = np.empty((of_rows, 1), np.uint16)
    encode(rows, np.array([one]), 0, coding, codes)
    sums = np.zeros(plan.sums)
    waiting = np.empty(len(nodes) + 1, np.int32)
    for tree in range(len(root)):
        waiting[0], depth = root[tree], 1
        while depth:
            depth -= 1
            node = waiting[depth]
            while node >= 0:
                asks, at, left, right = nodes[node]
                if asks >= 0:
                    node = left if codes[asks, 0] <= at else right
                elif asks < -1:
                    code = codes[-2 - asks, 0]
                    node = left if (goes_left[at + code // FLAGS] >> (code % FLAGS)) & 1 else right
                else:
                    sides = goes[node]
                    if sides == 3:
                        waiting[depth] = right
                        depth += 1
                    if sides == 0:
                        break
                    node = right if sides == 2 else left
            if node < 0 and region[~node] >= 0:
                sums[region[~node]] += value[~node]
    scores = _spread(sums, 1, 1, plan, number)
    for action in range(len(cell)):
        out[one, action] = scores[cell[action]]
