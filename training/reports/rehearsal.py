"""Which debtors an experiment would have met had it begun some weeks ago: a log of decisions that nobody took."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.outcomes import instants_us
from data.portfolio import Portfolio
from data.schemas import BLOCKED, DECISIONS
from data.times import DAY_US, NEVER, IntArray
from data.vocabulary import NONE

BoolArray = npt.NDArray[np.bool_]

MOST_WEEKS, FEWEST_WEEKS = 12, 4
"""Weeks looked back on: so many where the portfolio reaches back as far, and as few as it takes to know the inflow."""
WEEK_US = 7 * DAY_US


class ShortHistory(ValueError):
    """The portfolio does not reach back far enough to plan by it."""


@dataclass(frozen=True)
class Rehearsal:
    """Debtors who would have entered: a row of `decisions` for each claim open when its debtor entered.

    `at_start` debtors on the first evening, and `per_week` new ones in each of the weeks that followed.
    """

    decisions: pa.Table
    at_start: int
    per_week: float
    weeks: float


def rehearse(portfolio: Portfolio, *, horizon_days: int, known_until_us: int) -> Rehearsal:
    """The debtors of an experiment that began 12 weeks and a horizon before the end of the data.

    A debtor enters on the first evening with an open claim. Debtors who may not be contacted or object to profiling by then
    do not enter.

    Raises
    ------
    ShortHistory
        Less than four weeks and a horizon lie between the first claim and the end of the data, or nobody would enter.
    """
    claims = portfolio["claims"]
    begun_us, ended_us = instants_us(claims["registered_at"]), instants_us(claims["closed_at"])
    weeks = _weeks(begun_us, horizon_days=horizon_days, known_until_us=known_until_us)
    from_us = known_until_us - round(weeks * WEEK_US) - horizon_days * DAY_US
    debtors = portfolio["debtors"]
    row = pc.index_in(claims["debtor_id"], value_set=debtors["debtor_id"].combine_chunks())
    debtor = row.to_numpy(zero_copy_only=False).astype(np.int64)
    entry_us = _entries(debtor, begun_us, ended_us, size=len(debtors), from_us=from_us)
    entry_us[_barred_us(debtors) <= entry_us] = NEVER
    open_then = (begun_us <= entry_us[debtor]) & (entry_us[debtor] < np.minimum(ended_us, known_until_us))
    if not open_then.any():
        raise ShortHistory("expected debtors with open claims in the last weeks of the data, found none to plan by")
    entered_us = np.unique(np.stack([debtor, entry_us[debtor]])[:, open_then], axis=1)[1]
    new = int((entered_us > from_us).sum())
    lasted = (known_until_us - from_us) / WEEK_US
    return Rehearsal(
        _decisions(claims.filter(pa.array(open_then)), entry_us[debtor][open_then]),
        len(entered_us) - new,
        new / lasted,
        lasted,
    )


def _weeks(begun_us: IntArray, *, horizon_days: int, known_until_us: int) -> float:
    reach = (known_until_us - int(begun_us.min(initial=known_until_us))) / WEEK_US - horizon_days / 7
    if reach < FEWEST_WEEKS:
        needed = FEWEST_WEEKS + horizon_days / 7
        raise ShortHistory(
            f"expected claims from at least {needed:.0f} weeks before the end of the data, the first came "
            f"{max(0.0, reach + horizon_days / 7):.0f} weeks before: plan with a longer history"
        )
    return min(float(MOST_WEEKS), reach)


def _entries(debtor: IntArray, begun_us: IntArray, ended_us: IntArray, *, size: int, from_us: int) -> IntArray:
    """First evening from the start on at which each debtor has an open claim, shape (size,); `NEVER` without any."""
    nights = -(-(np.maximum(begun_us, from_us) - from_us) // DAY_US)
    evening_us = from_us + nights * DAY_US
    found = np.full(size, NEVER)
    met = evening_us < ended_us
    np.minimum.at(found, debtor[met], evening_us[met])
    return found


def _barred_us(debtors: pa.Table) -> IntArray:
    """Instant from which each debtor is not decided on by a model."""
    found: IntArray = np.minimum.reduce(
        [instants_us(debtors[name]) for name in ("blocked_at", "cease_at", "objected_at")]
    )
    return found


def _decisions(claims: pa.Table, entry_us: IntArray) -> pa.Table:
    """Rows of the decision log for claims at the instants their debtors entered; nothing was done to anybody."""
    at = pa.array(entry_us, pa.int64()).cast(DECISIONS.arrow.field("decided_at").type)
    said = {
        "decision_id": claims["debtor_id"],
        "debtor_id": claims["debtor_id"],
        "claim_id": claims["claim_id"],
        "currency": claims["currency"],
        "decided_at": at,
        "valid_until": at,
        "blocked": pa.array([[]] * len(entry_us), BLOCKED),
    }
    same = {
        "lead": True,
        "channel": NONE,
        "payment_probability": 0.0,
        "uplift": 0.0,
        "expected_value": 0.0,
        "arm_probability": 1.0,
        "explored": False,
        "arm": "champion",
        "segment": "unknown",
        "model_version": NONE,
        "policy_version": NONE,
        "rules_version": NONE,
    }
    columns = [
        said[field.name] if field.name in said else pa.repeat(pa.scalar(same.get(field.name), field.type), len(claims))
        for field in DECISIONS.arrow
    ]
    return pa.table(columns, schema=DECISIONS.arrow)
