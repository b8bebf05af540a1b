"""Shallow trees that maximise summed scores: exact for two levels of questions, greedy below.

Scores stand for what each action would have brought in for each decision; a tree is worth the sum of the scores of what it
does. Features are cut at quantiles. A missing value goes with the values above the highest cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from data.times import IntArray

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
EXACT = 2
"""Levels of questions that are searched together."""


@dataclass(frozen=True)
class Binned:
    """Features cut at quantiles.

    `cuts` has the rising cuts of each feature; `code` is the number of cuts below a value, shape (n, F).
    """

    cuts: tuple[FloatArray, ...]
    code: IntArray

    @property
    def width(self) -> int:
        """Codes of a feature, at most."""
        return 1 + max((len(one) for one in self.cuts), default=0)


@dataclass(frozen=True)
class End:
    """One action for all rows that end here, as a column of the scores."""

    action: int


@dataclass(frozen=True)
class Cut:
    """A question, whether the feature's code is at most `place`."""

    feature: int
    place: int
    yes: End | Cut
    no: End | Cut


Found = End | Cut


def binned(columns: FloatArray, *, bins: int) -> Binned:
    """Features (n, F) cut at the quantiles that part the known values into about `bins` equal groups.

    >>> binned(np.array([[1.0], [2.0], [3.0], [np.nan]]), bins=3).code.ravel().tolist()
    [0, 1, 2, 2]
    """
    cuts = tuple(_cuts(columns[:, feature], bins) for feature in range(columns.shape[1]))
    code = np.zeros(columns.shape, dtype=np.int64)
    for feature, mine in enumerate(cuts):
        values = columns[:, feature]
        code[:, feature] = np.where(np.isnan(values), len(mine), np.searchsorted(mine, values, side="left"))
    return Binned(cuts, code)


def _cuts(values: FloatArray, bins: int) -> FloatArray:
    known = values[np.isfinite(values)]
    if not len(known):
        return np.zeros(0)
    inner = np.quantile(known, np.arange(1, bins) / bins, method="lower")
    cuts: FloatArray = np.unique(inner)
    return cuts[cuts < known.max()] if len(known) == len(values) else cuts


def search(scores: FloatArray, features: Binned, *, depth: int, least_rows: int) -> Found:
    """The tree of at most `depth` questions in a row whose summed score is highest.

    Parameters
    ----------
    scores
        Shape (n, K): of every row under each of the actions.
    least_rows
        Rows in each leaf, at least.

    Notes
    -----
    Zhou, Athey and Wager (2023) search trees exactly; here two levels at a time, each leaf of them then on its own.
    """
    rows = np.arange(len(scores))
    return _grown(scores, features, rows, depth=depth, least_rows=least_rows)


def _grown(scores: FloatArray, features: Binned, rows: IntArray, *, depth: int, least_rows: int) -> Found:
    part = Binned(features.cuts, features.code[rows])
    step = min(depth, EXACT)
    top = _exact(scores[rows], part, levels=step, least_rows=least_rows)
    if depth <= EXACT:
        return top
    return _grafted(top, scores, features, rows, depth=depth - step, least_rows=least_rows)


def _grafted(
    node: Found, scores: FloatArray, features: Binned, rows: IntArray, *, depth: int, least_rows: int
) -> Found:
    """The tree with each end grown further on its own rows."""
    if isinstance(node, End):
        return _grown(scores, features, rows, depth=depth, least_rows=least_rows)
    yes = features.code[rows, node.feature] <= node.place
    return Cut(
        node.feature,
        node.place,
        _grafted(node.yes, scores, features, rows[yes], depth=depth, least_rows=least_rows),
        _grafted(node.no, scores, features, rows[~yes], depth=depth, least_rows=least_rows),
    )


def _exact(scores: FloatArray, features: Binned, *, levels: int, least_rows: int) -> Found:
    """The best tree of at most two levels."""
    total = scores.sum(axis=0)
    found: Found = End(int(np.argmax(total)))
    if levels == 0 or len(scores) < 2 * least_rows:
        return found
    counted = np.hstack([scores, np.ones((len(scores), 1))])
    if levels == 1:
        side = _best_splits(_sums(counted, features)[None], counted.sum(axis=0)[None], least_rows)
        return side.node(0)
    best = float(total.max())
    inside = _one_hot(features)
    for feature, cuts in enumerate(features.cuts):
        if len(cuts):
            value, node = _root(counted, features, inside, feature=feature, least_rows=least_rows)
            if node is not None and value > best + 1e-9:
                best, found = value, node
    return found


def _one_hot(features: Binned) -> sparse.csr_array:
    """A row of zeros and ones for each row's codes, shape (n, F * width)."""
    size, count = features.code.shape
    columns = features.code + features.width * np.arange(count)
    ones = np.ones(size * count)
    return sparse.csr_array(
        (ones, (np.repeat(np.arange(size), count), columns.ravel())), (size, count * features.width)
    )


def _sums(counted: FloatArray, features: Binned) -> FloatArray:
    """Summed scores and rows of each feature up to each code, shape (F, width, K + 1)."""
    flat = _one_hot(features).T @ counted
    return np.cumsum(flat.reshape(features.code.shape[1], features.width, -1), axis=1)


def _root(
    counted: FloatArray, features: Binned, inside: sparse.csr_array, *, feature: int, least_rows: int
) -> tuple[float, Cut | None]:
    """The best two-level tree whose first question is about `feature`, and its summed score."""
    code, places = features.code[:, feature], len(features.cuts[feature])
    shape = (len(features.cuts), features.width, counted.shape[1])
    by_code = np.zeros((places + 1, *shape))
    whole = np.zeros((places + 1, counted.shape[1]))
    for number in range(places + 1):
        rows = np.flatnonzero(code == number)
        by_code[number] = np.cumsum((inside[rows].T @ counted[rows]).reshape(shape), axis=1)
        whole[number] = counted[rows].sum(axis=0)
    below, under = np.cumsum(by_code, axis=0), np.cumsum(whole, axis=0)
    yes = _best_splits(below[:-1], under[:-1], least_rows)
    no = _best_splits(below[-1] - below[:-1], under[-1] - under[:-1], least_rows)
    value = yes.value + no.value
    place = int(np.argmax(value))
    if not np.isfinite(value[place]):
        return -np.inf, None
    return float(value[place]), Cut(feature, place, yes.node(place), no.node(place))


@dataclass(frozen=True)
class _Sides:
    """The best tree of at most one question for each of m sets of rows.

    `value` is its summed score, −inf for a set that is too small; `split` is the feature * width + place of its question,
    -1 without one; `actions` are those of yes and no, the same without a question, shape (m, 2).
    """

    value: FloatArray
    split: IntArray
    actions: IntArray
    width: int

    def node(self, number: int) -> Found:
        yes, no = (End(int(action)) for action in self.actions[number])
        if self.split[number] < 0:
            return yes
        return Cut(int(self.split[number] // self.width), int(self.split[number] % self.width), yes, no)


def _best_splits(below: FloatArray, whole: FloatArray, least_rows: int) -> _Sides:
    """The best question of m sets of rows.

    Parameters
    ----------
    below
        Summed scores and rows of each set by feature up to each code, shape (m, F, width, K + 1).
    whole
        Those of all the set's rows, shape (m, K + 1).
    """
    above = whole[:, None, None, :] - below
    fits = (below[..., -1] >= least_rows) & (above[..., -1] >= least_rows)
    value = np.where(fits, below[..., :-1].max(axis=-1) + above[..., :-1].max(axis=-1), -np.inf)
    flat = value.reshape(len(value), -1)
    split = np.argmax(flat, axis=1)
    sets = np.arange(len(whole))
    alone = np.where(whole[:, -1] >= least_rows, whole[:, :-1].max(axis=1), -np.inf)
    better = flat[sets, split] > alone + 1e-9
    feature, place = np.divmod(split, below.shape[2])
    yes = np.argmax(below[sets, feature, place, :-1], axis=1)
    no = np.argmax(above[sets, feature, place, :-1], axis=1)
    one = np.argmax(whole[:, :-1], axis=1)
    actions = np.where(better[:, None], np.stack([yes, no], axis=1), one[:, None])
    return _Sides(np.where(better, flat[sets, split], alone), np.where(better, split, -1), actions, below.shape[2])


def actions_of(node: Found, code: IntArray) -> IntArray:
    """Column of the scores that the tree takes for each row, shape (n,)."""
    if isinstance(node, End):
        return np.full(len(code), node.action, dtype=np.int64)
    yes = code[:, node.feature] <= node.place
    return np.where(yes, actions_of(node.yes, code), actions_of(node.no, code))


def pruned(node: Found, scores: FloatArray, code: IntArray, *, unit: IntArray, least_errors: float) -> Found:
    """The tree without questions that add less than `least_errors` standard errors over the better of their ends.

    Taken from the bottom up on the rows the tree was grown on; rows of one `unit` (n,) may depend on each other.
    """
    if isinstance(node, End):
        return node
    yes = code[:, node.feature] <= node.place
    kept = Cut(
        node.feature,
        node.place,
        pruned(node.yes, scores[yes], code[yes], unit=unit[yes], least_errors=least_errors),
        pruned(node.no, scores[~yes], code[~yes], unit=unit[~yes], least_errors=least_errors),
    )
    alone = End(int(np.argmax(scores.sum(axis=0))))
    gain = scores[np.arange(len(scores)), actions_of(kept, code)] - scores[:, alone.action]
    sums = np.bincount(np.unique(unit, return_inverse=True)[1], weights=gain).astype(np.float64)
    total, spread = float(sums.sum()), float(np.sqrt(sums @ sums))
    return kept if total > 0 and total > least_errors * spread else alone


def ends(node: Found) -> Sequence[End]:
    """Ends in order, yes before no."""
    return [node] if isinstance(node, End) else [*ends(node.yes), *ends(node.no)]
