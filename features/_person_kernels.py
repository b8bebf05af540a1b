"""What is known of a person at a moment: the latest profile, and the channels that lead to him or her."""

from __future__ import annotations

import numpy as np
from numba import njit

from data.times import IntArray
from features.columns import BoolArray, FloatArray
from features.tables import ContactPoints, Profiles


@njit(cache=True, nogil=True)
def last_profile(
    debtor: IntArray, as_of: IntArray, profiles: Profiles, profile: FloatArray, since_us: IntArray
) -> None:
    """Latest profile at each moment. OUT: profile (d, 3), income, employment, other debts, comes in as NaN; since_us (d,)."""
    for i in range(len(debtor)):
        last = -1
        for j in range(profiles.start[debtor[i]], profiles.start[debtor[i] + 1]):
            if profiles.valid_from_us[j] > as_of[i]:
                break
            last = j
        if last >= 0:
            since_us[i] = profiles.valid_from_us[last]
            profile[i, 0] = profiles.income[last] if profiles.income[last] >= 0 else np.nan
            profile[i, 1] = profiles.employment[last] if profiles.employment[last] >= 0 else np.nan
            profile[i, 2] = profiles.other_debts[last]


@njit(cache=True, nogil=True)
def usable_points(debtor: IntArray, as_of: IntArray, points: ContactPoints, usable: BoolArray) -> None:
    """Channels with a verified, consented address at each moment, whatever its kind. OUT: usable (d, C), comes in as False."""
    for i in range(len(debtor)):
        for j in range(points.start[debtor[i]], points.start[debtor[i] + 1]):
            if points.valid_from_us[j] > as_of[i]:
                break
            until = min(points.valid_to_us[j], points.doubted_us[j])
            consented = as_of[i] < points.withdrawn_us[j]
            if points.verified_us[j] <= as_of[i] < until and consented and points.channel[j] >= 0:
                usable[i, points.channel[j]] = True
