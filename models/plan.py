"""What a set of decisions would mean, in numbers that add up over shards: contacts, recovery, cost, annoyance."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt

from data.stretches import rows_of
from data.times import IntArray
from data.vocabulary import ARMS, CONTACT_EVENT_KINDS
from models.decide import Decided, Scored

FloatArray = npt.NDArray[np.float64]

ANNOYED = tuple(CONTACT_EVENT_KINDS.index(kind) for kind in ("complained", "opted_out"))
"""Kinds of contact events that say that a contact was too much."""


@dataclass(frozen=True)
class Plan:
    """Sums over the debtors of some decisions; two plans of different debtors add up by `+`.

    Attributes
    ----------
    debtors, claims
        How many were decided for.
    by_channel, by_hour, by_arm
        Debtors by the channel of their contact (`none` first), contacts by channel and hour of the grid (channels, hours), and
        debtors by arm.
    explored, displaced
        Debtors whose action was drawn in `explore`, and those who gave way to a hard limit.
    without_eur, with_eur
        What covered and other open claims are expected to pay within the horizon without any contact, and under the decisions.
    spread_eur2
        Variance of what is paid, were every chance right, debtors independent of each other and the claims of one paid together or
        not at all: the widest.
    cost_eur, harm_eur, value_eur
        Cost and harm of the contacts, and what the decisions are worth over no contact, both taken off.
    made, annoyed
        Contacts of the past by channel, and complaints and opt-outs after them: how often contacts are too much, (channels,) each.
    """

    debtors: IntArray
    claims: IntArray
    by_channel: IntArray
    by_hour: IntArray
    by_arm: IntArray
    explored: IntArray
    displaced: IntArray
    without_eur: FloatArray
    with_eur: FloatArray
    spread_eur2: FloatArray
    cost_eur: FloatArray
    harm_eur: FloatArray
    value_eur: FloatArray
    made: IntArray
    annoyed: IntArray

    def __add__(self, other: Plan) -> Plan:
        """Both together."""
        return Plan(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Plan)))

    @property
    def contacts(self) -> int:
        """Debtors who are contacted."""
        return int(self.by_channel[1:].sum())

    @property
    def annoyed_expected(self) -> float:
        """Complaints and opt-outs to expect, were they to follow contacts of each channel as often as in the past."""
        rate = self.annoyed / np.maximum(self.made, 1)
        return float((rate * self.by_channel)[1:].sum())

    @property
    def added_eur(self) -> float:
        """What is expected to be paid more than without any contact."""
        return float(self.with_eur - self.without_eur)


def together(plans: list[Plan]) -> Plan:
    """The sum of at least one plan."""
    return reduce(add, plans)


@dataclass(frozen=True)
class Outlook:
    """What each debtor is expected to pay within the horizon, EUR, shape (n,) each.

    `without_eur` without any contact, `with_eur` under the decision; `sd_eur` is the standard deviation of what is paid, were the
    chances right and the claims of one debtor paid together or not at all: the widest.
    """

    without_eur: FloatArray
    with_eur: FloatArray
    sd_eur: FloatArray


def outlook(decided: Decided) -> Outlook:
    """What the debtors of some decisions are expected to pay."""
    prepared, moment, debtors = decided.prepared, decided.prepared.targets.moment, len(decided.choice.action)
    action = np.where(prepared.covered, decided.choice.action[moment], 0)
    none = np.zeros_like(action)
    chance, worth = decided.said(Scored.chance, action), decided.said(_worth, action)

    def by_debtor(values: FloatArray) -> FloatArray:
        return np.bincount(moment, weights=values, minlength=debtors).astype(np.float64)

    without = decided.said(Scored.chance, none) * decided.said(_worth, none)
    return Outlook(by_debtor(without), by_debtor(chance * worth), by_debtor(np.sqrt(chance * (1 - chance)) * worth))


def plan_of(decided: Decided, ahead: Outlook) -> Plan:
    """What some decisions would mean; `ahead` is their `outlook`."""
    prepared, choice, grid = decided.prepared, decided.choice, decided.prepared.grid
    action, row = choice.action, np.arange(len(choice.action))
    channel = grid.channel[action].astype(np.int64)
    cost, harm = decided.price.cost[row, channel] * (action > 0), decided.price.harm[row, channel] * (action > 0)
    made, annoyed = _annoyed(decided)
    return Plan(
        debtors=_one(len(action)),
        claims=_one(len(prepared.targets.moment)),
        by_channel=np.bincount(channel, minlength=len(grid.channels)),
        by_hour=_by_hour(decided),
        by_arm=np.bincount(choice.arm, minlength=len(ARMS)),
        explored=_one(int(choice.explored.sum())),
        displaced=_one(int(np.isnan(choice.action_probability).sum())),
        without_eur=_sum(ahead.without_eur),
        with_eur=_sum(ahead.with_eur),
        spread_eur2=_sum(np.square(ahead.sd_eur)),
        cost_eur=_sum(cost),
        harm_eur=_sum(harm),
        value_eur=_sum(ahead.with_eur - ahead.without_eur) - _sum(cost) - _sum(harm),
        made=made,
        annoyed=annoyed,
    )


def _by_hour(decided: Decided) -> IntArray:
    """Contacts by channel and hour of the grid, shape (channels, hours)."""
    grid, action = decided.prepared.grid, decided.choice.action[decided.choice.action > 0]
    found = np.zeros((len(grid.channels), len(grid.hours)), dtype=np.int64)
    np.add.at(found, (grid.channel[action], np.searchsorted(np.array(grid.hours), grid.hour[action])), 1)
    return found


def _worth(scored: Scored, claim: IntArray, action: IntArray) -> FloatArray:
    """What some claims are expected to pay if they pay, whatever the action, shape (k,)."""
    worth: FloatArray = np.broadcast_to(scored.worth_eur, scored.probability.shape[:1])[claim]
    return worth


def _annoyed(decided: Decided) -> tuple[IntArray, IntArray]:
    """Contacts made with these debtors, and complaints and opt-outs after them, by channel."""
    histories, debtor = decided.prepared.histories, decided.prepared.asks.debtor
    contacts, events, channels = histories.contacts, histories.contact_events, len(histories.channels)
    made = contacts.channel[rows_of(contacts.start[debtor], contacts.start[debtor + 1])[1]]
    _, mine = rows_of(events.start[debtor], events.start[debtor + 1])
    late = mine[np.isin(events.kind[mine], ANNOYED) & (events.channel[mine] >= 0)]
    return np.bincount(made[made >= 0], minlength=channels), np.bincount(events.channel[late], minlength=channels)


def _one(count: int) -> IntArray:
    return np.array(count, dtype=np.int64)


def _sum(values: FloatArray) -> FloatArray:
    return np.array(values.sum(), dtype=np.float64)
