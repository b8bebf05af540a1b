"""The tenant's present rule policy: a ladder by age of the oldest covered claim, inside the contact rules."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.action_grid import ActionGrid, BoolArray
from data.config import ControlSettings
from data.situation import Situation
from data.times import DAY_US, IntArray
from models._control_kernels import NO_CHANNEL, Ladder, Standing, first_due, ladder_actions, owed_by_debtor
from models.rules.mask import Mask


def control_actions(situation: Situation, mask: Mask, *, settings: ControlSettings, grid: ActionGrid) -> IntArray:
    """Action of the tenant's ladder for each debtor, shape (n,); `none` where the ladder has nothing to do.

    The step is the last one that the oldest covered claim has reached. Of its channels the first with an allowed
    slot is used, on the first day with one, at the step's hour or the allowed hour of that day nearest to it (the
    earlier of two). No contact within `gap_days` of the last one nor after `give_up_days`; no call where less than
    `phone_from_eur` is outstanding on the covered claims. The same for the same situation: nothing is drawn.

    Parameters
    ----------
    mask
        What `contact_mask` leaves; narrower `allowed` or `covered` are respected.
    """
    claims, size = situation.claims, situation.size
    standing = Standing(
        mask.slots.first_day[mask.slots.of_debtor],
        situation.as_of_us,
        situation.last_contact_us,
        first_due(claims.debtor, claims.due_day, mask.covered, size),
        owed_by_debtor(claims.debtor, claims.outstanding_eur, mask.covered, size),
    )
    return ladder_actions(_ladder(settings, grid), standing, mask.allowed)


@lru_cache(maxsize=64)
def _ladder(settings: ControlSettings, grid: ActionGrid) -> Ladder:
    """The ladder on a grid."""
    most = max((len(rung.channels) for rung in settings.steps), default=0)
    channel = np.full((len(settings.steps), most), NO_CHANNEL, dtype=np.int64)
    for row, rung in zip(channel, settings.steps, strict=True):
        row[: len(rung.channels)] = [grid.channels.index(name) for name in rung.channels]
    starts = np.array([rung.days_past_due for rung in settings.steps], dtype=np.int64)
    wanted = np.array([rung.hour for rung in settings.steps], dtype=np.int64)
    hours_off = np.abs(np.array(grid.hours, dtype=np.int64) - wanted[:, None])
    phone = grid.channels.index("phone") if "phone" in grid.channels else NO_CHANNEL
    return Ladder(
        starts, channel, hours_off, grid.days, phone,
        settings.gap_days * DAY_US, settings.give_up_days, float(settings.phone_from_eur),
    )  # fmt: skip


def day_slots(allowed: BoolArray, *, channel: int, grid: ActionGrid) -> BoolArray:
    """Allowed slots of one channel by day and hour, shape (n, days, hours)."""
    first = 1 + (channel - 1) * grid.slots
    slots: BoolArray = allowed[:, first : first + grid.slots].reshape(len(allowed), grid.days, len(grid.hours))
    return slots
