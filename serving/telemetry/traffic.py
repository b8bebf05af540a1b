"""Requests by route template, method and class of status, and the time each took."""

from __future__ import annotations

from prometheus_client.metrics import Counter, Histogram

from serving.telemetry.families import Requests
from serving.telemetry.fields import TEMPLATE
from serving.telemetry.vocabulary import METHODS, OTHER

MOST_ROUTES = 64
STATUSES = ("other", "1xx", "2xx", "3xx", "4xx", "5xx")


class Traffic:
    """Counts requests; a route is a template of ours, never a path that was asked for."""

    def __init__(self, families: Requests) -> None:
        self._families = families
        self._routes: set[str] = set()
        self._found: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def add(self, route: str, method: str, *, status: int, seconds: float) -> None:
        """One request that was answered."""
        key = (route, method, status // 100)
        pair = self._found.get(key) or self._children(key)
        pair[0].inc()
        pair[1].observe(seconds)

    def _children(self, key: tuple[str, str, int]) -> tuple[Counter, Histogram]:
        route = self._bounded(key[0])
        method = key[1] if key[1] in METHODS else OTHER
        status = key[2] if 1 <= key[2] <= 5 else 0
        pair = (self._families.answered.labels(route, method, STATUSES[status]), self._families.seconds.labels(route))
        if (route, method, status) == key:
            self._found[key] = pair
        return pair

    def _bounded(self, route: str) -> str:
        """The template, `other` for what is none of ours or more than we have."""
        if route in self._routes:
            return route
        if not TEMPLATE.fullmatch(route) or len(self._routes) >= MOST_ROUTES:
            return OTHER
        self._routes.add(route)
        return route
