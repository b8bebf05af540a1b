"""A graceful stop: not ready at once, new requests answered for a while, those begun finished, then the end."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

GRACE_S = 3.0
"""How long new requests are still answered after the stop was asked for: longer than a proxy takes to look at `/readyz`."""

FINISH_S = 5
"""For `uvicorn.run(timeout_graceful_shutdown=...)`: with the grace before it the whole stop takes less than 10 s."""


class Draining:
    """Whether a stop was asked for, and what happens then."""

    def __init__(self, *, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._begun = threading.Event()

    @property
    def active(self) -> bool:
        """Whether a stop was asked for."""
        return self._begun.is_set()

    def begin(self) -> None:
        """From now on the service is not ready."""
        self._begun.set()

    @contextmanager
    def on_stop_signals(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Puts the grace before what the server does on SIGTERM and SIGINT; entered in the application's lifespan.

        A second SIGTERM changes nothing (a supervisor and the system both send one); a second SIGINT ends the grace.
        Where no server has set handlers, or in another thread than the main one, nothing is changed.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        theirs = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        ours = {number: handler for number, handler in theirs.items() if _of_a_server(handler)}
        for number, handler in ours.items():
            signal.signal(number, self._graceful(handler, loop))
        try:
            yield
        finally:
            for number, handler in ours.items():
                signal.signal(number, handler)

    def _graceful(self, theirs: Any, loop: asyncio.AbstractEventLoop) -> Any:  # noqa: ANN401 (handlers have no public type)
        """The server's handler, called when the grace is over."""

        def handle(number: int, frame: FrameType | None) -> None:
            if not self.active:
                self.begin()
                loop.call_soon_threadsafe(lambda: loop.call_later(self._grace_s, theirs, number, frame))
            elif number == signal.SIGINT:
                theirs(number, frame)

        return handle


def _of_a_server(handler: object) -> bool:
    """Whether a handler was set by a server, and is not the system's or Python's own."""
    return callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler)
