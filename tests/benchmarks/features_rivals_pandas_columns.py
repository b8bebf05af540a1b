"""What the pandas rival is built of: rows that count, and counts over whole columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.times import DAY_US, IntArray
from features.catalogue import WINDOW_DAYS, WINDOWS
from features.reference import PRIOR_CONTACTS

Columns = dict[str, npt.NDArray[np.generic]]
AGES = len(WINDOWS)


@dataclass(frozen=True)
class Known:
    """The debtors with open claims, numbered from 0, and what is known of them: rows of each table with their `owner`."""

    size: int
    debtor: IntArray
    owing: Columns
    contacts: Columns
    events: Columns
    payments: Columns


def rows_of(frame: pd.DataFrame, place: npt.NDArray[np.int32], counts: Callable[[pd.DataFrame], pd.Series]) -> Columns:
    owner = place[frame["debtor"].to_numpy()]
    row = np.flatnonzero((owner >= 0) & counts(frame).to_numpy())
    return {"owner": owner[row], **taken(frame, row)}


def taken(frame: pd.DataFrame, row: IntArray) -> Columns:
    return {name: frame[name].to_numpy()[row] for name in frame.columns}


def chosen(rows: Columns, mask: npt.NDArray[np.bool_], *names: str) -> list[npt.NDArray[np.generic]]:
    row = np.flatnonzero(mask)
    return [rows[name][row] for name in names]


def age_of(age_us: IntArray) -> npt.NDArray[np.int8]:
    """Shortest window that holds an age."""
    found = np.full(len(age_us), AGES - 1, dtype=np.int8)
    for place in reversed(range(len(WINDOW_DAYS))):
        found[age_us <= WINDOW_DAYS[place] * DAY_US] = place
    return found


def counted(
    size: int, owner: npt.NDArray[np.generic], *codes: tuple[npt.NDArray[np.generic], int]
) -> npt.NDArray[np.int64]:
    """Rows by owner and codes, each with the number of its values."""
    key, shape = owner.astype(np.int64), [size]
    for code, values in codes:
        key = key * values + code
        shape.append(values)
    return np.bincount(key, minlength=int(np.prod(shape))).reshape(shape)


def summed(size: int, owner: npt.NDArray[np.generic], weight: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    return np.bincount(owner, weight, minlength=size)


def last_of(size: int, owner: npt.NDArray[np.generic], value: npt.NDArray[np.generic]) -> IntArray:
    """The last value of each owner in the order of the rows, 0 without any: NumPy assigns in order."""
    found = np.zeros(size, dtype=np.int64)
    found[owner] = value
    return found


def shrunk(count: object, total: object, usual: object, weight: float = PRIOR_CONTACTS) -> npt.NDArray[np.float64]:
    return (count + weight * np.asarray(usual)) / (total + weight)


def since_days(now: int, then: IntArray) -> npt.NDArray[np.float64]:
    return np.where(then > 0, (now - then) / DAY_US, np.nan)


def mean_of(total: npt.NDArray[np.generic], count: IntArray) -> npt.NDArray[np.float64]:
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def above(value: IntArray, least: int) -> npt.NDArray[np.float64]:
    return np.where(value >= least, value, np.nan)


def wide(*columns: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Columns and blocks of columns side by side."""
    flat = [one.reshape(len(one), -1) for one in columns]
    return np.concatenate(flat, axis=1, dtype=np.float32, casting="unsafe")
