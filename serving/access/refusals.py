"""Refusals of a call for who makes it or how often: problems with the headers that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from serving.access.rates import SECOND_US
from serving.problems import Refused

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="rettid"'}


class NotAdmitted(Refused):
    """A call is refused for who makes it, or how often; `headers` belong on the answer."""

    def __init__(self, kind: str, detail: str, *, remedy: str, headers: Mapping[str, str]) -> None:
        super().__init__(kind, detail, remedy=remedy)
        self.headers = dict(headers)


def unauthenticated() -> NotAdmitted:
    """The one answer to a key that is missing, malformed, unknown, wrong, run out or revoked: 401."""
    detail = "the call has no key or session that is good"
    remedy = "send Authorization: Bearer with a key that has not run out, or sign in at /login"
    return NotAdmitted("unauthenticated", detail, remedy=remedy, headers=CHALLENGE)


def forbidden() -> NotAdmitted:
    """The caller is known, and this call is not for their role: 403."""
    remedy = "use a key of a role that may: the roles of each call stand in the documentation"
    return NotAdmitted("forbidden", "this call is not for the caller's role", remedy=remedy, headers={})


def bad_csrf() -> NotAdmitted:
    """A form does not carry the token of the session it is sent in: 403."""
    remedy = "open the page again and send its form"
    return NotAdmitted("csrf", "the form does not belong to this session", remedy=remedy, headers={})


def too_many(left_us: int) -> NotAdmitted:
    """The limit is reached: 429, with the seconds after which the next window begins."""
    headers = {"Retry-After": str(max(1, ceil(left_us / SECOND_US)))}
    remedy = "wait as long as Retry-After says, then go on at a lower rate"
    return NotAdmitted("too-many-requests", "more calls than the limit allows", remedy=remedy, headers=headers)
