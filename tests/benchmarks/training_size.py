"""Time, memory and size on disk of the recipe `chain` on a million decisions, with 60 features and with all.

    make bench-training         40,000 debtors, 24 months, world default, seed 1

The first million decisions on claims of the portfolio in order of debtors (a contact over several claims is a decision on each),
with the configuration's grid: 7 channels (`none` is one), 49 slots of each contact. *60 features* keeps the 8 of the
action, the 24 of payments near each hour, which the chain reads itself, and the first 28 others of the first version's list; all
other columns are empty, so that LightGBM drops them: the matrix keeps its width, which costs memory, not time.

Material is made in one process and written to a file; each fit is a process of its own that reads it, so that its memory is what the
recipe needs beside its rows. Asked: at most 600 s, 8 GB and 50 MB.
"""

from __future__ import annotations

import argparse
import os
import pickle
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from learnt_bundle import material_of, processor_s
from share_of_best import rettid
from three_lines import FIRST_VERSION

from features.catalogue import action_features, names
from features.reference import Reference
from models.bundle import Bundle, write_bundle
from training.fit import recipe
from training.material import Material
from training.recipes.amounts import learn_amounts
from training.recipes.fitted import Setting
from training.rows import TrainingRows
from training.splits import Split

ARRAYS = (
    "matrix", "paid", "share", "amount_eur", "decided_us", "debtor", "claim", "contact_id", "channel", "policy",
    "action_probability", "responded", "paid_through",
)  # fmt: skip


@dataclass(frozen=True)
class Lesson:
    """What a recipe is handed."""

    rows: TrainingRows
    split: Split
    reference: Reference
    usual: tuple[float | None, ...]


def peak_gb() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def made(material: Material, file: Path, *, decisions: int) -> None:
    """Write the lesson of a portfolio's first decisions."""
    rows = material.rows
    if len(rows) < decisions:
        raise ValueError(f"{len(rows):,} decisions on claims, expected at least {decisions:,}: give more --debtors")
    kept = slice(0, decisions)
    cut = replace(rows, **{name: getattr(rows, name)[kept] for name in ARRAYS}, waits=None)
    parts = {name: getattr(material.split, name)[kept] for name in ("learn", "calibrate", "judge")}
    split = replace(material.split, **parts)
    with file.open("wb") as place:
        pickle.dump(Lesson(cut, split, material.reference, material.usual), place, protocol=5)
    print(f"{len(cut):,} of {len(rows):,} decisions on claims kept", flush=True)


def columns_kept(every: tuple[str, ...], count: int) -> list[int]:
    """Columns of `count` features: the action's, those near each hour, then those of the first version."""
    needed = [*names(action_features()), *(f"paid_near_{hour:02d}" for hour in range(24))]
    first = [name for name in FIRST_VERSION.read_text(encoding="utf-8").split() if name not in needed and name in every]
    wanted = set([*needed, *first][:count])
    return [column for column, name in enumerate(every) if name in wanted]


def fitted(file: Path, *, features: int, settings: Mapping[str, Setting], out: Path) -> None:
    """Fit in this process, write the bundle, print a row."""
    with file.open("rb") as place:
        lesson: Lesson = pickle.load(place)  # written by this program a moment ago
    rows = lesson.rows
    if features:
        mine = set(columns_kept(rows.names, features))
        for column in range(rows.matrix.shape[1]):
            if column not in mine:
                rows.matrix[:, column] = np.nan
    read_gb = peak_gb()
    begin, used = time.perf_counter(), processor_s()
    found = recipe("chain")(rows, lesson.split, lesson.reference, dict(settings), 1)
    took, busy = time.perf_counter() - begin, processor_s() - used
    with_amounts = time.perf_counter()
    amounts = learn_amounts(rows, lesson.split, reference=lesson.reference, seed=1)
    more = time.perf_counter() - with_amounts
    bundle = Bundle(
        "bench-size", "chain", "value", found.shipped, lesson.reference, amounts.mean_share, {}, usual=lesson.usual,
        share_model=amounts.model,
    )  # fmt: skip
    place = write_bundle(bundle, out)
    size = sum(one.stat().st_size for one in place.rglob("*") if one.is_file()) / 1e6
    used_columns = int((~np.isnan(rows.matrix[:: max(len(rows) // 5_000, 1)])).any(axis=0).sum())
    print(
        f"| {used_columns} | {len(rows):,} | {took:.0f} | {busy:.0f} | {more:.0f} | {read_gb:.1f} | {peak_gb():.1f} | {size:.1f} |",
        flush=True,
    )


def main() -> None:
    """Print the table: a process for the material, one for each fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, nargs="+", default=[60, 0], help="0 for all")
    parser.add_argument("--debtors", type=int, default=40_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-share"))
    parser.add_argument("--step", choices=("make", "fit"), default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    portfolio, file = given.folder / "default-1", given.folder / "training-size.pickle"
    if given.step == "make":
        begin, used = time.perf_counter(), processor_s()
        material = material_of(portfolio)
        took = f"{time.perf_counter() - begin:.0f} s, {processor_s() - used:.0f} s of processor, {peak_gb():.1f} GB"
        print(f"material of {len(material.rows):,} rows: {took}", flush=True)
        made(material, file, decisions=given.decisions)
        return
    if given.step == "fit":
        features = given.features[0]
        fitted(file, features=features, settings={}, out=given.folder / f"training-size-{features}")
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    if not (portfolio / "claims.parquet").is_file():
        size = ("--debtors", str(given.debtors), "--months", str(given.months), "--truth", str(given.debtors))
        rettid(given.folder / "workspace", "simulate", str(portfolio), *size, "--seed", "1")
    same = [sys.executable, __file__, "--folder", str(given.folder), "--decisions", str(given.decisions)]
    if not file.is_file():
        subprocess.run([*same, "--step", "make"], check=True)
    print(
        "| columns with values | rows | s | s of processor | amounts, s | GB with the rows read | GB at most | MB on disk |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for features in given.features:
        subprocess.run([*same, "--step", "fit", "--features", str(features)], check=True)


if __name__ == "__main__":
    main()
