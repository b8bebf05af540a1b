"""Every feature, declared once: name, meaning, unit, group, tables, side, and whether it is a category."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from data.vocabulary import DAYPARTS

Side = Literal["debtor", "claim", "action"]


@dataclass(frozen=True)
class Feature:
    """One column of the model's input.

    `side` tells where it comes from: the debtor, the claim, or the action; never two of them. `null` says what a
    missing value means. A category holds whole codes; the bundle keeps their words.
    """

    name: str
    meaning: str
    unit: str
    tables: str
    side: Side
    null: str = "never"
    category: bool = False


_DEBTOR = (
    Feature("country", "country of the debtor", "code", "debtors", "debtor", "new country", category=True),
    Feature("age", "age at as_of", "years", "debtors", "debtor", "birth date not known"),
    Feature("income_band", "income band last known, none to high", "0-5", "debtor_profiles", "debtor", "not known"),
    Feature("employment", "employment last known", "code", "debtor_profiles", "debtor", "not known", category=True),
    Feature("other_debts", "debts registered elsewhere", "count", "debtor_profiles", "debtor", "not known"),
    Feature("known_days", "days since the debtor was registered", "days", "debtors", "debtor"),
    Feature("open_claims", "open claims", "count", "claims", "debtor"),
    Feature(
        "outstanding_all_log",
        "log of 1 + the outstanding sum of all open claims",
        "log EUR",
        "claims, payments",
        "debtor",
    ),
    Feature("claims_paid", "claims closed as paid", "count", "claims", "debtor"),
    Feature("claims_unpaid", "claims closed for another reason", "count", "claims", "debtor"),
    Feature("claims_365", "claims registered in the last 365 days", "count", "claims", "debtor"),
    Feature("contacts_30", "contacts in the last 30 days", "count", "contacts", "debtor"),
    Feature("contacts_90", "contacts in the last 90 days", "count", "contacts", "debtor"),
    Feature("since_contact", "days since the last contact", "days", "contacts", "debtor", "no contact yet"),
    Feature(
        "last_channel", "channel of the last contact", "code", "contacts", "debtor", "no contact yet", category=True
    ),
    Feature("since_response", "days since the last click or answer", "days", "contact_events", "debtor", "none yet"),
    Feature("promises_kept", "promises kept within three days", "count", "contact_events, payments", "debtor"),
    Feature("promises_broken", "promises not kept", "count", "contact_events, payments", "debtor"),
    Feature("payments_90", "payments in the last 90 days", "count", "payments", "debtor"),
    Feature("payments_365", "payments in the last 365 days", "count", "payments", "debtor"),
    Feature("payments_ever", "payments ever", "count", "payments", "debtor"),
    Feature("since_payment", "days since the last payment", "days", "payments", "debtor", "no payment yet"),
    Feature("since_pay_day", "days since the debtor's pay day, learned or the country's", "days", "payments", "debtor"),
    Feature("pay_day_learned", "1 where the pay day was learned from payments", "flag", "payments", "debtor"),
)

_CLAIM = (
    Feature("sector", "sector of the creditor", "code", "claims", "claim", "new sector", category=True),
    Feature("outstanding_log", "log of 1 + the outstanding sum", "log EUR", "claims, payments", "claim"),
    Feature("share_paid", "share of the principal already paid", "0-1", "claims, payments", "claim"),
    Feature("days_past_due", "days since the due date", "days", "claims", "claim"),
    Feature("claim_days", "days since the claim was registered", "days", "claims", "claim"),
    Feature("claim_payments", "payments on the claim", "count", "payments", "claim"),
    Feature("stage", "stage last entered, pre_due to legal", "0-4", "claim_events", "claim", "not known"),
    Feature("stage_days", "days in that stage", "days", "claim_events", "claim", "not known"),
    Feature("to_next_due", "days to the next due date of the stage", "days", "claim_events", "claim", "not known"),
    Feature("plans_broken", "instalment plans broken", "count", "claim_events", "claim"),
    Feature("since_inbound", "days since the debtor last got in touch", "days", "claim_events", "claim", "never did"),
)

ACTION = (
    Feature("channel", "channel, 0 for none", "code", "grid", "action", category=True),
    Feature("hour", "local hour of sending", "hour", "grid", "action", "no contact"),
    Feature("weekday", "local weekday of sending, 0 = Monday", "0-6", "grid", "action", "no contact"),
    Feature("days_ahead", "days from as_of to sending", "days", "grid", "action", "no contact"),
    Feature(
        "arrival_since_pay_day", "days since the pay day when it arrives", "days", "calendar", "action", "no contact"
    ),
)
"""Features of the action; they vary with the debtor only through a calendar class (date, zone, country, pay day)."""


def _per_channel(channel: str) -> tuple[Feature, ...]:
    return (
        Feature(
            f"reachable_{channel}",
            f"1 with a verified, consented {channel} address",
            "flag",
            "contact_points",
            "debtor",
        ),
        Feature(f"contacts_{channel}", f"contacts by {channel} so far", "count", "contacts", "debtor"),
        Feature(
            f"reach_rate_{channel}",
            f"share of {channel} contacts opened, clicked or answered, shrunk",
            "0-1",
            "contact_events",
            "debtor",
        ),
        Feature(
            f"response_rate_{channel}",
            f"share of {channel} contacts clicked or answered, shrunk",
            "0-1",
            "contact_events",
            "debtor",
        ),
        Feature(
            f"paid_through_{channel}", f"payments that came through a {channel} contact", "count", "payments", "debtor"
        ),
    )


def _per_part(part: str) -> tuple[Feature, ...]:
    return (
        Feature(
            f"reach_rate_{part}",
            f"share of contacts sent in the {part} that were opened, clicked or answered, shrunk",
            "0-1",
            "contact_events",
            "debtor",
        ),
        Feature(
            f"responses_{part}", f"share of clicks and answers in the {part}, shrunk", "0-1", "contact_events", "debtor"
        ),
        Feature(f"payments_{part}", f"share of payments in the {part}, shrunk", "0-1", "payments", "debtor"),
    )


def debtor_features(channels: tuple[str, ...]) -> tuple[Feature, ...]:
    """Features of the debtor for a grid's channels (`none` first)."""
    by_channel = (feature for channel in channels[1:] for feature in _per_channel(channel))
    by_part = (feature for part in DAYPARTS for feature in _per_part(part))
    return (*_DEBTOR, *by_channel, *by_part)


def claim_features() -> tuple[Feature, ...]:
    """Features of the claim."""
    return _CLAIM


def catalogue(channels: tuple[str, ...]) -> tuple[Feature, ...]:
    """All features in the order of the model's columns: debtor, claim, action.

    >>> names = [feature.name for feature in catalogue(("none", "sms"))]
    >>> "response_rate_sms" in names and len(names) == len(set(names))
    True
    """
    return (*debtor_features(channels), *claim_features(), *ACTION)


def names(features: tuple[Feature, ...]) -> tuple[str, ...]:
    """Names in order."""
    return tuple(feature.name for feature in features)
