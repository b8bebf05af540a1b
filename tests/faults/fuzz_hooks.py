"""What Schemathesis cannot know of the service: a key of its own for each request, and debtors that there are."""

from __future__ import annotations

import random
from uuid import uuid4

import schemathesis
from schemathesis import Case, HookContext

from tests.faults.world import debtor_name

KEY = "Idempotency-Key"
KNOWN = 20
"""Debtors of the world that is asked about."""

EXAMPLE = "6f1ed002-ab59-4e3c-9d21-3c2b5e5d0a11"
"""The key of the description's examples: under it one request would be answered, and all others refused, as promised."""


@schemathesis.hook
def before_call(context: HookContext, case: Case, **_kwargs: object) -> None:
    """Puts a fresh key in the place of the example's, and in half of the questions a debtor who is known."""
    if case.headers and case.headers.get(KEY) == EXAMPLE:
        case.headers[KEY] = str(uuid4())
    body = case.body
    if isinstance(body, dict) and body.get("debtor_id") == "d-1042" and case.path.endswith("next-best-action"):
        case.body = {**body, "debtor_id": debtor_name(random.randrange(KNOWN))}
