"""Typed configuration `rettid.toml`: grid, horizon, money, arms, exploration, the tenant's present rules."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from data.capacity_settings import BadCapacity, CapacitySettings, parse_capacity
from data.capacity_settings import fault as capacity_fault
from data.company_caps import BadCaps, CompanyCaps, parse_caps
from data.company_caps import fault as caps_fault
from data.policy_settings import PolicySettings, fault
from data.tenant_folder import FILE_NAME, is_simulated
from data.times import to_day
from data.vocabulary import CHANNELS, NONE, daypart_of_hour

START = date(2000, 1, 1)


class BadConfiguration(ValueError):
    """A setting is unknown, of the wrong type or out of range."""


class MissingRate(LookupError):
    """No exchange rate holds for a currency on a day."""


@dataclass(frozen=True)
class Dated:
    """An amount that holds from a day on; `per_answer` is added once per answered contact (phone)."""

    amount: float
    since: date = START
    per_answer: float = 0.0


@dataclass(frozen=True)
class GridSettings:
    """Channels (with `none` first), days ahead and local hours of the send slots."""

    channels: tuple[str, ...] = CHANNELS
    days: int = 7
    hours: tuple[int, ...] = (8, 10, 12, 14, 16, 18, 20)


@dataclass(frozen=True)
class HorizonSettings:
    """Days from `decided_at` in which a payment counts, and a second, longer look."""

    days: int = 14
    also_days: int = 30


@dataclass(frozen=True)
class MoneySettings:
    """Dated rows by channel (costs, harm: EUR a contact) or by currency (rates: EUR a unit)."""

    rows: Mapping[str, tuple[Dated, ...]]

    def on(self, name: str, day: int) -> Dated:
        """Row of `name` that holds on `day` (days since the epoch).

        Raises
        ------
        MissingRate
            No row of that name has begun on that day.
        """
        found = self._found.get((name, day))
        if found is None:
            begun = [row for row in self.rows.get(name, ()) if to_day(row.since) <= day]
            if not begun:
                known = ", ".join(sorted(self.rows))
                raise MissingRate(
                    f"no amount for '{name}' on that day: known are {known}; add a dated row to {FILE_NAME}"
                )
            found = self._found[name, day] = max(begun, key=lambda row: row.since)
        return found

    @cached_property
    def _found(self) -> dict[tuple[str, int], Dated]:
        """What was asked before: a portfolio asks for the same few rows again and again."""
        return {}


@dataclass(frozen=True)
class ArmSettings:
    """Shares of debtors in the four arms (they sum to 1) and the salt of the hash that draws them."""

    control: float = 0.10
    explore: float = 0.05
    champion: float = 0.85
    challenger: float = 0.0
    salt: str = "rettid"


@dataclass(frozen=True)
class ExploreSettings:
    """Chance of `none` inside the `explore` arm; the rest is shared level by level."""

    none: float = 0.2


@dataclass(frozen=True)
class FeatureSettings:
    """What a model may look at.

    `lawful`: sensitive features that the tenant declares lawful for its models (`age`). `leave_out`: features, by name or by
    the name of their family such as `sent_{channel}_{window}`, that no model is to see.
    """

    lawful: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class ControlStep:
    """From so many days past due on: channels in order of preference, at which local hour."""

    days_past_due: int
    channels: tuple[str, ...]
    hour: int = 10


@dataclass(frozen=True)
class ControlSettings:
    """The tenant's present rule policy: a ladder by age of the oldest open claim.

    `gap_days`: days that must lie between two contacts. `phone_from_eur`: no call below this outstanding sum.
    `give_up_days`: no contact when the oldest claim is older.
    """

    steps: tuple[ControlStep, ...] = (
        ControlStep(-30, ("email", "sms"), 10),
        ControlStep(1, ("sms", "email"), 10),
        ControlStep(15, ("letter",), 8),
        ControlStep(30, ("sms", "letter"), 16),
        ControlStep(45, ("phone", "letter"), 10),
        ControlStep(90, ("letter", "phone"), 8),
        ControlStep(120, ("phone", "letter"), 14),
    )
    gap_days: int = 12
    phone_from_eur: float = 100.0
    give_up_days: int = 365


def _money(amounts: Mapping[str, float]) -> MoneySettings:
    return MoneySettings({name: (Dated(amount),) for name, amount in amounts.items()})


def _default_costs() -> MoneySettings:
    flat = _money({NONE: 0.0, "portal": 0.0, "email": 0.005, "sms": 0.07, "digital_mailbox": 0.35, "letter": 1.75})
    return MoneySettings({**flat.rows, "phone": (Dated(0.50, per_answer=5.0),)})


def _default_harm() -> MoneySettings:
    others = dict.fromkeys(CHANNELS[1:], 0.05)
    return _money({**others, NONE: 0.0, "sms": 0.15, "phone": 0.50})


def _default_rates() -> MoneySettings:
    return _money(
        {
            "EUR": 1.0,
            "SEK": 0.089,
            "NOK": 0.086,
            "DKK": 0.134,
            "GBP": 1.16,
            "USD": 0.90,
            "BRL": 0.16,
            "CHF": 1.05,
            "PLN": 0.23,
        }
    )


@dataclass(frozen=True)
class Config:
    """Everything `rettid.toml` can say, with its defaults."""

    grid: GridSettings = field(default_factory=GridSettings)
    horizon: HorizonSettings = field(default_factory=HorizonSettings)
    costs: MoneySettings = field(default_factory=_default_costs)
    harm: MoneySettings = field(default_factory=_default_harm)
    rates: MoneySettings = field(default_factory=_default_rates)
    arms: ArmSettings = field(default_factory=ArmSettings)
    explore: ExploreSettings = field(default_factory=ExploreSettings)
    capacity: CapacitySettings = field(default_factory=CapacitySettings)
    control: ControlSettings = field(default_factory=ControlSettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    caps: CompanyCaps = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, dates as ISO text, tables and keys in the file's order."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return plain

    @cached_property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of all settings.

        `[policy]`, `[capacity]` and `[caps]` count where they say more than their defaults: logs and bundles from before those
        tables keep their fingerprint.
        """
        plain = self.as_dict()
        if self.capacity == CapacitySettings():
            plain["capacity"] = {}
        if not self.caps:
            del plain["caps"]
        if self.policy == PolicySettings():
            del plain["policy"]
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


_MONEY = ("costs", "harm", "rates")
_PLAIN: dict[str, type] = {
    "grid": GridSettings,
    "horizon": HorizonSettings,
    "arms": ArmSettings,
    "explore": ExploreSettings,
    "control": ControlSettings,
    "features": FeatureSettings,
    "policy": PolicySettings,
}

_OWN: dict[str, Callable[[Mapping[str, object]], object]] = {"capacity": parse_capacity, "caps": parse_caps}
"""Tables with a reader of their own."""

SIMULATED_TENANT = Config(features=FeatureSettings(lawful=("age",)))
"""What holds for a simulated portfolio without a file: a tenant who has declared age lawful for its models."""


def read_config(*folders: Path) -> Config:
    """Configuration from the first folder that holds `rettid.toml`, else the defaults.

    Of the defaults one differs where the first folder holds a simulation: its tenant has declared age lawful.

    Raises
    ------
    BadConfiguration
        The file is not TOML, or a table, key, type or range in it is not known.
    """
    for folder in folders:
        path = folder / FILE_NAME
        if path.is_file():
            try:
                return parse_config(tomllib.loads(path.read_text(encoding="utf-8")))
            except tomllib.TOMLDecodeError as error:
                raise BadConfiguration(f"{path} is not TOML: {error}") from error
    return SIMULATED_TENANT if folders and is_simulated(folders[0]) else Config()


def parse_config(document: Mapping[str, Any], *, base: Config | None = None) -> Config:
    """Configuration from parsed TOML; what is not given stays as it is in `base`, by default the defaults.

    >>> parse_config({"horizon": {"days": 21}}).horizon.days
    21
    >>> parse_config({"horizon": {"dais": 21}})
    Traceback (most recent call last):
    data.config.BadConfiguration: [horizon] has no key 'dais': it knows days, also_days
    """
    names, base = [*_PLAIN, *_OWN, *_MONEY], base or Config()
    parts: dict[str, Any] = {}
    for table, content in document.items():
        if table not in names:
            raise BadConfiguration(f"no table [{table}]: there are {', '.join(f'[{name}]' for name in names)}")
        if not isinstance(content, Mapping):
            raise BadConfiguration(f"expected a table [{table}], came the value {content!r}")
        parts[table] = _read_table(table, content, getattr(base, table))
    config = replace(base, **parts)
    _check(config)
    return config


def _read_table(table: str, content: Mapping[str, Any], base: object) -> object:
    if isinstance(base, MoneySettings):
        given = {name: _dated_rows(f"[{table}] {name}", value) for name, value in content.items()}
        return MoneySettings({**base.rows, **given})
    if table in _OWN:
        try:
            found: Any = _OWN[table](content)
        except (BadCapacity, BadCaps) as error:
            raise BadConfiguration(str(error)) from error
        return (
            CapacitySettings(**{**vars(base), **{key: getattr(found, key) for key in content}})
            if table == "capacity"
            else found
        )
    return _plain_table(table, content, base)


def _plain_table(table: str, content: Mapping[str, object], base: object) -> object:
    known = {item.name: item.default for item in fields(_PLAIN[table])}
    values: dict[str, Any] = {}
    for key, value in content.items():
        if key not in known:
            raise BadConfiguration(f"[{table}] has no key '{key}': it knows {', '.join(known)}")
        values[key] = (
            _steps(value) if (table, key) == ("control", "steps") else _typed(f"[{table}] {key}", value, known[key])
        )
    return _PLAIN[table](**{**vars(base), **values})


def _typed(where: str, value: object, example: object) -> object:
    if isinstance(example, tuple) and isinstance(value, list):
        kind = type(example[0]) if example else str
        if all(type(item) is kind for item in value):
            return tuple(value)
    if isinstance(example, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(value) is type(example) and not isinstance(example, tuple):
        return value
    raise BadConfiguration(f"{where}: expected something like {example!r}, came {value!r}")


def _steps(rows: object) -> tuple[ControlStep, ...]:
    known = {"days_past_due", "channels", "hour"}
    steps = []
    for row in rows if isinstance(rows, list) else [rows]:
        if not isinstance(row, Mapping) or not {"days_past_due", "channels"} <= set(row) <= known:
            raise BadConfiguration(f"[control] steps: expected days_past_due, channels and maybe hour, came {row!r}")
        steps.append(ControlStep(int(row["days_past_due"]), tuple(row["channels"]), int(row.get("hour", 10))))
    return tuple(sorted(steps, key=lambda step: step.days_past_due))


def _dated_rows(where: str, value: object) -> tuple[Dated, ...]:
    rows = value if isinstance(value, list) else [value]
    return tuple(_dated(where, row) for row in rows)


def _dated(where: str, row: object) -> Dated:
    entry = row if isinstance(row, Mapping) else {"amount": row}
    since = entry.get("since", START)
    if not isinstance(since, date) or not set(entry) <= {"amount", "since", "per_answer"}:
        raise BadConfiguration(f"{where}: expected an amount, or {{amount, since = a date, per_answer}}, came {row!r}")
    return Dated(_amount(where, entry.get("amount")), since, _amount(where, entry.get("per_answer", 0.0)))


def _amount(where: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise BadConfiguration(f"{where}: expected an amount >= 0, came {value!r}")
    return float(value)


def _check(config: Config) -> None:
    _check_grid(config.grid)
    free = [name for name, rows in config.rates.rows.items() if not all(row.amount > 0 for row in rows)]
    if free:
        raise BadConfiguration(f"[rates] expected EUR for one unit, above 0, came 0 for {', '.join(free)}")
    arms = config.arms
    shares = (arms.control, arms.explore, arms.champion, arms.challenger)
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise BadConfiguration(f"[arms] expected four shares >= 0 that sum to 1, came {shares}, sum {sum(shares)}")
    if not 0 < config.explore.none < 1:
        raise BadConfiguration(f"[explore] none: expected a chance inside (0, 1), came {config.explore.none}")
    if config.horizon.days < 1 or config.horizon.also_days < config.horizon.days:
        raise BadConfiguration(f"[horizon] expected 1 <= days <= also_days, came {config.horizon}")
    unpriced = [name for name in config.grid.channels if name not in config.costs.rows or name not in config.harm.rows]
    unknown = {name for step in config.control.steps for name in step.channels} - set(config.grid.channels[1:])
    if unpriced or unknown:
        raise BadConfiguration(
            f"channels without cost or harm: {unpriced}; [control] channels not among the contacts of the grid: {sorted(unknown)}"
        )
    wrong = fault(config.policy, cells=_cells(config.grid)) or _fault_of_limits(config)
    if wrong:
        raise BadConfiguration(wrong)


def _fault_of_limits(config: Config) -> str:
    channels = config.grid.channels
    return capacity_fault(config.capacity, channels=channels) or caps_fault(config.caps, channels=channels)


def _cells(grid: GridSettings) -> int:
    """`none`, and every channel in every part of the day that has a slot."""
    return 1 + (len(grid.channels) - 1) * len({daypart_of_hour(hour) for hour in grid.hours})


def _check_grid(grid: GridSettings) -> None:
    if not grid.channels or grid.channels[0] != NONE or len(set(grid.channels)) != len(grid.channels):
        raise BadConfiguration(f"[grid] channels: expected '{NONE}' first and no name twice, came {grid.channels}")
    if not 1 <= grid.days <= 31:
        raise BadConfiguration(f"[grid] days: expected 1 to 31, came {grid.days}")
    hours = grid.hours
    if not hours or list(hours) != sorted(set(hours)) or not all(0 <= hour <= 23 for hour in hours):
        raise BadConfiguration(f"[grid] hours: expected rising hours 0 to 23, came {hours}")
