"""What a decision log frame holds, and everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.decision_frame import DecisionFrame, order_of, read_frame
from data.frame_spec import FrameSpec
from data.frame_table import BadFrame
from data.problems import Problem, counted
from training.ope.overlap import weight_drift

SHOWN_ACTIONS = 20
FEWEST_TAKEN = 30
"""Rows of an action below which its frequency proves nothing."""


@dataclass(frozen=True)
class FrameFigures:
    """What is in a frame without problems."""

    rows: int
    units: int
    censored: int
    time: str
    actions: tuple[tuple[str, int], ...]
    reward_mean: float
    probability_rows: int
    probability_range: tuple[float, float] | None
    context: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Figures by name."""
        return {
            "rows": self.rows,
            "units": self.units,
            "censored": self.censored,
            "time": self.time,
            "actions": dict(self.actions),
            "reward_mean": self.reward_mean,
            "action_probability_rows": self.probability_rows,
            "action_probability_range": self.probability_range,
            "context": list(self.context),
        }


@dataclass(frozen=True)
class FrameCheck:
    """Figures of a frame, or its problems."""

    file: str
    figures: FrameFigures | None
    problems: tuple[Problem, ...]
    notices: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """1 where there is a problem, else 0."""
        return 1 if self.problems else 0

    def lines(self) -> list[str]:
        """The result for a terminal."""
        lines = [f"{self.file}: {counted(len(self.problems), 'problem') if self.problems else 'no problem'}"]
        lines += [f"  {problem}" for problem in self.problems]
        lines += [] if self.figures is None else [f"  {line}" for line in _figure_lines(self.figures)]
        return [*lines, *(f"  note: {notice}" for notice in self.notices)]

    def as_dict(self) -> dict[str, object]:
        """The result for JSON."""
        return {
            "file": self.file,
            "figures": None if self.figures is None else self.figures.as_dict(),
            "problems": [str(problem) for problem in self.problems],
            "notices": list(self.notices),
        }


def _figure_lines(found: FrameFigures) -> list[str]:
    shown = ", ".join(f"{name} {count:,}" for name, count in found.actions[:SHOWN_ACTIONS])
    more = len(found.actions) - SHOWN_ACTIONS
    given = "not given: the log is observational"
    if found.probability_range is not None:
        low, high = found.probability_range
        given = f"given in {found.probability_rows:,} rows, from {low:.6g} to {high:.6g}"
    return [
        f"{counted(found.rows, 'row')}, {counted(found.units, 'unit')}, {found.censored:,} censored, time: {found.time}",
        f"{counted(len(found.actions), 'action')}: {shown}{f' and {more} more' if more > 0 else ''}",
        f"reward mean {found.reward_mean:.6g}",
        f"action probability {given}",
        f"{counted(len(found.context), 'context feature')}",
    ]


def check_frame(file: Path, spec: FrameSpec) -> FrameCheck:
    """What the file holds under the SPEC, with every problem; raises nothing for bad data."""
    try:
        frame = read_frame(file, spec)
    except BadFrame as error:
        return FrameCheck(file.name, None, error.problems, ())
    notices = (*(str(notice) for notice in frame.notices), *_drifts(frame))
    return FrameCheck(file.name, _figures(frame), (), notices)


def _drifts(frame: DecisionFrame) -> tuple[str, ...]:
    """Actions taken more or less often than their probabilities say, in one sentence."""
    if frame.action_probability is None or np.isnan(frame.action_probability).all():
        return ()
    logged = ~np.isnan(frame.action_probability)
    action, probability = frame.action[logged], frame.action_probability[logged]
    named = {
        frame.actions[a]: drift
        for a in range(len(frame.actions))
        if (taken := action == a).sum() >= FEWEST_TAKEN and (drift := weight_drift(taken / probability))
    }
    if not named:
        return ()
    first = next(iter(named))
    shown = ", ".join(list(named)[:8]) + (", ..." if len(named) > 8 else "")
    return (f"action_probability does not fit how often these actions were taken: {shown} ({first}: {named[first]})",)


def _figures(frame: DecisionFrame) -> FrameFigures:
    count = np.bincount(frame.action, minlength=len(frame.actions))
    order = np.argsort(-count, kind="stable")
    probability = np.zeros(0) if frame.action_probability is None else frame.action_probability
    logged = probability[~np.isnan(probability)]
    return FrameFigures(
        rows=len(frame),
        units=len(np.unique(frame.unit)),
        censored=int(frame.censored.sum()),
        time=order_of(frame),
        actions=tuple((frame.actions[i], int(count[i])) for i in order),
        reward_mean=float(frame.reward[~frame.censored].mean()),
        probability_rows=len(logged),
        probability_range=(float(logged.min()), float(logged.max())) if len(logged) else None,
        context=frame.context.names,
    )
