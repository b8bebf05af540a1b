"""Managers in a browser: signing in, the token that their forms carry, signing out."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from data.access_store import AccessEvent, Manager, Session
from data.times import to_us
from serving.access.access import Access, session_id
from serving.access.keys import digest_of
from serving.access.passwords import is_password
from serving.access.rates import SECOND_US
from serving.access.refusals import bad_csrf, too_many


@dataclass(frozen=True)
class SignIn:
    """Who wants to sign in, from where; what a sign-in form holds is never shown again, nor kept."""

    user: str
    password: str
    address: str


def csrf_of(token: bytes) -> str:
    """The token that a session's forms carry: nobody can work it out who does not have the session's own.

    >>> csrf_of(b"one") == csrf_of(b"two")
    False
    """
    return hmac.new(token, b"csrf", sha256).hexdigest()


def is_csrf(given: str, token: bytes) -> bool:
    """Whether a form belongs to the session, or the sign-in page, of a token."""
    return hmac.compare_digest(csrf_of(token).encode(), given.encode("utf-8", "replace"))


def sign_in(wish: SignIn, *, access: Access, now: datetime) -> str | None:
    """The token of a new session; None where user or password are not right, after the same work in either case.

    Raises
    ------
    serving.access.refusals.NotAdmitted
        Too many sign-ins of this user, or from this address, have failed of late, or too many are being looked at (429).
    """
    if not access.passwords.acquire(blocking=False):
        raise too_many(SECOND_US)
    try:
        _count(wish, access, now)
        manager = access.store.manager(wish.user)
        kept = None if manager is None else manager.password
        right = is_password(wish.password, kept, cost=access.settings.password_cost)
    finally:
        access.passwords.release()
    if manager is None or not right or manager.disabled_at is not None:
        known = ("unknown", None) if manager is None else (manager.user, manager.tenant)
        access.store.note(AccessEvent(now, "sign-in-failed", *known))
        return None
    _uncount(wish, access, now)
    return _begin(manager, access, now)


def sign_out(token: bytes, csrf: str, *, access: Access, now: datetime) -> None:
    """Ends the session of a token.

    Raises
    ------
    serving.access.refusals.NotAdmitted
        The form was not made for this session (403).
    """
    digest = digest_of(token)
    signed_in = access.store.session(digest)
    if signed_in is None:
        return
    session, _manager = signed_in
    if not is_csrf(csrf, token) or not hmac.compare_digest(digest_of(csrf.encode("utf-8", "replace")), session.csrf):
        raise bad_csrf()
    event = AccessEvent(now, "signed-out", session_id(digest), session.tenant)
    access.store.end_session(digest, event=event)
    access.forget(digest)


def drop(token: bytes, *, access: Access, now: datetime) -> None:
    """Ends a session that a new one takes the place of."""
    digest = digest_of(token)
    access.store.end_session(digest, event=AccessEvent(now, "session-replaced", session_id(digest)))
    access.forget(digest)


def _begin(manager: Manager, access: Access, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    digest = digest_of(token.encode())
    csrf = digest_of(csrf_of(token.encode()).encode())
    ends = now + timedelta(hours=access.settings.session_hours)
    session = Session(digest, manager.user, manager.tenant, csrf, now, ends)
    event = AccessEvent(now, "signed-in", f"{manager.user} {session_id(digest)}", manager.tenant)
    access.store.add_session(session, event=event)
    return token


def _count(wish: SignIn, access: Access, now: datetime) -> None:
    """Counts the sign-in as failed until it is right: many at once must not get past the limit."""
    user_us = access.rates.of_user.take(_name(wish), now_us=to_us(now))
    if user_us:
        raise too_many(user_us)
    address_us = access.rates.of_address.take(wish.address, now_us=to_us(now))
    if address_us:
        access.rates.of_user.give_back(_name(wish), now_us=to_us(now))
        raise too_many(address_us)


def _uncount(wish: SignIn, access: Access, now: datetime) -> None:
    access.rates.of_user.give_back(_name(wish), now_us=to_us(now))
    access.rates.of_address.give_back(wish.address, now_us=to_us(now))


def _name(wish: SignIn) -> str:
    """The user as counted; a longer one than there can be is cut, so that counts stay small."""
    return wish.user[:65]
