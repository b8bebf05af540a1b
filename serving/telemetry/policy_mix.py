"""How the last decisions spread over the channels, and how those of the batch did."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from threading import Lock

RECENT = 1_000


class RecentDecisions:
    """Channels of the last 1,000 new decisions of this worker.

    Groups leave as a whole, so that between 1,000 and a group's size more are counted.

    >>> recent = RecentDecisions(size=3)
    >>> recent.add({"sms": 2}); recent.add({"none": 2}); recent.counts()
    {'sms': 2, 'none': 2}
    >>> recent.add({"none": 1}); recent.counts()
    {'sms': 0, 'none': 3}
    """

    def __init__(self, *, size: int = RECENT) -> None:
        self._size = size
        self._groups: deque[tuple[int, Mapping[str, int]]] = deque()
        self._counts: dict[str, int] = {}
        self._total = 0
        self._lock = Lock()

    def add(self, channels: Mapping[str, int]) -> None:
        """A group of new decisions; not to be changed by the caller afterwards."""
        with self._lock:
            number = self._count(channels, sign=1)
            self._groups.append((number, channels))
            self._total += number
            while self._total - self._groups[0][0] >= self._size:
                number, gone = self._groups.popleft()
                self._count(gone, sign=-1)
                self._total -= number

    def _count(self, channels: Mapping[str, int], *, sign: int) -> int:
        counted, counts = 0, self._counts
        for channel, number in channels.items():
            counts[channel] = counts.get(channel, 0) + sign * number
            counted += number
        return counted

    def counts(self) -> dict[str, int]:
        """Decisions by channel, also those that have none any more."""
        with self._lock:
            return dict(self._counts)
