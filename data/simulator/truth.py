"""The truth of a portfolio on disk: every lawful action at its end, and everybody's hidden traits."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.action_grid import Slots
from data.parquet_folder import shard_prefix
from data.schemas import REAL, TEXT, TIME
from data.simulator.arrow import instants, words
from data.simulator.behaviour import Behaviour
from data.simulator.exact import Truth, hazards_at, truth_of
from data.simulator.habits import PAY_DAYS
from data.simulator.later import REPLICATIONS, survival
from data.simulator.names import claim_names, debtor_names
from data.simulator.points import leads_home
from data.simulator.settings import SimulationSettings
from data.simulator.state import Chunk
from data.simulator.view import View, slots_of, view
from data.situation import BoolArray, FloatArray
from data.times import NEVER, IntArray
from data.vocabulary import CHANNELS, CONTACT_CHANNELS, SEGMENTS

BLOCK = 2_000
"""Claims whose truth is computed together: about 600,000 actions, a row group of the file."""

ACTIONS = pa.schema(
    [
        ("as_of", TIME),
        ("debtor_id", TEXT),
        ("claim_id", TEXT),
        ("channel", TEXT),
        ("send_at", TIME),
        ("payment_probability", REAL),
        ("expected_paid", REAL),
    ]
)


class TruthWriter:
    """Writes `truth/actions.parquet` chunk by chunk, then `truth/truth.json`.

    Debtors with open claims are taken in the order of their numbers, which say nothing, until `settings.truth` of
    them have been written.
    """

    def __init__(self, directory: Path, *, behaviour: Behaviour, settings: SimulationSettings) -> None:
        self._folder = directory / "truth"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._behaviour = behaviour
        self._settings = settings
        self._left = settings.truth
        self._rows = 0
        self._errors: list[FloatArray] = [np.zeros(0)]
        self._file = pq.ParquetWriter(self._folder / "actions.parquet", ACTIONS, compression="zstd")

    def __enter__(self) -> TruthWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if kind is not None:
            return
        errors = np.concatenate(self._errors)
        content = {
            "as_of": self._settings.until.isoformat(),
            "rows": self._rows,
            "debtors": self._settings.truth - self._left,
            "replications_of_later_decisions": REPLICATIONS if errors.any() else 0,
            "standard_error_of_payment_probability": {
                "mean": float(errors.mean()) if errors.size else 0.0,
                "95th_percentile": float(np.quantile(errors, 0.95)) if errors.size else 0.0,
            },
        }
        (self._folder / "truth.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    @property
    def left(self) -> int:
        """Debtors, at most, whose truth is still to be written."""
        return self._left

    def add(self, chunk: Chunk, *, rng: np.random.Generator) -> None:
        """Write the truth of a chunk that stands at the portfolio's end."""
        until_us = self._settings.until_us
        ids = debtor_names(chunk.people.number).to_numpy(zero_copy_only=False)
        seen = view(chunk, np.full(chunk.people.size, until_us), debtor_ids=ids)
        covered = np.unique(seen.situation.claims.debtor[seen.covered])[: self._left]
        self._left -= len(covered)
        mine = np.flatnonzero(seen.covered & np.isin(seen.situation.claims.debtor, covered))
        allowed = self._behaviour.options(seen.situation)
        horizon = chunk.config.horizon.days
        hazard, rate = hazards_at(chunk, seen.claim[mine], as_of_us=until_us, horizon_days=horizon)
        survives, errors = survival(
            chunk, seen.claim[mine], hazard=hazard, rate=rate, behaviour=self._behaviour, debtor_ids=ids, rng=rng
        )
        self._errors.append((np.exp(-hazard.total)[:, None] * errors).reshape(-1))
        times, laws = slots_of(chunk, seen), chunk.laws(np.full(chunk.people.size, until_us))
        for first in range(0, len(mine), BLOCK):
            part = np.arange(first, min(first + BLOCK, len(mine)))
            owner = seen.situation.claims.debtor[mine[part]]
            truth = truth_of(
                chunk, seen.claim[mine[part]], times=times, time_class=times.of_debtor[owner], hazard=hazard.of(part),
                rate=rate[part], laws=laws, survives=survives[part],
            )  # fmt: skip
            self._write(chunk, seen, mine=mine[part], allowed=allowed[owner], times=times, truth=truth)

    def _write(
        self, chunk: Chunk, seen: View, *, mine: IntArray, allowed: BoolArray, times: Slots, truth: Truth
    ) -> None:
        row, action = np.nonzero(allowed)
        claim = seen.claim[mine]
        owner = seen.situation.claims.debtor[mine]
        send = np.where(action == 0, NEVER, times.send_us[times.of_debtor[owner[row]], action])
        names = claim_names(chunk.people, chunk.claims, rows=claim)
        debtors = debtor_names(chunk.people.number[chunk.claims.debtor[claim]])
        columns = [
            instants(np.full(len(row), self._settings.until_us)),
            debtors.take(pa.array(row)),
            names.take(pa.array(row)),
            words(chunk.channel_codes[chunk.grid.channel[action]], CHANNELS),
            instants(send),
            pa.array(truth.payment_probability[row, action]),
            pa.array(truth.expected_paid[row, action]),
        ]
        self._file.write_table(pa.table(columns, schema=ACTIONS))
        self._rows += len(row)


def traits(chunk: Chunk, at_us: int) -> pa.Table:
    """Hidden traits of every debtor, as they stand at an instant."""
    habits = chunk.habits
    home = leads_home(chunk.points, np.full(chunk.people.size, at_us))
    columns = {"debtor_id": debtor_names(chunk.people.number), "segment": words(habits.segment, SEGMENTS)}
    for code, name in enumerate(CONTACT_CHANNELS, start=1):
        columns[f"affinity_{name}"] = pa.array(habits.affinity[:, code])
        columns[f"leads_home_{name}"] = pa.array(home[:, code] > 0)
    for name in ("peak_hour", "good_day", "steady", "moved", "annoyance", "tires", "quick", "link_use"):
        columns[name] = pa.array(getattr(habits, name))
    columns["opens_itself"] = pa.array(habits.opens_itself)
    columns["pay_day_of_month"] = pa.array(np.array([day for _, day in PAY_DAYS])[habits.pay_day])
    return pa.table(columns)


def traits_file(directory: Path, index: int) -> Path:
    """Where the traits of a chunk wait until `join_traits`."""
    return directory / "traits" / f"{shard_prefix(index)}.parquet"


def join_traits(directory: Path, *, chunks: int) -> None:
    """Write `truth/debtors.parquet` from the traits of all chunks, one after the other, a row group each."""
    path = directory / "truth" / "debtors.parquet"
    with pq.ParquetWriter(path, pq.read_schema(traits_file(directory, 0)), compression="zstd") as file:
        for index in range(chunks):
            file.write_table(pq.read_table(traits_file(directory, index)))
