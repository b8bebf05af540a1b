"""Whether the service can do its work: named checks, put together into 200 or 503.

A check says what is wrong and what to do, never with an exception's words: these may repeat a statement or a path.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

READY, NOT_READY = 200, 503


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, whether it is well, and what there is to say of it."""

    name: str
    ok: bool
    detail: str = ""


Probe = Callable[[], Check]


@dataclass(frozen=True)
class Readiness:
    """What all checks found.

    >>> Readiness((Check("warm", True), Check("disk_space", False, "9 MB left"))).status
    503
    """

    checks: tuple[Check, ...]

    @property
    def status(self) -> int:
        """200 where all is well, else 503."""
        return READY if all(check.ok for check in self.checks) else NOT_READY

    def as_json(self) -> dict[str, object]:
        """As `/readyz` answers it."""
        found = [{"name": one.name, "ok": one.ok, "detail": one.detail} for one in self.checks]
        return {"status": "ready" if self.status == READY else "not ready", "checks": found}

    def by_name(self) -> dict[str, bool]:
        """For `Telemetry.checks`."""
        return {one.name: one.ok for one in self.checks}


def look(probes: Sequence[Probe]) -> Readiness:
    """Every check made, in order; one that breaks is not well."""
    return Readiness(tuple(probe() for probe in probes))


def guarded(name: str, probe: Callable[[], object], *, remedy: str) -> Check:
    """A check that is well where `probe` returns; its exception is told by its class and the remedy alone."""
    try:
        probe()
    except Exception as error:  # noqa: BLE001 (whatever breaks it, it is not well)
        return Check(name, ok=False, detail=f"{type(error).__name__}: {remedy}")
    return Check(name, ok=True)


class Timed:
    """A check with a time limit; one that hangs is not asked again until it has come back.

    Its thread is a daemon: what hangs must not keep the process from ending.
    """

    def __init__(self, name: str, probe: Callable[[], object], *, limit_s: float, remedy: str) -> None:
        self._name = name
        self._probe = probe
        self._limit_s = limit_s
        self._remedy = remedy
        self._lock = threading.Lock()
        self._hanging: threading.Thread | None = None

    def __call__(self) -> Check:
        """The check, within the limit."""
        with self._lock:
            if self._hanging is not None and self._hanging.is_alive():
                return Check(self._name, ok=False, detail=f"an earlier look has not come back: {self._remedy}")
            found: list[Check] = []
            begun = perf_counter()
            thread = threading.Thread(target=self._run, args=(found,), daemon=True)
            thread.start()
            thread.join(self._limit_s)
            self._hanging = thread if thread.is_alive() else None
        if found and perf_counter() - begun <= self._limit_s:
            return found[0]
        return Check(self._name, ok=False, detail=f"took longer than {self._limit_s:g} s: {self._remedy}")

    def _run(self, found: list[Check]) -> None:
        found.append(guarded(self._name, self._probe, remedy=self._remedy))
