"""Moments at which a debtor could have been contacted and was not, worked out from the contacts of others.

A log of contacts does not hold the decisions against one. Where one debtor was contacted, others stood alike and were not:
so many days after their last contact (or after their first claim came, where there was none), in the same week, at the
same stage, with claims as old. These are the risk set of the contact (Prentice and Breslow 1978; matched at each moment
on what was known then: Li, Propert and Rosenbaum 2001). Whether they were contacted later, and what they paid, plays no
part: a row is chosen by what had happened until the end of its day. Nobody drew these rows at random, and what differs
between debtors contacted and not, beyond what is recorded, stays in them.

An old system often acted in a rhythm: whoever was contacted came up again 14 days later. On other days nobody was at risk.
Days since the last contact on which at least a share `rhythm` of those open was contacted are taken for its moments of
decision, where most contacts fall on such days; else every day is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.stretches import rows_of
from data.times import DAY_US, NEVER, IntArray
from features.columns import BoolArray, FloatArray, TextArray
from features.pipeline import open_targets
from features.tables import Histories
from models.hashing import keyed_uniform
from training.replay.latest import held_at, stages_at
from training.replay.made import Made

AGES_DAYS = (0, 31, 91, 181)
"""Days past due at which the bands of the oldest open claim begin."""
WEEK_DAYS = 7
FIRST = 100_000
"""Added to the days since the first claim came, where no contact was made before: those days are another clock."""


@dataclass(frozen=True)
class RiskSettings:
    """How rows are worked out.

    Parameters
    ----------
    each
        Rows for each contact of a week, stage, age and day, at most.
    longest_days
        Days since the last contact after which nobody is compared.
    rhythm, covered, fewest
        Share contacted of those open from which on a day counts as a moment of decision; share of contacts that must fall on such
        days, else every day counts; contacts on a day below which its share tells nothing.
    """

    each: float = 2.0
    longest_days: int = 90
    rhythm: float = 0.2
    covered: float = 0.5
    fewest: int = 20


@dataclass(frozen=True)
class RiskSets:
    """Rows without a contact, one entry each, shape (k,), and which contacts they can be compared with.

    Parameters
    ----------
    policy
        Of a contact made in the same week to a debtor alike.
    waited_days
        Until the debtor's next contact, infinite where none came.
    comparable
        Whether a contact has such rows beside it, shape (n,).
    rhythm_days
        Days since the last contact taken for moments of decision; empty: every day.
    """

    debtor: IntArray
    at_us: IntArray
    policy: TextArray
    waited_days: FloatArray
    comparable: BoolArray
    rhythm_days: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.debtor)


@dataclass(frozen=True)
class _Standing:
    """Debtors at moments: whether a contact is possible, days since the last one, and how the open claims stand; (q,) each."""

    debtor: IntArray
    at_us: IntArray
    days: IntArray
    possible: BoolArray
    alike: IntArray

    def only(self, which: BoolArray | IntArray) -> _Standing:
        """Some of them."""
        return _Standing(
            self.debtor[which], self.at_us[which], self.days[which], self.possible[which], self.alike[which]
        )


def risk_sets(
    made: Made, histories: Histories, *, debtors: BoolArray, until_us: int, settings: RiskSettings, seed: int
) -> RiskSets:
    """Risk sets of the contacts with these debtors up to a moment.

    Parameters
    ----------
    debtors
        Who is looked at, by row in the histories.
    """
    chosen = np.flatnonzero(debtors[made.debtor] & (made.decided_us <= until_us))
    first_us = _first_claims(histories)
    case = _standing(histories, made.debtor[chosen], made.decided_us[chosen], _days_before(made, first_us)[chosen])
    usable = case.possible & ~made.statutory[chosen] & (case.days % FIRST <= settings.longest_days)
    used = np.unique(case.days[usable])
    rest = _uncontacted(made, histories, chosen, first_us, debtors=debtors, until_us=until_us, used=used)
    rest = rest.only(rest.possible)
    moments = _moments_of_decision(case.days[usable], rest.days, settings)
    usable &= np.isin(case.days, moments)
    rest = rest.only(np.isin(rest.days, moments))
    kept = _beside(case.only(usable), rest, histories, each=settings.each, seed=seed)
    rest = rest.only(kept)
    comparable = np.zeros(len(made), dtype=np.bool_)
    comparable[chosen] = usable & np.isin(case.alike, rest.alike)
    return RiskSets(
        rest.debtor, rest.at_us, _policies(case.only(usable), made.policy[chosen][usable], rest),
        _waited(made, rest), comparable, _rhythm(moments, used),
    )  # fmt: skip


def _first_claims(histories: Histories) -> IntArray:
    """When each debtor's first claim came, `NEVER` without one, shape (debtors,)."""
    first = np.full(histories.size, NEVER)
    np.minimum.at(first, histories.claims.debtor, histories.claims.registered_us)
    return first


def _days_before(made: Made, first_us: IntArray) -> IntArray:
    """Whole days since the contact before, else `FIRST` and those since the first claim came, shape (n,)."""
    day = made.decided_us // DAY_US
    found: IntArray = FIRST + np.maximum(day - first_us[made.debtor] // DAY_US, 0)
    same = np.flatnonzero(made.debtor[1:] == made.debtor[:-1]) + 1
    found[same] = day[same] - day[same - 1]
    return found


def _uncontacted(
    made: Made,
    histories: Histories,
    chosen: IntArray,
    first_us: IntArray,
    *,
    debtors: BoolArray,
    until_us: int,
    used: IntArray,
) -> _Standing:
    """Every debtor on every day without a contact that lies as long after the last one as some contact did."""
    begin, end, owner, clock = _stretches(made, chosen, first_us, debtors=debtors, until_us=until_us)
    longest = int((used % FIRST).max(initial=0)) + 1
    stretch, day = rows_of(begin, np.maximum(begin, np.minimum(end, begin + longest)))
    days = clock[stretch] + day - begin[stretch]
    wanted = np.isin(days, used)
    stretch, day, days = stretch[wanted], day[wanted], days[wanted]
    usual = int(np.median(made.decided_us % DAY_US))
    last = np.searchsorted(made.debtor[chosen] * 2.0**40 + made.decided_us[chosen] // DAY_US, owner * 2.0**40 + begin)
    before = np.where(clock < FIRST, made.decided_us[chosen[np.maximum(last - 1, 0)]] % DAY_US, usual)
    return _standing(histories, owner[stretch], day * DAY_US + before[stretch], days)


def _stretches(
    made: Made, chosen: IntArray, first_us: IntArray, *, debtors: BoolArray, until_us: int
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Days between contacts: first day, day of the next contact, debtor, and what the clock shows on the first day."""
    day, debtor = made.decided_us[chosen] // DAY_US, made.debtor[chosen]
    last_day = until_us // DAY_US
    following = np.append(np.where(debtor[1:] == debtor[:-1], day[1:], last_day), last_day)[: len(day)]
    everyone = np.flatnonzero(debtors & (first_us < until_us))
    first_contact = np.full(len(first_us), last_day)
    np.minimum.at(first_contact, debtor, day)
    came = first_us[everyone] // DAY_US
    return (
        np.append(day + 1, came),
        np.append(following, first_contact[everyone]),
        np.append(debtor, everyone),
        np.append(np.ones(len(day), dtype=np.int64), np.full(len(everyone), FIRST)),
    )


def _standing(histories: Histories, debtor: IntArray, at_us: IntArray, days: IntArray) -> _Standing:
    """How debtors stand at moments, by what was known then."""
    claim, moment = claims_at(histories, debtor, at_us=at_us)
    oldest = np.full(len(debtor), np.iinfo(np.int64).max)
    np.minimum.at(oldest, moment, histories.claims.due_day[claim].astype(np.int64))
    stage = np.full(len(debtor), -1, dtype=np.int64)
    np.maximum.at(stage, moment, stages_at(histories.claim_events, claim=claim, at_us=at_us[moment]))
    is_open = oldest < np.iinfo(np.int64).max
    age = np.digitize(np.where(is_open, at_us // DAY_US - oldest, 0), AGES_DAYS)
    free = (histories.blocked_us[debtor] > at_us) & (histories.cease_us[debtor] > at_us)
    week = (at_us // DAY_US + 3) // WEEK_DAYS  # day 0 was a Thursday
    alike = ((week * (2 * FIRST) + days) * 8 + stage + 1) * 8 + age
    return _Standing(debtor, at_us, days, is_open & free, alike)


def claims_at(histories: Histories, debtor: IntArray, *, at_us: IntArray) -> tuple[IntArray, IntArray]:
    """Claims of debtors at moments that are open and not to be left alone, and the moment of each, as known then."""
    opened = open_targets(histories, debtor, as_of_us=at_us)
    free = ~held_at(histories.claim_events, claim=opened.claim, at_us=at_us[opened.moment])
    return opened.claim[free], opened.moment[free]


def _moments_of_decision(contacted: IntArray, left: IntArray, settings: RiskSettings) -> IntArray:
    """Days since the last contact on which the old system used to decide.

    >>> every = np.repeat([7, 14], [2, 90])
    >>> _moments_of_decision(every, np.repeat([7, 14], [90, 10]), RiskSettings(fewest=1)).tolist()
    [14]
    """
    days, count = np.unique(contacted, return_counts=True)
    waiting = np.bincount(np.searchsorted(days, left[np.isin(left, days)]), minlength=len(days))
    usual = (count >= settings.fewest) & (count >= settings.rhythm * (count + waiting))
    enough = count[usual].sum() >= settings.covered * count.sum()
    return days[usual] if enough else days


def _beside(case: _Standing, rest: _Standing, histories: Histories, *, each: float, seed: int) -> IntArray:
    """Rows that stand beside a contact, at most `each` for one, drawn by debtor and day: places in `rest`, ascending."""
    alike, count = np.unique(case.alike, return_counts=True)
    place = np.minimum(np.searchsorted(alike, rest.alike), max(len(alike) - 1, 0))
    here = np.flatnonzero(alike[place] == rest.alike) if len(alike) else np.zeros(0, dtype=np.int64)
    names = histories.debtor_id[rest.debtor[here]]
    texts = np.array([f"{name}/{at}" for name, at in zip(names.tolist(), rest.at_us[here].tolist(), strict=True)])
    drawn = keyed_uniform(texts.astype(np.object_), key=f"{seed}/risk")
    order = np.lexsort((drawn, place[here]))
    mine = place[here][order]
    rank = np.arange(len(mine)) - np.searchsorted(mine, mine, side="left")
    return np.sort(here[order][rank < np.ceil(each * count[mine])])


def _policies(case: _Standing, policy: TextArray, rest: _Standing) -> TextArray:
    """Policy of a contact beside each row, the rows of one place taken in turn, shape (k,)."""
    order = np.argsort(case.alike, kind="stable")
    sorted_alike = case.alike[order]
    first = np.searchsorted(sorted_alike, rest.alike, side="left")
    size = np.searchsorted(sorted_alike, rest.alike, side="right") - first
    found: TextArray = policy[order[first + np.arange(len(rest.alike)) % np.maximum(size, 1)]]
    return found


def _waited(made: Made, rest: _Standing) -> FloatArray:
    """Days from each row to the debtor's next contact, infinite without one, shape (k,)."""
    times = np.unique(np.append(made.decided_us, rest.at_us))
    step = len(times) + 1
    key = made.debtor * step + np.searchsorted(times, made.decided_us)
    place = np.searchsorted(key, rest.debtor * step + np.searchsorted(times, rest.at_us))
    following = np.minimum(place, len(made) - 1)
    same = (place < len(made)) & (made.debtor[following] == rest.debtor)
    return np.where(same, (made.decided_us[following] - rest.at_us) / DAY_US, np.inf)


def _rhythm(moments: IntArray, used: IntArray) -> tuple[int, ...]:
    """Days since the last contact among the moments of decision; empty where every day is one."""
    return () if len(moments) >= len(used) else tuple(moments[moments < FIRST].tolist())
