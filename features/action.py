"""Features of an action, for a contact that was made and for every cell of the grid alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from data.action_grid import ActionGrid, Slots, local_days, local_hours
from data.calendar import bank_day_after, letter_lead_days, public_holidays
from data.times import IntArray, from_day, to_day
from features.catalogue import action_features, names
from features.columns import TextArray
from features.pay_days import from_pay_days

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sending:
    """Actions with when they are sent, elementwise, shape (n,): channel code, local hour, local day, local day of `as_of`.

    For `none` (channel 0) the times are not looked at.
    """

    channel: IntArray
    hour: IntArray
    day: IntArray
    first_day: IntArray


@dataclass(frozen=True)
class CalendarClass:
    """What action features know of the debtor: country and learned pay day (day of the month or -1), shape (n,).

    `country` holds indices in `countries`.
    """

    countries: tuple[str, ...]
    country: npt.NDArray[np.integer]
    pay_day: npt.NDArray[np.integer]


def action_matrix(sending: Sending, *, letter: int, of: CalendarClass) -> Matrix:
    """Features of actions in the order of the catalogue, shape (n, 8), float32; NaN for `none` but its channel.

    Parameters
    ----------
    letter
        Code of the channel that goes by post, -1 where the grid has none.
    of
        The calendar class of each action's debtor, shape (n,).
    """
    contact = sending.channel > 0
    sent_on = np.where(contact, sending.day, sending.first_day)
    arrival = _arrival_day(sending.channel == letter, sent_on, of)
    since, to = from_pay_days(of.countries, of.country, day=arrival, learned=of.pay_day)
    columns = {
        "channel": sending.channel,
        "hour": sending.hour,
        "weekday": (sending.day + 3) % 7,
        "days_ahead": sending.day - sending.first_day,
        "lead_days": arrival - sent_on,
        "holiday": _on_holiday(arrival, of),
        "arrival_since_pay_day": since,
        "arrival_to_pay_day": to,
    }
    matrix = np.column_stack([columns[name].astype(np.float32) for name in names(action_features())])
    matrix[~contact, 1:] = np.nan
    return matrix


def letter_code(channels: tuple[str, ...]) -> int:
    """Code of the channel that goes by post, -1 where there is none.

    >>> letter_code(("none", "letter")), letter_code(("none", "sms"))
    (1, -1)
    """
    return channels.index("letter") if "letter" in channels else -1


def _arrival_day(posted: npt.NDArray[np.bool_], day: IntArray, of: CalendarClass) -> IntArray:
    """Day on which each action arrives: at once, or after its way through the post, shape (n,)."""
    arrival = day.copy()
    rows = np.flatnonzero(posted)
    arrival[rows] = _looked_up(_after_post, rows, day, of)
    return arrival


def _on_holiday(day: IntArray, of: CalendarClass) -> IntArray:
    return _looked_up(_is_holiday, np.arange(len(day)), day, of)


def _looked_up(look: Callable[[str, int], int], rows: IntArray, day: IntArray, of: CalendarClass) -> IntArray:
    """What `look` says of country and day of some rows, each pair asked once, shape of `rows`."""
    key, inverse = np.unique(of.country[rows].astype(np.int64) * 1_000_000 + day[rows], return_inverse=True)
    found = [look(of.countries[one // 1_000_000], one % 1_000_000) for one in key.tolist()]
    return np.array(found, dtype=np.int64)[inverse]


@lru_cache(maxsize=65_536)
def _after_post(country: str, day: int) -> int:
    return to_day(bank_day_after(country, from_day(day), count=letter_lead_days(country)))


@lru_cache(maxsize=65_536)
def _is_holiday(country: str, day: int) -> int:
    date = from_day(day)
    return int(date in public_holidays(country, None, year=date.year))


def sent(channel: npt.NDArray[np.integer], send_us: IntArray, *, as_of_us: IntArray, zone: TextArray) -> Sending:
    """Contacts that were made, at their true local hour, shape (n,); `send_us` is not looked at for `none`."""
    contact = channel > 0
    when = np.where(contact, send_us, as_of_us)
    hour, day, first_day = (np.zeros(len(when), dtype=np.int64) for _ in range(3))
    for name in dict.fromkeys(zone.tolist()):
        here = np.flatnonzero(zone == name)
        hour[here] = local_hours(name, when[here])
        day[here] = local_days(name, when[here])
        first_day[here] = local_days(name, as_of_us[here])
    return Sending(channel.astype(np.int64), hour, day, first_day)


@dataclass(frozen=True)
class GridActions:
    """Action features over the whole grid by calendar class.

    `of_debtor` is the class of each debtor, shape (n,); `matrix` has shape (classes, A, 8); `keys` are the same for the same
    features alone, one a class. Debtors who differ in nothing that these features tell are of one class.
    """

    of_debtor: IntArray
    matrix: Matrix
    keys: tuple[bytes, ...]


def grid_actions(grid: ActionGrid, slots: Slots, *, of: CalendarClass) -> GridActions:
    """Action features of every cell for debtors of a calendar class each, shape (n,)."""
    classes = list(zip(slots.of_debtor.tolist(), of.country.tolist(), of.pay_day.tolist(), strict=True))
    of_class, first_day = _known_classes(grid), slots.first_day.tolist()
    found = {one: of_class(first_day[one[0]], of.countries[one[1]], one[2]) for one in dict.fromkeys(classes)}
    distinct = {key: matrix for matrix, key in found.values()}
    number = {key: place for place, key in enumerate(distinct)}
    matrix = np.empty((len(distinct), grid.size, len(action_features())), dtype=np.float32)
    for place, mine in enumerate(distinct.values()):
        matrix[place] = mine
    return GridActions(np.array([number[found[one][1]] for one in classes], dtype=np.int64), matrix, tuple(distinct))


@lru_cache(maxsize=16)
def _known_classes(grid: ActionGrid) -> Callable[[int, str, int], tuple[Matrix, bytes]]:
    """`_of_class` on a grid, which remembers the classes that were asked for last."""
    return lru_cache(maxsize=1_024)(partial(_of_class, grid))


def _of_class(grid: ActionGrid, first_day: int, country: str, pay_day: int) -> tuple[Matrix, bytes]:
    """Features of a class, and their digest."""
    first = np.full(grid.size, first_day, dtype=np.int64)
    sending = Sending(grid.channel.astype(np.int64), grid.hour.astype(np.int64), first + grid.day, first)
    of = CalendarClass((country,), np.zeros(grid.size, dtype=np.int64), np.full(grid.size, pay_day, dtype=np.int64))
    matrix = action_matrix(sending, letter=letter_code(grid.channels), of=of)
    return matrix, sha256(matrix.tobytes()).digest()
