"""How fast features are made, against the same features in pandas and in DuckDB, hand-written, on the same layout.

    make bench-features         50,000 simulated debtors, 24 months; sizes of 10,000, 20,000, 50,000 debtors

All debtor and claim features of every open claim at one moment, float32. Before any clock starts, every column of every
rival must equal ours. Then the contenders take turns in one process; a ratio is the median of the rounds' ratios, so that a
busy machine slows all of them alike. `--growth 1,2,4 --shards DIR` measures reading, histories and features of so many shards.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import features_rivals_duckdb
import features_rivals_pandas
import numpy as np
import pandas as pd
import pyarrow as pa
from features_growth import Row, clock, drawn, growth, ours
from features_layout import Moment, database_of, first_debtors, frames_of, moment_of, tables_of

from data.config import Config
from data.portfolio import read_portfolio
from data.shards import shard_count
from data.times import DAY_US, to_us
from features.histories import histories_of
from features.pipeline import Matrix
from features.reference import Reference, learn_reference
from features.tables import Histories
from models.prepare import debtors_with_open_claims

ROOT = Path(__file__).parents[2]
AS_OF = "2026-03-02T05:00:00+00:00"
WARM, OTHER_DAYS = 2, 180
Run = Callable[[], Any]


class NotTheSame(ValueError):
    """A rival's feature is not ours."""


def check(name: str, mine: Matrix, theirs: pd.DataFrame | pa.Table, *, columns: tuple[str, ...]) -> None:
    """Hold a rival's features against ours, column by column.

    Raises
    ------
    NotTheSame
        Other columns, other rows, or a value that differs by more than 1e-5 of it.
    """
    found = theirs.column_names if isinstance(theirs, pa.Table) else theirs.columns.tolist()
    if tuple(found) != columns or len(theirs) != len(mine):
        raise NotTheSame(
            f"{name}: expected {len(mine):,} rows of {len(columns)} columns, came {len(theirs):,} of {len(found)}"
        )
    wrong = []
    for place, column in enumerate(columns):
        other = np.asarray(theirs[column].to_numpy(), dtype=np.float32)
        same = np.isclose(mine[:, place], other, rtol=1e-5, atol=0.0, equal_nan=True)
        if not same.all():
            row = int(np.flatnonzero(~same)[0])
            wrong.append(
                f"{column}: {int((~same).sum()):,} rows, row {row} has {other[row]} for our {mine[row, place]}"
            )
    if wrong:
        raise NotTheSame(f"{name}, {len(wrong)} of {len(columns)} columns:\n" + "\n".join(wrong[:20]))


def in_turns(contenders: dict[str, Run], *, rounds: int) -> dict[str, Row]:
    """Median seconds of each contender, and the median over the rounds of its seconds over ours."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for number in range(WARM + rounds):
        turn = number % len(contenders)  # nobody always runs behind the same other one, whose threads may still tidy up
        for name, run in [*contenders.items()][turn:] + [*contenders.items()][:turn]:
            cpu, wall = time.process_time(), time.perf_counter()
            made = run()
            if number >= WARM:
                spent[name].append((time.process_time() - cpu, time.perf_counter() - wall))
            del made
    first = np.array(spent["ours"])
    return {
        name: {
            **dict(zip(("cpu_s", "wall_s"), np.median(one, axis=0).tolist(), strict=True)),
            **dict(zip(("cpu_ratio", "wall_ratio"), np.median(np.array(one) / first, axis=0).tolist(), strict=True)),
        }
        for name, one in spent.items()
    }


def compare(histories: Histories, reference: Reference, *, as_of_us: int, rounds: int) -> Row:
    """All contenders at one size: checked at two moments, then timed."""
    config, layouts = Config(), Row()
    with clock(layouts, "tables"):
        tables = tables_of(histories)
    with clock(layouts, "pandas"):
        frames = frames_of(tables)
    with clock(layouts, "duckdb"):
        one = database_of(tables, threads=1)
    two = database_of(tables, threads=2)
    for at in (as_of_us - OTHER_DAYS * DAY_US, as_of_us):
        moment = moment_of(histories, as_of_us=at, reference=reference, config=config)
        mine = ours(histories, moment)
        check("pandas", mine, features_rivals_pandas.features(frames, moment), columns=moment.columns)
        check("duckdb", mine, features_rivals_duckdb.features(one, moment), columns=moment.columns)
        check("duckdb, 2 threads", mine, features_rivals_duckdb.features(two, moment), columns=moment.columns)
    runs = {
        "ours": lambda: ours(histories, moment),
        "pandas": lambda: features_rivals_pandas.features(frames, moment),
        "duckdb": lambda: features_rivals_duckdb.features(one, moment),
        "duckdb, 2 threads": lambda: features_rivals_duckdb.features(two, moment),
    }
    expensive = {
        "ours": lambda: features_rivals_pandas.counts_by_bincount(frames, moment),
        "groupby": lambda: features_rivals_pandas.counts_by_groupby(frames, moment),
    }
    shape = in_turns(expensive, rounds=rounds)["groupby"]["cpu_ratio"]
    found = in_turns(runs, rounds=rounds)
    size = {
        "debtors": histories.size,
        "owing": len(np.unique(histories.claims.debtor)),
        "rows": len(mine),
        "columns": mine.shape[1],
    }
    return {
        **size,
        "contact_events": len(histories.contact_events.kind),
        "layout": layouts,
        "contenders": found,
        "pandas_groupby_to_bincount": shape,
    }


# Memory -------------------------------------------------------------------------------------------------------------


def peaks(histories: Histories, moment: Moment) -> Row:
    """MB that each contender needs above what it starts with, its facts loaded: each in a fork of its own."""
    return {name: _forked(lambda name=name: _peak(name, histories, moment)) for name in ("ours", "pandas", "duckdb")}


def _peak(name: str, histories: Histories, moment: Moment) -> float:
    small = first_debtors(histories, 200)
    _contender(name, small, moment)()  # what is loaded once, code and libraries, is nobody's need
    run = _contender(name, histories, moment)
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)  # freed memory that is kept for later would hide what is needed
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak so far is forgotten
    before = _status("VmRSS")
    made = run()
    del made
    return (_status("VmHWM") - before) / 1024


def _contender(name: str, histories: Histories, moment: Moment) -> Run:
    if name == "ours":
        return lambda: ours(histories, moment)
    tables = tables_of(histories)
    if name == "pandas":
        frames = frames_of(tables)
        return lambda: features_rivals_pandas.features(frames, moment)
    base = database_of(tables)
    return lambda: features_rivals_duckdb.features(base, moment)


def _status(key: str) -> int:
    """KiB from this process's status."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


def _forked(measure: Callable[[], float]) -> float:
    """A number measured in a fork of this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, json.dumps(measure()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return float(text)


# One debtor ---------------------------------------------------------------------------------------------------------


def one_debtor(histories: Histories, moment: Moment, *, calls: int, rival_calls: int) -> Row:
    """Milliseconds of one debtor with about 7 claims and 100 events: p50 and p99."""
    debtor = _typical(histories, moment.as_of_us)
    who, tables = np.array([debtor]), tables_of(histories)
    frames, base = frames_of(tables), database_of(tables)

    def small() -> pd.DataFrame:
        few = features_rivals_pandas.debtors_from(frames, debtor, debtor + 1)
        return features_rivals_pandas.features(few, moment)

    mine = ours(histories, moment, debtor=who)
    check("pandas", mine, small(), columns=moment.columns)
    query = f"and debtor = {debtor}"
    check("duckdb", mine, features_rivals_duckdb.features(base, moment, only=query), columns=moment.columns)
    return {
        "claims": int(np.diff(histories.claims.start)[debtor]),
        "events": int(np.diff(histories.contact_events.start)[debtor]),
        "rows": len(mine),
        "ours": _percentiles(lambda: ours(histories, moment, debtor=who), calls),
        "pandas": _percentiles(small, rival_calls),
        "duckdb": _percentiles(lambda: features_rivals_duckdb.features(base, moment, only=query), rival_calls),
    }


def _typical(histories: Histories, as_of_us: int) -> int:
    owing = debtors_with_open_claims(histories, as_of_us)
    claims, events = (np.diff(table.start)[owing] for table in (histories.claims, histories.contact_events))
    return int(owing[np.argmin(abs(claims - 7) * 15 + abs(events - 100))])


def _percentiles(run: Run, calls: int) -> Row:
    for _ in range(max(calls // 20, 3)):
        run()
    spent = np.empty(calls)
    for number in range(calls):
        begin = time.perf_counter()
        run()
        spent[number] = time.perf_counter() - begin
    return {
        "calls": calls,
        "p50_ms": float(np.percentile(spent, 50) * 1e3),
        "p99_ms": float(np.percentile(spent, 99) * 1e3),
    }


# Tables -------------------------------------------------------------------------------------------------------------


def show_sizes(sizes: list[Row]) -> None:
    """Print medians and ratios by size."""
    print(
        "\n| debtors | open claims | contender | CPU s | wall s | CPU, ours = 1 | wall, ours = 1 |\n"
        + "| --- " * 7
        + "|"
    )
    for size in sizes:
        for name, row in size["contenders"].items():
            figures = f"{row['cpu_s']:.3f} | {row['wall_s']:.3f} | {row['cpu_ratio']:.2f} | {row['wall_ratio']:.2f}"
            print(f"| {size['debtors']:,} | {size['rows']:,} | {name} | {figures} |")
    largest = sizes[-1]
    layout = {key: round(value, 2) for key, value in largest["layout"].items() if "cpu" in key}
    print(f"\nLayout of {largest['debtors']:,} debtors, once, before the clock: {layout}")
    print(
        f"pandas, hits by measure, channel and window: group-by and pivot takes {largest['pandas_groupby_to_bincount']:.2f} times bincount"
    )


def show_rest(found: Row) -> None:
    """Print memory, one debtor and growth."""
    if "peak_mb" in found:
        print("\nPeak above the loaded facts, MB: " + ", ".join(f"{k} {v:.0f}" for k, v in found["peak_mb"].items()))
        one = found["one_debtor"]
        print(f"\nOne debtor, {one['claims']} claims, {one['events']} events, {one['rows']} open:\n")
        print("| contender | calls | p50 ms | p99 ms |\n| --- | --- | --- | --- |")
        for name in ("ours", "pandas", "duckdb"):
            print(f"| {name} | {one[name]['calls']:,} | {one[name]['p50_ms']:.2f} | {one[name]['p99_ms']:.2f} |")
    if found.get("growth"):
        print(
            "\n| shards | debtors | rows | reading CPU s | histories CPU s | features CPU s | wall s | peak MB |\n"
            + "| --- " * 8
            + "|"
        )
    for row in found.get("growth", []):
        steps = [row[f"{step}_cpu_s"] for step in ("reading", "histories", "features")]
        wall = sum(row[f"{step}_wall_s"] for step in ("reading", "histories", "features"))
        cells = " | ".join(f"{one:.2f}" for one in (*steps, wall))
        print(
            f"| {row['shards']} | {row['debtors']:,} | {row['rows']:,} | {cells} | {row['peak_mb']:,.0f} |", flush=True
        )


def machine() -> Row:
    """What the figures were measured on."""
    versions = {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__}
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        **versions,
        "pyarrow": pa.__version__,
        "duckdb": duckdb.__version__,
    }


def simulated(folder: Path, *, debtors: int) -> Path:
    """A portfolio of the simulator."""
    size = ("--debtors", str(debtors), "--months", "24", "--seed", "1", "--claims", "3.5", "--truth", "0")
    command = [
        sys.executable,
        str(ROOT / "rettid.py"),
        "--workspace",
        str(folder),
        "simulate",
        str(folder / "portfolio"),
        *size,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "portfolio"


def measure(portfolio: Path, given: argparse.Namespace, *, as_of_us: int) -> Row:
    """Everything about one portfolio: memory first, while nothing else is loaded."""
    config, load = Config(), Row()
    with clock(load, "reading"):
        tables = read_portfolio(portfolio, shard=0 if shard_count(portfolio) else None)
    with clock(load, "histories"):
        whole = histories_of(tables, channels=config.grid.channels)
    del tables
    sizes = [size for size in given.debtors if size <= whole.size]
    whole = first_debtors(whole, max(sizes))
    reference = learn_reference(whole, until_us=as_of_us, config=config)
    moment = moment_of(whole, as_of_us=as_of_us, reference=reference, config=config)
    found: Row = {"load": load, "peak_mb": peaks(whole, moment)}
    found["one_debtor"] = one_debtor(whole, moment, calls=given.calls, rival_calls=given.rival_calls)
    found["sizes"] = [
        compare(first_debtors(whole, size), reference, as_of_us=as_of_us, rounds=given.rounds) for size in sizes
    ]
    return found


def options() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--portfolio",
        type=Path,
        help="a portfolio's folder (its first shard, if it is laid out); else one is simulated",
    )
    parser.add_argument(
        "--debtors", type=lambda text: [int(one) for one in text.split(",")], default=[10_000, 20_000, 50_000]
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=2_000, help="calls of ours for one debtor")
    parser.add_argument("--rival-calls", type=int, default=30)
    parser.add_argument("--as-of", default=AS_OF)
    parser.add_argument(
        "--growth", type=lambda text: [int(one) for one in text.split(",")], default=[], help="numbers of shards"
    )
    parser.add_argument(
        "--shards", type=Path, help="a folder laid out by debtor, for --growth; with it alone nothing else is measured"
    )
    parser.add_argument("--out", type=Path, default=Path(".rettid/bench"))
    return parser


def main() -> None:
    """Measure and print."""
    given = options().parse_args()
    # Its remedy, a relation, plans every query twice, which takes longer than the copy.
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)
    as_of_us, found = to_us(datetime.fromisoformat(given.as_of)), Row(machine())
    print(", ".join(f"{key} {value}" for key, value in found.items()), flush=True)
    if given.shards is None or given.portfolio is not None:
        with tempfile.TemporaryDirectory() as folder:
            portfolio = given.portfolio or simulated(Path(folder), debtors=max(given.debtors))
            found |= measure(portfolio, given, as_of_us=as_of_us)
        show_sizes(found["sizes"])
    if given.growth and given.shards is not None:
        found["growth"] = growth(given.shards, counts=given.growth, as_of_us=as_of_us)
    show_rest(found)
    given.out.mkdir(parents=True, exist_ok=True)
    found["load_average_after"] = os.getloadavg()
    (given.out / "features.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if found.get("growth"):
        (given.out / "features-growth.svg").write_text(drawn(found["growth"]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
