"""Distance of a day from pay days, by country and learned day of the month."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.calendar import pay_day_distances
from data.times import IntArray
from features.distinct import distinct

YEAR = "datetime64[Y]"


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
    dates = day.astype("datetime64[D]").astype(YEAR)
    year = dates.astype(np.int64) + 1970
    within = day - dates.astype("datetime64[D]").astype(np.int64)
    kind = np.maximum(learned, 0)
    keys, which = distinct(year * len(countries) + country)
    for number, key in enumerate(keys):
        here = np.flatnonzero(which == number)
        table = pay_day_distances(countries[key % len(countries)], key // len(countries))
        found[:, here] = table[:, kind[here], within[here]]
    return found
