"""The figures of one application, and the calls by which the service tells of what it does.

Each call is cheap (a few look-ups and additions, 1 to 4 µs) and takes counts, so that a group is told of once. Words come
from closed lists (`serving.telemetry.vocabulary`): what is not in them is counted as `other`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry

from serving.telemetry.children import add_each
from serving.telemetry.exposition import exposed
from serving.telemetry.families import NEWEST, condition, decisions, requests
from serving.telemetry.policy_mix import RecentDecisions
from serving.telemetry.traffic import Traffic
from serving.telemetry.vocabulary import OTHER, ROLES, Vocabulary

VERSION = re.compile(r"(?=[a-z0-9-]*[a-z])[a-z0-9-]{1,64}")
MOST_VERSIONS = 64


class Telemetry:
    """Counts what the service does.

    Parameters
    ----------
    words
        The closed lists that labels come from.
    clock
        Gives the present moment, aware; asked when the figures are read.
    """

    def __init__(self, words: Vocabulary, clock: Callable[[], datetime]) -> None:
        self._registry = CollectorRegistry()
        self._clock = clock
        self._requests = requests(self._registry)
        self._decisions = decisions(self._registry, words)
        self._condition = condition(self._registry)
        self._traffic = Traffic(self._requests)
        self._recent = RecentDecisions()
        self._versions: dict[str, str] = {}
        self._seen_versions: set[str] = set()
        self._queue: Callable[[], int] | None = None
        self._newest_event = 0.0
        self._checks: dict[str, dict[str, bool]] = {}
        self.request = self._traffic.add

    def rate_limited(self, kind: str) -> None:
        """One request refused for coming too fast, by its class of calls."""
        self._requests.rate_limited.of(kind).inc()

    def sign_in_failed(self, reason: str) -> None:
        """One request without a good key, session or role."""
        self._requests.sign_in_failures.of(reason).inc()

    def decided(
        self, made: Mapping[tuple[str, str], int], *, blocks: Mapping[str, int], reused: int = 0, dry_runs: int = 0
    ) -> None:
        """A group of answers: new decisions by (channel, arm), channels barred by rule, and answers that are no new ones."""
        channels: dict[str, int] = {}
        for (channel, arm), number in made.items():
            self._decisions.made.of(channel, arm).inc(number)
            channels[channel] = channels.get(channel, 0) + number
        if blocks:
            add_each(self._decisions.blocks, blocks)
        if channels:
            self._recent.add(channels)
        if reused:
            self._decisions.reused.inc(reused)
        if dry_runs:
            self._decisions.dry_runs.inc(dry_runs)

    def confirmed(self, count: int = 1) -> None:
        """Decisions confirmed for sending."""
        self._decisions.confirmed.inc(count)

    def refused(self, reason: str) -> None:
        """One decision told not to be sent, and why."""
        self._decisions.refused.of(reason).inc()

    def events(self, tables: Mapping[str, int], *, newest: datetime, duplicates: int = 0) -> None:
        """Events stored, by table; when the newest was received; how many were there already."""
        add_each(self._decisions.events, tables)
        if duplicates:
            self._decisions.duplicates.inc(duplicates)
        moment = newest.timestamp()
        if moment > self._newest_event:
            self._newest_event = moment
            self._condition.newest_event.set(moment)

    def erased(self, count: int = 1) -> None:
        """Debtors erased."""
        self._decisions.erasures.inc(count)

    def fallback(self, kind: str, count: int = 1) -> None:
        """Answers, or starts, that went on with less."""
        self._condition.fallbacks.of(kind).inc(count)

    def model(self, role: str, version: str, *, promoted_at: datetime) -> None:
        """The model in use as champion or challenger; called when it is loaded."""
        role, version = role if role in ROLES else OTHER, self._bounded(version)
        before = self._versions.get(role)
        if before is not None and before != version:
            self._condition.model.labels(role, before).set(0)
        self._versions[role] = version
        self._condition.model.labels(role, version).set(1)
        self._condition.promoted.of(role).set(promoted_at.timestamp())

    def bundle_refused(self, role: str) -> None:
        """A model that was promoted and is not taken."""
        self._condition.bundles_refused.of(role).inc()

    def background_failed(self, kind: str) -> None:
        """Work beside the requests that failed."""
        self._condition.background.of(kind).inc()

    def decide_group(self, size: int) -> None:
        """Requests decided together."""
        self._condition.decide_group.observe(size)

    def write_group(self, size: int) -> None:
        """Entries written in one transaction."""
        self._condition.write_group.observe(size)

    def watch_queue(self, length: Callable[[], int]) -> None:
        """How to ask for the number of requests waiting; asked by `refresh`."""
        self._queue = length

    def base_portfolio(self, as_of: datetime) -> None:
        """Moment of the base portfolio in use."""
        self._condition.base_portfolio.set(as_of.timestamp())

    def batch_mix(self, channels: Mapping[str, int]) -> None:
        """Decisions of the last batch by channel, to hold the service's own against."""
        for channel, number in channels.items():
            self._decisions.batch.of(channel).set(number)

    def calibration(self, expected: float, observed: float, *, n: int) -> None:
        """Mean promised chance of payment and share that paid, of `n` matured decisions; nothing where none was promised."""
        self._condition.calibration_decisions.set(n)
        if n > 0 and expected > 0:
            self._condition.calibration.set(observed / expected)

    def chain(self, *, ok: bool) -> None:
        """What the last look at the decision log's chain found."""
        self._condition.chain.of(NEWEST).set(ok)

    def checks(self, found: Mapping[str, bool], *, tenant: str = "") -> None:
        """What readiness found in a tenant, by name of the check; one that fails in any tenant is told as failing."""
        for name, ok in found.items():
            told = self._checks.setdefault(name, {})
            told[tenant] = ok
            self._condition.checks.of(name).set(all(told.values()))

    def disk_free(self, free_bytes: int) -> None:
        """Room on the disk of the workspace."""
        self._condition.disk_free.set(free_bytes)

    def refresh(self) -> None:
        """Brings figures up to date that are kept elsewhere; called when they are read and, in each worker, every few seconds."""
        self._condition.clock.set(self._clock().timestamp())
        if self._queue is not None:
            self._condition.queue.set(self._queue())
        for channel, number in self._recent.counts().items():
            self._decisions.recent.of(channel).set(number)

    def text(self) -> bytes:
        """All figures as Prometheus reads them, of all workers; `serving.telemetry.exposition.MEDIA_TYPE` goes with it."""
        self.refresh()
        return exposed(self._registry, self._clock())

    def _bounded(self, version: str) -> str:
        """A model's version as it may stand in a label."""
        if version in self._seen_versions:
            return version
        if not VERSION.fullmatch(version) or len(self._seen_versions) >= MOST_VERSIONS:
            return OTHER
        self._seen_versions.add(version)
        return version
