"""Who is let in, as one process knows it: the store, what it said a moment ago, and the counts of calls."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from datetime import datetime
from threading import BoundedSemaphore, Lock
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeout

from data.access_store import AccessStore
from data.times import NEVER, to_us
from serving.access.caller import Caller
from serving.access.credentials import Shown
from serving.access.keys import verify
from serving.access.rates import SECOND_US, rates_of
from serving.access.settings import USUAL, AccessSettings

MOST_KEPT = 1_024
"""Answers of either sort, good and bad; a service has a few dozen good ones."""

PASSWORDS_AT_ONCE = 2
"""Each takes a core for a third of a second: more at a time would hold up decisions."""

STORE_PATIENCE_S = 0.25
"""How long a caller waits for the store of keys; together with the patience for the log this stays under a second."""

ASKED_AT_ONCE = 4

Clock = Callable[[], datetime]


class Found(NamedTuple):
    """What the store said of a digest, when, and until when it holds at most."""

    caller: Caller | None
    at_us: int
    until_us: int


@dataclass
class _Cache:
    """Answers of the store by digest. Bad ones are kept apart, so that no flood of them drives out a good one."""

    good: dict[bytes, Found] = field(default_factory=dict)
    bad: dict[bytes, Found] = field(default_factory=dict)

    def get(self, digest: bytes) -> Found | None:
        return self.good.get(digest) or self.bad.get(digest)

    def keep(self, digest: bytes, found: Found) -> None:
        self.forget(digest)
        kept = self.bad if found.caller is None else self.good
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[digest] = found

    def forget(self, digest: bytes) -> None:
        self.good.pop(digest, None)
        self.bad.pop(digest, None)


class Access:
    """Who is let in, over a store; one for each process.

    Parameters
    ----------
    clock
        Gives the present moment to the sign-in pages; calls of the API bring it with them.
    """

    def __init__(self, store: AccessStore, *, clock: Clock, settings: AccessSettings = USUAL) -> None:
        self.store = store
        self.clock = clock
        self.settings = settings
        self.rates = rates_of(settings.rates)
        self.passwords = BoundedSemaphore(PASSWORDS_AT_ONCE)
        self._cache = _Cache()
        self._asking = ThreadPoolExecutor(ASKED_AT_ONCE, "keys")
        self._asked_again: set[bytes] = set()
        self._keeping = Lock()
        self._cached_us = int(settings.cached_s * SECOND_US)
        self._grace_us = int(settings.outage_grace_s * SECOND_US)
        self._failed_us = -self._cached_us

    def warm_up(self) -> None:
        """Asks the store about nobody, so that the first caller does not wait for what is made ready once."""
        self.store.key("")
        self.store.session(b"")

    def close(self) -> None:
        """Closes the store."""
        self._asking.shutdown(wait=False, cancel_futures=True)
        self.store.close()

    def forget(self, digest: bytes) -> None:
        """The next call with this digest asks the store."""
        with self._keeping:
            self._cache.forget(digest)

    def cached(self, shown: Shown, *, now_us: int) -> Found | None:
        """What the store said, if it was a moment ago. A clock that went back makes it ask again.

        Once half of that moment is over the store is asked behind the caller's back: who calls all the time never waits,
        and a crowd that calls at once does not ask it one by one.
        """
        found = self._cache.get(shown.digest)
        if found is None or not 0 <= now_us - found.at_us < self._cached_us:
            return None
        if 2 * (now_us - found.at_us) >= self._cached_us and shown.digest not in self._asked_again:
            self._ask_again(shown, now_us, instead=found)
        return found

    def _ask_again(self, shown: Shown, now_us: int, *, instead: Found) -> None:
        """Has the store asked in a thread; where that fails, whoever calls when the moment is over meets it."""
        self._asked_again.add(shown.digest)

        def ask() -> None:
            try:
                found = self._asked(shown, now_us)
            except SQLAlchemyError:
                return  # not asked again until the moment is over
            with self._keeping:
                if self._cache.get(shown.digest) is instead:  # what was forgotten meanwhile stays forgotten
                    self._cache.keep(shown.digest, found)
            self._asked_again.discard(shown.digest)

        self._asking.submit(ask)

    def look_up(self, shown: Shown, *, now_us: int) -> Found:
        """What the store says now; where it cannot be asked, what it said last, within the grace.

        Raises
        ------
        sqlalchemy.exc.SQLAlchemyError
            It cannot be asked, and there is no grace.
        """
        self._asked_again.discard(shown.digest)
        last = self._within_grace(shown.digest, now_us)
        # A store that is down makes each caller wait: it is asked again only once in a while by those who can go on.
        if last is not None and 0 <= now_us - self._failed_us < self._cached_us:
            return last
        try:
            found = self._asked_in_time(shown, now_us)
        except SQLAlchemyError:
            self._failed_us = now_us
            if last is None:
                raise
            return last
        self._cache.keep(shown.digest, found)
        return found

    def _within_grace(self, digest: bytes, now_us: int) -> Found | None:
        last = self._cache.good.get(digest)
        return last if last is not None and 0 <= now_us - last.at_us < self._grace_us else None

    def _asked_in_time(self, shown: Shown, now_us: int) -> Found:
        """The same as `_asked`, in a thread of its own: a line that has fallen silent must hold up no caller."""
        asked = self._asking.submit(self._asked, shown, now_us)
        try:
            return asked.result(STORE_PATIENCE_S)
        except FutureTimeout as error:
            asked.cancel()
            raise SQLAlchemyTimeout(f"expected the store of keys within {STORE_PATIENCE_S} s") from error

    def _asked(self, shown: Shown, now_us: int) -> Found:
        nobody = Found(None, now_us, NEVER)
        if shown.key_id is None:
            signed_in = self.store.session(shown.digest)
            if signed_in is None:
                return nobody
            session, manager = signed_in
            caller = Caller(manager.tenant, "manager", session_id(shown.digest), manager.creditors)
            return Found(caller, now_us, to_us(session.expires_at))
        key = verify(self.store, shown.key_id, shown.digest)
        if key is None or key.revoked_at is not None:
            return nobody
        until_us = NEVER if key.expires_at is None else to_us(key.expires_at)
        return Found(Caller(key.tenant, key.role, key.key_id, key.creditors), now_us, until_us)


def session_id(digest: bytes) -> str:
    """What a session is called in logs and counts."""
    return f"session-{digest[:4].hex()}"
