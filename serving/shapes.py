"""Requests and answers on the wire, with examples."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
)

from serving.problem_details import ProblemDetails

BATCH_LIMIT = 1_000
FIRST_YEAR, LAST_YEAR = 2000, 2199


def _written(value: object) -> object:
    """A time is text: a bare number could be seconds or milliseconds."""
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("expected an ISO 8601 time with its zone, such as 2026-03-02T09:30:00Z")
    return value


def _in_range(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"expected a year from {FIRST_YEAR} to {LAST_YEAR}")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_range)]
Identifier = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]
Word = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9_-]{1,64}$")]


class Request(BaseModel):
    """A body; a field that is not known is refused rather than overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NextBestActionRequest(Request):
    """Whom to decide for. An `as_of` other than now is a dry run: nothing is reserved or logged."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"debtor_id": "d-1042"}, {"debtor_id": "d-1042", "channels": ["sms", "email"]}]}
    )

    debtor_id: Identifier = Field(description="As in the table `debtors`.")
    claim_ids: Annotated[list[Identifier], Field(min_length=1, max_length=1_000)] | None = Field(
        default=None, description="Only these claims may be covered; by default all that no rule holds."
    )
    as_of: Moment | None = Field(default=None, description="Decide as of another moment, as a dry run.")
    channels: Annotated[list[Word], Field(max_length=64)] | None = Field(
        default=None, description="Only these channels; `none` is always possible."
    )
    not_before: Moment | None = Field(default=None, description="Earliest beginning of the send slot.")
    not_after: Moment | None = Field(default=None, description="Latest end of the send slot.")
    explain: StrictBool = Field(default=False, description="Name the features that spoke most for the action.")
    replace: StrictBool = Field(default=False, description="Decide anew although a decision is live.")


ENTRY: dict[str, Any] = {
    "anyOf": [
        {"$ref": "#/components/schemas/NextBestActionRequest"},
        {"description": "Anything else is answered by an error of its own, and spoils no other entry."},
    ]
}
"""An entry of a batch, as the description has it: what is taken, and what is not refused either."""


class NextBestActionsRequest(Request):
    """Up to 1,000 debtors; each entry is a `NextBestActionRequest` and is answered by itself."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"requests": [{"debtor_id": "d-1042"}, {"debtor_id": "d-2001"}]}]}
    )

    requests: Annotated[
        list[Any],
        Field(
            min_length=1,
            max_length=BATCH_LIMIT,
            json_schema_extra={"items": ENTRY},
        ),
    ]


class EventRequest(Request):
    """One row of a contract table. Sent again under the same `event_id` it counts once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "event_id": "e-77",
                    "table": "payments",
                    "row": {
                        "payment_id": "p-9",
                        "claim_id": "c-7",
                        "debtor_id": "d-1042",
                        "paid_at": "2026-03-02T11:05:00+01:00",
                        "amount": "120.00",
                        "currency": "EUR",
                    },
                }
            ]
        }
    )

    event_id: Identifier = Field(description="The caller's own name for it, the same whenever it is sent again.")
    table: Word = Field(description="Name of a contract table.")
    row: dict[str, Any] = Field(description="Columns of that table: times with their zone, money as decimal text.")


class Blocked(BaseModel):
    """A channel without any allowed slot, and the rule that took the last one."""

    channel: str
    rule: str


class ClaimDecision(BaseModel):
    """The decision as it touches one open claim; `expected_value` in the claim's currency.

    A claim that the contact does not cover has a `decision_id` of its own, with channel `none`.
    """

    claim_id: str
    decision_id: str | None
    covered: bool
    lead: bool
    payment_probability: float
    uplift: float = Field(description="Of that probability over `none`.")
    expected_value: float
    currency: str
    blocked: list[Blocked] = []


class Alternative(BaseModel):
    """Another allowed channel at its best slot, over the same claims; money in EUR."""

    channel: str
    send_at: datetime
    payment_probability: float
    expected_value: float
    currency: Literal["EUR"] = "EUR"


class NextBestAction(BaseModel):
    """One decision for one debtor over its open claims.

    `decision_id` is null where nothing was logged: in a dry run, and for a debtor without an open claim.
    `payment_probability` is the chance of any payment on the covered claims, `expected_value` their sum in EUR.
    """

    decision_id: str | None
    debtor_id: str
    decided_at: datetime
    valid_until: datetime = Field(description="Not to be sent from then on; ask again.")
    channel: str = Field(description="One of the configured channels, or `none`: no contact.")
    send_at: datetime | None = Field(description="Beginning of the send slot; null for `none`.")
    payment_option: str | None
    tone: str | None
    payment_probability: float
    expected_value: float
    currency: Literal["EUR"] = "EUR"
    action_probability: float | None = Field(description="With which exactly this action was chosen, given the arm.")
    arm_probability: float | None
    channel_probability: float | None
    channel_daypart_probability: float | None
    explored: bool
    arm: str | None = Field(description="Null in an answer without the log.")
    segment: str = Field(description="forgot, short_of_money, unwilling or unknown.")
    model_version: str = Field(description="The bundle that valued the actions.")
    policy_version: str = Field(description="Hash of the configuration that chose.")
    rules_version: str = Field(description="Hash of the rules and their packs.")
    reasons: list[str] | None = Field(
        description="What spoke most for the action; null unless `explain` was asked for."
    )
    blocked: list[Blocked]
    claims: list[ClaimDecision]
    alternatives: list[Alternative]
    reused: bool = Field(description="The live decision again; nothing new was decided.")
    dry_run: bool = Field(description="Decided for another moment: nothing is reserved or logged.")
    degraded: bool = Field(
        default=False,
        description="The log could not be reached: no contact, nothing logged, ask again at `valid_until`.",
    )
    status: str = Field(description="decided, confirmed, refused, replaced or sent.")


class BatchAnswer(BaseModel):
    """Either the result or the error of one entry."""

    result: NextBestAction | None = None
    error: ProblemDetails | None = None


class NextBestActions(BaseModel):
    """Answers in the order of the requests."""

    answers: list[BatchAnswer]


class EventAnswer(BaseModel):
    """An event that is on disk. `waits_for` names the table whose row it speaks of has not been received yet."""

    event_id: str
    duplicate: bool = Field(description="It was on disk already; nothing changed.")
    waits_for: str | None = None


class Confirmation(BaseModel):
    """The decision may be sent, at `send_at`."""

    decision_id: str
    status: Literal["confirmed"] = "confirmed"
    debtor_id: str
    channel: str
    send_at: datetime
    valid_until: datetime
    confirmed_at: datetime


class StepTaken(BaseModel):
    """One thing that became of a decision."""

    step: str
    at: datetime
    reason: str | None


class ContactEventSeen(BaseModel):
    """One thing that happened to the contact."""

    at: datetime
    kind: str


class PaymentSeen(BaseModel):
    """A payment on a covered claim within the horizon."""

    payment_id: str
    claim_id: str
    paid_at: datetime
    amount: str
    currency: str
    reversed: bool


class WhatCame(BaseModel):
    """What came of the decision up to now; `mature` once the horizon is over."""

    horizon_days: int
    mature: bool
    contact_events: list[ContactEventSeen]
    payments: list[PaymentSeen]


class StoredDecision(BaseModel):
    """A decision as stored: what was asked, what was chosen among what, under which versions, and what came of it."""

    decision: NextBestAction
    source: str = Field(description="online, or batch.")
    asked: dict[str, Any] | None = Field(description="The request; null for a batch.")
    seen: dict[str, Any] | None = Field(description="What the service knew: its last event and the claims to cover.")
    steps: list[StepTaken]
    outcome: WhatCame


class Erasure(BaseModel):
    """What an erasure did: rows of the log that nobody can read any more, and the link of its chain that proves it."""

    erased_at: datetime
    unreadable: dict[str, int] = Field(
        description="Rows by table; those of `stored_answers` and `subjects` are deleted."
    )
    link: int
    left_to_do: list[str] = Field(description="Where else the debtor may stand, which is not the service's to delete.")


class Health(BaseModel):
    """Alive."""

    status: str


class ReadyCheck(BaseModel):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


class Ready(BaseModel):
    """Ready or not, and why; the model it answers with, and what somebody should know of the rule packs."""

    status: Literal["ready", "not ready"]
    checks: list[ReadyCheck]
    model_version: str | None
    notices: list[str] = Field(description="Such as a country whose own pack was refused; empty where all is well.")
