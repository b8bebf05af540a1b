"""A simulation on disk: the contract's tables, and under `truth/` what nobody but the simulator may know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.config import Config
from data.schemas import SCHEMAS, write_table
from data.simulator.debts import Claims
from data.simulator.habits import Habits
from data.simulator.people import People
from data.simulator.points import PointBook
from data.simulator.settings import SimulationSettings
from data.simulator.state import Chunk, assembled
from data.simulator.tables import LOGGED
from data.simulator.worlds import WORLDS
from data.times import DAY_US, from_us, to_us

PARTS = ("people", "habits", "points", "claims")
Part = TypeVar("Part")
PENDING_KEY = {
    "claim_events": "event_id",
    "contacts": "contact_id",
    "contact_events": "event_id",
    "payments": "payment_id",
}


class NotSimulated(ValueError):
    """A folder was to be continued that holds no simulation."""


@dataclass(frozen=True)
class WorldFile:
    """`truth/world.json`: what was asked for, and how far the simulation has come."""

    settings: SimulationSettings
    now_us: int
    continued: int
    chunks: int
    rows: Mapping[str, int]

    def write(self, directory: Path) -> None:
        """Write it; this is the last file of a simulation, and makes the others count."""
        settings = asdict(self.settings) | {"until": self.settings.until.isoformat()}
        content = {"settings": settings, "now": from_us(self.now_us).isoformat(), "simulated": True} | {
            "continued": self.continued, "chunks": self.chunks, "rows": dict(self.rows),
        }  # fmt: skip
        path = directory / "truth" / "world.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(".world.json.tmp")
        unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(path)


def read_world(directory: Path) -> WorldFile:
    """What a folder's simulation was asked for, and how far it has come.

    Raises
    ------
    NotSimulated
        The folder holds no simulation of ours.
    """
    path = directory / "truth" / "world.json"
    if not path.is_file():
        raise NotSimulated(f"{directory} holds no simulation: expected {path}; make one with `rettid simulate`")
    content = json.loads(path.read_text(encoding="utf-8"))
    given = content["settings"]
    until = from_us(to_us(pa.scalar(given["until"]).cast(pa.timestamp("us", tz="UTC")).as_py()))
    now = pa.scalar(content["now"]).cast(pa.timestamp("us", tz="UTC")).as_py()
    settings = SimulationSettings(**(given | {"until": until}))
    return WorldFile(settings, to_us(now), content["continued"], content["chunks"], content["rows"])


def arrays_table(part: People | Habits | PointBook | Claims) -> pa.Table:
    """A dataclass of arrays as a table, one row per entry; arrays of two axes become lists of fixed size."""
    columns = {}
    for item in fields(part):
        array: np.ndarray[tuple[int, ...], np.dtype[np.generic]] = getattr(part, item.name)
        flat = pa.array(np.ascontiguousarray(array).reshape(-1))
        columns[item.name] = flat if array.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, array.shape[1])
    return pa.table(columns)


def arrays_of(kind: type[Part], table: pa.Table) -> Part:
    """The inverse of `arrays_table`; arrays may be written to."""
    columns = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_fixed_size_list(column.type):
            columns.append(np.array(column.flatten()).reshape(-1, column.type.list_size).copy())
        else:
            columns.append(np.array(column.to_numpy(zero_copy_only=False)))
    return kind(*columns)


def save_chunk(directory: Path, index: int, *, chunk: Chunk, given: pa.Array) -> None:
    """Keep a chunk's state, and the names of contacts decided elsewhere."""
    folder = directory / "truth" / "state" / f"{index:05d}"
    for name in PARTS:
        write_table(arrays_table(getattr(chunk, name)), folder / f"{name}.parquet")
    write_table(pa.table({"contact_id": given}), folder / "given.parquet")


def load_chunk(directory: Path, index: int, *, world: WorldFile, config: Config) -> tuple[Chunk, pa.Array]:
    """A chunk's state as kept, and the names of contacts decided elsewhere."""
    folder = directory / "truth" / "state" / f"{index:05d}"
    people = arrays_of(People, pq.read_table(folder / "people.parquet"))
    habits = arrays_of(Habits, pq.read_table(folder / "habits.parquet"))
    points = arrays_of(PointBook, pq.read_table(folder / "points.parquet"))
    claims = arrays_of(Claims, pq.read_table(folder / "claims.parquet"))
    chunk = assembled(
        people, habits, points=points, claims=claims, world=WORLDS[world.settings.world], config=config,
        first_us=world.now_us - 60 * DAY_US, until_us=world.now_us,
    )  # fmt: skip
    return chunk, pq.read_table(folder / "given.parquet")["contact_id"].combine_chunks()


def known_by(name: str, table: pa.Table, *, now_us: int) -> tuple[pa.Table, pa.Table]:
    """Rows that the tenant knows of at an instant, and what is still to come of the table.

    A payment that is known and will be reversed later is in both: now without its reversal, and to come with it.
    """
    at = {"claim_events": "at", "contacts": "decided_at", "contact_events": "at", "payments": "paid_at"}[name]
    now = pa.scalar(now_us, pa.int64()).cast(table.schema.field(at).type)
    known = pc.less_equal(pc.coalesce(table["known_at"], table[at]), now)
    shown, later = table.filter(known), table.filter(pc.invert(known))
    if name != "payments":
        return shown, later
    undone = pc.fill_null(pc.greater(shown["reversed_at"], now), fill_value=False)
    later = pa.concat_tables([later, shown.filter(undone)])
    masked = pc.if_else(undone, pa.scalar(None, shown["reversed_at"].type), shown["reversed_at"])
    return shown.set_column(shown.schema.get_field_index("reversed_at"), "reversed_at", masked), later


def read_logged(directory: Path, name: str) -> tuple[pa.Table, pa.Table]:
    """A growing table as it stands, and its rows to come."""
    return pq.read_table(directory / f"{name}.parquet"), pq.read_table(
        directory / "truth" / "pending" / f"{name}.parquet"
    )


def write_tables(
    directory: Path, state: Mapping[str, pa.Table], *, logged: Mapping[str, pa.Table], now_us: int
) -> None:
    """Write the contract's tables, whole or not at all, and what is still to come of them beside the truth.

    All files are written under hidden names first, then put in place one after the other.
    """
    staged = directory / ".unfinished"
    for name in SCHEMAS:
        if name in LOGGED:
            shown, later = known_by(name, logged[name], now_us=now_us)
            write_table(later, staged / "truth" / "pending" / f"{name}.parquet")
        else:
            shown = state[name]
        write_table(shown, staged / f"{name}.parquet")
    for path in sorted(staged.rglob("*.parquet")):
        target = directory / path.relative_to(staged)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    for folder in (staged / "truth" / "pending", staged / "truth", staged):
        folder.rmdir()


def stacked(parts: Iterable[Mapping[str, pa.Table]], names: Iterable[str]) -> dict[str, pa.Table]:
    """Tables of several chunks one below the other."""
    kept = list(parts)
    return {name: pa.concat_tables([part[name] for part in kept]) for name in names}
