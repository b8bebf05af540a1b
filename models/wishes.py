"""What debtors could get, before limits: the candidates of those who are free to choose, the contacts of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION
from data.capacity_settings import CapacitySettings
from data.times import IntArray
from models.arms import CHALLENGER, CHAMPION
from models.capacity.candidates import Candidates, reduce
from models.capacity.usage import Coverage
from models.decide import Decided, Weighed, settle
from models.policies.view import View
from models.prepare import Prepared

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]

LEAST_EUR = 1.0
"""What the least contact counts as where the log cannot tell contact from none: whether is then not the limits' to say."""


@dataclass(frozen=True, eq=False)
class Contacts:
    """Contacts that no price moves any more, shape (k,) each: of `control` and `explore`, of debtors who objected, or drawn ones.

    `rank` orders them for the case that they exceed a limit by themselves: the decision's identifier, so that no arm and no
    debtor comes first for ever. `coverage` has rows of these contacts.
    """

    debtor_id: TextArray
    rank: TextArray
    channel: TextArray
    send_us: IntArray
    cost_eur: FloatArray
    coverage: Coverage


@dataclass(frozen=True, eq=False)
class Wishes:
    """Free debtors with their candidates, in one order, and the contacts that are fixed."""

    debtor_id: TextArray
    candidates: Candidates
    fixed: Contacts


def wishes_of(weighed: Weighed, settings: CapacitySettings) -> Wishes:
    """What some debtors could get.

    Free are debtors of the champion's or challenger's arm whose model chooses by value; everybody else gets what the arm gives.
    """
    unlimited = settle(weighed)
    chooses = free(weighed, unlimited)
    rows, prepared = np.flatnonzero(chooses), weighed.prepared
    slots = prepared.mask.slots
    candidates = reduce(
        _values(weighed, unlimited)[rows],
        grid=prepared.grid,
        slots=replace(slots, of_debtor=slots.of_debtor[rows]),
        settings=settings,
        cost_eur=weighed.price.cost[rows],
        coverage=coverage_of(prepared, rows),
    )
    return Wishes(prepared.situation.debtor_id[rows], candidates, _contacts(weighed, unlimited, ~chooses))


def free(weighed: Weighed, decided: Decided) -> BoolArray:
    """Debtors whose action prices may move, shape (n,)."""
    arm, objected = decided.choice.arm, weighed.first.objected
    by_value = np.zeros(len(arm), dtype=np.bool_)
    for number, view in ((CHAMPION, weighed.first), (CHALLENGER, weighed.second)):
        by_value |= (arm == number) & (view.bundle.chooser == "value")
    return by_value & ~objected


def coverage_of(prepared: Prepared, rows: IntArray) -> Coverage:
    """Creditors of the claims that a contact with some debtors would cover; `debtor` counts within `rows`."""
    place = np.full(prepared.situation.size, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    mine = np.flatnonzero(prepared.covered & (place[prepared.targets.moment] >= 0))
    words = np.array(prepared.histories.creditors, dtype=np.object_)
    creditor = words[prepared.histories.claims.creditor[prepared.targets.claim[mine]]]
    return Coverage(place[prepared.targets.moment[mine]], creditor)


def _values(weighed: Weighed, decided: Decided) -> FloatArray:
    """Value over `none` of every candidate of the model that speaks for each debtor, -inf for all else, shape (n, A)."""
    value = _of_view(weighed.first)
    if weighed.second is weighed.first:
        return value
    theirs = decided.choice.arm == CHALLENGER
    value[theirs] = _of_view(weighed.second)[theirs]
    return value


def _of_view(view: View) -> FloatArray:
    """Values less what a contact must at least be worth: the same contacts are then better than `none` as in `best`."""
    offer = view.offer
    value = np.where(offer.candidates, offer.value_eur, -np.inf)
    if offer.values_known:
        value[:, 1:] -= offer.settings.least_value_eur
    else:
        least = np.where(offer.candidates, offer.value_eur, np.inf)[:, 1:].min(axis=1, initial=np.inf)
        value[:, 1:] += (LEAST_EUR - np.where(np.isfinite(least), least, 0.0))[:, None]
    value[:, NO_ACTION] = 0.0
    return value


def drawn_contacts(weighed: Weighed, decided: Decided) -> Contacts:
    """Contacts of free debtors as they were drawn."""
    return _contacts(weighed, decided, free(weighed, decided))


def _contacts(weighed: Weighed, decided: Decided, of: BoolArray) -> Contacts:
    prepared, action = weighed.prepared, decided.choice.action
    rows = np.flatnonzero(of & (action > 0))
    slots, channel = prepared.mask.slots, prepared.grid.channel[action[rows]]
    return Contacts(
        debtor_id=prepared.situation.debtor_id[rows],
        rank=weighed.decision_id[rows],
        channel=np.array(prepared.grid.channels, dtype=np.object_)[channel],
        send_us=slots.send_us[slots.of_debtor[rows], action[rows]],
        cost_eur=weighed.price.cost[rows, channel],
        coverage=coverage_of(prepared, rows),
    )
