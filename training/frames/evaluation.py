"""The answer of `rettid frame evaluate`, for the terminal and as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from training.frames.estimates import figure, with_range
from training.frames.values import PolicyValue
from training.ope.intervals import Interval

SHOWN_ARMS = 20
NOT_IDENTIFIED = (
    "the log identifies no causal number: no action_probability is given, so it is observational. Who got which action "
    "may depend on what also moves the reward, and nothing in the file can show that it does not."
)
NEEDED = (
    "needed: the probability with which each action was chosen, logged at the decision (action_probability in the "
    "SPEC); or a slice of decisions drawn at random with known probabilities."
)


@dataclass(frozen=True)
class Gain:
    """The learned policy over the best constant action.

    Parameters
    ----------
    best
        The action that does best when given to all.
    difference
        By DR with its interval over units; `resampled` the same by bootstrap, `anytime` at any look.
    """

    best: str
    difference: Interval
    resampled: Interval
    anytime: Interval

    @property
    def shown(self) -> bool:
        """Whether both intervals lie above 0."""
        return self.difference.low > 0 and self.resampled.low > 0

    def line(self) -> str:
        """The gain in plain words."""
        verdict = f"gain shown over {self.best} to all" if self.shown else f"no gain shown over {self.best} to all"
        low, high = figure(self.anytime.low), figure(self.anytime.high)
        return f"{verdict}: difference {with_range(self.difference)}, at any look [{low}, {high}]"

    def as_dict(self) -> dict[str, object]:
        """The gain for JSON."""
        return {
            "best_constant": self.best,
            "difference": self.difference.as_dict(),
            "difference_by_bootstrap": self.resampled.as_dict(),
            "difference_at_any_look": self.anytime.as_dict(),
            "shown": self.shown,
        }


@dataclass(frozen=True)
class NaiveMean:
    """Mean reward of the rows with one action: a description, no effect."""

    name: str
    rows: int
    mean: float


@dataclass(frozen=True)
class EvaluateResult:
    """What the log says, and what it cannot.

    Parameters
    ----------
    identified
        Whether the log carries the probabilities that make effects of actions readable.
    logging
        Value of the policy that logged: the mean reward.
    naive
        Means per action, where nothing more is identified.
    arms
        Value of each action given to all, where identified.
    learned, gain
        The learned policy and its gain over the best constant action; None with the reason in `why_no_policy`.
    target, on_policy
        The SPEC's target policy, and the mean reward in its own log.
    """

    file: str
    reward: str
    identified: bool
    logging: Interval
    rows: int
    naive: tuple[NaiveMean, ...]
    arms: tuple[PolicyValue, ...]
    learned: PolicyValue | None
    gain: Gain | None
    why_no_policy: str
    target: PolicyValue | None
    on_policy: Interval | None
    notices: tuple[str, ...]

    exit_code: int = 0

    def lines(self) -> list[str]:
        """The result for a terminal."""
        body = self._causal() if self.identified else self._observational()
        head = f"{self.file}: {self.reward} in {self.rows:,} rows"
        logged = f"  logging policy (mean reward): {with_range(self.logging)}"
        return [head, logged, *(f"  {line}" for line in body), *(f"  note: {notice}" for notice in self.notices)]

    def _observational(self) -> list[str]:
        means = [f"  {arm.name}: {figure(arm.mean)} ({arm.rows:,} rows)" for arm in self.naive[:SHOWN_ARMS]]
        label = "naive means, NOT effects of the action:"
        return [NOT_IDENTIFIED, NEEDED, label, *means, *_more(len(self.naive))]

    def _causal(self) -> list[str]:
        lines = ["each action given to all:", *(f"  {arm.line()}" for arm in self.arms[:SHOWN_ARMS])]
        lines += _more(len(self.arms))
        lines += [] if self.learned is None else self.learned.lines()
        lines += [f"learned policy: none: {self.why_no_policy}"] if self.why_no_policy else []
        lines += [] if self.gain is None else [self.gain.line()]
        lines += [] if self.target is None else _first("target: ", self.target.lines())
        lines += [] if self.on_policy is None else [f"target on its own log: {with_range(self.on_policy)}"]
        return lines

    def as_dict(self) -> dict[str, object]:
        """The result for JSON."""
        return {
            "file": self.file,
            "reward": self.reward,
            "rows": self.rows,
            "identified": self.identified,
            "reason": "" if self.identified else f"{NOT_IDENTIFIED} {NEEDED}",
            "logging": self.logging.as_dict(),
            "naive_means": {arm.name: arm.mean for arm in self.naive},
            "arms": [arm.as_dict() for arm in self.arms],
            "learned": None if self.learned is None else self.learned.as_dict(),
            "gain": None if self.gain is None else self.gain.as_dict(),
            "why_no_policy": self.why_no_policy,
            "target": None if self.target is None else self.target.as_dict(),
            "on_policy": None if self.on_policy is None else self.on_policy.as_dict(),
            "notices": list(self.notices),
        }


def _first(word: str, lines: list[str]) -> list[str]:
    return [word + lines[0], *lines[1:]]


def _more(arms: int) -> list[str]:
    return [f"  and {arms - SHOWN_ARMS} more actions: --json FILE has them all"] if arms > SHOWN_ARMS else []
