"""The sentence on top of the page, by a rule that was fixed before any data were seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.sample_ratio import SampleRatio
from training.reports.experiment import CHAMPION, CONTROL, Totals
from training.reports.intervals import Chance, Interval

MIN_DEBTORS = 100
MIN_PAYERS = 20
MIN_P_VALUE = 0.001
MAX_CHANCE = 0.025
POWER_FACTOR = 2.80
"""Standard errors that a true difference must measure to be shown in 80 % of experiments (1.96 + 0.84)."""

RULE = (
    f"A gain is shown when the 95 % interval of money recovered per debtor, champion less control, lies above zero "
    f"both as it is and with the largest 1 % of debtors cut to size, drawing the arms anew at random would show as much "
    f"in at most {MAX_CHANCE:.1%} of draws, and the gain is not eaten up by cost and harm. A loss is the reverse. "
    f"Each of the two arms needs {MIN_DEBTORS} debtors whose horizon is over, {MIN_PAYERS} of whom paid. If the sizes "
    f"of the arms do not fit the shares they were drawn with (p below {MIN_P_VALUE}), nothing is concluded. The rule is "
    "meant for one look on a day chosen beforehand: who looks every day and stops at the first good one will be misled."
)


@dataclass(frozen=True)
class Verdict:
    """What the page says first: a code for programs, a headline, a sentence, and what to do now."""

    code: str
    headline: str
    sentence: str
    advice: str
    rule: str = RULE


NO_EXPERIMENT = Verdict(
    "no_experiment",
    "No experiment took place",
    "All debtors were given to one arm, so there is nobody to compare with. What follows describes what was done and "
    "what came in; how much of it would have come in anyway cannot be told.",
    "Decide with arms (leave out --greedy) to learn what the decisions are worth.",
)


def judge(found: Totals, gains: dict[str, Interval], *, chance: Chance, ratio: SampleRatio, days: int) -> Verdict:
    """Verdict on champion against control at the horizon, by `RULE`."""
    if ratio.p_value < MIN_P_VALUE:
        return _unbalanced(ratio)
    short = _too_few(found)
    if short:
        return Verdict(
            "not_enough_data",
            "Not enough data",
            f"{short}.",
            "Let both arms run on; nothing can be concluded from what follows, in either direction.",
        )
    return _compared(gains, chance, days)


def _unbalanced(ratio: SampleRatio) -> Verdict:
    counts = ", ".join(
        f"{arm} {count:,} (planned {planned:,.0f})"
        for arm, count, planned in zip(ratio.arms, ratio.debtors, ratio.expected, strict=True)
    )
    return Verdict(
        "arms_out_of_balance",
        "Cannot be judged",
        f"The arms do not have the sizes they were drawn with: {counts}. Debtors were lost or moved, and a difference "
        "between the arms may come from that alone.",
        "Find out where debtors were lost before reading anything below as a gain.",
    )


def _too_few(found: Totals) -> str:
    reasons = []
    for name, arm in (("champion", CHAMPION), ("control", CONTROL)):
        here = found.of(arm)
        followed, payers = len(here.arm), int((here.claims_paid > 0).sum())
        if followed < MIN_DEBTORS:
            reasons.append(
                f"{followed:,} debtors of the {name} arm have been followed to the end, {MIN_DEBTORS} needed"
            )
        elif payers < MIN_PAYERS:
            reasons.append(f"{payers:,} debtors of the {name} arm have paid, {MIN_PAYERS} needed")
    return "; ".join(reasons)


def _compared(gains: dict[str, Interval], chance: Chance, days: int) -> Verdict:
    raw, cut = gains["recovered_eur_per_debtor"], gains["recovered_eur_per_debtor_winsorised"]
    net = gains["net_eur_per_debtor"].value
    more = raw.low > 0 and cut.low > 0 and chance.of_gain <= MAX_CHANCE
    less = raw.high < 0 and cut.high < 0 and chance.of_loss <= MAX_CHANCE
    if more and net > 0:
        return Verdict(
            "gain_shown",
            "Gain shown",
            f"Debtors of the champion arm paid {_eur(raw.value)} more each within {days} days than those under the "
            f"present rules ({_between(raw)}); after cost and harm {_eur(net)} are left.",
            "The champion may take over more debtors; keep a control arm, so that the gain stays measured.",
        )
    if more:
        return Verdict(
            "more_but_dearer",
            "More recovered, but at too high a price",
            f"Debtors of the champion arm paid {_eur(raw.value)} more each within {days} days ({_between(raw)}), but "
            f"contacts and harm took more than that: {_eur(net)} per debtor in the end.",
            "Check costs and harm in the configuration, then train again; do not widen the champion's share.",
        )
    if less:
        return Verdict(
            "loss_shown",
            "Loss shown",
            f"Debtors of the champion arm paid {_eur(-raw.value)} less each within {days} days than those under the "
            f"present rules ({_between(raw)}).",
            "Give the debtors back to the present rules and look for the cause.",
        )
    return _undecided(raw, chance, days)


def _undecided(raw: Interval, chance: Chance, days: int) -> Verdict:
    return Verdict(
        "no_gain_shown",
        "No gain shown yet",
        f"Between champion and control, money recovered within {days} days differs by {_eur(raw.value)} per debtor, "
        f"which chance alone could explain ({_between(raw)}; drawing the arms anew at random gives as much in "
        f"{min(chance):.1%} of draws).",
        f"Keep both arms running. With this many debtors, only a true difference of about {_eur(detectable(raw))} per "
        "debtor would be likely to show.",
    )


def detectable(gain: Interval) -> float:
    """True difference that would be shown in 80 % of experiments as large as this one."""
    return POWER_FACTOR * (gain.high - gain.low) / (2 * 1.96)


def _eur(amount: float) -> str:
    sign = "−" if amount < 0 and round(abs(amount), 2) > 0 else ""
    return f"{sign}€{np.abs(amount):,.2f}"


def _between(interval: Interval) -> str:
    return f"95 % interval {_eur(interval.low)} to {_eur(interval.high)}"
