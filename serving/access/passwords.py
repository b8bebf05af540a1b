"""Passwords of managers: kept as a slow hash with its own salt and its parameters' names."""

from __future__ import annotations

import re
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import scrypt

SHORTEST, LONGEST = 12, 256
KEPT = re.compile(r"scrypt\$n=(\d{1,8}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)")


class WeakPassword(ValueError):
    """A password is too short, or too long to be one."""


@dataclass(frozen=True)
class PasswordCost:
    """Parameters of scrypt; as given, one of the settings that OWASP advises (32 MB of memory)."""

    n: int = 2**15
    r: int = 8
    p: int = 3


def hash_password(password: str, cost: PasswordCost = PasswordCost()) -> str:
    """What is kept of a password.

    Raises
    ------
    WeakPassword
        It has fewer than 12 characters, or more than 256.

    >>> hash_password("short")
    Traceback (most recent call last):
    serving.access.passwords.WeakPassword: expected 12 to 256 characters, came 5: take a few words
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"expected {SHORTEST} to {LONGEST} characters, came {len(password)}: take a few words")
    salt = secrets.token_bytes(16)
    found = b64encode(_scrypt(password, salt, cost)).decode()
    return f"scrypt$n={cost.n},r={cost.r},p={cost.p}${b64encode(salt).decode()}${found}"


def is_password(password: str, kept: str | None, *, cost: PasswordCost) -> bool:
    """Whether this is the password; without one that is kept, as much work is done as with one, and it is not.

    Parameters
    ----------
    cost
        What is spent where nothing is kept: that at which passwords are hashed now.
    """
    parts = None if kept is None else KEPT.fullmatch(kept)
    if parts is None:
        _scrypt(password, bytes(16), cost)
        return False
    n, r, p, salt, expected = parts.groups()
    found = _scrypt(password, b64decode(salt), PasswordCost(int(n), int(r), int(p)))
    return secrets.compare_digest(found, b64decode(expected))


def _scrypt(password: str, salt: bytes, cost: PasswordCost) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    memory = 2 * 128 * cost.n * cost.r
    return scrypt(secret, salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=memory + 2**20, dklen=32)
