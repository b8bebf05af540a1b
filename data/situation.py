"""What the contact rules and a rule policy may look at: debtors, their contact points and open claims at `as_of`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.calendar import Place
from data.times import DayArray, IntArray

BoolArray = npt.NDArray[np.bool_]
CodeArray = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """Contact points that had begun by `as_of`, one entry each, shape (p,).

    `debtor` is the row of the debtor in the situation, `channel` the grid's channel code, `valid_to_us` `NEVER`
    where open, `kind` the index in `vocabulary.POINT_KINDS` or -1 where not known. `known` is False when the tenant
    handed over no contact points at all.
    """

    debtor: IntArray
    channel: CodeArray
    valid_from_us: IntArray
    valid_to_us: IntArray
    verified: BoolArray
    withdrawn: BoolArray
    kind: CodeArray
    known: bool


@dataclass(frozen=True)
class OpenClaims:
    """Claims open at `as_of`, one entry each, shape (m,), sorted by `debtor`.

    `debtor` is the row of the debtor in the situation; `stage` the index in `vocabulary.STAGES` or -1;
    `promised_until_us` the end of the last promise not yet due, else 0; `outstanding_eur` principal less unreversed
    payments known.
    """

    debtor: IntArray
    outstanding_eur: FloatArray
    due_day: DayArray
    stage: CodeArray
    disputed: BoolArray
    held: BoolArray
    on_plan: BoolArray
    promised_until_us: IntArray


@dataclass(frozen=True)
class Situation:
    """Debtors at their own `as_of`, one entry each, shape (n,), with their points and open claims.

    Instants are microseconds UTC, `NEVER` where something has not happened or is not known to. `birth_day` is days
    since the epoch, `NO_DAY` where not known. `opted_out` and `wrong_person` are (n, channels): an opt-out or a wrong
    person met through that channel. `contacts` counts contacts made so far, `last_contact_us` is the last of them
    (0 if none was).
    """

    as_of_us: IntArray
    debtor_id: npt.NDArray[np.object_]
    places: tuple[Place, ...]
    place: IntArray
    birth_day: DayArray
    blocked_us: IntArray
    cease_us: IntArray
    objected_us: IntArray
    stop_until_us: IntArray
    vulnerable: BoolArray
    opted_out: BoolArray
    wrong_person: BoolArray
    contacts: IntArray
    last_contact_us: IntArray
    points: Points
    claims: OpenClaims

    @property
    def size(self) -> int:
        """Number of debtors n."""
        return len(self.as_of_us)
