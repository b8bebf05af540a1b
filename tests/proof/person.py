"""What may be known of one person, in plain words: what the judge looks at, whoever read it from wherever.

Instants are microseconds UTC, dates days since 1 January 1970. None stands for what has not happened or is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Point:
    """A row that tells of a way to reach a person, for a period.

    `confirmed` is since when it is known to be theirs, None where it is not; `kind` None where it is not known whose it is
    besides; `key` None where it is not told which address it is.
    """

    channel: str
    since: int
    until: int | None
    confirmed: int | None
    consent: str
    kind: str | None
    key: str | None


@dataclass(frozen=True)
class Claim:
    """An open claim.

    `promised_on` is the last date that was promised. Of contacts that covered it: `written` are (channel, time), `notices`
    the times of letters and mailbox messages that the law prescribes, both without what is known to have bounced;
    `steps` the times of all steps that the law prescribes, in whatever form.
    """

    key: object
    owed: bool
    due: int
    disputed: bool
    held: bool
    on_plan: bool
    promised_on: int | None
    stage: str | None
    stage_at: int | None
    next_due: int | None
    written: tuple[tuple[str, int], ...]
    notices: tuple[int, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Contact:
    """One that was made or is planned; `channel` "?" is one that the grid has not, `notice` a letter of the law's."""

    channel: str
    at: int
    notice: bool
    claims: frozenset[object]


@dataclass(frozen=True)
class Person:
    """All that rules may know of one debtor at a moment."""

    as_of: int
    country: str
    region: str | None
    zones: tuple[str, ...]
    born: int | None
    blocked: int | None
    cease: int | None
    stop_until: int | None
    opted_out: frozenset[str]
    wrong: frozenset[str]
    last_sent: int | None
    talked: int | None
    clicked: int | None
    inbound: int | None
    paid: int
    paid_late: int
    points: tuple[Point, ...] | None
    claims: tuple[Claim, ...]
    contacts: tuple[Contact, ...]
    elsewhere: frozenset[str] = frozenset()
    """Channels that the grid has not."""
    objected: bool = False
    vulnerable: bool = False


def day_of(one: date) -> int:
    """Days since 1 January 1970."""
    return (one - date(1970, 1, 1)).days
