"""What contact points of one debtor say of one another's addresses: loops over the few rows of those who have such words."""

from __future__ import annotations

import numpy as np
from numba import njit

from data.times import NEVER, IntArray
from data.vocabulary import CONSENTS, POINT_KINDS
from features.columns import BoolArray, CodeArray

GIVEN, WITHDRAWN = CONSENTS.index("given"), CONSENTS.index("withdrawn")
PRIVATE = POINT_KINDS.index("private")

AGAINST, SILENT, TAKES_BACK = 1, 0, -1
"""What a row says: a word against its address, nothing, or the opposite, which takes an earlier word back."""


@njit(cache=True, nogil=True)
def own_words(
    owner: IntArray, channel: CodeArray, since: IntArray, verified: IntArray, consent: CodeArray, kind: CodeArray
) -> tuple[IntArray, BoolArray]:
    """When each row says that its own consent is withdrawn, `NEVER` if it does not; rows that another may say something of.

    The latter are of debtors and channels with a word against an address and more than one row.
    """
    size = len(owner)
    withdrawn_us, spoken_of = np.full(size, NEVER), np.zeros(size, dtype=np.bool_)
    for word in range(size):
        if consent[word] == WITHDRAWN:
            withdrawn_us[word] = since[word]
        elif kind[word] <= PRIVATE and verified[word] <= since[word]:
            continue
        if not spoken_of[word]:
            _mark(word, owner, channel, spoken_of)
    return withdrawn_us, spoken_of


@njit(cache=True, nogil=True)
def _mark(word: int, owner: IntArray, channel: CodeArray, spoken_of: BoolArray) -> None:
    """Mark a row and the others of its debtor in its channel, if there are any."""
    first, end = word, word + 1
    while first > 0 and owner[first - 1] == owner[word]:
        first -= 1
    while end < len(owner) and owner[end] == owner[word]:
        end += 1
    for row in range(first, end):
        if row != word and channel[row] == channel[word]:
            spoken_of[row] = spoken_of[word] = True


@njit(cache=True, nogil=True)
def spread(
    start: IntArray,
    channel: CodeArray,
    key: IntArray,
    since: IntArray,
    says: CodeArray,
    from_us: IntArray,
    by: IntArray,
) -> None:
    """Carry words against an address to the debtor's other rows in that channel.

    A word reaches rows that began before it or with it, if they have its key or one of the two has none; and later ones with
    its key that are silent, unless a row with that key took it back in between. `start` are the bounds of each debtor's rows.
    IN and OUT: `from_us`, when the first such word began, and `by`, the row that says it; a row's own word is not told.
    """
    for debtor in range(len(start) - 1):
        first, end = start[debtor], start[debtor + 1]
        for row in range(first, end):
            if says[row] == AGAINST:
                continue
            back = _taken_back(row, first, end, channel, key, since, says)
            for word in range(first, end):
                if says[word] != AGAINST or channel[word] != channel[row]:
                    continue
                same = key[word] == key[row] and key[row] >= 0
                if since[word] >= since[row]:
                    reached = same or key[word] < 0 or key[row] < 0
                else:
                    reached = same and since[word] >= back
                if reached and since[word] < from_us[row]:
                    from_us[row], by[row] = since[word], word


@njit(cache=True, nogil=True)
def _taken_back(
    row: int, first: int, end: int, channel: CodeArray, key: IntArray, since: IntArray, says: CodeArray
) -> int:
    """When words against a row's address were last taken back, by itself or a row that began no later; 0 if never."""
    last = 0
    for other in range(first, end):
        same = channel[other] == channel[row] and key[other] == key[row]
        if same and says[other] == TAKES_BACK and since[other] <= since[row]:
            last = max(last, since[other])
    return last


@njit(cache=True, nogil=True)
def doubt(
    start: IntArray, channel: CodeArray, key: IntArray, since: IntArray, verified: IntArray, doubted_us: IntArray
) -> None:
    """Carry to rows with the same key what a row says that began unverified, if they were verified before it began.

    `verified` is when a row was, `NEVER` where it is not. A row without a key says it of no other: that nobody has confirmed a
    new address is no word against the confirmed one. IN and OUT: `doubted_us`, from when on a row no longer counts as verified.
    """
    for debtor in range(len(start) - 1):
        first, end = start[debtor], start[debtor + 1]
        for word in range(first, end):
            if verified[word] <= since[word] or key[word] < 0:
                continue
            for row in range(first, end):
                same = key[row] == key[word] and channel[row] == channel[word]
                if same and since[row] <= since[word] and verified[row] <= since[word]:
                    doubted_us[row] = min(doubted_us[row], since[word])
