"""The one function that turns histories into model input: training, nightly batch and service all call `build`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.config import MoneySettings
from data.times import DAY_US, IntArray
from features import _kernels as kernels
from features.catalogue import claim_features, debtor_features, names
from features.claim import ClaimState, claim_columns, claim_state
from features.columns import FloatArray, TextArray
from features.debtor import debtor_columns
from features.histories import Histories
from features.reference import Reference


@dataclass(frozen=True)
class Targets:
    """Debtors at moments, and claims of theirs to describe.

    Attributes
    ----------
    debtor, as_of_us
        Row in the histories and instant of each moment, shape (d,).
    claim, moment
        Row in `histories.claims`, and its moment, shape (m,), sorted by moment.
    """

    debtor: IntArray
    as_of_us: IntArray
    claim: IntArray
    moment: IntArray


@dataclass(frozen=True)
class ClaimRows:
    """Debtor and claim side of the model's input, shape (m, F), with each claim's state and what is owed in EUR."""

    matrix: FloatArray
    state: ClaimState
    outstanding_eur: FloatArray


def open_targets(histories: Histories, debtor: IntArray, *, as_of_us: IntArray) -> Targets:
    """Every open claim of debtors at their moments, both of shape (d,)."""
    claims, zero = histories.claims, np.zeros(len(debtor), dtype=np.int64)
    is_open, others = zero.copy(), [zero.copy() for _ in range(3)]
    kernels.walk_claims(
        debtor, as_of_us, claims.start, claims.registered_us, claims.closed_us, claims.closed_paid, is_open, *others
    )
    claim, moment = (np.zeros(int(is_open.sum()), dtype=np.int64) for _ in range(2))
    kernels.fill_open_claims(debtor, as_of_us, claims.start, claims.registered_us, claims.closed_us, claim, moment)
    return Targets(debtor, as_of_us, claim, moment)


def build(histories: Histories, targets: Targets, *, reference: Reference, rates: MoneySettings) -> ClaimRows:
    """Features of every target claim as they were knowable at its moment.

    Facts count when they happened before the moment and were known before it. Columns stand in the order of
    `catalogue.debtor_features` and `catalogue.claim_features`; the action's columns come behind them.

    Raises
    ------
    MissingRate
        A claim's currency has no exchange rate on the day of the moment.
    """
    as_of_us = targets.as_of_us[targets.moment]
    state = claim_state(histories, targets.claim, as_of_us=as_of_us)
    eur = state.outstanding * eur_rate(histories.claims.currency[targets.claim], as_of_us, rates=rates)
    debtor = debtor_columns(histories, targets.debtor, as_of_us=targets.as_of_us, reference=reference)
    debtor["outstanding_all_log"] = np.log1p(_all_outstanding(histories, targets, rates))
    claim = claim_columns(
        histories, targets.claim, as_of_us=as_of_us, state=state, outstanding_eur=eur, reference=reference
    )
    debtor_side = np.column_stack([debtor[name] for name in names(debtor_features(histories.channels))])
    claim_side = np.column_stack([claim[name] for name in names(claim_features())])
    return ClaimRows(np.hstack([debtor_side[targets.moment], claim_side]), state, eur)


def _all_outstanding(histories: Histories, targets: Targets, rates: MoneySettings) -> FloatArray:
    """EUR owed on all open claims of each moment's debtor, whichever claims are asked for, shape (d,)."""
    every = open_targets(histories, targets.debtor, as_of_us=targets.as_of_us)
    as_of_us = every.as_of_us[every.moment]
    state = claim_state(histories, every.claim, as_of_us=as_of_us)
    eur = state.outstanding * eur_rate(histories.claims.currency[every.claim], as_of_us, rates=rates)
    total: FloatArray = np.bincount(every.moment, weights=eur, minlength=len(targets.debtor)).astype(np.float64)
    return total


def eur_rate(currency: TextArray, as_of_us: IntArray, *, rates: MoneySettings) -> FloatArray:
    """EUR for one unit of each row's currency on the day of its instant, shape (m,)."""
    rate = np.ones(len(currency), dtype=np.float64)
    for name in dict.fromkeys(currency.tolist()):
        here = np.flatnonzero(currency == name)
        day, inverse = np.unique(as_of_us[here] // DAY_US, return_inverse=True)
        rate[here] = np.array([rates.on(name, int(one)).amount for one in day], dtype=np.float64)[inverse]
    return rate
