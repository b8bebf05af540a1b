"""Decisions that effects over `none` are learnt from: chances of every channel, and an action of every channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import dayparts_of
from features.catalogue import action_features
from features.pipeline import Matrix
from training.logged.chances import ChanceSettings, Decisions, action_chances
from training.logged.folds import TooFewUnits
from training.logged.loggers import CERTAIN, tell_loggers
from training.logged.multinomial import FitSettings
from training.rows import TrainingRows

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

FEWEST_NONE = 50
"""Rows without contact below which nothing over `none` is learnt."""
FEWEST_DRAWN = 500
"""Rows of drawn decisions from which on only those are compared: nothing unrecorded moved them."""
LEAST_CHANCE = 0.02
"""Rows in which `none` or the channel had a smaller chance are not compared (Crump, Hotz, Imbens and Mitnik 2009)."""


class NoNoneRows(ValueError):
    """The log does not tell what is paid without contact, or not among decisions that could have been contacts."""


@dataclass(frozen=True)
class Sample:
    """Rows whose decision could have been another one, shape (n,) each unless told.

    Attributes
    ----------
    known
        Debtor and claim side, shape (n, K).
    actions
        Action side under each channel, shape (C, n, 8): the row's own under its channel, under others that of a
        decision of that channel in the same country, drawn at random.
    chance
        Of each channel given what was known, shape (n, C).
    learn
        Whether the row may be learnt from; the others lie in the later slice.
    """

    known: Matrix
    actions: Matrix
    paid: FloatArray
    channel: IntArray
    debtor: IntArray
    chance: FloatArray
    learn: BoolArray

    def __len__(self) -> int:
        return len(self.paid)

    def cells(self, code: int, rows: BoolArray | IntArray | None = None) -> Matrix:
        """Model input of rows under a channel, shape (k, F); all rows for None."""
        if rows is None:
            return np.hstack([self.known, self.actions[code]])
        return np.hstack([self.known[rows], self.actions[code][rows]])

    def compared(self, code: int) -> BoolArray:
        """Rows in which this channel and `none` both had a fair chance."""
        fair: BoolArray = np.nan_to_num(np.minimum(self.chance[:, code], self.chance[:, 0])) >= LEAST_CHANCE
        return fair


def sample_of(
    rows: TrainingRows, learn: BoolArray, *, later: BoolArray, channels: int, threads: int, rng: np.random.Generator
) -> Sample:
    """Rows of both parts that can be compared, those of drawn decisions if there are `FEWEST_DRAWN` of them.

    Raises
    ------
    NoNoneRows
        Too few decisions without contact, or none of them could have been a contact.
    """
    _require_none(rows, learn)
    chosen = np.flatnonzero(comparable(rows, learn | later, channels=channels))
    log = _decisions(rows, chosen, channels=channels)
    settings = ChanceSettings(FitSettings(most_rounds=100, threads=threads))
    try:
        chance = action_chances(log, settings=settings, rng=rng).channel
    except TooFewUnits as error:
        raise NoNoneRows(f"too few debtors among decisions that could have been others: {error}") from error
    width = len(rows.names) - len(action_features())
    found = Sample(
        known=rows.matrix[chosen, :width],
        actions=_actions(rows, chosen, learn=learn, channels=channels, rng=rng),
        paid=rows.paid[chosen].astype(np.float64),
        channel=log.channel.astype(np.int64),
        debtor=rows.debtor[chosen],
        chance=chance,
        learn=learn[chosen],
    )
    _require_overlap(found, channels)
    return found


def _require_none(rows: TrainingRows, learn: BoolArray) -> None:
    paid = rows.paid[learn & (rows.channel == 0)]
    if len(paid) < FEWEST_NONE or paid.all() or not paid.any():
        raise NoNoneRows(
            f"the log holds {len(paid):,} decisions for `none` to learn from, {int(paid.sum()):,} of them paid: expected at "
            f"least {FEWEST_NONE} with both outcomes. Nothing over `none` can be learnt: log decisions against contact too, "
            "draw some at random, or train lightgbm or per_channel"
        )


def _require_overlap(sample: Sample, channels: int) -> None:
    if not any(sample.compared(code)[sample.learn].any() for code in range(1, channels)):
        raise NoNoneRows(
            f"in none of {int(sample.learn.sum()):,} decisions did both `none` and a contact have a chance of "
            f"{LEAST_CHANCE:g}: expected a log in which some decisions could have been others; draw some at random"
        )


def comparable(rows: TrainingRows, part: BoolArray, *, channels: int) -> BoolArray:
    """Rows of drawn decisions, or where they are too few those of every logger that did not decide for certain, shape (r,).

    Parameters
    ----------
    part
        Rows to choose from, shape (r,).
    """
    here = np.flatnonzero(part)
    chance = rows.action_probability[here]
    loggers = tell_loggers(
        rows.policy[here], rows.channel[here], decided_us=rows.decided_us[here], action_probability=chance,
        channels=channels,
    )  # fmt: skip
    drawn, found = np.zeros(len(rows), dtype=np.bool_), np.zeros(len(rows), dtype=np.bool_)
    drawn[here] = loggers.is_kind("drawn") & np.isfinite(chance) & (chance < CERTAIN)
    found[here] = ~loggers.is_kind("decided")
    enough = drawn.sum() >= FEWEST_DRAWN and (drawn & (rows.channel == 0)).sum() >= FEWEST_NONE
    return drawn if enough else found


def _decisions(rows: TrainingRows, chosen: IntArray, *, channels: int) -> Decisions:
    hour = np.nan_to_num(rows.matrix[chosen, rows.names.index("hour")], nan=-1.0).astype(np.int64)
    channel = rows.channel[chosen]
    return Decisions(
        features=rows.matrix[chosen, : len(rows.names) - len(action_features())],
        channel=channel,
        part=np.where(channel > 0, dayparts_of(hour), -1),
        policy=rows.policy[chosen],
        decided_us=rows.decided_us[chosen],
        unit=rows.debtor[chosen],
        group=_country(rows, chosen),
        action_probability=rows.action_probability[chosen],
        channels=channels,
    )


def _country(rows: TrainingRows, chosen: IntArray) -> IntArray:
    code: IntArray = np.nan_to_num(rows.matrix[chosen, rows.names.index("country")], nan=-1.0).astype(np.int64) + 1
    return code


def _actions(
    rows: TrainingRows, chosen: IntArray, *, learn: BoolArray, channels: int, rng: np.random.Generator
) -> Matrix:
    """Action side of each chosen row under each channel, shape (C, n, 8)."""
    width = len(rows.names) - len(action_features())
    own, country = rows.matrix[chosen, width:], _country(rows, chosen)
    found = np.full((channels, *own.shape), np.nan, dtype=rows.matrix.dtype)
    for code in range(channels):
        found[code, :, 0] = code
        givers = np.flatnonzero(learn[chosen] & (rows.channel[chosen] == code))
        if code == 0 or not len(givers):
            continue
        giver = rng.choice(givers, len(chosen))
        for place in np.unique(country).tolist():
            here, near = np.flatnonzero(country == place), givers[country[givers] == place]
            giver[here] = rng.choice(near, len(here)) if len(near) else giver[here]
        found[code] = own[giver]
        mine = rows.channel[chosen] == code
        found[code, mine] = own[mine]
    return found
