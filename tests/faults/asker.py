"""Callers at an even pace, each on a thread of its own, who keep all that they were told."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.faults.calls import Answer, Caller

Call = tuple[str, object]
"""Path and body of a POST."""


@dataclass(frozen=True)
class Said:
    """One call and what came of it; moments are those of the monotonic clock."""

    number: int
    begun: float
    ended: float
    answer: Answer | None

    @property
    def ms(self) -> float:
        """How long it took."""
        return (self.ended - self.begun) * 1_000


@dataclass
class Asker:
    """One caller.

    Parameters
    ----------
    call
        The call of a number, drawn with a generator of the caller's own.
    pace_s
        From the beginning of one call to that of the next; whoever is late by more than a second does not catch up.
    anew
        Opens a connection for each call, as behind a proxy, and ends with the first that is not taken.
    """

    port: int
    key: str
    call: Callable[[int, random.Random], Call]
    pace_s: float
    seed: int = 0
    anew: bool = False
    said: list[Said] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        """Asks until told to stop."""
        caller, rng, due = Caller(self.port, self.key, timeout_s=60), random.Random(self.seed), time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + self.pace_s, time.monotonic() - 1.0)
            number = len(self.said) + 1
            call, begun = self.call(number, rng), time.monotonic()
            answer = caller.post(*call)
            self.said.append(Said(number, begun, time.monotonic(), answer))
            if self.anew:
                caller.close()
                if answer is None:
                    break
        caller.close()


@contextmanager
def asking(askers: Sequence[Asker], stop: threading.Event) -> Iterator[None]:
    """All of them at work; on leaving they are told to stop and have."""
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in askers]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        stop.set()
        for one in threads:
            one.join()
