"""A few segments that anyone can read, computed from features: country, age of the claim, amount, recent contacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float64]

EVERYONE = "all"
MOST_COUNTRIES = 8
"""Countries with a segment of their own, those with most decisions; the others are one segment."""


@dataclass(frozen=True)
class Segment:
    """Decisions that share something; `here` has shape (n,)."""

    family: str
    name: str
    here: BoolArray


BANDS: tuple[tuple[str, str, tuple[float, ...], tuple[str, ...]], ...] = (
    ("days past due", "days_past_due", (0.0, 31.0, 91.0), ("not yet due", "0 to 30", "31 to 90", "over 90")),
    ("EUR outstanding", "outstanding_log", (100.0, 500.0), ("under 100", "100 to 500", "500 and more")),
    ("contacts in 90 days", "contacts_90", (1.0, 3.0, 6.0), ("none", "1 to 2", "3 to 5", "6 and more")),
)
"""Family, its feature, where its bands begin, and their names."""


def segments_of(matrix: Matrix, names: Sequence[str], *, countries: tuple[str, ...]) -> tuple[Segment, ...]:
    """Everyone, then the segments of each family that have a decision.

    Parameters
    ----------
    matrix, names
        Features, shape (n, F), and their names as the catalogue has them.
    countries
        Words behind the codes of the feature `country`.
    """
    place = {name: number for number, name in enumerate(names)}
    found = [Segment(EVERYONE, EVERYONE, np.ones(len(matrix), dtype=np.bool_))]
    found += _of_country(matrix[:, place["country"]], countries)
    for family, feature, begins, words in BANDS:
        value = matrix[:, place[feature]].astype(np.float64)
        found += _of_band(family, np.expm1(value) if feature == "outstanding_log" else value, begins, words)
    return tuple(one for one in found if one.here.any())


def _of_country(code: npt.NDArray[np.floating], countries: tuple[str, ...]) -> list[Segment]:
    rows = np.array([int((code == number).sum()) for number in range(len(countries))], dtype=np.int64)
    largest = np.argsort(-rows, kind="stable")[:MOST_COUNTRIES]
    found = [Segment("country", countries[number], code == number) for number in sorted(largest.tolist())]
    return [*found, Segment("country", "other or none", ~np.isin(code, largest))]


def _of_band(
    family: str, value: npt.NDArray[np.float64], begins: tuple[float, ...], words: tuple[str, ...]
) -> list[Segment]:
    band = np.where(np.isnan(value), -1, np.digitize(value, begins))
    found = [Segment(family, word, band == number) for number, word in enumerate(words)]
    return [*found, Segment(family, "not known", band == -1)]
