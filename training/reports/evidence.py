"""The decision log and a portfolio as arrays: who was decided on, what was done to them, what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config, MoneySettings
from data.decision_log import REFUSED, REPLACED
from data.outcomes import Payments, instants_us, payments_of
from data.portfolio import Portfolio
from data.times import DAY_US, NEVER, IntArray
from data.vocabulary import ARMS, NONE

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

PICKED_UP = ("answered", "conversation", "wrong_person", "third_party")
"""Events that mean a call was answered by someone: it then costs `per_answer`."""


class NoFacts(ValueError):
    """The portfolio holds no contact, event or payment: its age is not known."""


@dataclass(frozen=True)
class Rows:
    """The decision log, one entry per claim decided on, shape (m,).

    Attributes
    ----------
    debtor, claim, decision
        Rows of `debtor_id`, `claim_id` and `decision_id`.
    arm, channel
        Index in `vocabulary.ARMS`; index in `channels`, 0 = `none`.
    decided_us, send_us
        Microseconds UTC; `send_us` is `NEVER` for `none`.
    payment_probability
        The model's chance of payment under the action chosen.
    randomised
        The debtor's arm was drawn: False for debtors who were all given to one arm.
    standing
        The decision was neither refused at its confirmation nor replaced by a newer one.
    """

    debtor_id: pa.Array
    claim_id: pa.Array
    decision_id: pa.Array
    channels: tuple[str, ...]
    debtor: IntArray
    claim: IntArray
    decision: IntArray
    arm: IntArray
    channel: IntArray
    decided_us: IntArray
    send_us: IntArray
    payment_probability: FloatArray
    randomised: BoolArray
    standing: BoolArray


@dataclass(frozen=True)
class Touches:
    """Contacts that cost money or patience, one entry each: debtor, channel (as in `Rows`), instant, EUR."""

    debtor: IntArray
    channel: IntArray
    at_us: IntArray
    cost_eur: FloatArray
    harm_eur: FloatArray


@dataclass(frozen=True)
class Complaints:
    """Opt-outs and complaints, one entry each: debtor, instant, and whether it is a complaint."""

    debtor: IntArray
    at_us: IntArray
    complained: BoolArray


@dataclass(frozen=True)
class Evidence:
    """All that the report is computed from.

    `recorded` is True where the collection system handed back contacts that this log decided: then the contacts of
    the portfolio are counted, else those decided. `objected` has one entry per debtor: objected to profiling.
    """

    rows: Rows
    payments: Payments
    touches: Touches
    complaints: Complaints
    decision_cost_eur: FloatArray
    objected: BoolArray
    recorded: bool
    known_until_us: int


def latest_fact_us(portfolio: Portfolio) -> int:
    """Instant of the latest payment, contact or contact event in the portfolio.

    Raises
    ------
    NoFacts
        There is none.
    """
    where = (("payments", "paid_at"), ("payments", "known_at"), ("contact_events", "at"), ("contacts", "decided_at"))
    latest = [pc.max(portfolio[table][column].cast(pa.int64())).as_py() for table, column in where]
    known = [one for one in latest if one is not None]
    if not known:
        raise NoFacts("expected payments, contacts or contact events in the portfolio, found none: nothing to report")
    return int(max(known))


def gather(decisions: pa.Table, portfolio: Portfolio, *, config: Config, known_until_us: int) -> Evidence:
    """Evidence from the rows of the decision log and the portfolio they were decided on, as it is now known."""
    rows = _rows(decisions, portfolio)
    answered = _answered(portfolio)
    contacts = _contacts(portfolio, rows)
    recorded = bool(pc.any(pc.is_in(contacts["contact_id"], value_set=rows.decision_id)).as_py())
    touches = _recorded(contacts, rows, answered, config) if recorded else _planned(rows, answered, config)
    decision_cost = _costs(rows.channel, rows.decided_us, _in(rows.decision_id, answered)[rows.decision], rows, config)
    return Evidence(
        rows=rows,
        payments=payments_of(portfolio["payments"], rows.claim_id, rates=config.rates),
        touches=touches,
        complaints=_complaints(portfolio, rows),
        decision_cost_eur=decision_cost,
        objected=_objected(portfolio, rows),
        recorded=recorded,
        known_until_us=known_until_us,
    )


def _coded(column: pa.ChunkedArray) -> tuple[pa.Array, IntArray]:
    coded = pc.dictionary_encode(column)
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    return coded.dictionary, coded.indices.to_numpy().astype(np.int64)


def _index(column: pa.ChunkedArray, names: pa.Array) -> IntArray:
    """Row of each value in `names`, -1 where it is not there."""
    found: IntArray = pc.fill_null(pc.index_in(column, value_set=names.cast(pa.string())), -1).to_numpy()
    return found.astype(np.int64)


def _in(names: pa.Array, subset: pa.Array) -> BoolArray:
    return np.asarray(pc.is_in(names, value_set=subset).to_numpy(zero_copy_only=False), dtype=bool)


def _rows(decisions: pa.Table, portfolio: Portfolio) -> Rows:
    debtor_id, debtor = _coded(decisions["debtor_id"])
    claim_id, claim = _coded(decisions["claim_id"])
    decision_id, decision = _coded(decisions["decision_id"])
    met = {*decisions["channel"].unique().to_pylist(), *portfolio["contacts"]["channel"].unique().to_pylist()}
    channels = (NONE, *sorted(met - {NONE}))
    drawn = pc.fill_null(pc.less(decisions["arm_probability"], 1.0), True)  # noqa: FBT003 - Arrow's own signature
    return Rows(
        debtor_id=debtor_id,
        claim_id=claim_id,
        decision_id=decision_id,
        channels=channels,
        debtor=debtor,
        claim=claim,
        decision=decision,
        arm=_index(decisions["arm"], pa.array(ARMS)),
        channel=_index(decisions["channel"], pa.array(channels)),
        decided_us=instants_us(decisions["decided_at"]),
        send_us=instants_us(decisions["send_at"]),
        payment_probability=decisions["payment_probability"].to_numpy(),
        randomised=np.asarray(drawn.to_numpy(), dtype=bool),
        standing=_standing(decisions),
    )


def _standing(decisions: pa.Table) -> BoolArray:
    if "status" not in decisions.column_names:
        return np.ones(decisions.num_rows, dtype=bool)
    gone = pc.is_in(decisions["status"], value_set=pa.array([REFUSED, REPLACED]))
    return ~np.asarray(gone.to_numpy(), dtype=bool)


def _answered(portfolio: Portfolio) -> pa.Array:
    """Identifiers of contacts in which somebody answered."""
    events = portfolio["contact_events"]
    return events.filter(pc.is_in(events["kind"], value_set=pa.array(PICKED_UP)))["contact_id"].unique()


def _contacts(portfolio: Portfolio, rows: Rows) -> pa.Table:
    """The portfolio's contacts with debtors of the log, one row per contact; statutory letters are no choice of ours."""
    table = portfolio["contacts"].select(["contact_id", "debtor_id", "decided_at", "channel", "statutory_step"])
    ours = pc.is_in(table["debtor_id"], value_set=rows.debtor_id)
    chosen = table.filter(
        pc.and_(ours, pc.and_(pc.is_null(table["statutory_step"]), pc.not_equal(table["channel"], NONE)))
    )
    _, first = np.unique(_coded(chosen["contact_id"])[1], return_index=True)
    return chosen.take(pa.array(first))


def _recorded(contacts: pa.Table, rows: Rows, answered: pa.Array, config: Config) -> Touches:
    debtor = _index(contacts["debtor_id"], rows.debtor_id)
    channel = _index(contacts["channel"], pa.array(rows.channels))
    at_us = instants_us(contacts["decided_at"])
    reached = _in(contacts["contact_id"].combine_chunks(), answered)
    return _touches(debtor, channel, at_us, reached, rows, config)


def _planned(rows: Rows, answered: pa.Array, config: Config) -> Touches:
    made = np.flatnonzero((rows.channel > 0) & rows.standing)
    _, first = np.unique(rows.decision[made], return_index=True)
    one = made[first]
    reached = _in(rows.decision_id, answered)[rows.decision[one]]
    return _touches(rows.debtor[one], rows.channel[one], rows.decided_us[one], reached, rows, config)


def _touches(
    debtor: IntArray, channel: IntArray, at_us: IntArray, reached: BoolArray, rows: Rows, config: Config
) -> Touches:
    harm = _amounts(channel, at_us, rows.channels, config.harm)[0]
    return Touches(debtor, channel, at_us, _costs(channel, at_us, reached, rows, config), harm)


def _costs(channel: IntArray, at_us: IntArray, reached: BoolArray, rows: Rows, config: Config) -> FloatArray:
    flat, per_answer = _amounts(channel, at_us, rows.channels, config.costs)
    return flat + per_answer * reached


def _amounts(
    channel: IntArray, at_us: IntArray, channels: tuple[str, ...], money: MoneySettings
) -> tuple[FloatArray, FloatArray]:
    """EUR of each contact by the dated row that held on its day: flat, and once more if answered."""
    keys, inverse = np.unique(at_us // DAY_US * len(channels) + channel, return_inverse=True)
    rows = [money.on(channels[key % len(channels)], key // len(channels)) for key in keys.tolist()]
    flat = np.array([row.amount for row in rows], dtype=np.float64)
    per_answer = np.array([row.per_answer for row in rows], dtype=np.float64)
    return flat[inverse], per_answer[inverse]


def _complaints(portfolio: Portfolio, rows: Rows) -> Complaints:
    events = portfolio["contact_events"]
    events = events.filter(pc.is_in(events["kind"], value_set=pa.array(["opted_out", "complained"])))
    contacts = portfolio["contacts"]
    of_contact = _index(events["contact_id"], contacts["contact_id"].combine_chunks())
    of_contact_debtor = _index(contacts["debtor_id"], rows.debtor_id)
    debtor = np.append(of_contact_debtor, -1)[of_contact]
    of_log = _index(events["contact_id"], rows.decision_id)
    first_row = np.full(len(rows.decision_id) + 1, -1, dtype=np.int64)
    first_row[rows.decision] = rows.debtor
    debtor = np.where(debtor >= 0, debtor, first_row[of_log])
    complained = np.asarray(pc.equal(events["kind"], "complained").to_numpy(), dtype=bool)
    ours = debtor >= 0
    return Complaints(debtor[ours], instants_us(events["at"])[ours], complained[ours])


def _objected(portfolio: Portfolio, rows: Rows) -> BoolArray:
    """Debtors who had objected to profiling before their first decision, shape (debtors of the log,)."""
    first_us = np.full(len(rows.debtor_id), NEVER)
    np.minimum.at(first_us, rows.debtor, rows.decided_us)
    debtors = portfolio["debtors"]
    row = _index(debtors["debtor_id"], rows.debtor_id)
    objected_us = np.full(len(rows.debtor_id) + 1, NEVER)
    objected_us[row] = np.where(row >= 0, instants_us(debtors["objected_at"]), NEVER)
    objected: BoolArray = objected_us[:-1] <= first_us
    return objected
