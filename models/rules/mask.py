"""The mask over the action grid: every rule in order, what is left, and the first rule that took the last of it."""

from __future__ import annotations

from dataclasses import dataclass

from data.action_grid import ActionGrid, BoolArray, CodeArray, Slots
from data.situation import Situation
from models.rules.after_conversation import RULE as AFTER_CONVERSATION
from models.rules.blocked import RULE as BLOCKED
from models.rules.cap_per_claim import RULE as CAP_PER_CLAIM
from models.rules.cap_per_debtor import RULE as CAP_PER_DEBTOR
from models.rules.cease_requested import RULE as CEASE_REQUESTED
from models.rules.channel_not_in_pack import RULE as CHANNEL_NOT_IN_PACK
from models.rules.claim_on_hold import RULE as CLAIM_ON_HOLD
from models.rules.consent_withdrawn import RULE as CONSENT_WITHDRAWN
from models.rules.disputed_claim import RULE as DISPUTED_CLAIM
from models.rules.first_in_writing import RULE as FIRST_IN_WRITING
from models.rules.left import NO_RULE, Left
from models.rules.minimum_gap import RULE as MINIMUM_GAP
from models.rules.minor import RULE as MINOR
from models.rules.no_contact_point import RULE as NO_CONTACT_POINT
from models.rules.no_open_claim import RULE as NO_OPEN_CLAIM
from models.rules.not_due import RULE as NOT_DUE
from models.rules.nothing_owed import RULE as NOTHING_OWED
from models.rules.opted_out import RULE as OPTED_OUT
from models.rules.pack import Packs
from models.rules.pack import rules_version as version_of
from models.rules.pack_expired import RULE as PACK_EXPIRED
from models.rules.payment_in_flight import RULE as PAYMENT_IN_FLIGHT
from models.rules.plan_kept import RULE as PLAN_KEPT
from models.rules.point_not_private import RULE as POINT_NOT_PRIVATE
from models.rules.promise_pending import RULE as PROMISE_PENDING
from models.rules.public_holiday import RULE as PUBLIC_HOLIDAY
from models.rules.quiet_hours import RULE as QUIET_HOURS
from models.rules.recent_inbound import RULE as RECENT_INBOUND
from models.rules.rule import Facts, Rule
from models.rules.school_hours import RULE as SCHOOL_HOURS
from models.rules.slot_past import RULE as SLOT_PAST
from models.rules.statutory_period import RULE as STATUTORY_PERIOD
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
    SCHOOL_HOURS,
    DISPUTED_CLAIM,
    CLAIM_ON_HOLD,
    PLAN_KEPT,
    PROMISE_PENDING,
    NOTHING_OWED,
    UNKNOWN_COUNTRY,
    CHANNEL_NOT_IN_PACK,
    PACK_EXPIRED,
    QUIET_HOURS,
    PUBLIC_HOLIDAY,
    STATUTORY_PERIOD,
    FIRST_IN_WRITING,
    PAYMENT_IN_FLIGHT,
    AFTER_CONVERSATION,
    MINIMUM_GAP,
    CAP_PER_DEBTOR,
    CAP_PER_CLAIM,
    CONSENT_WITHDRAWN,
    OPTED_OUT,
    RECENT_INBOUND,
    NOT_DUE,
)
"""Stop, then identity, law, preference, company policy."""


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

    def claim_barred(self, claim: int) -> str | None:
        """Name of the rule that holds one claim, None if it is covered."""
        rule = int(self.claim_rule[claim])
        return None if rule == NO_RULE else RULES[rule].name


def contact_mask(situation: Situation, *, grid: ActionGrid, packs: Packs) -> Mask:
    """Actions allowed to each debtor at its own `as_of`, with a reason for each channel that is shut.

    Every rule is asked in the order of `RULES`; none can open what another has barred.
    """
    facts = Facts.of(situation, grid=grid, packs=packs)
    left = Left(facts)
    for number, rule in enumerate(RULES):
        left.take_away(facts.barred_by(rule), number=number)
    return Mask(
        left.allowed(), left.claim_rule == NO_RULE, facts.slots, grid.channels, left.channel_rule, left.claim_rule
    )


def barring_rule(situation: Situation, *, grid: ActionGrid, packs: Packs, debtor: int, action: int) -> str | None:
    """Name of the first rule that bars one action to a debtor, None where it is allowed.

    Asked for a slot that is barred while its channel has others, of which `blocked` does not tell.
    """
    facts = Facts.of(situation, grid=grid, packs=packs)
    left = Left(facts)
    for number, rule in enumerate(RULES):
        left.take_away(facts.barred_by(rule), number=number)
        if not left.allowed()[debtor, action]:
            return rule.name
    return None


def rules_version(packs: Packs) -> str:
    """Fingerprint of the packs and the rules in force, 16 hexadecimal digits."""
    return version_of(packs, rules=[rule.name for rule in RULES])
