"""What a contact uses of what is limited, by name.

Names are `phone@2026-03-02`, `phone@2026-03-02T10`, `budget@2026-03-02`, `inbound@2026-03-02T10`, `inbound@2026-03-02` and
`creditor:c1`; days and hours are those of the settings' zone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from scipy import sparse

from data.capacity_settings import CapacitySettings
from data.times import HOUR_US, from_us

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]
NumberArray = npt.NDArray[np.int32]

CREDITOR = "creditor:"
"""What a name of a minimum begins with; the creditor's identifier follows."""


class UnknownResource(KeyError):
    """A name was given for which the settings hold no limit."""


@dataclass(frozen=True)
class Coverage:
    """Whose claims a contact covers: one entry for each covered claim, shape (m,) each.

    `debtor` is a row among the debtors asked about, `creditor_id` the creditor of the claim; repeats count once.
    """

    debtor: IntArray
    creditor_id: TextArray

    @staticmethod
    def nobody() -> Coverage:
        """No claim is covered: right where no creditor has a minimum."""
        return Coverage(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.object_))


@dataclass(frozen=True, eq=False)
class GridUsage:
    """What each action of a grid uses by calendar class, K classes of A actions.

    Attributes
    ----------
    names
        What is used by some action, sorted, length R; creditors are none of it.
    amount
        Units a contact uses, whoever is contacted, shape (K * A, R), rows class by class.
    budget
        Place in `names` of the budget that pays for an action, -1 without one, shape (K, A).
    """

    names: tuple[str, ...]
    amount: sparse.csr_array
    budget: NumberArray


def grid_usage(
    channels: tuple[str, ...],
    channel: npt.NDArray[np.int16],
    *,
    send_us: IntArray,
    settings: CapacitySettings,
    names: tuple[str, ...] = (),
) -> GridUsage:
    """Usage of every action of a grid.

    Parameters
    ----------
    channels, channel
        The grid's channel names, and the code of each action's, shape (A,).
    send_us
        When each class would send, microseconds UTC, shape (K, A).
    names
        Names to hold beside those that are used.
    """
    classes, actions = send_us.shape
    cells = [
        _used(channels[channel[action]], int(send_us[one, action]), settings) if channel[action] else {}
        for one in range(classes)
        for action in range(actions)
    ]
    days = [[_budget(int(instant), settings) for instant in row] for row in send_us[:, 1:]]
    touched = set(names).union(*cells, *days) - {""}
    order = tuple(sorted(touched))
    place = {name: number for number, name in enumerate(order)}
    budget = np.full((classes, actions), -1, dtype=np.int32)
    budget[:, 1:] = [[place.get(name, -1) for name in row] for row in days] if actions > 1 else 0
    return GridUsage(order, _matrix(cells, place), budget)


def _matrix(cells: list[dict[str, float]], place: dict[str, int]) -> sparse.csr_array:
    start = np.concatenate([[0], np.cumsum([len(cell) for cell in cells])])
    column = np.array([place[name] for cell in cells for name in cell], dtype=np.int64)
    amount = np.array([one for cell in cells for one in cell.values()], dtype=np.float64)
    return sparse.csr_array((amount, column, start), shape=(len(cells), len(place)))


def usage_of_contacts(
    channel: TextArray, send_us: IntArray, *, cost_eur: FloatArray, settings: CapacitySettings
) -> dict[str, float]:
    """What contacts use together: those of other arms, or those confirmed before, to be given to `solve` as taken.

    Parameters
    ----------
    channel, send_us, cost_eur
        Name of the channel, instant of sending and cost of each contact, shape (n,); `none` is no contact.

    >>> contacts = np.array(["phone", "sms"], dtype=object), np.array([0, HOUR_US])
    >>> limits = CapacitySettings(per_day={"phone": 9}, budget_eur_per_day=50)
    >>> usage_of_contacts(*contacts, cost_eur=np.array([2.5, 0.5]), settings=limits)
    {'phone@1970-01-01': 1.0, 'budget@1970-01-01': 3.0}
    """
    total: defaultdict[str, float] = defaultdict(float)
    for name, instant, cost in zip(channel.tolist(), send_us.tolist(), cost_eur.tolist(), strict=True):
        if name == "none":
            continue
        for resource, amount in _used(name, instant, settings).items():
            total[resource] += amount
        if settings.budget_eur_per_day:
            total[_budget(instant, settings)] += cost
    return dict(total)


def creditors_reached(
    coverage: Coverage, contacted: npt.NDArray[np.bool_], *, settings: CapacitySettings
) -> dict[str, float]:
    """Contacts that cover a claim of each creditor with a minimum, by name; `contacted` has shape (n,)."""
    pairs = {(row, one) for row, one in zip(coverage.debtor.tolist(), coverage.creditor_id.tolist(), strict=True)}
    found = {CREDITOR + one: 0.0 for one in settings.creditor_minimum}
    for row, one in pairs:
        if contacted[row] and CREDITOR + one in found:
            found[CREDITOR + one] += 1.0
    return found


def limit_of(name: str, settings: CapacitySettings) -> float:
    """The limit that holds for a name; for a creditor its minimum.

    Raises
    ------
    UnknownResource
        Nothing of that name is limited.

    >>> limit_of("phone@2026-03-02T10", CapacitySettings(per_hour={"phone": 40}))
    40.0
    """
    found = _limit(name, settings)
    if found is None:
        raise UnknownResource(
            f"expected the name of something that [capacity] limits, such as 'phone@2026-03-02', came '{name}': "
            "was it written under other settings?"
        )
    return float(found)


def _limit(name: str, settings: CapacitySettings) -> float | None:
    if name.startswith(CREDITOR):
        return settings.creditor_minimum.get(name.removeprefix(CREDITOR))
    kind, _, when = name.rpartition("@")
    hourly = "T" in when
    if kind == "budget":
        return None if hourly else settings.budget_eur_per_day or None
    if kind == "inbound":
        return (settings.inbound_per_hour if hourly else settings.inbound_per_day) or None
    table: Mapping[str, int] = settings.per_hour if hourly else settings.per_day
    return table.get(kind)


def _used(channel: str, send_us: int, settings: CapacitySettings) -> dict[str, float]:
    """Units that one contact uses, its cost left out."""
    day, hour = _clock(settings.time_zone, send_us)
    used: defaultdict[str, float] = defaultdict(float)
    if channel in settings.per_day:
        used[f"{channel}@{day}"] = 1.0
    if channel in settings.per_hour:
        used[f"{channel}@{hour}"] = 1.0
    share = settings.inbound_share.get(channel, 0.0) / settings.inbound_hours
    for later in range(settings.inbound_hours if share else 0):
        day, hour = _clock(settings.time_zone, send_us + later * HOUR_US)
        if settings.inbound_per_hour:
            used[f"inbound@{hour}"] += share
        if settings.inbound_per_day:
            used[f"inbound@{day}"] += share
    return dict(used)


def _budget(send_us: int, settings: CapacitySettings) -> str:
    return f"budget@{_clock(settings.time_zone, send_us)[0]}" if settings.budget_eur_per_day else ""


@lru_cache(maxsize=65_536)
def _clock(zone: str, instant_us: int) -> tuple[str, str]:
    """Local date, and date with hour, of an instant; the hour that a clock goes through twice has one name."""
    local = from_us(instant_us).astimezone(ZoneInfo(zone))
    return local.date().isoformat(), f"{local.date().isoformat()}T{local.hour:02d}"
