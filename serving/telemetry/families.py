"""Every figure the service gives, each declared once: name, what it means, labels."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from serving.telemetry.children import Children
from serving.telemetry.exposition import FOLDER
from serving.telemetry.vocabulary import (
    BACKGROUND,
    CHECKS,
    FALLBACKS,
    RATE_CLASSES,
    ROLES,
    SIGN_IN_FAILURES,
    Vocabulary,
)

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

NEWEST = "newest"
"""Which links of a log's chain are looked at while the service runs."""

Mode = Literal["max", "min", "mostrecent", "livemin", "livemostrecent", "livesum"]
"""How several workers' values become one: `live` leaves out workers that have ended."""


@dataclass(frozen=True)
class Requests:
    """About calls; route and status are bounded by `serving.telemetry.traffic`."""

    answered: Counter
    seconds: Histogram
    rate_limited: Children[Counter]
    sign_in_failures: Children[Counter]


@dataclass(frozen=True)
class Decisions:
    """About what was decided and what came back."""

    made: Children[Counter]
    reused: Counter
    dry_runs: Counter
    blocks: Children[Counter]
    confirmed: Counter
    refused: Children[Counter]
    events: Children[Counter]
    duplicates: Counter
    erasures: Counter
    recent: Children[Gauge]
    batch: Children[Gauge]


@dataclass(frozen=True)
class Condition:
    """About how the service is."""

    fallbacks: Children[Counter]
    bundles_refused: Children[Counter]
    background: Children[Counter]
    model: Gauge
    promoted: Children[Gauge]
    newest_event: Gauge
    base_portfolio: Gauge
    clock: Gauge
    calibration: Gauge
    calibration_decisions: Gauge
    chain: Children[Gauge]
    decide_group: Histogram
    write_group: Histogram
    queue: Gauge
    checks: Children[Gauge]
    disk_free: Gauge


def requests(registry: CollectorRegistry) -> Requests:
    """The figures about calls."""
    limited = _counter("rettid_rate_limited", "Requests refused for coming too fast", registry, "class")
    failures = _counter("rettid_sign_in_failures", "Requests without a good key or session", registry, "reason")
    labels = ("route", "method", "status")
    return Requests(
        answered=Counter("rettid_requests", "Requests answered", labels, registry=registry),
        seconds=Histogram(
            "rettid_request_seconds", "Time to the end of the answer", ("route",), buckets=SECONDS, registry=registry
        ),
        rate_limited=Children(limited, RATE_CLASSES).begun(),
        sign_in_failures=Children(failures, SIGN_IN_FAILURES).begun(),
    )


def decisions(registry: CollectorRegistry, words: Vocabulary) -> Decisions:
    """The figures about decisions, confirmations and events."""
    made = _counter("rettid_decisions", "New decisions", registry, "channel", "arm")
    blocks = _counter("rettid_blocks", "Channels barred in new decisions, by the first rule", registry, "rule")
    refused = _counter("rettid_confirmations_refused", "Decisions told not to be sent", registry, "reason")
    events = _counter("rettid_events", "Events stored", registry, "table")
    recent = _gauge("rettid_recent_decisions", "Of the last 1,000 in each worker", registry, "livesum", "channel")
    batch = _gauge("rettid_batch_decisions", "Of parts of the last batch", registry, "mostrecent", "channel")
    return Decisions(
        made=Children(made, words.channels, words.arms).begun(),
        reused=_counter("rettid_decisions_reused", "Live decisions told again", registry),
        dry_runs=_counter("rettid_dry_runs", "Decisions of another moment, not logged", registry),
        blocks=Children(blocks, words.rules).begun(),
        confirmed=_counter("rettid_confirmations", "Decisions confirmed for sending", registry),
        refused=Children(refused, words.reasons).begun(),
        events=Children(events, words.tables).begun(),
        duplicates=_counter("rettid_events_duplicate", "Events that were stored already", registry),
        erasures=_counter("rettid_erasures", "Debtors erased", registry),
        recent=Children(recent, words.channels),
        batch=Children(batch, words.channels),
    )


def condition(registry: CollectorRegistry) -> Condition:
    """The figures about models, data, queue, checks."""
    fallbacks = _counter("rettid_fallbacks", "Ways of going on with less", registry, "kind")
    bundles = _counter("rettid_bundles_refused", "Models not taken", registry, "role")
    background = _counter("rettid_background_failures", "Work beside the requests that failed", registry, "work")
    return Condition(
        fallbacks=Children(fallbacks, FALLBACKS).begun(),
        bundles_refused=Children(bundles, ROLES).begun(),
        background=Children(background, BACKGROUND).begun(),
        model=_gauge("rettid_model_info", "1 for the model in use", registry, "livemostrecent", "role", "version"),
        promoted=Children(
            _gauge("rettid_model_promoted_timestamp_seconds", "When", registry, "mostrecent", "role"), ROLES
        ),
        newest_event=_gauge("rettid_newest_event_timestamp_seconds", "When it was received", registry, "max"),
        base_portfolio=_gauge("rettid_base_portfolio_timestamp_seconds", "As of", registry, "mostrecent"),
        clock=_gauge("rettid_clock_timestamp_seconds", "The service's clock, now", registry, "livemostrecent"),
        calibration=_gauge("rettid_calibration_ratio", "Observed over promised payments", registry, "mostrecent"),
        calibration_decisions=_gauge("rettid_calibration_decisions", "Matured, behind it", registry, "mostrecent"),
        chain=Children(
            # of all workers the worst, also of one that has ended: what one found broken no other may hide
            _gauge("rettid_log_chain_ok", "1 if the last look found them whole", registry, "min", "links"),
            frozenset({NEWEST}),
        ),
        decide_group=_sizes("rettid_decide_group_size", "Requests decided together", registry),
        write_group=_sizes("rettid_write_group_size", "Entries written in one transaction", registry),
        queue=_gauge("rettid_queue_length", "Requests waiting to be decided or written", registry, "livesum"),
        checks=Children(
            _gauge("rettid_check_ok", "Last look: 1 if well in every tenant", registry, "livemin", "check"), CHECKS
        ),
        disk_free=_gauge("rettid_disk_free_bytes", "Of the workspace's disk", registry, "mostrecent"),
    )


def _counter(name: str, told: str, registry: CollectorRegistry, *labels: str) -> Counter:
    return Counter(name, told, labels, registry=registry)


def _sizes(name: str, told: str, registry: CollectorRegistry) -> Histogram:
    return Histogram(name, told, buckets=SIZES, registry=registry)


def _gauge(name: str, told: str, registry: CollectorRegistry, workers: Mode, *labels: str) -> Gauge:
    """A gauge, and how several workers' values become one; it has no value before one is told."""
    found = Gauge(name, told, labels, registry=registry, multiprocess_mode=workers)
    if not labels and FOLDER not in os.environ:  # between workers a value never told is left out by itself
        found.set(math.nan)
    return found
