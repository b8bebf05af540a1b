"""A policy tree: a few questions about a debtor, and at each end one channel and part of the day, or no contact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION, ActionGrid
from data.times import IntArray
from data.vocabulary import DAYPARTS, NONE
from models.policies.cells import cell_of_action

BoolArray = npt.NDArray[np.bool_]
Columns = Mapping[str, npt.NDArray[np.floating[Any]]]


class BadTree(ValueError):
    """A tree names a feature, channel or part of the day that is not there."""


@dataclass(frozen=True)
class Leaf:
    """What is done with the debtors that end here.

    Attributes
    ----------
    channel, daypart
        `none` has no part of the day ("").
    rows
        Decisions, of debtors the tree was not grown on, that the figures rest on.
    gain_eur, low_eur, high_eur
        What it brings in over no contact for them, net EUR a decision with its 95 % interval; None where too few.
    """

    channel: str
    daypart: str
    rows: int = 0
    gain_eur: float | None = None
    low_eur: float | None = None
    high_eur: float | None = None


@dataclass(frozen=True)
class Split:
    """A question: is the feature known and at most `at_most`? Then `yes`; more, or missing, is `no`."""

    feature: str
    at_most: float
    yes: Leaf | Split
    no: Leaf | Split


Node = Leaf | Split


@dataclass(frozen=True)
class PolicyTree:
    """A tree with its leaves numbered from 0, `yes` before `no`."""

    root: Node

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Leaves in order."""
        return tuple(_leaves(self.root))

    @cached_property
    def features(self) -> frozenset[str]:
        """Names of the features it asks about."""
        return frozenset(_features(self.root))

    def leaf_of(self, columns: Columns, *, size: int) -> IntArray:
        """Number of the leaf that each debtor ends in, shape (n,).

        Parameters
        ----------
        columns
            Features by name, shape (n,) each, NaN for missing.
        size
            Debtors n.

        Raises
        ------
        BadTree
            A feature is not among the columns.

        >>> tree = PolicyTree(Split("payments_ever", 0.0, Leaf("sms", "evening"), Leaf("none", "")))
        >>> tree.leaf_of({"payments_ever": np.array([0.0, 3.0, np.nan])}, size=3).tolist()
        [0, 1, 1]
        """
        missing = sorted(self.features - set(columns))
        if missing:
            raise BadTree(f"the tree asks about {', '.join(missing)}, which is no feature here: train again")
        leaf = np.zeros(size, dtype=np.int64)
        _walk(self.root, np.arange(size), columns, leaf, first=0)
        return leaf

    def actions(self, columns: Columns, allowed: BoolArray, *, grid: ActionGrid) -> IntArray:
        """First allowed slot of each debtor's leaf, else `none`, shape (n,).

        Parameters
        ----------
        allowed
            Shape (n, A).
        """
        leaf = self.leaf_of(columns, size=len(allowed))
        cells = np.array([leaf_cell(one, grid=grid) for one in self.leaves], dtype=np.int64)[leaf]
        inside = allowed & (cell_of_action(grid)[None, :] == cells[:, None])
        return np.where(inside.any(axis=1), np.argmax(inside, axis=1), NO_ACTION).astype(np.int64)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return _plain(self.root)

    @staticmethod
    def from_dict(plain: Mapping[str, Any]) -> PolicyTree:
        """The tree that `as_dict` wrote."""
        return PolicyTree(_node(plain))


def leaf_cell(leaf: Leaf, *, grid: ActionGrid) -> int:
    """Cell of a leaf's channel and part of the day on a grid.

    Raises
    ------
    BadTree
        The grid has no such channel, or there is no such part of the day.
    """
    if leaf.channel == NONE:
        return 0
    if leaf.channel not in grid.channels or leaf.daypart not in DAYPARTS:
        raise BadTree(
            f"the tree sends by '{leaf.channel}' in the '{leaf.daypart}'; there are {', '.join(grid.channels)} and "
            f"{', '.join(DAYPARTS)}: train again"
        )
    return 1 + (grid.channels.index(leaf.channel) - 1) * len(DAYPARTS) + DAYPARTS.index(leaf.daypart)


def _leaves(node: Node) -> Iterator[Leaf]:
    if isinstance(node, Leaf):
        yield node
    else:
        yield from _leaves(node.yes)
        yield from _leaves(node.no)


def _features(node: Node) -> Iterator[str]:
    if isinstance(node, Split):
        yield node.feature
        yield from _features(node.yes)
        yield from _features(node.no)


def _walk(node: Node, rows: IntArray, columns: Columns, leaf: IntArray, *, first: int) -> int:
    """Write the leaf of `rows` into `leaf` (OUT); gives the number of the next leaf."""
    if isinstance(node, Leaf):
        leaf[rows] = first
        return first + 1
    values = columns[node.feature][rows]
    yes = values <= node.at_most  # not true of a missing value
    after = _walk(node.yes, rows[yes], columns, leaf, first=first)
    return _walk(node.no, rows[~yes], columns, leaf, first=after)


def _plain(node: Node) -> dict[str, Any]:
    if isinstance(node, Leaf):
        return {
            "channel": node.channel,
            "daypart": node.daypart,
            "rows": node.rows,
            "gain_eur": node.gain_eur,
            "low_eur": node.low_eur,
            "high_eur": node.high_eur,
        }
    return {"feature": node.feature, "at_most": node.at_most, "yes": _plain(node.yes), "no": _plain(node.no)}


def _node(plain: Mapping[str, Any]) -> Node:
    if "feature" in plain:
        return Split(plain["feature"], plain["at_most"], _node(plain["yes"]), _node(plain["no"]))
    return Leaf(
        plain["channel"], plain["daypart"], plain["rows"], plain["gain_eur"], plain["low_eur"], plain["high_eur"]
    )
