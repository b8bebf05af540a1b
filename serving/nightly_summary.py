"""What a nightly batch has done, to be told: counted over its parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data.problems import counted
from data.progress import Progress
from data.vocabulary import NONE
from models.sample_ratio import SUSPICIOUS, SampleRatio

NO_CONTROL = (
    "nobody is in the control arm: what the model is worth cannot be measured; give [arms] control a small share"
)
KNEW_LATER = "the model was trained at a later moment than this as_of: as a backtest, these decisions knew the future"


@dataclass(frozen=True)
class NightlySummary:
    """What a batch decided: rows, debtors by the channel of their contact (or `none`) and by arm, and the model.

    `knew_later` is True where the model was trained at a later moment than the one decided for; `found` counts shards that
    an earlier run, cut short, had decided; `processor_time` is the share of each part of this one. `sizes` holds the arms of
    the debtors drawn into them against their shares, None where nobody was; `limits` says what was scarce and what more of it is
    worth, `notices` what somebody should know of the rule packs.
    """

    claims: int
    debtors: int
    by_channel: dict[str, int]
    by_arm: dict[str, int]
    model_version: str
    knew_later: bool
    sizes: SampleRatio | None
    limits: tuple[str, ...]
    notices: tuple[str, ...]
    batch_id: str
    out: Path
    found: int
    processor_time: str

    def lines(self) -> list[str]:
        """The summary to read."""
        contacts = sum(count for channel, count in self.by_channel.items() if channel != NONE)
        channels = ", ".join(f"{channel} {count:,}" for channel, count in sorted(self.by_channel.items()))
        arms = ", ".join(f"{arm} {count:,}" for arm, count in sorted(self.by_arm.items()))
        return [
            f"{counted(self.debtors, 'debtor')} with {counted(self.claims, 'open claim')}: {counted(contacts, 'contact')}",
            f"by channel: {channels or 'none'}",
            f"by arm: {arms or 'none'}",
            f"model {self.model_version}, batch {self.batch_id}, written to {self.out}",
            *([f"{counted(self.found, 'shard')} had been decided by a run that was cut short"] if self.found else []),
            f"processor time: {self.processor_time}",
            *([KNEW_LATER] if self.knew_later else []),
            *self._of_arms(),
            *self.limits,
            *self.notices,
        ]

    def _of_arms(self) -> list[str]:
        """What is amiss with the arms, if anything is."""
        if self.sizes is None:
            return []
        if self.sizes.p_value < SUSPICIOUS:
            return [f"the arms do not have the sizes they were drawn with: {self.sizes.told()}"]
        return [] if "control" in self.sizes.arms else [NO_CONTROL]


@dataclass(frozen=True)
class Tally:
    """What was decided, counted part by part: a debtor stands in one of them only."""

    claims: int
    debtors: int
    channels: Counter[str]
    arms: Counter[str]
    drawn: Counter[str]

    @staticmethod
    def over(tables: Iterator[pa.Table], *, parts: int, progress: Progress) -> Tally:
        """The sum over all parts."""
        claims, debtors, channels, arms, drawn = 0, 0, Counter[str](), Counter[str](), Counter[str]()
        for number, table in enumerate(tables):
            progress("writing", number / (parts + 1))
            claims += table.num_rows
            debtors += pc.count_distinct(table["debtor_id"]).as_py()
            contacts = table.filter(pc.and_(table["lead"], pc.not_equal(table["channel"], NONE)))
            channels.update(contacts["channel"].to_pylist())
            arms.update(_debtors_by_arm(table))
            drawn.update(_debtors_by_arm(table.filter(pc.is_valid(table["arm_probability"]))))
        channels[NONE] = debtors - channels.total()
        return Tally(claims, debtors, channels, arms, drawn)


def _debtors_by_arm(table: pa.Table) -> list[str]:
    """The arm of each debtor of a table, once."""
    arms: list[str] = table.group_by(["debtor_id", "arm"]).aggregate([])["arm"].to_pylist()
    return arms
