"""How long an experiment on a portfolio would take: what its debtors paid, and the plans that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import stats

from data.config import ArmSettings
from training.reports.experiment import totals
from training.reports.facts import Facts
from training.reports.gains import PLANNED_DEBTORS
from training.reports.rehearsal import Rehearsal, ShortHistory
from training.trials.intervals import WINSOR
from training.trials.planning import Design, Inflow, Look, Outcome, debtors_needed, detectable, weeks_needed
from training.trials.sequential import FIRST_DEBTORS, FIRST_PAYERS

FloatArray = npt.NDArray[np.float64]

LEVELS = (0.01, 0.02, 0.03, 0.05, 0.10)
"""Gains that are always planned for, as shares of recovered money."""
CONTROLS = (0.05, 0.10, 0.20, 0.30, 0.50)
"""Shares of the control arm that are compared."""
FEWEST_PAYERS = 30
"""Debtors who paid, below which nothing can be planned by a portfolio."""


class Way(StrEnum):
    """What is compared, and how."""

    RAW = "raw"
    """Recovered money as it is."""

    CUT = "cut"
    """The largest debtors cut to size."""

    ADJUSTED = "adjusted"
    """Adjusted for what was known of a debtor before."""

    CUT_ADJUSTED = "cut_adjusted"
    """Both."""

    PAYERS = "payers"
    """The share of debtors who paid anything, adjusted."""


DECIDING = (Way.ADJUSTED, Way.CUT_ADJUSTED)
"""Both must lie above zero in the verdict of the reports."""


@dataclass(frozen=True)
class Paid:
    """What debtors paid within a horizon of their entry: mean and spread, EUR or a share, and how much of it was known before."""

    mean: float
    outcome: Outcome
    explained: float


@dataclass(frozen=True)
class Basis:
    """What a portfolio says about debtors within so many days of their entry.

    `cap` is the largest total that is counted where the largest are cut; `payers` the share who paid anything.
    """

    days: int
    debtors: int
    payers: float
    cap: float
    paid: Mapping[Way, Paid]
    inflow: Inflow


@dataclass(frozen=True)
class Plan:
    """What is asked: the gain as a share of recovered money, the arms, the power."""

    gain: float
    control: float
    treated: float
    power: float

    def design(self, look: Look, control: float | None = None) -> Design:
        """Its design, or one with another control arm and the model's arm smaller by as much."""
        ours = self.control if control is None else control
        return Design(ours, self.control + self.treated - ours, look, self.power)


def plan_of(arms: ArmSettings, *, gain: float, control: float | None, power: float) -> Plan:
    """The plan asked for; a control arm of another size than configured takes from the champion's.

    Raises
    ------
    BadDesign
        Shares or power with which nothing can be planned.

    >>> plan_of(ArmSettings(), gain=0.03, control=0.2, power=0.8).treated
    0.75
    """
    share = arms.control if control is None else control
    plan = Plan(gain, share, round(arms.control + arms.champion - share, 9), power)
    plan.design(Look.ONCE)
    return plan


def basis_of(facts: Facts, rehearsal: Rehearsal, *, days: int) -> Basis:
    """What the debtors of a rehearsal paid within so many days.

    Raises
    ------
    ShortHistory
        Fewer than 30 of them paid.
    """
    found = totals(facts.entrants, facts.evidence, days=days)
    raw, before = found.recovered_eur, facts.entrants.before[found.row]
    payers = int((raw > 0).sum())
    if payers < FEWEST_PAYERS:
        raise ShortHistory(
            f"expected at least {FEWEST_PAYERS} debtors who paid within {days} days of their entry, found {payers} "
            f"of {len(raw):,} debtors: plan with a larger portfolio"
        )
    cap = float(np.quantile(raw, WINSOR))
    cut = np.minimum(raw, cap)
    paid = {
        Way.RAW: _paid(raw, None),
        Way.CUT: _paid(cut, None),
        Way.ADJUSTED: _paid(raw, before),
        Way.CUT_ADJUSTED: _paid(cut, before),
        Way.PAYERS: _paid(found.payer, before),
    }
    inflow = Inflow(rehearsal.at_start, rehearsal.per_week, days)
    return Basis(days, len(raw), payers / len(raw), cap, paid, inflow)


def _paid(total: FloatArray, before: FloatArray | None) -> Paid:
    left = total - total.mean() if before is None else _left(total, before)
    variance = float(left.var()) / float(total.var())
    if variance >= 1:
        left, variance = total - total.mean(), 1.0
    return Paid(float(total.mean()), Outcome(float(left.std()), float(stats.skew(left))), 1 - variance)


def _left(total: FloatArray, before: FloatArray) -> FloatArray:
    """What a regression on the columns leaves of each total when it has not seen it (leave one out), shape (n,)."""
    centred = before - before.mean(axis=0)
    design = np.column_stack([np.ones(len(total)), centred])
    inverse = np.linalg.pinv(design.T @ design, rcond=1e-10, hermitian=True)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    residual: FloatArray = (total - design @ (inverse @ (design.T @ total))) / np.maximum(1 - leverage, 1e-9)
    return residual


def debtors_for(basis: Basis, *, gain: float, way: Way, design: Design) -> int:
    """Debtors, in any arm, after whom a true gain of this share of recovered money would be shown.

    A gain is taken to come from more debtors who pay, each as much as before. Daily looks are those of the reports: planned
    for their number of debtors, and beginning when both arms have debtors and payers enough.
    """
    paid = basis.paid[way]
    outcome = replace(paid.outcome, more=gain)
    if design.look is Look.ONCE:
        return debtors_needed(gain * paid.mean, outcome, design=design)
    first = max(FIRST_DEBTORS, FIRST_PAYERS / basis.payers) / min(design.control, design.treated)
    needed = debtors_needed(gain * paid.mean, outcome, design=design, planned=PLANNED_DEBTORS / design.both)
    return max(needed, int(np.ceil(first)))


def weeks_for(basis: Basis, plan: Plan, *, gain: float, way: Way, look: Look) -> int | None:
    """Whole weeks until a true gain of this share would be shown; None: not within ten years."""
    return weeks_needed(debtors_for(basis, gain=gain, way=way, design=plan.design(look)), basis.inflow)


def debtors_to_verdict(basis: Basis, plan: Plan, *, gain: float, look: Look, control: float | None = None) -> int:
    """Debtors, in any arm, after whom both figures that the reports' verdict asks for would show a true gain."""
    design = plan.design(look, control)
    return max(debtors_for(basis, gain=gain, way=way, design=design) for way in DECIDING)


def weeks_to_verdict(basis: Basis, plan: Plan, *, look: Look = Look.DAILY, control: float | None = None) -> int | None:
    """Weeks until both figures that the reports' verdict asks for would show the planned gain; None: not within ten years."""
    return weeks_needed(debtors_to_verdict(basis, plan, gain=plan.gain, look=look, control=control), basis.inflow)


def detectable_gain(basis: Basis, plan: Plan, *, weeks: int, way: Way, look: Look) -> float:
    """Smallest true gain, as a share of recovered money, that would be shown so many weeks after the start; infinite: none."""
    design = plan.design(look)
    known = float(basis.inflow.known(np.array([float(weeks)]))[0])
    planned = PLANNED_DEBTORS / design.both if look is Look.DAILY else None
    return detectable(known, basis.paid[way].outcome, design=design, planned=planned) / basis.paid[way].mean
