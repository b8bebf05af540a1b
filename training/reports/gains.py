"""Two arms compared in every measure of the reports: as they are, adjusted, and as it may be looked at every day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from data.config import ArmSettings, HorizonSettings
from data.times import IntArray
from data.vocabulary import ARMS
from models.sample_ratio import SUSPICIOUS, SampleRatio, sample_ratio
from training.ope.anytime import PLANNED_UNITS
from training.reports.evidence import Evidence
from training.reports.experiment import CHAMPION, CONTROL, Entrants, Totals, arm_sizes, mature, totals
from training.reports.periods import Experiment
from training.reports.withholding import few, withheld_sparing
from training.trials.adjusted import contrast, interval_of, linearised, narrower_by
from training.trials.intervals import WINSOR, Chance, Interval, chance, mean_difference, ratio_difference, winsorised
from training.trials.sequential import CAP_DEBTORS, anytime_chance, anytime_of, fixed_cap, ready

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

HORIZONS = (7, 14, 30, 60, 90)
"""Days after the first decision at which arms are compared, beside the configured horizon."""
PLANNED_DEBTORS = PLANNED_UNITS
"""Debtors at which intervals for daily looks are narrowest: one number for all experiments, settled before any."""
SEED = 20_260_301
"""Of the fresh draws of the arms: the same log gives the same page."""
ROUNDING = 1e-6
MEASURES = ("recovered", "recovered_cut", "net", "net_cut", "debtors_paid", "claims_paid", "contacts", "cost", "harm")


@dataclass(frozen=True)
class Gain:
    """A difference of two arms per debtor, with 95 % intervals.

    `raw` and `adjusted` (for what was known before) hold at one look settled beforehand, `always` at all looks together;
    it is adjusted too. `narrower` is the share of its width that adjusting takes off the interval.
    """

    raw: Interval
    adjusted: Interval
    always: Interval

    @property
    def narrower(self) -> float:
        """Share of its width that adjusting takes off the interval."""
        return narrower_by(self.adjusted, self.raw)


@dataclass(frozen=True)
class Comparison:
    """Debtors of two arms whose horizon is over, in the order in which they entered.

    Parameters
    ----------
    days
        The horizon.
    found
        What came of them, shape (n,); `treated` marks those of the arm whose gain it is.
    before
        What was known before, shape (n, k), without columns in which the arms differ by more than chance.
    left_out
        Numbers of these columns: what differs that much was not known before the draw, whatever the log says.
    cap_eur
        Cap of totals cut to size, settled by the first debtors; where they are still too few, by all there are.
    cap_stands
        The cap is settled, so that what is cut may be looked at every day.
    waiting
        Debtors of the two arms whose horizon is not over.
    arms_withheld
        One of the two is withheld among all arms of the experiment: itself, or lest another can be worked out.
    """

    days: int
    found: Totals
    treated: BoolArray
    before: FloatArray
    left_out: tuple[int, ...]
    cap_eur: float
    cap_stands: bool
    waiting: int
    arms_withheld: bool = False

    @property
    def smaller(self) -> int:
        """Debtors of the smaller arm."""
        return min(int(self.treated.sum()), int((~self.treated).sum()))

    @property
    def hidden(self) -> bool:
        """Whether numbers of the two arms are withheld."""
        return self.arms_withheld or few(int(self.treated.sum())) or few(int((~self.treated).sum()))


def compare(
    entrants: Entrants, evidence: Evidence, *, days: int, arm: int = CHAMPION, against: int = CONTROL
) -> Comparison:
    """The debtors of two arms after so many days."""
    both = entrants.only(np.isin(entrants.arm, (arm, against)))
    found = totals(both, evidence, days=days)
    order = np.argsort(both.entered_us[found.row], kind="stable")
    found = found.at(order)
    cap = fixed_cap(found.recovered_eur[:CAP_DEBTORS])
    stands = bool(np.isfinite(cap))
    if not stands:
        cap = float(np.quantile(found.recovered_eur, WINSOR)) if len(found.row) else float("nan")
    waiting = len(both.debtor) - len(found.row)
    treated, before = found.arm == arm, both.before[found.row]
    out = _unlike(before, treated)
    followed = mature(entrants, days, known_until_us=evidence.known_until_us)
    gone = hidden_arms(np.bincount(entrants.arm[followed], minlength=len(ARMS)))
    hide = bool(gone[arm] or gone[against])
    return Comparison(days, found, treated, np.delete(before, out, axis=1), tuple(out), cap, stands, waiting, hide)


def hidden_arms(debtors: IntArray) -> BoolArray:
    """Which arms are withheld by the debtors of each, shape (arms,): those of few, and others from which these would follow.

    One decision for all that is shown of an experiment; control and champion are withheld for another arm's sake last.
    """
    return withheld_sparing(debtors, spared=np.array([CONTROL, CHAMPION]))


def _unlike(before: FloatArray, treated: BoolArray) -> list[int]:
    """Columns whose means differ between the arms by more than chance explains (Welch)."""
    ours, theirs = before[treated], before[~treated]
    if min(len(ours), len(theirs)) < 2:
        return []
    apart = 1e-9 * np.abs(before).max(axis=0)  # below this a column is constant but for rounding
    varying = np.flatnonzero((np.ptp(ours, axis=0) > apart) & (np.ptp(theirs, axis=0) > apart))
    p_value = stats.ttest_ind(ours[:, varying], theirs[:, varying], equal_var=False).pvalue
    unlike: list[int] = varying[p_value < SUSPICIOUS].tolist()
    return unlike


def by_horizon(
    entrants: Entrants, evidence: Evidence, *, settings: HorizonSettings
) -> list[tuple[Comparison, dict[str, Gain]]]:
    """Champion and control, with the gains, at every horizon for which any debtor of both has been followed."""
    days = sorted({*HORIZONS, settings.days, settings.also_days})
    found = [compare(entrants, evidence, days=one) for one in days]
    return [(two, gains_of(two)) for two in found if two.smaller]


def gains_of(two: Comparison) -> dict[str, Gain]:
    """Gain per debtor in each of `MEASURES`."""
    return {name: gain_in(name, two) for name in MEASURES}


def gain_in(measure: str, two: Comparison) -> Gain:
    """Gain per debtor in one measure; of claims paid on, the difference of shares."""
    values = outcome_of(measure, two)
    found = contrast(values, two.treated, two.before)
    always = Interval(found.value, float("nan"), float("nan"))
    if ready(values, two.treated) and (two.cap_stands or not measure.endswith("_cut")):
        always = anytime_of(found, planned_debtors=PLANNED_DEBTORS)
    return Gain(_raw(measure, values, two), interval_of(found), always)


def outcome_of(measure: str, two: Comparison) -> FloatArray:
    """The measure of each debtor, shape (n,); of claims paid on, a column whose mean in each arm is the arm's share."""
    found = two.found
    if measure == "claims_paid":
        return linearised(found.claims_paid, found.claims, two.treated)
    columns = {
        "recovered": found.recovered_eur,
        "recovered_cut": np.minimum(found.recovered_eur, two.cap_eur),
        "net": found.net_eur,
        "net_cut": np.minimum(found.net_eur, two.cap_eur),
        "debtors_paid": found.payer,
        "contacts": found.contacts,
        "cost": found.cost_eur,
        "harm": found.harm_eur,
    }
    return columns[measure]


def _raw(measure: str, values: FloatArray, two: Comparison) -> Interval:
    if measure == "claims_paid":
        one, other = two.found.at(np.flatnonzero(two.treated)), two.found.at(np.flatnonzero(~two.treated))
        return ratio_difference((one.claims_paid, other.claims_paid), (one.claims, other.claims))
    return mean_difference(values[two.treated], values[~two.treated])


def chance_at_any_look(two: Comparison, *, share: float) -> Chance:
    """How often arms without effect would ever have been so far apart, the largest debtors cut to size.

    `share` is the chance of the first arm of the two.
    """
    cut = np.minimum(two.found.recovered_eur, two.cap_eur)
    return anytime_chance(cut, two.treated, share=share, planned_debtors=PLANNED_DEBTORS)


def chance_now(two: Comparison) -> Chance:
    """Fisher's randomisation test at this look alone."""
    found = two.found.recovered_eur
    ours, theirs = winsorised(found[two.treated], found[~two.treated])
    return chance(ours, theirs, rng=np.random.default_rng(SEED))


def share_of_two(experiment: Experiment, arm: int = CHAMPION, against: int = CONTROL) -> float:
    """Chance of the first of two arms, among debtors of either."""
    ours, theirs = (experiment.shares[ARMS[one]] for one in (arm, against))
    return ours / (ours + theirs)


def balance(experiment: Experiment) -> SampleRatio:
    """Sizes of the arms against the shares they were drawn with, over all debtors who entered, mature or not.

    A share that no arm met accounts for belongs to an arm that nobody came into.
    """
    shares = {arm: experiment.shares.get(arm, 0.0) for arm in ARMS}
    left = 1.0 - sum(shares.values())
    absent = [arm for arm, share in shares.items() if share == 0]
    if left > ROUNDING and absent:
        shares[absent[0]] = left
    control, explore, champion, challenger = shares.values()
    settings = ArmSettings(control, explore, champion, challenger)
    return sample_ratio(arm_sizes(experiment.entrants), settings)
