"""Chance of what was decided, at the level of the channel and of the channel's part of the day: logged, else estimated.

A log holds the chance of exactly one (channel, slot). Of the channel it tells the chance exactly in three cases: for `none`,
which has one slot; where it is 1; and where the log names the channel's own chance. In all others it is a least value only
(a channel's chance is the sum over its slots, of which the log shows one), so the channel's chance is estimated from
what was known about debtor and claim, and never set below the logged one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from data.vocabulary import DAYPARTS
from training.logged.folds import folds_by_unit
from training.logged.loggers import CERTAIN, Kind, Loggers, tell_loggers
from training.logged.multinomial import FitSettings, Matrix, estimate_chances

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]
CodeArray = npt.NDArray[np.int16]

Level = Literal["channel", "part"]
UNKNOWN, LOGGED, ESTIMATED = 0, 1, 2
SOURCES = ("unknown", "logged", "estimated")
FEWEST_DEBTORS = 30
"""Debtors of a logger below which its shares are its chances: nothing can be learnt across folds."""
PRIOR_DECISIONS = 20.0
"""Decisions' worth of a channel's shares over parts of the day mixed into each group's own."""


@dataclass(frozen=True)
class Decisions:
    """Logged decisions, one entry each, shape (n,) but `features` (n, F).

    Parameters
    ----------
    features
        What was known of debtor and claim when it was decided, nothing of the action.
    channel, part
        Channel code, 0 for `none`; index in `DAYPARTS` of the local hour of sending, -1 for `none`.
    group
        Debtors whose hours are alike, such as those of a country: codes 0, 1, ...
    action_probability
        Of exactly this channel and slot, NaN where not logged.
    channel_probability, part_probability
        Of this channel, and of this channel in this part of the day, NaN where not logged; None where the log has no such column.
    """

    features: Matrix
    channel: CodeArray
    part: IntArray
    policy: TextArray
    decided_us: IntArray
    unit: IntArray
    group: IntArray
    action_probability: FloatArray
    channels: int
    channel_probability: FloatArray | None = None
    part_probability: FloatArray | None = None


@dataclass(frozen=True)
class LoggerFit:
    """How good one logger's estimated chances of channels are; see `multinomial.Estimated`."""

    logger: str
    kind: Kind
    decisions: int
    log_loss: float
    base_log_loss: float
    calibration_error: float
    never: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ActionChances:
    """Chances of actions in each decision.

    Parameters
    ----------
    channel
        Of every channel, shape (n, C), rows sum to 1; NaN where unknown, exactly 0 where the logger never took it.
    part
        Of each part of the day given each channel, shape (n, C, P), float32; 0 for `none`.
    chosen, chosen_part
        Of what was decided, at the level of the channel and of the channel's part of the day, shape (n,).
    source
        Index in `SOURCES`, shape (n,): `logged` where `chosen` is exact, `unknown` where a decision among drawn ones has no
        probability: it was displaced after the draw.
    drawn
        Whether it was drawn between channels by a logger that logged its probabilities, shape (n,).
    """

    channel: FloatArray
    part: npt.NDArray[np.float32]
    chosen: FloatArray
    chosen_part: FloatArray
    source: IntArray
    drawn: BoolArray
    loggers: Loggers
    fits: tuple[LoggerFit, ...]

    def at(self, level: Level) -> FloatArray:
        """Chance of what was decided at a level, shape (n,)."""
        return self.chosen if level == "channel" else self.chosen_part

    def of_decision(self, decision: IntArray) -> ActionChances:
        """The same with an entry for each of these decisions, such as one for each claim it covered."""
        loggers = Loggers(self.loggers.every, self.loggers.of_row[decision])
        return ActionChances(
            self.channel[decision], self.part[decision], self.chosen[decision], self.chosen_part[decision],
            self.source[decision], self.drawn[decision], loggers, self.fits,
        )  # fmt: skip


@dataclass(frozen=True)
class ChanceSettings:
    """How chances are estimated; `fit` holds for each logger."""

    fit: FitSettings = field(default_factory=FitSettings)


def action_chances(log: Decisions, *, settings: ChanceSettings, rng: np.random.Generator) -> ActionChances:
    """Chances of the channels, and of the parts of the day, in every decision of a log."""
    loggers = tell_loggers(
        log.policy, log.channel, decided_us=log.decided_us, action_probability=log.action_probability,
        channels=log.channels,
    )  # fmt: skip
    channel = np.full((len(log.channel), log.channels), np.nan)
    part = np.zeros((len(log.channel), log.channels, len(DAYPARTS)), dtype=np.float32)
    fits = []
    for number, logger in enumerate(loggers.every):
        rows = np.flatnonzero(loggers.of_row == number)
        estimated = rows[_to_estimate(log, rows, logger.kind)]
        if len(estimated):
            channel[estimated], fit = _channels(log, estimated, settings=settings, rng=rng)
            fits.append(LoggerFit(logger.name, logger.kind, len(estimated), *fit))
        part[rows] = _parts(log, rows, folds=settings.fit.folds, rng=rng)
    source = np.where(np.isnan(channel[:, 0]), UNKNOWN, ESTIMATED)
    _take_logged(log, channel, part, source=source)
    return _chosen(log, channel, part, source=source, loggers=loggers, fits=tuple(fits))


def _to_estimate(log: Decisions, rows: IntArray, kind: Kind) -> BoolArray:
    """Rows of a logger whose channel's chance is to be learnt, shape as `rows`.

    Where channels were drawn, a certain choice had no alternative: it tells nothing of the others, and stays out. Without
    a probability a decision among logged ones was displaced after its draw: nobody knows its chance.
    """
    chance = log.action_probability[rows]
    if kind == "unlogged":
        return np.ones(len(rows), dtype=np.bool_)
    if kind == "decided":
        return np.zeros(len(rows), dtype=np.bool_)
    return np.isfinite(chance) & ((chance < CERTAIN) | (kind == "slots drawn"))


def _channels(
    log: Decisions, rows: IntArray, *, settings: ChanceSettings, rng: np.random.Generator
) -> tuple[FloatArray, tuple[float, float, float, tuple[int, ...]]]:
    """Chances of each channel in a logger's rows, and the figures of `LoggerFit`."""
    action, unit = log.channel[rows].astype(np.int64), log.unit[rows]
    if len(np.unique(unit)) < FEWEST_DEBTORS:
        share = np.bincount(action, minlength=log.channels) / len(action)
        loss = float(-(share[share > 0] * np.log(share[share > 0])).sum())
        return np.tile(share, (len(rows), 1)), (loss, loss, 0.0, tuple(np.flatnonzero(share == 0).tolist()))
    features = log.features[rows]
    found = estimate_chances(features, action, unit=unit, actions=log.channels, settings=settings.fit, rng=rng)
    never = tuple(np.flatnonzero(~found.supported).tolist())
    return found.chance, (found.log_loss, found.base_log_loss, found.calibration_error, never)


def _parts(log: Decisions, rows: IntArray, *, folds: int, rng: np.random.Generator) -> FloatArray:
    """Share of each part of the day in a logger's contacts by channel and group, shape (r, C, P).

    Counted on the debtors of the other folds, each group's shares drawn towards the channel's by `PRIOR_DECISIONS`.
    """
    channel, part, group = log.channel[rows].astype(np.int64), log.part[rows], log.group[rows]
    unit = log.unit[rows]
    folds = min(folds, len(np.unique(unit)))
    fold = folds_by_unit(unit, folds, rng=rng)
    size = (folds, int(log.group.max()) + 1, log.channels, len(DAYPARTS))
    counts = np.zeros(size)
    sent = part >= 0
    np.add.at(counts, (fold[sent], group[sent], channel[sent], part[sent]), 1.0)
    others = counts.sum(axis=0, keepdims=True) - counts if folds > 1 else counts
    whole = others.sum(axis=1, keepdims=True)
    usual = whole / np.maximum(whole.sum(axis=3, keepdims=True), 1.0)
    share = (others + PRIOR_DECISIONS * usual) / (others.sum(axis=3, keepdims=True) + PRIOR_DECISIONS)
    found: FloatArray = share[fold, group]
    return found


def _take_logged(log: Decisions, channel: FloatArray, part: npt.NDArray[np.float32], *, source: IntArray) -> None:
    """Write what the log tells exactly over the estimates, and its least values; changes `channel`, `part`, `source`."""
    chance, taken = log.action_probability, log.channel.astype(np.int64)
    certain = chance >= CERTAIN
    exact = np.where(certain, 1.0, np.where(taken == 0, chance, np.nan))
    if log.channel_probability is not None:
        exact = np.where(np.isfinite(log.channel_probability), log.channel_probability, exact)
    known = np.isfinite(exact)
    _set_chosen(channel, np.flatnonzero(known), taken, exact)
    source[known] = LOGGED
    rows = np.flatnonzero(~known & np.isfinite(chance) & (source == ESTIMATED))
    least = np.maximum(channel[rows, taken[rows]], chance[rows])
    wanted = np.full(len(taken), np.nan)
    wanted[rows] = least
    _set_chosen(channel, rows[least > channel[rows, taken[rows]]], taken, wanted)
    here = np.flatnonzero(certain & (log.part >= 0))
    part[here, taken[here]] = 0.0
    part[here, taken[here], log.part[here]] = 1.0


def _set_chosen(channel: FloatArray, rows: IntArray, taken: IntArray, wanted: FloatArray) -> None:
    """Set the chance of what was taken in these rows and scale the others so that they sum to 1; changes `channel`."""
    block = np.nan_to_num(channel[rows], nan=0.0)
    block[np.arange(len(rows)), taken[rows]] = 0.0
    others = block.sum(axis=1, keepdims=True)
    rest = 1.0 - wanted[rows, None]
    block *= np.where(others > 0, rest / np.where(others > 0, others, 1.0), 0.0)
    block[np.arange(len(rows)), taken[rows]] = wanted[rows]
    channel[rows] = block


def _chosen(
    log: Decisions,
    channel: FloatArray,
    part: npt.NDArray[np.float32],
    *,
    source: IntArray,
    loggers: Loggers,
    fits: tuple[LoggerFit, ...],
) -> ActionChances:
    rows, taken = np.arange(len(log.channel)), log.channel.astype(np.int64)
    chosen = channel[rows, taken]
    in_part = np.where(log.part >= 0, part[rows, taken, np.maximum(log.part, 0)].astype(np.float64), 1.0)
    chosen_part = chosen * in_part
    least = np.nan_to_num(log.action_probability, nan=0.0)
    chosen_part = np.maximum(chosen_part, np.where(np.isnan(chosen), np.nan, np.minimum(least, chosen)))
    if log.part_probability is not None:
        chosen_part = np.where(np.isfinite(log.part_probability), log.part_probability, chosen_part)
    drawn = loggers.is_kind("drawn") & np.isfinite(log.action_probability) & (source != UNKNOWN)
    return ActionChances(channel, part, chosen, chosen_part, source.astype(np.int64), drawn, loggers, fits)
