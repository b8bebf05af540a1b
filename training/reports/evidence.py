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
from data.vocabulary import ARMS, NONE, SEGMENTS
from training.reports.creditors import Cover, Creditors, creditor_rows, creditors_of

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
    unaided_probability
        The same without a contact.
    randomised
        The debtor's arm was drawn: False for debtors who were all given to one arm, or stand outside the draw (no
        probability: who objected to profiling).
    standing
        The decision was neither refused at its confirmation nor replaced by a newer one.
    segment
        Index in `vocabulary.SEGMENTS`.
    arm_probability, action_probability, channel_probability, channel_daypart_probability
        As logged; NaN where no probability is true of the decision.

    Notes
    -----
    Of a part of the log (one creditor's claims) the names stay those of the whole log: count `debtor`, not `debtor_id`.
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
    unaided_probability: FloatArray
    randomised: BoolArray
    standing: BoolArray
    segment: IntArray
    arm_probability: FloatArray
    action_probability: FloatArray
    channel_probability: FloatArray
    channel_daypart_probability: FloatArray


@dataclass(frozen=True)
class Touches:
    """Contacts that cost money or patience, one entry each: debtor, channel (as in `Rows`), instant, EUR, claims covered.

    Of one creditor's part of the log, EUR are the share of the claims covered that are the creditor's.
    """

    debtor: IntArray
    channel: IntArray
    at_us: IntArray
    cost_eur: FloatArray
    harm_eur: FloatArray
    cover: Cover


@dataclass(frozen=True)
class Complaints:
    """Opt-outs and complaints, one entry each: debtor, instant, whether it is a complaint, claims of its contact."""

    debtor: IntArray
    at_us: IntArray
    complained: BoolArray
    cover: Cover


@dataclass(frozen=True)
class Countries:
    """Countries met, in order, and the country of each debtor of the log, shape (debtors,); -1 where not known."""

    name: tuple[str, ...]
    of_debtor: IntArray


@dataclass(frozen=True)
class Evidence:
    """All that the report is computed from.

    `recorded` is True where the collection system handed back contacts that this log decided: then the contacts of
    the portfolio are counted, else those decided. `objected` has one entry per debtor: objected to profiling. `answered`
    and `tried` have one entry per decision of the log: somebody answered its contact, and anything is recorded of it.
    """

    rows: Rows
    payments: Payments
    touches: Touches
    complaints: Complaints
    decision_cost_eur: FloatArray
    objected: BoolArray
    answered: BoolArray
    tried: BoolArray
    recorded: bool
    known_until_us: int
    creditors: Creditors
    countries: Countries


FACTS = (("payments", "paid_at"), ("contact_events", "at"), ("contacts", "decided_at"))
"""Tables of facts, and the column that says when each happened; all have `known_at` beside it."""


def latest_fact_us(portfolio: Portfolio, *, now_us: int = NEVER) -> int:
    """Instant of the latest payment, contact or contact event in the portfolio, of those not dated later than `now_us`.

    One wrong date in the future would otherwise make everybody look as if followed for years without paying.

    Raises
    ------
    NoFacts
        There is none.
    """
    columns = [portfolio[table][column].cast(pa.int64()) for table, at in FACTS for column in (at, "known_at")]
    latest = [pc.max(column.filter(pc.less_equal(column, now_us))).as_py() for column in columns]
    known = [one for one in latest if one is not None]
    if not known:
        raise NoFacts(
            "expected payments, contacts or contact events in the portfolio that are not dated in the future, found none: "
            "nothing to report"
        )
    return int(max(known))


def facts_after(portfolio: Portfolio, until_us: int) -> int:
    """Rows of payments, contacts and contact events that happened, or became known, later than `until_us`."""
    return sum(int(pc.sum(pc.greater(_known_us(portfolio[name], at), until_us)).as_py() or 0) for name, at in FACTS)


def _known_us(table: pa.Table, column: str) -> pa.ChunkedArray:
    """Instant by which each fact had happened and was known."""
    at = table[column].cast(pa.int64())
    return pc.max_element_wise(at, pc.coalesce(table["known_at"].cast(pa.int64()), at))


def gather(decisions: pa.Table, portfolio: Portfolio, *, config: Config, known_until_us: int) -> Evidence:
    """Evidence from the rows of the decision log and the portfolio they were decided on, as known at `known_until_us`."""
    portfolio = _known_by(portfolio, known_until_us)
    rows = _rows(decisions, portfolio)
    creditors = creditors_of(portfolio, rows.claim_id)
    answered = _answered(portfolio)
    contacts = _contacts(portfolio, rows)
    recorded = bool(pc.any(pc.is_in(contacts["contact_id"], value_set=rows.decision_id)).as_py())
    if recorded:
        of_claim = creditor_rows(portfolio, contacts["claim_id"], name=creditors.name)
        touches = _recorded(contacts, of_claim, rows, answered, config)
    else:
        touches = _planned(rows, creditors, answered, config)
    decision_cost = _costs(rows.channel, rows.decided_us, _in(rows.decision_id, answered)[rows.decision], rows, config)
    return Evidence(
        rows=rows,
        payments=payments_of(portfolio["payments"], rows.claim_id, rates=config.rates),
        touches=touches,
        complaints=_complaints(portfolio, rows, creditors),
        decision_cost_eur=decision_cost,
        objected=_objected(portfolio, rows),
        answered=_in(rows.decision_id, answered),
        tried=_in(rows.decision_id, portfolio["contact_events"]["contact_id"].unique()),
        recorded=recorded,
        known_until_us=known_until_us,
        creditors=creditors,
        countries=_countries(portfolio, rows),
    )


def _known_by(portfolio: Portfolio, until_us: int) -> Portfolio:
    """The portfolio without contacts and contact events that were not known by then; of payments `paid_pairs` takes care."""
    tables = dict(portfolio.tables)
    for name, column in (("contacts", "decided_at"), ("contact_events", "at")):
        tables[name] = tables[name].filter(pc.less_equal(_known_us(tables[name], column), until_us))
    return Portfolio(tables, portfolio.given)


def _countries(portfolio: Portfolio, rows: Rows) -> Countries:
    debtors = portfolio["debtors"]
    name = tuple(sorted(debtors["country"].unique().to_pylist()))
    row = pc.index_in(rows.debtor_id, value_set=debtors["debtor_id"].combine_chunks())
    return Countries(name, _index(debtors["country"].take(row), pa.array(name, pa.string())))


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
    drawn = pc.fill_null(pc.less(decisions["arm_probability"], 1.0), False)  # noqa: FBT003 - Arrow's own signature
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
        unaided_probability=np.clip(
            pc.subtract(decisions["payment_probability"], decisions["uplift"]).to_numpy(), 0, 1
        ),
        randomised=np.asarray(drawn.to_numpy(), dtype=bool),
        standing=_standing(decisions),
        segment=_index(decisions["segment"], pa.array(SEGMENTS)),
        arm_probability=_chances(decisions, "arm_probability"),
        action_probability=_chances(decisions, "action_probability"),
        channel_probability=_chances(decisions, "channel_probability"),
        channel_daypart_probability=_chances(decisions, "channel_daypart_probability"),
    )


def _chances(decisions: pa.Table, column: str) -> FloatArray:
    found: FloatArray = pc.fill_null(decisions[column], np.nan).to_numpy()
    return found


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
    """The portfolio's contacts with debtors of the log, a row per claim covered; statutory letters are no choice of ours."""
    table = portfolio["contacts"]
    table = table.select(["contact_id", "debtor_id", "claim_id", "decided_at", "channel", "statutory_step"])
    ours = pc.is_in(table["debtor_id"], value_set=rows.debtor_id)
    return table.filter(
        pc.and_(ours, pc.and_(pc.is_null(table["statutory_step"]), pc.not_equal(table["channel"], NONE)))
    )


def _recorded(contacts: pa.Table, of_claim: IntArray, rows: Rows, answered: pa.Array, config: Config) -> Touches:
    _, first, touch = np.unique(_coded(contacts["contact_id"])[1], return_index=True, return_inverse=True)
    one = contacts.take(pa.array(first))
    debtor = _index(one["debtor_id"], rows.debtor_id)
    channel = _index(one["channel"], pa.array(rows.channels))
    at_us = instants_us(one["decided_at"])
    reached = _in(one["contact_id"].combine_chunks(), answered)
    return _touches((debtor, channel, at_us), reached, Cover(touch, of_claim), rows, config)


def _planned(rows: Rows, creditors: Creditors, answered: pa.Array, config: Config) -> Touches:
    made = np.flatnonzero((rows.channel > 0) & rows.standing)
    _, first, touch = np.unique(rows.decision[made], return_index=True, return_inverse=True)
    one = made[first]
    reached = _in(rows.decision_id, answered)[rows.decision[one]]
    cover = Cover(touch, creditors.of_claim[rows.claim[made]])
    return _touches((rows.debtor[one], rows.channel[one], rows.decided_us[one]), reached, cover, rows, config)


def _touches(
    made: tuple[IntArray, IntArray, IntArray], reached: BoolArray, cover: Cover, rows: Rows, config: Config
) -> Touches:
    """Contacts made (debtor, channel, instant) with what they cost and harm."""
    debtor, channel, at_us = made
    harm = amounts_eur(channel, at_us, rows.channels, config.harm)[0]
    return Touches(debtor, channel, at_us, _costs(channel, at_us, reached, rows, config), harm, cover)


def _costs(channel: IntArray, at_us: IntArray, reached: BoolArray, rows: Rows, config: Config) -> FloatArray:
    flat, per_answer = amounts_eur(channel, at_us, rows.channels, config.costs)
    return flat + per_answer * reached


def amounts_eur(
    channel: IntArray, at_us: IntArray, channels: tuple[str, ...], money: MoneySettings
) -> tuple[FloatArray, FloatArray]:
    """EUR of each contact by the dated row that held on its day: flat, and once more if answered."""
    keys, inverse = np.unique(at_us // DAY_US * len(channels) + channel, return_inverse=True)
    rows = [money.on(channels[key % len(channels)], key // len(channels)) for key in keys.tolist()]
    flat = np.array([row.amount for row in rows], dtype=np.float64)
    per_answer = np.array([row.per_answer for row in rows], dtype=np.float64)
    return flat[inverse], per_answer[inverse]


def _complaints(portfolio: Portfolio, rows: Rows, creditors: Creditors) -> Complaints:
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
    cover = _covered(events["contact_id"].filter(pa.array(ours)), portfolio, rows, creditors)
    return Complaints(debtor[ours], instants_us(events["at"])[ours], complained[ours], cover)


def _covered(contact_id: pa.ChunkedArray, portfolio: Portfolio, rows: Rows, creditors: Creditors) -> Cover:
    """Whose claims the contacts covered, by the collection system's record and by the log."""
    recorded = portfolio["contacts"].select(["contact_id", "claim_id"])
    recorded = recorded.filter(pc.is_in(recorded["contact_id"], value_set=contact_id))
    log_id = rows.decision_id.take(pa.array(rows.decision[rows.channel > 0]))
    name = pa.concat_arrays([recorded["contact_id"].combine_chunks(), log_id])
    whose = (
        creditor_rows(portfolio, recorded["claim_id"], name=creditors.name),
        creditors.of_claim[rows.claim[rows.channel > 0]],
    )
    known = pa.table({"contact_id": name, "creditor": np.concatenate(whose)}).group_by(["contact_id", "creditor"])
    asked = pa.table({"contact_id": contact_id, "row": np.arange(len(contact_id))})
    pairs = asked.join(known.aggregate([]), "contact_id", join_type="inner").sort_by([("row", "ascending")])
    return Cover(pairs["row"].to_numpy(), pairs["creditor"].to_numpy())


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
