"""What of a debtor's own history speaks for having forgotten, being short of money, or being unwilling, and what it means.

Each indicator is one fact in a few levels; level 0 is "not seen" and speaks for nobody. Its meaning says how often a debtor
of each segment would show each level: the field's words as numbers, stated before any data is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
LevelArray = npt.NDArray[np.int8]
Columns = Mapping[str, FloatArray]
Get = Callable[[str], FloatArray]

NEEDED = (
    "open_claims", "claims_paid", "claims_unpaid", "paid_claim_days", "payments_ever", "contacts_ever", "since_payment",
    "since_response", "promises_kept", "promises_broken", "promise_due_days", "plan_claims", "plans_broken", "disputes",
    "disputed_claims", "complained", "opted_out", "pay_day_learned", "pay_day_share", "other_debts", "income_band",
)  # fmt: skip
"""Features of debtor and claim that the indicators look at; none of a person's age, sex or origin."""

FEWEST_PAYMENTS = 3
"""Payments from which on their days of the month say anything."""

FEWEST_CONTACTS = 3
"""Contacts from which on it says something that no claim was ever paid."""


PAID = -1.0
"""Stands for days without payment since the last answer where there was a payment."""


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


def indicator_values(columns: Columns, *, size: int) -> dict[str, FloatArray]:
    """Each indicator's value for each debtor, NaN where it was not seen, shape (n,) each.

    Parameters
    ----------
    columns
        Features by name, shape (n,) each, NaN for missing; one that is not there is missing throughout.
    size
        Debtors n.
    """
    missing = np.full(size, np.nan)

    def get(name: str) -> FloatArray:
        return np.asarray(columns.get(name, missing), dtype=np.float64)

    with np.errstate(invalid="ignore", divide="ignore"):
        return {**_paying(get), **_promising(get), **_standing(get)}


def _paying(get: Get) -> dict[str, FloatArray]:
    """How what was owed came to be paid."""
    paid, payments, contacts = get("claims_paid"), get("payments_ever"), get("contacts_ever")
    told = (paid > 0) | (contacts >= FEWEST_CONTACTS)
    near = np.where(get("pay_day_learned") > 0, get("pay_day_share"), 0.0)
    return {
        "days_late": get("paid_claim_days"),
        "share_paid": paid / (paid + get("claims_unpaid")),
        "reminders_a_claim": np.where(told, contacts / paid, np.nan),
        "part_payments": np.where(payments > 0, np.maximum(payments - paid, 0.0), np.nan),
        "near_pay_day": np.where(payments >= FEWEST_PAYMENTS, near, np.nan),
    }


def _promising(get: Get) -> dict[str, FloatArray]:
    """What came of answers and promises."""
    kept, broken, answered = get("promises_kept"), get("promises_broken"), get("since_response")
    made = kept + broken
    paid_since = get("since_payment") <= answered
    return {
        "promises": np.where(np.isnan(answered), np.nan, made + ~np.isnan(get("promise_due_days"))),
        "promises_kept": kept / made,
        "unpaid_answer": np.where(paid_since, PAID, answered),
    }


def _standing(get: Get) -> dict[str, FloatArray]:
    """How the debtor stands now: plans, disputes, complaints, means, open claims."""
    broken = get("plans_broken")
    contacted = get("contacts_ever") > 0
    return {
        "plan": np.where(broken > 0, 2.0, np.minimum(get("plan_claims"), 1.0)),
        "disputes": np.fmax(get("disputes"), get("disputed_claims")),
        "complaints": np.where(contacted, get("complained") + get("opted_out"), np.nan),
        "other_debts": get("other_debts"),
        "income": get("income_band"),
        "open_claims": get("open_claims"),
    }


def levels_of(values: FloatArray, cuts: FloatArray, *, most: npt.NDArray[np.int64]) -> LevelArray:
    """Level of each value: 0 where not seen, 1 up to the first cut, and so on, shape (n, indicators).

    Parameters
    ----------
    values
        Shape (n, indicators).
    cuts
        Where the levels of each indicator part, rising, shape (indicators, cuts).
    most
        Highest level of each indicator, shape (indicators,).

    >>> values = np.array([[np.nan], [0.0], [0.5], [2.0]])
    >>> levels_of(values, np.array([[0.0, 1.0]]), most=np.array([3]))[:, 0].tolist()
    [0, 1, 2, 3]
    """
    level = np.minimum((cuts < values[:, :, None]).sum(axis=2) + 1, most)
    return np.where(np.isnan(values), 0, level).astype(np.int8)


def with_history(level: LevelArray, *, least: int) -> npt.NDArray[np.bool_]:
    """Debtors of whose own doing at least so many indicators were seen, shape (n,).

    Parameters
    ----------
    level
        Shape (n, indicators), in the order of `INDICATORS`.
    """
    own = [number for number, one in enumerate(INDICATORS) if one.history]
    enough: npt.NDArray[np.bool_] = (level[:, own] > 0).sum(axis=1) >= least
    return enough


def columns_by_debtor(
    matrix: npt.NDArray[np.floating], debtor: npt.NDArray[np.int64], *, names: tuple[str, ...], size: int
) -> dict[str, FloatArray]:
    """The features that the indicators need, one value a debtor: of the claims' the highest, shape (n,) each, else NaN.

    Parameters
    ----------
    matrix, debtor
        Rows of features, and whose each is, 0 to n - 1, ascending, shape (m,).
    names
        Of the matrix's columns; those that are not needed are not looked at.
    """
    place = _places(names)
    found = np.full((len(place), size), np.nan)
    if len(debtor):
        first = np.flatnonzero(np.diff(debtor, prepend=-1))
        found[:, debtor[first]] = np.fmax.reduceat(matrix[:, list(place.values())], first, axis=0).T
    return dict(zip(place, found, strict=True))


@lru_cache(maxsize=64)
def _places(names: tuple[str, ...]) -> dict[str, int]:
    """Column of each feature that is needed, by its name; not to be written to."""
    return {name: names.index(name) for name in NEEDED if name in names}
