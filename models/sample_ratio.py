"""Whether the arms have the sizes they were drawn with: debtors lost or moved would make any comparison between them false."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from data.config import ArmSettings
from data.vocabulary import ARMS

SUSPICIOUS = 0.001
"""Sizes this unlikely, or less, are told of: once in a thousand nights it is chance."""


@dataclass(frozen=True)
class SampleRatio:
    """Debtors per arm against the shares set in the configuration."""

    arms: tuple[str, ...]
    debtors: tuple[int, ...]
    expected: tuple[float, ...]
    chi_square: float
    p_value: float

    def told(self) -> str:
        """The sizes and the chance of such ones, to read."""
        sizes = zip(self.arms, self.debtors, self.expected, strict=True)
        each = ", ".join(f"{arm} {count:,} (planned {planned:,.0f})" for arm, count, planned in sizes)
        return f"{each}; chance of sizes this far off {self.p_value:.2g}"


def sample_ratio(debtors: Mapping[str, int], settings: ArmSettings) -> SampleRatio:
    """Chi-square test of the number of debtors per arm against the shares in the configuration.

    Pearson (1900). An arm met in the counts that the configuration gives no share makes the p-value 0: something else
    drew the arms.

    >>> sample_ratio({"control": 10, "explore": 5, "champion": 85}, ArmSettings()).p_value
    1.0
    >>> sample_ratio({"control": 40, "champion": 60}, ArmSettings()).p_value < SUSPICIOUS
    True
    """
    shares = np.array([getattr(settings, arm) for arm in ARMS])
    found = np.array([debtors.get(arm, 0) for arm in ARMS], dtype=np.int64)
    expected = shares * found.sum()
    drawn = shares > 0
    if found[~drawn].any():
        chi_square, p_value = float("inf"), 0.0
    elif drawn.sum() < 2 or not found.any():
        chi_square, p_value = 0.0, 1.0
    else:
        chi_square, p_value = map(float, stats.chisquare(found[drawn], expected[drawn]))
    arms = tuple(arm for arm, share, count in zip(ARMS, shares, found, strict=True) if share > 0 or count > 0)
    rows = [ARMS.index(arm) for arm in arms]
    return SampleRatio(arms, tuple(found[rows].tolist()), tuple(expected[rows].tolist()), chi_square, p_value)
