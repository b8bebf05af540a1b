"""Features of an action, for a contact that was made and for every cell of the grid alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data.action_grid import ActionGrid, Slots, local_days, local_hours
from data.calendar import bank_day_after, letter_lead_days
from data.times import IntArray, from_day, to_day
from features.catalogue import ACTION, names
from features.columns import CodeArray, FloatArray, TextArray
from features.debtor import since_pay_day


@dataclass(frozen=True)
class Sending:
    """Actions with when they are sent, elementwise, shape (n,): channel code, local hour, local day, local day of `as_of`.

    For `none` (channel 0) the times are not looked at.
    """

    channel: IntArray
    hour: IntArray
    day: IntArray
    first_day: IntArray


def action_matrix(sending: Sending, *, letter: int, country: TextArray, learned: CodeArray) -> FloatArray:
    """Features of actions in the order of `catalogue.ACTION`, shape (n, 5); NaN for `none` but its channel.

    Parameters
    ----------
    letter
        Code of the channel that goes by post, -1 where the grid has none.
    country, learned
        Calendar class: country and learned pay day (day of the month, -1 where not known), shape (n,).
    """
    contact = sending.channel > 0
    arrival = _arrival_day(sending, letter, country)
    columns = {
        "channel": sending.channel.astype(np.float64),
        "hour": sending.hour.astype(np.float64),
        "weekday": (sending.day + 3.0) % 7,
        "days_ahead": (sending.day - sending.first_day).astype(np.float64),
        "arrival_since_pay_day": since_pay_day(country, arrival, learned=learned),
    }
    matrix = np.column_stack([columns[name] for name in names(ACTION)])
    matrix[~contact, 1:] = np.nan
    return matrix


def letter_code(channels: tuple[str, ...]) -> int:
    """Code of the channel that goes by post, -1 where there is none.

    >>> letter_code(("none", "letter")), letter_code(("none", "sms"))
    (1, -1)
    """
    return channels.index("letter") if "letter" in channels else -1


def _arrival_day(sending: Sending, letter: int, country: TextArray) -> IntArray:
    day = np.where(sending.channel > 0, sending.day, sending.first_day)
    posted = np.flatnonzero(sending.channel == letter)
    pairs = list(zip(country[posted].tolist(), day[posted].tolist(), strict=True))
    lead = {pair: _after_post(*pair) for pair in dict.fromkeys(pairs)}
    day[posted] = np.array([lead[pair] for pair in pairs], dtype=np.int64)
    return day


@lru_cache(maxsize=65_536)
def _after_post(country: str, day: int) -> int:
    return to_day(bank_day_after(country, from_day(day), count=letter_lead_days(country)))


def sent(channel: CodeArray, send_us: IntArray, *, as_of_us: IntArray, zone: TextArray) -> Sending:
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

    `of_debtor` is the class of each debtor, shape (n,); `matrix` has shape (classes, A, 5).
    """

    of_debtor: IntArray
    matrix: FloatArray


def grid_actions(grid: ActionGrid, slots: Slots, *, country: TextArray, learned: CodeArray) -> GridActions:
    """Action features of every cell for debtors of a country and learned pay day each, shape (n,)."""
    keys = list(zip(slots.of_debtor.tolist(), country.tolist(), learned.tolist(), strict=True))
    index = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    of_debtor = np.array([index[key] for key in keys], dtype=np.int64)
    matrices = [_of_class(grid, int(slots.first_day[slot]), name, day) for slot, name, day in index]
    return GridActions(of_debtor, np.array(matrices).reshape(len(index), grid.size, len(ACTION)))


@lru_cache(maxsize=4_096)
def _of_class(grid: ActionGrid, first_day: int, country: str, learned: int) -> FloatArray:
    first = np.full(grid.size, first_day, dtype=np.int64)
    sending = Sending(grid.channel.astype(np.int64), grid.hour.astype(np.int64), first + grid.day, first)
    letter = letter_code(grid.channels)
    name = np.full(grid.size, country, dtype=np.object_)
    return action_matrix(sending, letter=letter, country=name, learned=np.full(grid.size, learned, dtype=np.int16))
