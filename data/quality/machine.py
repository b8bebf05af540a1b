"""Opens and clicks that no person made: privacy proxies fetch mail and scanners follow links by themselves.

Three signs, each with its reason:

- *quick*: within five seconds of the delivery (else of the sending). Nobody reads that fast, and seldom does anybody look at a
  message in the seconds in which it arrives.
- *repeated*: the third and later ones of one contact within a minute.
- *bulk*: ten or more contacts in the same second, and at least a sixth of what happens in the whole minute: people who open a
  large mailing spread over the minute, a proxy that works off a list does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from data.outcomes import BoolArray
from data.quality.finding import ENOUGH, Finding, percent, share_of
from data.quality.linked import Linked
from data.quality.tally import Key, Sums, Tally, total
from data.times import NEVER, IntArray

HEADING = "Machine opens"

KINDS = ("opened", "clicked")
QUICK_US = 5_000_000
REPEATED, REPEATED_US = 3, 60_000_000
BULK, BULK_SHARE = 10, 1 / 6
TOLD = 0.05
"""Share above which a sign is told: below, it changes no rate of opening by more than a twentieth of itself."""


@dataclass(frozen=True)
class Machine:
    """Opens and clicks by sign.

    Attributes
    ----------
    events
        (channel, kind): events of a known contact, quick ones, repeated ones.
    seconds
        (channel, kind): second of each event, in any order; needed to see what happens at once over all shards.
    """

    events: Tally
    seconds: Mapping[Key, IntArray]

    def plus(self, other: Machine) -> Machine:
        """Both shards together."""
        none = np.zeros(0, dtype=np.int64)
        keys = {**self.seconds, **other.seconds}
        seconds = {key: np.concatenate([self.seconds.get(key, none), other.seconds.get(key, none)]) for key in keys}
        return Machine(total(self.events, other.events), seconds)

    def rows(self) -> list[dict[str, Any]]:
        """One entry for each channel and kind, with the share of each sign."""
        found = []
        for key, (events, quick, repeated) in sorted(self.events.items()):
            counts = {"quick": quick, "repeated": repeated, "bulk": bulk(self.seconds[key])}
            shares = {sign: share_of(count, events) for sign, count in counts.items()}
            found.append({"channel": key[0], "kind": key[1], "events": events, "counts": counts, "share": shares})
        return found

    def findings(self) -> Iterator[Finding]:
        """Signs of machines above one in twenty."""
        for row in self.rows():
            signs = {sign: share for sign, share in row["share"].items() if share and share > TOLD}
            if row["events"] >= ENOUGH and signs:
                strongest = max(signs, key=lambda sign: signs[sign])
                listed = ", ".join(f"{percent(share)} {TELLING[sign]}" for sign, share in signs.items())
                sentence = f"{row['kind']} by {row['channel']} looks like machines: {listed}"
                remedy = "take these out before anything is learnt from opening or clicking"
                count = row["counts"][strongest]
                yield Finding("look", HEADING, "contact_events", sentence, count, signs[strongest], remedy)


TELLING = {
    "quick": "within 5 seconds of delivery",
    "repeated": "third or later within a minute",
    "bulk": "in the same second as at least nine others",
}


def machine(linked: Linked) -> Machine:
    """Opens and clicks of a portfolio."""
    kind, at_us = linked.text("contact_events", "kind"), linked.us("contact_events", "at")
    usable = (linked.contact_of_event >= 0) & (at_us != NEVER)
    arrival_us = _arrival(linked)
    channel = pc.dictionary_encode(linked.of_contact("channel"))
    events: Sums = {}
    seconds: dict[Key, IntArray] = {}
    for one in KINDS:
        here = usable & pc.equal(kind, one).to_numpy(zero_copy_only=False)
        contact, when_us = linked.contact_of_event[here], at_us[here]
        after_us = when_us - arrival_us[contact]
        quick = (after_us >= 0) & (after_us <= QUICK_US)
        repeated = _repeated(contact, when_us)
        of_contact = channel.indices.to_numpy()[contact]
        for code, name in enumerate(channel.dictionary.to_pylist()):
            mine = of_contact == code
            if mine.any():
                events |= {(name, one): (int(mine.sum()), int(quick[mine].sum()), int(repeated[mine].sum()))}
                seconds[name, one] = when_us[mine] // 1_000_000
    return Machine(events, seconds)


def _arrival(linked: Linked) -> IntArray:
    """When each contact arrived: first delivery, else first sending, else when it was to be sent, shape (c,)."""
    kind, at_us = linked.text("contact_events", "kind"), linked.us("contact_events", "at")
    arrival_us = linked.contact_us("send_at")
    for one in ("sent", "delivered"):
        here = (linked.contact_of_event >= 0) & pc.equal(kind, one).to_numpy(zero_copy_only=False)
        first_us = np.full(len(linked.first), NEVER)
        np.minimum.at(first_us, linked.contact_of_event[here], at_us[here])
        arrival_us = np.where(first_us != NEVER, first_us, arrival_us)
    return arrival_us


def _repeated(contact: IntArray, at_us: IntArray) -> BoolArray:
    """Events before which two of the same contact lie within a minute, shape as given."""
    order = np.lexsort((at_us, contact))
    back = REPEATED - 1
    same = contact[order][back:] == contact[order][:-back]
    soon = at_us[order][back:] - at_us[order][:-back] <= REPEATED_US
    found: BoolArray = np.zeros(len(contact), dtype=bool)
    found[order[back:]] = same & soon
    return found


def bulk(seconds: IntArray) -> int:
    """Events in a second with at least ten, and at least a sixth of its minute.

    >>> bulk(np.array([60] * 12 + [75])), bulk(np.repeat(np.arange(60), 12))
    (12, 0)
    """
    _, begins, count = np.unique(seconds, return_index=True, return_counts=True)
    _, minute, in_minute = np.unique(seconds // 60, return_inverse=True, return_counts=True)
    of_minute = in_minute[minute[begins]]
    return int(count[(count >= BULK) & (count >= BULK_SHARE * of_minute)].sum())
