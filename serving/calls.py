"""What the description says of each call beside its shapes: a summary, examples, and the problems it may answer with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from serving import examples
from serving.access.matrix import Call
from serving.event_examples import EVENTS
from serving.examples import Example

Named = Mapping[str, Example]


@dataclass(frozen=True)
class Told:
    """What is said of one call.

    Parameters
    ----------
    problems
        Kinds of `serving.problems.KINDS`.
    asked, answered, refused
        Bodies by name; `refused` stands for a 503 that is no problem.
    beside
        What a body that keeps to its shape is refused for all the same, told with the status 422.
    led_to_sign_in
        Whether a browser without a session is led to the sign-in page.
    """

    summary: str
    problems: tuple[str, ...] = ()
    asked: Named = field(default_factory=dict)
    answered: Named = field(default_factory=dict)
    refused: Named = field(default_factory=dict)
    beside: str = ""
    led_to_sign_in: bool = False


KEYED = ("unauthenticated", "forbidden", "too-many-requests", "log-unavailable")
"""Any call that takes a key: the log here is also that of the keys."""

POSTED = (*KEYED, "too-large", "invalid", "key-reused", "still-running", "overloaded")
WITH_BODY = (*POSTED, "bad-json", "unsupported-media-type")

_ASKED: Named = {
    "one debtor": {"debtor_id": "d-1042"},
    "narrowed": {
        "debtor_id": "d-1042",
        "claim_ids": ["c-7"],
        "channels": ["sms", "email"],
        "not_before": "2026-03-10T12:00:00+01:00",
        "not_after": "2026-03-13T18:00:00+01:00",
        "explain": True,
    },
    "a dry run": {"debtor_id": "d-1042", "as_of": "2026-03-12T08:00:00+01:00"},
}
_FORM = {"user": "anna", "password": "four words are enough", "csrf": "from the page"}

_BESIDE_ASKED = (
    "Beside the shape: every one of `channels` is offered, times are of the years 2000 to 2199, `as_of` lies at most "
    "366 days ahead, `not_before` before `not_after`, and `claim_ids` are claims of this debtor."
)
_BESIDE_TOLD = (
    "Beside the shape: `table` is one of the contract, `row` keeps to it, its currency has an exchange rate, its claim "
    "and contact are of its debtor, and a payment is in the currency of its claim."
)

CALLS: Mapping[Call, Told] = {
    ("POST", "/v1/next-best-action"): Told(
        "What to do next about one debtor",
        (*WITH_BODY, "unknown-debtor", "not-ready"),
        asked=_ASKED,
        answered={"a contact": examples.DECISION, "without the log": examples.DEGRADED},
        beside=_BESIDE_ASKED,
    ),
    ("POST", "/v1/next-best-actions"): Told(
        "What to do next about many debtors",
        WITH_BODY,
        asked={"two debtors": {"requests": [{"debtor_id": "d-1042"}, {"debtor_id": "d-2001"}]}},
        answered={"a result and an error": examples.BATCH},
    ),
    ("POST", "/v1/decisions/{decision_id}/confirm"): Told(
        "Whether a decision may be sent now",
        (*POSTED, "unknown-decision", "not-to-be-sent", "not-ready"),
        answered={"send it": examples.CONFIRMATION},
    ),
    ("POST", "/v1/events"): Told(
        "Tell what happened",
        (*WITH_BODY, "event-conflict", "erased"),
        asked=EVENTS,
        answered={"on disk": examples.TAKEN, "waits for its claim": examples.WAITING},
        beside=_BESIDE_TOLD,
    ),
    ("GET", "/v1/decisions/{decision_id}"): Told(
        "A decision and what came of it",
        (*KEYED, "unknown-decision", "invalid"),
        answered={"sent and paid on": examples.STORED},
    ),
    ("DELETE", "/v1/debtors/{debtor_id}"): Told(
        "Erase a debtor", (*KEYED, "unknown-debtor", "invalid"), answered={"erased": examples.ERASURE}
    ),
    ("GET", "/reports"): Told("The list of reports", (*KEYED, "invalid"), led_to_sign_in=True),
    ("GET", "/reports/{name}"): Told("One report", (*KEYED, "not-found"), led_to_sign_in=True),
    ("GET", "/openapi.json"): Told("This description", KEYED, answered={"its beginning": {"openapi": "3.1.0"}}),
    ("GET", "/readyz"): Told(
        "Whether the service can answer",
        KEYED,
        answered={"ready": examples.READY},
        refused={"not ready": examples.NOT_READY},
    ),
    ("GET", "/metrics"): Told("Figures for Prometheus", KEYED),
    ("GET", "/healthz"): Told("Whether the process lives", answered={"alive": examples.ALIVE}),
    ("GET", "/login"): Told("The sign-in page"),
    ("POST", "/login"): Told(
        "Sign in", ("bad-json", "too-large", "unsupported-media-type", "invalid"), asked={"a manager": _FORM}
    ),
    ("POST", "/logout"): Told(
        "Sign out",
        ("bad-json", "unauthenticated", "csrf", "too-large", "unsupported-media-type", "invalid"),
        asked={"the page's form": {"csrf": "from the page"}},
    ),
}
