"""What is left of the grid while the rules speak, and the first rule that took the last of it."""

from __future__ import annotations

import numpy as np

from data.action_grid import NO_ACTION, BoolArray, CodeArray
from models._rule_kernels import (
    Open,
    advance,
    begin_at,
    close,
    drop,
    end_at,
    hold,
    reach_of,
    shut,
    write_allowed,
)
from models.rules.rule import NOTHING, Barred, DebtorSlots, Facts, PointSlots

NO_RULE = -1


class Left:
    """What is left of the grid while the rules speak.

    Slots are in order of time, so that instants become slot numbers: a debtor's channel is open in
    `[low[i, c], min(high[i], reach[i, c]))`, less the barred slots of its calendar class, from `sure[i, c]` on also less
    the slots at which none of its points may be used, and less its own barred slots; `first[i, c]` is the first slot that
    is left, and says so where a rule has shut the channel. A rule that takes nothing costs no look at the grid.
    """

    def __init__(self, facts: Facts) -> None:
        n, channels, slots = facts.situation.size, len(facts.grid.channels) - 1, facts.grid.slots
        reach, by_class = np.full((n, channels), slots, dtype=np.int16), (len(facts.classes), channels, slots)
        self._facts = facts
        self._send_us = np.ascontiguousarray(facts.slots.send_us[:, 1 : slots + 1])
        self._points = np.ones(len(facts.situation.points.debtor), dtype=bool)
        self._at: PointSlots | None = None
        self._left = Open(
            low=np.zeros((n, channels), dtype=np.int16),
            high=np.full(n, slots, dtype=np.int16),
            reach=reach,
            sure=reach,
            of_class=facts.class_of_debtor,
            slots=np.ones(by_class, dtype=bool),
            at=np.zeros(by_class, dtype=bool),
            own_row=np.full(n, -1, dtype=np.int64),
            own=np.empty((0, channels, slots), dtype=bool),
        )
        self._dropped = False
        self._first = np.zeros((n, channels), dtype=np.int16)
        self.channel_rule = np.full((n, channels), NO_RULE, dtype=np.int16)
        self.claim_rule = np.full(len(facts.situation.claims.debtor), NO_RULE, dtype=np.int16)

    def take_away(self, barred: Barred, *, number: int) -> None:
        """Apply one rule and note where it took the last slot or held a claim."""
        if barred is not NOTHING and self._take(barred, number):
            advance(self._left, number, self._first, self.channel_rule)

    def allowed(self) -> BoolArray:
        """Actions that are left, shape (n, A)."""
        allowed = np.zeros((self._facts.situation.size, self._facts.grid.size), dtype=bool)
        allowed[:, NO_ACTION] = True
        write_allowed(self._left, self._first, allowed)
        return allowed

    def _take(self, barred: Barred, number: int) -> bool:
        """Apply every kind of bar; gives whether slots may have gone. Whole channels are shut at once."""
        left, of_debtor, some = self._left, self._facts.slots.of_debtor, False
        if barred.claims is not None:
            debtor = self._facts.situation.claims.debtor
            hold(barred.claims, number, debtor, self.claim_rule, self._first, self.channel_rule)
        if barred.channels is not None:
            shut(barred.channels, number, self._first, self.channel_rule)
        if barred.points is not None:
            some |= self._drop(barred.points)
        if barred.points_at is not None:
            some |= self._drop_at(barred.points_at)
        if barred.before_us is not None:
            some |= begin_at(barred.before_us[:, None], of_debtor, self._send_us, left.low)
        if barred.until_us is not None:
            some |= begin_at(barred.until_us, of_debtor, self._send_us, left.low)
        if barred.from_us is not None:
            some |= end_at(barred.from_us, of_debtor, self._send_us, left.high)
        if barred.slots is not None:
            some |= close(barred.slots, left.slots)
        if barred.own is not None:
            some |= self._close_own(barred.own)
        return some

    def _drop(self, points: BoolArray) -> bool:
        if not self._facts.situation.points.known:
            return False
        gone = drop(points, self._points)
        if self._dropped and not gone:
            return False
        self._dropped = True
        self._reach_again()
        return True

    def _drop_at(self, at: PointSlots) -> bool:
        if not self._facts.situation.points.known:
            return False
        # Points of two such rules would share their hours: more than either says, never less.
        old = self._at
        self._at = at if old is None else PointSlots(old.points | at.points, old.slots | at.slots)
        self._left = self._left._replace(at=self._at.slots)
        self._reach_again()
        return True

    def _reach_again(self) -> None:
        """What is within reach of the points that are left, and what is so for certain."""
        reach = self._reach_of(self._points)
        sure = reach if self._at is None else self._reach_of(self._points & ~self._at.points)
        self._left = self._left._replace(reach=reach, sure=sure)

    def _reach_of(self, points: BoolArray) -> CodeArray:
        """Number of slots that begin before the last of some points ends, shape (n, C)."""
        kept, of_debtor = self._facts.situation.points, self._facts.slots.of_debtor
        reach = np.empty_like(self._left.low)
        reach_of(points, kept.debtor, kept.channel, kept.valid_to_us, of_debtor, self._send_us, reach)
        return reach

    def _close_own(self, own: DebtorSlots) -> bool:
        """Bar slots of single debtors."""
        if not len(own.debtor):
            return False
        row, before = self._left.own_row, len(self._left.own)
        new = own.debtor[row[own.debtor] < 0]
        row[new] = before + np.arange(len(new))
        slots = np.concatenate([self._left.own, np.zeros((len(new), *own.slots.shape[1:]), dtype=bool)])
        slots[row[own.debtor]] |= own.slots
        self._left = self._left._replace(own=slots)
        return True
