"""Loops over debtors and open claims: which waits may still last, and until when channels wait.

Shapes: n debtors, m open claims, C contact channels, W waits of some packs, k events that a wait may still last after. `pack` (W,)
is the number of each wait's pack, `of_debtor` (n,) that of each debtor's, -1 for none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from data.times import DAY_US, NEVER, DayArray, IntArray
from features.columns import BoolArray, CodeArray


class Courses(NamedTuple):
    """Where open claims stand, (m,) each, as `data.situation.OpenClaims` tells it."""

    debtor: IntArray
    stage: CodeArray
    stage_us: IntArray
    statutory_us: IntArray
    next_due_day: DayArray


class Begun(NamedTuple):
    """Waits that may still last: debtor, number of the wait and the event's instant, or a date it lasts to the end of; (k,) each."""

    debtor: IntArray
    wait: IntArray
    since: IntArray


@njit(inline="always")
def _room(count: int) -> Begun:
    return Begun(np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64))


@njit(inline="always")
def _lasts(since_us: int, as_of_us: int, longest_us: int) -> bool:
    """False where there was no event (0), or the wait is over for certain."""
    return since_us > 0 and since_us > as_of_us - longest_us


@njit(cache=True, nogil=True)
def after_event(
    since_us: IntArray, as_of_us: IntArray, of_debtor: IntArray, pack: IntArray, longest_us: IntArray
) -> Begun:
    """Waits after an event of each debtor (n,), 0 where there was none."""
    count = 0
    for i in range(len(since_us)):
        for w in range(len(pack)):
            count += of_debtor[i] == pack[w] and _lasts(since_us[i], as_of_us[i], longest_us[w])
    found, k = _room(count), 0
    for i in range(len(since_us)):
        for w in range(len(pack)):
            if of_debtor[i] == pack[w] and _lasts(since_us[i], as_of_us[i], longest_us[w]):
                found.debtor[k], found.wait[k], found.since[k] = i, w, since_us[i]
                k += 1
    return found


@njit(cache=True, nogil=True)
def after_stage(
    covered: BoolArray,
    claims: Courses,
    as_of_us: IntArray,
    of_debtor: IntArray,
    pack: IntArray,
    longest_us: IntArray,
    stages: BoolArray,
) -> tuple[Begun, Begun]:
    """Waits of covered claims (m,): since an event, and to the end of the date until which the stage leaves time.

    `stages` (W, stages + 1) are those that begin each wait, False behind them for one not known (-1). A statutory step begins
    every wait of the pack.
    """
    debtor, stage, stage_us, statutory_us, next_due_day = claims
    event, date, events, dates = _room(0), _room(0), 0, 0
    for again in range(2):
        if again:
            event, date, events, dates = _room(events), _room(dates), 0, 0
        for claim in range(len(covered)):
            i = debtor[claim]
            for w in range(len(pack)):
                if not covered[claim] or of_debtor[i] != pack[w]:
                    continue
                inside = stages[w, stage[claim]]
                since_us = max(stage_us[claim] if inside else 0, statutory_us[claim])
                if _lasts(since_us, as_of_us[i], longest_us[w]):
                    if again:
                        event.debtor[events], event.wait[events], event.since[events] = i, w, since_us
                    events += 1
                if inside and next_due_day[claim] > as_of_us[i] // DAY_US - 2:  # on whatever clock
                    if again:
                        date.debtor[dates], date.wait[dates], date.since[dates] = i, w, next_due_day[claim]
                    dates += 1
    return event, date


@njit(cache=True, nogil=True)
def put_off(until_us: IntArray, debtor: IntArray, ends_us: IntArray, wait: IntArray, channels: BoolArray) -> None:
    """Put off each wait's channels (W, C) to its end (k,); IN/OUT `until_us` (n, C)."""
    for k in range(len(debtor)):
        for c in range(until_us.shape[1]):
            if channels[wait[k], c] and ends_us[k] > until_us[debtor[k], c]:
                until_us[debtor[k], c] = ends_us[k]


@njit(cache=True, nogil=True)
def never_about(until_us: IntArray, claims: BoolArray, debtor: IntArray, channels: BoolArray) -> None:
    """Put off some channels (C,) of the debtors of some claims (m,) for ever; IN/OUT `until_us` (n, C)."""
    for claim in range(len(claims)):
        for c in range(until_us.shape[1]):
            if claims[claim] and channels[c]:
                until_us[debtor[claim], c] = NEVER


@njit(cache=True, nogil=True)
def put_off_unwritten(
    until_us: IntArray,
    covered: BoolArray,
    debtor: IntArray,
    first_sent_us: IntArray,
    first_statutory_us: IntArray,
    of_debtor: IntArray,
    forms: BoolArray,
    channels: BoolArray,
    moment_us: int,
) -> bool:
    """Put off channels to a moment after the first writing about each covered claim, `NEVER` without; IN/OUT `until_us`.

    `forms` (packs + 1, 1 + C) and `channels` (packs + 1, C) by number of the debtor's pack, all False for none. Gives whether
    any was put off.
    """
    some = False
    for claim in range(len(covered)):
        i = debtor[claim]
        pack, written_us = of_debtor[i], first_statutory_us[claim]
        if not covered[claim] or not channels[pack].any():
            continue
        for c in range(forms.shape[1]):
            if forms[pack, c]:
                written_us = min(written_us, first_sent_us[claim, c])
        free_us = written_us if written_us == NEVER else written_us + moment_us
        for c in range(until_us.shape[1]):
            if channels[pack, c] and free_us > until_us[i, c]:
                until_us[i, c] = free_us
                some = True
    return some
