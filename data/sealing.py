"""Values that nobody can read once a key is gone: sealed with it, opened with it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

KEY_BYTES = 32
NONCE_BYTES = 12
BLOCK_BYTES = 64
"""Of SHA-256, to which HMAC (RFC 2104) fills up its secret."""


class Key:
    """The key of one debtor, claim or contact; what it seals is as lost as the key is."""

    __slots__ = ("_given", "_namer", "_sealer", "secret")

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self._sealer: AESGCM | None = None
        self._namer: AESSIV | None = None
        self._given: dict[str, bytes] = {}

    @staticmethod
    def several(number: int) -> Iterator[Key]:
        """Keys that nobody has seen."""
        drawn = secrets.token_bytes(number * KEY_BYTES)
        return (Key(drawn[begin : begin + KEY_BYTES]) for begin in range(0, len(drawn), KEY_BYTES))

    def seal(self, content: object, *, place: bytes) -> bytes:
        """JSON content by AES-256-GCM; `place` says where it stands, and it can be opened for no other."""
        return self.seal_bytes(orjson.dumps(content), place=place)

    def seal_bytes(self, content: bytes, *, place: bytes) -> bytes:
        """The same for bytes."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._gcm.encrypt(nonce, content, place)

    def open(self, sealed: bytes, *, place: bytes) -> Any:  # noqa: ANN401  # any JSON
        """The inverse of `seal`.

        Raises
        ------
        cryptography.exceptions.InvalidTag
            Sealed with another key, for another place, or changed since.
        """
        return orjson.loads(self.open_bytes(sealed, place=place))

    def open_bytes(self, sealed: bytes, *, place: bytes) -> bytes:
        """The same for bytes."""
        return self._gcm.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)

    def name(self, identifier: str) -> bytes:
        """An identifier by AES-SIV (RFC 5297): the same always gives the same, so that it can be compared and indexed."""
        found = self._given.get(identifier)  # the same few claims are named with every decision on their debtor
        if found is None:
            found = self._given[identifier] = self._siv.encrypt(identifier.encode(), None)
        return found

    def named(self, sealed: bytes) -> str:
        """The inverse of `name`."""
        return self._siv.decrypt(sealed, None).decode()

    # Ciphers are made on first use, by hand: the standard library's way takes a lock each time, at a million keys a night.
    @property
    def _gcm(self) -> AESGCM:
        if self._sealer is None:
            self._sealer = AESGCM(self.secret)
        return self._sealer

    @property
    def _siv(self) -> AESSIV:
        if self._namer is None:
            # A key of its own, drawn from the one that is stored: two ciphers never share one.
            self._namer = AESSIV(hashlib.blake2b(b"identifiers", key=self.secret, digest_size=64).digest())
        return self._namer


class Pseudonyms:
    """Keyed hashes of identifiers: without the log's secret nobody can tell whose one is, nor find it by guessing."""

    def __init__(self, secret: bytes) -> None:
        key = (secret if len(secret) <= BLOCK_BYTES else hashlib.sha256(secret).digest()).ljust(BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))

    def of(self, kind: str, *parts: str) -> str:
        """32 hexadecimal digits of HMAC-SHA256.

        >>> Pseudonyms(b"s").of("debtor", "d1") == Pseudonyms(b"s").of("debtor", "d1") != Pseudonyms(b"t").of("debtor", "d1")
        True
        """
        # A unit separator cannot stand in an identifier, so that no two lists of parts are written alike.
        # By hand, from two hashes that have taken in the secret: the standard library's way prepares them for each call.
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update("\x1f".join((kind, *parts)).encode())
        outer.update(inner.digest())
        return outer.hexdigest()[:32]
