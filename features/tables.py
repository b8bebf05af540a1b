"""What histories are made of: the facts of each table as arrays, sorted by debtor and then by time.

`start[i]:start[i + 1]` are the rows of debtor i (of claim i in `ClaimEvents`). Every class is a tuple of arrays that the
kernels read as they are; words are codes, instants microseconds UTC. `known_us` is when a fact came to be known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from data.calendar import Place
from data.times import DayArray, IntArray
from features.columns import BoolArray, CodeArray, FloatArray, TextArray
from features.packing import Packed, Plan, packed, plan_of


class Profiles(NamedTuple):
    """Debtor profiles; `income` and `employment` are vocabulary indices, -1 where not known."""

    start: IntArray
    valid_from_us: IntArray
    income: CodeArray
    employment: CodeArray
    other_debts: FloatArray


class ContactPoints(NamedTuple):
    """Contact points; `kind` is a vocabulary index, -1 where not known, `verified_us` `NEVER` where nobody has verified it.

    What the debtor's rows say against its address, as `features.addresses.Words` tells it: `withdrawn_us`, `doubted_us`,
    `other_us` and `other_kind`.
    """

    start: IntArray
    channel: CodeArray
    valid_from_us: IntArray
    valid_to_us: IntArray
    verified_us: IntArray
    kind: CodeArray
    withdrawn_us: IntArray
    doubted_us: IntArray
    other_us: IntArray
    other_kind: CodeArray


class Claims(NamedTuple):
    """Claims by debtor and registration; `principal` in the claim's own currency; the rest are codes of `Histories`' words.

    `closed_day` is the debtor's local date of closing, `NO_DAY` where open.
    """

    start: IntArray
    debtor: IntArray
    sector: IntArray
    creditor: IntArray
    currency: IntArray
    principal: FloatArray
    due_day: DayArray
    registered_us: IntArray
    closed_us: IntArray
    closed_paid: BoolArray
    closed_day: DayArray


class ClaimEvents(NamedTuple):
    """Events in a claim's course; `start` counts claims, not debtors; `kind` and `stage` are vocabulary indices."""

    start: IntArray
    at_us: IntArray
    known_us: IntArray
    kind: CodeArray
    stage: CodeArray
    next_due_day: DayArray


class Contacts(NamedTuple):
    """Decisions to contact or not, one row per `contact_id`; `channel` is the grid's code, 0 for `none`.

    `part` (of the day) and `weekday` are those of sending on the debtor's clock, -1 for `none`. `send_us` is `NEVER` for
    `none`, and when it was decided where a contact has no time of sending. `bounced_us` is when it came to be known that
    it never arrived, `NEVER` where it is not.
    """

    start: IntArray
    decided_us: IntArray
    known_us: IntArray
    channel: CodeArray
    part: CodeArray
    weekday: CodeArray
    send_us: IntArray
    bounced_us: IntArray


class Covers(NamedTuple):
    """Claims that contacts cover: `start` counts contacts, not debtors; `claim` are rows of `Claims`.

    `statutory` marks rows that are a step that the law prescribes on that claim, `notice` those of them that are a letter
    or a mailbox message: the law prescribes notices in writing, whatever a call is marked as.
    """

    start: IntArray
    claim: IntArray
    known_us: IntArray
    statutory: BoolArray
    notice: BoolArray


class ContactEvents(NamedTuple):
    """What happened to contacts, by debtor.

    `channel`, `sent_part`, `sent_weekday`, `decided_us` are the contact's; `hour`, `part`, `weekday` those of the event on the
    debtor's clock. `counted_us` is when both event and contact were known. `first` marks the event of its kind for its
    contact that counted first, so that ten opens of one message count once; `first_reach` does so over all kinds that
    show that somebody was reached.
    """

    start: IntArray
    at_us: IntArray
    known_us: IntArray
    counted_us: IntArray
    kind: CodeArray
    channel: CodeArray
    decided_us: IntArray
    hour: CodeArray
    part: CodeArray
    weekday: CodeArray
    sent_part: CodeArray
    sent_weekday: CodeArray
    promised_us: IntArray
    first: BoolArray
    first_reach: BoolArray


class Payments(NamedTuple):
    """Payments by debtor; `amount` in the claim's currency; `channel` is that of the contact it came through, or -1.

    `hour`, `part`, `weekday`, `month_day` (1-31) are on the debtor's clock.
    """

    start: IntArray
    claim: IntArray
    paid_us: IntArray
    known_us: IntArray
    reversed_us: IntArray
    amount: FloatArray
    currency: IntArray
    channel: CodeArray
    hour: CodeArray
    part: CodeArray
    weekday: CodeArray
    month_day: CodeArray


@dataclass(frozen=True)
class Histories:
    """All debtors of a portfolio with everything that ever happened to them, as arrays.

    `country`, `sectors`, `currencies`, `creditors` are sorted words behind codes. `missing` names the optional tables that the tenant did
    not hand over.
    """

    channels: tuple[str, ...]
    countries: tuple[str, ...]
    sectors: tuple[str, ...]
    currencies: tuple[str, ...]
    creditors: tuple[str, ...]
    debtor_id: TextArray
    claim_id: TextArray
    country: IntArray
    language: TextArray
    places: tuple[Place, ...]
    place: IntArray
    birth_day: DayArray
    registered_us: IntArray
    blocked_us: IntArray
    cease_us: IntArray
    objected_us: IntArray
    stop_until_us: IntArray
    vulnerable_from_us: IntArray
    vulnerable_to_us: IntArray
    profiles: Profiles
    points: ContactPoints
    missing: tuple[str, ...]
    claims: Claims
    claim_events: ClaimEvents
    contacts: Contacts
    covers: Covers
    contact_events: ContactEvents
    payments: Payments

    @property
    def size(self) -> int:
        """Number of debtors."""
        return len(self.debtor_id)

    @cached_property
    def packed(self) -> Packed:
        """Its arrays as a few long ones, made once: whoever is put together with others often is copied from them."""
        return packed(self, plan())


@lru_cache(maxsize=1)
def plan() -> Plan:
    """How histories are packed."""
    return plan_of(Histories)
