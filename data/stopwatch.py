"""Where the processor's time goes, part by part."""

from __future__ import annotations

from collections.abc import Callable


class Stopwatch:
    """Adds up seconds by the part of a work that they went into.

    `clock` gives seconds that only rise, such as `time.process_time`.

    >>> ticks = iter([0.0, 3.0, 4.0, 4.0])
    >>> watch = Stopwatch(lambda: next(ticks))
    >>> for part in ("reading", "deciding", "writing"):
    ...     watch.lap(part)
    >>> watch.line()
    'reading 75 %, deciding 25 %'
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self.seconds: dict[str, float] = {}

    def lap(self, part: str) -> None:
        """Counts the time since the last call as that of the part that has just ended."""
        now = self._clock()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._last
        self._last = now

    def line(self) -> str:
        """The share of each part, in the order of their first end; parts that took nothing are left out."""
        total = sum(self.seconds.values())
        return ", ".join(
            f"{part} {spent / total:.0%}".replace("%", " %") for part, spent in self.seconds.items() if spent
        )
