"""`[caps]` of `rettid.toml`: how often the tenant itself wants to contact a debtor at most, on top of what the law allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

ANY = "any"
"""All channels together."""


class BadCaps(ValueError):
    """`[caps]` holds something that is no cap."""


@dataclass(frozen=True)
class CompanyCap:
    """At most `most` contacts in any `days` local days on end."""

    most: int
    days: int


CompanyCaps = Mapping[str, CompanyCap]
"""Caps by channel, or `any` for all of them together."""


def parse_caps(content: Mapping[str, object]) -> CompanyCaps:
    """Caps from the parsed table.

    Raises
    ------
    BadCaps
        A value is no table of `most` and `days`, or a number out of range.

    >>> parse_caps({"phone": {"most": 2, "days": 7}})
    {'phone': CompanyCap(most=2, days=7)}
    >>> parse_caps({"phone": 2})
    Traceback (most recent call last):
    data.company_caps.BadCaps: [caps] phone: expected { most = 2, days = 7 }, came 2
    """
    return {name: _cap(name, value) for name, value in content.items()}


def _cap(name: str, value: object) -> CompanyCap:
    wrong = BadCaps(f"[caps] {name}: expected {{ most = 2, days = 7 }}, came {value!r}")
    if not isinstance(value, Mapping) or set(value) != {"most", "days"}:
        raise wrong
    most, days = value["most"], value["days"]
    if type(most) is not int or type(days) is not int or most < 0 or not 1 <= days <= 31:
        raise BadCaps(f"[caps] {name}: expected most >= 0 and 1 <= days <= 31, came most = {most!r}, days = {days!r}")
    return CompanyCap(most, days)


def fault(caps: CompanyCaps, *, channels: Collection[str]) -> str:
    """What is wrong with the caps on a grid with these channels (`none` first); else empty."""
    known = [ANY, *list(channels)[1:]]
    strange = [name for name in caps if name not in known]
    return f"[caps]: no channel {strange[0]!r}: there are {', '.join(known)}" if strange else ""
