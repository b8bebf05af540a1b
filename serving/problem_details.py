"""How an error looks on the wire (RFC 9457), for the service that tells it and the client that reads it."""

from __future__ import annotations

from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:rettid:problem:"
"""Before the kind of problem, in its `type`."""


class Fault(BaseModel):
    """One thing that is wrong, and what would be right."""

    where: str = Field(examples=["body.as_of"])
    what: str = Field(examples=["a time without its zone"])
    remedy: str | None = Field(default=None, examples=["add Z or an offset such as +01:00"])


class ProblemDetails(BaseModel):
    """An error, as RFC 9457 writes it, with a remedy, the faults found, and why a decision may not be sent."""

    type: str = Field(examples=["urn:rettid:problem:unknown-debtor"])
    title: str
    status: int
    detail: str
    remedy: str | None = None
    reason: str | None = Field(default=None, examples=["disputed"])
    errors: list[Fault] = []
