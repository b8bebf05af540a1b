"""All measures of a portfolio's quality together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from data.quality import contract
from data.quality import coverage as coverage_
from data.quality import timeline as timeline_
from data.quality.channels import HEADING as CHANNELS_HEADING
from data.quality.channels import Channels, channels
from data.quality.coverage import Coverage, coverage
from data.quality.decisions import HEADING as DECISIONS_HEADING
from data.quality.decisions import Decisions, decisions
from data.quality.duplicates import HEADING as DUPLICATES_HEADING
from data.quality.duplicates import Duplicates, duplicates
from data.quality.finding import Finding
from data.quality.freshness import HEADING as FRESHNESS_HEADING
from data.quality.freshness import Freshness, freshness
from data.quality.hours import HEADING as HOURS_HEADING
from data.quality.hours import Hours, hours
from data.quality.linked import linked
from data.quality.machine import HEADING as MACHINE_HEADING
from data.quality.machine import Machine, machine
from data.quality.money import HEADING as MONEY_HEADING
from data.quality.money import Money, money
from data.quality.probabilities import HEADING as PROBABILITIES_HEADING
from data.quality.probabilities import Probabilities, probabilities
from data.quality.tally import Tally
from data.quality.timeline import Timeline, timeline

FINE: Mapping[str, str] = {
    contract.HEADING: "nothing breaks the contract",
    coverage_.HEADING: "every table is there, and no column is there for nothing",
    timeline_.HEADING: "no table falls silent for longer than is usual for it",
    CHANNELS_HEADING: "something is heard of every channel, from its first contacts to its last",
    DECISIONS_HEADING: "every event belongs to a contact, contacts were sent, and no contact is recorded too",
    MONEY_HEADING: "payments fit their claims in time and amount",
    HOURS_HEADING: "clocks of all places look right",
    MACHINE_HEADING: "opens and clicks look like people",
    DUPLICATES_HEADING: "nothing is told twice",
    PROBABILITIES_HEADING: "every contact says how probable its action was, and chance had a part",
    FRESHNESS_HEADING: "what happens becomes known in good time",
}
"""What is said under a heading where nothing was found."""

HEADINGS = tuple(FINE)


@dataclass(frozen=True)
class Quality:
    """Measures of one portfolio or of some of its shards."""

    coverage: Coverage
    timeline: Timeline
    channels: Channels
    decisions: Decisions
    money: Money
    hours: Hours
    machine: Machine
    duplicates: Duplicates
    probabilities: Probabilities
    freshness: Freshness

    def plus(self, other: Quality) -> Quality:
        """Both together, as if their rows stood in one portfolio."""
        return Quality(
            self.coverage.plus(other.coverage),
            self.timeline.plus(other.timeline),
            self.channels.plus(other.channels),
            self.decisions.plus(other.decisions),
            self.money.plus(other.money),
            self.hours.plus(other.hours),
            self.machine.plus(other.machine),
            self.duplicates.plus(other.duplicates),
            self.probabilities.plus(other.probabilities),
            self.freshness.plus(other.freshness),
        )

    def findings(self) -> list[Finding]:
        """What is worth telling, in the order of the headings."""
        return [
            *self.coverage.findings(),
            *self.timeline.findings(),
            *self.channels.findings(),
            *self.decisions.findings(),
            *self.money.findings(),
            *self.hours.findings(),
            *self.machine.findings(),
            *self.duplicates.findings(),
            *self.probabilities.findings(),
            *self.freshness.findings(),
        ]

    def as_dict(self) -> dict[str, Any]:
        """Every measure as rows for JSON and pages."""
        return {
            "coverage": self.coverage.rows(),
            "timeline": self.timeline.rows(),
            "channels": {"horizon_days": self.channels.horizon_days, "rows": self.channels.rows()},
            "decisions": self.decisions.rows(),
            "money": self.money.rows(),
            "hours": self.hours.rows(),
            "machine": self.machine.rows(),
            "duplicates": self.duplicates.rows(),
            "probabilities": self.probabilities.rows(),
            "freshness": self.freshness.rows(),
        }


def measure(tables: Mapping[str, pa.Table], *, given: frozenset[str], stored: Tally, horizon_days: float) -> Quality:
    """Quality of tables in contract types, whatever is wrong in their rows.

    Parameters
    ----------
    given
        Names of the tables that were really there.
    stored
        (table, column) of what the files hold, from `data.quality.coverage.stored_columns`.
    horizon_days
        Days from a decision in which a payment counts.
    """
    together = linked(tables)
    return Quality(
        coverage(tables, given=given, stored=stored),
        timeline(tables),
        channels(together, horizon_days=horizon_days),
        decisions(together),
        money(together),
        hours(together),
        machine(together),
        duplicates(together),
        probabilities(together),
        freshness(tables, horizon_days=horizon_days),
    )
