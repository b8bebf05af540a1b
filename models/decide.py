"""The decision: features, rules, values, arms. Nightly batch, service and training's policy evaluation all call `decide`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from data.action_grid import Slots
from data.config import Config
from data.policy_settings import PolicySettings
from data.times import IntArray
from features.action import grid_actions
from features.catalogue import debtor_features, names
from features.pipeline import build
from features.tables import Histories
from models._cell_kernels import wanted_cells
from models._value_kernels import answer_rates
from models.arms import CHALLENGER, Candidates, Choice, arms_of, choose, decision_ids, displaced, greedy
from models.bundle import Bundle, Chooser
from models.control import control_actions
from models.policies.harm import past_harm, within_budget
from models.policies.offer import Offer, narrowed
from models.policies.view import View
from models.prepare import Asks, Prepared, debtor_columns, prepare
from models.propensity import grid_probability
from models.protocol import PropensityModel
from models.rules.pack import Packs
from models.value import Prices, prices, value_grid

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class NoChallenger(LookupError):
    """The configuration gives a share to a challenger, and there is none."""


@dataclass(frozen=True)
class Scored:
    """What a model makes of every action: chance of payment (m, A), NaN where not scored; value in EUR (n, A).

    `worth_eur` is what each claim is expected to pay if it pays, shape (m,).
    """

    probability: FloatArray
    worth_eur: FloatArray
    value_eur: FloatArray

    @property
    def without_eur(self) -> FloatArray:
        """What each claim is expected to pay without contact, shape (m,)."""
        without: FloatArray = self.probability[:, 0] * self.worth_eur
        return without

    def chance(self, claim: IntArray, action: IntArray) -> FloatArray:
        """Chance of payment of some claims under an action each, shape (k,)."""
        chance: FloatArray = self.probability[claim, action]
        return chance


@dataclass(frozen=True)
class Opinion:
    """A bundle, the debtors in the codes it was trained with, and what it makes of every action."""

    bundle: Bundle
    prepared: Prepared
    scored: Scored


@dataclass(frozen=True)
class Decided:
    """A choice for each debtor with everything that led to it; `decision_table` makes the contract's rows of it.

    `challenger` speaks for the debtors of its arm, `champion` with `scored` for all others.
    """

    prepared: Prepared
    champion: Bundle
    scored: Scored
    price: Prices
    choice: Choice
    decision_id: npt.NDArray[np.object_]
    challenger: Opinion | None = None

    def opinion(self, row: int) -> Opinion:
        """The model of the arm that debtor `row` is in, with what it said."""
        if self.challenger is not None and self.choice.arm[row] == CHALLENGER:
            return self.challenger
        return Opinion(self.champion, self.prepared, self.scored)

    def said(
        self,
        ask: Callable[[Scored, IntArray, IntArray], FloatArray],
        action: IntArray,
        *,
        claim: IntArray | None = None,
    ) -> FloatArray:
        """What the model of each claim's arm says of one action a claim (k,), or of several (k, actions), shape of `action`.

        Parameters
        ----------
        claim
            Claims asked about, (k,); None: all.
        """
        claim = np.arange(len(action)) if claim is None else claim
        claim = claim if action.ndim == 1 else claim[:, None]
        said = ask(self.scored, claim, action)
        if self.challenger is None:
            return said
        theirs = self.choice.arm[self.prepared.targets.moment[claim]] == CHALLENGER
        return np.where(theirs, ask(self.challenger.scored, claim, action), said)

    @property
    def slots(self) -> Slots:
        """Send times of the grid."""
        return self.prepared.mask.slots

    def send_us(self, row: int, action: int) -> int:
        """Start of the slot of an action of debtor `row`, microseconds UTC."""
        return int(self.slots.send_us[self.slots.of_debtor[row], action])


class Limits(Protocol):
    """What is scarce: its price, and who gave way because there was none left."""

    def shadow_eur(self, prepared: Prepared, price: Prices) -> FloatArray:
        """What every action uses of what is scarce, at its price in EUR, shape (n, A); 0 for `none`."""
        ...

    def instead(self, prepared: Prepared) -> IntArray:
        """Action that a debtor gets instead of its choice, -1 where the choice stands, shape (n,)."""
        ...


@dataclass(frozen=True)
class Weighed:
    """What every action of every debtor is worth and what each arm may choose from, before anything is chosen.

    `first` is the champion's view, `second` the challenger's, or the champion's again where there is none.
    """

    prepared: Prepared
    champion: Bundle
    scored: Scored
    price: Prices
    first: View
    second: View
    challenger: Opinion | None
    decision_id: npt.NDArray[np.object_]
    greedy: bool


def decide(
    histories: Histories,
    asks: Asks,
    *,
    champion: Bundle,
    config: Config,
    packs: Packs,
    challenger: Bundle | None = None,
    everyone_champion: bool = False,
    limits: Limits | None = None,
    done: Callable[[str], None] = lambda _: None,
) -> Decided:
    """One decision for each debtor asked about, over all of its open claims.

    Parameters
    ----------
    limits
        Prices of what is scarce, fixed before anything is drawn, and the debtors who gave way to a hard limit; None: no limit.
    done
        Told of each part when it has ended: features, rules, grid; what is left is the draw.
    everyone_champion
        Greedy: the champion's best action for every debtor, without arms and exploration, whatever `[policy] kind` says.

    Raises
    ------
    NoChallenger
        The configuration gives the challenger a share, and there is none.
    NoMembers
        `[policy] kind` is `thompson` and a model is no ensemble.
    MissingRate
        A currency, cost or harm has no row for the day.
    """
    weighed = weigh(
        histories, asks, champion=champion, config=config, packs=packs, challenger=challenger,
        everyone_champion=everyone_champion, done=done,
    )  # fmt: skip
    return settle(weighed, limits)


def weigh(
    histories: Histories,
    asks: Asks,
    *,
    champion: Bundle,
    config: Config,
    packs: Packs,
    challenger: Bundle | None = None,
    everyone_champion: bool = False,
    done: Callable[[str], None] = lambda _: None,
) -> Weighed:
    """The first half of `decide`, with its arguments and errors: all but the choice."""
    if config.arms.challenger > 0 and challenger is None and not everyone_champion:
        raise NoChallenger(
            "[arms] challenger has a share and there is none: `rettid promote RUN --challenger`, or set the share to 0"
        )
    prepared = prepare(histories, asks, config=config, packs=packs, bundle=champion, done=done)
    price = price_of(prepared, champion)
    scored = score(prepared, champion, price=price)
    done("grid")
    control = _control(prepared)
    first = _view(prepared, champion, price=price, value_eur=scored.value_eur, control=control)
    second, other = first, None
    if challenger is not None and not everyone_champion:
        seen = _seen_by(prepared, challenger, champion)
        other = Opinion(challenger, seen, score(seen, challenger, price=price))
        second = _view(seen, challenger, price=price, value_eur=other.scored.value_eur, control=control)
    ids = decision_ids(prepared.situation.debtor_id, asks.as_of_us, salt=config.arms.salt)
    return Weighed(prepared, champion, scored, price, first, second, other, ids, everyone_champion)


def settle(weighed: Weighed, limits: Limits | None = None) -> Decided:
    """The second half of `decide`: each debtor's action under its arm, within the limits."""
    prepared, ids = weighed.prepared, weighed.decision_id
    first, second = weighed.first, weighed.second
    if limits is not None:
        shadow_eur = limits.shadow_eur(prepared, weighed.price)
        alone = second is first
        first = first.less(shadow_eur)
        second = first if alone else second.less(shadow_eur)
    choice = _greedy(prepared, first) if weighed.greedy else _by_arm(prepared, first, second, ids)
    if limits is not None:
        choice = displaced(choice, limits.instead(prepared))
    return Decided(prepared, weighed.champion, weighed.scored, weighed.price, choice, ids, weighed.challenger)


def chosen_again(decided: Decided, *, policy: PolicySettings, chooser: Chooser | None = None) -> Decided:
    """The same debtors and values under other policy settings, greedy; nothing is scored again.

    Parameters
    ----------
    chooser
        Another way of choosing, such as `control` for the tenant's present rules; None: the bundle's own.
    """
    prepared = replace(decided.prepared, config=replace(decided.prepared.config, policy=policy))
    bundle = replace(decided.champion, chooser=chooser) if chooser else decided.champion
    view = _view(prepared, bundle, price=decided.price, value_eur=decided.scored.value_eur, control=_control(prepared))
    return replace(decided, prepared=prepared, champion=bundle, choice=_greedy(prepared, view), challenger=None)


def _control(prepared: Prepared) -> IntArray:
    """Action of the tenant's present rules for each debtor, shape (n,)."""
    left = replace(prepared.mask, allowed=prepared.allowed, covered=prepared.covered)
    return control_actions(prepared.situation, left, settings=prepared.config.control, grid=prepared.grid)


def _seen_by(prepared: Prepared, bundle: Bundle, other: Bundle) -> Prepared:
    """The same debtors with features in the codes and rates that `bundle` was trained with."""
    if bundle.reference == other.reference:
        return prepared
    rows = build(prepared.histories, prepared.targets, reference=bundle.reference, rates=prepared.config.rates)
    return replace(prepared, rows=rows)


def _objected(prepared: Prepared) -> BoolArray:
    """Debtors who objected to profiling: the tenant's rules decide for them, never a model, shape (n,)."""
    return prepared.situation.objected_us <= prepared.situation.as_of_us


def _view(prepared: Prepared, bundle: Bundle, *, price: Prices, value_eur: FloatArray, control: IntArray) -> View:
    settings, grid, allowed = prepared.config.policy, prepared.grid, prepared.allowed
    if settings.harm_budget_eur > 0:
        debtor, as_of_us, harm = prepared.asks.debtor, prepared.asks.as_of_us, prepared.config.harm
        past = past_harm(prepared.histories, debtor, as_of_us=as_of_us, days=settings.harm_days, harm=harm)
        allowed = allowed & within_budget(past, price.harm, grid=grid, budget_eur=settings.harm_budget_eur)
    untried = np.array([name in bundle.untried for name in grid.channels], dtype=np.bool_)
    if bundle.chooser in ("value", "tree"):
        # A log without `none` cannot tell contact from no contact: whether is left to the tenant's rules, how and when is not.
        allowed = narrowed(allowed, untried=untried[grid.channel], whether=control > 0)

    def value_under(model: PropensityModel) -> FloatArray:
        return score(prepared, replace(bundle, model=model), price=price).value_eur

    return View(
        bundle=bundle,
        offer=Offer(allowed, value_eur, grid, settings, values_known=not untried[0]),
        control=control,
        objected=_objected(prepared),
        columns=debtor_columns(prepared) if bundle.chooser == "tree" else {},
        value_under=value_under,
    )


def _greedy(prepared: Prepared, view: View) -> Choice:
    candidates = Candidates(view.control, view.action(), view.control, prepared.allowed)
    return greedy(candidates, outside=view.objected)


def _by_arm(prepared: Prepared, first: View, second: View, ids: npt.NDArray[np.object_]) -> Choice:
    situation, config = prepared.situation, prepared.config
    action, drawn = first.action(), first.drawn()
    other_action, other_drawn = (action, drawn) if second is first else (second.action(), second.drawn())
    return choose(
        Candidates(first.control, action, other_action, prepared.allowed, drawn, other_drawn),
        arm=arms_of(situation.debtor_id, config.arms),
        decision_id=ids,
        never_explore=situation.vulnerable,
        outside=first.objected,
        config=config,
        grid=prepared.grid,
    )


def price_of(prepared: Prepared, bundle: Bundle) -> Prices:
    """Cost and harm of each debtor's channels; the chance of an answer is the debtor's own response rate, shrunk."""
    usual = np.array(bundle.reference.response_rate, dtype=np.float64)
    columns = _response_columns(prepared.grid.channels)
    rate = answer_rates(prepared.rows.matrix, columns, prepared.targets.moment, usual, len(prepared.asks.debtor))
    return prices(prepared.config, as_of_us=prepared.asks.as_of_us, answer_rate=rate)


@lru_cache(maxsize=64)
def _response_columns(channels: tuple[str, ...]) -> IntArray:
    """Columns of a debtor's response rate through each contact channel, not to be written to."""
    columns = names(debtor_features(channels))
    found = np.array([columns.index(f"response_rate_{name}") for name in channels[1:]], dtype=np.int64)
    found.flags.writeable = False
    return found


def score(prepared: Prepared, bundle: Bundle, *, price: Prices) -> Scored:
    """Chance of payment and value of every allowed action."""
    targets, grid = prepared.targets, prepared.grid
    actions = grid_actions(grid, prepared.mask.slots, of=prepared.calendar)
    probability = grid_probability(
        bundle.model,
        prepared.rows.matrix,
        actions=actions,
        class_of_row=actions.of_debtor[targets.moment],
        wanted=wanted_cells(prepared.allowed, targets.moment, prepared.covered),
    )
    worth = bundle.share(prepared.rows.matrix) * prepared.rows.outstanding_eur
    value = value_grid(
        probability, worth_eur=worth, debtor=targets.moment, covered=prepared.covered, price=price, grid=grid,
        allowed=prepared.allowed,
    )  # fmt: skip
    return Scored(probability, worth, value)
