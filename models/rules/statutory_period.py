"""No contact over a claim inside a period that the law leaves the debtor to pay or object."""

from __future__ import annotations

from data.times import IntArray
from models._wait_kernels import Begun, Courses, after_stage, never_about, put_off
from models.rules.coverage import coverable
from models.rules.rule import Barred, Facts, Rule
from models.rules.waits import no_wait, wait_ends, waits_of
from models.rules.zones import Candidates


def bars(facts: Facts) -> Barred:
    """Slots before the last period of the claims that a contact would cover is over; calls about one whose stage is not known.

    A letter that the law prescribes begins every period of the pack: the stage that is told may lag behind it.
    """
    until_us, mine, covered = no_wait(facts), facts.situation.claims, coverable(facts)
    never_about(until_us, covered & (mine.stage < 0), mine.debtor, facts.channels_named("phone"))
    waits = waits_of(facts.packs_here, "stage", facts.grid.channels)
    courses = Courses(mine.debtor, mine.stage, mine.stage_us, mine.statutory_us, mine.next_due_day)
    as_of_us, pack = facts.situation.as_of_us, facts.pack_of_debtor
    event, date = after_stage(covered, courses, as_of_us, pack, waits.pack, waits.longest_us, waits.stages)
    if len(event.debtor):
        put_off(until_us, event.debtor, wait_ends(facts, event, waits=waits), event.wait, waits.channels)
    if len(date.debtor):
        put_off(until_us, date.debtor, _date_ends(facts, date), date.wait, waits.channels)
    return Barred(until_us=until_us)


def _date_ends(facts: Facts, date: Begun) -> IntArray:
    """Instants at which dates end where their debtors live, shape (k,)."""
    zones = Candidates.of(facts, date.debtor)
    return zones.begins(date.since[zones.row] + 1)


RULE = Rule(
    "statutory_period",
    "legal",
    "A claim is not covered by any contact before the period is over that the country's rule pack sets for its stage, counted from the "
    "beginning of the stage or the last step that the law prescribes, nor on or before the date until which the stage itself leaves "
    "the debtor time. After such a step every period of the pack holds, whatever stage is told; about a claim whose stage is not known "
    "nobody is called. A channel waits for every claim that the contact would cover.",
    bars,
)
