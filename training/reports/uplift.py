"""What contacting adds over no contact: only from decisions of the `explore` arm, where `none` was drawn with a known chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.times import DAY_US, IntArray
from data.vocabulary import ARMS
from training.ope.estimators import snips
from training.ope.intervals import skewed_interval, standard_error
from training.ope.overlap import NoOverlap, require_support
from training.reports.experiment import CHAMPION, Entrants, Totals, totals
from training.reports.facts import Facts
from training.trials.intervals import LEVEL, UNKNOWN, WINSOR, Interval, mean_interval

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

EXPLORE = ARMS.index("explore")
TWO_SIDED = 1.96
FEWEST_DRAWN = 30
"""Debtors behind either side, after weighting, below which no number is given."""


@dataclass(frozen=True)
class Uplift:
    """What something adds over no contact, per debtor; `drawn` debtors were left without contact by lot.

    `effective` is how many equally weighted debtors they are worth; `refusal` says why there is no number: `no_explore`,
    `too_few`, `no_support`, or nothing.
    """

    recovered_eur: Interval
    debtors_paid: Interval
    treated: int
    drawn: int
    effective: float
    refusal: str = ""


def over_none(entrants: Entrants, facts: Facts, *, days: int, cap_eur: float) -> Uplift:
    """The champion arm over no contact at all within so many days.

    Debtors of the `explore` arm whose every decision within the days was a drawn `none` stand for all debtors, each
    weighted by one over the product of the chances of those draws (1 where no contact was allowed); a debtor who was
    contacted weighs nothing. Recovered money is cut at `cap_eur`: few debtors with large weights carry the comparison.

    Notes
    -----
    Self-normalised importance sampling over sequences of decisions, whose probabilities are those of the log.
    """
    found = totals(entrants, facts.evidence, days=days)
    ours, theirs = found.of(CHAMPION), found.of(EXPLORE)
    if not len(theirs.arm) or not len(ours.arm):
        return _refused("no_explore", len(ours.arm), 0)
    weight, certain = none_weights(entrants.debtor[theirs.row], entrants.entered_us[theirs.row], facts, days=days)
    effective = float(weight.sum() ** 2 / max(float(weight @ weight), 1e-12))
    drawn = int((weight > 0).sum())
    if effective < FEWEST_DRAWN or drawn < FEWEST_DRAWN:
        return _refused("too_few", len(ours.arm), drawn, effective)
    money = np.minimum(theirs.recovered_eur, cap_eur)
    try:
        require_support(weight, theirs.payer, unlogged_mass=float(certain.mean()))
    except NoOverlap:
        return _refused("no_support", len(ours.arm), drawn, effective)
    return Uplift(
        _less(np.minimum(ours.recovered_eur, cap_eur), snips(money, weight)),
        _less(ours.payer, snips(theirs.payer, weight)),
        len(ours.arm),
        drawn,
        effective,
    )


def none_weights(debtor: IntArray, entered_us: IntArray, facts: Facts, *, days: int) -> tuple[FloatArray, BoolArray]:
    """Weight of each debtor for "no contact within the days", and who was contacted without a draw, shape (n,) each.

    Decisions that were refused or replaced are left out: nothing came of them.
    """
    rows = facts.evidence.rows
    place = np.full(len(rows.debtor_id), -1)
    place[debtor] = np.arange(len(debtor))
    at = place[rows.debtor]
    since_us = rows.decided_us - np.append(entered_us, 0)[at]
    here = np.flatnonzero((at >= 0) & rows.standing & (since_us >= 0) & (since_us < days * DAY_US))
    moment, of_moment = np.unique(rows.decision[here], return_inverse=True)
    contacted = np.zeros(len(moment), dtype=bool)
    contacted[of_moment[rows.channel[here] > 0]] = True
    chance = np.ones(len(moment))
    logged = np.nan_to_num(rows.channel_probability[here], nan=0.0)  # no chance is true of a displaced decision
    np.minimum.at(chance, of_moment, logged)  # claims held back have a row of chance 1
    whose = np.zeros(len(moment), dtype=np.int64)
    whose[of_moment] = at[here]
    certain = (chance == 0) | (contacted & (chance == 1))
    logs = np.where(contacted | (chance == 0), -np.inf, -np.log(np.where(chance > 0, chance, 1.0)))
    weight: FloatArray = np.exp(np.bincount(whose, weights=logs, minlength=len(debtor)))
    undrawn = np.bincount(whose, weights=certain, minlength=len(debtor)) > 0
    return weight, undrawn


@dataclass(frozen=True)
class ChannelEffect:
    """A channel at the first decision over `none` there, whatever followed; None without a number, `refusal` says why."""

    channel: str
    recovered_eur: Interval
    debtors_paid: Interval
    contacted: int
    left: int
    refusal: str = ""


def channel_effects(entrants: Entrants, facts: Facts, *, days: int) -> tuple[ChannelEffect, ...]:
    """Every contact channel of the log over `none`, among debtors of `explore` who could have had it at the first decision.

    Debtors count in the channel drawn at their first decision, weighted by one over its chance, whatever was drawn for
    them later: the arm goes on alike for all. Money is cut at the 99 % quantile. The intervals of all channels hold at
    once (Bonferroni).
    """
    found = totals(entrants, facts.evidence, days=days)
    drawn = found.of(EXPLORE)
    channel, chance = _first_draw(entrants, drawn, facts)
    ours = np.flatnonzero((chance > 0) & (chance < 1))
    names = facts.evidence.rows.channels
    open_to = _open_channels(entrants.only(_marked(drawn.row[ours], len(entrants.debtor))), facts)
    level = 1 - (1 - LEVEL) / max(1, len(names) - 1)
    effects = []
    for code, name in enumerate(names[1:], start=1):
        here = ours[open_to[:, code]] if len(ours) else ours
        drew = [np.where(channel[here] == one, 1 / chance[here], 0.0) for one in (code, 0)]
        effects.append(_effect(name, drew, drawn.at(here), level=level))
    return tuple(effects)


def _effect(name: str, weights: list[FloatArray], found: Totals, *, level: float) -> ChannelEffect:
    """The effect by the weights of debtors for whom the channel was drawn, and of those for whom `none` was."""
    counts = [int((one > 0).sum()) for one in weights]
    if min(counts) < FEWEST_DRAWN:
        return ChannelEffect(name, UNKNOWN, UNKNOWN, counts[0], counts[1], "too_few")
    try:
        for one in weights:
            require_support(one, found.payer)
    except NoOverlap:
        return ChannelEffect(name, UNKNOWN, UNKNOWN, counts[0], counts[1], "no_support")
    money = np.minimum(found.recovered_eur, np.quantile(found.recovered_eur, WINSOR))
    each = [snips(values, weights[0]) - snips(values, weights[1]) for values in (money, found.payer)]
    gains = [_interval(one, level=level) for one in each]
    return ChannelEffect(name, gains[0], gains[1], counts[0], counts[1])


def _first_draw(entrants: Entrants, drawn: Totals, facts: Facts) -> tuple[IntArray, FloatArray]:
    """Channel of each debtor's first decision and the chance it was drawn with, 0 where none is true of it."""
    rows = facts.evidence.rows
    place = np.full(len(rows.debtor_id), -1)
    place[entrants.debtor[drawn.row]] = np.arange(len(drawn.row))
    at = place[rows.debtor]
    entered_us = np.append(entrants.entered_us[drawn.row], 0)
    here = np.flatnonzero((at >= 0) & (rows.decided_us == entered_us[at]))
    channel, chance = np.zeros(len(drawn.row), dtype=np.int64), np.full(len(drawn.row), 2.0)
    np.maximum.at(channel, at[here], rows.channel[here])
    ours = here[rows.channel[here] == channel[at[here]]]
    logged = np.nan_to_num(rows.channel_probability[ours], nan=0.0)
    np.minimum.at(chance, at[ours], logged)  # claims held back have a row of chance 1
    return channel, chance


def _open_channels(entrants: Entrants, facts: Facts) -> BoolArray:
    """Which channels of the log each debtor could have had at the first decision, shape (n, channels).

    A channel was open if it was shut to not all of the debtor's claims then.
    """
    names = facts.evidence.rows.channels
    rows = facts.evidence.rows
    debtor_id = rows.debtor_id.take(pa.array(entrants.debtor))
    mine = facts.decisions.filter(pc.is_in(facts.decisions["debtor_id"], value_set=debtor_id))
    place = pc.index_in(mine["debtor_id"], value_set=debtor_id.cast(pa.string())).to_numpy()
    first = np.flatnonzero(mine["decided_at"].cast(pa.int64()).to_numpy() == entrants.entered_us[place])
    found = np.zeros((len(entrants.debtor), len(names)), dtype=bool)
    code = {name: number for number, name in enumerate(names)}
    for row, blocked in zip(first.tolist(), mine["blocked"].take(pa.array(first)).to_pylist(), strict=True):
        shut = {code[one["channel"]] for one in blocked if one["channel"] in code}
        found[place[row], [one for one in range(len(names)) if one not in shut]] = True
    return found


def _marked(rows: IntArray, size: int) -> BoolArray:
    found = np.zeros(size, dtype=bool)
    found[rows] = True
    return found


def _less(ours: FloatArray, weighted: FloatArray) -> Interval:
    """Mean of the first less mean of the second, independent of each other."""
    first = mean_interval(ours)
    error, _ = standard_error(weighted, np.arange(len(weighted)))
    value = first.value - float(weighted.mean())
    half = TWO_SIDED * float(np.hypot(ours.std(ddof=1) / np.sqrt(len(ours)), error))
    return Interval(value, value - half, value + half)


def _interval(per_row: FloatArray, *, level: float) -> Interval:
    found = skewed_interval(per_row, np.arange(len(per_row)), level=level)
    return Interval(found.value, found.low, found.high)


def _refused(why: str, treated: int, drawn: int, effective: float = 0.0) -> Uplift:
    return Uplift(UNKNOWN, UNKNOWN, treated, drawn, effective, why)
