"""One debtor's mask in words: each claim covered or held and by which rule, each channel's open slots or what shut it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from data.action_grid import ActionGrid
from data.situation import Situation
from data.times import from_day, from_us
from models.rules.mask import RULES, Mask

_SENTENCE = {rule.name: rule.sentence for rule in RULES}


def told_mask(
    mask: Mask, situation: Situation, *, debtor: int, grid: ActionGrid, claim_ids: Sequence[str]
) -> list[str]:
    """Lines on one debtor.

    Parameters
    ----------
    debtor
        Row in the situation.
    claim_ids
        Identifiers of the situation's claims, length m.
    """
    place, as_of = situation.places[situation.place[debtor]], from_us(int(situation.as_of_us[debtor]))
    where = f"{place.region or place.country}, on the clock of {' or '.join(place.zones)}"
    return [
        f"{situation.debtor_id[debtor]}, {where}, as of {as_of:%Y-%m-%dT%H:%MZ}",
        "claims",
        *_claims(mask, situation, debtor=debtor, claim_ids=claim_ids),
        "channels",
        *_channels(mask, debtor=debtor, grid=grid),
    ]


def _claims(mask: Mask, situation: Situation, *, debtor: int, claim_ids: Sequence[str]) -> list[str]:
    lines = []
    for claim in np.flatnonzero(situation.claims.debtor == debtor).tolist():
        rule = mask.claim_barred(claim)
        lines.append(f"  {claim_ids[claim]}: {f'held by {_ruled(rule)}' if rule else 'a contact may be about it'}")
    return lines or ["  none is open"]


def _channels(mask: Mask, *, debtor: int, grid: ActionGrid) -> list[str]:
    shut = dict(mask.blocked(debtor))
    return [
        f"  {channel}: {f'shut by {_ruled(shut[channel])}' if channel in shut else _open(mask, debtor, code, grid)}"
        for code, channel in enumerate(mask.channels)
        if code
    ]


def _ruled(rule: str) -> str:
    return f"{rule}. {_SENTENCE[rule]}"


def _open(mask: Mask, debtor: int, code: int, grid: ActionGrid) -> str:
    """Open slots of one channel by day, days on end with the same hours together."""
    first_day = int(mask.slots.first_day[mask.slots.of_debtor[debtor]])
    mine = mask.allowed[debtor] & (grid.channel == code)
    of_day = {day: tuple(grid.hour[mine & (grid.day == day)].tolist()) for day in range(grid.days)}
    runs = [(hours, list(days)) for hours, days in groupby(of_day, key=lambda day: of_day[day])]
    return "open " + "; ".join(_run(hours, days, first_day=first_day) for hours, days in runs if hours)


def _run(hours: Sequence[int], days: Sequence[int], *, first_day: int) -> str:
    """Days on end, and the local hours at which a slot begins on each of them.

    >>> _run([8, 14], [0, 1, 2], first_day=20_514)
    'Mon 2 March to Wed 4 March at 08, 14'
    """
    ends = [_day(first_day + day) for day in (days[0], days[-1])]
    named = ends[0] if len(days) == 1 else " to ".join(ends)
    return f"{named} at {', '.join(f'{hour:02d}' for hour in hours)}"


def _day(day: int) -> str:
    date = from_day(day)
    return f"{date:%a} {date.day} {date:%B}"
