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


def keyed_uniform(texts: TextArray, *, key: str) -> FloatArray:
    """A number in [0, 1) for each text, the same for the same text and key, shape (n,)."""
    secret = key.encode()[:64]
    whole = [int.from_bytes(blake2b(text.encode(), key=secret, digest_size=8).digest(), "big") >> 11 for text in texts]
    return np.array(whole, dtype=np.float64) / 2.0**53
