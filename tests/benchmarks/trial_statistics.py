"""How often intervals of experiments cover, how often daily looks raise a false alarm, and power against plan.

    make bench-trials           2,000 experiments per cell

Outcomes are made up here, not by the simulator, and no constant of `training.trials` was chosen on them:

amounts
    One debtor in five pays, a lognormal amount (sigma 1.2 on top of a debtor's own size).
shares
    One debtor in five pays; the outcome is 0 or 1.
claims
    One to four claims a debtor, gamma amounts that share the debtor's own level; the debtor is what is drawn.

Beside the outcome each debtor has a number from the time before, which explains a part of it. A true gain makes more debtors pay.

*Without effect*: over 90 days so many debtors become known each day. Fixed intervals are asked at the last day: *Welch*, the
program's (with its further end on the side of the longer tail), cut at the cap of the first 1,000 debtors, cut and adjusted.
Daily looks begin when the arms are `ready`; *alarms* counts experiments in which any look's interval leaves out zero, or in which
`anytime_chance` falls to 2.5 % in either direction. *Width*: anytime-valid over fixed at the last day, both cut and adjusted.

*With a gain of 30 %*: each experiment is as large as `debtors_needed` says for 80 %. Daily looks are five, up to that size. *Covers*: the
true gain at the last look.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from scipy import stats

from training.trials.adjusted import Contrast, contrast, interval_of
from training.trials.intervals import WINSOR, Interval, mean_difference
from training.trials.planning import Design, Look, Outcome, debtors_needed
from training.trials.sequential import CAP_DEBTORS, anytime_chance, anytime_of, fixed_cap, ready

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

DAYS = 90
GAIN = 0.3
POWER_LOOKS = 5
PILOT = 400_000
SPLITS = {"50/50": (0.5, 30), "90/10": (0.1, 120)}
"""Share of the control arm, and debtors who become known each day."""


@dataclass(frozen=True)
class Drawn:
    """Debtors: number from before, chance to pay, what a payer pays, a draw that decides; shape (n,) each."""

    before: FloatArray
    chance: FloatArray
    amount: FloatArray
    draw: FloatArray

    def outcome(self, treated: BoolArray, gain: float) -> FloatArray:
        """What each debtor pays, the treated with a chance higher by the gain."""
        return self.amount * (self.draw < self.chance * (1 + gain * treated))


def _debtors(rng: np.random.Generator, size: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Chance to pay (mean about 0.2, at most 0.7), the debtor's own size, and a number from before."""
    taste, level = rng.normal(size=size), rng.normal(size=size)
    chance = 0.7 / (1 + np.exp(1.15 - 1.2 * taste))
    before = taste + 0.5 * level + rng.normal(0, 0.5, size)
    return chance, level, before


def amounts(rng: np.random.Generator, size: int) -> Drawn:
    """Lognormal amounts."""
    chance, level, before = _debtors(rng, size)
    return Drawn(before, chance, np.exp(4 + 0.6 * level + rng.normal(0, 1.2, size)), rng.random(size))


def shares(rng: np.random.Generator, size: int) -> Drawn:
    """Ones."""
    chance, _, before = _debtors(rng, size)
    return Drawn(before, chance, np.ones(size), rng.random(size))


def claims(rng: np.random.Generator, size: int) -> Drawn:
    """Sums of gamma amounts over one to four claims."""
    chance, level, before = _debtors(rng, size)
    each = rng.gamma(0.7, 100.0, (size, 4)) * (np.arange(4) < rng.integers(1, 5, (size, 1)))
    return Drawn(before, chance, each.sum(axis=1) * np.exp(0.6 * level), rng.random(size))


WORLDS: dict[str, Callable[[np.random.Generator, int], Drawn]] = {
    "amounts": amounts,
    "shares": shares,
    "claims": claims,
}


@dataclass(frozen=True)
class Alike:
    """What one experiment without effect showed."""

    covered: tuple[bool, ...]
    alarms: tuple[bool, ...]
    width: float


FIXED = ("Welch", "raw", "cut", "cut, adjusted")
ALARMS = ("fixed", "raw", "cut", "cut, adjusted", "chance")


def without_effect(world: str, split: str, rng: np.random.Generator) -> Alike:
    """One experiment without effect, looked at on each of 90 days."""
    control, a_day = SPLITS[split]
    drawn = WORLDS[world](rng, a_day * DAYS)
    treated = rng.random(a_day * DAYS) >= control
    raw = drawn.outcome(treated, 0.0)
    columns = {"raw": (raw, None), "cut": (np.minimum(raw, fixed_cap(raw[:CAP_DEBTORS])), None)}
    columns["cut, adjusted"] = (columns["cut"][0], drawn.before[:, None])
    alarmed = dict.fromkeys(ALARMS, False)
    for known in range(a_day, a_day * DAYS + 1, a_day):
        if not ready(raw[:known], treated[:known]):
            continue
        now = _now(columns, treated, known)
        alarmed["fixed"] |= _off_zero(interval_of(now["raw"]))
        for name, found in now.items():
            begun = name == "raw" or known > CAP_DEBTORS
            alarmed[name] |= begun and _off_zero(anytime_of(found, planned_debtors=len(raw)))
    chance = anytime_chance(raw, treated, share=1 - control, planned_debtors=len(raw))
    alarmed["chance"] = min(chance) <= 0.025
    now = _now(columns, treated, len(raw))
    fixed = (mean_difference(raw[treated], raw[~treated]), *map(interval_of, now.values()))
    covered = tuple(not _off_zero(one) for one in fixed)
    width = _width(anytime_of(now["cut, adjusted"], planned_debtors=len(raw))) / _width(fixed[-1])
    return Alike(covered, tuple(alarmed.values()), width)


def _now(
    columns: dict[str, tuple[FloatArray, FloatArray | None]], treated: BoolArray, known: int
) -> dict[str, Contrast]:
    """Contrasts of the debtors known at a look."""
    return {
        name: contrast(outcome[:known], treated[:known], None if before is None else before[:known])
        for name, (outcome, before) in columns.items()
    }


def _off_zero(found: Interval) -> bool:
    return bool(found.low > 0 or found.high < 0)


def _width(found: Interval) -> float:
    return found.high - found.low


@dataclass(frozen=True)
class Ways:
    """A way of showing a gain: cut or not, adjusted or not, how often looked at."""

    name: str
    cut: bool
    adjusted: bool
    look: Look


WAYS = (
    Ways("raw, once", cut=False, adjusted=False, look=Look.ONCE),
    Ways("cut and adjusted, once", cut=True, adjusted=True, look=Look.ONCE),
    Ways("cut and adjusted, daily", cut=True, adjusted=True, look=Look.DAILY),
)


@dataclass(frozen=True)
class Planned:
    """An experiment's plan: debtors in it, cap, and the true gain of the outcome as it is looked at."""

    way: Ways
    control: float
    debtors: int
    cap: float
    truth: float


def planned(world: str, split: str, way: Ways, *, rng: np.random.Generator) -> Planned:
    """The plan by debtors of the time before."""
    control, _ = SPLITS[split]
    drawn = WORLDS[world](rng, PILOT)
    nobody = np.zeros(PILOT, dtype=np.bool_)
    before = drawn.outcome(nobody, 0.0)
    cap = float(np.quantile(before, WINSOR)) if way.cut else np.inf
    outcome = np.minimum(before, cap)
    left = outcome
    if way.adjusted:
        slope, level = np.polyfit(drawn.before, outcome, 1)
        left = outcome - slope * drawn.before - level
    truth = GAIN * float((drawn.chance * np.minimum(drawn.amount, cap)).mean())
    design = Design(control=control, treated=1 - control, look=way.look)
    size = debtors_needed(truth, Outcome(float(left.std()), float(stats.skew(left)), more=GAIN), design=design)
    return Planned(way, control, size, cap, truth)


def with_gain(world: str, plan: Planned, rng: np.random.Generator) -> tuple[bool, bool]:
    """Whether one experiment shows the gain, and whether its last interval covers it."""
    drawn = WORLDS[world](rng, plan.debtors)
    treated = rng.random(plan.debtors) >= plan.control
    outcome = np.minimum(drawn.outcome(treated, GAIN), plan.cap)
    before = drawn.before[:, None] if plan.way.adjusted else None
    if plan.way.look is Look.ONCE:
        found = interval_of(contrast(outcome, treated, before))
        return found.low > 0, found.low <= plan.truth <= found.high
    shown = False
    for known in (plan.debtors * look // POWER_LOOKS for look in range(1, POWER_LOOKS + 1)):
        part = contrast(outcome[:known], treated[:known], None if before is None else before[:known])
        found = anytime_of(part, planned_debtors=plan.debtors)
        shown |= found.low > 0 and ready(outcome[:known], treated[:known])
    return shown, found.low <= plan.truth <= found.high


def alike_line(world: str, split: str, *, experiments: int, seed: int) -> str:
    """A row of the table without effect."""
    each = [without_effect(world, split, np.random.default_rng([seed, one])) for one in range(experiments)]
    covered = 100 * np.array([one.covered for one in each]).mean(axis=0)
    alarms = 100 * np.array([one.alarms for one in each]).mean(axis=0)
    figures = " | ".join(f"{one:.1f}" for one in (*covered, *alarms))
    return f"| {world}, {split} | {figures} | {np.mean([one.width for one in each]):.2f} |"


def gain_line(world: str, split: str, way: Ways, *, experiments: int, seed: int) -> str:
    """A row of the table with a gain."""
    plan = planned(world, split, way, rng=np.random.default_rng([seed, 1_000_000]))
    each = np.array([with_gain(world, plan, np.random.default_rng([seed, one])) for one in range(experiments)])
    shown, covered = 100 * each.mean(axis=0)
    return f"| {world}, {split} | {way.name} | {plan.debtors:,} | {shown:.1f} | {covered:.1f} |"


def about(experiments: int) -> str:
    """Machine, commit and day."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    machine = f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}"
    error = 100 * np.sqrt(0.05 * 0.95 / experiments)
    day = datetime.now(UTC).date()
    return f"{machine}; commit {commit.stdout.strip()}; {day}; {experiments:,} experiments a row (± {error:.1f} around 5 or 95)"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begun = time.process_time()
    print(about(given.experiments))
    heads = [f"covers: {name} %" for name in FIXED] + [f"alarms: {name} %" for name in ALARMS]
    print(f"\nwithout effect\n\n| world, arms | {' | '.join(heads)} | width |\n| --- |{' --- |' * (len(heads) + 1)}")
    cells = [(world, split) for world in WORLDS for split in SPLITS]
    for world, split in cells:
        print(alike_line(world, split, experiments=given.experiments, seed=given.seed), flush=True)
    print(f"\nwith a gain of {GAIN:.0%}, planned for a power of 80 %\n")
    print("| world, arms | way | debtors | shown % | covers % |\n| --- | --- | --- | --- | --- |")
    for world, split in cells:
        for way in WAYS:
            print(gain_line(world, split, way, experiments=given.experiments, seed=given.seed), flush=True)
    print(f"\n{time.process_time() - begun:.0f} s of processor")


if __name__ == "__main__":
    main()
