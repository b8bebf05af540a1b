"""Bounds that hold each other: what agrees with a smaller odds ratio agrees with every larger one."""

from __future__ import annotations

import numpy as np

from training.logged.effect import Bound


def nested(bounds: tuple[Bound, ...]) -> tuple[Bound, ...]:
    """Bounds by rising odds ratio, each at least as wide as the one before.

    The range itself widens by its definition; its estimate, and the interval around it, may do otherwise by chance.

    >>> [one.high for one in nested((Bound(1.0, 0.0, 0.0, 0.0, 5.0), Bound(1.2, -1.0, -1.0, 1.0, 4.0)))]
    [5.0, 5.0]
    """
    ends = np.array([(one.low, one.least, one.most, one.high) for one in bounds]).reshape(len(bounds), 4)
    lower, upper = np.minimum.accumulate(ends[:, :2], axis=0), np.maximum.accumulate(ends[:, 2:], axis=0)
    return tuple(
        Bound(one.odds_ratio, *below, *above)
        for one, below, above in zip(bounds, lower.tolist(), upper.tolist(), strict=True)
    )
