"""Candidates of many shards put one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.capacity.candidates import Candidates

IntArray = npt.NDArray[np.int64]
AnyArray = npt.NDArray[Any]

ALONG_DEBTORS = ("action", "value", "of_class", "cost", "creditor")
"""Arrays of `Candidates` that are put one after another; the starts of ranges are counted on."""


class OtherGrid(ValueError):
    """Candidates of different grids, or for other creditors with a minimum, cannot be decided together."""


def joined(shards: Sequence[Candidates]) -> tuple[Candidates, tuple[int, ...]]:
    """Candidates of all shards, and the first debtor of each and their number; classes that send alike are one.

    Raises
    ------
    OtherGrid
        They were not made on one grid under one set of creditors.
    """
    first = shards[0]
    if len(shards) == 1:
        return first, (0, len(first))
    sizes, sends = [], []
    for one in shards:
        _must_match(first, one)
        sizes.append([len(getattr(one, name)) for name in ALONG_DEBTORS])
        sends.append(one.send_us)
    begin = np.concatenate([np.zeros((1, len(ALONG_DEBTORS)), dtype=np.int64), np.cumsum(sizes, axis=0)])
    send_us, of_class = np.unique(np.concatenate(sends), axis=0, return_inverse=True)
    classes = np.split(of_class, np.cumsum([len(one) for one in sends])[:-1])
    whole = {name: _room(getattr(first, name), int(begin[-1, place])) for place, name in enumerate(ALONG_DEBTORS)}
    starts: list[list[IntArray]] = [[], []]
    for number, one in enumerate(shards):
        for place, name in enumerate(ALONG_DEBTORS):
            mine = classes[number][one.of_class] if name == "of_class" else getattr(one, name)
            whole[name][begin[number, place] : begin[number + 1, place]] = mine
        starts[0].append(np.diff(one.start))
        starts[1].append(np.diff(one.creditor_start))
    together = replace(
        first,
        send_us=send_us,
        start=_counted(starts[0]),
        creditor_start=_counted(starts[1]),
        action=whole["action"],
        value=whole["value"],
        of_class=whole["of_class"],
        cost=whole["cost"],
        creditor=whole["creditor"],
    )
    return together, tuple(begin[:, ALONG_DEBTORS.index("of_class")].tolist())


def _must_match(first: Candidates, one: Candidates) -> None:
    if (one.channels, one.creditors) != (first.channels, first.creditors) or len(one.channel) != len(first.channel):
        raise OtherGrid(
            f"expected candidates of {len(first.channel)} actions, channels {first.channels}, creditors {first.creditors}, "
            f"came {len(one.channel)}, {one.channels}, {one.creditors}: reduce every shard under the same settings"
        )


def _room(like: AnyArray, size: int) -> AnyArray:
    return np.empty((size, *like.shape[1:]), dtype=like.dtype)


def _counted(counts: list[IntArray]) -> IntArray:
    """Starts of ranges from how much each holds."""
    return np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
