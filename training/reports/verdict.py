"""The sentence on top of a page, by a rule that was fixed before any data were seen and may be looked at every day.

The measure is money recovered per debtor at the configured horizon, champion less control, adjusted for what was known
before. A gain is shown when the interval for daily looks lies above zero, as it is and with the largest debtors cut to size;
when drawing the arms at random would ever have shown as much in at most 2.5 % of experiments; and when something is left
after cost and harm. A loss is the reverse. No effect is shown when the interval rules out a gain worth having, or after a
year. Sizes of arms that do not fit their shares end the matter: nothing is concluded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.times import DAY_US, from_day
from models.sample_ratio import SUSPICIOUS, SampleRatio
from training.reports.blocks import Kind, Mood, Quantity, Text, Value, Verdict
from training.reports.experiment import CHAMPION, CONTROL
from training.reports.gains import (
    PLANNED_DEBTORS,
    Comparison,
    Gain,
    balance,
    chance_at_any_look,
    gains_of,
    outcome_of,
    share_of_two,
)
from training.reports.periods import Experiment
from training.reports.withholding import few, quantity
from training.trials.adjusted import contrast
from training.trials.intervals import Chance, Interval
from training.trials.planning import Design, Inflow, Look, Seen, weeks_to_tell
from training.trials.sequential import FIRST_DEBTORS, ready

WORTH_SHARE = 0.03
"""Smallest gain worth having, as a share of what a debtor of the control arm pays: that which `rettid plan` plans for."""
MAX_CHANCE = 0.025
LONGEST_WEEKS = 52
"""After so many weeks an effect that has not shown is taken to be none worth waiting for."""
RECENT_DAYS = 28
"""Days by which the number of debtors who enter a week is told."""
QUIET_DAYS = 14
"""Days without anyone new after which nobody is expected any more."""

CODES = {
    "not_yet_weeks": "not_yet",
    "not_yet_begun": "not_yet",
    "not_yet_few": "not_yet",
    "not_yet_over": "not_yet",
    "not_yet_never": "not_yet",
    "no_effect_in_a_year": "no_effect_shown",
}
"""Variants of a verdict that differ in their words only."""


@dataclass(frozen=True)
class Case:
    """All that the verdict on an experiment rests on.

    Parameters
    ----------
    two
        Champion and control at the configured horizon, with their `gains`.
    chance
        How often arms without effect would ever have been so far apart.
    worth_eur
        Smallest gain per debtor worth having; 0 where the control arm paid nothing.
    weeks
        About how many more weeks until a gain of that size would show; None: not within ten years, or nobody enters.
    age_weeks
        How long the experiment has been running.
    over
        Nobody enters any more.
    first_us
        When debtors of both arms will have been followed for the horizon; None where they have been.
    """

    two: Comparison
    gains: dict[str, Gain]
    chance: Chance
    ratio: SampleRatio
    worth_eur: float
    weeks: int | None
    age_weeks: float
    over: bool = False
    first_us: int | None = None

    @property
    def ready(self) -> bool:
        """Whether there are debtors and payers enough for any interval."""
        return ready(outcome_of("recovered", self.two), self.two.treated)


NO_EXPERIMENT = Verdict(
    "no_experiment",
    Mood.NONE,
    Text("verdict.no_experiment.headline"),
    Text("verdict.no_experiment.sentence"),
    Text("verdict.no_experiment.advice"),
)


def case_of(experiment: Experiment, two: Comparison, *, known_until_us: int) -> Case:
    """The case of an experiment as it stands."""
    control = outcome_of("recovered", two)[~two.treated]
    worth_eur = WORTH_SHARE * float(control.mean()) if len(control) else 0.0
    end_us = known_until_us if experiment.to_us is None else min(known_until_us, experiment.to_us)
    return Case(
        two,
        gains_of(two),
        chance_at_any_look(two, share=share_of_two(experiment)),
        balance(experiment),
        worth_eur,
        _weeks(experiment, two, worth_eur=worth_eur, known_until_us=known_until_us),
        max(0.0, (end_us - experiment.from_us) / (7 * DAY_US)),
        is_over(experiment, known_until_us=known_until_us),
        _first_us(experiment, two),
    )


def inflow_of(experiment: Experiment, *, days: int, known_until_us: int) -> Inflow:
    """Debtors of any arm who enter in a week, by the last four weeks without the experiment's first day; 0 once it is over."""
    entered_us = experiment.entrants.entered_us
    end_us = max(known_until_us, int(entered_us.max()))  # debtors may have entered since the latest fact
    from_us = max(experiment.from_us + DAY_US, end_us - RECENT_DAYS * DAY_US)
    lasted_weeks = max((end_us - from_us) / (7 * DAY_US), 1 / 7)
    new = 0 if is_over(experiment, known_until_us=known_until_us) else int((entered_us >= from_us).sum())
    return Inflow(at_start=0, per_week=new / lasted_weeks, horizon_days=days)


def is_over(experiment: Experiment, *, known_until_us: int) -> bool:
    """Whether nobody enters any more: another experiment has begun, or nobody has come for two weeks."""
    last_us = int(experiment.entrants.entered_us.max())
    return experiment.to_us is not None or last_us < known_until_us - QUIET_DAYS * DAY_US


def _first_us(experiment: Experiment, two: Comparison) -> int | None:
    if two.smaller:
        return None
    entrants = experiment.entrants
    first = [int(entrants.entered_us[entrants.arm == arm].min()) for arm in (CONTROL, CHAMPION)]
    return max(first) + two.days * DAY_US


def _weeks(experiment: Experiment, two: Comparison, *, worth_eur: float, known_until_us: int) -> int | None:
    if two.smaller < 2 or worth_eur <= 0:
        return None
    found = contrast(outcome_of("recovered", two), two.treated, two.before)
    seen = Seen(found.error, len(two.treated), float(two.waiting), PLANNED_DEBTORS, found.skewness)
    design = Design(experiment.shares["control"], experiment.shares["champion"], Look.DAILY)
    inflow = inflow_of(experiment, days=two.days, known_until_us=known_until_us)
    return weeks_to_tell(worth_eur, seen, inflow=inflow, design=design)


def judge(case: Case) -> Verdict:
    """The verdict on champion against control by the rule of this module."""
    if case.ratio.p_value < SUSPICIOUS:
        return _said("arms_out_of_balance", Mood.BAD, case)
    direction = _direction(case)
    if direction > 0 and case.gains["net"].adjusted.value > 0:
        return _said("gain_shown", Mood.GOOD, case)
    if direction > 0:
        return _said("more_but_dearer", Mood.BAD, case)
    if direction < 0:
        return _said("loss_shown", Mood.BAD, case)
    recovered = case.gains["recovered"].always
    none = case.ready and recovered.low <= 0 <= recovered.high
    if none and recovered.high < case.worth_eur:
        return _said("no_effect_shown", Mood.NONE, case)
    if none and case.age_weeks >= LONGEST_WEEKS:
        return _said("no_effect_in_a_year", Mood.NONE, case)
    return _said(_waiting(case), Mood.WAIT, case)


def _waiting(case: Case) -> str:
    """Which words tell that nothing is known yet."""
    if case.first_us is not None:
        return "not_yet_begun"
    if case.weeks is not None:
        return "not_yet_weeks"
    if case.over:
        return "not_yet_over"
    early = case.two.smaller < FIRST_DEBTORS or case.worth_eur <= 0
    return "not_yet_few" if early and case.age_weeks < LONGEST_WEEKS else "not_yet_never"


def _direction(case: Case) -> int:
    """1 where a gain is shown before cost and harm, -1 where a loss is, else 0."""
    raw, cut = case.gains["recovered"].always, case.gains["recovered_cut"]
    limited = cut.always if case.two.cap_stands else cut.adjusted
    if _above(raw) and _above(limited) and case.chance.of_gain <= MAX_CHANCE:
        return 1
    if _below(raw) and _below(limited) and case.chance.of_loss <= MAX_CHANCE:
        return -1
    return 0


def _above(found: Interval) -> bool:
    return bool(found.low > 0)


def _below(found: Interval) -> bool:
    return bool(found.high < 0)


def _said(variant: str, mood: Mood, case: Case) -> Verdict:
    places = _places(case)
    texts = [Text(f"verdict.{variant}.{part}", places) for part in ("headline", "sentence", "advice")]
    return Verdict(CODES.get(variant, variant), mood, *texts)


def _places(case: Case) -> dict[str, Value | Text]:
    gain = case.gains["recovered"].always
    ours, theirs = int(case.two.treated.sum()), int((~case.two.treated).sum())
    hidden = case.two.hidden
    paid = int(np.sum((case.two.found.claims_paid > 0) & ~case.two.treated))
    first: dict[str, Value | Text] = {} if case.first_us is None else {"first": from_day(case.first_us // DAY_US)}
    return first | {
        "days": quantity(Kind.DAYS, case.two.days),
        "gain": quantity(Kind.SIGNED_MONEY, gain, withheld=hidden),
        "size": quantity(Kind.MONEY, abs(gain.value), withheld=hidden),
        "net": quantity(Kind.MONEY, case.gains["net"].adjusted.value, withheld=hidden),
        "worth": quantity(Kind.MONEY, case.worth_eur, withheld=hidden),
        "weeks": Quantity(Kind.WEEKS, None if case.weeks is None else float(max(1, case.weeks))),
        "champion": quantity(Kind.COUNT, ours, withheld=hidden),
        "control": quantity(Kind.COUNT, theirs, withheld=hidden),
        "payers": quantity(Kind.COUNT, paid, withheld=few(paid) or hidden),
        "chance": quantity(Kind.P_VALUE, case.ratio.p_value),
    }
