"""What cannot have happened before something else."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from data.checks.scope import Scope, looked_up, report
from data.problems import Problem

ORDERED = (
    ("debtors", "vulnerable_from", "vulnerable_to"),
    ("contact_points", "valid_from", "valid_to"),
    ("claims", "registered_at", "closed_at"),
    ("contacts", "decided_at", "send_at"),
    ("payments", "paid_at", "reversed_at"),
)
"""(table, earlier column, later column) within one row."""


def within_rows(scope: Scope) -> Iterator[Problem]:
    """Beginnings come before ends, decisions before sending, payments before their reversal."""
    for table, earlier, later in ORDERED:
        yield from report(
            scope,
            table,
            column=f"{earlier}, {later}",
            mask=pc.less(scope.column(table, later), scope.column(table, earlier)),
            what=f"{later} lies before {earlier}",
            remedy="correct one of the two times",
        )


def contacts_after_claims(scope: Scope) -> Iterator[Problem]:
    """A contact is decided once its claim is registered, before or after it falls due."""
    registered = looked_up(scope, "contacts", by="claim_id", among="claims", column="registered_at")
    yield from report(
        scope,
        "contacts",
        column="decided_at",
        mask=pc.less(scope.column("contacts", "decided_at"), registered),
        what="contact before its claim was registered",
        remedy="correct decided_at, or registered_at of the claim",
    )
