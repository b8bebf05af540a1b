"""Loops over rows, words and leaves. All of them stand in one file: numba's cache does not see changes in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numba import njit
from numba.cpython.unsafe import numbers

from models.grid.coding import CODED_CATEGORICAL
from models.grid.trees import MISSING_ZERO, MOST, ZERO

if TYPE_CHECKING:
    from models.grid.bound import Plan
    from models.grid.coding import Coding
    from models.grid.words import Walk, Words

trailing_zeros: Any = numbers.trailing_zeros
"""Numba's intrinsic: the place of the lowest bit."""

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
CodeArray = npt.NDArray[np.uint16]
RegionArray = npt.NDArray[np.int32]
Rows = npt.NDArray[np.floating[Any]]

LEAST, BLOCK = 32, 512
"""Rows whose leaves are found at once, fewer where there are many regions: codes, words and sums stay in the nearer caches."""

NUMBERS = 131_072
"""Sums that a block may hold."""

LANES = 16
"""Rows whose sums are spread over the cells at once."""


@njit(cache=True, nogil=True)
def encode(rows: Rows, take: IntArray, first: int, coding: Coding, codes: CodeArray) -> None:
    """Codes of some rows in the coded columns from `first` on: OUT `codes`, shape (columns, len(take)).

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
            one = nothing if abs(one) <= ZERO else one
            value[b] = gone if np.isnan(one) else min(max(one, -MOST), MOST)
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
def _flags(codes: CodeArray, flag_column: IntArray) -> CodeArray:
    """Categories of a block of rows as one flag of 16, 0 in the rows of flags that hold others, shape (G, b)."""
    flags = np.zeros((len(flag_column), codes.shape[1]), np.uint16)
    first = 0
    for row in range(len(flag_column)):
        if row > 0 and flag_column[row] != flag_column[row - 1]:
            first = row
        for b in range(codes.shape[1]):
            code = codes[flag_column[row], b]
            if code // 16 == row - first:
                flags[row, b] = 1 << (code % 16)
    return flags


@njit(cache=True, nogil=True)
def _spread(sums: FloatArray, rows: int, plan: Plan) -> FloatArray:
    """Scores by cell from sums by region, rows of a block beside each other: one dimension, as the plan says."""
    sources, targets, begin, widths, sizes = plan.source, plan.target, plan.begin, plan.width, plan.size
    for stage in range(len(widths)):
        width, into = widths[stage] * rows, np.zeros(sizes[stage] * rows)
        if width == 1:
            for part in range(begin[stage], begin[stage + 1]):
                into[targets[part]] += sums[sources[part]]
            sums = into
            continue
        for part in range(begin[stage], begin[stage + 1]):
            a, b = sources[part] * width, targets[part] * width
            more, here = sums[a : a + width], into[b : b + width]
            for k in range(width):
                here[k] += more[k]
        sums = into
    return sums


@njit(cache=True, nogil=True)
def _sum_leaves(
    codes: CodeArray, flags: CodeArray, words: Words, alive: CodeArray, region: RegionArray, sums: FloatArray
) -> None:
    """Add to `sums` (regions, b) the leaves that each row of a block can reach, tree by tree, from left to right.

    All in one body: handing arrays on to a smaller function takes longer than a split over a whole block.
    """
    begin, middle, end, column, at, keep_left, keep_right, _, flag_row, goes_left, value = words
    count = codes.shape[1]
    bits, found = np.empty((4, count), np.uint16), np.empty(count, np.uint16)
    for word in range(len(alive) // 4):
        for quarter in range(4):
            part, here = 4 * word + quarter, bits[quarter]
            here[:] = alive[part]
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
        base = word * 64
        for b in range(count):
            possible = (
                np.uint64(bits[0, b]) | np.uint64(bits[1, b]) << np.uint64(16)
                | np.uint64(bits[2, b]) << np.uint64(32) | np.uint64(bits[3, b]) << np.uint64(48)
            )  # fmt: skip
            while possible:
                leaf = base + trailing_zeros(possible)
                possible &= possible - np.uint64(1)
                sums[region[leaf], b] += value[leaf]


@njit(cache=True, nogil=True)
def score_rows(
    rows: Rows, take: IntArray, of_rows: int, coding: Coding, words: Words, plan: Plan, out: FloatArray
) -> None:
    """Raw scores of some rows: OUT `out[take]`, shape (n, A)."""
    cell = plan.cell
    size = min(BLOCK, max(LEAST, NUMBERS // max(plan.sums, 1) // LANES * LANES))
    size = min(size, -(-len(take) // max(-(-len(take) // size), 1)))
    sums, some = np.empty((plan.sums, size)), np.zeros((plan.sums, LANES))
    for first in range(0, len(take), size):
        mine = take[first : first + size]
        codes = np.empty((of_rows, len(mine)), np.uint16)
        encode(rows, mine, 0, coding, codes)
        sums[:] = 0.0
        _sum_leaves(codes, _flags(codes, words.flag_column), words, plan.alive, plan.region, sums)
        for low in range(0, len(mine), LANES):
            few = min(LANES, len(mine) - low)
            some[:, :few] = sums[:, low : low + few]
            scores = _spread(some.reshape(-1), LANES, plan).reshape(-1, LANES)
            for b in range(few):
                row = out[mine[low + b]]
                for action in range(len(cell)):
                    row[action] = scores[cell[action], b]


@njit(cache=True, nogil=True)
def walk_row(
    rows: Rows, one: int, of_rows: int, coding: Coding, words: Words, walk: Walk, plan: Plan, out: FloatArray
) -> None:
    """Raw scores of a single row: OUT `out[one]`, the bits of `score_rows`: leaves are met in the same order."""
    region, goes, cell, value, goes_left = plan.region, plan.goes, plan.cell, words.value, words.goes_left
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
                    node = left if (goes_left[at + code // 16] >> (code % 16)) & 1 else right
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
    scores = _spread(sums, 1, plan)
    for action in range(len(cell)):
        out[one, action] = scores[cell[action]]


@njit(cache=True, nogil=True)
def mean_out(values: FloatArray, out: FloatArray) -> None:
    """Means of values (n, before, size, after) over `size`: OUT `out` (n, before, after)."""
    rows, before, size, after = values.shape
    for row in range(rows):
        for b in range(before):
            if after == 1:
                total = 0.0
                for k in range(size):
                    total += values[row, b, k, 0]
                out[row, b, 0] = total / size
                continue
            here = out[row, b]
            here[:] = 0.0
            for k in range(size):
                one = values[row, b, k]
                for a in range(after):
                    here[a] += one[a]
            for a in range(after):
                here[a] /= size
