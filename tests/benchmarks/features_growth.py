"""How reading, histories and features grow with the number of debtors: shard after shard of a folder laid out by debtor."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
from features_layout import Moment, first_debtors, moment_of

from data.config import Config
from data.portfolio import read_portfolio
from data.times import IntArray
from features.histories import histories_of
from features.pipeline import Matrix, build, open_targets
from features.reference import Reference, learn_reference
from features.tables import Histories
from models.prepare import debtors_with_open_claims
from training.reports.drawing import data_of, svg

Row = dict[str, Any]


def ours(histories: Histories, moment: Moment, *, debtor: IntArray | None = None) -> Matrix:
    """Every feature of every open claim, as the nightly batch asks for it."""
    who = debtors_with_open_claims(histories, moment.as_of_us) if debtor is None else debtor
    targets = open_targets(histories, who, as_of_us=np.full(len(who), moment.as_of_us))
    return build(histories, targets, reference=moment.reference, rates=Config().rates).matrix


@contextmanager
def clock(into: Row, name: str) -> Iterator[None]:
    """CPU and wall seconds of a block, added to `into`."""
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    for kind, spent in (("cpu_s", time.process_time() - cpu), ("wall_s", time.perf_counter() - wall)):
        into[f"{name}_{kind}"] = into.get(f"{name}_{kind}", 0.0) + spent


def growth(shards: Path, *, counts: list[int], as_of_us: int) -> list[Row]:
    """Seconds of reading, histories and features of so many shards, one after the other."""
    config, found = Config(), []
    reference: Reference | None = None
    for count in counts:
        row: Row = {"shards": count, "debtors": 0, "rows": 0}
        for shard in range(count):
            with clock(row, "reading"):
                portfolio = read_portfolio(shards, shard=shard)
            with clock(row, "histories"):
                histories = histories_of(portfolio, channels=config.grid.channels)
            reference = reference or learn_reference(histories, until_us=as_of_us, config=config)
            moment = moment_of(histories, as_of_us=as_of_us, reference=reference, config=config)
            ours(first_debtors(histories, 200), moment)
            with clock(row, "features"):
                matrix = ours(histories, moment)
            row["debtors"] += histories.size
            row["rows"] += len(matrix)
            del portfolio, histories, matrix
        row["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found.append(row)
    return found


def drawn(rows: list[Row]) -> str:
    """Growth as a small chart: CPU seconds of each step by debtors."""
    steps = ("reading", "histories", "features")
    values = [{"debtors": row["debtors"], "step": step, "cpu": row[f"{step}_cpu_s"]} for row in rows for step in steps]
    chart = alt.Chart(data_of(values)).mark_line(point=True).encode(
        x=alt.X("debtors:Q", title="debtors"), y=alt.Y("cpu:Q", title="CPU seconds"), color=alt.Color("step:N", title=None)
    )  # fmt: skip
    return svg(chart, title="Growth", description="CPU seconds of reading, histories and features by number of debtors")
