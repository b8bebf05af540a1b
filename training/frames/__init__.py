"""Learning and judging on a decision log frame, whatever industry it comes from."""

from training.frames.run import Result, run_check, run_evaluate, run_learn

__all__ = ["Result", "run_check", "run_evaluate", "run_learn"]
