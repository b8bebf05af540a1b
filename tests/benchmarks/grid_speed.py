"""Processor time of the grid scorer against LightGBM on the expanded grid, contenders in turns in one process.

    make bench-grid                                  ours and LightGBM
    make bench-grid PEERS=PYTHON                     and lleaves, by an interpreter that has it beside lightgbm and numba

Ratios are medians of the rounds' ratios. Rows are claims of made-up debtors (`grid_models.py`); 252 actions are six channels, a week,
six hours; 295 are `none` and six channels, a week, seven hours. Nothing here looks at a portfolio: for the whole nightly job see
`nightly_speed.py`.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from grid_models import ACTION_COLUMNS, CONTEXT, SIZES, Size, action_grid, contacts, model

from models.grid import GridScorer, breakdown
from models.grid import _kernels as kernels
from models.grid.scorer import Grid

BOOSTER_ROWS, ROWS = 24, 4_096
SEVEN_HOURS = (8, 10, 12, 14, 16, 18, 20)
Run = Callable[[], object]


def in_turns(contenders: dict[str, tuple[Run, int]], *, rounds: int) -> dict[str, np.ndarray]:
    """Microseconds of processor for each row, one number a round; each contender with the rows of a run."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for run, _ in contenders.values():
        run()
    for _ in range(rounds):
        for name, (run, rows) in contenders.items():
            begin = time.process_time()
            run()
            found[name].append((time.process_time() - begin) / rows * 1e6)
    return {name: np.array(values) for name, values in found.items()}


def expanded(rows: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Every row under every action."""
    return np.hstack([np.repeat(rows, len(actions), axis=0), np.tile(actions, (len(rows), 1))])


def grid_of(actions: int) -> np.ndarray:
    """252 or 295 actions."""
    if actions == 252:
        return action_grid(20)
    return np.vstack([[np.nan] * 4, action_grid(20, hours=SEVEN_HOURS)])


def batch(
    booster: lgb.Booster, grid: Grid, rows: np.ndarray, actions: np.ndarray, *, rounds: int
) -> dict[str, np.ndarray]:
    """Many rows: LightGBM on cells that are expanded already, lleaves where it can be had, ours."""
    cells = expanded(rows[:BOOSTER_ROWS], actions)
    contenders: dict[str, tuple[Run, int]] = {
        "LightGBM": (lambda: booster.predict(cells, raw_score=True, num_threads=1), BOOSTER_ROWS),
        "ours": (lambda: grid.raw(rows), len(rows)),
    }
    rival = lleaves_of(booster)
    if rival is not None:
        contenders["lleaves"] = (lambda: rival.predict(cells, n_jobs=1), BOOSTER_ROWS)
    return in_turns(contenders, rounds=rounds)


def lleaves_of(booster: lgb.Booster) -> Any:  # another tool's model
    """The booster compiled by lleaves, None where it is not installed."""
    if importlib.util.find_spec("lleaves") is None:
        return None
    import lleaves  # costly, and only in an environment of its own

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.txt"
        booster.save_model(path)
        compiled = lleaves.Model(model_file=str(path))
        begin = time.process_time()
        compiled.compile(raw_score=True)
        print(f"lleaves compiled in {time.process_time() - begin:.0f} s of processor", file=sys.stderr)
    return compiled


def one_row(
    booster: lgb.Booster, grid: Grid, rows: np.ndarray, actions: np.ndarray, *, calls: int
) -> dict[str, np.ndarray]:
    """Thread microseconds of calls with one row each, expanding included for LightGBM; `calls` at a turn."""

    def plain(row: np.ndarray) -> None:
        cells = np.empty((len(actions), CONTEXT + 4))
        cells[:, :CONTEXT], cells[:, CONTEXT:] = row, actions
        booster.predict(cells, raw_score=True, num_threads=1)

    found: dict[str, list[float]] = {"LightGBM": [], "ours": []}
    for number in range(0, 40 * calls, calls):
        for name, run in (("LightGBM", plain), ("ours", grid.raw)):
            for one in range(number, number + calls):
                row = rows[one % len(rows)][None, :]
                begin = time.thread_time()
                run(row)
                found[name].append((time.thread_time() - begin) * 1e6)
    return {name: np.array(values) for name, values in found.items()}


def binding(scorer: GridScorer, actions: np.ndarray) -> np.ndarray:
    """Milliseconds to bind days that were not bound before."""
    taken = []
    for day in range(30):
        other = actions.copy()
        other[:, 3] = (other[:, 3] + day) % 31
        other[:, 2] = (other[:, 2] + day) % 7
        begin = time.process_time()
        scorer.bind(other)
        taken.append((time.process_time() - begin) * 1e3)
    return np.array(taken[1:])


def pay_days(scorer: GridScorer, *, rounds: int) -> np.ndarray:
    """Ratio of 20,000 rows with 31 pay days mixed to the same rows with one."""
    rows = np.ascontiguousarray(contacts(20_000, np.random.default_rng(5))[0][:, :CONTEXT])
    class_of = np.random.default_rng(6).integers(0, 31, len(rows))
    grids = [scorer.bind(action_grid(day)) for day in range(31)]
    out = np.empty((len(rows), grids[0].actions))

    def mixed() -> None:
        order = np.argsort(class_of, kind="stable")
        for day, mine in enumerate(np.split(order, np.cumsum(np.bincount(class_of, minlength=31))[:-1])):
            grids[day].raw(rows, take=mine, out=out)

    taken = in_turns(
        {"mixed": (mixed, len(rows)), "one": (lambda: grids[20].raw(rows, out=out), len(rows))}, rounds=rounds
    )
    return taken["mixed"] / taken["one"]


def apart(grid: Grid, rows: np.ndarray, *, rounds: int) -> np.ndarray:
    """Ratio of scoring with the breakdown by channel, day and hour, and a cell's parts, to scoring alone."""
    some, out = rows[:1024], np.empty((1024, 252))
    cells = np.column_stack(np.unravel_index(np.arange(1024) % 252, (6, 7, 6)))

    def explained() -> None:
        breakdown(grid.raw(some, out=out), (6, 7, 6)).parts(cells)

    both = in_turns({"both": (explained, 1024), "alone": (lambda: grid.raw(some, out=out), 1024)}, rounds=3 * rounds)
    return both["both"] / both["alone"]


def parts_of(grid: Grid, rows: np.ndarray) -> dict[str, float]:
    """Microseconds a row of the kernel's parts, each by itself on one block."""
    compiled, count = grid.model, kernels.BLOCK
    take, codes = np.arange(count), np.empty((grid.model.of_rows, count), np.uint16)
    kernels.encode(rows, take, 0, compiled.coding, codes)
    flags = kernels._flags(codes, compiled.words.flag_column, compiled.words.flag_row)
    sums = np.zeros((grid.plan.sums, count))
    some = np.zeros(grid.plan.sums * kernels.LANES)
    taken = in_turns(
        {
            "encode": (lambda: kernels.encode(rows, take, 0, compiled.coding, codes), count),
            "splits and leaves": (
                lambda: kernels._sum_leaves(codes, flags, compiled.words, grid.plan, np.array([0, count]), sums),
                count,
            ),
            "spread": (lambda: kernels._spread(some, kernels.LANES, grid.plan, 0), kernels.LANES),
        },
        rounds=15,
    )
    return {name: float(np.median(values)) for name, values in taken.items()}


def floor_of(grid: Grid) -> float:
    """Estimated least microseconds a row: what `performance.md` reckons for its reference model, by this one's own counts.

    .03 a coded column, .11 ns a split, 2 ns a leaf reached (two a tree), .25 ns a cell.
    """
    words = grid.model.words
    splits = len(grid.model.walk.nodes) - len(grid.model.forks)
    leaves = 2 * len(words.value) / 64
    return 0.03 * grid.model.of_rows + 0.11e-3 * splits + 2e-3 * leaves + 0.25e-3 * grid.actions


STARTED = """
import sys, time
begin = time.process_time()
import numpy as np, lightgbm as lgb
from models.grid import GridScorer
booster = lgb.Booster(model_file=sys.argv[1])
ready = time.process_time()
scorer = GridScorer(booster, {columns})
rows = np.zeros((300, booster.num_feature() - {count}))
grid = scorer.bind(np.zeros((252, {count})))
grid.raw(rows); grid.raw(rows[:1])
print(time.process_time() - ready)
"""


def ready(booster: lgb.Booster, columns: tuple[int, ...], *, cold: bool) -> float:
    """Seconds of processor from a loaded booster to the first scores of a batch and of one row, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.txt"
        booster.save_model(path)
        cache = Path(folder) / "cache"
        code = STARTED.format(columns=list(columns), count=len(columns))
        found = 0.0
        for turn in range(2 if not cold else 1):
            done = subprocess.run(
                [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True,
                env={"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin", "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            found = float(done.stdout)
            del turn
        shutil.rmtree(cache, ignore_errors=True)
    return found


def show(size: Size, folder: Path, *, rounds: int) -> None:
    """Rows of the table for one model."""
    booster = model(size, folder, rows=300_000, seed=1)
    scorer = GridScorer(booster, ACTION_COLUMNS)
    rows = np.ascontiguousarray(contacts(ROWS, np.random.default_rng(9))[0][:, :CONTEXT])
    share = len(scorer.compiled.forks) / len(scorer.compiled.walk.nodes)
    print(f"\n{size.name}: {share:.0%} of the splits on the action's columns")
    for actions in (252, 295):
        cells = grid_of(actions)
        grid = scorer.bind(cells)
        taken = batch(booster, grid, rows, cells, rounds=rounds)
        print(f"| batch, {actions} actions | " + told(taken))
        if actions == 252:
            least, mine = floor_of(grid), float(np.median(taken["ours"]))
            rest = ", ".join(f"{name} {value:.2f}" for name, value in parts_of(grid, rows).items())
            print(f"| of which (us) | {rest}; estimated floor {least:.1f}, ours {mine / least:.1f} x |")
            print(f"| scoring and breakdown over scoring | {np.median(apart(grid, rows, rounds=rounds)):.2f} |")
    for calls in (40, 1):
        alone = one_row(booster, scorer.bind(grid_of(252)), rows, grid_of(252), calls=calls)
        for percentile in (50, 99):
            slow, fast = (float(np.percentile(alone[name], percentile)) for name in ("LightGBM", "ours"))
            print(
                f"| one row, {calls} calls a turn, p{percentile} | LightGBM {slow:.0f} us, ours {fast:.0f} us: **{slow / fast:.1f}** |"
            )
    print(
        f"| bind another day and pay day, p50, longest (ms) | {np.median(binding(scorer, grid_of(252))):.1f}, {binding(GridScorer(booster, ACTION_COLUMNS), grid_of(252)).max():.1f} |"
    )
    print(f"| 31 pay days mixed over one, 20,000 rows | {np.median(pay_days(scorer, rounds=rounds)):.2f} |")
    print(
        f"| ready, cache warm / cold (s) | {ready(booster, ACTION_COLUMNS, cold=False):.2f} / {ready(booster, ACTION_COLUMNS, cold=True):.1f} |"
    )


def told(taken: dict[str, np.ndarray]) -> str:
    """Medians, and the ratio of each contender to ours."""
    ours = taken["ours"]
    words = [f"{name} {np.median(values):.1f} us" for name, values in taken.items()]
    ratios = [f"over {name} **{np.median(values / ours):.0f}**" for name, values in taken.items() if name != "ours"]
    return ", ".join(words) + " | " + ", ".join(ratios) + " |"


def main() -> None:
    """Print a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-grid"))
    parser.add_argument("--models", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    print(
        f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, LightGBM {lgb.__version__}"
    )
    for number in given.models:
        show(SIZES[number], given.folder, rounds=given.rounds)


if __name__ == "__main__":
    main()
