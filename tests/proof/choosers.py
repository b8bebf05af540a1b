"""Models that want the worst action every time: what they would like best of the whole grid, and of what is left of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from data.action_grid import ActionGrid, Slots
from tests.proof.calendars import is_holiday, weekday
from tests.proof.judge import Document
from tests.proof.nights import PLACES

Wishes = npt.NDArray[np.float64]
Allowed = npt.NDArray[np.bool_]
LOUDNESS = {"phone": 6, "sms": 5, "chat": 4, "email": 3, "portal": 2, "digital_mailbox": 1, "letter": 0}


class Night:
    """What choosers look at: the grid, when its slots are, what is left of it (n, A), and where everybody lives (n,)."""

    def __init__(
        self,
        grid: ActionGrid,
        slots: Slots,
        allowed: Allowed,
        *,
        place: npt.NDArray[np.int64],
        documents: Mapping[str, Document],
        rng: np.random.Generator,
    ) -> None:
        self.grid, self.slots, self.allowed, self.place, self.documents, self.rng = (
            grid, slots, allowed, place, documents, rng
        )  # fmt: skip
        self.loudness = np.array([LOUDNESS.get(name, 0) for name in grid.channels], dtype=np.float64)[grid.channel]


def loudest_latest(night: Night) -> Wishes:
    """A call, as late in the day as can be, and soon."""
    grid = night.grid
    return np.broadcast_to(night.loudness * 1000 + grid.hour * 10.0 - grid.day, night.allowed.shape)


def earliest(night: Night) -> Wishes:
    """As soon as can be, even in the past, by the loudest channel."""
    when = night.slots.send_us[night.slots.of_debtor] / 3.6e9
    return night.loudness / 10 - when


def holidays_first(night: Night) -> Wishes:
    """A call on a holiday, else on a Sunday, at the edge of the day."""
    quiet = np.array([_quiet_days(night, row) for row in range(len(night.place))])
    grid = night.grid
    return quiet[:, np.maximum(grid.day, 0)] * 1000 + night.loudness * 10 + np.abs(grid.hour - 13.0)


def at_the_edge(night: Night) -> Wishes:
    """What stands next to something barred: the rim of a window, the day after a wait, the last slot of an address."""
    size, per = len(night.allowed), night.grid.slots
    left = night.allowed[:, 1:].reshape(size, -1, per)
    barred = np.pad(~left, ((0, 0), (0, 0), (1, 1)))
    rim = (barred[:, :, :-2] | barred[:, :, 2:]).reshape(size, -1)
    return np.concatenate([np.full((size, 1), -1.0), rim * 100 + night.loudness[1:]], axis=1)


def anything(night: Night) -> Wishes:
    """Whatever comes to mind."""
    return night.rng.random(night.allowed.shape)


CHOOSERS: Mapping[str, Callable[[Night], Wishes]] = {
    "loudest, latest": loudest_latest,
    "earliest": earliest,
    "holidays first": holidays_first,
    "at the edge": at_the_edge,
    "at random": anything,
}

_SEEN: dict[tuple[object, ...], list[int]] = {}


def _quiet_days(night: Night, row: int) -> list[int]:
    """2 for a holiday, 1 for a Sunday, 0 else, of each day of the grid at a debtor's place."""
    country, region, _ = PLACES[night.place[row]]
    first = int(night.slots.first_day[night.slots.of_debtor[row]])
    pack = night.documents.get(country)
    key = (country, region, first, night.grid.days)
    if key not in _SEEN:
        days = [first + ahead for ahead in range(night.grid.days)]
        _SEEN[key] = [2 if pack and is_holiday(pack, region, day) else int(weekday(day) == 6) for day in days]
    return _SEEN[key]


def chosen(wishes: Wishes, allowed: Allowed) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Action wished for of all contacts, and of those that are left (0, `none`, where none is), shape (n,) each."""
    contacts = wishes[:, 1:]
    wished = np.argmax(contacts, axis=1) + 1
    left = np.where(allowed[:, 1:], contacts, -np.inf)
    taken = np.where(allowed[:, 1:].any(axis=1), np.argmax(left, axis=1) + 1, 0)
    return wished.astype(np.int64), taken.astype(np.int64)
