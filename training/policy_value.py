"""What a bundle's greedy policy would have brought in, from the randomised part of the log.

Each judged decision is decided again by `models.decide` at its own moment. The question is answered at the level the
log supports: the target policy is the bundle's (channel, part of the day), uniform over the allowed slots in it, so
that a logged slot weighs one over the chance of its cell. Payments are winsorised: one large claim in a cell that
weighs twenty would otherwise drown the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.action_grid import dayparts_of, local_hours
from data.config import Config
from data.outcomes import paid_within, payments_of
from data.portfolio import Portfolio
from data.times import DAY_US, IntArray
from features.columns import codes, instants, rows_of, texts
from features.tables import Histories
from models.bundle import Bundle
from models.decide import Decided, decide
from models.hashing import keyed_uniform
from models.prepare import Asks
from models.rules.pack import Packs
from training.ope.estimators import dr, snips
from training.ope.intervals import Interval, skewed_interval
from training.ope.overlap import NoOverlap, Support, require_support
from training.rows import zones_of
from training.splits import cluster_numbers

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]

MOST_JUDGED = 20_000
"""Randomised decisions that are decided again, at most."""

WINSORISED_AT = 0.99
"""Share of paying decisions whose payment counts in full; the rest count as much as the largest of these."""


@dataclass(frozen=True)
class Judged:
    """Logged, randomised decisions on debtors that no fit saw, one entry each, shape (n,).

    `hour` is the local hour of sending, -1 for `none`; `paid_eur` what was paid in the horizon on the claims the
    contact covered.
    """

    debtor: IntArray
    decided_us: IntArray
    channel: npt.NDArray[np.int16]
    hour: IntArray
    action_probability: FloatArray
    paid_eur: FloatArray
    contact_id: TextArray


@dataclass(frozen=True)
class PolicyValue:
    """Estimated net EUR per decision, or the reason why there is none; `per_row` are doubly robust contributions.

    `weight` is target over logged probability of each judged decision and `cell` the target's number of (channel, part
    of the day), both empty where the log holds none.
    """

    dr: Interval | None
    snips: Interval | None
    support: Support | None
    refusal: str
    per_row: FloatArray
    contacts: float
    weight: FloatArray = field(default_factory=lambda: np.zeros(0))
    cell: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def judged_decisions(
    portfolio: Portfolio, histories: Histories, *, as_of_us: int, debtors: BoolArray, config: Config
) -> Judged:
    """Decisions with a mature outcome, drawn with a known probability below 1.

    Parameters
    ----------
    debtors
        Whether a debtor may be judged on, by row in the histories.
    """
    contacts = portfolio["contacts"]
    chance = np.asarray(contacts["action_probability"].to_numpy(zero_copy_only=False), dtype=np.float64)
    decided = instants(contacts, "decided_at")
    claim = rows_of(contacts["claim_id"], pa.array(histories.claim_id, pa.string()))
    debtor = histories.claims.debtor[claim]
    drawn = np.isfinite(chance) & (chance < 0.999) & (chance > 0)
    mature = decided + config.horizon.days * DAY_US <= as_of_us
    policies = texts(contacts, "policy")
    random = np.isin(
        policies, list(randomised_policies(policies, codes(contacts, "channel", histories.channels), drawn))
    )
    chosen = np.flatnonzero(drawn & mature & random & (claim >= 0) & debtors[debtor])
    ids = texts(contacts, "contact_id")[chosen]
    order = np.lexsort((ids.astype(str), decided[chosen], debtor[chosen]))
    chosen, ids = chosen[order], ids[order]
    payments = payments_of(portfolio["payments"], pa.array(histories.claim_id, pa.string()), rates=config.rates)
    outcome = paid_within(
        decided[chosen], claim[chosen], payments=payments, horizon_days=config.horizon.days, known_until_us=as_of_us
    )
    return _by_contact(contacts, chosen, ids, outcome.amount_eur, debtor=debtor[chosen], histories=histories)


def randomised_policies(policy: TextArray, channel: npt.NDArray[np.int16], drawn: BoolArray) -> frozenset[str]:
    """Labels of policies that drew between `none` and contacts, or between channels.

    A policy that only draws the hour of a call says nothing about other channels and is left out.
    """
    labels = []
    for name in dict.fromkeys(policy[drawn].tolist()):
        here = policy == name
        certain_contacts = (~drawn[here] & (channel[here] > 0)).mean()
        if certain_contacts < 0.05 and len(np.unique(channel[here & drawn])) >= 2:
            labels.append(name)
    return frozenset(labels)


def _by_contact(
    contacts: pa.Table,
    chosen: IntArray,
    ids: TextArray,
    paid_eur: FloatArray,
    *,
    debtor: IntArray,
    histories: Histories,
) -> Judged:
    new = np.ones(len(ids), dtype=np.bool_)
    new[1:] = ids[1:] != ids[:-1]
    total = np.bincount(np.cumsum(new) - 1, weights=paid_eur, minlength=int(new.sum())).astype(np.float64)
    first = np.flatnonzero(new)
    if len(first) > MOST_JUDGED:
        keep = np.sort(np.argsort(keyed_uniform(ids[first], key="judged"))[:MOST_JUDGED])
        first, total = first[keep], total[keep]
    rows = contacts.take(pa.array(chosen[first]))
    channel = codes(rows, "channel", histories.channels)
    send_us = np.where(channel > 0, instants(rows, "send_at", missing=0), 0)
    zones = zones_of(histories, debtor[first])
    hour = np.full(len(first), -1, dtype=np.int64)
    for zone in dict.fromkeys(zones.tolist()):
        here = np.flatnonzero((zones == zone) & (channel > 0))
        hour[here] = local_hours(zone, send_us[here])
    chance = np.asarray(rows["action_probability"].to_numpy(zero_copy_only=False), dtype=np.float64)
    return Judged(debtor[first], instants(rows, "decided_at"), channel, hour, chance, total, ids[first])


def decide_again(histories: Histories, judged: Judged, *, bundle: Bundle, config: Config, packs: Packs) -> Decided:
    """The bundle's greedy decisions at the moments of the logged ones."""
    asks = Asks(judged.debtor, judged.decided_us)
    return decide(histories, asks, champion=bundle, config=config, packs=packs, everyone_champion=True)


def policy_value(judged: Judged, decided: Decided) -> PolicyValue:
    """Net EUR per decision of the policy that `decided` holds, by SNIPS and doubly robust, clustered by debtor."""
    if not len(judged.debtor):
        return _refused(
            judged, "the log holds no randomised decision on the judged debtors: draw 5 % of decisions at random"
        )
    grid, action = decided.prepared.grid, decided.choice.action
    cell = grid.channel.astype(np.int64) * 4 + grid.daypart + 1
    target = cell[action]
    logged = judged.channel.astype(np.int64) * 4 + dayparts_of(judged.hour) + 1
    in_cell = decided.prepared.allowed & (cell[None, :] == target[:, None])
    weight = np.where(logged == target, 1.0 / in_cell.sum(axis=1), 0.0) / judged.action_probability
    rows = np.arange(len(action))
    net = winsorised(judged.paid_eur) - decided.price.total[rows, judged.channel]
    predicted, expected = _predicted(decided, cell, logged), _predicted(decided, cell, target)
    contributions = dr(net, weight, predicted=predicted, expected=expected)
    unit = cluster_numbers(judged.debtor)
    contacts = float((action > 0).mean())
    try:
        found = require_support(weight, judged.paid_eur)
    except NoOverlap as error:
        return PolicyValue(None, None, None, str(error), contributions, contacts, weight, target)
    return PolicyValue(
        skewed_interval(contributions, unit),
        skewed_interval(snips(net, weight), unit),
        found,
        "",
        contributions,
        contacts,
        weight,
        target,
    )


def winsorised(paid_eur: FloatArray) -> FloatArray:
    """Payments cut at the quantile `WINSORISED_AT` of those above 0, shape (n,)."""
    positive = paid_eur[paid_eur > 0]
    return np.minimum(paid_eur, np.quantile(positive, WINSORISED_AT)) if len(positive) else paid_eur


def _refused(judged: Judged, why: str) -> PolicyValue:
    return PolicyValue(None, None, None, why, np.zeros(len(judged.debtor)), float("nan"))


def _predicted(decided: Decided, cell: IntArray, wanted: IntArray) -> FloatArray:
    """The model's net EUR of each debtor's wanted cell: payments without contact plus the cell's mean value."""
    prepared = decided.prepared
    base = decided.scored.without_eur
    without = np.bincount(prepared.targets.moment, weights=base * prepared.covered, minlength=len(wanted))
    inside = prepared.allowed & (cell[None, :] == wanted[:, None])
    value = np.where(inside, decided.scored.value_eur, 0.0).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    predicted: FloatArray = without + value
    return predicted
