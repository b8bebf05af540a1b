"""Contact pressure at equal need: how often a policy contacts each group of debtors who need it equally."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

STEPS = 4
"""Quarters by chance of payment without contact, and by what is outstanding: 16 strata of need."""

FEWEST_IN_GROUP = 200
"""Decisions of a group below which nothing is said of it."""

HIGHEST_RATIO = 1.25
"""Contacts of the group that gets most over those of the one that gets least, at equal need."""

CERTAINTY = 0.99
"""How sure a difference between two groups must be, all their pairs considered, before it counts against a policy."""

AGE_BANDS = (25, 35, 45, 55, 65)


@dataclass(frozen=True)
class Pressure:
    """Contacts per decision at equal need by group, of one way to group debtors.

    `ratio` is the highest over the lowest, 1 where fewer than two groups are large enough; `certain` tells whether
    the two differ by more than chance.
    """

    by: str
    contacts: dict[str, float]
    decisions: dict[str, int]
    ratio: float
    certain: bool

    @property
    def too_high(self) -> bool:
        """Whether some group is contacted so much more than another that the policy may not decide."""
        return self.ratio > HIGHEST_RATIO and self.certain


def need_strata(without: FloatArray, outstanding_eur: FloatArray) -> IntArray:
    """Stratum 0 to 15 of each decision, by quarters of chance of payment without contact and of what is owed, shape (n,)."""
    return _quarter(without) * STEPS + _quarter(outstanding_eur)


def _quarter(values: FloatArray) -> IntArray:
    edges = np.quantile(values, np.linspace(0, 1, STEPS + 1)[1:-1])
    quarter: IntArray = np.searchsorted(edges, values, side="right").astype(np.int64)
    return quarter


@dataclass(frozen=True)
class Rate:
    """Contacts per decision at equal need in one group, the standard error of that, and how many decisions it rests on."""

    contacts: float
    error: float
    decisions: int


def pressure(by: str, contacted: BoolArray, *, group: TextArray, need: IntArray, unit: IntArray) -> Pressure:
    """Contact rates of groups, each weighted to the strata of all, and the largest ratio between two of them.

    Parameters
    ----------
    contacted, group, need, unit
        Whether the policy makes contact, name of the debtor's group ("" for not known: left out), stratum of need, and
        number of the debtor, shape (n,).

    Notes
    -----
    Bonferroni over all pairs of groups.
    """
    found = rates_at_equal_need(contacted, group=group, need=need, unit=unit)
    rates = {name: one.contacts for name, one in found.items()}
    sizes = {name: one.decisions for name, one in found.items()}
    if len(rates) < 2:
        return Pressure(by, rates, sizes, 1.0, certain=False)
    most, least = max(rates, key=lambda one: rates[one]), min(rates, key=lambda one: rates[one])
    pairs = len(rates) * (len(rates) - 1)
    reach = float(stats.norm.ppf(1 - (1 - CERTAINTY) / pairs)) * float(np.hypot(found[most].error, found[least].error))
    ratio = rates[most] / rates[least] if rates[least] > 0 else (1.0 if rates[most] == 0 else np.inf)
    return Pressure(by, rates, sizes, float(ratio), certain=rates[most] - rates[least] > reach)


def rates_at_equal_need(contacted: BoolArray, *, group: TextArray, need: IntArray, unit: IntArray) -> dict[str, Rate]:
    """Contact rate of each group that is large enough, weighted to the strata of all, by name; arguments as for `pressure`.

    Notes
    -----
    Direct standardisation (Fleiss, Levin and Paik 2003, chapter 19); a stratum that a group does not have takes the
    rate of all. Errors are those of debtors' sums of residuals, each weighted as its stratum is (Liang and Zeger 1986),
    and no smaller than those of as many debtors decided on once.
    """
    share = np.bincount(need, minlength=STEPS**2) / max(len(need), 1)
    overall = _rates(contacted, need, np.zeros(STEPS**2))[0]
    found = {}
    for name in sorted({one for one in group.tolist() if one}):
        here = group == name
        if here.sum() < FEWEST_IN_GROUP:
            continue
        rate, variance = _rates(contacted[here], need[here], overall)
        clustered = _by_debtor(contacted[here] - rate[need[here]], share=share, need=need[here], unit=unit[here])
        error = float(np.sqrt(np.maximum(share**2 @ variance, clustered)))
        found[name] = Rate(float(share @ rate), error, int(here.sum()))
    return found


def _rates(contacted: BoolArray, need: IntArray, otherwise: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Contact rate in each stratum, `otherwise` where there is none, and the variance of its estimate."""
    count = np.bincount(need, minlength=STEPS**2).astype(np.float64)
    hits = np.bincount(need, contacted.astype(np.float64), STEPS**2)
    rate = np.where(count > 0, hits / np.maximum(count, 1), otherwise)
    # One hit and one miss more in the variance: a stratum of two equal decisions is not certain.
    smooth = (hits + 1) / (count + 2)
    return rate, smooth * (1 - smooth) / np.maximum(count, 1)


def _by_debtor(residual: FloatArray, *, share: FloatArray, need: IntArray, unit: IntArray) -> float:
    """Variance of a standardised rate where decisions on one debtor depend on each other; of one debtor it is infinite."""
    count = np.bincount(need, minlength=STEPS**2)
    sums = np.bincount(np.unique(unit, return_inverse=True)[1], residual * share[need] / count[need])
    return float(sums @ sums) * len(sums) / (len(sums) - 1) if len(sums) > 1 else np.inf


def age_bands(age_years: FloatArray) -> TextArray:
    """Name of each age's band, "" for not known.

    >>> age_bands(np.array([24.0, 65.0, np.nan])).tolist()
    ['under 25', '65 and over', '']
    """
    names = ["under 25", *(f"{low} to {high - 1}" for low, high in pairwise(AGE_BANDS))]
    names = [*names, f"{AGE_BANDS[-1]} and over", ""]
    band = np.where(np.isnan(age_years), len(names) - 1, np.searchsorted(AGE_BANDS, age_years, side="right"))
    return np.array(names, dtype=np.object_)[band]
