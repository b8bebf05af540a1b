"""Every estimator on the Open Bandit sample: each of two policies valued from the other's log, and held against its own.

    make bench-obd                                          the four questions, by `rettid frame evaluate`'s code
    make bench-obd OBP=/path/to/python                      beside them obp 0.5.7 on the same inputs

Figures are values, with the error relative to the mean reward in the policy's own log, which has an error itself: it
stands in the head. A star: outside 1.96 standard errors of the difference of the two. `obp_outputs.py` says how to make the
environment that OBP names. A log of bts does not show bts' chances of all actions, so that nothing is marginalised there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.decision_frame import DecisionFrame, read_frame
from data.frame_spec import read_spec
from training.frames.estimates import Estimate, Log
from training.frames.evaluate import evaluate_frame, predict
from training.ope.intervals import Interval

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "data" / "frames"
SETS = ROOT.parent / "shared" / "data" / "obd_small"
QUESTIONS = {
    "all: bts from random": ("all", "random"),
    "all: random from bts": ("all", "bts"),
    "men: bts from random": ("men", "random"),
    "men: random from bts": ("men", "bts"),
}


class NoTarget(ValueError):
    """A SPEC without a target policy or its own log, or one whose value was refused."""


@dataclass(frozen=True)
class Answer:
    """One policy valued from the other's log: its own log's mean reward, our estimates, obp's values by name."""

    on_policy: Interval
    estimates: tuple[Estimate, ...]
    obp: dict[str, float]

    def cell(self, estimate: Estimate) -> str:
        """Value and relative error."""
        reach = None if estimate.interval is None else np.hypot(estimate.interval.half_width, self.on_policy.half_width)
        star = "*" if reach is not None and abs(estimate.value - self.on_policy.value) > reach else ""
        return self.figures(estimate.value) + star

    def figures(self, value: float) -> str:
        """A value and its relative error."""
        return f"{value:.5f} ({abs(value - self.on_policy.value) / self.on_policy.value:.0%})"


def answer(campaign: str, logged_by: str, *, folder: Path, obp: str, seed: int) -> Answer:
    """One of the four questions.

    Raises
    ------
    NoTarget
        The SPEC has no target policy or on-policy log, or the log refuses a number.
    """
    spec = read_spec(SPECS / f"obd_{campaign}_{logged_by}.toml")
    frame = read_frame(folder / f"{logged_by}_{campaign}.parquet", spec)
    found = evaluate_frame(frame, seed=seed)
    if found.target is None or found.on_policy is None or found.target.refused:
        raise NoTarget(f"{spec.source}: expected a value of its target policy and a log of its own; came neither")
    theirs = by_obp(frame, found.target.estimates, interpreter=obp, seed=seed) if obp else {}
    return Answer(found.on_policy, found.target.estimates, theirs)


def by_obp(frame: DecisionFrame, estimates: tuple[Estimate, ...], *, interpreter: str, seed: int) -> dict[str, float]:
    """What obp gives for the same log, model and parameters.

    Raises
    ------
    NoTarget
        The frame has no target policy or no logged probabilities.
    """
    if frame.target is None or frame.action_probability is None:
        raise NoTarget(f"{frame.spec.source}: expected a target policy and logged probabilities")
    log = Log(frame.action, frame.action_probability, frame.reward, frame.unit)
    parameters = dict(found.parameter for found in estimates if found.parameter is not None)
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "log.npz"
        np.savez(
            inputs,
            reward=log.reward,
            action=log.action,
            chance=log.action_probability,
            target=frame.target.table[frame.target.row],
            predicted=predict(frame, log, seed=seed).each,
            threshold=np.array(parameters["threshold"]),
            shrinkage=np.array(parameters["shrinkage"]),
        )
        command = [
            interpreter,
            "-W",
            "ignore",
            str(Path(__file__).with_name("obp_outputs.py")),
            "--inputs",
            str(inputs),
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def rows(answers: dict[str, Answer]) -> list[str]:
    """The table's rows: each estimator, and obp's under it."""
    names = list(dict.fromkeys(estimate.name for each in answers.values() for estimate in each.estimates))
    lines = []
    for name in names:
        cells = []
        for each in answers.values():
            mine = next((estimate for estimate in each.estimates if estimate.name == name), None)
            cells.append("–" if mine is None else each.cell(mine))
        lines.append(f"| {name} | {' | '.join(cells)} |")
        if all(name in each.obp for each in answers.values()):
            theirs = (each.figures(each.obp[name]) for each in answers.values())
            lines.append(f"| {name}, obp | {' | '.join(theirs)} |")
    return lines


def furthest(answers: dict[str, Answer]) -> float:
    """The largest difference between a value of ours and obp's."""
    return max(
        abs(estimate.value - each.obp[estimate.name])
        for each in answers.values()
        for estimate in each.estimates
        if estimate.name in each.obp
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=SETS, help="the four logs of 10,000 rows and their side files")
    parser.add_argument("--obp", default="", help="interpreter of an environment with obp 0.5.7")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not given.folder.is_dir():
        sys.exit(f"{given.folder}: expected the Open Bandit sample; give its folder with --folder")
    answers = {
        question: answer(campaign, logged_by, folder=given.folder, obp=given.obp, seed=given.seed)
        for question, (campaign, logged_by) in QUESTIONS.items()
    }
    print(f"| estimator | {' | '.join(answers)} |")
    print(f"| --- |{' --- |' * len(answers)}")
    own = (f"{each.on_policy.value:.5f} ± {each.on_policy.half_width:.5f}" for each in answers.values())
    print(f"| in its own log | {' | '.join(own)} |")
    print("\n".join(rows(answers)))
    if given.obp:
        print(f"\nlargest difference from obp: {furthest(answers):.1e}")


if __name__ == "__main__":
    main()
