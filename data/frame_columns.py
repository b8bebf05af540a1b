"""Columns of a file under a SPEC, and the ledger of what is wrong with them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from data.frame_spec import BINARY, ORDER, ROW, FrameSpec, RewardSpec
from data.frame_table import (
    BoolArray,
    Features,
    FloatArray,
    IntArray,
    codes,
    instants,
    is_numeric,
    is_text,
    levelled,
    numbers,
    plain,
)
from data.problems import Notice, Problem, counted
from data.times import NEVER

ONES = ("1", "true")
ZEROS = ("0", "false")
IDENTIFIER_SHARE = 0.5
"""A text column with more different values than this share of its rows tells rows apart and nothing else."""
FEWEST_IDENTIFIERS = 50


@dataclass
class Ledger:
    """The columns of one file, and everything found wrong or worth saying while reading them."""

    file: Path
    table: pa.Table
    problems: list[Problem] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    constant: list[str] = field(default_factory=list)

    def wrong(self, column: str | None, what: str, *, remedy: str, count: int = 0, value: str | None = None) -> None:
        """Notes a problem; reading goes on, so that all are told at once."""
        self.problems.append(Problem(self.file.name, column, value=value, count=count, what=what, remedy=remedy))

    def note(self, what: str) -> None:
        """Notes something that does not stand in the way."""
        self.notices.append(Notice(self.file.name, what))

    def told(self) -> tuple[Notice, ...]:
        """The notices, columns that say nothing gathered in one."""
        if not self.constant:
            return tuple(self.notices)
        names = f"{counted(len(self.constant), 'column')} the same in every row, left out: {_listed(self.constant, 8)}"
        return (*self.notices, Notice(self.file.name, names))

    def column(self, name: str, role: str) -> pa.ChunkedArray | None:
        """A column, or None and a problem noted where the file has none of that name."""
        if name in self.table.column_names:
            return plain(self.table[name])
        near = difflib.get_close_matches(name, self.table.column_names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"columns: {_listed(self.table.column_names)}"
        self.wrong(name, f"expected this column ({role}), the file has none of that name", remedy=hint)
        return None

    def codes(self, name: str, role: str) -> tuple[IntArray, tuple[str, ...]]:
        """Level numbers of a column that must be filled in every row, and its levels."""
        none = np.zeros(self.table.num_rows, dtype=np.int64)
        column = self.column(name, role)
        if column is None:
            return none, ()
        if not (is_text(column.type) or is_numeric(column.type)):
            self.wrong(name, f"expected text or numbers ({role}), came {column.type}", remedy="name another column")
            return none, ()
        number, levels = codes(column)
        empty = int((number < 0).sum())
        if empty:
            self.wrong(name, f"{role} is missing", count=empty, remedy="fill it in or leave these rows out")
        return np.maximum(number, 0), levels


def _listed(names: list[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def read_units(ledger: Ledger, spec: FrameSpec) -> IntArray:
    """Unit numbers 0..U-1, shape (n,)."""
    if spec.unit == ROW:
        return np.arange(ledger.table.num_rows, dtype=np.int64)
    return ledger.codes(spec.unit, "unit")[0]


def read_times(ledger: Ledger, spec: FrameSpec) -> IntArray | None:
    """Instants (or places in the order), shape (n,), or None where the SPEC names no time."""
    if spec.time is None:
        return None
    if spec.time.column == ORDER:
        return np.arange(ledger.table.num_rows, dtype=np.int64)
    column = ledger.column(spec.time.column, "time")
    if column is None:
        return None
    try:
        moment = instants(column, zone=spec.time.zone, unit=spec.time.unit, pattern=spec.time.format)
    except (ValueError, NotImplementedError) as error:
        what, _, remedy = str(error).partition("; ")
        ledger.wrong(spec.time.column, what, remedy=remedy or "name a column of times")
        return None
    missing = int((moment == NEVER).sum())
    if missing:
        ledger.wrong(spec.time.column, "time is missing", count=missing, remedy="fill it in or leave these rows out")
    return moment


def read_decision_ids(ledger: Ledger, spec: FrameSpec) -> None:
    """Notes decisions that stand more than once."""
    if spec.decision_id == ROW:
        return
    number, levels = ledger.codes(spec.decision_id, "decision_id")
    twice = len(number) - len(levels)
    if levels and twice > 0:
        remedy = 'keep one row per decision, or decision_id = "@row"'
        ledger.wrong(spec.decision_id, "decisions stand more than once", count=twice, remedy=remedy)


def read_labels(ledger: Ledger, columns: tuple[str, ...], *, join: str, role: str) -> tuple[IntArray, tuple[str, ...]]:
    """Numbers of the joined label of several columns, shape (n,), and the labels that occur, sorted."""
    if not columns:
        return np.zeros(ledger.table.num_rows, dtype=np.int64), ("",)
    whole, names = ledger.codes(columns[0], role)
    for column in columns[1:]:
        number, levels = ledger.codes(column, role)
        seen, whole = np.unique(whole * max(len(levels), 1) + number, return_inverse=True)
        width = max(len(levels), 1)
        names = tuple(join.join((names[s // width], levels[s % width])) for s in seen) if names and levels else ()
    order = np.argsort(np.array(names, dtype=object)) if names else np.zeros(0, dtype=np.int64)
    rank = np.argsort(order)
    return (rank[whole] if names else whole), tuple(names[i] for i in order)


def read_censored(ledger: Ledger, spec: FrameSpec) -> BoolArray:
    """Rows whose outcome is not known yet, shape (n,)."""
    none = np.zeros(ledger.table.num_rows, dtype=np.bool_)
    column = None if spec.censored is None else ledger.column(spec.censored, "censored")
    if column is None:
        return none
    number, levels = codes(column)
    unknown = [level for level in levels if level.lower() not in ONES + ZEROS]
    if unknown:
        remedy = "use true and false, or 1 and 0"
        ledger.wrong(spec.censored, "expected true or false", value=unknown[0], count=len(unknown), remedy=remedy)
        return none
    if (number < 0).any():
        remedy = "say true or false in every row"
        ledger.wrong(spec.censored, "censored is missing", count=int((number < 0).sum()), remedy=remedy)
    return np.asarray(np.isin(number, [i for i, level in enumerate(levels) if level.lower() in ONES]))


def read_reward(ledger: Ledger, spec: RewardSpec, censored: BoolArray) -> FloatArray:
    """Rewards, shape (n,), NaN where censored."""
    column = ledger.column(spec.column, "reward")
    if column is None:
        return np.zeros(ledger.table.num_rows)
    reward = _ones(ledger, spec, column, censored) if spec.kind == BINARY else _amounts(ledger, spec, column)
    missing = int((~np.isfinite(reward) & ~censored).sum())
    if missing:
        remedy = "fill it in, or mark rows whose outcome is not known yet with a column named under censored"
        ledger.wrong(spec.column, "reward is missing or infinite", count=missing, remedy=remedy)
    return np.where(censored, np.nan, reward)


def _ones(ledger: Ledger, spec: RewardSpec, column: pa.ChunkedArray, censored: BoolArray) -> FloatArray:
    number, levels = codes(column)
    ones = ONES if spec.one is None else (spec.one,)
    if spec.one is None:
        other = [i for i, level in enumerate(levels) if level.lower() not in ONES + ZEROS]
        rows = int(np.isin(number[~censored], other).sum())
        if rows:
            remedy = 'say which value means 1: [reward] one = "..."; or kind = "amount"'
            ledger.wrong(spec.column, "expected 0 or 1", value=levels[other[0]], count=rows, remedy=remedy)
    elif spec.one not in levels:
        remedy = f"values here: {_listed(list(levels), 8)}"
        ledger.wrong(spec.column, f"no row has the value {spec.one!r} that means 1", remedy=remedy)
    hit = [i for i, level in enumerate(levels) if level in ones or (spec.one is None and level.lower() in ones)]
    return np.where(number < 0, np.nan, np.isin(number, hit)).astype(np.float64)


def _amounts(ledger: Ledger, spec: RewardSpec, column: pa.ChunkedArray) -> FloatArray:
    if not is_numeric(column.type):
        remedy = 'give numbers, or kind = "0/1" with one = "..."'
        ledger.wrong(spec.column, f"expected amounts, came {column.type}", remedy=remedy)
        return np.zeros(len(column))
    return numbers(column)


def read_probability(
    ledger: Ledger, spec: FrameSpec, *, action: IntArray, actions: tuple[str, ...]
) -> FloatArray | None:
    """Chance of the logged action, shape (n,), NaN where not logged; None where the SPEC gives none."""
    given = spec.action_probability
    if given is None or not actions:
        return None
    if given.constant is not None:
        return np.full(len(action), given.constant)
    if given.by_action:
        return _by_action(ledger, dict(given.by_action), action=action, actions=actions)
    column = ledger.column(str(given.column), "action_probability")
    if column is None:
        return None
    if not is_numeric(column.type):
        ledger.wrong(given.column, f"expected probabilities, came {column.type}", remedy="give numbers from 0 to 1")
        return None
    probability = numbers(column)
    wrong = (probability <= 0) | (probability > 1)
    if wrong.any():
        value = f"{probability[np.flatnonzero(wrong)[0]]:g}"
        what = "expected the chance of the action that was taken: above 0 and at most 1"
        remedy = "correct it, or leave it null: the row then counts in no off-policy number"
        ledger.wrong(given.column, what, value=value, count=int(wrong.sum()), remedy=remedy)
    return probability


def _by_action(ledger: Ledger, given: dict[str, float], *, action: IntArray, actions: tuple[str, ...]) -> FloatArray:
    for label in (label for label in actions if label not in given):
        remedy = f"give a number for it beside {_listed(list(given), 8)}"
        count = int((action == actions.index(label)).sum())
        ledger.wrong(None, "[action_probability] lacks an action of the log", value=label, count=count, remedy=remedy)
    return np.array([given.get(label, np.nan) for label in actions])[action]


def read_features(ledger: Ledger, columns: tuple[str, ...], *, categorical: tuple[str, ...], role: str) -> Features:
    """Columns as numbers, constant ones and mere identifiers left out with a notice; names `x_<column>`."""
    names: list[str] = []
    values: list[FloatArray] = []
    levels: list[tuple[str, ...] | None] = []
    for name in columns:
        column = ledger.column(name, role)
        taken = None if column is None else _feature(ledger, name, column, as_levels=name in categorical)
        if taken is not None:
            names.append(f"x_{name}")
            values.append(taken[0])
            levels.append(taken[1])
    stacked = np.column_stack(values) if values else np.zeros((ledger.table.num_rows, 0))
    return Features(tuple(names), stacked, tuple(levels))


def _feature(
    ledger: Ledger, name: str, column: pa.ChunkedArray, *, as_levels: bool
) -> tuple[FloatArray, tuple[str, ...] | None] | None:
    if not (is_numeric(column.type) or is_text(column.type)):
        remedy = "leave it out (leave_out) or split it into columns"
        ledger.wrong(name, f"expected numbers, text or times, came {column.type}", remedy=remedy)
        return None
    if is_numeric(column.type) and not as_levels:
        value = numbers(column)
        value = np.where(np.isinf(value), np.nan, value)
        if len(np.unique(value)) > 1:
            return value, None
        ledger.constant.append(name)
        return None
    return _levels(ledger, name, column)


def _levels(ledger: Ledger, name: str, column: pa.ChunkedArray) -> tuple[FloatArray, tuple[str, ...]] | None:
    number, names = codes(column)
    different = len(names) + bool((number < 0).any())
    if different < 2:
        ledger.constant.append(name)
    elif len(names) > max(FEWEST_IDENTIFIERS, IDENTIFIER_SHARE * len(number)):
        ledger.note(f"{name}: {len(names):,} different texts in {len(number):,} rows, an identifier, left out")
    else:
        return levelled(column)
    return None
