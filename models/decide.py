"""The decision: features, rules, values, arms. Nightly batch, service and training's policy evaluation all call `decide`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.action_grid import ActionGrid, Slots
from data.config import Config
from data.situation import Situation
from data.times import HOUR_US, IntArray
from data.vocabulary import DAYPARTS
from features.action import CalendarClass, grid_actions
from features.catalogue import catalogue, debtor_features, names
from features.pipeline import ClaimRows, Targets, build, open_targets
from features.situation import situation_of
from features.tables import Histories
from models.arms import Candidates, Choice, arms_of, choose, constant_action, decision_ids, greedy
from models.bundle import Bundle
from models.control import control_actions
from models.propensity import grid_probability
from models.rules.mask import Mask, contact_mask
from models.rules.pack import Packs
from models.value import Prices, best_action, brought_in, prices, value_grid

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class UnknownDebtor(LookupError):
    """A decision was asked for a debtor that the histories do not hold."""


class NoChallenger(LookupError):
    """The configuration gives a share to a challenger, and there is none."""


@dataclass(frozen=True)
class Asks:
    """Whom to decide for, and when.

    Attributes
    ----------
    debtor, as_of_us
        Row in `histories.debtor_id` and moment of each, shape (n,).
    channels, not_before_us, not_after_us
        Narrow the grid for all of them; None leaves it as it is.
    claim_ids
        Only these claims may be covered; None: all that no rule holds.
    """

    debtor: IntArray
    as_of_us: IntArray
    channels: tuple[str, ...] | None = None
    not_before_us: int | None = None
    not_after_us: int | None = None
    claim_ids: frozenset[str] | None = None


@dataclass(frozen=True)
class Scored:
    """What a model makes of every action: chance of payment (m, A), lift in EUR (m, A), value in EUR (n, A)."""

    probability: FloatArray
    lift_eur: FloatArray
    value_eur: FloatArray


@dataclass(frozen=True)
class Prepared:
    """What is known and lawful before any value is put on it."""

    histories: Histories
    asks: Asks
    config: Config
    grid: ActionGrid
    targets: Targets
    rows: ClaimRows
    situation: Situation
    mask: Mask
    allowed: BoolArray
    covered: BoolArray

    @property
    def calendar(self) -> CalendarClass:
        """Calendar class of each debtor asked about, shape (n,)."""
        whole = self.histories
        return CalendarClass(whole.countries, whole.country[self.asks.debtor], self.rows.debtors.pay_day)


@dataclass(frozen=True)
class Decided:
    """A choice for each debtor with everything that led to it; `decision_table` makes the contract's rows of it."""

    prepared: Prepared
    champion: Bundle
    scored: Scored
    price: Prices
    choice: Choice
    decision_id: npt.NDArray[np.object_]

    @property
    def slots(self) -> Slots:
        """Send times of the grid."""
        return self.prepared.mask.slots

    def send_us(self, row: int, action: int) -> int:
        """Start of the slot of an action of debtor `row`, microseconds UTC."""
        return int(self.slots.send_us[self.slots.of_debtor[row], action])


def rows_of_debtors(histories: Histories, debtor_id: list[str]) -> IntArray:
    """Rows of debtors in the histories, shape (n,).

    Raises
    ------
    UnknownDebtor
        One is not there.
    """
    index = {name: row for row, name in enumerate(histories.debtor_id.tolist())}
    missing = [name for name in debtor_id if name not in index]
    if missing:
        raise UnknownDebtor(f"{len(missing)} of {len(debtor_id)} debtors are not known")
    return np.array([index[name] for name in debtor_id], dtype=np.int64)


def debtors_with_open_claims(histories: Histories, as_of_us: int) -> IntArray:
    """Rows of debtors who owe something open at a moment, in order."""
    claims = histories.claims
    is_open = (claims.registered_us <= as_of_us) & (claims.closed_us > as_of_us)
    return np.unique(claims.debtor[is_open])


def decide(
    histories: Histories,
    asks: Asks,
    *,
    champion: Bundle,
    config: Config,
    packs: Packs,
    challenger: Bundle | None = None,
    everyone_champion: bool = False,
) -> Decided:
    """One decision for each debtor asked about, over all of its open claims.

    Parameters
    ----------
    everyone_champion
        Greedy: the champion's best action for every debtor, without arms and exploration.

    Raises
    ------
    NoChallenger
        The configuration gives the challenger a share, and there is none.
    MissingRate
        A currency, cost or harm has no row for the day.
    """
    if config.arms.challenger > 0 and challenger is None and not everyone_champion:
        raise NoChallenger(
            "[arms] challenger has a share and there is none: `rettid promote RUN --challenger`, or set the share to 0"
        )
    prepared = prepare(histories, asks, config=config, packs=packs, bundle=champion)
    price = price_of(prepared, champion)
    scored = score(prepared, champion, price=price)
    left = replace(prepared.mask, allowed=prepared.allowed, covered=prepared.covered)
    control = control_actions(prepared.situation, left, settings=config.control, grid=prepared.grid)
    first = action_of(prepared, champion, value_eur=scored.value_eur, control=control)
    second = first
    if challenger is not None:
        other = score(_seen_by(prepared, challenger, champion), challenger, price=price)
        second = action_of(prepared, challenger, value_eur=other.value_eur, control=control)
    objected = _objected(prepared)
    candidates = Candidates(
        control, np.where(objected, control, first), np.where(objected, control, second), prepared.allowed
    )
    ids = decision_ids(prepared.situation.debtor_id, asks.as_of_us, salt=config.arms.salt)
    choice = greedy(candidates, outside=objected) if everyone_champion else _by_arm(prepared, candidates, ids)
    return Decided(prepared, champion, scored, price, choice, ids)


def _seen_by(prepared: Prepared, bundle: Bundle, other: Bundle) -> Prepared:
    """The same debtors with features in the codes and rates that `bundle` was trained with."""
    if bundle.reference == other.reference:
        return prepared
    rows = build(prepared.histories, prepared.targets, reference=bundle.reference, rates=prepared.config.rates)
    return replace(prepared, rows=rows)


def _objected(prepared: Prepared) -> BoolArray:
    """Debtors who objected to profiling: the tenant's rules decide for them, never a model, shape (n,)."""
    return prepared.situation.objected_us <= prepared.situation.as_of_us


def _by_arm(prepared: Prepared, candidates: Candidates, ids: npt.NDArray[np.object_]) -> Choice:
    situation, config = prepared.situation, prepared.config
    return choose(
        candidates,
        arm=arms_of(situation.debtor_id, config.arms),
        decision_id=ids,
        never_explore=situation.vulnerable,
        outside=_objected(prepared),
        config=config,
        grid=prepared.grid,
    )


def prepare(histories: Histories, asks: Asks, *, config: Config, packs: Packs, bundle: Bundle) -> Prepared:
    """Features, situation and rules of the debtors asked about."""
    grid = ActionGrid.of(config.grid)
    targets = open_targets(histories, asks.debtor, as_of_us=asks.as_of_us)
    rows = build(histories, targets, reference=bundle.reference, rates=config.rates)
    situation = situation_of(histories, targets, rows=rows)
    mask = contact_mask(situation, grid=grid, packs=packs)
    covered = mask.covered & (rows.outstanding_eur > 0)
    if asks.claim_ids is not None:
        names_of = histories.claim_id[targets.claim]
        covered &= np.array([name in asks.claim_ids for name in names_of.tolist()], dtype=np.bool_)
    allowed = _narrowed(mask, asks, grid)
    something = np.bincount(targets.moment[covered], minlength=len(asks.debtor)) > 0
    allowed[:, 1:] &= something[:, None]
    return Prepared(histories, asks, config, grid, targets, rows, situation, mask, allowed, covered)


def _narrowed(mask: Mask, asks: Asks, grid: ActionGrid) -> BoolArray:
    allowed = mask.allowed.copy()
    send_us = mask.slots.send_us[mask.slots.of_debtor]
    if asks.channels is not None:
        wanted = [code for code, name in enumerate(grid.channels) if name in asks.channels]
        allowed[:, 1:] &= np.isin(grid.channel[1:], wanted)[None, :]
    if asks.not_before_us is not None:
        allowed[:, 1:] &= send_us[:, 1:] >= asks.not_before_us
    if asks.not_after_us is not None:
        allowed[:, 1:] &= send_us[:, 1:] + HOUR_US <= asks.not_after_us
    return allowed


def price_of(prepared: Prepared, bundle: Bundle) -> Prices:
    """Cost and harm of each debtor's channels; the chance of an answer is the debtor's own response rate, shrunk."""
    columns = names(debtor_features(prepared.grid.channels))
    rate = np.tile(np.array(bundle.reference.response_rate), (len(prepared.asks.debtor), 1))
    for code, name in enumerate(prepared.grid.channels):
        if code:
            column = prepared.rows.matrix[:, columns.index(f"response_rate_{name}")]
            rate[prepared.targets.moment, code] = np.where(
                np.isnan(column), rate[0, code] if len(rate) else 0.0, column
            )
    return prices(prepared.config, as_of_us=prepared.asks.as_of_us, answer_rate=rate.clip(0.0, 1.0))


def score(prepared: Prepared, bundle: Bundle, *, price: Prices) -> Scored:
    """Chance of payment and value of every allowed action."""
    targets, grid = prepared.targets, prepared.grid
    actions = grid_actions(grid, prepared.mask.slots, of=prepared.calendar)
    wanted = prepared.allowed[targets.moment] & prepared.covered[:, None]
    wanted[:, 0] = True
    probability = grid_probability(
        bundle.model,
        prepared.rows.matrix,
        actions=actions,
        class_of_row=actions.of_debtor[targets.moment],
        wanted=wanted,
    )
    lift = brought_in(probability, outstanding_eur=prepared.rows.outstanding_eur, mean_share=bundle.mean_share)
    value = value_grid(
        lift, debtor=targets.moment, covered=prepared.covered, price=price, grid=grid, allowed=prepared.allowed
    )
    return Scored(probability, lift, value)


def action_of(prepared: Prepared, bundle: Bundle, *, value_eur: FloatArray, control: IntArray) -> IntArray:
    """The action a bundle takes, by its way of choosing, shape (n,)."""
    if bundle.chooser == "control":
        return control
    if bundle.chooser == "constant" and bundle.constant is not None:
        channel, part = bundle.constant
        if channel == prepared.grid.channels[0]:
            return np.zeros(len(control), dtype=np.int64)
        return constant_action(prepared.allowed, grid=prepared.grid, channel=channel, daypart=DAYPARTS.index(part))
    untried = np.array([name in bundle.untried for name in prepared.grid.channels], dtype=np.bool_)
    best = best_action(np.where(untried[prepared.grid.channel], -np.inf, value_eur))
    # A log without `none` cannot tell contact from no contact: whether is left to the tenant's rules, how and when is not.
    return np.where(control == 0, 0, best) if untried[0] else best


def reasons(decided: Decided, row: int, *, most: int = 5) -> tuple[str, ...]:
    """Features that spoke most for the chosen action of debtor `row`, on its largest covered claim, strongest first.

    Each is `name=value (+x)`, where x is what it adds to the log odds of payment under the action compared with
    `none`; for the decision `none`, to the log odds themselves.
    """
    prepared, action = decided.prepared, int(decided.choice.action[row])
    mine = np.flatnonzero(prepared.targets.moment == row)
    claim = mine[np.argmax(prepared.rows.outstanding_eur[mine] + 1e9 * prepared.covered[mine])]
    slots, whole = decided.slots, prepared.calendar
    one = Slots(slots.of_debtor[row : row + 1], slots.zone, slots.first_day, slots.send_us)
    calendar = CalendarClass(whole.countries, whole.country[row : row + 1], whole.pay_day[row : row + 1])
    actions = grid_actions(prepared.grid, one, of=calendar)
    cells = np.hstack([np.tile(prepared.rows.matrix[claim], (2, 1)), actions.matrix[0][[action, 0]]])
    parts = decided.champion.model.contributions(cells)
    spoke = parts[0] - parts[1] if action else parts[0]
    order = np.argsort(-np.abs(spoke))[:most]
    labels = names(catalogue(prepared.grid.channels))
    return tuple(f"{labels[k]}={cells[0, k]:.4g} ({spoke[k]:+.3f})" for k in order if spoke[k] != 0.0)
