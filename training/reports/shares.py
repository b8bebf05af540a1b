"""When the shares of the arms changed: where one experiment ends and the next begins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from data.vocabulary import ARMS
from training.reports.evidence import Evidence

BoolArray = npt.NDArray[np.bool_]


def share_changes(evidence: Evidence) -> IntArray:
    """Instants from which on the shares of the arms were others than before; the first is the first drawn decision.

    An arm that was met between its own change and that of another has changed apart from it; else both are one change.
    """
    rows = evidence.rows
    drawn = rows.randomised & ~evidence.objected[rows.debtor] & np.isfinite(rows.arm_probability)
    if not drawn.any():
        return np.array([rows.decided_us.min()])
    times = [np.sort(rows.decided_us[drawn & (rows.arm == arm)]) for arm in range(len(ARMS))]
    changes = sorted(one for arm in range(len(ARMS)) for one in _runs(evidence, drawn & (rows.arm == arm), arm))
    begins, known = [min(int(one[0]) for one in times if len(one))], dict[int, float]()
    for at_us, arm, share, before in changes:
        met_since = np.searchsorted(times[arm], at_us) > np.searchsorted(times[arm], begins[-1])
        if known.get(arm, before if met_since else share) != share:
            begins.append(at_us)
            known = {}
        known[arm] = share
    return np.array(begins)


def _runs(evidence: Evidence, here: BoolArray, arm: int) -> list[tuple[int, int, float, float]]:
    """Where an arm's share became another: instant, arm, the share from then on, and the one before."""
    rows = np.flatnonzero(here)
    rows = rows[np.argsort(evidence.rows.decided_us[rows], kind="stable")]
    share = evidence.rows.arm_probability[rows].round(9)
    first = np.flatnonzero(np.append(True, share[1:] != share[:-1])[: len(share)])
    before = np.append(np.nan, share)[first]
    at_us = evidence.rows.decided_us[rows[first]]
    each = zip(at_us.tolist(), share[first].tolist(), before.tolist(), strict=True)
    return [(int(at), arm, float(now), float(was)) for at, now, was in each]
