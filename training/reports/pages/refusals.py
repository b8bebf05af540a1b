"""Reasons in words: contact rules, and why leave to send was refused."""

from __future__ import annotations

from models.rules.mask import RULES
from training.reports.blocks import Name, Text

PLAIN_REASONS = (
    "replaced",
    "no_contact",
    "not_yet",
    "erased",
    "past_valid_until",
    "outside_window",
    "paid",
    "closed",
    "disputed",
    "opted_out",
    "objected",
    "vulnerable",
)
"""Reasons of a refusal that are no contact rule."""

RULE_NAMES = frozenset(rule.name for rule in RULES)


def rule_title(name: str) -> Text | Name:
    """A contact rule in a few words; by its name where it is none of ours.

    >>> rule_title("quiet_hours").key, rule_title("not_asked")
    ('rule.quiet_hours', Name(text='not_asked'))
    """
    return Text(f"rule.{name}") if name in RULE_NAMES else Name(name)


def reason_title(why: str) -> Text | Name:
    """Why leave to send was refused, in words; empty where it was not told."""
    if not why:
        return Text("data-quality.reason.unknown")
    return Text(f"data-quality.reason.{why}") if why in PLAIN_REASONS else rule_title(why)
