"""Signing in and out with a browser: three calls, which find the access at `request.app.state.access`.

They ask for themselves who calls, whatever the application around them does.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

from serving.access.access import Access
from serving.access.admit import admit
from serving.access.credentials import form_token, session_token
from serving.access.login_page import HEADERS, login_page, sign_out_form
from serving.access.refusals import NotAdmitted
from serving.access.sessions import SignIn, csrf_of, drop, is_csrf, sign_in, sign_out
from serving.problem_details import Fault, ProblemDetails
from serving.problems import Refused, invalid

router = APIRouter()
LARGEST_FORM = 4_096
FORM_TYPE = "application/x-www-form-urlencoded"
AFTER = "/reports"
PAGES = frozenset({"/reports", "/reports/{name}", "/logout"})
"""Calls that a browser makes by itself: without a session they lead to the sign-in page."""


def _form(*names: str) -> dict[str, Any]:
    """What the description says of a form's body."""
    fields = {name: {"type": "string"} for name in names}
    schema = {"type": "object", "required": list(names), "properties": fields, "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {FORM_TYPE: {"schema": schema}}}}


def _told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"description": "Refused", "model": ProblemDetails} for status in statuses}


_PAGE: dict[str, Any] = {"description": "The sign-in page, with what went wrong", "content": {"text/html": {}}}
_MOVED: dict[int | str, dict[str, Any]] = {303: {"description": "Go on at Location"}}


@router.get("/login", response_class=HTMLResponse, tags=["sign in"])
async def login_form(request: Request) -> HTMLResponse:
    """The sign-in page."""
    return _page(_access(request), status=200)


@router.post(
    "/login",
    response_class=RedirectResponse,
    status_code=303,
    responses={**_MOVED, 401: _PAGE, 403: _PAGE, 429: _PAGE, **_told(400, 413, 415, 422)},
    openapi_extra=_form("user", "password", "csrf"),
    tags=["sign in"],
)
async def login(request: Request) -> Response:
    """Signs a manager in: a session's cookie, and on to the reports."""
    access = _access(request)
    fields = await read_form(request, names=("user", "password", "csrf"))
    mine = form_token(request, access.settings)
    if mine is None or not is_csrf(fields["csrf"], mine):
        return _page(access, status=403, told="The form was too old, or cookies are off. Please sign in again.")
    address = request.client.host if request.client else "unknown"
    wish, now = SignIn(fields["user"], fields["password"], address), access.clock()
    try:
        token = await run_in_threadpool(sign_in, wish, access=access, now=now)
    except NotAdmitted as refused:
        told = "Too many tries. Please wait and sign in again later."
        return _page(access, status=429, told=told, headers=refused.headers)
    if token is None:
        return _page(access, status=401, told="User or password is not right.")
    earlier = session_token(request, access.settings)
    if earlier is not None:
        await run_in_threadpool(drop, earlier, access=access, now=now)
    return _signed_in(access, token)


@router.post(
    "/logout",
    response_class=RedirectResponse,
    status_code=303,
    responses={**_MOVED, **_told(400, 401, 403, 413, 415, 422)},
    openapi_extra=_form("csrf"),
    tags=["sign in"],
)
async def logout(request: Request) -> Response:
    """Ends the session, and on to the sign-in page."""
    access = _access(request)
    await run_in_threadpool(admit, request, method="POST", path="/logout", access=access, now=access.clock())
    fields = await read_form(request, names=("csrf",))
    token = session_token(request, access.settings)
    if token is not None:
        await run_in_threadpool(sign_out, token, fields["csrf"], access=access, now=access.clock())
    answer = RedirectResponse("/login", 303, headers=HEADERS)
    _drop_cookie(answer, access.settings.cookie, access)
    return answer


async def read_form(request: Request, *, names: tuple[str, ...]) -> dict[str, str]:
    """The fields of a small form.

    Raises
    ------
    serving.problems.Refused
        Another content type (415), too large (413), or not exactly these fields, once each (422).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise Refused("unsupported-media-type", f"expected a form of type {FORM_TYPE}", remedy="send the page's form")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            detail = f"the form has more than {LARGEST_FORM:,} bytes"
            raise Refused("too-large", detail, remedy="send the page's form")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=len(names))
    except ValueError as error:  # also what is not ASCII or UTF-8
        raise _not_the_form(names) from error
    if sorted(name for name, _ in pairs) != sorted(names):
        raise _not_the_form(names)
    return dict(pairs)


def sign_in_instead(request: Request, path: str, *, refused: Refused) -> Response | None:
    """The way to the sign-in page, where a browser asks for a page without a session; None: answer the refusal itself.

    Parameters
    ----------
    path
        The matched route's template.
    """
    wants_page = "text/html" in request.headers.get("accept", "")
    if refused.problem.status != 401 or path not in PAGES or not wants_page or "authorization" in request.headers:
        return None
    return RedirectResponse("/login", 303, headers=HEADERS)


def sign_out_of(request: Request) -> str:
    """A form that ends the session in which a page is asked for; empty for a caller with a key."""
    token = session_token(request, _access(request).settings)
    return "" if token is None or "authorization" in request.headers else sign_out_form(csrf_of(token))


def _access(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


def _not_the_form(names: tuple[str, ...]) -> Refused:
    remedy = f"send {', '.join(names)}, once each, in UTF-8"
    return invalid([Fault(where="body", what="not the form of this page", remedy=remedy)])


def _page(
    access: Access, *, status: int, told: str | None = None, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """The sign-in page under a fresh token of its own."""
    token = secrets.token_urlsafe(32)
    page = HTMLResponse(login_page(csrf_of(token.encode()), told=told), status, {**HEADERS, **(headers or {})})
    _set_cookie(page, access.settings.form_cookie, token, access=access)
    return page


def _signed_in(access: Access, token: str) -> Response:
    answer = RedirectResponse(AFTER, 303, headers=HEADERS)
    seconds = int(access.settings.session_hours * 3600)
    _set_cookie(answer, access.settings.cookie, token, access=access, seconds=seconds)
    _drop_cookie(answer, access.settings.form_cookie, access)
    return answer


def _set_cookie(answer: Response, name: str, value: str, *, access: Access, seconds: int | None = None) -> None:
    secure = access.settings.secure_cookies
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="strict")


def _drop_cookie(answer: Response, name: str, access: Access) -> None:
    answer.delete_cookie(name, path="/", secure=access.settings.secure_cookies, httponly=True, samesite="strict")
