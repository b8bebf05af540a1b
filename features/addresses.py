"""What is said against the address of a contact point: by its own row, and by the debtor's other rows in that channel.

A row speaks from its `valid_from` on, and what it says does not end with its `valid_to`: that a period is over gives no consent
again. A word against an address holds for every earlier row of it; a later row stands by what it says itself, and one that says
nothing of the matter (`not_required`, no `kind`) by what was said last under its key.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from data.times import NEVER, IntArray
from features._address_kernels import (
    AGAINST,
    GIVEN,
    PRIVATE,
    SILENT,
    TAKES_BACK,
    WITHDRAWN,
    doubt,
    own_words,
    spread,
)
from features.columns import BoolArray, CodeArray, numbered


class Rows(NamedTuple):
    """Contact points sorted by debtor, shape (p,) each; `consent` and `kind` are vocabulary indices, kind -1 where not known.

    `verified_us` is when a point was verified, `NEVER` where it is not.
    """

    owner: IntArray
    channel: CodeArray
    since_us: IntArray
    verified_us: IntArray
    consent: CodeArray
    kind: CodeArray


class Words(NamedTuple):
    """What holds against each point, shape (p,), and from when on, `NEVER` where nothing does.

    `withdrawn_us`: its consent is withdrawn; `doubted_us`: it counts as verified no longer; `other_us`: another row says that
    its address is of the kind `other_kind`, and not private.
    """

    withdrawn_us: IntArray
    doubted_us: IntArray
    other_us: IntArray
    other_kind: CodeArray


def words_against(rows: Rows, keys: pa.ChunkedArray, order: IntArray) -> Words:
    """What every row and the debtor's others say against its address.

    Parameters
    ----------
    keys
        `address_key` of each row of the table, looked at only where a word may reach another row.
    order
        Rows of the table in the order of `rows`.
    """
    withdrawn_us, spoken_of = own_words(*rows)
    doubted_us, other_us = np.full((2, len(order)), NEVER)
    words = Words(withdrawn_us, doubted_us, other_us, np.full(len(order), -1, dtype=np.int16))
    if spoken_of.any():
        some = np.flatnonzero(spoken_of)
        _spread(Rows._make(column[some] for column in rows), numbered(keys.take(pa.array(order[some]))), some, words)
    return words


def _spread(rows: Rows, key: IntArray, some: IntArray, words: Words) -> None:
    """Fill `words` of some points, whose rows and numbered keys are given."""
    start = np.append(np.flatnonzero(np.diff(rows.owner, prepend=-1)), len(key))
    consent = _says(rows.consent == WITHDRAWN, rows.consent == GIVEN)
    kind = _says(rows.kind > PRIVATE, rows.kind == PRIVATE)
    withdrawn_us, other_us, doubted_us = words.withdrawn_us[some], words.other_us[some], words.doubted_us[some]
    by, nobody = np.full((2, len(key)), -1)
    spread(start, rows.channel, key, rows.since_us, consent, withdrawn_us, nobody)
    spread(start, rows.channel, key, rows.since_us, kind, other_us, by)
    doubt(start, rows.channel, key, rows.since_us, rows.verified_us, doubted_us)
    words.withdrawn_us[some], words.other_us[some], words.doubted_us[some] = withdrawn_us, other_us, doubted_us
    words.other_kind[some] = np.where(by >= 0, rows.kind[by], -1)


def _says(against: BoolArray, takes_back: BoolArray) -> CodeArray:
    said: CodeArray = np.select([against, takes_back], [AGAINST, TAKES_BACK], SILENT).astype(np.int16)
    return said
