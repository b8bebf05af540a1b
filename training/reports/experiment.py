"""Arms compared by intention to treat: every debtor counts in the arm drawn at the first decision, whatever was done."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.outcomes import paid_pairs
from data.times import DAY_US, NEVER, IntArray
from data.vocabulary import ARMS
from training.reports.evidence import Evidence
from training.reports.shares import share_changes
from training.trials.intervals import Interval, mean_interval, share_interval

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

CONTROL, CHAMPION = ARMS.index("control"), ARMS.index("champion")


@dataclass(frozen=True)
class Entrants:
    """Debtors at their first decision, one entry each, shape (n,), and the claims decided on then, shape (m,).

    `debtor` is the row in the log's `debtor_id`; `of_claim` the row here of each claim's debtor, `claim` the row in
    the log's `claim_id`. `arm_probability` and `segment` are those of the first decision. `crossed` marks debtors whom
    the log shows in more than one arm: the first one counts. `before` is what was known of each debtor by then
    (`training.reports.background`), shape (n, k); of no columns until it is looked up. `begins_us` are the instants at which
    experiments begin, of the whole log (`training.reports.shares`). `randomised` says whether the arms
    were drawn. Who entered by `followed_to_us` has been followed for the configured horizon.
    """

    debtor: IntArray
    arm: IntArray
    entered_us: IntArray
    arm_probability: FloatArray
    segment: IntArray
    crossed: BoolArray
    before: FloatArray
    of_claim: IntArray
    claim: IntArray
    begins_us: IntArray
    objected: int
    randomised: bool
    followed_to_us: int = NEVER

    @property
    def switched(self) -> int:
        """Debtors whom the log shows in more than one arm."""
        return int(self.crossed.sum())

    def only(self, kept: BoolArray) -> Entrants:
        """Some of the debtors, with all their claims; `kept` has the shape (n,)."""
        place = np.cumsum(kept) - 1
        here = kept[self.of_claim]
        return replace(
            self,
            debtor=self.debtor[kept],
            arm=self.arm[kept],
            entered_us=self.entered_us[kept],
            arm_probability=self.arm_probability[kept],
            segment=self.segment[kept],
            crossed=self.crossed[kept],
            before=self.before[kept],
            of_claim=place[self.of_claim[here]],
            claim=self.claim[here],
        )

    def with_claims(self, kept: BoolArray) -> Entrants:
        """Some of the claims, `kept` of shape (m,), and the debtors who have any of them."""
        fewer = replace(self, of_claim=self.of_claim[kept], claim=self.claim[kept])
        return fewer.only(np.bincount(fewer.of_claim, minlength=len(self.debtor)) > 0)


@dataclass(frozen=True)
class Totals:
    """What came of debtors whose horizon is over, one entry each, shape (n,): EUR and counts per debtor.

    `row` is the debtor's row among the entrants.
    """

    row: IntArray
    arm: IntArray
    recovered_eur: FloatArray
    claims: FloatArray
    claims_paid: FloatArray
    contacts: FloatArray
    cost_eur: FloatArray
    harm_eur: FloatArray
    opted_out: BoolArray
    complained: BoolArray

    @property
    def net_eur(self) -> FloatArray:
        """Recovered less cost and harm."""
        return self.recovered_eur - self.cost_eur - self.harm_eur

    @property
    def payer(self) -> FloatArray:
        """1 where the debtor paid anything, else 0."""
        return (self.claims_paid > 0).astype(np.float64)

    def of(self, arm: int) -> Totals:
        """The debtors of one arm."""
        return self.at(np.flatnonzero(self.arm == arm))

    def at(self, rows: IntArray) -> Totals:
        """The debtors of these rows, in their order."""
        return Totals(**{name: column[rows] for name, column in vars(self).items()})


def enter(evidence: Evidence) -> Entrants:
    """Debtors at their first decision: those whose arm was drawn if there are a control and a champion arm, else all.

    Debtors who objected to profiling before their first decision are on the rule-based course whatever arm they drew,
    and are left out of a comparison of arms.
    """
    rows = evidence.rows
    drawn = rows.randomised & ~evidence.objected[rows.debtor]
    randomised = bool({CONTROL, CHAMPION} <= set(np.unique(rows.arm[drawn]).tolist()))
    chosen = np.flatnonzero(drawn) if randomised else np.arange(len(rows.debtor))
    debtor = rows.debtor[chosen]
    first_us = np.full(len(rows.debtor_id), NEVER)
    np.minimum.at(first_us, debtor, rows.decided_us[chosen])
    at_entry = chosen[rows.decided_us[chosen] == first_us[debtor]]
    entered, first, of_claim = np.unique(rows.debtor[at_entry], return_index=True, return_inverse=True)
    head = at_entry[first]
    arm = np.full(len(rows.debtor_id), -1)
    arm[entered] = rows.arm[head]
    elsewhere = np.zeros(len(rows.debtor_id), dtype=bool)
    elsewhere[debtor[rows.arm[chosen] != arm[debtor]]] = True
    return Entrants(
        debtor=entered,
        arm=arm[entered],
        entered_us=first_us[entered],
        arm_probability=rows.arm_probability[head],
        segment=rows.segment[head],
        crossed=elsewhere[entered],
        before=np.empty((len(entered), 0)),
        of_claim=of_claim,
        claim=rows.claim[at_entry],
        begins_us=share_changes(evidence),
        objected=int(evidence.objected.sum()),
        randomised=randomised,
    )


def mature(entrants: Entrants, days: int, *, known_until_us: int) -> BoolArray:
    """Debtors whose horizon of so many days is over, shape (n,); the others are censored, not negatives."""
    over: BoolArray = entrants.entered_us + days * DAY_US <= known_until_us
    return over


def totals(entrants: Entrants, evidence: Evidence, *, days: int) -> Totals:
    """What came of each debtor with a horizon that is over, within so many days of the first decision.

    Counted are payments on the claims that were open at the first decision, each once.
    """
    here = mature(entrants, days, known_until_us=evidence.known_until_us)
    size = len(entrants.debtor)
    pairs = paid_pairs(
        entrants.entered_us[entrants.of_claim],
        entrants.claim,
        payments=evidence.payments,
        horizon_days=days,
        known_until_us=evidence.known_until_us,
    )
    money = evidence.payments.amount_eur[pairs.payment]
    recovered = np.bincount(entrants.of_claim[pairs.decision], weights=money, minlength=size)
    paid_claims = np.unique(pairs.decision)
    touches, noise = evidence.touches, evidence.complaints
    touched = _within(entrants, touches.debtor, touches.at_us, days=days)
    noised = _within(entrants, noise.debtor, noise.at_us, days=days)
    return Totals(
        row=np.flatnonzero(here),
        arm=entrants.arm[here],
        recovered_eur=recovered[here].astype(np.float64),
        claims=_counts(entrants.of_claim, size)[here],
        claims_paid=_counts(entrants.of_claim[paid_claims], size)[here],
        contacts=_sums(touched, np.ones(len(touched)), size)[here],
        cost_eur=_sums(touched, touches.cost_eur, size)[here],
        harm_eur=_sums(touched, touches.harm_eur, size)[here],
        opted_out=_sums(noised, (~noise.complained).astype(np.float64), size)[here] > 0,
        complained=_sums(noised, noise.complained.astype(np.float64), size)[here] > 0,
    )


def _within(entrants: Entrants, debtor: IntArray, at_us: IntArray, *, days: int) -> IntArray:
    """Row of each event's debtor, -1 where the event lies outside the debtor's horizon or the debtor is no entrant."""
    row_of = np.full(int(max(debtor.max(initial=0), entrants.debtor.max(initial=0))) + 1, -1)
    row_of[entrants.debtor] = np.arange(len(entrants.debtor))
    row = row_of[debtor]
    since_us = at_us - np.append(entrants.entered_us, 0)[row]
    return np.where((row >= 0) & (since_us >= 0) & (since_us < days * DAY_US), row, -1)


def _counts(row: IntArray, size: int) -> FloatArray:
    return np.bincount(row, minlength=size).astype(np.float64)


def _sums(row: IntArray, weight: FloatArray, size: int) -> FloatArray:
    """Sum of weights per row, shape (size,); row -1 counts nowhere."""
    return np.bincount(row + 1, weights=weight, minlength=size + 1)[1:].astype(np.float64)


def day_by_day(entrants: Entrants, evidence: Evidence, *, days: int) -> dict[int, list[Interval]]:
    """Recovered EUR per debtor by the end of each day since the first decision, by arm; day 0 is the start.

    Only debtors followed for all the days count, so that no arm's curve changes its debtors on the way. What was
    recovered cannot be negative, so intervals end at zero.
    """
    here = mature(entrants, days, known_until_us=evidence.known_until_us)
    entered_us = entrants.entered_us[entrants.of_claim]
    pairs = paid_pairs(
        entered_us,
        entrants.claim,
        payments=evidence.payments,
        horizon_days=days,
        known_until_us=evidence.known_until_us,
    )
    day = (evidence.payments.paid_us[pairs.payment] - entered_us[pairs.decision]) // DAY_US
    row, money = entrants.of_claim[pairs.decision], evidence.payments.amount_eur[pairs.payment]
    arms = [arm for arm in (CONTROL, CHAMPION) if (entrants.arm[here] == arm).any()]
    curves: dict[int, list[Interval]] = {arm: [Interval(0.0, 0.0, 0.0)] for arm in arms}
    so_far = np.zeros(len(entrants.debtor))
    for one in range(days):
        so_far += np.bincount(row[day == one], weights=money[day == one], minlength=len(so_far))
        for arm in arms:
            found = mean_interval(so_far[here & (entrants.arm == arm)])
            curves[arm].append(found._replace(low=max(found.low, 0.0)))
    return curves


def share_paid(found: Totals) -> Interval:
    """Share of debtors who paid anything."""
    return share_interval(found.claims_paid > 0, np.arange(len(found.arm)))


def claims_paid(found: Totals) -> Interval:
    """Share of claims on which anything was paid, its interval clustered by debtor."""
    debtor = np.repeat(np.arange(len(found.arm)), found.claims.astype(np.int64))
    first = np.cumsum(found.claims) - found.claims
    place = np.arange(len(debtor)) - first[debtor]
    return share_interval(place < found.claims_paid[debtor], debtor)


def arm_sizes(entrants: Entrants) -> dict[str, int]:
    """Debtors of each arm."""
    return dict(zip(ARMS, np.bincount(entrants.arm, minlength=len(ARMS)).tolist(), strict=True))
