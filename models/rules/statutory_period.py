"""No contact over a claim inside a period that the law leaves the debtor to pay or object."""

from __future__ import annotations

import numpy as np

from data.action_grid import BoolArray
from data.times import DAY_US, NEVER, IntArray
from data.vocabulary import STAGES
from models.rules.coverage import coverable
from models.rules.pack import Pack, Wait
from models.rules.rule import Barred, Facts, Rule
from models.rules.waits import extend, may_last, wait_ends, waits_of
from models.rules.zones import Candidates


def bars(facts: Facts) -> Barred:
    """Slots before the last period of the claims that a contact would cover is over; calls about one whose stage is not known."""
    until_us = np.zeros((facts.situation.size, len(facts.grid.channels) - 1), dtype=np.int64)
    mine, covered = facts.situation.claims, coverable(facts)
    unknown = mine.debtor[covered & (mine.stage < 0)]
    extend(until_us, unknown, np.full(len(unknown), NEVER), channels=facts.channels_named("phone"))
    for pack, here in facts.with_pack():
        for wait in waits_of(pack, "stage"):
            _put_off(facts, pack, wait, covered & here[mine.debtor], until_us=until_us)
    return Barred(until_us=until_us)


def _put_off(facts: Facts, pack: Pack, wait: Wait, claims: BoolArray, *, until_us: IntArray) -> None:
    """Put off a wait's channels to the end of each claim's period. OUT: until_us (n, C).

    A letter that the law prescribes begins every period of the pack: the stage that is told may lag behind it.
    """
    mine, channels = facts.situation.claims, facts.channels_named(*wait.channels)
    inside = np.isin(mine.stage, [STAGES.index(name) for name in wait.stages])
    since_us = np.maximum(np.where(inside, mine.stage_us, 0), mine.statutory_us)
    running = np.flatnonzero(claims & may_last(wait, since_us, as_of_us=facts.situation.as_of_us[mine.debtor]))
    rows = mine.debtor[running]
    extend(until_us, rows, wait_ends(facts, rows, pack=pack, wait=wait, since_us=since_us[running]), channels=channels)
    past = facts.situation.as_of_us[mine.debtor] // DAY_US - 2  # on whatever clock
    dated = np.flatnonzero(claims & inside & (mine.next_due_day > past))
    rows = mine.debtor[dated]
    zones = Candidates.of(facts, rows)
    morrow = mine.next_due_day[dated[zones.row]].astype(np.int64) + 1
    extend(until_us, rows, zones.begins(morrow), channels=channels)


RULE = Rule(
    "statutory_period",
    "legal",
    "A claim is not covered by any contact before the period is over that the country's rule pack sets for its stage, counted from the "
    "beginning of the stage or the last step that the law prescribes, nor on or before the date until which the stage itself leaves "
    "the debtor time. After such a step every period of the pack holds, whatever stage is told; about a claim whose stage is not known "
    "nobody is called. A channel waits for every claim that the contact would cover.",
    bars,
)
