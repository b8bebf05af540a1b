"""Profiles over the day: 24 counts, one for each local hour, and by how many hours one is shifted against another."""

from __future__ import annotations

import numpy as np

from data.outcomes import FloatArray

Profile = FloatArray
"""Rows by local hour, shape (24,)."""

NIGHT = np.array([22, 23, 0, 1, 2, 3, 4, 5])

APART = 0.3
"""Share of rows that would have to move for two profiles to agree, above which they are far apart."""


def night_share(profile: Profile) -> float:
    """Share of rows between 22 and 6 o'clock, 0 for no rows.

    >>> night_share(np.eye(24)[23])
    1.0
    """
    rows = float(profile.sum())
    return float(profile[NIGHT].sum()) / rows if rows else 0.0


def distance(left: Profile, right: Profile) -> float:
    """Share of rows that would have to move for two profiles to agree, 0-1 (total variation)."""
    return float(np.abs(left / left.sum() - right / right.sum()).sum() / 2)


def best_shift(profile: Profile, other: Profile) -> int:
    """Hours by which `profile` lies later than `other`, -11 to 12; 0 where they agree, or no shift makes them.

    >>> day = np.concatenate([np.zeros(8), np.arange(1.0, 11.0), np.zeros(6)])
    >>> best_shift(np.roll(day, 2), day), best_shift(day, day), best_shift(np.ones(24), day)
    (2, 0, 0)
    """
    apart = {shift: distance(np.roll(profile, -shift), other) for shift in range(-11, 13)}
    nearest = min(apart, key=lambda shift: (apart[shift], abs(shift)))
    return nearest if apart[0] > APART and apart[nearest] < apart[0] / 2 else 0
