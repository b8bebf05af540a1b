"""A portfolio's tables as they stand in a folder: one Parquet file or a folder of files per table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from data.conform import conform
from data.problems import Notice, Problem, merged
from data.schemas import SCHEMAS, TableSchema

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


class Unreadable(ValueError):
    """A Parquet file could not be read; `problem` names its table and file."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


@dataclass(frozen=True)
class Loaded:
    """Every contract table in contract types, as far as it could be read.

    Parameters
    ----------
    tables
        All contract tables by name; one that is missing or unreadable is empty.
    given
        Names of the tables that stood in the folder.
    """

    tables: Mapping[str, pa.Table]
    given: frozenset[str]
    problems: tuple[Problem, ...]
    notices: tuple[Notice, ...]


def load(directory: Path | str, *, shard: int | None = None) -> Loaded:
    """What a folder holds, with everything that kept it from being read.

    Nothing is raised for bad data: each fault is a problem, so that all of them show at once.

    Parameters
    ----------
    shard
        Read this shard's files alone, of a folder laid out by debtor (`data.shards`).
    """
    folder = Path(directory)
    places = {name: _places(folder, name) for name in SCHEMAS}
    fault = _folder_fault(folder, any(places.values()))
    if fault is not None:
        return Loaded({n: s.empty() for n, s in SCHEMAS.items()}, frozenset(), (fault,), ())
    tables: dict[str, pa.Table] = {}
    problems: list[Problem] = []
    for name, schema in SCHEMAS.items():
        tables[name], found = _table(places[name], schema, shard)
        problems.extend(found)
    given = frozenset(name for name in SCHEMAS if places[name])
    return Loaded(tables, given, tuple(problems), tuple(_strangers(folder)))


def table_files(directory: Path | str) -> dict[str, list[Path]]:
    """Parquet files of every contract table of a folder, none for a table that is not there."""
    folder = Path(directory)
    return {name: [file for place in _places(folder, name) for file in _files(place)] for name in SCHEMAS}


def _files(place: Path) -> list[Path]:
    """Parquet files of a table, hidden ones left out."""
    if place.is_file():
        return [place]
    return sorted(file for file in place.rglob("*.parquet") if file.is_file() and not _is_hidden(file, place))


def _places(folder: Path, name: str) -> list[Path]:
    """Where a table stands: `NAME.parquet`, `NAME/`, neither or (a problem) both."""
    candidates = (folder / f"{name}.parquet", folder / name)
    return [place for place in candidates if place.is_dir() or (place.suffix and place.is_file())]


def _folder_fault(folder: Path, has_tables: bool) -> Problem | None:
    if not folder.exists():
        what, remedy = "no such folder", "name the folder that holds the portfolio"
    elif not folder.is_dir():
        what, remedy = "a file, not a folder", "name the folder that holds the portfolio"
    elif not has_tables:
        needed = ", ".join(f"{name}.parquet" for name, schema in SCHEMAS.items() if schema.required)
        what, remedy = "the folder holds no table of the contract", f"put there at least {needed}"
    else:
        return None
    return Problem("", None, value=str(folder), count=0, what=what, remedy=remedy)


def _strangers(folder: Path) -> Iterator[Notice]:
    """Parquet files under names the contract does not know, most often a misspelling."""
    for file in sorted(folder.glob("*.parquet")):
        if file.stem not in SCHEMAS and not _is_hidden(file, folder):
            yield Notice("", what=f"{file.name} is no table of the contract and was not read")


def _table(places: list[Path], schema: TableSchema, shard: int | None) -> tuple[pa.Table, list[Problem]]:
    """One table from its place, all files brought into contract types and joined."""
    if not places:
        return schema.empty(), [_missing(schema)] if schema.required else []
    if len(places) > 1:
        both = " and ".join(place.name for place in places)
        return schema.empty(), [_fault(schema, f"stands twice, as {both}", remedy="keep one of them")]
    try:
        return _joined(list(_parts(places[0], schema, shard)), schema)
    except Unreadable as cause:
        return schema.empty(), [cause.problem]


def _missing(schema: TableSchema) -> Problem:
    return _fault(
        schema,
        "required table is missing",
        remedy=f"add {schema.name}.parquet or a folder {schema.name}/ of Parquet files",
    )


def _fault(schema: TableSchema, what: str, *, remedy: str) -> Problem:
    return Problem(schema.name, None, value=None, count=0, what=what, remedy=remedy)


def _parts(place: Path, schema: TableSchema, shard: int | None) -> Iterator[pa.Table]:
    """Each Parquet file of a table, or of one shard of it, as read, the partition columns of its path added.

    Raises
    ------
    Unreadable
        A file is truncated or no Parquet, or the folder holds none.
    """
    if place.is_file():
        yield _read(place, schema)
        return
    files = _files(place)
    if not files:
        raise Unreadable(_fault(schema, f"folder {place.name}/ holds no Parquet file", remedy="put its files there"))
    mine = files if shard is None else [file for file in files if file.name.startswith(shard_prefix(shard))]
    if not mine:
        yield schema.empty()
    for file in mine:
        yield _with_partition(_read(file, schema), _partition(file, place), schema=schema)


def shard_prefix(shard: int) -> str:
    """How the names of a shard's files begin.

    >>> shard_prefix(12)
    '00012'
    """
    return f"{shard:05d}"


def _is_hidden(file: Path, root: Path) -> bool:
    return any(part.startswith((".", "_")) for part in file.relative_to(root).parts)


def _read(file: Path, schema: TableSchema) -> pa.Table:
    try:
        return pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as cause:
        problem = Problem(
            schema.name,
            None,
            value=file.name,
            count=0,
            what=f"cannot be read as Parquet ({str(cause).splitlines()[0]})",
            remedy="the file is truncated or of another format: write it again",
        )
        raise Unreadable(problem) from cause


def _partition(file: Path, root: Path) -> dict[str, str | None]:
    """Columns named in the folders of a path, `year=2026/country=AT` style."""
    found: dict[str, str | None] = {}
    for part in file.relative_to(root).parts[:-1]:
        name, equals, value = part.partition("=")
        if equals:
            found[unquote(name)] = None if value == HIVE_NULL else unquote(value)
    return found


def _with_partition(table: pa.Table, values: Mapping[str, str | None], *, schema: TableSchema) -> pa.Table:
    """The table with path columns appended; a column that the file itself holds wins."""
    for name, value in values.items():
        if name not in table.column_names:
            scalar = _path_value(value, schema.column(name).type if name in schema.names else pa.string())
            table = table.append_column(name, pa.repeat(scalar, table.num_rows))
    return table


def _path_value(value: str | None, wanted: pa.DataType) -> pa.Scalar:
    """A value of a path in its contract type; left as text, for the check to report, where it has none."""
    text = pa.scalar(value, pa.string())
    try:
        return text.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return text


def _joined(parts: list[pa.Table], schema: TableSchema) -> tuple[pa.Table, list[Problem]]:
    """All parts in contract types, one after the other, with the problems of all."""
    tables: list[pa.Table] = []
    problems: list[Problem] = []
    for part in parts:
        table, found = conform(part, schema)
        tables.append(table)
        problems.extend(found)
    try:
        return pa.concat_tables(tables, promote_options="permissive"), merged(problems)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as cause:
        what = f"files differ in an extra column ({str(cause).splitlines()[0]})"
        return schema.empty(), [*merged(problems), _fault(schema, what, remedy="give it one type in all files")]
