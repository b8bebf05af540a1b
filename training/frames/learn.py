"""Learns the reward of a decision log frame and says how well, in random folds and out of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.decision_frame import DecisionFrame, NoTimeOrder
from data.frame_table import BoolArray, IntArray
from training.frames.leakage import Flag, Trial, flags
from training.frames.outcome import TooSmall, cross_fit, design, fit_outcome, kind_of, rows_of
from training.frames.quality import Quality, quality

LAST_SHARE = 0.20
"""Share of the rows, last by time, that is held out."""
FEWEST_HELD = 30


@dataclass(frozen=True)
class LearnResult:
    """What was learnt.

    Parameters
    ----------
    random_folds
        Each unit predicted by a model that has not seen it.
    last_by_time
        The last fifth by time predicted from what came before; None with the reason in `why_no_time`.
    leakage
        Features that look like leakage, judged on the last fifth where there is one, else on held-out units.
    """

    file: str
    reward: str
    features: tuple[str, ...]
    random_folds: Quality
    last_by_time: Quality | None
    why_no_time: str
    leakage: tuple[Flag, ...]
    notices: tuple[str, ...]

    exit_code: int = 0

    def lines(self) -> list[str]:
        """The result for a terminal."""
        timed = f"refused: {self.why_no_time}" if self.last_by_time is None else self.last_by_time.line()
        found = [flag.line() for flag in self.leakage] or ["leakage: no feature stands out"]
        return [
            f"{self.file}: {self.reward} learnt from {len(self.features)} features",
            f"  random folds by unit: {self.random_folds.line()}",
            f"  last {LAST_SHARE:.0%} by time:  {timed}",
            *(f"  {line}" for line in found),
            *(f"  note: {notice}" for notice in self.notices),
        ]

    def as_dict(self) -> dict[str, object]:
        """The result for JSON."""
        return {
            "file": self.file,
            "reward": self.reward,
            "features": list(self.features),
            "random_folds": self.random_folds.as_dict(),
            "last_by_time": None if self.last_by_time is None else self.last_by_time.as_dict(),
            "why_no_time": self.why_no_time,
            "leakage": [flag.as_dict() for flag in self.leakage],
            "notices": list(self.notices),
        }


def learn_frame(frame: DecisionFrame, *, seed: int) -> LearnResult:
    """Reward models in random folds and out of time, with features that look like leakage.

    Raises
    ------
    TooSmall
        Too few rows or units, or rewards that are all alike.
    """
    frame = frame.rows(~frame.censored)
    if np.ptp(frame.reward) == 0:
        what = f"{frame.file.name}: {frame.spec.reward.column}: expected rewards that differ"
        raise TooSmall(f"{what}; all {len(frame):,} are {frame.reward[0]:g}: there is nothing to learn")
    folded, first = _random_folds(frame, seed=seed)
    timed, why = None, ""
    try:
        trial = _out_of_time(frame, seed=seed)
        predicted = trial.outcome.predict(trial.held.values)
        timed = quality(trial.held.reward, predicted, binary=trial.kind.binary)
    except (NoTimeOrder, TooSmall) as error:
        trial, why = first, str(error)
    return LearnResult(
        file=frame.file.name,
        reward=frame.spec.reward.column,
        features=(*frame.context.names, *frame.action_features.names),
        random_folds=folded,
        last_by_time=timed,
        why_no_time=why,
        leakage=flags(trial, frame.context, known_before=frame.spec.context.known_before, seed=seed),
        notices=tuple(str(notice) for notice in frame.notices),
    )


def _random_folds(frame: DecisionFrame, *, seed: int) -> tuple[Quality, Trial]:
    """Quality over all folds, and the first fold as a trial."""
    rows, kind = rows_of(frame), kind_of(frame)
    predicted = np.full(len(frame), np.nan)
    trials = []
    for fold in cross_fit(frame, seed=seed):
        predicted[fold.held] = fold.outcome.predict(design(frame, frame.action)[fold.held])
        trials.append(Trial(rows.only(~fold.held), rows.only(fold.held), kind, fold.outcome))
    return quality(frame.reward, predicted, binary=kind.binary), trials[0]


def _out_of_time(frame: DecisionFrame, *, seed: int) -> Trial:
    """A model of what came before the last fifth.

    Raises
    ------
    NoTimeOrder
        The frame has no time.
    TooSmall
        Too little before or after the cut, or rewards all alike on one side.
    """
    later = last_by_time(frame.times())
    rows, kind = rows_of(frame), kind_of(frame)
    learn, held = rows.only(~later), rows.only(later)
    for side, name in ((learn, "before"), (held, "after")):
        if len(side.reward) < FEWEST_HELD or np.ptp(side.reward) == 0:
            what = f"expected {FEWEST_HELD} rows and rewards that differ on both sides of the cut"
            raise TooSmall(f"{what}; {name} it stand {len(side.reward):,} rows")
    return Trial(learn, held, kind, fit_outcome(learn, kind, seed=seed))


def last_by_time(time_us: IntArray, share: float = LAST_SHARE) -> BoolArray:
    """The last rows by time, shape (n,): about `share` of them, rows of one instant on one side.

    >>> last_by_time(np.array([1, 2, 3, 4, 5])).tolist()
    [False, False, False, False, True]
    """
    ordered = np.sort(time_us)
    cut = ordered[min(int(len(ordered) * (1 - share)), len(ordered) - 1)]
    return np.asarray(time_us >= cut)
