"""Keys of programs: how one looks, is issued, replaced and recognised."""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from data.access_store import AccessStore, Key, NameTaken, UnknownName
from serving.access.caller import ROLES

FORM = re.compile(rb"rettid_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
"""`rettid_`, the key's identifier, and 256 random bits: easy to find where one has leaked."""

TRIES = 8
NOBODYS = sha256(b"nobody's").digest()
"""What an unknown key is compared with, so that it takes as long as a wrong one."""

Draw = Callable[[int], bytes]


class BadKeyOrder(ValueError):
    """A key is asked for that would not do what is expected of it."""


@dataclass(frozen=True)
class KeyOrder:
    """What a key is to be for; without `days` it does not run out, without `creditors` it sees all."""

    tenant: str
    role: str
    name: str
    days: int | None = None
    creditors: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise BadKeyOrder(f"expected a role of {', '.join(ROLES)}, came {self.role!r}")
        if self.creditors is not None and self.role != "manager":
            raise BadKeyOrder(f"expected creditors for a manager only, came a {self.role}: leave them out")
        if self.days is not None and self.days < 1:
            raise BadKeyOrder(f"expected at least 1 day, came {self.days}")


def digest_of(secret: bytes) -> bytes:
    """What is kept of a key or token."""
    return sha256(secret).digest()


def issue_key(
    store: AccessStore, order: KeyOrder, *, now: datetime, draw: Draw = secrets.token_bytes
) -> tuple[str, Key]:
    """A new key, to be shown once, and what is kept of it.

    Raises
    ------
    data.access_store.BadName
        The tenant or the key's name is none of ours.
    """
    expires_at = None if order.days is None else now + timedelta(days=order.days)
    template = Key("", b"", order.tenant, order.role, order.name, order.creditors, now, expires_at)
    return _kept(store, template, draw=draw)


def rotate_key(
    store: AccessStore, key_id: str, *, overlap: timedelta, now: datetime, draw: Draw = secrets.token_bytes
) -> tuple[str, Key]:
    """A key that takes another's place and lives as long; the old one runs out after the overlap.

    Raises
    ------
    data.access_store.UnknownName
        There is no such key, or it is no longer good: issue a new one.
    """
    old = store.key(key_id)
    if old is None or not is_good(old, now):
        raise UnknownName(f"expected the identifier of a good key, came '{key_id}': see `rettid keys list`")
    life = None if old.expires_at is None else old.expires_at - old.created_at
    new = replace(old, created_at=now, expires_at=None if life is None else now + life)
    made = _kept(store, new, draw=draw)
    store.end_key(key_id, expires_at=now + overlap, at=now)
    return made


def is_good(key: Key, now: datetime) -> bool:
    """Whether a key is neither revoked nor run out."""
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def verify(store: AccessStore, key_id: str, digest: bytes) -> Key | None:
    """The key whose digest this is; the work is the same for an unknown and for a wrong one."""
    found = store.key(key_id)
    same = secrets.compare_digest(NOBODYS if found is None else found.digest, digest)
    return found if same else None


def _kept(store: AccessStore, template: Key, *, draw: Draw) -> tuple[str, Key]:
    """Draws until the identifier is free: it has 32 bits only."""
    for _ in range(TRIES):
        key_id = draw(4).hex()
        secret = f"rettid_{key_id}_{urlsafe_b64encode(draw(32)).rstrip(b'=').decode()}"
        key = replace(template, key_id=key_id, digest=digest_of(secret.encode()))
        try:
            store.add_key(key)
        except NameTaken:
            continue
        return secret, key
    raise NameTaken(f"{TRIES} identifiers drawn were all taken: try again")
