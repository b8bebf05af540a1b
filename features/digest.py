"""A short name for what a decision was made of: the same features have the same digest, other features another."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np

from features.pipeline import ClaimRows, Targets

DIGITS = 16


def features_digest(rows: ClaimRows, targets: Targets) -> list[str]:
    """Digest of each moment's features, 16 hexadecimal digits, (d,): the beginning of SHA-256 over its rows, claim after claim.

    Each number counts with all 32 bits, lowest byte first, missing ones too. A moment without an open claim has the digest of
    nothing.

    Parameters
    ----------
    rows
        As `features.pipeline.build` gives them for `targets`.
    """
    matrix = np.ascontiguousarray(rows.matrix, dtype="<f4")
    ends = np.searchsorted(targets.moment, np.arange(len(targets.debtor) + 1)).tolist()
    return [
        hashlib.sha256(matrix[first:end].data if end > first else b"").hexdigest()[:DIGITS]
        for first, end in pairwise(ends)
    ]
