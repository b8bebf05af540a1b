"""No contact over a claim inside a period that the law leaves the debtor to pay or object."""

from __future__ import annotations

import numpy as np

from data.action_grid import BoolArray
from data.times import DAY_US, IntArray
from data.vocabulary import STAGES
from models.rules.coverage import coverable
from models.rules.pack import Pack, Wait
from models.rules.rule import Barred, Facts, Rule
from models.rules.waits import extend, may_last, wait_ends, waits_of
from models.rules.zones import Candidates


def bars(facts: Facts) -> Barred:
    """Slots before the last period of the claims that a contact would cover is over; calls where no course is known."""
    if not facts.situation.claims.course_known:
        return Barred(channels=facts.every_debtor & facts.channels_named("phone"))
    until_us = np.zeros((facts.situation.size, len(facts.grid.channels) - 1), dtype=np.int64)
    covered = coverable(facts)
    for pack, here in facts.with_pack():
        for wait in waits_of(pack, "stage"):
            _put_off(facts, pack, wait, covered & here[facts.situation.claims.debtor], until_us=until_us)
    return Barred(until_us=until_us)


def _put_off(facts: Facts, pack: Pack, wait: Wait, claims: BoolArray, *, until_us: IntArray) -> None:
    """Put off a wait's channels to the end of each claim's period. OUT: until_us (n, C)."""
    mine, channels = facts.situation.claims, facts.channels_named(*wait.channels)
    inside = claims & np.isin(mine.stage, [STAGES.index(name) for name in wait.stages])
    since_us = np.maximum(mine.stage_us, mine.statutory_us)
    running = np.flatnonzero(inside & may_last(wait, since_us, as_of_us=facts.situation.as_of_us[mine.debtor]))
    rows = mine.debtor[running]
    extend(until_us, rows, wait_ends(facts, rows, pack=pack, wait=wait, since_us=since_us[running]), channels=channels)
    today = facts.situation.as_of_us[mine.debtor] // DAY_US - 1
    dated = np.flatnonzero(inside & (mine.next_due_day > today))
    rows = mine.debtor[dated]
    zones = Candidates.of(facts, rows)
    extend(until_us, rows, zones.begins(mine.next_due_day[dated[zones.row]].astype(np.int64)), channels=channels)


RULE = Rule(
    "statutory_period",
    "legal",
    "In a stage of its course for which the country's rule pack sets a period, a claim is not covered by any contact before the period is "
    "over, counted from the beginning of the stage or the last letter that the law prescribes, and not before the date until which the "
    "stage itself leaves the debtor time; a channel waits for every claim that the contact would cover. Where nothing is known of the "
    "course of claims, nobody is called.",
    bars,
)
