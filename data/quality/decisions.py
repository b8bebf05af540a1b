"""Contacts as decisions: the decision not to make contact, contacts never sent, times that make no sense."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from data.quality.finding import ENOUGH, SLIP, Finding, share_of
from data.quality.linked import Linked, looked_up
from data.quality.tally import Tally, added, tally
from data.times import DAY_US, NEVER
from data.vocabulary import NONE

HEADING = "Contacts and decisions"

SUMS = ("sent", "after_closing", "far_ahead", "at_once")
FAR_AHEAD_DAYS = 31
UNSENT_SHARE = 0.2
"""Contacts without an event `sent`, where their channel has such events: a fifth and more are not cancelled orders."""


@dataclass(frozen=True)
class Decisions:
    """Contacts as decisions.

    Attributes
    ----------
    channels
        (channel): contacts, then one count for each of `SUMS`: with an event `sent`; decided after a covered claim was
        closed; sent more than 31 days after the decision; sent at the instant of the decision.
    """

    channels: Tally

    def plus(self, other: Decisions) -> Decisions:
        """Both shards together."""
        return added(self, other)

    def rows(self) -> list[dict[str, Any]]:
        """One entry for each channel."""
        named = ((key[0], dict(zip(("contacts", *SUMS), values, strict=True))) for key, values in self.channels.items())
        return [{"channel": channel, **counts} for channel, counts in sorted(named, key=lambda pair: str(pair[0]))]

    def findings(self) -> Iterator[Finding]:
        """What in the log does not look like decisions."""
        rows = self.rows()
        contacts = sum(row["contacts"] for row in rows)
        if not contacts:
            return
        if not any(row["channel"] == NONE for row in rows):
            yield Finding(
                "look",
                HEADING,
                "contacts",
                "no decision not to make contact is recorded: what a contact brings over none cannot be told, only bounded",
                contacts,
                1.0,
                "record rows of channel none where nobody was contacted, if the system knows them",
            )
        yield from self._unsent()
        for name, sentence, remedy in TIMES:
            count = sum(row[name] for row in rows)
            if count > SLIP * contacts:
                yield Finding("look", HEADING, "contacts", sentence, count, share_of(count, contacts), remedy)

    def _unsent(self) -> Iterator[Finding]:
        for row in self.rows():
            unsent = row["contacts"] - row["sent"]
            if row["sent"] and row["contacts"] >= ENOUGH and unsent > UNSENT_SHARE * row["contacts"]:
                sentence = f"contacts by {row['channel']} have no event sent, though others of the channel have one"
                remedy = "hand over the events, or leave out what was never sent: it can have had no effect"
                share = share_of(unsent, row["contacts"])
                yield Finding("look", HEADING, "contact_events", sentence, unsent, share, remedy)


TIMES = (
    (
        "after_closing",
        "contacts were decided more than a day after their claim was closed",
        "see whether closed_at or decided_at is the time of a later booking",
    ),
    (
        "far_ahead",
        f"contacts were sent more than {FAR_AHEAD_DAYS} days after the decision, when the horizon was over",
        "see whether decided_at is the time of the order and not of the decision",
    ),
)


def decisions(linked: Linked) -> Decisions:
    """Contacts of a portfolio as decisions."""
    kind = linked.text("contact_events", "kind")
    sent = linked.contact_of_event[pc.equal(kind, "sent").to_numpy(zero_copy_only=False)]
    decided_us, send_us = linked.contact_us("decided_at"), linked.contact_us("send_at")
    known = (decided_us != NEVER) & (send_us != NEVER)
    # A claim that was never closed has NEVER, which lies after every decision and must not be added to.
    closed_us = looked_up(linked.us("claims", "closed_at"), linked.claim_of_row)[linked.first]
    columns = {
        "channel": linked.of_contact("channel"),
        "sent": np.isin(np.arange(len(linked.first)), sent[sent >= 0]),
        "after_closing": (decided_us != NEVER) & (closed_us < NEVER - DAY_US) & (decided_us - DAY_US > closed_us),
        "far_ahead": known & (send_us > np.where(known, decided_us, 0) + FAR_AHEAD_DAYS * DAY_US),
        "at_once": known & (send_us == decided_us),
    }
    return Decisions(tally(columns, sums=SUMS))
