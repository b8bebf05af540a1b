"""Keyed hashes: identifiers of decisions, the arm of a debtor, the draw of a decision."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]


def keyed_hex(text: str, *, key: str) -> str:
    """32 hexadecimal digits that depend on the text and the key.

    >>> keyed_hex("d1", key="a") == keyed_hex("d1", key="a") != keyed_hex("d1", key="b")
    True
    """
    return blake2b(text.encode(), key=key.encode()[:64], digest_size=16).hexdigest()


DATED = 14
"""Hexadecimal digits of an instant: microseconds until the year 4253."""


def dated_hex(text: str, *, key: str, at_us: int) -> str:
    """An instant and a hash of the text under the key, 32 hexadecimal digits that are in order of the instants.

    >>> one, other = (dated_hex("d1", key="a", at_us=at_us) for at_us in (1_700_000_000_000_000, 1_700_000_000_000_001))
    >>> one < other, one[14:] == other[14:]
    (True, True)
    """
    return _date(at_us) + keyed_hex(text, key=key)[DATED:]


def is_dated(identifier: str, *, at_us: int) -> bool:
    """Whether an identifier begins with the instant, as `dated_hex` makes it.

    >>> is_dated(dated_hex("d1", key="a", at_us=7), at_us=7), is_dated(keyed_hex("d1", key="a"), at_us=7)
    (True, False)
    """
    return identifier.startswith(_date(at_us))


def _date(at_us: int) -> str:
    return f"{at_us % 16**DATED:0{DATED}x}"


def keyed_uniform(texts: TextArray, *, key: str) -> FloatArray:
    """A number in [0, 1) for each text, the same for the same text and key, shape (n,)."""
    secret = key.encode()[:64]
    whole = [int.from_bytes(blake2b(text.encode(), key=secret, digest_size=8).digest(), "big") >> 11 for text in texts]
    return np.array(whole, dtype=np.float64) / 2.0**53
