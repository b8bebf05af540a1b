"""Training rows: every mature decision in the log on a claim, with its features and what was paid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config
from data.outcomes import Waits, first_payments, paid_within, payments_of
from data.portfolio import Portfolio
from data.responses import paid_through, responded
from data.times import DAY_US, NEVER, IntArray
from features.action import CalendarClass, action_matrix, letter_code, sent
from features.catalogue import catalogue, names
from features.columns import codes, instants, known_instants, rows_of, texts
from features.pipeline import Matrix, Targets, build
from features.reference import Reference
from features.tables import Histories

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]


LONGEST_SILENCE_DAYS = 3
"""Days without any fact before `as_of` that may be a week-end; more of them, and the tables end there."""


class NoTrainingRows(ValueError):
    """The log holds no mature decision before the moment of training."""


@dataclass(frozen=True)
class TrainingRows:
    """Decisions on claims with known outcome, one entry each, shape (r,), in order of debtor and time.

    `matrix` has the catalogue's columns, debtor, claim and action side, shape (r, F). `share` is what was paid in the
    horizon over what was outstanding, 0 to 1. `debtor` and `claim` are rows in the histories. `responded` tells whether the
    contact was answered, `paid_through` whether something was paid on the claim through it. `waits`
    tells when the first payment came, up to 90 days, and for how long each row was looked at.
    """

    names: tuple[str, ...]
    matrix: Matrix
    paid: BoolArray
    share: FloatArray
    amount_eur: FloatArray
    decided_us: IntArray
    debtor: IntArray
    claim: IntArray
    contact_id: TextArray
    channel: npt.NDArray[np.int16]
    policy: TextArray
    action_probability: FloatArray
    responded: BoolArray
    paid_through: BoolArray
    waits: Waits | None = None

    def __len__(self) -> int:
        return len(self.paid)


@dataclass(frozen=True)
class _Logged:
    """Rows of the log that can train, before features."""

    contact_id: TextArray
    debtor: IntArray
    claim: IntArray
    decided_us: IntArray
    send_us: IntArray
    channel: npt.NDArray[np.int16]
    policy: TextArray
    action_probability: FloatArray


def training_rows(
    portfolio: Portfolio, histories: Histories, *, as_of_us: int, reference: Reference, config: Config
) -> TrainingRows:
    """Rows of all decisions whose horizon was over at `as_of_us`, on claims that were open when it was made.

    Statutory letters are left out: they are never a choice. Contacts count in later rows' features all the same.

    Raises
    ------
    NoTrainingRows
        There is none.
    """
    (rows,) = training_blocks(portfolio, histories, as_of_us=as_of_us, reference=reference, config=config, size=None)
    return rows


def training_blocks(
    portfolio: Portfolio,
    histories: Histories,
    *,
    as_of_us: int,
    reference: Reference,
    config: Config,
    size: int | None,
) -> Iterator[TrainingRows]:
    """The same rows in the same order in blocks of about `size` rows, all at once for None; a decision is never cut in two.

    Raises
    ------
    NoTrainingRows
        There is none.
    """
    logged = _logged(portfolio["contacts"], histories, as_of_us=as_of_us, horizon_days=config.horizon.days)
    payments = payments_of(portfolio["payments"], pa.array(histories.claim_id, pa.string()), rates=config.rates)
    for block in _blocks(logged, size):
        targets = _targets(block)
        built = build(histories, targets, reference=reference, rates=config.rates)
        actions = _actions(histories, block, built.debtors.pay_day[targets.moment])
        horizon_days = config.horizon.days
        outcome = paid_within(
            block.decided_us, block.claim, payments=payments, horizon_days=horizon_days, known_until_us=as_of_us
        )
        contact = pa.array(block.contact_id, pa.string())
        answered = responded(
            portfolio["contact_events"],
            contact,
            decided_us=block.decided_us,
            horizon_days=horizon_days,
            known_until_us=as_of_us,
        )
        through = paid_through(
            portfolio["payments"], payments, contact_id=contact, claim_row=block.claim, decided_us=block.decided_us,
            horizon_days=horizon_days, known_until_us=as_of_us,
        )  # fmt: skip
        yield TrainingRows(
            names=names(catalogue(histories.channels)),
            matrix=np.hstack([built.matrix, actions]),
            paid=outcome.paid,
            share=np.minimum(outcome.amount_eur / np.maximum(built.outstanding_eur, 0.01), 1.0),
            amount_eur=outcome.amount_eur,
            decided_us=block.decided_us,
            debtor=block.debtor,
            claim=block.claim,
            contact_id=block.contact_id,
            channel=block.channel,
            policy=block.policy,
            action_probability=block.action_probability,
            responded=answered,
            paid_through=through,
            waits=first_payments(block.decided_us, block.claim, payments=payments, known_until_us=as_of_us),
        )


def _blocks(logged: _Logged, size: int | None) -> Iterator[_Logged]:
    """Stretches of the log, cut between debtors."""
    if size is None:
        yield logged
        return
    ends = np.append(np.flatnonzero(np.diff(logged.debtor)) + 1, len(logged.debtor))
    begin = 0
    while begin < len(logged.debtor):
        end = int(ends[ends >= min(begin + size, ends[-1])][0])
        yield _Logged(*(getattr(logged, item.name)[begin:end] for item in fields(_Logged)))
        begin = end


def last_fact_us(histories: Iterable[Histories], *, as_of_us: int) -> int:
    """Last instant up to `as_of` at which anything happened in one or several parts of a portfolio, 0 where nothing did.

    Where payments end before the rest, and have been silent for longer than ever before, it is the last payment: an export of
    payments that stopped early says nothing of what was paid since.
    """
    last_us, parts = 0, []
    for one in histories:
        paid_us = one.payments.paid_us
        times = (one.contacts.decided_us, paid_us, one.contact_events.at_us, one.claim_events.at_us)
        last_us = max(last_us, *(int(some[some <= as_of_us].max(initial=0)) for some in times))
        parts.append(paid_us[paid_us <= as_of_us])
    paid = np.sort(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)
    if len(paid) < 2:
        return last_us
    longest_us = max(int(np.diff(paid).max()), LONGEST_SILENCE_DAYS * DAY_US)
    return int(paid[-1]) if last_us - paid[-1] > longest_us else last_us


def known_until(last: int, *, as_of_us: int) -> int:
    """Instant up to which the tables can tell what was paid: `as_of`, or the last fact where that lies days before.

    Tables that end in March say nothing of April: a decision of late March is censored however late `as_of` is.
    """
    return last if last and as_of_us - last > LONGEST_SILENCE_DAYS * DAY_US else as_of_us


def _logged(contacts: pa.Table, histories: Histories, *, as_of_us: int, horizon_days: int) -> _Logged:
    decided = instants(contacts, "decided_at")
    claim = rows_of(contacts["claim_id"], pa.array(histories.claim_id, pa.string()))
    claims = histories.claims
    statutory = np.asarray(contacts["statutory_step"].is_valid().to_numpy(), dtype=np.bool_)
    is_open = (
        (claims.registered_us[claim] <= decided) & (claims.closed_us[claim] > decided) if len(claim) else statutory
    )
    offered = codes(contacts, "channel", histories.channels) >= 0
    known = known_instants(contacts, "decided_at") <= as_of_us
    usable = (decided + horizon_days * DAY_US <= as_of_us) & (claim >= 0) & ~statutory & is_open & offered & known
    order = np.flatnonzero(usable)
    if not len(order):
        raise NoTrainingRows(
            f"0 of {len(decided):,} rows of contacts are decisions on an open claim made at least {horizon_days} days "
            "before as_of, by a channel of the grid: give a later --as-of or a longer history"
        )
    debtor = claims.debtor[claim]
    order = order[np.lexsort((claim[order], decided[order], debtor[order]))]
    rows = contacts.take(pa.array(order))
    return _Logged(
        contact_id=texts(rows, "contact_id"),
        debtor=debtor[order],
        claim=claim[order],
        decided_us=decided[order],
        send_us=instants(rows, "send_at"),
        channel=codes(rows, "channel", histories.channels),
        policy=np.asarray(pc.fill_null(rows["policy"], "").to_numpy(zero_copy_only=False), dtype=np.object_),
        action_probability=np.asarray(rows["action_probability"].to_numpy(zero_copy_only=False), dtype=np.float64),
    )


def _targets(logged: _Logged) -> Targets:
    """Each debtor at each instant of a decision, with the claims decided on."""
    new = np.ones(len(logged.debtor), dtype=np.bool_)
    new[1:] = (np.diff(logged.debtor) != 0) | (np.diff(logged.decided_us) != 0)
    first = np.flatnonzero(new)
    moment = np.cumsum(new) - 1
    return Targets(logged.debtor[first], logged.decided_us[first], logged.claim, moment.astype(np.int64))


def zones_of(histories: Histories, debtor: IntArray) -> TextArray:
    """Zone in which each debtor's slots are labelled: the first candidate of its place, shape as `debtor`."""
    zones = np.array([place.zones[0] for place in histories.places], dtype=np.object_)
    return zones[histories.place[debtor]]


def _actions(histories: Histories, logged: _Logged, pay_day: IntArray) -> Matrix:
    """Action features of each row, whose debtor's learned pay day is given; several claims under one contact share them."""
    zone = zones_of(histories, logged.debtor)
    send_us = np.where(logged.send_us == NEVER, logged.decided_us, logged.send_us)
    sending = sent(logged.channel, send_us, as_of_us=logged.decided_us, zone=zone)
    of = CalendarClass(histories.countries, histories.country[logged.debtor], pay_day)
    return action_matrix(sending, letter=letter_code(histories.channels), of=of)
