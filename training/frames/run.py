"""The three frame commands: a file and a SPEC in, one result out."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from data.decision_frame import read_frame
from data.frame_spec import read_spec
from training.frames.check import FrameCheck, check_frame
from training.frames.evaluate import evaluate_frame
from training.frames.evaluation import EvaluateResult
from training.frames.learn import LearnResult, learn_frame


class Result(Protocol):
    """What a command shows and how it ends."""

    @property
    def exit_code(self) -> int:
        """0, or 1 where the input has problems."""
        ...

    def lines(self) -> list[str]:
        """The result for a terminal."""
        ...

    def as_dict(self) -> dict[str, object]:
        """The result for JSON."""
        ...


def run_check(file: Path, spec: Path, *, seed: int) -> FrameCheck:
    """Figures and problems of a frame; `seed` is unused and there so that all three are called alike.

    Raises
    ------
    BadSpec
        The SPEC itself is wrong; problems of the data are in the result.
    """
    return check_frame(file, read_spec(spec))


def run_learn(file: Path, spec: Path, *, seed: int) -> LearnResult:
    """What can be learnt of the reward, and which features look like leakage.

    Raises
    ------
    BadSpec, BadFrame, TooSmall
        The SPEC or the data is wrong, or there is too little of it.
    """
    return learn_frame(read_frame(file, read_spec(spec)), seed=seed)


def run_evaluate(file: Path, spec: Path, *, seed: int) -> EvaluateResult:
    """Values of policies, or why the log gives none.

    Raises
    ------
    BadSpec, BadFrame, TooFewUnits
        The SPEC or the data is wrong, or has one unit only.
    """
    return evaluate_frame(read_frame(file, read_spec(spec)), seed=seed)
