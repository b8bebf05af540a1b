"""What each policy earned on each judged decision, kept with a run, and the difference of two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from training.ope.intervals import Interval, skewed_interval
from training.ope.overlap import NoOverlap, require_support
from training.policy_value import PolicyValue, winsorised
from training.splits import cluster_numbers

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

OWN, CONTROL, CHAMPION = "own", "control", "champion"
"""The run's own policy; the tenant's present rules; the model that decided when the run was made."""

FEWEST_COMMON = 100
"""Decisions judged by both, below which their difference is not told."""


FEWEST_SPEAKING = 10
"""Decisions with a payment that speak for one of two policies and not for the other, of either, where they differ."""


class OtherDecisions(ValueError):
    """Two policies were judged on different decisions, or the log bears no number of their difference."""


@dataclass(frozen=True)
class Part:
    """One policy on the judged decisions, shape (n,): NaN where it was not judged on them.

    Its doubly robust contribution is `rest_eur` + `weight` × the payment that counts. Payments are kept apart so that
    two runs can be compared with the same cut at large ones. `cell` numbers the (channel, part of the day) that the
    policy takes: where it is that of another policy, the two do the same.
    """

    weight: FloatArray
    rest_eur: FloatArray
    cell: IntArray

    @classmethod
    def of(cls, value: PolicyValue, paid_eur: FloatArray) -> Part:
        """Of an estimate on decisions after which `paid_eur` was paid."""
        return cls(value.weight, value.per_row - value.weight * winsorised(paid_eur), value.cell)

    def at(self, rows: IntArray) -> Part:
        """On some of the decisions."""
        return Part(self.weight[rows], self.rest_eur[rows], self.cell[rows])


@dataclass(frozen=True)
class Contributions:
    """Judged decisions of a run, shape (n,), and each policy's part.

    A decision is known by its contact and its moment `decided_us`: identifiers may come again in another portfolio. `unit`
    numbers the debtors within the run; `action` is what the run's own policy does, an index in the action grid.
    """

    contact_id: TextArray
    decided_us: IntArray
    unit: IntArray
    paid_eur: FloatArray
    action: IntArray
    parts: Mapping[str, Part]

    def write(self, path: Path) -> Path:
        """One Parquet file, a row for each decision."""
        columns: dict[str, pa.Array] = {
            "contact_id": pa.array(self.contact_id, pa.string()),
            "decided_us": pa.array(self.decided_us),
            "unit": pa.array(self.unit),
            "paid_eur": pa.array(self.paid_eur),
            "action": pa.array(self.action),
        }
        for name, part in self.parts.items():
            columns |= {f"{name}_weight": pa.array(part.weight), f"{name}_rest_eur": pa.array(part.rest_eur)}
            columns |= {f"{name}_cell": pa.array(part.cell)}
        pq.write_table(pa.table(columns), path)
        return path

    @classmethod
    def read(cls, path: Path) -> Contributions:
        """The inverse of `write`; a file from before cells were kept has no parts, and its decisions match no others."""
        table = pq.read_table(path)
        numbers = {name: table[name].to_numpy() for name in table.column_names if name != "contact_id"}
        names = [name.removesuffix("_cell") for name in numbers if name.endswith("_cell")]
        parts = {name: Part(*(numbers[f"{name}_{one}"] for one in ("weight", "rest_eur", "cell"))) for name in names}
        ids = np.array(table["contact_id"].to_pylist(), dtype=np.object_)
        decided_us = numbers.get("decided_us", np.full(len(ids), -1, dtype=np.int64))
        return cls(ids, decided_us, numbers["unit"], numbers["paid_eur"], numbers["action"], parts)


@dataclass(frozen=True)
class Difference:
    """EUR per decision that one policy earned more than another, on the decisions judged by both.

    `other` is what the other earned on them; `decisions` how many they are.
    """

    gain: Interval
    other: Interval
    decisions: int


def difference(run: Contributions, other: Contributions, *, mine: str = OWN, others: str = OWN) -> Difference:
    """What policy `mine` of a run earned more than policy `others` of another run, paired, clustered by debtor.

    Where both do the same they earn the same, whatever their models expect of it.

    Raises
    ------
    OtherDecisions
        One of them was not judged, fewer than `FEWEST_COMMON` decisions were judged by both, the log does not bear one of
        them there, or too few payments speak for either.
    """
    for contributions, name in ((run, mine), (other, others)):
        if name not in contributions.parts:
            raise OtherDecisions(f"no contributions of policy '{name}' were kept: train again")
    left, right = _common(run, other)
    first, second = run.parts[mine].at(left), other.parts[others].at(right)
    known = np.isfinite(first.rest_eur) & np.isfinite(second.rest_eur)
    if known.sum() < FEWEST_COMMON:
        raise OtherDecisions(
            f"judged on different decisions: {int(known.sum()):,} of {len(run.contact_id):,} and "
            f"{len(other.contact_id):,} are the same, expected at least {FEWEST_COMMON}: train both on the same portfolio, "
            "--as-of and --seed"
        )
    rows = np.flatnonzero(known)
    counted = winsorised(run.paid_eur[left[rows]])
    unit = cluster_numbers(run.unit[left[rows]])
    a, b = first.at(rows), second.at(rows)
    _require_payments(a, b, counted)
    gain = np.where(a.cell == b.cell, 0.0, a.rest_eur - b.rest_eur + (a.weight - b.weight) * counted)
    return Difference(skewed_interval(gain, unit), skewed_interval(b.rest_eur + b.weight * counted, unit), len(rows))


def _require_payments(one: Part, other: Part, paid_eur: FloatArray) -> None:
    """Without payments that speak for each, a difference would be what a model expects and nothing that happened."""
    for part in (one, other):
        try:
            require_support(part.weight, paid_eur)
        except NoOverlap as error:
            raise OtherDecisions(
                f"the log does not bear one of them on the decisions judged by both: {error}"
            ) from error
    differs = one.cell != other.cell
    paid = differs & (paid_eur > 0)
    speaking = [int((paid & above).sum()) for above in (one.weight > other.weight, other.weight > one.weight)]
    if differs.any() and min(speaking) < FEWEST_SPEAKING:
        raise OtherDecisions(
            f"the log hardly tells them apart: {speaking[0]} decisions with a payment speak for the one and {speaking[1]} for "
            f"the other, expected at least {FEWEST_SPEAKING} for each"
        )


def _common(first: Contributions, second: Contributions) -> tuple[IntArray, IntArray]:
    """Places of the decisions that stand in both, in either."""
    _, left, right = np.intersect1d(_keys(first), _keys(second), return_indices=True)
    return left.astype(np.int64), right.astype(np.int64)


def _keys(of: Contributions) -> npt.NDArray[np.str_]:
    pairs = zip(of.decided_us.tolist(), of.contact_id.tolist(), strict=True)
    return np.array([f"{moment} {name}" for moment, name in pairs], dtype=np.str_)
