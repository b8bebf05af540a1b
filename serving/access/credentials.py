"""What a call shows of itself: a key in its header, or the token of a browser's session in a cookie."""

from __future__ import annotations

import re
from typing import NamedTuple

from fastapi import Request

from serving.access.keys import FORM, digest_of
from serving.access.refusals import unauthenticated
from serving.access.settings import AccessSettings

BEARER = b"bearer "
TOKEN = re.compile(rb"[A-Za-z0-9_-]{43}")


class Shown(NamedTuple):
    """What a call shows of itself: a key's identifier and digest, or the digest of a session (no identifier)."""

    key_id: str | None
    digest: bytes


def shown_by(request: Request, settings: AccessSettings, *, by_session: bool) -> Shown:
    """The key in the header; else, where a browser may make the call, its session.

    Raises
    ------
    serving.access.refusals.NotAdmitted
        There is neither, or it has not the form of one (401).
    """
    given = _headers(request, b"authorization")
    if given:
        key = given[0][len(BEARER) :].strip() if given[0][: len(BEARER)].lower() == BEARER else b""
        form = FORM.fullmatch(key)
        if form is None or len(given) > 1:
            raise unauthenticated()
        return Shown(form[1].decode(), digest_of(key))
    token = session_token(request, settings) if by_session else None
    if token is None:
        raise unauthenticated()
    return Shown(None, digest_of(token))


def session_token(request: Request, settings: AccessSettings) -> bytes | None:
    """The session's token as the browser sends it, if it has the form of one."""
    return _cookie(_headers(request, b"cookie"), settings.cookie.encode())


def form_token(request: Request, settings: AccessSettings) -> bytes | None:
    """The token that the sign-in form belongs to, likewise."""
    return _cookie(_headers(request, b"cookie"), settings.form_cookie.encode())


def _headers(request: Request, name: bytes) -> list[bytes]:
    return [value for given, value in request.scope["headers"] if given == name]


def _cookie(headers: list[bytes], name: bytes) -> bytes | None:
    """A token by its cookie's name; None where it is not there once and well formed."""
    pairs = (pair.strip().partition(b"=") for header in headers for pair in header.split(b";"))
    found = [value for given, _, value in pairs if given == name]
    return found[0] if len(found) == 1 and TOKEN.fullmatch(found[0]) else None
