"""Whether the reasons given for decisions are true: the named factor is given its usual value, and the score looked at.

    make bench-reasons          2,000 decisions on a simulated portfolio of 4,000 debtors

A portfolio is simulated and a model trained through the command line. Each decision's reasons are read as text, as a
clerk would; the factor is then changed in the model's input, here and not by the program, and the model asked again. For
comparison: the same with the factor that plain TreeSHAP names first, and with the factor changed to `missing` or to the
values of other debtors in place of its usual one.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data.config import Config
from data.portfolio import read_portfolio
from data.times import read_moment, to_us
from features.catalogue import action_features, catalogue, names
from features.histories import histories_of
from models.bundle import Bundle, read_bundle
from models.decide import Decided, decide
from models.explain import explained_cells, reasons
from models.prepare import Asks, debtors_with_open_claims
from models.rules.pack import read_packs

ROOT = Path(__file__).parents[2]
AS_OF = "2026-03-02T05:00:00+00:00"
OTHERS = 50
Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """One decision: the model's input (the action's row, behind it that of `none`), and its reasons as text."""

    cells: Rows
    texts: tuple[str, ...]


def rettid(workspace: Path, *arguments: str) -> None:
    """One command of the program."""
    command = [sys.executable, str(ROOT / "rettid.py"), "--workspace", str(workspace), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def trained(folder: Path, *, debtors: int, months: int, seed: int) -> Bundle:
    """A portfolio in a folder, made on first use, and a model trained on it now."""
    portfolio, workspace = folder / "portfolio", folder / "workspace"
    if not (portfolio / "truth" / "actions.parquet").is_file():
        size = ("--debtors", str(debtors), "--months", str(months), "--seed", str(seed), "--truth", "100")
        rettid(workspace, "simulate", str(portfolio), *size)
    rettid(workspace, "train", str(portfolio), "--as-of", AS_OF)
    manifests = (workspace / "models").glob("*/manifest.json")
    return read_bundle(max(manifests, key=lambda path: path.stat().st_mtime_ns).parent)


def decisions(folder: Path, bundle: Bundle, *, most: int) -> Decided:
    """Greedy decisions for debtors who owe something."""
    config = Config()
    histories = histories_of(
        read_portfolio(folder / "portfolio", channels=config.grid.channels), channels=config.grid.channels
    )
    as_of_us = to_us(read_moment(AS_OF))
    debtors = debtors_with_open_claims(histories, as_of_us)[:most]
    packs = read_packs(channels=config.grid.channels[1:])
    asks = Asks(debtors, np.full(len(debtors), as_of_us))
    return decide(histories, asks, champion=bundle, config=config, packs=packs, everyone_champion=True)


def score(bundle: Bundle, cells: Rows) -> float:
    """Uplift of a contact over `none`; the chance of payment where `none` was chosen."""
    chance = bundle.model.probability(cells)
    return float(chance[0] - chance[1]) if len(chance) == 2 else float(chance[0])


def moved(bundle: Bundle, cells: Rows, column: int, value: float) -> float:
    """What the score loses when a column has another value; `none` keeps what belongs to an action empty."""
    other = cells.copy()
    last = cells.shape[1] - len(action_features())
    other[: 1 if column >= last else 2, column] = value
    return score(bundle, cells) - score(bundle, other)


def by_shap(bundle: Bundle, cells: Rows) -> tuple[int, float]:
    """Column and share of the factor that plain additive contributions name first."""
    parts = bundle.model.contributions(cells)
    spoke = parts[0] - parts[1] if len(cells) == 2 else parts[0]
    column = int(np.argmax(np.abs(spoke)))
    return column, float(spoke[column])


def look(bundle: Bundle, cases: list[Case], *, rng: np.random.Generator) -> Counter[str]:
    """How often each kind of factor was looked at, and how often the score moved as was said."""
    labels, count = names(catalogue(bundle.reference.channels)), Counter[str]()
    every = np.concatenate([case.cells[:1] for case in cases])
    usual = bundle.usual_values(every.shape[1])
    for case in cases:
        for place, text in enumerate(case.texts):
            name, said = re.fullmatch(r"([^=]+)=.* \(([+-][0-9.]+)\)", text).groups()
            column, adds = labels.index(name), float(said)
            tell(
                count,
                "said" if place == 0 else "said, behind the first",
                adds,
                moved(bundle, case.cells, column, usual[column]),
            )
            if place == 0:
                tell(count, "said, but changed to missing", adds, moved(bundle, case.cells, column, np.nan))
                values = rng.choice(every[:, column], OTHERS)
                mean = float(np.mean([moved(bundle, case.cells, column, float(value)) for value in values]))
                tell(count, "said, but changed to others' values", adds, mean)
        column, adds = by_shap(bundle, case.cells)
        if not np.array_equal(case.cells[0, column], usual[column], equal_nan=True):
            tell(count, "named by TreeSHAP", adds, moved(bundle, case.cells, column, usual[column]))
    return count


def tell(count: Counter[str], kind: str, said: float, found: float) -> None:
    """Count one factor; changes that the model does not see do not move as was said."""
    count[kind] += 1
    count[f"{kind}: true"] += int(said * found > 0)


def main() -> None:
    """Print the table; exit code 1 where fewer than 95 % of the factors named first are true, or it takes too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=2_000)
    parser.add_argument("--debtors", type=int, default=4_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--seed", type=int, default=23)
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-reasons"))
    given = parser.parse_args()
    bundle = trained(given.folder, debtors=given.debtors, months=given.months, seed=given.seed)
    decided = decisions(given.folder, bundle, most=given.decisions)
    size = len(decided.choice.action)
    reasons(decided, 0)
    begin = time.perf_counter()
    texts = [reasons(decided, row) for row in range(size)]
    each_ms = (time.perf_counter() - begin) / size * 1_000
    cases = [Case(explained_cells(decided, row), texts[row]) for row in range(size)]
    count = look(bundle, cases, rng=np.random.default_rng(given.seed))
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {size:,} decisions, {given.debtors:,} debtors, seed {given.seed}"
    )
    print("| factor | looked at | the score moves as said |\n| --- | --- | --- |")
    for kind in [kind for kind in count if not kind.endswith(": true")]:
        print(f"| {kind} | {count[kind]:,} | {count[f'{kind}: true'] / count[kind]:.1%} |")
    silent = sum(not one for one in texts)
    print(f"decisions without a factor: {silent:,} of {size:,}; {each_ms:.1f} ms an explanation")
    sys.exit(int(count["said: true"] < 0.95 * count["said"] or each_ms > 15))


if __name__ == "__main__":
    main()
