"""Stretches without a row where a table's own habit says that there should be some.

The rule works by what is usual for the table, so that a tenant who works on Tuesdays, sends on the first of the month or
has three rows a week is held against that habit, not against ours. A stretch of days without a row is silent when

1. at least 20 rows were expected in it. Each day expects the mean of the same weekday within four weeks on either side:
   weekends and days off of every week expect nothing. Public holidays of the portfolio's countries, and 24 December to
   1 January, expect nothing either;
2. it is at least five days long, longer than any weekend joined to a holiday;
3. it is more than twice as long as the table's usual stretches (three quarters of the others are no longer), so that
   rows that come in batches do not raise an alarm between batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from data.calendar import public_holidays
from data.quality.finding import EXPECTED
from data.times import IntArray, from_day, to_day

SHORTEST_DAYS = 5
AROUND_DAYS = 28
USUAL = 2.0


@dataclass(frozen=True)
class Gap:
    """A silent stretch: first and last day without a row (days since the epoch), and rows expected in it.

    `ends` says where the table's rows begin or end with it: `begins`, `stops`, or `between`.
    """

    first: int
    last: int
    expected: float
    ends: str

    def within(self, other: Gap) -> bool:
        """Whether at least half of it lies in another."""
        shared = min(self.last, other.last) - max(self.first, other.first) + 1
        return 2 * shared >= self.last - self.first + 1

    def told(self) -> str:
        """As a sentence."""
        days = self.last - self.first + 1
        how = {"begins": "no row before this table begins", "stops": "the rows stop", "between": "silent"}[self.ends]
        span = f"from {from_day(self.first)} to {from_day(self.last)} ({days:,} days)"
        return f"{how}: none {span}, where about {self.expected:,.0f} rows were to be expected"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        first, last = from_day(self.first).isoformat(), from_day(self.last).isoformat()
        return {"from": first, "to": last, "expected": round(self.expected, 1), "ends": self.ends}


def silent_gaps(
    day: IntArray, rows: IntArray, *, since: int, until: int, countries: Sequence[str] = ()
) -> Iterator[Gap]:
    """Silent stretches of a table, as the module says.

    Parameters
    ----------
    day, rows
        Days with rows in order, days since the epoch, and how many, shape (n,), n of at least 1.
    since, until
        First and last day on which rows could be there.
    countries
        ISO 3166-1; on their public holidays no rows are expected.

    >>> days = np.array([d for d in range(19_000, 19_200) if d % 7 < 5 and not 19_100 <= d < 19_120])
    >>> [(gap.first, gap.last, round(gap.expected)) for gap in silent_gaps(days, days * 0 + 10, since=19_000, until=19_199)]
    [(19100, 19119, 140)]
    """
    first, last = min(since, int(day[0])), max(until, int(day[-1]))
    counts = np.zeros(last - first + 1, dtype=np.int64)
    counts[day - first] = rows
    starts, lengths = _empty_runs(counts)
    off = _days_off(first, last, countries)
    for number, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        if length < SHORTEST_DAYS or length <= USUAL * _usual(np.delete(lengths, number)):
            continue
        expected = _expected(counts, start, length, off=off)
        if expected >= EXPECTED:
            ends = "begins" if start == 0 else "stops" if start + length == len(counts) else "between"
            yield Gap(first + start, first + start + length - 1, expected, ends)


def _empty_runs(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Begin and length of each run of days without rows."""
    edges = np.diff(np.concatenate([[0], (counts == 0).astype(np.int64), [0]]))
    starts = np.flatnonzero(edges == 1)
    return starts, np.flatnonzero(edges == -1) - starts


def _usual(lengths: IntArray) -> float:
    return float(np.quantile(lengths, 0.75)) if len(lengths) else 0.0


def _expected(counts: IntArray, start: int, length: int, *, off: IntArray) -> float:
    """Rows that the days of a run would have had, by the same weekdays around it."""
    end = start + length
    around = np.r_[max(0, start - AROUND_DAYS) : start, end : min(len(counts), end + AROUND_DAYS)]
    around = around[~np.isin(around, off)]
    run = np.setdiff1d(np.arange(start, end), off)
    expected = 0.0
    for weekday in range(7):
        same = counts[around[around % 7 == weekday]]
        expected += float(same.mean()) * int((run % 7 == weekday).sum()) if len(same) else 0.0
    return expected


def _days_off(first: int, last: int, countries: Sequence[str]) -> IntArray:
    """Places, from `first` on, of days on which nothing is expected."""
    days: set[date] = set()
    for year in range(from_day(first).year, from_day(last).year + 1):
        days |= {date(year, 1, 1), *(date(year, 12, day) for day in range(24, 32))}
        days = days.union(*(public_holidays(country, None, year=year) for country in countries))
    return np.array(sorted(to_day(day) - first for day in days), dtype=np.int64)
