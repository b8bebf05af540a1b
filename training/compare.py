"""`rettid compare` and `rettid promote`: the runs side by side, and the one that decides from now on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.bundle import BadBundle, Role, point_to, pointed_version, read_bundle
from models.bundle_files import read_files
from models.bundle_head import must_be_ready
from training.gate.contributions import Contributions, Difference, OtherDecisions, difference
from training.gate.evidence import Evidence
from training.gate.verdict import Standing, Verdict, verdict
from training.tracking import Recorded, Tracking, named

NO_NUMBER = "–"
OTHER_DATA = "other data"
BEST = "best"
EVIDENCE, CONTRIBUTIONS = "evidence.json", "contributions.parquet"
HEAD = (
    "", "run", "model", "as of", "EUR a decision", "95 % interval", "difference to the first", "contacts", "AUC", "log loss",
    "calibr. error",
)  # fmt: skip
"""Headings of the comparison's columns."""

GATE = "gate"
"""Folder of a run's files in which both stand."""


class NotPromoted(ValueError):
    """The gate refused a run; the message has every figure, what failed and what to do."""


class NoEvidence(LookupError):
    """A run was trained before evidence was kept."""


@dataclass(frozen=True)
class Line:
    """One run in the comparison; money is EUR per decision with a 95 % interval.

    `difference` is what it earns more than the first run on the decisions judged by both, or why that is not told.
    """

    run_id: str
    model: str
    as_of: str
    value: str
    interval: str
    difference: str
    contacts: str
    auc: str
    log_loss: str
    calibration_error: str
    champion: bool
    best: bool

    def cells(self) -> tuple[str, ...]:
        """The line's texts in the order of `HEAD`."""
        mark = " ".join(word for word, holds in (("champion", self.champion), ("best", self.best)) if holds)
        return (
            mark, self.run_id[:8], self.model, self.as_of, self.value, self.interval, self.difference, self.contacts,
            self.auc, self.log_loss, self.calibration_error,
        )  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """A run, and its difference to the first or the reason why there is none.

    `same_data` tells whether it was made of the same data as the newest run.
    """

    run: Recorded
    difference: Difference | None
    note: str
    same_data: bool = True

    @property
    def shown_worse(self) -> bool:
        """Whether the log shows that the first earns more."""
        return self.difference is not None and self.difference.gain.high < 0


def compare(workspace: Path) -> list[Line]:
    """Finished runs on the newest run's data by estimated policy value, highest first, with differences to the first.

    Marked `best` is the one of lowest log loss among those that the log does not show to be worse than the first. Runs on
    other data follow, newest data first: neither their values nor their log losses can be held against these.
    """
    found = compared(workspace)
    current, top = pointed_version(workspace, "champion"), best_of(found)
    return [_line(one, champion=one.run.run_id == current, best=one.run is top) for one in found]


def compared(workspace: Path) -> list[Compared]:
    """Runs on the newest run's data by estimated policy value, those without one behind, each held against the first.

    Behind them those on other data, newest data first.
    """
    tracking, groups = Tracking(workspace), dict[tuple[str, ...], list[Recorded]]()
    for run in sorted(tracking.runs(), key=lambda run: -run.started_ms):
        groups.setdefault(_data_of(run), []).append(run)
    ranked = [sorted(runs, key=lambda run: -run.metrics.get("value_eur", float("-inf"))) for runs in groups.values()]
    others = [Compared(run, None, OTHER_DATA, same_data=False) for runs in ranked[1:] for run in runs]
    return [*(_ranked(tracking, ranked[0]) if ranked else []), *others]


def _data_of(run: Recorded) -> tuple[str, ...]:
    """What two runs must share to be ranked: the rows, the moment, the seed that split them, and the prices."""
    return run.tags.get("data", ""), run.tags.get("as_of", ""), run.params.get("seed", ""), run.tags.get("config", "")


def _ranked(tracking: Tracking, runs: list[Recorded]) -> list[Compared]:
    """Runs on the same data, each held against the first."""
    if "value_eur" not in runs[0].metrics:
        return [Compared(run, None, NO_NUMBER) for run in runs]
    first = _kept(tracking, runs[0])
    return [Compared(runs[0], None, "first"), *(_held_against(tracking, run, first) for run in runs[1:])]


def _held_against(tracking: Tracking, run: Recorded, first: Contributions | None) -> Compared:
    mine = _kept(tracking, run)
    if mine is None or first is None or "value_eur" not in run.metrics:
        return Compared(run, None, NO_NUMBER)
    try:
        return Compared(run, difference(mine, first), "")
    except OtherDecisions as error:
        return Compared(run, None, str(error).split(":")[0])


def _kept(tracking: Tracking, run: Recorded) -> Contributions | None:
    path = tracking.kept(run.run_id, f"{GATE}/{CONTRIBUTIONS}")
    return Contributions.read(path) if path else None


def kept_contributions(workspace: Path, version: str) -> Contributions | None:
    """Contributions kept with the run that made a bundle, None where there are none."""
    tracking = Tracking(workspace)
    known = [run for run in tracking.runs() if run.run_id == version]
    return _kept(tracking, known[0]) if known else None


def best_of(found: list[Compared]) -> Recorded | None:
    """The run of lowest log loss on the newest run's data among those not shown to be worse than the first, or None.

    A run whose difference is not told is judged by its interval: it is worse where that ends below the first's value.
    """
    if not found:
        return None
    top = found[0].run.metrics.get("value_eur", float("-inf"))
    left = [
        one.run
        for one in found
        if one.same_data
        and not one.shown_worse
        and (one.difference or one.run.metrics.get("value_high_eur", float("inf")) >= top)
    ]
    return min(left, key=lambda run: run.metrics.get("log_loss", float("inf")))


def _line(one: Compared, *, champion: bool, best: bool) -> Line:
    run = one.run

    def number(name: str, places: int) -> str:
        return f"{run.metrics[name]:.{places}f}" if name in run.metrics else NO_NUMBER

    has_value = "value_eur" in run.metrics
    gain = one.difference.gain if one.difference else None
    return Line(
        run_id=run.run_id,
        model=run.name,
        as_of=run.tags.get("as_of", "")[:10],
        value=number("value_eur", 2),
        interval=f"{number('value_low_eur', 2)} … {number('value_high_eur', 2)}" if has_value else NO_NUMBER,
        difference=f"{gain.value:+.2f} ({gain.low:+.2f} … {gain.high:+.2f})" if gain else one.note,
        contacts=number("contacts_per_decision", 2),
        auc=number("auc", 3),
        log_loss=number("log_loss", 4),
        calibration_error=number("calibration_error", 4),
        champion=champion,
        best=best,
    )


@dataclass(frozen=True)
class Promoted:
    """A run that decides from now on, what the gate found, and why it was let through all the same, if it was."""

    run: Recorded
    role: Role
    verdict: Verdict
    forced: str

    def lines(self) -> list[str]:
        """What was found, for the terminal."""
        forced = [f"promoted all the same: {self.forced}"] if self.forced else []
        return [*self.verdict.lines(), *forced, f"{self.role}: {self.run.name}, run {self.run.run_id}"]


def promote(workspace: Path, run: str, *, role: Role = "champion", force: str | None = None) -> Promoted:
    """Make a run the champion (or challenger), in the registry and in `models/champion.json` (`challenger.json`).

    Parameters
    ----------
    run
        First digits of the run's id; or its name: then the newest of that name; or `best`, as `compare` marks it.
    force
        Why it is to decide although the gate refuses; kept in the run's tags and in the pointer.

    Raises
    ------
    UnknownRun
        There is no such run.
    BadBundle
        Its bundle is missing, changed, or cannot be handed over.
    NotPromoted
        The gate refuses, or `force` says nothing.
    NoEvidence
        The run was trained before evidence was kept.
    """
    if force is not None and not force.strip():
        raise NotPromoted("--force expects a reason in words, which is kept; it came empty")
    tracking = Tracking(workspace)
    first = best_of(compared(workspace)) if run == BEST else None
    chosen = first or named(tracking.runs(), run)
    must_be_ready(read_files(workspace / "models" / chosen.run_id))
    found = judged_by_gate(workspace, chosen, role=role)
    forced = (force or "").strip() if not found.ok else ""
    if not found.ok and not forced:
        raise NotPromoted(_refusal(chosen, found, role))
    tracking.register(chosen.run_id, alias=role)
    tracking.figures(chosen.run_id, {}, tags=_tags(found, role, forced))
    point_to(workspace, role, model_version=chosen.run_id, forced=forced)
    return Promoted(chosen, role, found, forced)


def judged_by_gate(workspace: Path, run: Recorded, *, role: Role) -> Verdict:
    """What the gate says of a run, against the champion of the workspace; one that cannot be read is a check not met.

    Raises
    ------
    NoEvidence
        The run was trained before evidence was kept.
    """
    tracking = Tracking(workspace)
    path, own = tracking.kept(run.run_id, f"{GATE}/{EVIDENCE}"), _kept(tracking, run)
    if path is None or own is None:
        raise NoEvidence(f"run {run.run_id[:8]} has no evidence for the gate: train it again with this version")
    try:
        standing, unreadable = _standing(workspace, config=run.tags.get("config", "")), ""
    except BadBundle as error:
        standing, unreadable = None, str(error)
    return verdict(Evidence.read(path), own, champion=standing, role=role, unreadable=unreadable)


def _standing(workspace: Path, *, config: str) -> Standing | None:
    """The champion; what its own run kept counts only if it was judged under the same prices."""
    version = pointed_version(workspace, "champion")
    if version is None:
        return None
    bundle = read_bundle(workspace / "models" / version)
    same = bundle.card.get("config", "") == config
    return Standing(bundle, kept_contributions(workspace, version) if same else None)


def _refusal(run: Recorded, found: Verdict, role: Role) -> str:
    head = f"{run.name}, run {run.run_id[:8]}, is not made the {role}: {', '.join(found.failed)}"
    forced = "or give the ground on which it is to decide all the same: --force REASON, which is kept"
    return "\n".join([head, *found.lines(), forced])


def _tags(found: Verdict, role: Role, forced: str) -> dict[str, str]:
    """All figures of the gate, and the reason where it was overruled."""
    return {f"{role}_gate": "\n".join(found.lines())} | ({f"{role}_forced": forced} if forced else {})
