"""What contacts cost debtors and us: contacts, money, harm, opt-outs and complaints, by arm, channel and week."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from data.times import IntArray
from training.reports.cohorts import mondays
from training.reports.evidence import Touches
from training.reports.experiment import CHAMPION, CONTROL, Totals, mature, totals
from training.reports.facts import Facts
from training.reports.gains import PLANNED_DEBTORS
from training.reports.rare_events import more_at_any_look, more_per_thousand, per_thousand
from training.trials.intervals import (
    LEVEL,
    UNKNOWN,
    Interval,
    mean_difference,
    mean_interval,
    never_negative,
    ratio_difference,
)

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

HUNDRED = 100.0
"""1970-01-01 was a Thursday: weeks begin three days before it."""


@dataclass(frozen=True)
class Burden:
    """What contacts took from debtors and from us within the horizon, each with its interval.

    Attributes
    ----------
    contacts, cost_eur, harm_eur
        Per debtor.
    cost_per_100
        EUR of cost for every 100 EUR recovered.
    opted_out, complained
        Debtors in 1,000.
    """

    debtors: int
    contacts: Interval
    cost_eur: Interval
    harm_eur: Interval
    cost_per_100: Interval
    opted_out: Interval
    complained: Interval


def burden(found: Totals) -> Burden:
    """Burden of debtors whose horizon is over."""
    return Burden(
        debtors=len(found.arm),
        contacts=never_negative(mean_interval(found.contacts)),
        cost_eur=never_negative(mean_interval(found.cost_eur)),
        harm_eur=never_negative(mean_interval(found.harm_eur)),
        cost_per_100=never_negative(ratio_interval(HUNDRED * found.cost_eur, found.recovered_eur)),
        opted_out=per_thousand(found.opted_out),
        complained=per_thousand(found.complained),
    )


def more_burden(found: Totals) -> Burden:
    """Burden of the champion arm less that of the control arm; `debtors` are those of both."""
    ours, theirs = found.of(CHAMPION), found.of(CONTROL)
    cost = (HUNDRED * ours.cost_eur, HUNDRED * theirs.cost_eur)
    recovered = (ours.recovered_eur, theirs.recovered_eur)
    paid = all(side.sum() > 0 for side in recovered)
    return Burden(
        debtors=len(ours.arm) + len(theirs.arm),
        contacts=mean_difference(ours.contacts, theirs.contacts),
        cost_eur=mean_difference(ours.cost_eur, theirs.cost_eur),
        harm_eur=mean_difference(ours.harm_eur, theirs.harm_eur),
        cost_per_100=ratio_difference(cost, recovered) if paid else UNKNOWN,
        opted_out=more_per_thousand(ours.opted_out, theirs.opted_out),
        complained=more_per_thousand(ours.complained, theirs.complained),
    )


class Objections(NamedTuple):
    """Opt-outs and complaints of the champion arm less those of the control arm, in 1,000 debtors, at all looks together."""

    opted_out: Interval
    complained: Interval


def more_objections(found: Totals) -> Objections:
    """More objections, with intervals for both outcomes at once that may be looked at every day."""
    ours, theirs = found.of(CHAMPION), found.of(CONTROL)
    pairs = ((ours.opted_out, theirs.opted_out), (ours.complained, theirs.complained))
    each = (more_at_any_look(*pair, planned_debtors=PLANNED_DEBTORS, outcomes=len(pairs)) for pair in pairs)
    return Objections(*each)


def ratio_interval(parts: FloatArray, wholes: FloatArray) -> Interval:
    """Sum of parts over sum of wholes, one entry of each a debtor; not known where the wholes sum to nothing.

    Notes
    -----
    Linearised ratio (Cochran, Sampling Techniques, chapter 6).

    >>> ratio_interval(np.array([1.0, 1.0]), np.array([4.0, 4.0]))
    Interval(value=0.25, low=0.25, high=0.25)
    """
    whole, size = float(wholes.sum()), len(wholes)
    if whole <= 0 or size < 2:
        return UNKNOWN
    ratio = float(parts.sum()) / whole
    spread = size / (size - 1) * float(((parts - ratio * wholes) ** 2).sum()) / whole**2
    half = float(stats.norm.ppf((1 + LEVEL) / 2)) * float(np.sqrt(spread))
    return Interval(ratio, ratio - half, ratio + half)


def contacts_avoided(found: Totals) -> Interval:
    """Contacts that the champion's debtors would have had more at the control arm's pace; negative: fewer."""
    ours, theirs = found.of(CHAMPION), found.of(CONTROL)
    return Interval(*(len(ours.arm) * end for end in mean_difference(theirs.contacts, ours.contacts)))


def by_channel(facts: Facts, *, days: int) -> Iterator[tuple[str, Totals]]:
    """Each channel met, in the order of the log, with the debtors' totals in which its contacts alone are counted."""
    evidence = facts.evidence
    for code, name in enumerate(evidence.rows.channels):
        touches = _through(evidence.touches, code)
        if code and len(touches.debtor):
            yield name, totals(facts.entrants, replace(evidence, touches=touches), days=days)


def _through(touches: Touches, channel: int) -> Touches:
    here = touches.channel == channel
    per_touch = {name: value[here] for name, value in vars(touches).items() if isinstance(value, np.ndarray)}
    return replace(touches, **per_touch, cover=touches.cover.only(here))


def weeks_entered(facts: Facts, *, days: int) -> IntArray:
    """First day (days since the epoch) of the week, Monday to Sunday UTC, in which each debtor of `totals` came in."""
    here = mature(facts.entrants, days, known_until_us=facts.known_until_us)
    first: IntArray = mondays(facts.entrants.entered_us[here]).astype(np.int64)
    return first


@dataclass(frozen=True)
class Noise:
    """Debtors contacted through a channel, and those of them who opted out or complained upon one of its contacts."""

    debtors: int
    opted_out: Interval
    complained: Interval


def noise_by_channel(facts: Facts) -> Mapping[str, Noise]:
    """Opt-outs and complaints by the channel of the contact that they followed, since the first decision: no effects."""
    told, touches = _told(facts), facts.evidence.touches
    since = touches.at_us >= facts.span_us[0]
    each = ((name, since & (touches.channel == code)) for code, name in enumerate(facts.evidence.rows.channels) if code)
    return {name: _noise(np.unique(touches.debtor[here]), told, name) for name, here in each if here.any()}


def _noise(contacted: IntArray, told: pa.Table, channel: str) -> Noise:
    here = told.filter(pc.equal(told["channel"], channel))
    hit = {
        kind: np.isin(contacted, here.filter(pc.equal(here["kind"], kind))["debtor"].to_numpy())
        for kind in ("opted_out", "complained")
    }
    return Noise(len(contacted), per_thousand(hit["opted_out"]), per_thousand(hit["complained"]))


def _told(facts: Facts) -> pa.Table:
    """Kind, channel and debtor (row in the log) of each opt-out and complaint known by then that names a contact."""
    events = facts.portfolio["contact_events"]
    at_us = events["at"].cast(pa.int64())
    known_us = pc.max_element_wise(at_us, events["known_at"].cast(pa.int64()))  # nulls are skipped
    named = pc.is_in(events["kind"], value_set=pa.array(["opted_out", "complained"]))
    events = events.filter(pc.and_(named, pc.less_equal(known_us, facts.known_until_us)))
    contacts, decisions = facts.portfolio["contacts"], facts.decisions.rename_columns({"decision_id": "contact_id"})
    since = contacts.filter(pc.greater_equal(contacts["decided_at"].cast(pa.int64()), facts.span_us[0]))
    columns = ["contact_id", "debtor_id", "channel"]
    made = pa.concat_tables([since.select(columns), decisions.select(columns)])
    row = pc.index_in(events["contact_id"], value_set=made["contact_id"].combine_chunks())
    debtor = pc.index_in(made["debtor_id"].take(row), value_set=facts.evidence.rows.debtor_id)
    return pa.table({"kind": events["kind"], "channel": made["channel"].take(row), "debtor": pc.fill_null(debtor, -1)})
