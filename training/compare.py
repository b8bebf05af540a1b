"""`rettid compare` and `rettid promote`: the runs side by side, and the one that decides from now on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.bundle import Role, point_to, pointed_version, read_bundle
from training.tracking import Recorded, Tracking, named

NO_NUMBER = "–"
BEST = "best"


@dataclass(frozen=True)
class Line:
    """One run in the comparison; money is EUR per decision with a 95 % interval."""

    run_id: str
    model: str
    as_of: str
    value: str
    interval: str
    contacts: str
    auc: str
    log_loss: str
    calibration_error: str
    champion: bool


def compare(workspace: Path) -> list[Line]:
    """Finished runs, best first.

    First come the runs that the log cannot tell from the one with the highest estimated policy value (its value lies in
    their interval, or they have no number), in order of log loss; then those shown to be worse, by value.
    """
    runs = Tracking(workspace).runs()
    current = pointed_version(workspace, "champion")
    top = max((run.metrics["value_eur"] for run in runs if "value_eur" in run.metrics), default=float("-inf"))
    return [_line(run, run.run_id == current) for run in sorted(runs, key=lambda run: _rank(run, top))]


def _rank(run: Recorded, top_eur: float) -> tuple[bool, float]:
    shown_worse = run.metrics.get("value_high_eur", float("inf")) < top_eur
    by_loss = run.metrics.get("log_loss", float("inf"))
    return shown_worse, -run.metrics["value_eur"] if shown_worse else by_loss


def _line(run: Recorded, is_champion: bool) -> Line:
    def number(name: str, places: int) -> str:
        return f"{run.metrics[name]:.{places}f}" if name in run.metrics else NO_NUMBER

    has_value = "value_eur" in run.metrics
    return Line(
        run_id=run.run_id,
        model=run.name,
        as_of=run.tags.get("as_of", "")[:10],
        value=number("value_eur", 2),
        interval=f"{number('value_low_eur', 2)} … {number('value_high_eur', 2)}" if has_value else NO_NUMBER,
        contacts=number("contacts_per_decision", 2),
        auc=number("auc", 3),
        log_loss=number("log_loss", 4),
        calibration_error=number("calibration_error", 4),
        champion=is_champion,
    )


def promote(workspace: Path, run: str, *, role: Role = "champion") -> Recorded:
    """Make a run the champion (or challenger), in the registry and in `models/champion.json` (`challenger.json`).

    Parameters
    ----------
    run
        First digits of the run's id; or its name: then the newest of that name; or `best`: the first of `compare`.

    Raises
    ------
    UnknownRun
        There is no such run.
    BadBundle
        Its bundle is missing or changed.
    """
    tracking = Tracking(workspace)
    lines = compare(workspace) if run == BEST else []
    chosen = named(tracking.runs(), lines[0].run_id if lines else run)
    read_bundle(workspace / "models" / chosen.run_id)
    tracking.register(chosen.run_id, alias=role)
    point_to(workspace, role, model_version=chosen.run_id)
    return chosen
