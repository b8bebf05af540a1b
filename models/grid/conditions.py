"""What the action decides: the sets of tests that leaves ask an action to pass, whatever the row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.grid.coding import Coded
from models.grid.trees import BoolArray, IntArray, Trees


@dataclass(frozen=True)
class Conditions:
    """Distinct tests of an action, and the distinct sets of them that leaves ask for.

    Attributes
    ----------
    column, at, categorical
        Coded column of each test and its place, as in `Coded`, shape (P,).
    parent, test, left
        A set is another one and one more test, which is to go left or right, shape (C,); set 0 asks nothing.
    depth
        Number of tests in a set, shape (C,).
    of_leaf
        Set of each leaf, shape (L,).
    """

    column: IntArray
    at: IntArray
    categorical: BoolArray
    parent: IntArray
    test: IntArray
    left: BoolArray
    depth: IntArray
    of_leaf: IntArray


def conditions_of(trees: Trees, splits: Coded) -> Conditions:
    """Tests and sets of the splits by the action."""
    numbers: dict[tuple[int, int, bytes], int] = {}
    test: dict[int, int] = {}
    for fork in np.flatnonzero(splits.by_action).tolist():
        question = (
            int(splits.column[fork]),
            0 if splits.categorical[fork] else int(splits.at[fork]),
            trees.categories[fork].tobytes(),
        )
        test[fork] = numbers.setdefault(question, len(numbers))
    first = {number: fork for fork, number in reversed(test.items())}
    asked = np.array([first[number] for number in range(len(numbers))], dtype=np.int64)
    sets = _Sets()
    of_leaf = _sets_of_leaves(trees, test, sets)
    return Conditions(
        splits.column[asked], splits.at[asked], splits.categorical[asked], np.array(sets.parent), np.array(sets.test),
        np.array(sets.left, dtype=np.bool_), np.array([len(one) for one in sets.content]), of_leaf,
    )  # fmt: skip


class _Sets:
    """Sets of tests, each kept once, in whichever order its tests are met."""

    def __init__(self) -> None:
        self.parent, self.test, self.left = [0], [0], [True]
        self.content: list[frozenset[tuple[int, bool]]] = [frozenset()]
        self._number = {self.content[0]: 0}

    def with_test(self, number: int, test: int, *, left: bool) -> int:
        """Number of the set that asks one test more."""
        content = self.content[number] | {(test, left)}
        found = self._number.setdefault(content, len(self.content))
        if found == len(self.content):
            self.content.append(content)
            self.parent.append(number)
            self.test.append(test)
            self.left.append(left)
        return found


def _sets_of_leaves(trees: Trees, test: dict[int, int], sets: _Sets) -> IntArray:
    """Set of tests that each leaf asks for, shape (L,); splits stand before those below them."""
    of_split, of_leaf = np.zeros(len(trees.left), dtype=np.int64), np.zeros(len(trees.value), dtype=np.int64)
    for split, children in enumerate(zip(trees.left.tolist(), trees.right.tolist(), strict=True)):
        mine = int(of_split[split])
        for child, to_left in zip(children, (True, False), strict=True):
            below = sets.with_test(mine, test[split], left=to_left) if split in test else mine
            if child < 0:
                of_leaf[~child] = below
            else:
                of_split[child] = below
    return of_leaf
