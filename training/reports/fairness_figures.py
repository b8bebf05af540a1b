"""Fairness among debtors: contact pressure at equal need, recovery, gain, objections and errors of the chances by group."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from data.outcomes import instants_us
from data.times import DAY_US, NEVER, IntArray
from training.gate.evidence import DAYS_A_YEAR
from training.gate.fairness import HIGHEST_RATIO, Pressure, Rate, age_bands, need_strata, pressure, rates_at_equal_need
from training.reports.calibration_figures import Claims
from training.reports.cost_figures import ratio_interval
from training.reports.experiment import CHAMPION, CONTROL, Totals, totals
from training.reports.facts import Facts
from training.reports.gains import Comparison, compare
from training.reports.owed import owed_eur
from training.reports.part_gains import money_by_part
from training.reports.periods import Experiment
from training.reports.rare_events import per_thousand
from training.trials.intervals import LEVEL, UNKNOWN, Interval, mean_interval, never_negative

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]

AUDIT = "audit_"
"""What columns of `debtors` begin with that serve this page alone."""


@dataclass(frozen=True)
class Choices:
    """Decisions on debtors some contact with whom was lawful, one entry per debtor and instant, shape (n,).

    `need` is the stratum: quarters of the chance of payment without contact, and of what is owed on all open claims.
    """

    debtor: IntArray
    arm: IntArray
    contacted: BoolArray
    need: IntArray


def choices(facts: Facts, arms: Collection[int]) -> Choices:
    """Decisions of some arms that stand; strata are cut over these.

    Where no contact was lawful there was no choice: a group whose channels are shut more often is not treated worse by it.
    """
    rows = facts.evidence.rows
    here = np.flatnonzero(rows.standing & np.isin(rows.arm, list(arms)))
    when = np.unique(rows.decided_us[here], return_inverse=True)[1]
    key = rows.debtor[here] * (int(when.max(initial=0)) + 1) + when
    _, first, moment = np.unique(key, return_index=True, return_inverse=True)
    size = len(first)
    contacted = np.bincount(moment, rows.channel[here] > 0, size) > 0
    shut = pc.list_value_length(facts.decisions["blocked"]).to_numpy()[here]
    lawful = contacted | (np.bincount(moment, shut < len(facts.config.grid.channels) - 1, size) > 0)
    not_paid = np.ones(size)
    np.multiply.at(not_paid, moment, 1.0 - rows.unaided_probability[here])
    owed = np.bincount(moment, weights=owed_eur(facts)[here], minlength=size).astype(np.float64)
    need = need_strata(1.0 - not_paid[lawful], owed[lawful]) if lawful.any() else np.zeros(0, dtype=np.int64)
    head = here[first][lawful]
    return Choices(rows.debtor[head], rows.arm[head], contacted[lawful], need)


def groups(facts: Facts) -> dict[str, TextArray]:
    """Name of each debtor's group by each way to group, "" for not known, shape (debtors of the log,).

    By age at the first decision, by area (region), by language, and by each column `audit_…` of the debtors.
    """
    log, debtors = facts.evidence.rows, facts.portfolio["debtors"]
    row = pc.index_in(log.debtor_id, value_set=debtors["debtor_id"].combine_chunks())
    ours = debtors.take(row)
    audited = {name: _texts(ours[name]) for name in ours.column_names if name.startswith(AUDIT)}
    age = age_bands(_ages(facts, ours["birth_date"]))
    return {"age": age, "area": _texts(ours["region"]), "language": _texts(ours["language"])} | audited


def _texts(column: pa.ChunkedArray) -> TextArray:
    return np.array(pc.fill_null(column.cast(pa.string()), "").to_pylist(), dtype=np.object_)


def _ages(facts: Facts, born: pa.ChunkedArray) -> FloatArray:
    """Years at the first decision on each debtor, NaN where the birth date is not known."""
    rows = facts.evidence.rows
    first_us = np.full(len(rows.debtor_id), NEVER)
    np.minimum.at(first_us, rows.debtor, rows.decided_us)
    day = pc.fill_null(born.cast(pa.int32()).cast(pa.float64()), np.nan).to_numpy()
    years: FloatArray = (first_us / DAY_US - day) / DAYS_A_YEAR
    return years


@dataclass(frozen=True)
class Shown:
    """Contact pressure by one way to group: rates of the groups that are large enough, and the ratio of most to least."""

    by: str
    rates: Mapping[str, Rate]
    found: Pressure
    ratio: Interval

    @property
    def too_high(self) -> bool:
        """Whether some group is contacted so much more than another that it is flagged, as the gate would."""
        return self.found.too_high

    @property
    def open(self) -> bool:
        """Whether the interval reaches beyond what is allowed although nothing is flagged."""
        return not self.too_high and self.ratio.high > HIGHEST_RATIO


def pressure_by(by: str, found: Choices, *, group: TextArray) -> Shown:
    """Pressure of one way to group debtors, `group` of shape (debtors of the log,).

    Notes
    -----
    The interval of the ratio is that of a log ratio by its linearisation, wide enough for every pair of groups at once
    (Bonferroni): the largest of many ratios would otherwise look larger than it is.
    """
    names = group[found.debtor]
    rates = rates_at_equal_need(found.contacted, group=names, need=found.need, unit=found.debtor)
    whole = pressure(by, found.contacted, group=names, need=found.need, unit=found.debtor)
    return Shown(by, rates, whole, _ratio(rates, whole.ratio))


def _ratio(rates: Mapping[str, Rate], ratio: float) -> Interval:
    ordered = sorted(rates.values(), key=lambda one: one.contacts)
    if len(ordered) < 2 or ordered[0].contacts <= 0:
        return Interval(float(ratio) if len(ordered) > 1 else np.nan, np.nan, np.nan)
    ends = (ordered[0], ordered[-1])
    pairs = len(ordered) * (len(ordered) - 1)
    reach = float(stats.norm.ppf(1 - (1 - LEVEL) / pairs))
    first, last = (one.error / one.contacts for one in ends)
    half = reach * float(np.hypot(first, last))
    return Interval(ratio, ratio * float(np.exp(-half)), ratio * float(np.exp(half)))


def rate_interval(rate: Rate) -> Interval:
    """A group's contacts per decision with its interval, inside 0 and 1."""
    half = float(stats.norm.ppf((1 + LEVEL) / 2)) * rate.error
    return Interval(rate.contacts, max(0.0, rate.contacts - half), min(1.0, rate.contacts + half))


class Outcome(NamedTuple):
    """What came of a group's debtors within the horizon.

    `recovered_eur` is per debtor, all arms together, `gain_eur` champion less control, adjusted, the largest totals cut;
    `opted_out` in 1,000; `above` is the share of claims paid on less the chance predicted.
    """

    name: str
    debtors: int
    recovered_eur: Interval
    gain_eur: Interval
    opted_out: Interval
    above: Interval


@dataclass(frozen=True)
class Course:
    """What came of the debtors of one experiment: totals of all arms, and champion beside control.

    `debtor` and `compared` are the rows in the log of the debtors of `found` and of `two`. Without an experiment, `found` is
    of all debtors and `two` None.
    """

    found: Totals
    debtor: IntArray
    two: Comparison | None
    compared: IntArray


def course_of(facts: Facts, experiment: Experiment | None) -> Course:
    """The course of the experiment's debtors whose horizon is over; arms of several experiments are never pooled."""
    days = facts.config.horizon.days
    entrants = facts.entrants if experiment is None else experiment.entrants
    found = totals(entrants, facts.evidence, days=days)
    debtor = entrants.debtor[found.row]
    if experiment is None:
        return Course(found, debtor, None, debtor[:0])
    both = entrants.only(np.isin(entrants.arm, (CONTROL, CHAMPION)))
    two = compare(both, facts.evidence, days=days)
    return Course(found, debtor, two, both.debtor[two.found.row])


def outcomes(course: Course, judged: Claims, *, group: TextArray) -> Iterator[Outcome]:
    """Outcomes of each named group; `group` names that of each debtor of the log."""
    found, of_total, of_claim = course.found, group[course.debtor], group[judged.debtor]
    names = named(of_total)
    gains = _gains(course, group, names)
    for name, gain in zip(names, gains, strict=True):
        here = found.at(np.flatnonzero(of_total == name))
        yield Outcome(
            name=name,
            debtors=len(here.arm),
            recovered_eur=never_negative(mean_interval(here.recovered_eur)),
            gain_eur=gain,
            opted_out=per_thousand(here.opted_out),
            above=_above(judged.of(of_claim == name)),
        )


def _gains(course: Course, group: TextArray, names: list[str]) -> list[Interval]:
    """Champion less control in recovered EUR per debtor of each group, intervals wide enough for all groups at once."""
    if course.two is None:
        return [UNKNOWN] * len(names)
    number = {name: place for place, name in enumerate(names)}
    part = np.array([number.get(one, -1) for one in group[course.compared].tolist()], dtype=np.int64)
    each = money_by_part(course.two, part).each
    return [one.together for one in each] + [UNKNOWN] * (len(names) - len(each))


def _above(claims: Claims) -> Interval:
    per_debtor = np.unique(claims.debtor, return_inverse=True)[1]
    gap = np.bincount(per_debtor, weights=claims.paid - claims.predicted).astype(np.float64)
    return ratio_interval(gap, np.bincount(per_debtor).astype(np.float64))


def named(group: TextArray) -> list[str]:
    """Names of the groups met: ages from young to old, others in alphabetical order."""
    met = {one for one in group.tolist() if one}
    ages = [one for one in AGES if one in met]
    return ages if set(ages) == met else sorted(met)


AGES = tuple(age_bands(np.array([24.0, 25.0, 35.0, 45.0, 55.0, 65.0])).tolist())
"""Names of the age bands, youngest first."""


class Explored(NamedTuple):
    """Decisions on vulnerable debtors, how many debtors these are, and how many of the decisions were explored: none may be."""

    decisions: int
    debtors: int
    explored: int


def vulnerable_explored(facts: Facts) -> Explored:
    """Whether anybody was explored while known to be vulnerable; an end without a beginning counts from ever."""
    rows, debtors = facts.evidence.rows, facts.portfolio["debtors"]
    row = pc.index_in(rows.debtor_id, value_set=debtors["debtor_id"].combine_chunks())
    ours = debtors.take(row)
    since_us, until_us = instants_us(ours["vulnerable_from"]), instants_us(ours["vulnerable_to"])
    since_us = np.where((since_us == NEVER) & (until_us < NEVER), 0, since_us)[rows.debtor]
    here = (since_us <= rows.decided_us) & (rows.decided_us < until_us[rows.debtor])
    explored = np.asarray(facts.decisions["explored"].to_numpy(), dtype=bool)
    return Explored(
        len(np.unique(rows.decision[here])),
        len(np.unique(rows.debtor[here])),
        len(np.unique(rows.decision[here & explored])),
    )
