"""How many contacts the debtor may have met about a claim: those that covered it, were sent and did not bounce."""

from __future__ import annotations

import numpy as np

from data.stretches import rows_of
from data.times import IntArray
from features.tables import Histories


def contacts_about(histories: Histories, claim: IntArray, as_of_us: IntArray) -> IntArray:
    """Contacts about each claim that were sent, and known of, before its moment and not known by then to have bounced, shape (m,).

    Contacts that cover only other claims of the debtor, those planned for later and decisions to make none do not count.

    Parameters
    ----------
    claim
        Rows in `histories.claims`, shape (m,).
    as_of_us
        Moment of each, shape (m,).
    """
    covers, contacts = histories.covers, histories.contacts
    contact = np.repeat(np.arange(len(contacts.send_us)), np.diff(covers.start))
    met_us = np.maximum.reduce([contacts.send_us[contact], contacts.known_us[contact], covers.known_us])
    target, link = _links_of(covers.claim, claim)
    about = contact[link]
    # A decision to make no contact is never sent.
    counts = (met_us[link] < as_of_us[target]) & (contacts.bounced_us[about] >= as_of_us[target])
    return np.bincount(target[counts], minlength=len(claim)).astype(np.int64)


def _links_of(covered: IntArray, claim: IntArray) -> tuple[IntArray, IntArray]:
    """Every pair of a place in `claim` and a row of `covered` that is that claim, both (pairs,).

    >>> [one.tolist() for one in _links_of(np.array([5, 7, 5]), np.array([7, 5, 9]))]
    [[0, 1, 1], [1, 0, 2]]
    """
    order = np.argsort(covered, kind="stable")
    first, end = (np.searchsorted(covered[order], claim, side=side) for side in ("left", "right"))
    target, place = rows_of(first, end)
    return target, order[place]
