"""What followed contacts, by channel and hour: a description of responses, not of effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.action_grid import local_hours
from data.calendar import place_of
from data.outcomes import paid_pairs
from data.portfolio import Portfolio
from data.times import DAY_US, NEVER, IntArray
from training.reports.evidence import Evidence, Rows
from training.trials.intervals import Interval, share_interval

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """One entry per debtor and instant of decision, shape (n,): a contact, or `none`, over the claims it covers.

    Attributes
    ----------
    debtor, arm, channel
        As in `Rows`.
    decided_us, send_us
        Microseconds UTC, `send_us` `NEVER` for `none`.
    mature
        The horizon is over; the others are censored.
    paid
        Anything was paid on a covered claim within the horizon.
    credited_eur
        Payments for which this was the debtor's last decision before: each payment is credited once.
    cost_eur
        Of the contact, by the configuration.
    answered, unanswered
        Somebody answered the contact; something is recorded of it, but not that.
    """

    debtor: IntArray
    arm: IntArray
    channel: IntArray
    decided_us: IntArray
    send_us: IntArray
    mature: BoolArray
    paid: BoolArray
    credited_eur: FloatArray
    cost_eur: FloatArray
    answered: BoolArray
    unanswered: BoolArray


@dataclass(frozen=True)
class Response:
    """What followed the mature decisions of one group; `who` are the debtors they were on, shape (n,), without repeats."""

    who: IntArray
    decisions: int
    paid: int
    share_paid: Interval
    credited_eur: float
    cost_eur: float

    @property
    def debtors(self) -> int:
        """On how many debtors they were."""
        return len(self.who)


def moments(evidence: Evidence, *, days: int) -> Moments:
    """Decisions per debtor and instant, without those refused or replaced.

    A claim that a contact does not cover has a `none` row of its own beside it; it is left out of that contact.
    """
    rows = evidence.rows
    standing = np.flatnonzero(rows.standing)
    order = standing[np.lexsort((-rows.channel[standing], rows.decided_us[standing], rows.debtor[standing]))]
    new = np.ones(len(order), dtype=bool)
    same_debtor = rows.debtor[order][1:] == rows.debtor[order][:-1]
    new[1:] = ~(same_debtor & (rows.decided_us[order][1:] == rows.decided_us[order][:-1]))
    moment_of, head = np.cumsum(new) - 1, order[new]
    covered = rows.channel[order] == rows.channel[head][moment_of]
    row, moment = order[covered], moment_of[covered]
    paid, credited = _followed(evidence, row, moment, days=days, size=len(head))
    return Moments(
        debtor=rows.debtor[head],
        arm=rows.arm[head],
        channel=rows.channel[head],
        decided_us=rows.decided_us[head],
        send_us=rows.send_us[head],
        mature=rows.decided_us[head] + days * DAY_US <= evidence.known_until_us,
        paid=paid,
        credited_eur=credited,
        cost_eur=evidence.decision_cost_eur[head],
        answered=evidence.answered[rows.decision[head]],
        unanswered=(evidence.tried & ~evidence.answered)[rows.decision[head]] & (rows.channel[head] > 0),
    )


def _followed(
    evidence: Evidence, row: IntArray, moment: IntArray, *, days: int, size: int
) -> tuple[BoolArray, FloatArray]:
    """Whether each moment was followed by a payment, and the EUR of those payments it came last before."""
    decided_us = evidence.rows.decided_us[row]
    pairs = paid_pairs(
        decided_us,
        evidence.rows.claim[row],
        payments=evidence.payments,
        horizon_days=days,
        known_until_us=evidence.known_until_us,
    )
    paid = np.zeros(size, dtype=bool)
    paid[moment[pairs.decision]] = True
    order = np.lexsort((decided_us[pairs.decision], pairs.payment))
    payment = pairs.payment[order]
    last = order[np.append(payment[1:] != payment[:-1], True)] if len(order) else order
    money = evidence.payments.amount_eur[pairs.payment[last]]
    credited = np.bincount(moment[pairs.decision[last]], weights=money, minlength=size)
    return paid, credited.astype(np.float64)


def response(found: Moments, chosen: BoolArray) -> Response:
    """Response to the chosen decisions, those not yet mature left out."""
    here = chosen & found.mature
    return Response(
        who=np.unique(found.debtor[here]),
        decisions=int(here.sum()),
        paid=int(found.paid[here].sum()),
        share_paid=share_interval(found.paid[here], found.debtor[here]),
        credited_eur=float(found.credited_eur[here].sum()),
        cost_eur=float(found.cost_eur[here].sum()),
    )


def send_hours(found: Moments, rows: Rows, portfolio: Portfolio) -> IntArray:
    """Hour 0-23 of each contact on the debtor's own clock, -1 for `none`.

    Where the zone is not certain, the first candidate of the debtor's place gives the hour, as for the send slots.
    """
    debtors = portfolio["debtors"]
    row = pc.index_in(rows.debtor_id, value_set=debtors["debtor_id"].combine_chunks())
    of_log = debtors.select(["country", "region", "time_zone"]).take(row)
    keys = [tuple(one.values()) for one in of_log.to_pylist()]
    zone_of_key = {key: _zone(key) for key in set(keys)}
    zone = pa.array([zone_of_key[key] for key in keys]).dictionary_encode()
    code = zone.indices.to_numpy()[found.debtor]
    hours = np.full(len(found.debtor), -1, dtype=np.int64)
    for index, name in enumerate(zone.dictionary.to_pylist()):
        here = (code == index) & (found.send_us != NEVER)
        hours[here] = local_hours(name, found.send_us[here])
    return hours


def _zone(key: tuple[str | None, ...]) -> str:
    country, region, time_zone = key
    return "UTC" if country is None else place_of(country, region, time_zone).zones[0]
