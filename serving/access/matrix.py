"""Which role may make which call: one table, outside of which nothing is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from serving.access.caller import ROLES
from serving.access.rates import Kind

Call = tuple[str, str]
"""A verb, and a path as its route has it: `("GET", "/reports/{name}")`."""


@dataclass(frozen=True)
class Entry:
    """Who may make a call.

    Parameters
    ----------
    roles
        Those that may; empty where anyone may, without a key.
    kind
        What the call counts as against the caller's limits; None: it is not counted.
    by_session
        Whether a signed-in browser may make it; otherwise it takes a key.
    """

    roles: frozenset[str]
    kind: Kind | None = None
    by_session: bool = False

    @property
    def open(self) -> bool:
        """Whether anyone may, without a key."""
        return not self.roles


class UncoveredRoutes(ValueError):
    """The service's routes and the table of who may call them differ."""


def _only(*roles: str, kind: Kind) -> Entry:
    return Entry(frozenset(roles), kind)


def _page(*roles: str) -> Entry:
    """Something a browser reads: the session does for a key, since reading changes nothing."""
    return Entry(frozenset(roles), "read", by_session=True)


_OPEN = Entry(frozenset())

MATRIX: Mapping[Call, Entry] = MappingProxyType(
    {
        ("POST", "/v1/next-best-action"): _only("collection_system", kind="decide"),
        ("POST", "/v1/next-best-actions"): _only("collection_system", kind="batch"),
        ("POST", "/v1/decisions/{decision_id}/confirm"): _only("collection_system", kind="confirm"),
        ("POST", "/v1/events"): _only("collection_system", kind="events"),
        ("GET", "/v1/decisions/{decision_id}"): _page(*ROLES),
        ("DELETE", "/v1/debtors/{debtor_id}"): _only("data_protection", kind="erase"),
        ("GET", "/reports"): _page("manager", "data_scientist"),
        ("GET", "/reports/{name}"): _page("manager", "data_scientist"),
        ("GET", "/openapi.json"): _page(*ROLES),
        ("GET", "/readyz"): _only("operations", kind="operate"),
        ("GET", "/metrics"): _only("operations", kind="operate"),
        ("GET", "/healthz"): _OPEN,
        ("GET", "/login"): _OPEN,
        ("POST", "/login"): _OPEN,
        ("POST", "/logout"): Entry(frozenset({"manager"}), by_session=True),
    }
)


def call_of(method: str, path: str) -> Call:
    """The call as the table names it: what may be read may be asked for its headers alone."""
    return ("GET" if method == "HEAD" else method, path)


def entry_of(method: str, path: str, *, matrix: Mapping[Call, Entry] = MATRIX) -> Entry | None:
    """Who may make a call; None: nobody.

    >>> entry_of("PUT", "/v1/events") is None
    True
    >>> sorted(entry_of("HEAD", "/metrics").roles)
    ['operations']
    """
    return matrix.get(call_of(method, path))


def routed(app: FastAPI) -> set[Call]:
    """Every call that the application answers, documented or not.

    Raises
    ------
    UncoveredRoutes
        A route has no verbs of its own: a mounted application or a socket, which the table cannot speak for.
    """
    found: set[Call] = set()
    for route in iter_route_contexts(app.routes):
        if not route.path or not route.methods:
            raise UncoveredRoutes(
                f"expected routes with verbs, came {route.path or type(route.original_route).__name__} without: "
                "give each call a route of its own"
            )
        found |= {call_of(method, route.path) for method in route.methods}
    return found


def check_complete(app: FastAPI, *, matrix: Mapping[Call, Entry] = MATRIX) -> None:
    """Makes sure that the table and the application's routes name the same calls.

    Raises
    ------
    UncoveredRoutes
        A route and verb has no entry, or an entry no route.
    """
    calls = routed(app)
    without_entry, without_route = sorted(calls - set(matrix)), sorted(set(matrix) - calls)
    if without_entry or without_route:
        raise UncoveredRoutes(
            f"expected an entry for each route and a route for each entry; without an entry: {_told(without_entry)}; "
            f"without a route: {_told(without_route)}: say in serving/access/matrix.py who may call what"
        )


def _told(calls: list[Call]) -> str:
    return ", ".join(f"{method} {path}" for method, path in calls) or "none"
