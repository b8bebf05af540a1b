"""Names the contract uses, each once: tables, channels, kinds, stages, arms."""

from __future__ import annotations

NONE = "none"
CHANNELS = (NONE, "sms", "email", "digital_mailbox", "letter", "phone", "portal")
"""Contract channels; a deployment may add more under `[grid] channels`."""

CONTACT_CHANNELS = CHANNELS[1:]

PAYMENT_OPTIONS = ("link", "direct_debit", "instalments", "qr", "card")
TONES = ("friendly", "neutral", "firm")
CONTENTS = ("plain", "link", "plan_offer")

STAGES = ("pre_due", "reminder", "notice", "collection", "legal")
CLAIM_EVENT_KINDS = (
    "stage",
    "dispute_opened",
    "dispute_closed",
    "hold_placed",
    "hold_lifted",
    "plan_agreed",
    "plan_broken",
    "inbound",
)
CLOSE_REASONS = ("paid", "withdrawn", "written_off", "sold")

CONTACT_EVENT_KINDS = (
    "sent",
    "delivered",
    "bounced",
    "opened",
    "clicked",
    "answered",
    "conversation",
    "voicemail",
    "wrong_person",
    "third_party",
    "promised",
    "opted_out",
    "complained",
)

CONSENTS = ("given", "not_required", "withdrawn")
POINT_KINDS = ("private", "work", "shared", "may_be_childs")
INCOME_BANDS = ("none", "low", "lower_middle", "middle", "upper_middle", "high")
EMPLOYMENTS = ("employed", "self_employed", "student", "retired", "unemployed")

ARMS = ("control", "explore", "champion", "challenger")
SEGMENTS = ("forgot", "short_of_money", "unwilling", "unknown")

DAYPARTS = ("morning", "afternoon", "evening")
DAYPART_STARTS = (12, 17)
"""Local hours at which the afternoon and the evening begin."""


def daypart_of_hour(local_hour: int) -> int:
    """Index in `DAYPARTS` of a local hour 0-23.

    >>> [DAYPARTS[daypart_of_hour(h)] for h in (8, 12, 18)]
    ['morning', 'afternoon', 'evening']
    """
    return 0 if local_hour < DAYPART_STARTS[0] else 1 if local_hour < DAYPART_STARTS[1] else 2
