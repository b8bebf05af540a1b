"""Whether the trees of a LightGBM text hang together: LightGBM itself does not ask, and walks in a circle for ever."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.bundle_files import BadBundle

TREE = "\nTree="


def must_hang_together(texts: Mapping[str, str]) -> None:
    """Refuses a model text with a tree whose nodes are not each the child of one node, or with a leaf that is no number.

    Rows reach some leaves seldom; this looks at all of them.

    Raises
    ------
    BadBundle
        File and tree.
    """
    for name, text in texts.items():
        if not name.endswith(".txt") or not text:
            continue
        head, *trees = text.partition("\nend of trees")[0].split(TREE)
        width = int(_fields(head).get("max_feature_idx", "-1")) + 1
        for number, block in enumerate(trees):
            reason = _wrong(_fields(block), width)
            if reason:
                raise BadBundle(f"{name}: tree {number} {reason}: the model is broken, restore or train again")


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _wrong(fields: Mapping[str, str], width: int) -> str:
    """What is wrong with a tree, empty for nothing."""
    left, right, feature = (_whole(fields, name) for name in ("left_child", "right_child", "split_feature"))
    leaves = np.array(fields.get("leaf_value", "").split(), dtype=np.float64)
    if not np.isfinite(leaves).all():
        return "has a leaf that is no finite number"
    if ((feature < 0) | (feature >= width)).any():
        return f"asks for a column that is none of {width}"
    splits = len(feature)
    # each split but the first and each leaf is the child of one split: then no walk from the first comes back
    expected = np.arange(-splits - 1, splits)
    found = np.sort(np.concatenate([left, right]))
    whole = len(leaves) == splits + 1 and (not splits or np.array_equal(found, expected[expected != 0]))
    return "" if whole else "does not hang together: expected every split and leaf below one other split"


def _whole(fields: Mapping[str, str], name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(fields.get(name, "").split(), dtype=np.int64)
