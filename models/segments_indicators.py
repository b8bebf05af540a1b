"""What of a debtor's own history speaks for having forgotten, being short of money, or being unwilling, and what it means.

Each indicator is one fact in a few levels; level 0 is "not seen" and speaks for nobody. Its meaning says how often a debtor
of each segment would show each level: the field's words as numbers, stated before any data is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from models._segment_kernels import PAID, enough_seen, levels_of, raise_to_highest, read_indicators

FloatArray = npt.NDArray[np.float64]
LevelArray = npt.NDArray[np.int8]
Columns = Mapping[str, FloatArray]

NEEDED = (
    "open_claims", "claims_paid", "claims_unpaid", "paid_claim_days", "payments_ever", "contacts_ever", "since_payment",
    "since_response", "promises_kept", "promises_broken", "promise_due_days", "plan_claims", "plans_broken", "disputes",
    "disputed_claims", "complained", "opted_out", "pay_day_learned", "pay_day_share", "other_debts", "income_band",
)  # fmt: skip
"""Features of debtor and claim that the indicators look at; none of a person's age, sex or origin."""


@dataclass(frozen=True)
class Indicator:
    """One fact of a debtor's history.

    Attributes
    ----------
    words
        What each level says of the debtor, lowest first.
    meaning
        Share of the debtors of each segment (forgot, short of money, unwilling) at each level, shape (3, levels).
    cuts
        Where the next level begins above; None: thirds of the debtors learnt from, where high and low depend on the tenant.
    history
        Whether it is seen only of debtors who have done something: paid, answered, promised, or let contacts pass.
    """

    name: str
    words: tuple[str, ...]
    meaning: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]
    cuts: tuple[float, ...] | None
    history: bool = True


INDICATORS = (
    Indicator(
        "days_late",
        ("settles claims sooner than most", "settles claims neither soon nor late", "settles claims later than most"),
        ((0.60, 0.30, 0.10), (0.15, 0.35, 0.50), (0.15, 0.30, 0.55)), None,
    ),
    Indicator(
        "share_paid",
        ("few closed claims were paid", "some closed claims were paid", "nearly every closed claim was paid"),
        ((0.05, 0.20, 0.75), (0.30, 0.40, 0.30), (0.65, 0.25, 0.10)), (0.5, 0.9),
    ),
    Indicator(
        "reminders_a_claim",
        ("pays after a reminder or two", "pays after several reminders", "hardly a claim paid after many reminders"),
        ((0.65, 0.28, 0.07), (0.20, 0.45, 0.35), (0.05, 0.25, 0.70)), (2.0, 6.0),
    ),
    Indicator(
        "part_payments",
        ("has not paid in parts", "has paid in part once", "pays in parts"),
        ((0.85, 0.12, 0.03), (0.25, 0.30, 0.45), (0.75, 0.17, 0.08)), (0.0, 1.0),
    ),
    Indicator(
        "near_pay_day",
        ("pays on any day of the month", "often pays near the pay day", "nearly always pays near the pay day"),
        ((0.60, 0.25, 0.15), (0.20, 0.35, 0.45), (0.60, 0.25, 0.15)), (0.0, 0.6),
    ),
    Indicator(
        "promises",
        ("answers without a promise", "has promised once", "promises again and again"),
        ((0.80, 0.17, 0.03), (0.35, 0.35, 0.30), (0.75, 0.15, 0.10)), (0.0, 1.0),
    ),
    Indicator(
        "promises_kept",
        ("breaks promises", "keeps some promises", "keeps promises"),
        ((0.10, 0.20, 0.70), (0.20, 0.45, 0.35), (0.75, 0.18, 0.07)), (0.34, 0.67),
    ),
    Indicator(
        "unpaid_answer",
        ("has paid since the last answer", "answered lately and has not paid", "answered long ago and has not paid"),
        ((0.70, 0.20, 0.10), (0.30, 0.30, 0.40), (0.15, 0.25, 0.60)), (PAID, 14.0),
    ),
    Indicator(
        "plan",
        ("has no instalment plan", "has agreed on instalments", "has agreed on instalments and broken off"),
        ((0.96, 0.03, 0.01), (0.65, 0.20, 0.15), (0.90, 0.03, 0.07)), (0.0, 1.0), history=False,
    ),
    Indicator(
        "disputes", ("disputes nothing", "disputes a claim"),
        ((0.97, 0.03), (0.95, 0.05), (0.75, 0.25)), (0.0,), history=False,
    ),
    Indicator(
        "complaints", ("has not complained", "has complained or opted out"),
        ((0.96, 0.04), (0.93, 0.07), (0.75, 0.25)), (0.0,), history=False,
    ),
    Indicator(
        "other_debts", ("no debts elsewhere", "a debt or two elsewhere", "several debts elsewhere"),
        ((0.70, 0.22, 0.08), (0.15, 0.40, 0.45), (0.40, 0.35, 0.25)), (0.0, 2.0), history=False,
    ),
    Indicator(
        "income", ("little or no income", "a middling income", "a good income"),
        ((0.15, 0.50, 0.35), (0.50, 0.40, 0.10), (0.25, 0.50, 0.25)), (1.0, 3.0), history=False,
    ),
    Indicator(
        "open_claims", ("one open claim", "several open claims", "many open claims"),
        ((0.75, 0.22, 0.03), (0.35, 0.40, 0.25), (0.40, 0.40, 0.20)), (1.0, 3.0), history=False,
    ),
)  # fmt: skip
"""Every indicator, in the order of the levels' columns."""


_MOST = np.array([len(one.words) for one in INDICATORS])
"""Highest level of each indicator."""

_OWN = np.array([one.history for one in INDICATORS])


def needed(columns: Columns, *, size: int) -> FloatArray:
    """Features by name, shape (n,) each, in the order of `NEEDED`, shape (n, features); NaN for one that is not there."""
    missing = np.full(size, np.nan)
    return np.stack([columns.get(name, missing) for name in NEEDED], axis=1).astype(np.float64)


def needed_by_debtor(
    matrix: npt.NDArray[np.floating], debtor: npt.NDArray[np.int64], *, names: tuple[str, ...], size: int
) -> FloatArray:
    """The features that the indicators need, one value a debtor: of the claims' the highest, shape (n, features), else NaN.

    Parameters
    ----------
    matrix, debtor
        Rows of features, and whose each is, 0 to n - 1, shape (m,).
    names
        Of the matrix's columns; those that are not needed are not looked at.
    """
    found = np.full((size, len(NEEDED)), np.nan)
    raise_to_highest(matrix, debtor, _places(names), found)
    return found


def columns_by_debtor(
    matrix: npt.NDArray[np.floating], debtor: npt.NDArray[np.int64], *, names: tuple[str, ...], size: int
) -> dict[str, FloatArray]:
    """The same by name, those that are among the matrix's columns."""
    found = needed_by_debtor(matrix, debtor, names=names, size=size).T
    return {name: values for name, values in zip(NEEDED, found, strict=True) if name in names}


@lru_cache(maxsize=64)
def _places(names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Column of each feature that is needed, -1 where there is none; not to be written to."""
    return np.array([names.index(name) if name in names else -1 for name in NEEDED])


def indicator_values(columns: Columns, *, size: int) -> dict[str, FloatArray]:
    """Each indicator's value for each debtor, NaN where it was not seen, shape (n,) each.

    Parameters
    ----------
    columns
        Features by name, shape (n,) each, NaN for missing; one that is not there is missing throughout.
    size
        Debtors n.
    """
    found = np.full((size, len(INDICATORS)), np.nan)
    read_indicators(needed(columns, size=size), found)
    return {one.name: values for one, values in zip(INDICATORS, found.T, strict=True)}


def levels_seen(seen: FloatArray, cuts: FloatArray) -> LevelArray:
    """Level of each debtor at each indicator: 0 where not seen, 1 up to the first cut, and so on, shape (n, indicators).

    Parameters
    ----------
    seen
        As `needed_by_debtor` gives it, shape (n, features).
    cuts
        Where the levels of each indicator part, rising, shape (indicators, cuts).

    >>> seen = np.full((3, len(NEEDED)), np.nan)
    >>> seen[:, NEEDED.index("open_claims")] = np.nan, 1.0, 5.0
    >>> levels_seen(seen, np.array([[1.0, 3.0]] * len(INDICATORS)))[:, -1].tolist()
    [0, 1, 3]
    """
    return levels_of(seen, cuts, _MOST)


def with_history(level: LevelArray, *, least: int) -> npt.NDArray[np.bool_]:
    """Debtors of whose own doing at least so many indicators were seen, shape (n,).

    Parameters
    ----------
    level
        Shape (n, indicators), in the order of `INDICATORS`.
    """
    return enough_seen(level, _OWN, least)
