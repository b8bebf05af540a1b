"""The one function that turns histories into model input: training, nightly batch and service all call `build`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from data.config import MissingRate, MoneySettings
from data.times import DAY_US, IntArray
from features._claim_kernels import (
    ClaimCounts,
    ClaimState,
    OpenRows,
    describe_claims,
    no_claims,
    no_state,
    open_rows,
)
from features.catalogue import WINDOWS, claim_features, debtor_features
from features.claim import fill_claims
from features.columns import FloatArray, TextArray
from features.debtor import DebtorState, Moments, fill_debtors
from features.distinct import distinct
from features.places import debtor_places
from features.reference import BLOCK, Reference
from features.tables import Histories

Matrix = npt.NDArray[np.float32]


class OtherChannels(ValueError):
    """What features are held against was learnt with other channels than the histories have."""


class NotOpen(ValueError):
    """Features were asked for of a claim that is not open at its moment."""


@dataclass(frozen=True)
class Targets:
    """Debtors at moments, and open claims of theirs to describe.

    Attributes
    ----------
    debtor, as_of_us
        Row in the histories and instant of each moment, shape (d,).
    claim, moment
        Row in `histories.claims`, and its moment, shape (m,), sorted by moment.
    every
        The same claims, as `open_targets` found them; None where they may be some of the open ones.
    """

    debtor: IntArray
    as_of_us: IntArray
    claim: IntArray
    moment: IntArray
    every: OpenRows | None = None

    @property
    def whole(self) -> bool:
        """Whether these are all open claims for certain."""
        return self.every is not None and self.every.claim is self.claim and self.every.moment is self.moment


@dataclass(frozen=True)
class ClaimRows:
    """Debtor and claim side of the model's input, shape (m, F), float32, NaN for missing.

    `state` is each claim's (m,), `debtors` each moment's (d,), `outstanding_eur` what is owed on each claim (m,).
    """

    matrix: Matrix
    state: ClaimState
    debtors: DebtorState
    outstanding_eur: FloatArray


def open_targets(histories: Histories, debtor: IntArray, *, as_of_us: IntArray) -> Targets:
    """Every open claim of debtors at their moments, both of shape (d,)."""
    rows = open_rows(debtor, as_of_us, histories.claims)
    return Targets(debtor, as_of_us, rows.claim, rows.moment, rows)


def build(histories: Histories, targets: Targets, *, reference: Reference, rates: MoneySettings) -> ClaimRows:
    """Features of every target claim as they were knowable at its moment.

    Facts count when they happened before the moment and were known before it. Columns stand in the order of
    `catalogue.debtor_features` and `catalogue.claim_features`; the action's columns come behind them.

    Raises
    ------
    MissingRate
        A claim's currency has no exchange rate on the day of the moment.
    NotOpen
        A target claim is not open at its moment.
    OtherChannels
        The reference was learnt with other channels than those of the histories.
    """
    if len(reference.reach_rate) != len(histories.channels):
        raise OtherChannels(
            f"expected a reference with rates of {len(histories.channels)} channels ({', '.join(histories.channels)}), came one "
            f"of {len(reference.reach_rate)}: learn it from histories of the same grid"
        )
    width = len(debtor_features(histories.channels)) + len(claim_features())
    matrix = np.empty((len(targets.claim), width), dtype=np.float32)
    starts = range(0, len(targets.debtor), BLOCK)
    if len(starts) <= 1:
        state, debtors = _build_block(histories, targets, matrix, reference=reference, rates=rates)
        return ClaimRows(matrix, state, debtors, state.outstanding_eur)
    ends = np.searchsorted(targets.moment, [*starts, len(targets.debtor)])
    parts = []
    for number, first in enumerate(starts):
        rows = slice(ends[number], ends[number + 1])
        block = Targets(
            targets.debtor[first : first + BLOCK], targets.as_of_us[first : first + BLOCK], targets.claim[rows],
            targets.moment[rows] - first,
        )  # fmt: skip
        parts.append(_build_block(histories, block, matrix[rows], reference=reference, rates=rates))
    state = ClaimState._make(np.concatenate(column) for column in zip(*(part[0] for part in parts), strict=True))
    debtors = DebtorState._make(np.concatenate(column) for column in zip(*(part[1] for part in parts), strict=True))
    return ClaimRows(matrix, state, debtors, state.outstanding_eur)


def _build_block(
    histories: Histories, targets: Targets, matrix: Matrix, *, reference: Reference, rates: MoneySettings
) -> tuple[ClaimState, DebtorState]:
    """Features of some moments' claims, written to `matrix`."""
    channels = histories.channels
    moments = _moments(histories, targets, rates)
    every, state, counts = _claims(histories, moments, targets.every if targets.whole else None)
    if np.isnan(state.outstanding_eur).any():
        _refuse_currency(histories, moments, every, state=state, rates=rates)
    mine = None if targets.whole else _rows_among(every, targets, histories)
    state = state if mine is None else ClaimState._make(column[mine] for column in state)
    block = np.empty((len(targets.debtor), len(debtor_features(channels))), dtype=np.float32)
    debtors = fill_debtors(block, histories, moments, claims=counts, reference=reference)
    first, width = debtor_places(channels).paid_log_window, block.shape[1]
    if np.isnan(block[:, first : first + len(WINDOWS)]).any():
        _refuse_payment(histories, moments, block[:, first : first + len(WINDOWS)], rates=rates)
    matrix[:, :width] = block[targets.moment]
    fill_claims(
        matrix[:, width:],
        histories,
        targets.claim,
        as_of_us=targets.as_of_us[targets.moment],
        state=state,
        total_eur=counts.total_eur[targets.moment],
        reference=reference,
    )
    for column in _positions(channels, reference.blank, histories.missing):
        matrix[:, column] = np.nan
    return state, debtors


def _claims(histories: Histories, moments: Moments, every: OpenRows | None) -> tuple[OpenRows, ClaimState, ClaimCounts]:
    """Every open claim of every moment, looked for unless it is known; its state, and each moment's counts."""
    if every is None:
        every = open_rows(moments.debtor, moments.as_of_us, histories.claims)
    state, counts = no_state(len(every.claim)), no_claims(len(moments.debtor))
    describe_claims(
        moments.debtor, moments.as_of_us, moments.eur, moments.rate_row, len(histories.sectors), every,
        histories.claims, histories.claim_events, histories.payments, histories.contacts, state, counts,
    )  # fmt: skip
    return every, state, counts


def _rows_among(every: OpenRows, targets: Targets, histories: Histories) -> IntArray | None:
    """Place of each target among all open claims, None where they are the same.

    Raises
    ------
    NotOpen
        A target is not among them.
    """
    if np.array_equal(every.claim, targets.claim) and np.array_equal(every.moment, targets.moment):
        return None
    size = len(histories.claim_id) + 1
    key, wanted = every.moment * size + every.claim, targets.moment * size + targets.claim
    place = np.searchsorted(key, wanted)
    found = np.append(key, -1)[place] == wanted
    if not found.all():
        first = int(np.flatnonzero(~found)[0])
        raise NotOpen(
            f"{int((~found).sum()):,} of {len(wanted):,} claims are not open at their moment, "
            f"the first is '{histories.claim_id[targets.claim[first]]}': ask for open claims only (`open_targets`)"
        )
    return place


def _moments(histories: Histories, targets: Targets, rates: MoneySettings) -> Moments:
    """Debtors at their moments with EUR for one unit of each currency on each day, NaN where there is no rate."""
    day, row = distinct(targets.as_of_us // DAY_US)
    eur = np.array([eur_on(histories.currencies, one, rates) for one in day], dtype=np.float64)
    eur = eur.reshape(len(day), len(histories.currencies))
    return Moments(targets.debtor, targets.as_of_us, eur, row)


def _refuse_payment(histories: Histories, moments: Moments, paid_log: Matrix, *, rates: MoneySettings) -> None:
    """A payment in a currency without a rate, on whatever claim: its sum is not known."""
    row = int(np.flatnonzero(np.isnan(paid_log).any(axis=1))[0])
    payments, who = histories.payments, int(moments.debtor[row])
    for code in payments.currency[payments.start[who] : payments.start[who + 1]].tolist():
        rates.on(histories.currencies[code], int(moments.as_of_us[row] // DAY_US))


def eur_on(currencies: tuple[str, ...], day: int, rates: MoneySettings) -> list[float]:
    """EUR for one unit of each currency on a day (since the epoch), NaN where there is no rate."""
    found = []
    for name in currencies:
        try:
            found.append(rates.on(name, day).amount)
        except MissingRate:
            found.append(np.nan)
    return found


def _refuse_currency(
    histories: Histories,
    moments: Moments,
    every: OpenRows,
    *,
    state: ClaimState,
    rates: MoneySettings,
) -> None:
    row = int(np.flatnonzero(np.isnan(state.outstanding_eur))[0])
    day = int(moments.as_of_us[every.moment[row]] // DAY_US)
    rates.on(histories.currencies[histories.claims.currency[every.claim[row]]], day)


def eur_rate(currency: TextArray, as_of_us: IntArray, *, rates: MoneySettings) -> FloatArray:
    """EUR for one unit of each row's currency on the day of its instant, shape (m,)."""
    rate = np.ones(len(currency), dtype=np.float64)
    for name in dict.fromkeys(currency.tolist()):
        here = np.flatnonzero(currency == name)
        day, which = distinct(as_of_us[here] // DAY_US)
        rate[here] = np.array([rates.on(name, one).amount for one in day], dtype=np.float64)[which]
    return rate


@lru_cache(maxsize=64)
def _positions(channels: tuple[str, ...], blank: tuple[str, ...], missing: tuple[str, ...]) -> list[int]:
    """Columns of the features of these names, and of those that need one of the tables that are missing."""
    columns = (*debtor_features(channels), *claim_features())
    return [
        number for number, one in enumerate(columns) if one.name in blank or set(one.tables.split(", ")) & set(missing)
    ]  # fmt: skip
