"""Forgot, short of money or unwilling: which of the three a debtor's own history speaks for, learnt as latent classes.

A debtor belongs to one of three segments that nobody sees; each indicator of the history has its own shares of levels in
each segment, and given the segment the indicators do not depend on each other: latent class analysis (P. F. Lazarsfeld and
N. W. Henry, *Latent Structure Analysis*, 1968). `training.segments` fits it; here it is applied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from data.vocabulary import SEGMENTS
from models._segment_kernels import likeliest, log_chances
from models.segments_indicators import INDICATORS, Columns, FloatArray, LevelArray, levels_seen, needed, with_history

FORGOT, SHORT_OF_MONEY, UNWILLING, UNKNOWN = range(len(SEGMENTS))
FILE = "segments.json"

SURE = 0.6
"""Chance below which the segment is `unknown`."""

LEAST_SEEN = 2
"""Indicators of the debtor's own doing that must have been seen."""


@dataclass(frozen=True)
class SegmentModel:
    """Shares of three latent segments, and of each indicator's levels within each.

    Attributes
    ----------
    share
        Of the debtors learnt from, in the order of `vocabulary.SEGMENTS`, sum 1.
    cuts, levels
        By name of the indicator: where its levels part, and each segment's share of each level, shape (3, levels).
    """

    share: tuple[float, ...]
    cuts: Mapping[str, tuple[float, ...]]
    levels: Mapping[str, tuple[tuple[float, ...], ...]]

    @cached_property
    def evidence(self) -> FloatArray:
        """Log chance of each level, 0 for not seen, in the order of `INDICATORS`, shape (indicators, 1 + levels, 3).

        An indicator that the model does not know, or knows with other levels, says nothing.
        """
        found = np.zeros((len(INDICATORS), 1 + max(len(one.words) for one in INDICATORS), UNKNOWN))
        for number, one in enumerate(INDICATORS):
            table, width = np.array(self.levels.get(one.name, ())), len(one.words)
            if table.shape == (UNKNOWN, width):
                found[number, 1 : 1 + width] = np.log(table).T
        return found

    def level(self, columns: Columns, *, size: int) -> LevelArray:
        """Level of each debtor at each indicator, shape (n, indicators), of features by name."""
        return levels_seen(needed(columns, size=size), self.parting)

    @cached_property
    def parting(self) -> FloatArray:
        """Where the levels of each indicator part, behind them nowhere, shape (indicators, cuts)."""
        cuts = [tuple(self.cuts.get(one.name, ())) for one in INDICATORS]
        widest = max(map(len, cuts), default=0)
        return np.array([[*one, *[np.inf] * (widest - len(one))] for one in cuts])

    @cached_property
    def log_share(self) -> FloatArray:
        """Logarithm of the shares, shape (3,)."""
        found: FloatArray = np.log(np.array(self.share))
        return found

    def dump(self) -> dict[str, str]:
        """The model as JSON, by file name."""
        return {FILE: json.dumps(asdict(self), indent=1)}


def load_segments(files: Mapping[str, str]) -> SegmentModel | None:
    """The model that `dump` wrote, None where the bundle has none."""
    if FILE not in files:
        return None
    plain = json.loads(files[FILE])
    return SegmentModel(
        tuple(plain["share"]),
        {name: tuple(cuts) for name, cuts in plain["cuts"].items()},
        {name: tuple(tuple(row) for row in table) for name, table in plain["levels"].items()},
    )


@dataclass(frozen=True)
class Segments:
    """Segment of each debtor: `code` is the index in `vocabulary.SEGMENTS`, shape (n,); `chance` of the three, shape (n, 3)."""

    code: npt.NDArray[np.int64]
    chance: FloatArray
    level: LevelArray
    model: SegmentModel | None

    def why(self, row: int) -> tuple[str, ...]:
        """What spoke most for the segment of debtor `row` against the next one, at most two; nothing for `unknown`."""
        if self.model is None or self.code[row] == UNKNOWN:
            return ()
        first, second = np.argsort(-self.chance[row], kind="stable")[:2].tolist()
        level = self.level[row].tolist()
        spoke = [table[one, first] - table[one, second] for table, one in zip(self.model.evidence, level, strict=True)]
        most = sorted(range(len(spoke)), key=lambda number: -spoke[number])[:2]
        return tuple(INDICATORS[number].words[level[number] - 1] for number in most if spoke[number] > 0)


def segments_of(model: SegmentModel | None, seen: FloatArray) -> Segments:
    """Segment of each debtor; `unknown` below a chance of `SURE`, without history, and where there is no model.

    Parameters
    ----------
    seen
        Features of `segments_indicators.NEEDED`, shape (n, features), NaN for missing.
    """
    if model is None:
        return nobody(len(seen))
    level = levels_seen(seen, model.parting)
    chance = chances(model, level)
    return Segments(likeliest(chance, with_history(level, least=LEAST_SEEN), SURE), chance, level, model)


def chances(model: SegmentModel, level: LevelArray) -> FloatArray:
    """Chance of each segment given the levels seen, shape (n, 3)."""
    chance = np.exp(log_chances(level, model.log_share, model.evidence))
    total: FloatArray = chance / chance.sum(axis=1, keepdims=True)
    return total


def nobody(size: int) -> Segments:
    """Every segment `unknown`."""
    level = np.zeros((size, len(INDICATORS)), dtype=np.int8)
    return Segments(np.full(size, UNKNOWN), np.full((size, UNKNOWN), 1.0 / UNKNOWN), level, None)
