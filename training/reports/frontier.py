"""What `rettid frontier` does: decide past randomised decisions again under every setting of the dial, and write the page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.config import Config
from data.portfolio import read_portfolio
from data.progress import Say
from data.times import from_us
from models.bundle import Bundle, champion, must_fit, read_bundle
from models.rules.packs_kept import packs_of
from training.frontier import MARGIN, Frontier, Setting, frontier
from training.material import gather
from training.policy_value import decide_again
from training.reports.frontier_page import frontier_page
from training.reports.write import write_whole
from training.tracking import Tracking, named
from training.unseen import learnt_without_judged

NAME = "frontier"
CHAMPION = "champion"


@dataclass(frozen=True)
class FrontierOrder:
    """Which model, on which moment's log, and which settings.

    `model` is `champion`, or a run as `rettid promote` takes it. `dials` are least values in EUR, None for the usual ones;
    `margin` the share of the recovery without a dial that may be lost and still counts as equal.
    """

    as_of_us: int
    model: str = CHAMPION
    dials: tuple[float, ...] | None = None
    margin: float = MARGIN


@dataclass(frozen=True)
class FrontierFiles:
    """What was found, and where it stands."""

    found: Frontier
    html: Path
    json: Path
    csv: Path

    def lines(self) -> list[str]:
        """What was found, for the terminal."""
        return [*told(self.found), str(self.html)]


def write_frontier(
    directory: Path, out: Path, *, order: FrontierOrder, workspace: Path, config: Config, progress: Say
) -> FrontierFiles:
    """The frontier of a portfolio's randomised decisions, written to `out` as `frontier.html`, `.json` and `.csv`.

    Raises
    ------
    NoChampion, UnknownRun, BadBundle, OtherConfiguration
        There is no such model, or it is none for this configuration.
    NothingToJudge
        The log holds no randomised decision on debtors the model was not learnt from.
    """
    bundle = _bundle(workspace, order.model)
    must_fit(bundle, config)
    channels, on = config.grid.channels[1:], from_us(order.as_of_us).date()
    packs = packs_of(workspace, channels=channels, on=on, keep=False).packs
    portfolio = read_portfolio(directory, channels=config.grid.channels)
    seed = int(bundle.card.get("seed", 1))
    material = gather(portfolio, as_of_us=order.as_of_us, config=config, packs=packs, seed=seed, progress=progress)
    progress(f"fitting {bundle.recipe} without the judged debtors")
    draft = learnt_without_judged(bundle, material)
    progress("deciding again")
    decided = decide_again(material.histories, material.judged, bundle=draft, config=config, packs=packs)
    found = frontier(material.judged, decided, dials=order.dials, margin=order.margin)
    progress("drawing")
    about = {
        "portfolio": directory.name,
        "model": bundle.recipe,
        "model_version": bundle.model_version,
        "as_of": from_us(order.as_of_us).isoformat(),
        "horizon_days": config.horizon.days,
    }
    return _write(found, about, out)


def _bundle(workspace: Path, model: str) -> Bundle:
    if model == CHAMPION:
        return champion(workspace)
    return read_bundle(workspace / "models" / named(Tracking(workspace).runs(), model).run_id)


def _write(found: Frontier, about: dict[str, Any], out: Path) -> FrontierFiles:
    out.mkdir(parents=True, exist_ok=True)
    figures = figures_of(found, about)
    files = FrontierFiles(found, *(out / f"{NAME}.{kind}" for kind in ("html", "json", "csv")))
    write_whole(files.html, frontier_page(figures).encode())
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(files.json, f"{text}\n".encode())
    write_whole(files.csv, as_csv((*found.settings, found.rules)).encode())
    return files


def figures_of(found: Frontier, about: dict[str, Any]) -> dict[str, Any]:
    """Plain values of all that the page shows."""
    return {
        "about": about,
        "decisions": found.decisions,
        "debtors": found.debtors,
        "margin": found.margin,
        "chosen": found.chosen,
        "told": told(found),
        "settings": [one.as_dict() for one in found.settings],
        "rules": found.rules.as_dict(),
    }


def told(found: Frontier) -> list[str]:
    """What was found, in sentences: the setting to use, what it saves, and how sure that is."""
    start, one = found.settings[0], found.picked
    judged = f"{found.decisions:,} randomised decisions on {found.debtors:,} debtors the model has not seen"
    if start.recovered is None:
        return [f"no number: {start.refusal}", judged]
    base = f"without a dial: contacts in {start.contacts:.1%} of decisions, {_eur(start)} recovered a decision"
    if not found.chosen or one.lost is None:
        none = f"no setting with fewer contacts is shown to keep the recovery within {found.margin:.1%}"
        return [f"{none}{_what_would_tell(found)}", base, judged]
    fewer = 1 - one.contacts / start.contacts
    kept = f"recovery {one.lost.value:+.2f} EUR a decision (95 %: {one.lost.low:+.2f} to {one.lost.high:+.2f})"
    found_it = f"with least_value_eur = {one.least_value_eur:g}: {fewer:.1%} fewer contacts, {kept}"
    return [f"{found_it}, within {found.margin:.1%} of that without a dial", base, judged]


def _what_would_tell(found: Frontier) -> str:
    """Of the mildest setting: what it may lose, and how many randomised decisions would show it where it loses nothing."""
    start, lost = found.settings[0].recovered, found.settings[1].lost if len(found.settings) > 1 else None
    if start is None or lost is None:
        return ""
    said = f"; the mildest may lose {-lost.low:.2f} EUR a decision"
    margin_eur = found.margin * abs(start.value)
    if margin_eur <= 0 or lost.half_width <= margin_eur:
        return said
    # An interval narrows with the root of the decisions; two digits are all that this can promise.
    needed = float(f"{found.decisions * (lost.half_width / margin_eur) ** 2:.2g}")
    return f"{said}, and if it loses nothing, about {needed:,.0f} randomised decisions would show it"


def _eur(one: Setting) -> str:
    if one.recovered is None:
        return "no number"
    return f"{one.recovered.value:.2f} EUR ({one.recovered.low:.2f} to {one.recovered.high:.2f})"


COLUMNS = ("name", "least_value_eur", "contacts", "cost_eur", "harm_eur", "expected_eur")
INTERVALS = ("recovered", "net", "lost", "net_change")


def as_csv(settings: Sequence[Setting]) -> str:
    """One line per setting; intervals in three columns each, empty where there is no number."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    ends = [f"{name}_{end}_eur" for name in INTERVALS for end in ("value", "low", "high")]
    writer.writerow([*COLUMNS, *ends, "refusal"])
    for one in settings:
        plain = one.as_dict()
        spread = [plain[name][end] if plain[name] else "" for name in INTERVALS for end in ("value", "low", "high")]
        writer.writerow([*("" if plain[name] is None else plain[name] for name in COLUMNS), *spread, one.refusal])
    return file.getvalue()
