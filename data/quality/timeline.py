"""Rows over time of each table, where it falls silent, and what lies outside any sensible time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from data.quality.finding import SLIP, Finding, Level, share_of
from data.quality.silence import Gap, silent_gaps
from data.quality.tally import Sums, Tally, added, tally
from data.times import DAY_US, IntArray, from_day, to_day

HEADING = "Rows over time"

TIMES: Mapping[str, str] = {
    "debtors": "registered_at",
    "debtor_profiles": "valid_from",
    "contact_points": "valid_from",
    "claims": "registered_at",
    "claim_events": "at",
    "contacts": "decided_at",
    "contact_events": "at",
    "payments": "paid_at",
}
"""The column that says when a row happened."""

RUNNING = ("contacts", "contact_events", "payments")
"""Tables that go on side by side: where one has rows, the others should."""

OUTCOMES = ("contact_events", "payments")
"""Tables whose absence makes a decision look as if nothing had come of it."""

FAR_DAYS = 366
"""Empty days that set stray rows apart from the body of a table."""

FEW = 3
"""Rows that may be stray in a table in which one in a thousand is less than one."""

SENSIBLE = (to_day(date(1900, 1, 1)), to_day(date(2199, 12, 31)))
"""Days outside count as the nearest of these two, which is far enough from all others to be told."""


class Body(NamedTuple):
    """Days with rows (days since the epoch) and rows on them, stray ones cut off."""

    day: IntArray
    rows: IntArray


@dataclass(frozen=True)
class Timeline:
    """Rows by day.

    Attributes
    ----------
    days
        (table, day since the epoch, UTC): rows.
    countries
        (country): debtors, by whose public holidays silence is excused.
    """

    days: Tally
    countries: Tally

    def plus(self, other: Timeline) -> Timeline:
        """Both shards together."""
        return added(self, other)

    def of(self, table: str) -> Body:
        """All days of a table in order, stray ones too."""
        found = sorted((int(day), rows) for (name, day), (rows,) in self.days.items() if name == table)
        return Body(np.array([d for d, _ in found], dtype=np.int64), np.array([r for _, r in found], dtype=np.int64))

    def body(self, table: str) -> Body:
        """Days of a table without the few rows that lie a year or more before or after all others."""
        whole = self.of(table)
        first, last = 0, len(whole.day)
        slips = max(SLIP * whole.rows.sum(), min(FEW, whole.rows.sum() / 10))
        for cut in np.flatnonzero(np.diff(whole.day) >= FAR_DAYS) + 1:
            first = int(cut) if whole.rows[:cut].sum() <= slips else first
            last = min(last, int(cut)) if whole.rows[cut:].sum() <= slips else last
        return Body(whole.day[first:last], whole.rows[first:last])

    def gaps(self) -> list[tuple[str, Gap]]:
        """Stretches without rows by table.

        Tables that run side by side are held against one another's ends. Contact events can only be there while there are
        contacts: they are held against theirs, and where contacts pause, their events do too.
        """
        free = self._holiday_countries()
        bodies = {table: body for table in TIMES if len((body := self.body(table)).day)}
        found: list[tuple[str, Gap]] = []
        for table, body in bodies.items():
            since, until = _span(table, bodies)
            mine = silent_gaps(*body, since=since, until=until, countries=free)
            pauses = [gap for name, gap in found if name == "contacts" and table == "contact_events"]
            found.extend((table, gap) for gap in mine if not any(gap.within(pause) for pause in pauses))
        return found

    def _holiday_countries(self) -> tuple[str, ...]:
        """Countries of at least a tenth of the debtors: whose holidays can empty a day."""
        debtors = sum(count for (count,) in self.countries.values())
        return tuple(str(country) for (country,), (count,) in self.countries.items() if 10 * count >= debtors)

    def rows(self) -> dict[str, Any]:
        """Rows by table and month, or week where less than half a year is covered, and the gaps."""
        bodies = {table: self.body(table) for table in TIMES}
        shown = [body for body in bodies.values() if len(body.day)]
        span = max((int(b.day[-1]) for b in shown), default=0) - min((int(b.day[0]) for b in shown), default=0)
        period = "week" if span < 183 else "month"
        return {
            "period": period,
            "tables": {table: _by_period(body, period) for table, body in bodies.items()},
            "gaps": [{"table": table, **gap.as_dict()} for table, gap in self.gaps()],
        }

    def findings(self) -> Iterator[Finding]:
        """Silent gaps, and rows far outside the others."""
        for table, gap in self.gaps():
            level: Level = "problem" if table in OUTCOMES else "look"
            asked = (
                "decisions before it look as if nothing had come of them: hand the rows over, or leave that time out"
            )
            remedy = asked if table in OUTCOMES else "see whether the export is whole, or the business paused"
            yield Finding(level, HEADING, table, gap.told(), remedy=remedy)
        yield from self._strays()

    def _strays(self) -> Iterator[Finding]:
        for table, column in TIMES.items():
            whole, body = self.of(table), self.body(table)
            count = int(whole.rows.sum() - body.rows.sum())
            if count:
                far = whole.day[~np.isin(whole.day, body.day)]
                sentence = f"{column} lies a year or more away from all other rows, for instance {_date(int(far[0]))}"
                share = share_of(count, int(whole.rows.sum()))
                yield Finding("look", HEADING, table, sentence, count, share, "correct the time, or leave the rows out")


def _span(table: str, bodies: Mapping[str, Body]) -> tuple[int, int]:
    """First and last day on which a table could have rows."""
    day = bodies[table].day
    if table == "contact_events" and "contacts" in bodies:
        decided = bodies["contacts"].day
        return int(decided[0]), int(decided[-1])
    beside = [int(bodies[name].day[-1]) for name in RUNNING if name in bodies and table in RUNNING]
    return int(day[0]), max([int(day[-1]), *beside])


def timeline(tables: Mapping[str, pa.Table]) -> Timeline:
    """Rows by day of tables in contract types; rows without a time are left out."""
    days: Sums = {}
    for table, column in TIMES.items():
        given = tables[table].column(column).drop_null()
        day = np.clip(given.cast(pa.int64()).to_numpy() // DAY_US, *SENSIBLE)
        days |= {(table, *key): rows for key, rows in tally({"day": day}).items()}
    return Timeline(days, tally({"country": tables["debtors"].column("country")}))


def _by_period(body: Body, period: str) -> list[dict[str, Any]]:
    """Rows of each month or week (from Monday), empty ones included."""
    if not len(body.day):
        return []
    start = _starts(body.day, period)
    every = np.unique(_starts(np.arange(body.day[0], body.day[-1] + 1), period))
    rows = np.bincount(np.searchsorted(every, start), weights=body.rows, minlength=len(every)).astype(np.int64)
    return [{"from": _date(int(day)), "rows": int(count)} for day, count in zip(every, rows, strict=True)]


def _starts(day: IntArray, period: str) -> IntArray:
    """First day of the month or week of each day."""
    if period == "week":
        starts: IntArray = day - (day + 3) % 7
        return starts
    starts = day.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return np.asarray(starts, dtype=np.int64)


def _date(day: int) -> str:
    return from_day(day).isoformat()
