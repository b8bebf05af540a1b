"""`[capacity]` of `rettid.toml`: how much may be sent in an hour and a day, what it may cost and set off, what must be sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from math import inf, isfinite
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from data.vocabulary import NONE

RESERVED = ("budget", "creditor", "inbound")
"""First words of the names of what is limited beside channels: a channel with a limit cannot have one of them for a name."""


class BadCapacity(ValueError):
    """`[capacity]` holds a key that is not known, or a value of another kind than expected."""


def _sms_share() -> Mapping[str, float]:
    # One agency measured it: 31 % of those who got a text message reacted within three hours (n = 553).
    return {"sms": 0.31}


@dataclass(frozen=True)
class CapacitySettings:
    """Limits on what a batch sends; as it stands here, nothing is limited.

    Days and hours are those in which a contact is sent, on the clock of `time_zone`.

    `per_day`, `per_hour`: most contacts through a channel; a channel that is not named has no limit, 0 closes it.
    `budget_eur_per_day`: most that all contacts of a day may cost; 0 sets none. `inbound_per_hour`, `inbound_per_day`: most
    debtors expected to get in touch themselves; 0 sets none. `inbound_share`: share of receivers of a channel who do, spread
    evenly over `inbound_hours` hours from the hour of sending. `creditor_minimum`: at least so many contacts of a batch cover
    a claim of a creditor.
    """

    per_day: Mapping[str, int] = field(default_factory=dict)
    per_hour: Mapping[str, int] = field(default_factory=dict)
    budget_eur_per_day: float = 0.0
    inbound_per_hour: float = 0.0
    inbound_per_day: float = 0.0
    inbound_share: Mapping[str, float] = field(default_factory=_sms_share)
    inbound_hours: int = 3
    creditor_minimum: Mapping[str, int] = field(default_factory=dict)
    time_zone: str = "UTC"

    @property
    def limits_nothing(self) -> bool:
        """Whether every debtor may get the action that is best for it.

        >>> CapacitySettings().limits_nothing, CapacitySettings(per_day={"letter": 500}).limits_nothing
        (True, False)
        """
        named = self.per_day or self.per_hour or self.creditor_minimum
        return not (named or self.budget_eur_per_day or self.inbound_per_hour or self.inbound_per_day)


def parse_capacity(content: Mapping[str, object]) -> CapacitySettings:
    """Settings from the parsed table; keys that are not given keep their defaults.

    Raises
    ------
    BadCapacity
        An unknown key, or a value of another kind than its default.

    >>> parse_capacity({"per_day": {"phone": 800}, "budget_eur_per_day": 2000}).budget_eur_per_day
    2000.0
    >>> parse_capacity({"per_dya": {"phone": 800}})
    Traceback (most recent call last):
    data.capacity_settings.BadCapacity: [capacity] has no key 'per_dya': it knows per_day, per_hour, budget_eur_per_day,
    inbound_per_hour, inbound_per_day, inbound_share, inbound_hours, creditor_minimum, time_zone
    """
    given = CapacitySettings()
    known = [item.name for item in fields(CapacitySettings)]
    for key in content:
        if key not in known:
            raise BadCapacity(f"[capacity] has no key '{key}': it knows {', '.join(known)}")

    def amount(key: str, default: float) -> float:
        return _number(key, content.get(key, default))

    def counts(key: str) -> dict[str, int]:
        return {name: _count(f"{key} {name}", one) for name, one in _table(key, content.get(key, {})).items()}

    shares = _table("inbound_share", content.get("inbound_share", given.inbound_share))
    return CapacitySettings(
        per_day=counts("per_day"),
        per_hour=counts("per_hour"),
        budget_eur_per_day=amount("budget_eur_per_day", given.budget_eur_per_day),
        inbound_per_hour=amount("inbound_per_hour", given.inbound_per_hour),
        inbound_per_day=amount("inbound_per_day", given.inbound_per_day),
        inbound_share={name: _number(f"inbound_share {name}", one) for name, one in shares.items()},
        inbound_hours=_count("inbound_hours", content.get("inbound_hours", given.inbound_hours)),
        creditor_minimum=counts("creditor_minimum"),
        time_zone=_text("time_zone", content.get("time_zone", given.time_zone)),
    )


def _table(key: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise BadCapacity(f"[capacity] {key}: expected a table such as {{ sms = 1 }}, came {value!r}")
    return value


def _count(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadCapacity(f"[capacity] {key}: expected a whole number, came {value!r}")
    return value


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadCapacity(f"[capacity] {key}: expected a number, came {value!r}")
    return float(value)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadCapacity(f"[capacity] {key}: expected a text such as 'Europe/Stockholm', came {value!r}")
    return value


def fault(settings: CapacitySettings, *, channels: Collection[str]) -> str:
    """What is wrong with the settings on a grid with these channels; else empty.

    >>> fault(CapacitySettings(), channels=["none", "sms"])
    ''
    >>> fault(CapacitySettings(per_day={"fax": 3}), channels=["none", "sms"])
    "[capacity] per_day: no channel 'fax' on the grid: it has sms"
    """
    return _fault_of_names(settings, channels) or _fault_of_numbers(settings)


def _fault_of_names(settings: CapacitySettings, channels: Collection[str]) -> str:
    through = [name for name in channels if name != NONE]
    # The share of sms is a default: a grid without sms is not wrong for it.
    shares = settings.inbound_share if dict(settings.inbound_share) != dict(_sms_share()) else {}
    tables = {"per_day": settings.per_day, "per_hour": settings.per_hour, "inbound_share": shares}
    for key, table in tables.items():
        for name in table:
            if name not in through:
                return f"[capacity] {key}: no channel '{name}' on the grid: it has {', '.join(through)}"
            if name in RESERVED or "@" in name:
                return f"[capacity] {key}: a channel with a limit cannot be called '{name}': no @, none of {', '.join(RESERVED)}"
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"[capacity] time_zone: expected a name such as 'Europe/Stockholm', came '{settings.time_zone}'"
    return ""


def _fault_of_numbers(settings: CapacitySettings) -> str:
    for key in ("per_day", "per_hour", "creditor_minimum"):
        for name, count in getattr(settings, key).items():
            if count < 0:
                return f"[capacity] {key} {name}: expected contacts, 0 or more, came {count}"
    for key in ("budget_eur_per_day", "inbound_per_hour", "inbound_per_day"):
        if not 0 <= getattr(settings, key) < inf:
            return f"[capacity] {key}: expected 0 (no limit) or more, came {getattr(settings, key)}"
    for name, share in settings.inbound_share.items():
        if not (isfinite(share) and 0 <= share <= 1):
            return f"[capacity] inbound_share {name}: expected a share from 0 to 1, came {share}"
    if not 1 <= settings.inbound_hours <= 24:
        return f"[capacity] inbound_hours: expected 1 to 24, came {settings.inbound_hours}"
    return ""
