"""The mask over the action grid: every rule in order, what is left, and the first rule that took the last of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.action_grid import NO_ACTION, ActionGrid, BoolArray, CodeArray, Slots
from data.situation import Situation
from data.times import NEVER, IntArray
from models.rules.blocked import RULE as BLOCKED
from models.rules.cease_requested import RULE as CEASE_REQUESTED
from models.rules.channel_not_in_pack import RULE as CHANNEL_NOT_IN_PACK
from models.rules.claim_on_hold import RULE as CLAIM_ON_HOLD
from models.rules.consent_withdrawn import RULE as CONSENT_WITHDRAWN
from models.rules.disputed_claim import RULE as DISPUTED_CLAIM
from models.rules.minor import RULE as MINOR
from models.rules.no_contact_point import RULE as NO_CONTACT_POINT
from models.rules.no_open_claim import RULE as NO_OPEN_CLAIM
from models.rules.nothing_owed import RULE as NOTHING_OWED
from models.rules.opted_out import RULE as OPTED_OUT
from models.rules.pack import Packs
from models.rules.pack import rules_version as version_of
from models.rules.plan_kept import RULE as PLAN_KEPT
from models.rules.point_not_private import RULE as POINT_NOT_PRIVATE
from models.rules.promise_pending import RULE as PROMISE_PENDING
from models.rules.public_holiday import RULE as PUBLIC_HOLIDAY
from models.rules.quiet_hours import RULE as QUIET_HOURS
from models.rules.rule import Barred, Facts, Rule
from models.rules.slot_past import RULE as SLOT_PAST
from models.rules.stop_period import RULE as STOP_PERIOD
from models.rules.unknown_country import RULE as UNKNOWN_COUNTRY
from models.rules.unverified_point import RULE as UNVERIFIED_POINT
from models.rules.wrong_person import RULE as WRONG_PERSON

RULES: tuple[Rule, ...] = (
    SLOT_PAST,
    BLOCKED,
    CEASE_REQUESTED,
    STOP_PERIOD,
    NO_OPEN_CLAIM,
    MINOR,
    NO_CONTACT_POINT,
    UNVERIFIED_POINT,
    POINT_NOT_PRIVATE,
    WRONG_PERSON,
    DISPUTED_CLAIM,
    CLAIM_ON_HOLD,
    PLAN_KEPT,
    PROMISE_PENDING,
    NOTHING_OWED,
    UNKNOWN_COUNTRY,
    CHANNEL_NOT_IN_PACK,
    QUIET_HOURS,
    PUBLIC_HOLIDAY,
    CONSENT_WITHDRAWN,
    OPTED_OUT,
)
"""Stop, then identity, law, preference; company policy (a gap between contacts, caps) has no rule here."""

NO_RULE = -1


@dataclass(frozen=True)
class Mask:
    """What the rules leave of the grid.

    Attributes
    ----------
    allowed
        Actions that no rule bars, shape (n, A); `none` always is one.
    covered
        Open claims that a contact may be about, shape (m,).
    slots
        When each action would be sent.
    channels
        Names of the grid's channels, `none` first.
    channel_rule
        Index in `RULES` of the first rule that left a contact channel without a slot, -1 where one is left,
        shape (n, C).
    claim_rule
        Index in `RULES` of the first rule that holds a claim, -1 where it is covered, shape (m,).
    """

    allowed: BoolArray
    covered: BoolArray
    slots: Slots
    channels: tuple[str, ...]
    channel_rule: CodeArray
    claim_rule: CodeArray

    def blocked(self, debtor: int) -> list[tuple[str, str]]:
        """Channels without any allowed slot for one debtor, each with the rule that took the last."""
        pairs = zip(self.channels[1:], self.channel_rule[debtor].tolist(), strict=True)
        return [(channel, RULES[rule].name) for channel, rule in pairs if rule != NO_RULE]

    def blocked_of_all(self) -> tuple[list[list[tuple[str, str]]], IntArray]:
        """The distinct answers of `blocked`, and which of them is each debtor's, shape (n,)."""
        digits = (len(RULES) + 1) ** np.arange(self.channel_rule.shape[1], dtype=np.int64)
        whole = (self.channel_rule.astype(np.int64) - NO_RULE) @ digits  # a number for each row: it sorts faster
        _, first, which = np.unique(whole, return_index=True, return_inverse=True)
        return [self.blocked(row) for row in first.tolist()], which.astype(np.int64)

    def claim_barred(self, claim: int) -> str | None:
        """Name of the rule that holds one claim, None if it is covered."""
        rule = int(self.claim_rule[claim])
        return None if rule == NO_RULE else RULES[rule].name


def contact_mask(situation: Situation, *, grid: ActionGrid, packs: Packs) -> Mask:
    """Actions allowed to each debtor at its own `as_of`, with a reason for each channel that is shut.

    Every rule is asked in the order of `RULES`; none can open what another has barred.
    """
    facts = Facts.of(situation, grid=grid, packs=packs)
    left = _Left(facts)
    for number, rule in enumerate(RULES):
        left.take_away(rule.bars(facts), number=number)
    return Mask(
        left.allowed(), left.claim_rule == NO_RULE, facts.slots, grid.channels, left.channel_rule, left.claim_rule
    )


def rules_version(packs: Packs) -> str:
    """Fingerprint of the packs and the rules in force, 16 hexadecimal digits."""
    return version_of(packs, rules=[rule.name for rule in RULES])


class _Left:
    """What is left of the grid while the rules speak.

    Slots are in order of time, so that instants become slot numbers: a debtor's channel is open in
    `[low[i], min(high[i], reach[i, c]))`, less what is shut and less the barred slots of its calendar class.
    """

    def __init__(self, facts: Facts) -> None:
        n, channels, slots = facts.situation.size, len(facts.grid.channels) - 1, facts.grid.slots
        self._facts = facts
        self._send_us = facts.slots.send_us[:, 1 : slots + 1]
        self._points = np.ones(len(facts.situation.points.debtor), dtype=bool)
        self._shut = np.zeros((n, channels), dtype=bool)
        self._low = np.zeros(n, dtype=np.int16)
        self._high = np.full(n, slots, dtype=np.int16)
        self._reach = np.full((n, channels), slots, dtype=np.int16)
        self._open = np.ones((len(facts.classes), channels, slots), dtype=bool)
        self._row = (facts.class_of_debtor[:, None] * channels + np.arange(channels)) * (slots + 1)
        self._count()
        self._had = np.ones((n, channels), dtype=bool)
        self.channel_rule = np.full((n, channels), NO_RULE, dtype=np.int16)
        self.claim_rule = np.full(len(facts.situation.claims.debtor), NO_RULE, dtype=np.int16)

    def take_away(self, barred: Barred, *, number: int) -> None:
        """Apply one rule and note where it took the last slot or held a claim."""
        if not any(
            [
                self._hold(barred.claims, number),
                self._drop(barred.points),
                self._shut_channels(barred.channels),
                self._narrow(barred.before_us, barred.from_us),
                self._close(barred.slots),
            ]
        ):
            return
        has = self._has_slot()
        self.channel_rule[self._had & ~has] = number
        self._had = has

    def allowed(self) -> BoolArray:
        """Actions that are left, shape (n, A)."""
        facts, slot = self._facts, np.arange(self._facts.grid.slots, dtype=np.int16)
        inside = self._open[facts.class_of_debtor]
        inside &= (slot >= self._low[:, None])[:, None, :]
        inside &= slot < np.where(self._shut, 0, self._end())[:, :, None]
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
        kept, channels = self._facts.situation.points, self._shut.shape[1]
        cell = kept.debtor[self._points] * channels + kept.channel[self._points] - 1
        until_us = np.zeros(self._shut.size, dtype=np.int64)
        np.maximum.at(until_us, cell, kept.valid_to_us[self._points])
        rows = np.repeat(np.arange(len(self._shut)), channels)
        self._reach = self._slot_at(until_us, rows).reshape(self._shut.shape)
        return True

    def _shut_channels(self, channels: BoolArray | None) -> bool:
        if channels is None or not channels.any():
            return False
        self._shut |= channels
        return True

    def _narrow(self, before_us: IntArray | None, from_us: IntArray | None) -> bool:
        if before_us is not None:
            self._low = np.maximum(self._low, self._slot_at(before_us))
        if from_us is not None:
            self._high = np.minimum(self._high, self._slot_at(from_us))
        return before_us is not None or from_us is not None

    def _close(self, slots: BoolArray | None) -> bool:
        if slots is None:
            return False
        self._open &= ~slots
        self._count()
        return True

    def _slot_at(self, instant_us: IntArray, rows: IntArray | None = None) -> CodeArray:
        """Number of slots that begin before an instant of each debtor, shape as given."""
        send_us = self._send_us
        of_debtor = self._facts.slots.of_debtor if rows is None else self._facts.slots.of_debtor[rows]
        number = np.where(instant_us == NEVER, send_us.shape[1], 0).astype(np.int16)
        inner = np.flatnonzero((instant_us != NEVER) & (instant_us > send_us[of_debtor, 0]))
        number[inner] = np.count_nonzero(send_us[of_debtor[inner]] < instant_us[inner, None], axis=1)
        return number

    def _end(self) -> CodeArray:
        return np.minimum(self._high[:, None], self._reach)

    def _count(self) -> None:
        """Open slots before each slot by calendar class, so that a range is counted by one subtraction."""
        classes, channels, slots = self._open.shape
        self._before = np.zeros((classes, channels, slots + 1), dtype=np.int16)
        np.cumsum(self._open, axis=2, out=self._before[:, :, 1:])

    def _has_slot(self) -> BoolArray:
        low = self._low[:, None]
        before, end = self._before.reshape(-1), np.maximum(self._end(), low)
        has: BoolArray = before.take(self._row + end) > before.take(self._row + low)
        has &= ~self._shut
        return has
