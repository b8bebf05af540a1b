"""What the contact rules and a rule policy may look at: debtors, their contact points and open claims at `as_of`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.calendar import Place
from data.times import DayArray, IntArray

BoolArray = npt.NDArray[np.bool_]
CodeArray = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float64]

RECALL_DAYS = 32
"""Age up to which single contacts are told: a cap counts over at most 31 local days, which may be an hour longer."""


@dataclass(frozen=True)
class Points:
    """Contact points that had begun by `as_of`, one entry each, shape (p,).

    `debtor` is the row of the debtor in the situation, `channel` the grid's channel code, `valid_to_us` `NEVER`
    where open, `kind` the index in `vocabulary.POINT_KINDS` or -1 where not known. `known` is False when the tenant
    handed over no contact points at all.
    """

    debtor: IntArray
    channel: CodeArray
    valid_from_us: IntArray
    valid_to_us: IntArray
    verified: BoolArray
    withdrawn: BoolArray
    kind: CodeArray
    known: bool


@dataclass(frozen=True)
class OpenClaims:
    """Claims open at `as_of`, one entry each, shape (m,), sorted by `debtor`.

    `debtor` is the row of the debtor in the situation; `stage` the index in `vocabulary.STAGES` or -1, `stage_us` when it
    began (0 where not known), `next_due_day` the date until which it runs (`NO_DAY` without); `promised_until_us` the
    midnight (UTC) after the latest date that the debtor promised to pay on, past or to come, 0 without: the promise itself
    ends with that date where the debtor lives; `outstanding_eur` principal less unreversed payments known. Opposite events
    of one instant (a hold lifted and placed) leave `disputed`, `held` and `on_plan` as they were before it.
    Of contacts that covered the claim: `first_sent_us` (m, channels) when the first through each channel that is not known
    to have bounced was or is to be sent, `first_statutory_us` the first such letter or mailbox message that the law
    prescribes (both `NEVER` without), `statutory_us` the last step that it prescribes, in whatever form (0 without).
    """

    debtor: IntArray
    outstanding_eur: FloatArray
    due_day: DayArray
    stage: CodeArray
    disputed: BoolArray
    held: BoolArray
    on_plan: BoolArray
    promised_until_us: IntArray
    stage_us: IntArray
    next_due_day: DayArray
    first_sent_us: IntArray
    first_statutory_us: IntArray
    statutory_us: IntArray


@dataclass(frozen=True)
class Made:
    """Contacts known at `as_of` that were sent at most `RECALL_DAYS` days before it, or are yet to be, shape (k,).

    `debtor` is the row of the debtor in the situation, in rising order; `channel` the grid's code, -1 for a channel that
    the grid has not; `statutory` marks the letters and mailbox messages that the law prescribes. A contact that covers open
    claims is linked to each of them: `link_contact` (l,) are rows here, `link_claim` (l,) rows of `OpenClaims`.
    """

    debtor: IntArray
    channel: CodeArray
    send_us: IntArray
    statutory: BoolArray
    link_contact: IntArray
    link_claim: IntArray


@dataclass(frozen=True)
class Situation:
    """Debtors at their own `as_of`, one entry each, shape (n,), with their points and open claims.

    Instants are microseconds UTC, `NEVER` where something has not happened or is not known to. `birth_day` is days
    since the epoch, `NO_DAY` where not known. `opted_out` and `wrong_person` are (n, channels): an opt-out or a wrong
    person met through that channel. `contacts` counts contacts made so far, `last_contact_us` is the last of them
    (0 if none was).
    """

    as_of_us: IntArray
    debtor_id: npt.NDArray[np.object_]
    places: tuple[Place, ...]
    place: IntArray
    birth_day: DayArray
    blocked_us: IntArray
    cease_us: IntArray
    objected_us: IntArray
    stop_until_us: IntArray
    vulnerable: BoolArray
    opted_out: BoolArray
    wrong_person: BoolArray
    contacts: IntArray
    last_contact_us: IntArray
    last_sent_us: IntArray
    talked_us: IntArray
    clicked_us: IntArray
    inbound_us: IntArray
    paid_claims: IntArray
    paid_late: IntArray
    made: Made
    points: Points
    claims: OpenClaims

    @property
    def size(self) -> int:
        """Number of debtors n."""
        return len(self.as_of_us)
