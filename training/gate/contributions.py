"""What each policy earned on each judged decision, kept with a run, and the difference of two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from training.ope.intervals import Interval, normal_interval
from training.ope.overlap import FEWEST_OUTCOMES
from training.policy_value import PolicyValue, winsorised
from training.splits import cluster_numbers

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

OWN, CONTROL, CHAMPION = "own", "control", "champion"
"""The run's own policy; the tenant's present rules; the model that decided when the run was made."""

FEWEST_COMMON = 100
"""Decisions judged by both, below which their difference is not told."""


class OtherDecisions(ValueError):
    """Two policies were judged on different decisions, or one of them on none."""


@dataclass(frozen=True)
class Part:
    """One policy on the judged decisions, shape (n,): NaN where it was not judged on them.

    Its doubly robust contribution is `rest_eur` + `weight` × the payment that counts. Payments are kept apart so that
    two runs can be compared with the same cut at large ones.
    """

    weight: FloatArray
    rest_eur: FloatArray

    @classmethod
    def of(cls, value: PolicyValue, paid_eur: FloatArray) -> Part:
        """Of an estimate on decisions after which `paid_eur` was paid."""
        return cls(value.weight, value.per_row - value.weight * winsorised(paid_eur))

    def at(self, rows: IntArray) -> Part:
        """On some of the decisions."""
        return Part(self.weight[rows], self.rest_eur[rows])


@dataclass(frozen=True)
class Contributions:
    """Judged decisions of a run, shape (n,), and each policy's part.

    `unit` numbers their debtors within the run; `action` is what the run's own policy does, an index in the action grid.
    """

    contact_id: TextArray
    unit: IntArray
    paid_eur: FloatArray
    action: IntArray
    parts: Mapping[str, Part]

    def write(self, path: Path) -> Path:
        """One Parquet file, a row for each decision."""
        columns: dict[str, pa.Array] = {
            "contact_id": pa.array(self.contact_id, pa.string()),
            "unit": pa.array(self.unit),
            "paid_eur": pa.array(self.paid_eur),
            "action": pa.array(self.action),
        }
        for name, part in self.parts.items():
            columns |= {f"{name}_weight": pa.array(part.weight), f"{name}_rest_eur": pa.array(part.rest_eur)}
        pq.write_table(pa.table(columns), path)
        return path

    @classmethod
    def read(cls, path: Path) -> Contributions:
        """The inverse of `write`."""
        table = pq.read_table(path)
        numbers = {name: table[name].to_numpy() for name in table.column_names if name != "contact_id"}
        names = [name.removesuffix("_weight") for name in numbers if name.endswith("_weight")]
        parts = {name: Part(numbers[f"{name}_weight"], numbers[f"{name}_rest_eur"]) for name in names}
        ids = np.array(table["contact_id"].to_pylist(), dtype=np.object_)
        return cls(ids, numbers["unit"], numbers["paid_eur"], numbers["action"], parts)


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

    Raises
    ------
    OtherDecisions
        One of them was not judged, or fewer than `FEWEST_COMMON` decisions were judged by both.
    """
    for contributions, name in ((run, mine), (other, others)):
        if name not in contributions.parts:
            raise OtherDecisions(f"no contributions of policy '{name}' were kept: train again")
    left, right = _common(run.contact_id, other.contact_id)
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
    gain = a.rest_eur - b.rest_eur + (a.weight - b.weight) * counted
    changed = int(((a.weight != b.weight) & (counted > 0)).sum())
    if 0 < changed < FEWEST_OUTCOMES:
        raise OtherDecisions(
            f"the log hardly tells them apart: {changed} decisions with a payment speak for one and not for the other, "
            f"expected at least {FEWEST_OUTCOMES}"
        )
    return Difference(normal_interval(gain, unit), normal_interval(b.rest_eur + b.weight * counted, unit), len(rows))


def _common(first: TextArray, second: TextArray) -> tuple[IntArray, IntArray]:
    """Places of the identifiers that stand in both, in either."""
    _, left, right = np.intersect1d(first.astype(str), second.astype(str), return_indices=True)
    return left.astype(np.int64), right.astype(np.int64)
