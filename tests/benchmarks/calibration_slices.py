"""Calibration and log loss of the judged chain on later decisions of debtors it has not seen, beside a plain LightGBM.

    make bench-calibration      world default, seed 1, 40,000 debtors, 24 months

The judged models, not the ones fitted on everything: they have seen neither the judged debtors nor the last three tenths of the time.
Expected calibration error in ten bins of equal size, by the gate's own functions, over all judged rows and by channel and
country where there are at least 2,000; the interval is a bootstrap over debtors, and *by chance* is the mean error that perfect
predictions would show. Asked: at most .02 over all and .04 in each slice. Log loss with the difference to the others, the
interval clustered by debtor.

plain
    One LightGBM over debtor, claim and action, with the 74 features of the first version, as in `three_lines.py`.
lightgbm
    The same recipe with every feature.
base rate
    The share that paid of the rows learnt from and calibrated on, for all; beside it that of the judged rows themselves.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from learnt_bundle import material_of, processor_s
from share_of_best import rettid
from three_lines import FIRST_VERSION

from training.fit import recipe
from training.gate.calibration import FEWEST_IN_SLICE, CalibrationSlice, calibration_slices
from training.judge import calibration_bins, calibration_error
from training.material import Material
from training.ope.intervals import normal_interval
from training.recipes.fitted import Setting
from training.splits import cluster_numbers

RESAMPLES = 200


@dataclass(frozen=True)
class Later:
    """The judged rows, shape (r,): what was paid, whose they are, channel and country."""

    paid: np.ndarray
    unit: np.ndarray
    group: np.ndarray


def later_of(material: Material) -> Later:
    """Judged rows with their slices, named as the gate names them."""
    rows, here, histories = material.rows, material.split.judge, material.histories
    channel = np.array(histories.channels, dtype=object)[rows.channel[here]]
    country = np.array(histories.countries, dtype=object)[histories.country[rows.debtor[here]]]
    group = np.array([f"{one} {two}" for one, two in zip(channel, country, strict=True)], dtype=object)
    return Later(rows.paid[here], cluster_numbers(rows.debtor[here]), group)


def predicted(material: Material, name: str, settings: dict[str, Setting]) -> np.ndarray:
    """Chance of each judged row by the judged model of a recipe; prints how long it took to learn."""
    rows = material.rows
    if name == "plain":
        # In place: a copy of the matrix is a third of the memory. It is the last model for that reason.
        kept = set(FIRST_VERSION.read_text(encoding="utf-8").split())
        for column, one in enumerate(rows.names):
            if one not in kept:
                rows.matrix[:, column] = np.nan
    begin, used = time.perf_counter(), processor_s()
    fit = recipe("lightgbm" if name == "plain" else name)
    model = fit(rows, material.split, material.reference, settings, material.seed).model
    print(
        f"{name}: learnt in {time.perf_counter() - begin:.0f} s, {processor_s() - used:.0f} s of processor", flush=True
    )
    return model.probability(rows.matrix[material.split.judge]).clip(1e-9, 1 - 1e-9)


def surprise(chance: np.ndarray, paid: np.ndarray) -> np.ndarray:
    """Log loss of each row, shape (r,)."""
    return -np.log(np.where(paid, chance, 1.0 - chance))


def interval_of(chance: np.ndarray, later: Later, here: np.ndarray, *, rng: np.random.Generator) -> tuple[float, float]:
    """Bootstrap over debtors of the calibration error of some rows, 95 %."""
    rows = np.flatnonzero(here)
    rows = rows[np.argsort(later.unit[rows], kind="stable")]
    names, begin, count = np.unique(later.unit[rows], return_index=True, return_counts=True)
    errors = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, len(names), len(names))
        offset = np.arange(count[drawn].sum()) - np.repeat(np.cumsum(count[drawn]) - count[drawn], count[drawn])
        mine = rows[np.repeat(begin[drawn], count[drawn]) + offset]
        errors.append(calibration_error(calibration_bins(chance[mine], later.paid[mine])))
    low, high = np.quantile(errors, [0.025, 0.975])
    return float(low), float(high)


def told(found: CalibrationSlice, chance: np.ndarray, later: Later, *, rng: np.random.Generator) -> str:
    """One slice as a row of the table."""
    here = np.ones(len(chance), dtype=bool) if found.name == "all" else later.group == found.name
    low, high = interval_of(chance, later, here, rng=rng)
    mean = f"{chance[here].mean():.4f} | {later.paid[here].mean():.4f}"
    return f"| {found.name} | {found.rows:,} | {found.error:.4f} | {low:.4f} to {high:.4f} | {found.by_chance:.4f} | {mean} |"


def calibration_lines(name: str, chance: np.ndarray, later: Later, *, seed: int) -> list[str]:
    """Every slice of a model, the worst, and those that miss what is asked."""
    found = calibration_slices(chance, later.paid, group=later.group, rng=np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    slices = found[1:]
    worst = max(slices, key=lambda one: one.error, default=found[0])
    over = [one.name for one in slices if one.error > 0.04]
    return [
        f"\n{name}: {len(slices)} slices of at least {FEWEST_IN_SLICE:,} rows; worst {worst.name} {worst.error:.4f}; above .04: {over or 'none'}",
        "| slice | rows | error | 95 % | by chance | mean predicted | paid |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(told(one, chance, later, rng=rng) for one in found),
    ]


def loss_lines(chances: dict[str, np.ndarray], material: Material, later: Later) -> list[str]:
    """Log loss of every model and the difference of the first to each."""
    seen = material.rows.paid[material.split.learn | material.split.calibrate]
    size = len(later.paid)
    rivals = {
        **chances,
        "base rate of what was learnt from": np.full(size, seen.mean()),
        "base rate of the judged rows": np.full(size, later.paid.mean()),
    }
    losses = {name: surprise(one, later.paid) for name, one in rivals.items()}
    first = next(iter(losses))
    lines = ["\n| model | log loss | first less this, 95 % |", "| --- | --- | --- |"]
    for name, loss in losses.items():
        gap = normal_interval(losses[first] - loss, later.unit)
        lines.append(f"| {name} | {loss.mean():.5f} | {gap.value:+.5f} ({gap.low:+.5f} to {gap.high:+.5f}) |")
    return lines


def measured(material: Material, models: list[str], *, seed: int) -> None:
    """Print log losses, then the slices of every model."""
    later, split = later_of(material), material.split
    print(f"{platform.machine()}, {os.cpu_count()} cores, {len(material.rows):,} rows")
    print(f"learn {int(split.learn.sum()):,}, level {int(split.calibrate.sum()):,}, judge {int(split.judge.sum()):,}")
    chances = {name: predicted(material, name, {}) for name in sorted(models, key=lambda one: one == "plain")}
    print("\n".join(loss_lines(chances, material, later)), flush=True)
    for name, chance in chances.items():
        print("\n".join(calibration_lines(name, chance, later, seed=seed)), flush=True)


def main() -> None:
    """Print calibration and log loss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--world", default="default")
    parser.add_argument("--models", nargs="+", default=["chain", "lightgbm", "plain"])
    parser.add_argument("--debtors", type=int, default=40_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-share"))
    given = parser.parse_args()
    portfolio = given.folder / f"{given.world}-{given.seed}"
    if not (portfolio / "claims.parquet").is_file():
        size = ("--debtors", str(given.debtors), "--months", str(given.months), "--truth", str(given.debtors))
        place = given.folder / "workspace"
        rettid(place, "simulate", str(portfolio), *size, "--seed", str(given.seed), "--world", given.world)
    measured(material_of(portfolio), given.models, seed=given.seed)


if __name__ == "__main__":
    main()
