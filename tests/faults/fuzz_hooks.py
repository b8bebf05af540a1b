"""What Schemathesis cannot know of the service: debtors that there are, and what a description's shapes cannot say.

Two of its checks are held here in a stricter form: data that keeps to the shape is refused only for what the description
tells beside the shape, or for a number that is told to be too long or too large, and an answer takes at most a second, for a batch a few milliseconds more for each entry.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response

from tests.faults.world import debtor_name

KEY = "Idempotency-Key"
KNOWN = 20
"""Debtors of the world that is asked about."""

EXAMPLE = "6f1ed002-ab59-4e3c-9d21-3c2b5e5d0a11"
"""The key of the description's examples: under it one request would be answered, and all others refused, as promised."""

SLOWEST_S = 1.0
ENTRY_S = 0.01

BESIDE = {
    "/v1/next-best-action": re.compile(r"body\.(channels|as_of|not_before|not_after|claim_ids)\b.*"),
    "/v1/events": re.compile(r"body\.(table|row\b.*)"),
}
"""Places of a body that a shape cannot speak for in full, by call."""


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], **_kwargs: object) -> None:
    """Puts a fresh key in the place of the example's, and in half of the questions a debtor who is known."""
    if case.headers and case.headers.get(KEY) == EXAMPLE:
        case.headers[KEY] = str(uuid4())
    body = case.body
    if isinstance(body, dict) and body.get("debtor_id") == "d-1042" and case.path.endswith("next-best-action"):
        case.body = {**body, "debtor_id": debtor_name(random.randrange(KNOWN))}


@schemathesis.check
def refused_only_for_what_is_told(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """A request that keeps to the description's shapes is a 422 only for a reason told beside them."""
    positive = case.meta is None or case.meta.generation.mode.is_positive
    if not positive or response.status_code not in (400, 405, 413, 415, 422):
        return
    problem: dict[str, Any] = json.loads(response.content)
    if problem["type"].endswith(":key-reused") or problem["detail"].startswith("a number"):
        return
    assert response.status_code == 422, f"{response.status_code} for its shape: {problem['detail']}"
    told = BESIDE.get(case.operation.path)
    strange = [one["where"] for one in problem["errors"] if told is None or not told.fullmatch(one["where"])]
    assert not strange, f"refused at {strange}, of which the description says nothing"


@schemathesis.check
def answered_in_time(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """An answer within a second, and for each entry of a batch some milliseconds."""
    entries = case.body.get("requests") if isinstance(case.body, dict) else None
    longest_s = SLOWEST_S + ENTRY_S * (len(entries) if isinstance(entries, list) else 0)
    assert response.elapsed <= longest_s, f"expected an answer within {longest_s:.1f} s, came {response.elapsed:.1f} s"
