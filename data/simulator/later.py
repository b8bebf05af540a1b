"""What a later decision inside the horizon does to the truth of this one, by simulation.

Where a world decides more often than the horizon is long, the truth of an action includes the behaviour's next
decision. Its choice depends on the action at hand through one thing only: whether contact has just been made. So the
next decision is drawn again and again for two cases, "none now" and "contact now", the same for all contacts; each
draw's effect is exact, and its mean is the chance that the claim stays unpaid through it. Left out, and small: that a
payment, opt-out or dispute in between would change the next choice, and that the claim will have aged by a week.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.simulator.behaviour import Behaviour
from data.simulator.contacts import owed_eur
from data.simulator.exact import added
from data.simulator.hazard import Hazard
from data.simulator.response import effect
from data.simulator.state import Chunk
from data.simulator.view import TextArray, View, slots_of, view
from data.situation import FloatArray
from data.times import DAY_US, IntArray

REPLICATIONS = 64
TYPICAL_WEIGHT = 0.6
"""What a contact of unknown channel adds to the count of recent contacts."""


def survival(
    chunk: Chunk,
    rows: IntArray,
    *,
    hazard: Hazard,
    rate: FloatArray,
    behaviour: Behaviour,
    debtor_ids: TextArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Chance that the next decision leaves an unpaid claim unpaid to the end of the hazard's window, and its standard error.

    Returns
    -------
    Both (m, 2): after `none`, after a contact. Ones and zeros where the next decision lies beyond the window.
    """
    window = hazard.window
    at_us = int(window.start_us[0]) + chunk.world.cycle_days * DAY_US if len(rows) else 0
    if not len(rows) or at_us >= int(window.end_us[0]):
        return np.ones((len(rows), 2)), np.zeros((len(rows), 2))
    columns = [
        _after(one, rows, at_us=at_us, hazard=hazard, rate=rate, behaviour=behaviour, debtor_ids=debtor_ids, rng=again)
        for one, again in zip(
            (chunk, _contacted(chunk, at_us - chunk.world.cycle_days * DAY_US)), _twins(rng), strict=True
        )
    ]
    draws = np.stack(columns, axis=1)
    return draws.mean(axis=2), draws.std(axis=2, ddof=1) / np.sqrt(REPLICATIONS)


def _twins(rng: np.random.Generator) -> tuple[np.random.Generator, np.random.Generator]:
    """Two generators of the same numbers, so that the two cases differ by nothing else."""
    seed = int(rng.integers(2**63))
    return np.random.default_rng(seed), np.random.default_rng(seed)


def _contacted(chunk: Chunk, at_us: int) -> Chunk:
    """The chunk after every debtor has just been contacted."""
    people = chunk.people
    tired = chunk.laws(np.full(people.size, at_us)).tired + TYPICAL_WEIGHT
    now = np.full(people.size, at_us)
    return replace(
        chunk, people=replace(people, contacts=people.contacts + 1, last_contact_us=now, tired=tired, tired_us=now)
    )


def _after(
    chunk: Chunk,
    rows: IntArray,
    *,
    at_us: int,
    hazard: Hazard,
    rate: FloatArray,
    behaviour: Behaviour,
    debtor_ids: TextArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Chance that claims stay unpaid through the next decision, for each replication, (m, R)."""
    seen = view(chunk, np.full(chunk.people.size, at_us), debtor_ids=debtor_ids)
    allowed = behaviour.options(seen.situation)
    at_view = np.full(chunk.claims.size, -1)
    at_view[seen.claim[seen.covered]] = seen.situation.claims.debtor[seen.covered]
    owner = at_view[rows]
    survives = np.ones((len(rows), REPLICATIONS))
    for number in range(REPLICATIONS):
        action = behaviour.choose(seen.situation, allowed, rng=rng).action[np.maximum(owner, 0)]
        here = np.flatnonzero((owner >= 0) & (action > 0))
        change = _change(chunk, rows, here=here, action=action, owner=owner, seen=seen, hazard=hazard, rate=rate)
        survives[here, number] = np.exp(-change)
    return survives


def _change(
    chunk: Chunk,
    rows: IntArray,
    *,
    here: IntArray,
    action: IntArray,
    owner: IntArray,
    seen: View,
    hazard: Hazard,
    rate: FloatArray,
) -> FloatArray:
    """What the contacts chosen for the claims in `here` add to their hazard, (k,)."""
    times = slots_of(chunk, seen)
    at_us = seen.situation.as_of_us[0]
    chosen, of_class = action[here], times.of_debtor[owner[here]]
    claim = rows[here]
    result = effect(
        chunk.laws(np.full(chunk.people.size, at_us)),
        claim[:, None],
        channel=chunk.channel_codes[chunk.grid.channel[chosen]][:, None],
        send_us=times.send_us[of_class, chosen][:, None],
        hour=chunk.grid.hour[chosen][:, None],
        weekday=((times.first_day[of_class] + chunk.grid.day[chosen] + 3) % 7).astype(np.int16)[:, None],
        outstanding_eur=owed_eur(chunk.claims, claim)[:, None],
        age_days=(at_us // DAY_US - chunk.claims.due_day[claim]).astype(np.float64)[:, None],
    )
    return added(hazard.of(here), result, rate=rate[here])[:, 0]
