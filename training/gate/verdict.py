"""Whether a run may decide: every check with its figure, its limit, and what to do where it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.bundle import Bundle, Role
from training.gate.calibration import CalibrationSlice
from training.gate.contributions import CHAMPION, CONTROL, OWN, Contributions, Difference, OtherDecisions, difference
from training.gate.evidence import Evidence
from training.gate.fairness import HIGHEST_RATIO, Pressure
from training.gate.leakage import ALARM

MARGIN = 0.01
"""Share of what the other policy recovers that a run may lose, at the lower end of the interval."""

HIGHEST_ERROR = 0.02
HIGHEST_SLICE_ERROR = 0.04

OFFER = (
    "let it earn its proof: `rettid promote RUN --challenger` and, in rettid.toml, [arms] challenger = 0.05 taken from the "
    "champion's share"
)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, what was asked, and what to do where it was not met."""

    name: str
    found: str
    asked: str
    ok: bool
    remedy: str = ""


@dataclass(frozen=True)
class Verdict:
    """All checks of one run for one role."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check was met."""
        return all(one.ok for one in self.checks)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that were not met."""
        return tuple(one.name for one in self.checks if not one.ok)

    def lines(self) -> list[str]:
        """The checks as a table, then what to do about those that were not met."""
        rows = [("", "check", "found", "asked"), *(self._row(one) for one in self.checks)]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        table = ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return [*table, *(f"{one.name}: {one.remedy}" for one in self.checks if not one.ok)]

    @staticmethod
    def _row(check: Check) -> tuple[str, str, str, str]:
        return "met" if check.ok else "FAILED", check.name, check.found, check.asked


@dataclass(frozen=True)
class Standing:
    """The champion a run is held against: its bundle, and its contributions as kept with its own run."""

    bundle: Bundle
    kept: Contributions | None


def verdict(
    evidence: Evidence, own: Contributions, *, champion: Standing | None, role: Role, unreadable: str = ""
) -> Verdict:
    """Every check of a run; for a challenger all but the value, which it is to show first.

    Parameters
    ----------
    unreadable
        Why there is no `champion` although one was promoted: the run is then held against the present rules, and only
        a reason lets it replace what it could not be held against.
    """
    worth = () if role == "challenger" else (value_check(evidence, own, champion=champion), *_readable(unreadable))
    checks = (
        *worth,
        *(_calibration_check(one) for one in evidence.calibration),
        *_leakage_checks(evidence),
        *(_pressure_check(one) for one in evidence.pressure),
        _rules_check(evidence),
    )
    return Verdict(checks)


def value_check(evidence: Evidence, own: Contributions, *, champion: Standing | None) -> Check:
    """The lower end of the difference to the champion; to the present rules where there is none."""
    if champion is None:
        name, least, other, policy = "value against the present rules", -MARGIN, own, CONTROL
    else:
        same = same_recipe(evidence, champion.bundle.recipe, champion.bundle.card)
        name = f"value against the champion, {'the same recipe' if same else 'another recipe'}"
        least = -MARGIN if same else 0.0
        other, policy = _champions(evidence, own, champion)
    if evidence.value_refused:
        return Check(
            name, f"no number: {evidence.value_refused}", "a number", ok=False, remedy=f"the log is too thin; {OFFER}"
        )
    try:
        found = difference(own, other, others=policy)
    except OtherDecisions as error:
        return Check(
            name, f"no number: {error}", "a number", ok=False, remedy=f"train again on the present data; {OFFER}"
        )
    return _value_line(name, found, least)


def _readable(unreadable: str) -> tuple[Check, ...]:
    if not unreadable:
        return ()
    remedy = "put the champion's files back, or replace it: --force REASON"
    return (Check("the present champion", unreadable, "a bundle that can be read", ok=False, remedy=remedy),)


def _champions(evidence: Evidence, own: Contributions, champion: Standing) -> tuple[Contributions, str]:
    """Where the champion's contributions are: beside the run's own, or with its own run where it was promoted since."""
    if evidence.champion == champion.bundle.model_version or champion.kept is None:
        return own, CHAMPION
    return champion.kept, OWN


def _value_line(name: str, found: Difference, least: float) -> Check:
    limit, gain = least * abs(found.other.value), found.gain
    above = "above 0" if least == 0 else f"at least {limit:+.2f}, {-least:.0%} of {found.other.value:.2f}"
    ok = gain.low > 0 if least == 0 else gain.low >= limit
    told = (
        f"{gain.value:+.2f} EUR a decision (95 %: {gain.low:+.2f} to {gain.high:+.2f}), {found.decisions:,} decisions"
    )
    worse = gain.high < limit or (least == 0 and gain.high <= 0)
    remedy = "the log shows it to be worse: keep what decides now" if worse else f"the log cannot tell yet; {OFFER}"
    return Check(name, told, f"lower end {above}", ok, remedy)


def same_recipe(evidence: Evidence, recipe: str, card: Mapping[str, Any]) -> bool:
    """Whether a run is the champion's recipe with its settings on data as new or newer."""
    same = evidence.recipe == recipe and evidence.settings == dict(card.get("settings", {}))
    return same and evidence.as_of >= str(card.get("as_of", ""))


def _calibration_check(one: CalibrationSlice) -> Check:
    overall = one.name == "all"
    limit = HIGHEST_ERROR if overall else HIGHEST_SLICE_ERROR
    found = f"{one.error:.4f} on {one.rows:,} rows (chance alone: {one.by_chance:.4f})"
    noise = one.by_chance > limit / 2
    few = "chance alone comes near the limit: judge on more decisions (more debtors or months)"
    remedy = (
        few if noise else "calibrate on newer data, or find what changed since: `rettid train` with a later --as-of"
    )
    name = "calibration error" if overall else f"calibration error, {one.name}"
    return Check(name, found, f"at most {limit:g}", one.error <= limit, remedy)


def _leakage_checks(evidence: Evidence) -> tuple[Check, ...]:
    most, remedy = evidence.telling, "find which column is written after the decision, and leave it out"
    return (
        Check("leakage: all features", f"AUC {evidence.auc:.3f}", f"at most {ALARM:g}", evidence.auc <= ALARM, remedy),
        Check(
            "leakage: one feature",
            f"AUC {most.auc:.3f} by {most.feature}",
            f"at most {ALARM:g}",
            most.auc <= ALARM,
            f"{most.feature} all but tells the outcome: {remedy} ([features] of rettid.toml)",
        ),
    )  # fmt: skip


def _pressure_check(one: Pressure) -> Check:
    groups = sorted(one.contacts, key=lambda name: one.contacts[name])
    name = f"contacts at equal need by {one.by}"
    if len(groups) < 2:
        return Check(name, "fewer than two groups are known and large enough", f"at most {HIGHEST_RATIO:g}", ok=True)
    least, most = groups[0], groups[-1]
    found = f"ratio {one.ratio:.2f} ({most} {one.contacts[most]:.2f}, {least} {one.contacts[least]:.2f})"
    chance = "" if one.certain or one.ratio <= HIGHEST_RATIO else ", within chance"
    remedy = (
        f"look which features stand for {one.by}, and leave them out; where there is a good ground, --force says it"
    )
    return Check(name, found + chance, f"at most {HIGHEST_RATIO:g}", not one.too_high, remedy)


def _rules_check(evidence: Evidence) -> Check:
    found = f"{evidence.barred:,} of {evidence.decisions:,} judged decisions barred"
    return Check("contact rules", found, "0", evidence.barred == 0, "this is a defect of the program: report it")
