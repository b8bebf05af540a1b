"""Contacts made: one entry per sequence number, with the claims it covers and what came back from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.outcomes import instants_us
from data.portfolio import Portfolio
from data.responses import responded
from data.times import DAY_US, IntArray
from data.vocabulary import CONTACT_EVENT_KINDS
from features.columns import (
    BoolArray,
    CodeArray,
    FloatArray,
    TextArray,
    amounts,
    codes,
    given,
    known_instants,
    rows_of,
    texts,
)
from features.tables import Histories
from training.reports.evidence import PICKED_UP

STIRRING = tuple(one for one in CONTACT_EVENT_KINDS if one not in ("sent", "delivered"))
"""Events that tell of more than the sender."""


class NothingDone(ValueError):
    """The log holds no contact up to the moment it is looked at."""


@dataclass(frozen=True)
class Made:
    """Contacts by debtor and time, one entry each, shape (n,), and the claims they cover, shape (m,).

    Parameters
    ----------
    debtor, channel
        Row in the histories; code in `channels`, never 0.
    action_probability
        As logged, NaN where it was not.
    statutory
        A step that the law prescribes: it was no choice.
    answered, picked_up, stirred
        Whether the person answered within the horizon; whether anybody took a call; whether anything at all was heard of
        it within the horizon, beyond that it was sent and delivered.
    cover, claim
        Contact and claim (row in the histories) of each row of the log.
    nones
        Decisions for no contact that the log holds.
    """

    channels: tuple[str, ...]
    contact_id: pa.Array
    debtor: IntArray
    decided_us: IntArray
    channel: CodeArray
    policy: TextArray
    action_probability: FloatArray
    statutory: BoolArray
    answered: BoolArray
    picked_up: BoolArray
    stirred: BoolArray
    cover: IntArray
    claim: IntArray
    nones: int

    def __len__(self) -> int:
        return len(self.debtor)


def contacts_made(portfolio: Portfolio, histories: Histories, *, known_us: int, horizon_days: int) -> Made:
    """Contacts decided and known up to a moment.

    Raises
    ------
    NothingDone
        There is none.
    """
    table = portfolio["contacts"]
    decided = instants_us(table["decided_at"])
    channel = codes(table, "channel", histories.channels)
    known = (decided <= known_us) & (known_instants(table, "decided_at") <= known_us)
    chosen = np.flatnonzero(known & (channel > 0))
    if not len(chosen):
        raise NothingDone(
            f"expected contacts decided up to as_of, came 0 in {len(decided):,} rows of the table contacts: hand over the "
            "contacts that were made, or give a later --as-of"
        )
    nones = pc.count_distinct(table.filter(pa.array(known & (channel == 0)))["contact_id"]).as_py()
    rows = table.take(pa.array(chosen))
    lead, place = _leads(rows, histories)
    contact_id = lead["contact_id"].combine_chunks().cast(pa.string())
    decided_us, events = instants_us(lead["decided_at"]), portfolio["contact_events"]
    end_us = np.minimum(decided_us + horizon_days * DAY_US, known_us)
    return Made(
        channels=histories.channels,
        contact_id=contact_id,
        debtor=rows_of(lead["debtor_id"], pa.array(histories.debtor_id, pa.string())),
        decided_us=decided_us,
        channel=codes(lead, "channel", histories.channels),
        policy=np.array([one or "" for one in texts(lead, "policy").tolist()], dtype=np.object_),
        action_probability=amounts(lead, "action_probability"),
        statutory=given(lead, "statutory_step"),
        answered=responded(
            events, contact_id, decided_us=decided_us, horizon_days=horizon_days, known_until_us=known_us
        ),
        picked_up=_heard(events, contact_id, PICKED_UP, until_us=np.full(len(lead), known_us)),
        stirred=_heard(events, contact_id, STIRRING, until_us=end_us),
        cover=place,
        claim=rows_of(rows["claim_id"], pa.array(histories.claim_id, pa.string())),
        nones=int(nones),
    )


def _leads(rows: pa.Table, histories: Histories) -> tuple[pa.Table, IntArray]:
    """First row of every contact, by debtor and time, and the contact of each row."""
    coded = rows["contact_id"].combine_chunks().dictionary_encode()
    code = coded.indices.to_numpy().astype(np.int64)
    first = np.unique(code, return_index=True)[1]
    debtor = rows_of(rows["debtor_id"], pa.array(histories.debtor_id, pa.string()))
    order = np.lexsort((code[first], instants_us(rows["decided_at"])[first], debtor[first]))
    place = np.empty(len(first), dtype=np.int64)
    place[order] = np.arange(len(order))
    return rows.take(pa.array(first[order])), place[code]


def _heard(events: pa.Table, contact_id: pa.Array, kinds: tuple[str, ...], *, until_us: IntArray) -> BoolArray:
    """Whether any event of these kinds came to be known up to an instant, shape of `contact_id`."""
    events = events.filter(pc.is_in(events["kind"], value_set=pa.array(kinds)))
    contact = rows_of(events["contact_id"], contact_id)
    at_us = known_instants(events, "at")
    ours = np.flatnonzero(contact >= 0)
    heard = np.zeros(len(contact_id), dtype=np.bool_)
    in_time = ours[at_us[ours] <= until_us[contact[ours]]]
    heard[contact[in_time]] = True
    return heard


def gaps_days(made: Made) -> npt.NDArray[np.float64]:
    """Days since the debtor's contact before, NaN for the first, shape (n,)."""
    gap = np.full(len(made), np.nan)
    same = np.flatnonzero(made.debtor[1:] == made.debtor[:-1]) + 1
    gap[same] = (made.decided_us[same] - made.decided_us[same - 1]) / DAY_US
    return gap
