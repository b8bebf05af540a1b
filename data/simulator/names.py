"""Identifiers of debtors, claims and contacts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.simulator.arrow import joined, padded
from data.simulator.contacts import MOST_ROUNDS
from data.simulator.debts import Claims
from data.simulator.people import People
from data.times import IntArray

GIVEN = 10**12
"""Numbers from here on stand for contacts named by somebody else."""


def debtor_names(number: IntArray) -> pa.Array:
    """`d0000017` for debtor 17."""
    return padded("d", number, width=7)


def claim_names(people: People, claims: Claims, *, rows: IntArray) -> pa.Array:
    """`c0000017-02` for the third claim of debtor 17."""
    return joined(padded("c", people.number[claims.debtor[rows]], width=7), padded("", claims.ordinal[rows], width=2))


def contact_numbers(people: People, round_number: int) -> IntArray:
    """Number of each debtor's contact of a round, rising with the debtor."""
    return people.number * MOST_ROUNDS + round_number


def contact_names(number: IntArray, given: pa.Array) -> pa.Array:
    """`k0000017-003` for round 3 of debtor 17; names from `given` for numbers from `GIVEN` on; null for -1."""
    own = joined(
        padded("k", np.maximum(number, 0) // MOST_ROUNDS, width=7),
        padded("", np.maximum(number, 0) % MOST_ROUNDS, width=3),
    )
    foreign = number >= GIVEN
    if foreign.any():
        index = pa.array(np.maximum(number - GIVEN, 0), mask=~foreign)
        own = pc.if_else(pa.array(foreign), given.take(index), own)
    return pc.if_else(pa.array(number < 0), pa.scalar(None, pa.string()), own)
