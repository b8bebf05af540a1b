"""How debtors are met: loops over claims, the contacts about them and their events.

Shapes: m open claims in the order of their n moments, c stages, k kinds of event. Of the histories come `start` and what it
counts: contacts of debtors, covers of contacts, events of claims.
"""

from __future__ import annotations

from numba import njit

from data.times import IntArray
from features.columns import BoolArray, CodeArray


@njit(cache=True, nogil=True)
def contacts_about(
    claim: int,
    as_of_us: int,
    first: int,
    end: int,
    send_us: IntArray,
    known_us: IntArray,
    bounced_us: IntArray,
    cover_start: IntArray,
    cover_claim: IntArray,
    cover_known_us: IntArray,
) -> int:
    """Contacts about a claim that were sent, and known of, before its moment and not known by then to have bounced.

    Its debtor's contacts are `first` to `end`. Those that cover only other claims, those planned for later and decisions to
    make none, which are never sent, do not count.
    """
    count = 0
    for contact in range(first, end):
        if max(send_us[contact], known_us[contact]) < as_of_us <= bounced_us[contact]:
            for link in range(cover_start[contact], cover_start[contact + 1]):
                count += cover_claim[link] == claim and cover_known_us[link] < as_of_us
    return count


@njit(cache=True, nogil=True)
def mildest(stage: int, contacts: int, by_stage: IntArray, by_contacts: IntArray) -> int:
    """The milder of what a claim's stage (-1: not known, the last) and the contacts about it allow; by both, (c + 1,) and any number."""
    tone: int = min(by_stage[stage], by_contacts[min(contacts, len(by_contacts) - 1)])
    return tone


@njit(cache=True, nogil=True)
def mark_calmed(
    moment: IntArray,
    claim: IntArray,
    as_of_us: IntArray,
    event_start: IntArray,
    at_us: IntArray,
    known_us: IntArray,
    kind: CodeArray,
    calms: BoolArray,
    found: BoolArray,
) -> None:
    """Mark debtors with an open claim that had an event which calms (by kind, (k,)) that happened, and was known, before; IN/OUT `found` (n,)."""
    for row in range(len(moment)):
        now_us = as_of_us[moment[row]]
        for event in range(event_start[claim[row]], event_start[claim[row] + 1]):
            if calms[kind[event]] and max(at_us[event], known_us[event]) < now_us:
                found[moment[row]] = True


@njit(cache=True, nogil=True)
def raise_tones(
    moment: IntArray,
    claim: IntArray,
    covered: BoolArray,
    stage: IntArray,
    debtor: IntArray,
    as_of_us: IntArray,
    by_stage: IntArray,
    by_contacts: IntArray,
    contact_start: IntArray,
    send_us: IntArray,
    known_us: IntArray,
    bounced_us: IntArray,
    cover_start: IntArray,
    cover_claim: IntArray,
    cover_known_us: IntArray,
    tone: IntArray,
) -> int:
    """Raise IN/OUT `tone` (n,) to that of each debtor's covered claim that is furthest on, and give the highest there is.

    Claims (m,) with their stage; of each moment the debtor's row in the histories and the instant, (n,).
    """
    highest = 0
    for row in range(len(moment)):
        i = moment[row]
        if covered[row] and by_stage[stage[row]] > tone[i]:
            first, end = contact_start[debtor[i]], contact_start[debtor[i] + 1]
            contacts = contacts_about(
                claim[row], as_of_us[i], first, end, send_us, known_us, bounced_us, cover_start, cover_claim, cover_known_us
            )  # fmt: skip
            tone[i] = max(tone[i], mildest(stage[row], contacts, by_stage, by_contacts))
            highest = max(highest, tone[i])
    return highest
