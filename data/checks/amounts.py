"""Money and numbers within their range, in the right currency."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from data.checks.scope import Scope, looked_up, report
from data.problems import Problem

POSITIVE = (
    ("claims", "principal", "leave out claims without principal; credit notes are no claims"),
    ("contact_events", "promised_amount", "leave it null where no amount was promised"),
    ("payments", "amount", "mark money given back with reversed_at"),
)

NOT_NEGATIVE = (
    ("debtor_profiles", "other_debts", "leave it null where it is not known"),
    ("contacts", "cost", "leave it null where it is not known"),
)


def positive(scope: Scope) -> Iterator[Problem]:
    """Principal, payments and promised amounts are above zero; costs and counts not below."""
    for table, column, remedy in POSITIVE:
        given = scope.column(table, column)
        mask = pc.less_equal(given, pa.scalar("0").cast(given.type))
        yield from report(scope, table, column=column, mask=mask, what="must be above 0", remedy=remedy)
    for table, column, remedy in NOT_NEGATIVE:
        given = scope.column(table, column)
        mask = pc.less(given, pa.scalar("0").cast(given.type))
        yield from report(scope, table, column=column, mask=mask, what="must not be below 0", remedy=remedy)


def probabilities(scope: Scope) -> Iterator[Problem]:
    """What was chosen had a chance of being chosen: above 0, at most 1, no NaN."""
    given = scope.column("contacts", "action_probability")
    inside = pc.and_(pc.greater(given, 0.0), pc.less_equal(given, 1.0))
    yield from report(
        scope,
        "contacts",
        column="action_probability",
        mask=pc.invert(inside),
        what="must be above 0 and at most 1",
        remedy="leave it null where it is not known",
    )


def currencies(scope: Scope) -> Iterator[Problem]:
    """A payment is in the currency of its claim."""
    owed_in = looked_up(scope, "payments", by="claim_id", among="claims", column="currency")
    yield from report(
        scope,
        "payments",
        column="currency",
        mask=pc.not_equal(scope.column("payments", "currency"), owed_in),
        what="differs from the claim's currency",
        remedy="enter the amount as credited to the claim, in the claim's currency",
    )
