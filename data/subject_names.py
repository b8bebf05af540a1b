"""Who is meant by a pseudonym, remembered between transactions: a bounded memory that an erasure empties."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from data.sealing import Key, Pseudonyms

MOST = 20_000
"""Subjects kept in memory; the one met longest ago makes room."""


@dataclass(frozen=True)
class Subject:
    """A debtor, or a claim or contact whose debtor was not known; `ref` stands for it in every other table."""

    ref: int
    id: str
    key: Key


class Names:
    """Pseudonyms of a log, and subjects met; safe to share between threads."""

    def __init__(self, secret: bytes, *, most: int = MOST) -> None:
        self.pseudonyms = Pseudonyms(secret)
        self._most = most
        self._erased = 0
        self._kept: OrderedDict[str, Subject] = OrderedDict()
        self._lock = Lock()

    def kept(self, lookups: Iterable[str], *, erased: int) -> dict[str, Subject]:
        """Those of the pseudonyms that are in memory; none, and none from now on, if someone has been erased since."""
        with self._lock:
            if erased != self._erased:
                self._kept.clear()
                self._erased = erased
            found = {one: self._kept[one] for one in lookups if one in self._kept}
            for one in found:
                self._kept.move_to_end(one)
        return found

    def keep(self, found: Mapping[str, Subject], *, erased: int) -> None:
        """Remembers subjects that stand in the data base, as a transaction saw it that knew so many erasures."""
        if len(found) > self._most // 4:
            return  # a night's batch would push out everyone who is asked about by day
        with self._lock:
            if erased == self._erased:
                self._kept.update(found)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
