"""No contact over a claim inside a period that the law leaves the debtor to pay or object."""

from __future__ import annotations

import numpy as np

from data.times import DAY_US, NEVER, IntArray
from models.rules.coverage import coverable
from models.rules.rule import Barred, Facts, Rule
from models.rules.waits import Waits, extend, may_last, no_wait, wait_ends, waits_of
from models.rules.zones import Candidates


def bars(facts: Facts) -> Barred:
    """Slots before the last period of the claims that a contact would cover is over; calls about one whose stage is not known."""
    until_us, mine, covered = no_wait(facts), facts.situation.claims, coverable(facts)
    unknown = mine.debtor[covered & (mine.stage < 0)]
    if len(unknown):
        extend(until_us, unknown, np.full(len(unknown), NEVER), channels=facts.channels_named("phone"))
    waits = waits_of(facts.packs_here, "stage", facts.grid.channels)
    if len(waits):
        _put_off(facts, waits, np.flatnonzero(covered), until_us=until_us)
    return Barred(until_us=until_us)


def _put_off(facts: Facts, waits: Waits, claims: IntArray, *, until_us: IntArray) -> None:
    """Put off each wait's channels to the end of the period of some claims (k,). OUT: until_us (n, C).

    A letter that the law prescribes begins every period of the pack: the stage that is told may lag behind it.
    """
    mine, debtor = facts.situation.claims, facts.situation.claims.debtor[claims]
    as_of_us = facts.situation.as_of_us[debtor]
    bound = facts.pack_of_debtor[debtor][:, None] == waits.pack
    inside = waits.stages.T[mine.stage[claims]] & bound
    since_us = np.where(inside, mine.stage_us[claims][:, None], 0)
    since_us = np.maximum(since_us, mine.statutory_us[claims][:, None])
    row, which = np.nonzero(bound & may_last(waits, since_us, as_of_us=as_of_us))
    if len(row):
        ends_us = wait_ends(facts, debtor[row], waits=waits, which=which, since_us=since_us[row, which])
        extend(until_us, debtor[row], ends_us, channels=waits.channels[which])
    due_day = mine.next_due_day[claims]
    ahead = due_day > as_of_us // DAY_US - 2  # on whatever clock
    row, which = np.nonzero(inside & ahead[:, None])
    if len(row):
        zones = Candidates.of(facts, debtor[row])
        morrow = due_day[row[zones.row]].astype(np.int64) + 1
        extend(until_us, debtor[row], zones.begins(morrow), channels=waits.channels[which])


RULE = Rule(
    "statutory_period",
    "legal",
    "A claim is not covered by any contact before the period is over that the country's rule pack sets for its stage, counted from the "
    "beginning of the stage or the last step that the law prescribes, nor on or before the date until which the stage itself leaves "
    "the debtor time. After such a step every period of the pack holds, whatever stage is told; about a claim whose stage is not known "
    "nobody is called. A channel waits for every claim that the contact would cover.",
    bars,
)
