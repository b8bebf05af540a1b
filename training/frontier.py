"""Fewer contacts at equal recovery: what each setting of the dial costs and keeps, told from randomised decisions.

The dial is `[policy] least_value_eur`: contact only where it is expected to be worth at least so much. The judged decisions
are scored once and chosen again for each setting. All settings share their debtors, so that the difference of two is known far
better than either: only decisions that change count in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from models.decide import Decided, chosen_again
from training.cell_scores import CellScores, cell_scores, policy_cells
from training.ope.intervals import Interval, normal_interval
from training.ope.overlap import NoOverlap, require_support
from training.policy_value import Judged

FloatArray = npt.NDArray[np.float64]

KEPT = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Shares of the contacts made without a dial that the settings tried by default leave, by the model's values alone."""

MARGIN = 0.01
"""Share of the recovery without a dial that a setting may lose, at the lower end of the interval, and still count as equal."""

NO_DIAL, RULES = "no dial", "present rules"


class NothingToJudge(ValueError):
    """The log holds no randomised decision on debtors that the model has not seen."""


class BadDial(ValueError):
    """A least value or a margin that cannot be."""


@dataclass(frozen=True)
class Setting:
    """One setting of the dial; money is EUR per decision, intervals are 95 %, clustered by debtor.

    Attributes
    ----------
    name
        `no dial` for the dial at 0, `present rules` for the tenant's ladder, else the amount.
    contacts, cost_eur, harm_eur
        Contacts, their cost and their harm per decision.
    expected_eur
        Value over no contact that the model expects per decision.
    recovered, net
        What is paid in the horizon, and that less cost and harm, doubly robust; None where the log bears no number.
    lost, net_change
        Difference to the dial at 0 of `recovered` and `net`; None for that one itself.
    refusal
        Why there is no number; empty where there is.
    """

    name: str
    least_value_eur: float | None
    contacts: float
    cost_eur: float
    harm_eur: float
    expected_eur: float
    recovered: Interval | None
    net: Interval | None
    lost: Interval | None
    net_change: Interval | None
    refusal: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Frontier:
    """All settings, from contacting most to least, and the one with the fewest contacts at equal recovery.

    `chosen` is a place in `settings`: 0 where no setting above 0 keeps the recovery for certain. `rules` is the tenant's
    present ladder on the same decisions.
    """

    settings: tuple[Setting, ...]
    rules: Setting
    chosen: int
    margin: float
    decisions: int
    debtors: int

    @property
    def picked(self) -> Setting:
        """The setting chosen."""
        return self.settings[self.chosen]


def frontier(
    judged: Judged, decided: Decided, *, dials: Sequence[float] | None = None, margin: float = MARGIN
) -> Frontier:
    """Every setting of the dial on the judged decisions.

    Parameters
    ----------
    decided
        The same decisions decided again, greedy, by a model that has not seen their debtors.
    dials
        Least values in EUR, 0 is added; None: those that leave the shares `KEPT` of the contacts by the model's values.
    margin
        Share of the recovery without a dial that may be lost.

    Raises
    ------
    NothingToJudge
        No decision is judged.
    BadDial
        A dial is below 0, or the margin no share.

    Notes
    -----
    Settings are tried in the order of fewer contacts until the first that fails (a fixed sequence, Westfall and Krishen
    2001), so that trying many does not make a wrong choice likelier than one interval says.
    """
    if not len(judged.debtor):
        raise NothingToJudge(
            "the log holds no randomised decision on the judged debtors: draw 5 % of decisions at random (arm `explore`)"
        )
    _check(dials or (), margin)
    scores = cell_scores(judged, decided)
    policy = decided.prepared.config.policy
    start = chosen_again(decided, policy=replace(policy, least_value_eur=0.0))
    steps = sorted({0.0, *(dials if dials is not None else usual_dials(start))})
    again = [chosen_again(decided, policy=replace(policy, least_value_eur=least)) for least in steps]
    base = policy_cells(again[0])
    settings = tuple(
        _setting(one, scores, name=f"{least:g} EUR" if least else NO_DIAL, least=least, base=base)
        for one, least in zip(again, steps, strict=True)
    )
    ladder = chosen_again(decided, policy=policy, chooser="control")
    rules = _setting(ladder, scores, name=RULES, least=None, base=base)
    units = int(scores.unit.max()) + 1
    return Frontier(settings, rules, equal_recovery(settings, margin), margin, len(scores.unit), units)


def _check(dials: Sequence[float], margin: float) -> None:
    wrong = [one for one in dials if not 0 <= one < np.inf]
    if wrong:
        raise BadDial(f"expected least values of 0 EUR or more, came {wrong[0]:g}")
    if not 0 <= margin < 1:
        raise BadDial(
            f"expected a margin from 0 to below 1, such as .01 for one per cent of the recovery, came {margin:g}"
        )


def usual_dials(decided: Decided) -> tuple[float, ...]:
    """Least values in EUR, to two digits, that leave about the shares `KEPT` of the contacts of `decided`."""
    action = decided.choice.action
    made = decided.scored.value_eur[np.arange(len(action)), action][action > 0]
    made = made[made > 0]
    if not len(made):
        return ()
    return tuple(dict.fromkeys(float(f"{value:.2g}") for value in np.quantile(made, [1 - kept for kept in KEPT])))


def equal_recovery(settings: Sequence[Setting], margin: float) -> int:
    """Place of the last setting before the first one not shown to keep all but `margin` of the first one's recovery."""
    start = settings[0].recovered
    chosen = 0
    for place, one in enumerate(settings[1:], start=1):
        if start is None or one.lost is None or one.lost.low < -margin * abs(start.value):
            break
        chosen = place
    return chosen


def _setting(decided: Decided, scores: CellScores, *, name: str, least: float | None, base: IntArray) -> Setting:
    action, grid = decided.choice.action, decided.prepared.grid
    rows, channel, cell = np.arange(len(action)), grid.channel[action], policy_cells(decided)
    made = action > 0
    weight = np.where(scores.at(cell), scores.weight, 0.0)
    refusal = ""
    try:
        require_support(weight, scores.paid_eur)
    except NoOverlap as error:
        refusal = str(error)
    bears = not refusal

    def interval(score_eur: FloatArray, minus: FloatArray | float = 0.0) -> Interval | None:
        return normal_interval(score_eur[rows, cell] - minus, scores.unit) if bears else None

    changes = bears and name != NO_DIAL
    return Setting(
        name=name,
        least_value_eur=least,
        contacts=float(made.mean()),
        cost_eur=float((decided.price.cost[rows, channel] * made).mean()),
        harm_eur=float((decided.price.harm[rows, channel] * made).mean()),
        expected_eur=float(decided.scored.value_eur[rows, action].mean()),
        recovered=interval(scores.recovered_eur),
        net=interval(scores.net_eur),
        lost=interval(scores.recovered_eur, scores.recovered_eur[rows, base]) if changes else None,
        net_change=interval(scores.net_eur, scores.net_eur[rows, base]) if changes else None,
        refusal=refusal,
    )
