"""How new the newest rows are, and how long the collection system takes to know of what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from data.outcomes import FloatArray, instants_us
from data.quality.finding import ENOUGH, SLIP, Finding, share_of
from data.quality.tally import Sums, Tally, folded, histogram, total
from data.quality.timeline import TIMES
from data.times import NEVER

HEADING = "Freshness"

LAGGED = tuple(table for table in TIMES if table in ("claim_events", "contacts", "contact_events", "payments"))
"""Tables that may say when the collection system came to know of a row."""

EDGES_S: FloatArray = np.geomspace(1.0, 10 * 366 * 86_400, num=200)
"""Seconds at which one bin of delays ends and the next begins: each about a tenth longer than the one before."""

EARLY, AT_ONCE = -1, 0
"""Bins of rows known before they happened, and known within a second."""


@dataclass(frozen=True)
class Freshness:
    """Newest rows and delays.

    Attributes
    ----------
    delays
        (table, bin of the delay): rows that say when they became known. Bin 0 ends at one second, bin -1 is negative.
    unsaid
        (table): rows, those without `known_at`, which count as known when they happened.
    newest_us
        (table, newest instant): rows of one shard; the largest key is that of the portfolio.
    horizon_days
        Days in which an outcome counts.
    """

    delays: Tally
    unsaid: Tally
    newest_us: Tally
    horizon_days: float

    def plus(self, other: Freshness) -> Freshness:
        """Both shards together."""
        return Freshness(
            total(self.delays, other.delays),
            total(self.unsaid, other.unsaid),
            total(self.newest_us, other.newest_us),
            self.horizon_days,
        )

    def rows(self) -> list[dict[str, Any]]:
        """One entry for each table: newest row, and median and 95 % quantile of the delay in hours, to a tenth."""
        found = []
        for table in TIMES:
            newest = [int(instant) for name, instant in self.newest_us if name == table]
            rows, unsaid = self.unsaid.get((table,), (0, 0))
            delays = {int(bin_): count for (name, bin_), (count,) in self.delays.items() if name == table}
            found.append(
                {
                    "table": table,
                    "newest": _iso(max(newest)) if newest else None,
                    "known_at_share": share_of(rows - unsaid, rows),
                    "median_h": _quantile_h(delays, 0.5),
                    "p95_h": _quantile_h(delays, 0.95),
                    "early": delays.get(EARLY, 0),
                }
            )
        return found

    def findings(self) -> Iterator[Finding]:
        """Rows known before they happened, and delays so long that a horizon ends before its outcomes are known."""
        lagged = folded(self.delays, keep=1, width=1)
        for row in self.rows():
            known = lagged.get((row["table"],), (0,))[0]
            if row["early"] > SLIP * known:
                sentence = "rows were known before they happened"
                remedy = "see whether the two times are in different zones: what is learnt would know the future"
                share = share_of(row["early"], known)
                yield Finding("look", HEADING, row["table"], sentence, row["early"], share, remedy)
            if known >= ENOUGH and row["p95_h"] is not None and row["p95_h"] > 24 * self.horizon_days:
                sentence = (
                    f"one in twenty rows becomes known more than {row['p95_h'] / 24:.0f} days after it happened, when a "
                    f"horizon of {self.horizon_days:g} days is over"
                )
                remedy = "wait that much longer before decisions count as not followed by a payment"
                yield Finding("look", HEADING, row["table"], sentence, round(known / 20), 0.05, remedy)


def freshness(tables: Mapping[str, pa.Table], *, horizon_days: float) -> Freshness:
    """Newest rows and delays of tables in contract types."""
    delays: Sums = {}
    unsaid: Sums = {}
    newest: Sums = {}
    for table, column in TIMES.items():
        happened_us = instants_us(tables[table].column(column))
        if len(seen := happened_us[happened_us != NEVER]):
            newest[table, int(seen.max())] = (1,)
        if table in LAGGED:
            known_us = instants_us(tables[table].column("known_at"))
            said = (known_us != NEVER) & (happened_us != NEVER)
            unsaid[table,] = (len(said), int((~said).sum()))
            delay_s = (known_us[said] - happened_us[said]) / 1_000_000
            bins = np.where(delay_s < 0, EARLY, np.searchsorted(EDGES_S, delay_s, side="left"))
            counts = histogram(bins + 1, size=len(EDGES_S) + 2)
            delays |= {(table, int(place) - 1): (int(counts[place]),) for place in np.flatnonzero(counts)}
    return Freshness(delays, unsaid, newest, horizon_days)


def _quantile_h(delays: Mapping[int, int], share: float) -> float | None:
    """Hours within which this share of rows became known, the end of its bin; None for no rows."""
    bins = sorted(delays)
    if not bins:
        return None
    so_far = np.cumsum([delays[one] for one in bins])
    place = bins[int(np.searchsorted(so_far, share * so_far[-1]))]
    if place <= AT_ONCE:
        return 0.0
    return round(float(EDGES_S[min(place, len(EDGES_S) - 1)]) / 3600, 2)


def _iso(instant_us: int) -> str:
    """An instant in ISO style to the minute, also where Python's calendar does not reach."""
    return str(np.datetime64(instant_us, "us").astype("datetime64[m]")) + "Z"
