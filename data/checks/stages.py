"""Events of a claim that need a second column to mean anything."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from data.checks.scope import Scope, report
from data.problems import Problem


def stages_named(scope: Scope) -> Iterator[Problem]:
    """An event of kind `stage` says which stage began."""
    if not scope.sound("claim_events", columns=("stage",)):
        return
    is_stage = pc.equal(scope.column("claim_events", "kind"), "stage")
    yield from report(
        scope,
        "claim_events",
        column="kind, stage",
        mask=pc.and_(is_stage, pc.is_null(scope.column("claim_events", "stage"))),
        what="event of kind stage without its stage",
        remedy="name the stage that began",
    )
