"""What came of contacts, channel by channel, and channels of which nothing is heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.outcomes import BoolArray
from data.quality.finding import ENOUGH, EXPECTED, Finding, share_of
from data.quality.linked import Linked, paid_within
from data.quality.tally import Sums, Tally, folded, tally, total
from data.times import DAY_US, NEVER, from_day
from data.vocabulary import NONE

HEADING = "Channels"

KINDS = ("sent", "delivered", "bounced", "opened", "clicked", "answered", "conversation", "promised", "opted_out")
"""Kinds of contact events shown by channel."""

SUMS = ("any", "outcome", *KINDS, "paid")
"""Contacts with any event, with any but `sent`, with each kind, and followed by a payment in the horizon."""

SETTLED_DAYS = 14
"""Outcomes of younger contacts may still come: letters are answered after a week and more."""


@dataclass(frozen=True)
class Channels:
    """Contacts by what came of them.

    Attributes
    ----------
    days
        (channel, day of the decision): contacts, then one count for each of `SUMS`.
    newest
        (day,): contacts decided, payments or events on that day at the latest; the largest key is the newest day.
    horizon_days
        Days in which a payment counts.
    """

    days: Tally
    newest: Tally
    horizon_days: float

    def plus(self, other: Channels) -> Channels:
        """Both shards together."""
        return Channels(total(self.days, other.days), total(self.newest, other.newest), self.horizon_days)

    @property
    def newest_day(self) -> int:
        """Newest day of any contact, event or payment."""
        return max((int(day) for (day,) in self.newest), default=0)

    def rows(self) -> list[dict[str, Any]]:
        """One entry for each channel: contacts, counts and shares; `paid` is of contacts whose horizon is over."""
        until = self.newest_day - self.horizon_days
        mature = folded({k: v for k, v in self.days.items() if int(k[1]) < until}, keep=1, width=len(SUMS) + 1)
        found = []
        for (channel,), (contacts, *counts) in sorted(folded(self.days, keep=1, width=len(SUMS) + 1).items()):
            old = mature.get((channel,), (0,) * (len(SUMS) + 1))
            named = dict(zip(SUMS, counts, strict=True)) | {"paid": old[-1]}
            shares = {name: share_of(count, contacts) for name, count in named.items()}
            shares["paid"] = share_of(old[-1], old[0])
            found.append({"channel": channel, "contacts": contacts, "mature": old[0], "counts": named, "share": shares})
        return found

    def findings(self) -> Iterator[Finding]:
        """Channels without any event, and channels whose outcomes stop or begin late."""
        for row in self.rows():
            if row["channel"] == NONE or row["contacts"] < ENOUGH:
                continue
            if not row["counts"]["any"]:
                yield _silent(str(row["channel"]), row["contacts"])
            else:
                yield from self._ended(str(row["channel"]))

    def _ended(self, channel: str) -> Iterator[Finding]:
        """Contacts after the last one, and before the first one, of which anything but `sent` was heard."""
        last = self.newest_day - SETTLED_DAYS
        days = sorted((int(k[1]), v[0], v[2]) for k, v in self.days.items() if k[0] == channel and int(k[1]) <= last)
        heard = [place for place, (_, _, outcomes) in enumerate(days) if outcomes]
        if not heard:
            return
        within = days[heard[0] : heard[-1] + 1]
        rate = sum(outcomes for _, _, outcomes in within) / sum(contacts for _, contacts, _ in within)
        for side, rest in (("after", days[heard[-1] + 1 :]), ("before", days[: heard[0]])):
            contacts = sum(count for _, count, _ in rest)
            if contacts * rate >= EXPECTED:
                edge = within[-1][0] if side == "after" else within[0][0]
                yield _one_sided(channel, contacts, side=side, edge=edge, expected=contacts * rate)


def _silent(channel: str, contacts: int) -> Finding:
    return Finding(
        "look",
        HEADING,
        "contact_events",
        f"{channel} has contacts and not one event: neither sent nor delivered nor answered",
        contacts,
        1.0,
        "hand over its events, or know that only payments tell what this channel brings about",
    )


def _one_sided(channel: str, contacts: int, *, side: str, edge: int, expected: float) -> Finding:
    how = "end" if side == "after" else "begin"
    return Finding(
        "problem",
        HEADING,
        "contact_events",
        f"outcomes of {channel} {how} with the contacts of {from_day(edge)}: {contacts:,} contacts {side} that have "
        f"none, where about {expected:,.0f} were to be expected",
        contacts,
        None,
        "hand over the missing events, or leave that time out: its contacts look as if nobody had reacted",
    )


def channels(linked: Linked, *, horizon_days: float) -> Channels:
    """What came of the contacts of a portfolio.

    Parameters
    ----------
    horizon_days
        Days from the decision in which a payment on a covered claim counts.
    """
    happened = _happened(linked)
    happened["paid"] = paid_within(linked, horizon_days=horizon_days)
    decided_us = linked.contact_us("decided_at")
    day = np.where(decided_us == NEVER, 0, np.clip(decided_us // DAY_US, -20_000, 80_000))
    days = tally({"channel": linked.of_contact("channel"), "day": day, **happened}, sums=SUMS)
    return Channels(days, _newest(linked), horizon_days)


def _happened(linked: Linked) -> dict[str, BoolArray]:
    """For each kind of event which contacts have it, shape (c,) each."""
    kind = linked.text("contact_events", "kind")
    outcome = ~pc.equal(kind, "sent").to_numpy(zero_copy_only=False)
    found = {"any": _having(linked, np.ones(len(kind), dtype=bool)), "outcome": _having(linked, outcome)}
    for name in KINDS:
        found[name] = _having(linked, pc.equal(kind, name).to_numpy(zero_copy_only=False))
    return found


def _having(linked: Linked, event: BoolArray) -> BoolArray:
    """Contacts that have one of the marked events."""
    found: BoolArray = np.zeros(len(linked.first), dtype=bool)
    contact = linked.contact_of_event[event]
    found[contact[contact >= 0]] = True
    return found


def _newest(linked: Linked) -> Tally:
    """Newest day of each table that goes on, far-off days cut to what a calendar reaches."""
    found: Sums = {}
    for table, column in (("contacts", "decided_at"), ("contact_events", "at"), ("payments", "paid_at")):
        known = linked.tables[table].column(column).drop_null()
        if len(known):
            newest_us = pc.quantile(known.cast(pa.int64()), q=0.999, interpolation="lower")[0].as_py()
            found[(int(np.clip(newest_us // DAY_US, -20_000, 80_000)),)] = (1,)
    return found
