"""What groups of requests were answered, counted; nothing of it names a debtor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.bundle import Role
from serving.group import Leave, Reply, Task, Tell
from serving.problems import Refused
from serving.shapes import Confirmation, EventAnswer
from serving.telemetry.logs import Log
from serving.telemetry.telemetry import Telemetry
from serving.told_action import ToldAction


@dataclass
class Told:
    """Where it is counted; nowhere, until somebody watches."""

    telemetry: Telemetry | None = None
    log: Log | None = None

    def watch(self, telemetry: Telemetry, log: Log) -> None:
        """From now on it is counted here."""
        self.telemetry, self.log = telemetry, log

    def bundle_refused(self, role: Role, _reason: str) -> None:
        """A promoted bundle that does not decide; why stands in `/readyz`."""
        if self.telemetry is not None:
            self.telemetry.bundle_refused(role)
        if self.log is not None:
            self.log.error("model_refused")

    def not_warm(self, error: Exception) -> None:
        """The decision that was to warm the service up could not be taken."""
        if self.log is not None:
            self.log.error("not_ready", error=error)

    def group(self, tasks: Sequence[Task], replies: Sequence[Reply], *, at: datetime) -> None:
        """A group of requests and what they were answered."""
        if self.telemetry is None:
            return
        self.telemetry.decide_group(len(tasks))
        answers = [reply.said for reply in replies if isinstance(reply.said, ToldAction)]
        if answers:
            self._decided(self.telemetry, answers)
        for task, reply in zip(tasks, replies, strict=True):
            if isinstance(task, Leave):
                self._leave(self.telemetry, reply)
        self._events(self.telemetry, tasks, replies, at)

    def without_log(self, count: int, *, slow: bool) -> None:
        """Requests that were answered with caution: the log could not be reached, or not in time."""
        if self.telemetry is not None:
            self.telemetry.fallback("store_slow" if slow else "store_down", count)
        if self.log is not None:
            self.log.warning("store_slow" if slow else "store_down")

    def _decided(self, telemetry: Telemetry, answers: Sequence[ToldAction]) -> None:
        new = [one for one in answers if one.decision_id is not None and not one.reused]
        telemetry.decided(
            Counter((one.channel, one.arm or "other") for one in new),
            blocks=Counter(blocked["rule"] for one in new for blocked in one.blocked),
            reused=sum(one.reused for one in answers),
            dry_runs=sum(one.dry_run for one in answers),
        )

    def _leave(self, telemetry: Telemetry, reply: Reply) -> None:
        if isinstance(reply.said, Confirmation):
            telemetry.confirmed()
        elif isinstance(reply.said, Refused) and reply.said.problem.reason is not None:
            telemetry.refused(reply.said.problem.reason)

    def _events(self, telemetry: Telemetry, tasks: Sequence[Task], replies: Sequence[Reply], at: datetime) -> None:
        told = [
            (task.request.table, reply.said.duplicate)
            for task, reply in zip(tasks, replies, strict=True)
            if isinstance(task, Tell) and isinstance(reply.said, EventAnswer)
        ]
        if told:
            new = Counter(table for table, duplicate in told if not duplicate)
            telemetry.events(new, newest=at, duplicates=sum(duplicate for _, duplicate in told))
