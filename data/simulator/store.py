"""A simulation on disk: the contract's tables, and under `truth/` what nobody but the simulator may know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.config import Config
from data.parquet_folder import shard_prefix
from data.schemas import write_table
from data.shards import shard_count
from data.simulator.debts import Claims
from data.simulator.habits import Habits
from data.simulator.people import People
from data.simulator.points import PointBook
from data.simulator.settings import SimulationSettings
from data.simulator.state import Chunk, assembled
from data.simulator.tables import LOGGED
from data.simulator.worlds import WORLDS
from data.times import DAY_US, from_us, to_us
from data.whole import whole_file

WORLD = "truth/world.json"
PENDING = "truth/pending"
PARTS = ("people", "habits", "points", "claims")
Part = TypeVar("Part")


class NotSimulated(ValueError):
    """A folder was to be continued that holds no simulation."""


@dataclass(frozen=True)
class WorldFile:
    """`truth/world.json`: what was asked for, and how far the simulation has come.

    Attributes
    ----------
    continued
        How often decisions have been played forward.
    rows
        For each chunk, how many rows its growing tables have, those to come included.
    """

    settings: SimulationSettings
    now_us: int
    continued: int
    rows: Sequence[Mapping[str, int]]

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return len(self.rows)

    @property
    def shards(self) -> int:
        """Number of shards that the tables are laid out in; 0 where each is one file."""
        return self.chunks if self.chunks > 1 else 0

    def shard(self, index: int) -> int | None:
        """Shard of a chunk, None where each table is one file."""
        return index if self.shards else None

    def write(self, directory: Path) -> None:
        """Write it; this is the last file of a simulation, and makes the others count."""
        content = {
            "settings": settings_values(self.settings), "now": from_us(self.now_us).isoformat(), "simulated": True,
            "continued": self.continued, "chunks": self.chunks, "rows": [dict(rows) for rows in self.rows],
        }  # fmt: skip
        with whole_file(directory / WORLD) as unfinished:
            unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def settings_values(settings: SimulationSettings) -> dict[str, object]:
    """Settings as plain values."""
    return asdict(settings) | {"until": settings.until.isoformat()}


def read_world(directory: Path) -> WorldFile:
    """What a folder's simulation was asked for, and how far it has come.

    Raises
    ------
    NotSimulated
        The folder holds no simulation of ours, or its tables are not laid out as the simulation wrote them.
    """
    path = directory / WORLD
    if not path.is_file():
        raise NotSimulated(f"{directory} holds no simulation: expected {path}; make one with `rettid simulate`")
    content = json.loads(path.read_text(encoding="utf-8"))
    given, rows = content["settings"], content["rows"]
    until = from_us(to_us(pa.scalar(given["until"]).cast(pa.timestamp("us", tz="UTC")).as_py()))
    now = pa.scalar(content["now"]).cast(pa.timestamp("us", tz="UTC")).as_py()
    settings = SimulationSettings(**(given | {"until": until}))
    # One count for all chunks is how it was written when every table was one file.
    world = WorldFile(settings, to_us(now), content["continued"], rows if isinstance(rows, list) else [rows])
    if content["chunks"] != world.chunks or shard_count(directory) != world.shards:
        raise NotSimulated(
            f"{directory}: expected the tables of {content['chunks']} chunks, a shard each where they are several; "
            f"layout.json tells of {shard_count(directory)} shards. Make it again with `rettid simulate`"
        )
    return world


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


def state_folder(directory: Path, index: int) -> Path:
    """Where the state of a chunk is kept."""
    return directory / "truth" / "state" / shard_prefix(index)


def save_chunk(directory: Path, index: int, *, chunk: Chunk, given: pa.Array) -> None:
    """Keep a chunk's state, and the names of contacts decided elsewhere."""
    folder = state_folder(directory, index)
    for name in PARTS:
        write_table(arrays_table(getattr(chunk, name)), folder / f"{name}.parquet")
    write_table(pa.table({"contact_id": given}), folder / "given.parquet")


def load_chunk(
    directory: Path, index: int, *, world: WorldFile, config: Config, first_us: int | None = None
) -> tuple[Chunk, pa.Array]:
    """A chunk's state as kept, and the names of contacts decided elsewhere.

    Parameters
    ----------
    first_us
        Instant at which the chunk's calendars begin, a whole number of days before its present; 60 days if not given.
    """
    folder = state_folder(directory, index)
    people = arrays_of(People, pq.read_table(folder / "people.parquet"))
    habits = arrays_of(Habits, pq.read_table(folder / "habits.parquet"))
    points = arrays_of(PointBook, pq.read_table(folder / "points.parquet"))
    claims = arrays_of(Claims, pq.read_table(folder / "claims.parquet"))
    chunk = assembled(
        people, habits, points=points, claims=claims, world=WORLDS[world.settings.world], config=config,
        first_us=world.now_us - 60 * DAY_US if first_us is None else first_us, until_us=world.now_us,
    )  # fmt: skip
    return chunk, pq.read_table(folder / "given.parquet")["contact_id"].combine_chunks()


def known_by(name: str, table: pa.Table, *, now_us: int) -> tuple[pa.Table, pa.Table]:
    """Rows that the tenant knows of at an instant, and what is still to come of the table.

    A payment that is known and will be reversed later is in both: now without its reversal, and to come with it.
    """
    at = {"claim_events": "at", "contacts": "decided_at", "contact_events": "at", "payments": "paid_at"}[name]
    now = pa.scalar(now_us, pa.int64()).cast(table.schema.field(at).type)
    known = pc.less_equal(pc.coalesce(table["known_at"], table[at]), now)
    # Most often everything is known: no copy then.
    shown = table if pc.all(known).as_py() else table.filter(known)
    later = table.filter(pc.invert(known))
    if name != "payments":
        return shown, later
    undone = pc.fill_null(pc.greater(shown["reversed_at"], now), fill_value=False)
    later = pa.concat_tables([later, shown.filter(undone)])
    masked = pc.if_else(undone, pa.scalar(None, shown["reversed_at"].type), shown["reversed_at"])
    return shown.set_column(shown.schema.get_field_index("reversed_at"), "reversed_at", masked), later


def table_file(directory: Path, name: str, *, shard: int | None) -> Path:
    """File of a table, or of a shard of it.

    >>> table_file(Path("portfolio"), "claims", shard=12).as_posix()
    'portfolio/claims/00012.parquet'
    """
    return directory / (f"{name}.parquet" if shard is None else f"{name}/{shard_prefix(shard)}.parquet")


def read_logged(directory: Path, name: str, *, shard: int | None) -> tuple[pa.Table, pa.Table]:
    """A growing table as it stands, and its rows to come."""
    return pq.read_table(table_file(directory, name, shard=shard)), pq.read_table(
        table_file(directory / PENDING, name, shard=shard)
    )


def save_table(directory: Path, name: str, table: pa.Table, *, now_us: int, shard: int | None) -> None:
    """Write a table as the tenant knows it, and beside the truth what is still to come of one that grows."""
    if name in LOGGED:
        table, later = known_by(name, table, now_us=now_us)
        write_table(later, table_file(directory / PENDING, name, shard=shard))
    write_table(table, table_file(directory, name, shard=shard))
