"""Closed lists of what may stand in a log line or a label: whatever is not in them becomes `other`.

An identifier cannot become a label this way, whoever hands it in, and the number of series is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from data.schemas import SCHEMAS
from data.vocabulary import ARMS

OTHER = "other"

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ROLES = frozenset({"champion", "challenger"})
REASONS = frozenset({
    "replaced", "no_contact", "past_valid_until", "outside_window", "paid", "closed", "disputed", "opted_out",
    "objected", "vulnerable", "not_yet", "erased",
})  # fmt: skip
"""Why a decision may not be sent, besides the names of the rules."""

FALLBACKS = frozenset({
    "store_down", "store_slow", "overloaded", "model_refused", "last_good_model", "no_model", "last_good_pack", "no_pack",
})  # fmt: skip
"""Ways of going on with less: without the store, with the last good model or rule pack, or with `none` for all."""

RATE_CLASSES = frozenset({"decide", "batch", "confirm", "events", "read", "sign_in", "erase", "operate"})
SIGN_IN_FAILURES = frozenset({"unauthenticated", "forbidden", "csrf", "password", "other_tenant"})
CHECKS = frozenset({
    "store_writable", "champion_loaded", "packs_read", "configuration_fits", "disk_space", "warm", "not_draining",
})  # fmt: skip
"""What readiness looks at: see `serving.telemetry.checks`."""

BACKGROUND = frozenset({
    "figures", "tidying", "checks", "models", "base_portfolio", "policy_mix", "chain", "calibration", "old_answers",
})  # fmt: skip
"""What is done beside the requests, again and again: see `serving.watchman`."""

EVENTS = frozenset({
    "request", "request_failed", "unhandled", "library", "background_failed",
    "service_starting", "service_ready", "service_draining", "service_stopping", "service_stopped",
    "worker_started", "worker_died", "worker_refused", "address_in_use",
    "model_loaded", "model_refused", "pack_refused", "configuration_read",
    "store_down", "store_back", "store_slow", "spool_drained", "migration_run",
    "key_made", "key_revoked", "key_refused", "sign_in_refused", "rate_limited",
    "erased", "chain_checked", "chain_broken", "calibration_checked", "decided", "events_received",
    "confirmed", "confirmation_refused", "not_ready", "ready_again",
})  # fmt: skip
"""What a log line may say has happened; its fields say the rest."""


@dataclass(frozen=True)
class Vocabulary:
    """The closed lists that a deployment's configuration and rules decide, beside those that stand fixed.

    Parameters
    ----------
    channels
        Of the action grid, `none` among them.
    rules
        Names of the rules that can bar.
    """

    channels: frozenset[str]
    rules: frozenset[str]
    arms: frozenset[str] = frozenset(ARMS)
    tables: frozenset[str] = frozenset(SCHEMAS)

    @staticmethod
    def of(channels: Iterable[str], *, rules: Iterable[str]) -> Vocabulary:
        """The lists of one deployment.

        >>> Vocabulary.of(["none", "sms"], rules=["quiet_hours"]).reasons >= {"paid", "quiet_hours"}
        True
        """
        return Vocabulary(frozenset(channels), frozenset(rules))

    @property
    def reasons(self) -> frozenset[str]:
        """Why a confirmation may be refused."""
        return REASONS | self.rules
