"""What rules and rule policies look at, taken from histories at each debtor's `as_of`."""

from __future__ import annotations

import numpy as np

from data.situation import OpenClaims, Points, Situation
from data.times import NEVER, IntArray
from features.pipeline import ClaimRows, Targets
from features.tables import Histories


def situation_of(histories: Histories, targets: Targets, *, rows: ClaimRows) -> Situation:
    """Situation of debtors at their moments; `targets` must hold every open claim of each.

    Parameters
    ----------
    rows
        As `features.pipeline.build` gives them for the same targets.
    """
    debtor, as_of_us, known = targets.debtor, targets.as_of_us, rows.debtors
    since_us, until_us = histories.vulnerable_from_us[debtor], histories.vulnerable_to_us[debtor]
    # An end without a beginning is read with caution: vulnerable ever since.
    begun = (since_us <= as_of_us) | ((since_us == NEVER) & (until_us < NEVER))
    vulnerable = begun & (as_of_us < until_us)
    return Situation(
        as_of_us=as_of_us,
        debtor_id=histories.debtor_id[debtor],
        places=histories.places,
        place=histories.place[debtor],
        birth_day=histories.birth_day[debtor],
        blocked_us=histories.blocked_us[debtor],
        cease_us=histories.cease_us[debtor],
        objected_us=histories.objected_us[debtor],
        stop_until_us=histories.stop_until_us[debtor],
        vulnerable=vulnerable,
        opted_out=known.opted_out,
        wrong_person=known.wrong_person,
        contacts=known.contacts,
        last_contact_us=known.last_contact_us,
        points=_points(histories, debtor, as_of_us),
        claims=_claims(histories, targets, rows),
    )


def _points(histories: Histories, debtor: IntArray, as_of_us: IntArray) -> Points:
    points = histories.points
    count = points.start[debtor + 1] - points.start[debtor]
    owner = np.repeat(np.arange(len(debtor)), count)
    ends = np.cumsum(count)
    row = np.arange(len(owner)) - np.repeat(ends - count, count) + np.repeat(points.start[debtor], count)
    begun = (points.valid_from_us[row] <= as_of_us[owner]) & (points.channel[row] >= 0)
    owner, row = owner[begun], row[begun]
    return Points(
        debtor=owner,
        channel=points.channel[row],
        valid_from_us=points.valid_from_us[row],
        valid_to_us=points.valid_to_us[row],
        verified=points.verified[row] & (points.verified_us[row] <= as_of_us[owner]),
        withdrawn=points.withdrawn[row],
        kind=points.kind[row],
        known="contact_points" not in histories.missing,
    )


def _claims(histories: Histories, targets: Targets, rows: ClaimRows) -> OpenClaims:
    state = rows.state
    return OpenClaims(
        debtor=targets.moment,
        outstanding_eur=rows.outstanding_eur,
        due_day=histories.claims.due_day[targets.claim],
        stage=state.stage.astype(np.int16),
        disputed=state.disputed,
        held=state.held,
        on_plan=state.on_plan,
        promised_until_us=rows.debtors.promised_until_us[targets.moment],
    )
