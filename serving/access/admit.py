"""Every call's first question: who makes it, and may they.

`admit_cached` answers without asking the store, or says that it cannot; `admit` asks, and is for a thread. What was found
stands for half a second in each process, so that a key that is revoked is refused everywhere within a second.
"""

from __future__ import annotations

from datetime import datetime

from fastapi import Request

from data.times import to_us
from serving.access.access import Access, Found
from serving.access.caller import ANYONE, Caller
from serving.access.credentials import Shown, shown_by
from serving.access.matrix import Entry, entry_of
from serving.access.rates import Kind
from serving.access.refusals import forbidden, too_many, unauthenticated


def admit_cached(request: Request, *, method: str, path: str, access: Access, now: datetime) -> Caller | None:
    """The caller of a route, if that can be told without the store; None: ask `admit`, in a thread.

    Parameters
    ----------
    path
        The matched route's template, such as `/reports/{name}`.

    Raises
    ------
    serving.access.refusals.NotAdmitted
        Without a good key or session (401), not for this role (403), or too often (429).
    """
    entry, now_us = entry_of(method, path), to_us(now)
    if entry is not None and entry.open:
        return ANYONE
    found = access.cached(_shown(request, entry, access), now_us=now_us)
    return None if found is None else _judged(found, entry, access, now_us=now_us)


def admit(request: Request, *, method: str, path: str, access: Access, now: datetime) -> Caller:
    """The caller of a route, the store asked where that is needed; as `admit_cached` otherwise."""
    entry, now_us = entry_of(method, path), to_us(now)
    if entry is not None and entry.open:
        return ANYONE
    shown = _shown(request, entry, access)
    found = access.cached(shown, now_us=now_us) or access.look_up(shown, now_us=now_us)
    return _judged(found, entry, access, now_us=now_us)


def charge(caller: Caller, kind: Kind, *, cost: int, access: Access, now: datetime) -> None:
    """Counts more against the caller's limits: a batch counts its entries once they are known, the call itself being one.

    Raises
    ------
    serving.access.refusals.NotAdmitted
        The limit is reached (429).
    """
    left_us = access.rates.of_kind[kind].take(caller.key_id, now_us=to_us(now), cost=cost) if cost > 0 else 0
    if left_us:
        raise too_many(left_us)


def _judged(found: Found, entry: Entry | None, access: Access, *, now_us: int) -> Caller:
    caller = found.caller
    if caller is None or now_us >= found.until_us:
        raise unauthenticated()
    if entry is None or caller.role not in entry.roles:
        raise forbidden()
    if entry.kind is not None:
        left_us = access.rates.of_kind[entry.kind].take(caller.key_id, now_us=now_us)
        if left_us:
            raise too_many(left_us)
    return caller


def _shown(request: Request, entry: Entry | None, access: Access) -> Shown:
    return shown_by(request, access.settings, by_session=entry is not None and entry.by_session)
