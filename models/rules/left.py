"""What is left of the grid while the rules speak, and the first rule that took the last of it."""

from __future__ import annotations

import numpy as np

from data.action_grid import NO_ACTION, BoolArray, CodeArray
from data.times import NEVER, IntArray
from models.rules.rule import Barred, DebtorSlots, Facts, PointSlots

NO_RULE = -1
NOBODY = np.zeros(0, dtype=np.int64)
Rows = IntArray | slice
"""Some debtors in rising order, or all of them."""


class Left:
    """What is left of the grid while the rules speak.

    Slots are in order of time, so that instants become slot numbers: a debtor's channel is open in
    `[low[i, c], min(high[i], reach[i, c]))`, less what is shut, less the barred slots of its calendar class, from
    `sure[i, c]` on also less the slots at which none of its points may be used, and less its own barred slots.
    Slots are counted, not looked at, except those of debtors with barred slots of their own.
    """

    def __init__(self, facts: Facts) -> None:
        n, channels, slots = facts.situation.size, len(facts.grid.channels) - 1, facts.grid.slots
        self._facts = facts
        self._send_us = facts.slots.send_us[:, 1 : slots + 1]
        self._points = np.ones(len(facts.situation.points.debtor), dtype=bool)
        self._shut = np.zeros((n, channels), dtype=bool)
        self._low = np.zeros((n, channels), dtype=np.int16)
        self._high = np.full(n, slots, dtype=np.int16)
        self._reach = np.full((n, channels), slots, dtype=np.int16)
        self._open = np.ones((len(facts.classes), channels, slots), dtype=bool)
        self._at: PointSlots | None = None
        self._sure = self._reach
        self._own = DebtorSlots(np.zeros(0, dtype=np.int64), np.zeros((0, channels, slots), dtype=bool))
        self._row = (facts.class_of_debtor[:, None] * channels + np.arange(channels)) * (slots + 1)
        self._count()
        self._had = np.ones((n, channels), dtype=bool)
        self.channel_rule = np.full((n, channels), NO_RULE, dtype=np.int16)
        self.claim_rule = np.full(len(facts.situation.claims.debtor), NO_RULE, dtype=np.int16)

    def take_away(self, barred: Barred, *, number: int) -> None:
        """Apply one rule and note where it took the last slot or held a claim."""
        wide = [
            self._hold(barred.claims, number),
            self._drop(barred.points),
            self._drop_at(barred.points_at),
            self._shut_channels(barred.channels),
            self._narrow(barred.before_us, barred.from_us),
            self._close(barred.slots),
        ]
        some = np.union1d(self._wait(barred.until_us), self._close_own(barred.own))
        if any(wide):
            self._note(slice(None), number)
        elif len(some):
            self._note(some, number)

    def _note(self, rows: Rows, number: int) -> None:
        """Name the rule where it took the last slot of some debtors."""
        has = self._has_slot(rows)
        self.channel_rule[rows] = np.where(self._had[rows] & ~has, number, self.channel_rule[rows])
        self._had[rows] = has

    def allowed(self) -> BoolArray:
        """Actions that are left, shape (n, A)."""
        facts = self._facts
        inside = self._inside(slice(None))
        inside[self._own.debtor] &= ~self._own.slots
        allowed = np.ones((facts.situation.size, facts.grid.size), dtype=bool)
        allowed[:, NO_ACTION + 1 :] = inside.reshape(facts.situation.size, facts.grid.size - 1)
        return allowed

    def _hold(self, claims: BoolArray | None, number: int) -> bool:
        if claims is None or not claims.any():
            return False
        self.claim_rule[claims & (self.claim_rule == NO_RULE)] = number
        covered = self._facts.situation.claims.debtor[self.claim_rule == NO_RULE]
        self._shut |= (np.bincount(covered, minlength=len(self._shut)) == 0)[:, None]
        return True

    def _drop(self, points: BoolArray | None) -> bool:
        if points is None or not self._facts.situation.points.known:
            return False
        self._points &= ~points
        self._reach = self._reach_of(self._points)
        self._sure = self._reach if self._at is None else self._reach_of(self._points & ~self._at.points)
        return True

    def _drop_at(self, at: PointSlots | None) -> bool:
        if at is None or not self._facts.situation.points.known:
            return False
        # Points of two such rules would share their hours: more than either says, never less.
        old = self._at
        self._at = at if old is None else PointSlots(old.points | at.points, old.slots | at.slots)
        self._sure = self._reach_of(self._points & ~self._at.points)
        self._count()
        return True

    def _reach_of(self, points: BoolArray) -> CodeArray:
        """Number of slots that begin before the last of some points ends, shape (n, C)."""
        kept, channels = self._facts.situation.points, self._shut.shape[1]
        cell = kept.debtor[points] * channels + kept.channel[points] - 1
        until_us = np.zeros(self._shut.size, dtype=np.int64)
        np.maximum.at(until_us, cell, kept.valid_to_us[points])
        rows = np.repeat(np.arange(len(self._shut)), channels)
        return self._slot_at(until_us, rows).reshape(self._shut.shape)

    def _shut_channels(self, channels: BoolArray | None) -> bool:
        if channels is None or not channels.any():
            return False
        self._shut |= channels
        return True

    def _narrow(self, before_us: IntArray | None, from_us: IntArray | None) -> bool:
        if before_us is not None:
            self._low = np.maximum(self._low, self._slot_at(before_us)[:, None])
        if from_us is not None:
            self._high = np.minimum(self._high, self._slot_at(from_us))
        return before_us is not None or from_us is not None

    def _wait(self, until_us: IntArray | None) -> IntArray:
        """Put off the first slot where a wait lasts; gives the debtors for whom it does."""
        if until_us is None:
            return NOBODY
        debtor, channel = np.nonzero(until_us > self._send_us[self._facts.slots.of_debtor, :1])
        first = self._slot_at(until_us[debtor, channel], debtor)
        self._low[debtor, channel] = np.maximum(self._low[debtor, channel], first)
        return debtor.astype(np.int64)

    def _close(self, slots: BoolArray | None) -> bool:
        if slots is None:
            return False
        self._open &= ~slots
        self._count()
        return True

    def _close_own(self, own: DebtorSlots | None) -> IntArray:
        """Bar slots of single debtors; gives the debtors."""
        if own is None or not len(own.debtor):
            return NOBODY
        debtor = np.union1d(self._own.debtor, own.debtor)
        slots = np.zeros((len(debtor), *own.slots.shape[1:]), dtype=bool)
        for one in (self._own, own):
            slots[np.searchsorted(debtor, one.debtor)] |= one.slots
        self._own = DebtorSlots(debtor, slots)
        return own.debtor

    def _slot_at(self, instant_us: IntArray, rows: IntArray | None = None) -> CodeArray:
        """Number of slots that begin before an instant of each debtor, shape as given."""
        send_us = self._send_us
        of_debtor = self._facts.slots.of_debtor if rows is None else self._facts.slots.of_debtor[rows]
        number = np.where(instant_us == NEVER, send_us.shape[1], 0).astype(np.int16)
        inner = np.flatnonzero((instant_us != NEVER) & (instant_us > send_us[of_debtor, 0]))
        number[inner] = np.count_nonzero(send_us[of_debtor[inner]] < instant_us[inner, None], axis=1)
        return number

    def _end(self, rows: Rows) -> CodeArray:
        return np.minimum(self._high[rows, None], self._reach[rows])

    def _count(self) -> None:
        """Open slots before each slot by calendar class, so that a range is counted by one subtraction."""
        self._before = _counted(self._open)
        self._before_unsure = self._before if self._at is None else _counted(self._open & ~self._at.slots)

    def _has_slot(self, rows: Rows) -> BoolArray:
        """Whether a slot is left in each channel of some debtors, shape (k, C)."""
        low, row = self._low[rows], self._row[rows]
        end = np.maximum(self._end(rows), low)
        if self._at is None:
            has = _between(self._before, row + low, row + end)
        else:
            sure = row + np.clip(self._sure[rows], low, end)
            has = _between(self._before, row + low, sure) | _between(self._before_unsure, sure, row + end)
        has &= ~self._shut[rows]
        own, at = self._own_among(rows)
        own, at = own[has[at].any(axis=1)], at[has[at].any(axis=1)]
        has[at] &= (self._inside(self._own.debtor[own]) & ~self._own.slots[own]).any(axis=2)
        return has

    def _own_among(self, rows: Rows) -> tuple[IntArray, IntArray]:
        """Entries of `own` whose debtors are among some rows, and their places there."""
        debtor = self._own.debtor
        if isinstance(rows, slice):
            return np.arange(len(debtor)), debtor
        own = np.flatnonzero(np.isin(debtor, rows))
        return own, np.searchsorted(rows, debtor[own])

    def _inside(self, rows: Rows) -> BoolArray:
        """Slots left to some debtors, their own barred ones apart, shape (k, C, S)."""
        slot = np.arange(self._facts.grid.slots, dtype=np.int16)
        of_debtor, end = self._facts.class_of_debtor[rows], self._end(rows)
        inside = self._open[of_debtor]
        inside &= slot >= self._low[rows][:, :, None]
        inside &= slot < np.where(self._shut[rows], 0, end)[:, :, None]
        if self._at is not None:
            unsure = np.flatnonzero((self._sure[rows] < end).any(axis=1))
            surely = slot < self._sure[rows][unsure][:, :, None]
            inside[unsure] &= ~self._at.slots[of_debtor[unsure]] | surely
        return inside


def _between(before: CodeArray, low: IntArray, end: IntArray) -> BoolArray:
    """Whether a slot is open in [low, end), places in the counts (K, C, S + 1) by debtor and channel, (k, C)."""
    flat = before.reshape(-1)
    some: BoolArray = flat.take(end) > flat.take(low)
    return some


def _counted(is_open: BoolArray) -> CodeArray:
    """Open slots before each slot, shape (K, C, S + 1)."""
    before = np.zeros((*is_open.shape[:2], is_open.shape[2] + 1), dtype=np.int16)
    np.cumsum(is_open, axis=2, out=before[:, :, 1:])
    return before
