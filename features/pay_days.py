"""Distance of a day from pay days, by country and learned day of the month."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from data.calendar import pay_day_distances
from data.times import IntArray
from features.distinct import distinct


def from_pay_days(
    countries: tuple[str, ...],
    country: npt.NDArray[np.integer],
    *,
    day: IntArray,
    learned: npt.NDArray[np.integer],
) -> npt.NDArray[np.int16]:
    """Days since the last pay day and to the next one, 0 on the day itself, shape (2, n).

    Parameters
    ----------
    countries, country
        Country names, and the index of each row's among them, shape (n,).
    day
        Days since the epoch, shape (n,).
    learned
        Day of the month, 1-31, shape (n,); 0 or less where none is known: then the country's habit.

    >>> from_pay_days(("SE",), np.array([0]), day=np.array([20569]), learned=np.array([-1])).tolist()
    [[2], [29]]
    """
    found = np.zeros((2, len(day)), dtype=np.int16)
    year, within = _dates(day)
    keys, which = distinct(year * len(countries) + country)
    for number, key in enumerate(keys):
        table = pay_day_distances(countries[key % len(countries)], key // len(countries))
        _look_up(table, learned, within, which, number, found)
    return found


@njit(cache=True, nogil=True)
def _dates(day: IntArray) -> tuple[IntArray, IntArray]:
    """Year of each day since the epoch, and days since the first of its January, both (n,).

    >>> [one.tolist() for one in _dates(np.array([-1, 0, 364, 365, 11016, 11017, 19782]))]  # 1969, 1970, 1971, 2000, 2024
    [[1969, 1970, 1970, 1971, 2000, 2000, 2024], [364, 0, 364, 0, 59, 60, 59]]
    """
    year, within = np.empty(len(day), np.int64), np.empty(len(day), np.int64)
    for i in range(len(day)):
        year[i] = 1970 + day[i] // 365
        while _new_year(year[i]) > day[i]:
            year[i] -= 1
        while _new_year(year[i] + 1) <= day[i]:
            year[i] += 1
        within[i] = day[i] - _new_year(year[i])
    return year, within


@njit(inline="always")
def _new_year(year: int) -> int:
    """First of January of a year, days since the epoch."""
    before = year - 1
    return 365 * (year - 1970) + before // 4 - before // 100 + before // 400 - 477


@njit(cache=True, nogil=True)
def _look_up(
    table: npt.NDArray[np.int16],
    learned: npt.NDArray[np.integer],
    within: IntArray,
    which: IntArray,
    number: int,
    found: npt.NDArray[np.int16],
) -> None:
    """Distances of the rows of one country and year from its table (2, 32, 366); OUT: found (2, n)."""
    for i in range(len(which)):
        if which[i] == number:
            found[0, i] = table[0, max(learned[i], 0), within[i]]
            found[1, i] = table[1, max(learned[i], 0), within[i]]
