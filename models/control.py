"""The tenant's present rule policy: a ladder by age of the oldest covered claim, inside the contact rules."""

from __future__ import annotations

import numpy as np

from data.action_grid import NO_ACTION, ActionGrid, BoolArray
from data.config import ControlSettings, ControlStep
from data.situation import FloatArray, Situation
from data.times import DAY_US, IntArray
from models.rules.mask import Mask

NO_STEP = -1
NO_CLAIM_DAY = int(np.iinfo(np.int64).max)


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
    step = _step(situation, mask, settings)
    owed = _outstanding_eur(situation, mask)
    action = np.full(situation.size, NO_ACTION, dtype=np.int64)
    for number, rung in enumerate(settings.steps):
        here = np.flatnonzero(step == number)
        if len(here):
            action[here] = _first_channel(
                mask.allowed[here], rung, call=owed[here] >= settings.phone_from_eur, grid=grid
            )
    return action


def _step(situation: Situation, mask: Mask, settings: ControlSettings) -> IntArray:
    """Rung of the ladder of each debtor, `NO_STEP` where it stands on none, shape (n,)."""
    claims = situation.claims
    first_due = np.full(situation.size, NO_CLAIM_DAY, dtype=np.int64)
    np.minimum.at(first_due, claims.debtor[mask.covered], claims.due_day[mask.covered])
    age_days = mask.slots.first_day[mask.slots.of_debtor] - first_due
    starts = np.array([rung.days_past_due for rung in settings.steps], dtype=np.int64)
    step = np.searchsorted(starts, age_days, side="right") - 1
    recent = (situation.last_contact_us > 0) & (
        situation.as_of_us - situation.last_contact_us < settings.gap_days * DAY_US
    )
    idle = recent | (first_due == NO_CLAIM_DAY) | (age_days > settings.give_up_days)
    return np.where(idle, NO_STEP, step).astype(np.int64)


def _outstanding_eur(situation: Situation, mask: Mask) -> FloatArray:
    claims = situation.claims
    owed: FloatArray = np.bincount(
        claims.debtor, weights=claims.outstanding_eur * mask.covered, minlength=situation.size
    ).astype(np.float64)
    return owed


def _first_channel(allowed: BoolArray, step: ControlStep, *, call: BoolArray, grid: ActionGrid) -> IntArray:
    """Action of one rung for the debtors on it, shape (k,)."""
    action = np.full(len(allowed), NO_ACTION, dtype=np.int64)
    for name in step.channels:
        open_slots = day_slots(allowed, channel=grid.channels.index(name), grid=grid)
        usable = (action == NO_ACTION) & open_slots.any(axis=(1, 2)) & (call | (name != "phone"))
        day, hour = _first_day_nearest_hour(open_slots, step.hour, grid)
        found = 1 + (grid.channels.index(name) - 1) * grid.slots + day * len(grid.hours) + hour
        action = np.where(usable, found, action)
    return action


def _first_day_nearest_hour(open_slots: BoolArray, wanted_hour: int, grid: ActionGrid) -> tuple[IntArray, IntArray]:
    """Day and index of the hour, shape (k,) each, of slots (k, days, hours)."""
    day = np.argmax(open_slots.any(axis=2), axis=1)
    distance = np.abs(np.array(grid.hours, dtype=np.int64) - wanted_hour)
    on_day = open_slots[np.arange(len(day)), day]
    return day.astype(np.int64), np.argmin(np.where(on_day, distance, 24), axis=1).astype(np.int64)


def day_slots(allowed: BoolArray, *, channel: int, grid: ActionGrid) -> BoolArray:
    """Allowed slots of one channel by day and hour, shape (n, days, hours)."""
    first = 1 + (channel - 1) * grid.slots
    slots: BoolArray = allowed[:, first : first + grid.slots].reshape(len(allowed), grid.days, len(grid.hours))
    return slots
