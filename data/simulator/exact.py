"""The chance of payment within the horizon under every action, in closed form.

For a claim and an action, the hazard summed over the horizon is that of payment by itself, less what is lost once the
contact has arrived, plus what earlier contacts still do, plus the part of the contact's own effect that comes in time.
The chance is `1 - exp(-sum)`, times the chance that the payment is not taken back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.action_grid import Slots
from data.simulator.contacts import owed_eur
from data.simulator.debts import outstanding_cents
from data.simulator.hazard import Hazard, base_after, hazard_of, rate_of, window_of
from data.simulator.payments import lasting
from data.simulator.response import Effect, Laws, effect, spread
from data.simulator.state import Chunk
from data.situation import FloatArray
from data.times import DAY_US, IntArray


@dataclass(frozen=True)
class Truth:
    """Chance of an unreversed payment, and what it brings in the claim's currency, (m, A) each."""

    payment_probability: FloatArray
    expected_paid: FloatArray


def hazards_at(chunk: Chunk, rows: IntArray, *, as_of_us: int, horizon_days: int) -> tuple[Hazard, FloatArray]:
    """Hazard of claims over the horizon without another contact, and its rate, (m,)."""
    start = np.full(len(rows), as_of_us)
    window = window_of(chunk.claims, rows, start_us=start, end_us=start + horizon_days * DAY_US)
    rate = rate_of(chunk.people, chunk.habits, claims=chunk.claims, window=window, world=chunk.world)
    return hazard_of(chunk.claims, window, rate=rate, habits=chunk.habits, pay_days=chunk.pay_days), rate


def truth_of(
    chunk: Chunk,
    rows: IntArray,
    *,
    times: Slots,
    time_class: IntArray,
    hazard: Hazard,
    rate: FloatArray,
    laws: Laws,
    survives: FloatArray,
) -> Truth:
    """Truth of every action for covered claims.

    Parameters
    ----------
    rows, time_class
        Rows in the claims, and each one's class in `times`, (m,).
    hazard, rate
        As `hazards_at` gives them for these rows.
    survives
        Chance that later decisions inside the horizon leave an unpaid claim unpaid, given that this one was `none`
        (column 0) or a contact (column 1), (m, 2); ones where nobody decides later.
    """
    result = action_effect(chunk, rows, times=times, time_class=time_class, laws=laws, as_of_us=hazard.window.start_us)
    total = hazard.total[:, None] + added(hazard, result, rate=rate)
    made = (chunk.grid.channel > 0).astype(np.int64)
    pays = 1.0 - np.exp(-total) * survives[:, made]
    claims = chunk.claims
    stays, share = lasting(chunk.habits.segment[claims.debtor[rows]], owed_eur(claims, rows))
    owed = outstanding_cents(claims, rows) / 100.0
    return Truth(pays * stays[:, None], pays * (share * owed)[:, None])


def action_effect(
    chunk: Chunk, rows: IntArray, *, times: Slots, time_class: IntArray, laws: Laws, as_of_us: IntArray
) -> Effect:
    """Effect of every action of the grid on claims, (m, A) each; nothing for `none`."""
    grid = chunk.grid
    send_us = np.where(grid.channel == 0, as_of_us[:, None], times.send_us[time_class])
    weekday = (times.first_day[time_class][:, None] + np.maximum(grid.day, 0) + 3) % 7
    age = (as_of_us // DAY_US - chunk.claims.due_day[rows]).astype(np.float64)
    return effect(
        laws,
        rows[:, None],
        channel=chunk.channel_codes[grid.channel][None, :],
        send_us=send_us,
        hour=grid.hour[None, :],
        weekday=weekday.astype(np.int16),
        outstanding_eur=owed_eur(chunk.claims, rows)[:, None],
        age_days=age[:, None],
    )


def added(hazard: Hazard, result: Effect, *, rate: FloatArray) -> FloatArray:
    """What contacts add to the hazard summed over the window, less what they lose of it, (m, a)."""
    window = hazard.window
    in_time = spread(window.end_us[:, None] - result.arrives_us, result.quick)
    too_early = spread(window.active_us[:, None] - result.arrives_us, result.quick)
    gained = result.mass * np.maximum(in_time - too_early, 0.0) * (rate > 0)[:, None]
    if not result.loss.any():
        return gained
    lost: FloatArray = result.loss * base_after(hazard, np.maximum(result.arrives_us, window.active_us[:, None]))
    return gained - lost
