"""The target policy of a SPEC: what it would have done, as action probabilities per logged row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from data.frame_spec import TargetSpec
from data.frame_table import FloatArray, IntArray, codes, numbers, plain, read_rows

TOLERANCE = 0.01
"""How far a row of action probabilities may be from one before it is refused; within, it is divided by its sum."""


@dataclass(frozen=True)
class TargetPolicy:
    """Action probabilities in few distinct rows: row i of the log has `table[row[i]]`.

    Parameters
    ----------
    table
        Shape (G, A), actions as in the log; sums to one less `unlogged`.
    row
        Shape (n,), a row of `table` for each logged row.
    unlogged
        Shape (G,), the probability given to actions that the log never took.
    """

    name: str
    table: FloatArray
    row: IntArray
    unlogged: FloatArray

    @property
    def unlogged_mass(self) -> float:
        """Mean probability over the logged rows of an action the log never took."""
        return float(self.unlogged[self.row].mean())

    def of_logged(self, action: IntArray) -> FloatArray:
        """Probability of the action that was taken, shape (n,)."""
        return np.asarray(self.table[self.row, action])


@dataclass(frozen=True)
class LoggedActions:
    """What a target policy is laid over: labels, the rows' fixed labels, the data's file and table."""

    actions: tuple[str, ...]
    fixed: IntArray
    fixed_labels: tuple[str, ...]
    fixed_columns: tuple[str, ...]
    join: str
    file: Path
    rows: pa.Table


def read_target(spec: TargetSpec, logged: LoggedActions) -> TargetPolicy:
    """The SPEC's target policy over the rows of a log.

    Raises
    ------
    ValueError
        A label, column or file that does not exist; probabilities below 0 or not summing to one; a `by` that is not
        among the action's fixed columns. The message says what and where.
    """
    if spec.uniform:
        return _same_for_all("uniform draw", np.full(len(logged.actions), 1 / len(logged.actions)), logged)
    if spec.constant is not None:
        place = position(spec.constant, logged.actions, where="[target_policy] constant")
        return _same_for_all(f"{spec.constant} to all", np.eye(len(logged.actions))[place], logged)
    if spec.key:
        return _by_action(spec, logged)
    return _by_row(spec, logged)


def position(label: str, actions: tuple[str, ...], *, where: str) -> int:
    """Number of an action's label.

    Raises
    ------
    ValueError
        No row has that action.
    """
    if label not in actions:
        shown = ", ".join(actions[:12]) + (", ..." if len(actions) > 12 else "")
        raise ValueError(f"{where}: expected one of the logged actions {shown}; came {label!r}")
    return actions.index(label)


def _same_for_all(name: str, probability: FloatArray, logged: LoggedActions) -> TargetPolicy:
    row = np.zeros(len(logged.fixed), dtype=np.int64)
    return TargetPolicy(name, probability[None, :], row, np.zeros(1))


def _column(table: pa.Table, name: str, file: Path) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise ValueError(f"{file.name}: expected the column {name!r}; came {', '.join(table.column_names)}")
    return plain(table[name])


def _probabilities(table: pa.Table, name: str, file: Path) -> FloatArray:
    values = numbers(_column(table, name, file))
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        what = f"{file.name}: {name}: expected action probabilities from 0 to 1"
        raise ValueError(f"{what}; {int(wrong.sum())} of {len(values)} rows hold something else")
    return values


def _by_action(spec: TargetSpec, logged: LoggedActions) -> TargetPolicy:
    """A file with a row per action, and one column of probabilities, or one for each value of `by`."""
    file = logged.file.parent / str(spec.file)
    table = read_rows(file)
    label = [logged.join.join(parts) for parts in zip(*(_texts(table, key, file) for key in spec.key), strict=True)]
    if len(set(label)) < len(label):
        raise ValueError(f"{file.name}: expected one row per action; {', '.join(spec.key)} repeat themselves")
    if spec.by is None:
        columns: dict[str, str] = {"": str(spec.probability)}
        group = np.zeros(len(logged.fixed), dtype=np.int64)
    else:
        columns = dict(spec.columns)
        group = _groups(spec.by, columns, logged)
    known = {action: number for number, action in enumerate(logged.actions)}
    place = np.array([known.get(text, len(known)) for text in label], dtype=np.int64)
    rows = np.zeros((len(columns), len(known) + 1))
    for number, column in enumerate(columns.values()):
        rows[number] = np.bincount(place, _probabilities(table, column, file), len(known) + 1)
    return _policy(f"policy of {file.name}", rows, group, file)


def _texts(table: pa.Table, name: str, file: Path) -> list[str]:
    number, levels = codes(_column(table, name, file))
    if (number < 0).any():
        raise ValueError(f"{file.name}: {name}: expected an action in every row; {int((number < 0).sum())} are empty")
    return [levels[i] for i in number]


def _groups(by: str, columns: dict[str, str], logged: LoggedActions) -> IntArray:
    if logged.fixed_columns != (by,):
        raise ValueError(f'[target_policy] by: expected {by!r} as the action\'s only fixed column: fixed = ["{by}"]')
    missing = [label for label in logged.fixed_labels if label not in columns]
    if missing:
        raise ValueError(f"[target_policy] columns: expected one for each {by}; none for {', '.join(missing)}")
    names = list(columns)
    return np.array([names.index(label) for label in logged.fixed_labels], dtype=np.int64)[logged.fixed]


def _by_row(spec: TargetSpec, logged: LoggedActions) -> TargetPolicy:
    """Columns of action probabilities beside each logged row, in the data or in a file of equally many rows."""
    file = logged.file if spec.file is None else logged.file.parent / spec.file
    table = logged.rows if spec.file is None else read_rows(file)
    if table.num_rows != logged.rows.num_rows:
        what = f"expected as many rows as the log has ({logged.rows.num_rows:,})"
        raise ValueError(f"{file.name}: {what}, in the same order; came {table.num_rows:,}")
    rows = np.zeros((table.num_rows, len(logged.actions) + 1))
    for label, column in spec.columns:
        place = logged.actions.index(label) if label in logged.actions else len(logged.actions)
        rows[:, place] += _probabilities(table, column, file)
    return _policy("target policy", rows, np.arange(len(rows)), file)


def _policy(name: str, rows: FloatArray, row: IntArray, file: Path) -> TargetPolicy:
    total = rows.sum(axis=1)
    wrong = np.abs(total - 1) > TOLERANCE
    if wrong.any():
        example = float(total[np.flatnonzero(wrong)[0]])
        what = f"{file.name}: expected action probabilities that sum to 1 over the actions"
        raise ValueError(f"{what}; {int(wrong.sum())} of {len(total)} sums differ, such as {example:.4g}")
    rows = rows / total[:, None]
    return TargetPolicy(name, rows[:, :-1], row, rows[:, -1])
