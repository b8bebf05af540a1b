"""Identifiers in paths, whatever they hold: a `/` that was sent as `%2F` belongs to its segment and ends none."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

HELD = "\udc2f"
"""Stands for a `/` inside a segment while the route is looked for: half of a pair, which no path in UTF-8 can hold."""


class WholeSegments:
    """Has routes see one segment where the caller sent one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on, its path cut where the caller cut it."""
        raw = scope.get("raw_path")
        if raw is not None and b"%" in raw:
            scope["path"] = held(raw)  # in place: whoever counts calls outside reads the route that is found
        await self._app(scope, receive, send)


def held(raw: bytes) -> str:
    """A path as it came over the wire, unquoted, with `HELD` for each `/` within a segment.

    >>> given_back(held(b"/v1/decisions/a%2Fb/confirm"))
    '/v1/decisions/a/b/confirm'
    >>> held(b"/v1/decisions/a%2Fb/confirm").split("/")[3] == f"a{HELD}b"
    True
    """
    return "/".join(unquote_to_bytes(one).decode("utf-8", "replace").replace("/", HELD) for one in raw.split(b"/"))


def given_back(text: str) -> str:
    """The same with each `/` in its place again."""
    return text.replace(HELD, "/")
