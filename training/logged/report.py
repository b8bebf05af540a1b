"""What a portfolio's log can answer: its loggers, the overlap map, and the questions with what would answer them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.config import Config
from data.portfolio import Portfolio
from data.problems import counted
from data.progress import Say
from data.times import DAY_US, from_us
from features.histories import histories_of
from features.reference import Reference, learn_reference
from training.logged.chances import SOURCES, ActionChances, ChanceSettings, LoggerFit, action_chances
from training.logged.effect import EffectSettings
from training.logged.from_rows import decisions_behind, decisions_of, paid_of
from training.logged.loggers import Logger
from training.logged.multinomial import FitSettings
from training.logged.questions import Asked, Exploration, Question, questions
from training.logged.segments import segments_of
from training.logged.support_map import WHOLE_DAY, Cell, Taken, support_map
from training.rows import TrainingRows, known_until, last_fact_us, training_rows
from training.splits import later_from

WEEK_US = 7 * DAY_US
ANSWERS = {"drawn": "answered by drawn decisions", "on trust": "answered on trust", "no": "not answered"}


@dataclass(frozen=True)
class OverlapSettings:
    """How chances and effects are estimated for the report."""

    chances: ChanceSettings = field(default_factory=ChanceSettings)
    effect: EffectSettings = field(
        default_factory=lambda: EffectSettings(fit=FitSettings(column_share=0.3), outcome_rounds=60)
    )


@dataclass(frozen=True)
class OverlapReport:
    """What the log can answer at a moment.

    Parameters
    ----------
    decisions, debtors
        Mature decisions, and debtors they were about.
    sources
        Decisions whose channel's chance is logged, estimated, unknown.
    """

    as_of_us: int
    channels: tuple[str, ...]
    horizon_days: int
    decisions: int
    debtors: int
    weeks: float
    explore_share: float
    loggers: tuple[Logger, ...]
    fits: tuple[LoggerFit, ...]
    sources: dict[str, int]
    cells: tuple[Cell, ...]
    questions: tuple[Question, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "as_of": from_us(self.as_of_us).isoformat(),
            "channels": list(self.channels),
            "horizon_days": self.horizon_days,
            "decisions": self.decisions,
            "debtors": self.debtors,
            "weeks": self.weeks,
            "explore_share": self.explore_share,
            "loggers": [one.as_dict() for one in self.loggers],
            "fits": [one.as_dict() for one in self.fits],
            "sources": self.sources,
            "cells": [{**one.as_dict(), "channel": self.channels[one.channel]} for one in self.cells],
            "questions": [{**one.as_dict(), "channel": self.channels[one.channel]} for one in self.questions],
        }

    def lines(self) -> list[str]:
        """What a terminal shows: loggers, answers over no contact, and how much of the map has no number."""
        chances = ", ".join(f"{count:,} {name}" for name, count in self.sources.items())
        return [
            f"{self.decisions:,} decisions on {counted(self.debtors, 'debtor')}; chance of the channel: {chances}",
            *(f"logger {one.name}: {one.decisions:,} decisions, {one.kind}" for one in self.loggers),
            *(_told(one) for one in self.questions if one.kind == "channel"),
            *self._of_map(),
        ]

    def _of_map(self) -> list[str]:
        whole = [one for one in self.cells if one.part == WHOLE_DAY]
        dark = sum(bool(one.refusal) for one in whole)
        hours = sum(one.kind == "hour" for one in self.questions)
        return [
            f"map: {dark} of {len(whole)} pairs of channel and segment have too little support for a number",
            f"{counted(hours, 'question')} on the part of the day without an answer",
        ]


def _told(question: Question) -> str:
    """A question and its answer in one line."""
    found = question.effect
    if found is None:
        need = f"; {question.need.sentence()}" if question.need is not None else ""
        return f"{question.asks} {ANSWERS['no']}: {question.reason}{need}"
    value, naive = found.value, found.naive
    return (
        f"{question.asks} {100 * value.value:+.1f} points ({100 * value.low:+.1f} to {100 * value.high:+.1f}), "
        f"{ANSWERS[question.answer]}; plain difference {100 * naive.value:+.1f}; {question.reason}"
    )


def overlap_report(
    portfolio: Portfolio,
    *,
    as_of_us: int,
    config: Config,
    seed: int,
    settings: OverlapSettings | None = None,
    progress: Say = lambda _: None,
) -> OverlapReport:
    """What the decisions that were mature at a moment can answer.

    Raises
    ------
    NoTrainingRows
        The log holds no mature decision.
    """
    chosen, rng = settings or OverlapSettings(), np.random.default_rng(seed)
    progress("features of every decision")
    rows, reference = _rows(portfolio, as_of_us=as_of_us, config=config)
    behind = decisions_behind(rows)
    log = decisions_of(rows, behind, channels=len(config.grid.channels))
    paid = paid_of(rows, behind)
    progress("chances of every channel")
    chances = action_chances(log, settings=chosen.chances, rng=rng)
    progress("overlap by segment")
    segments = segments_of(rows.matrix[behind.first], rows.names, countries=reference.countries)
    taken = Taken(log.channel.astype(np.int64), log.part, paid, log.unit)
    cells = support_map(taken, chances, segments)
    progress("questions")
    plan = Exploration(config.arms.explore or 0.05, config.explore.none, config.grid.channels)
    weeks = max(float(log.decided_us.max() - log.decided_us.min()) / WEEK_US, 1.0)
    asked = questions(Asked(log, chances, paid, weeks, plan), cells, segments, settings=chosen.effect, rng=rng)
    return OverlapReport(
        as_of_us=as_of_us,
        channels=config.grid.channels,
        horizon_days=config.horizon.days,
        decisions=len(paid),
        debtors=len(np.unique(log.unit)),
        weeks=weeks,
        explore_share=plan.share,
        loggers=chances.loggers.every,
        fits=chances.fits,
        sources=_sources(chances),
        cells=cells,
        questions=asked,
    )


def _sources(chances: ActionChances) -> dict[str, int]:
    counts = np.bincount(chances.source, minlength=len(SOURCES))
    return {name: int(counts[number]) for number, name in enumerate(SOURCES)}


def _rows(portfolio: Portfolio, *, as_of_us: int, config: Config) -> tuple[TrainingRows, Reference]:
    """Training rows as a recipe sees them, and the reference behind their codes."""
    histories = histories_of(portfolio, channels=config.grid.channels)
    known_us = known_until(last_fact_us([histories], as_of_us=as_of_us), as_of_us=as_of_us)
    begin_us = later_from(portfolio, as_of_us=known_us, horizon_days=config.horizon.days)
    reference = learn_reference(histories, until_us=begin_us, config=config)
    return training_rows(portfolio, histories, as_of_us=known_us, reference=reference, config=config), reference
