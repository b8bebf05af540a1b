"""Laying a portfolio out by debtor: every table cut into the same shards, in memory that does not grow with the portfolio."""

from __future__ import annotations

import shutil
from math import ceil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from data.parquet_folder import shard_prefix, table_files
from data.progress import Progress
from data.schemas import SCHEMAS
from data.shards import write_layout
from data.tenant_folder import carry_tenant
from data.whole import whole_folder

DEBTORS_PER_SHARD = 50_000
MEMORY = "4GB"
"""What the query engine may hold; beyond it, it writes to disk beside the result."""

OWNERS = {"claim_events": ("claim_id", "claims"), "contact_events": ("contact_id", "contacts")}
"""Tables that do not name the debtor, and where it is found: by which column, in which table."""


class CannotLayOut(ValueError):
    """A portfolio could not be laid out: a table is missing or cannot be read, or there is something in the way."""


def lay_out(directory: Path, out: Path, *, shards: int | None, progress: Progress) -> int:
    """Write a portfolio to another folder, laid out by debtor as `data.shards` reads it, and give the number of shards.

    All columns of all tables are kept; rows whose debtor is not known go along, for `rettid check` to tell of them.

    Parameters
    ----------
    shards
        How many; None for one per 50,000 debtors.

    Raises
    ------
    CannotLayOut
        `out` is there already, or the portfolio lacks a table that must be there or holds a file that cannot be read.
    """
    files = _usable_files(directory, out)
    try:
        count = shards or ceil(_rows(files["debtors"]) / DEBTORS_PER_SHARD) or 1
        with whole_folder(out) as unfinished:
            _cut_all(files, unfinished, count, progress=progress)
            carry_tenant(directory, unfinished)
            write_layout(unfinished, shards=count)
    except (duckdb.Error, OSError) as cause:
        raise CannotLayOut(f"{directory}: {str(cause).splitlines()[0]}; `rettid check` tells what is wrong") from cause
    return count


def _cut_all(files: dict[str, list[Path]], folder: Path, shards: int, *, progress: Progress) -> None:
    """Write every table cut into shards."""
    with duckdb.connect() as engine:
        engine.execute(f"SET memory_limit='{MEMORY}'")
        engine.execute("SET temp_directory=?", [str(folder / "spill")])
        engine.execute("SET TimeZone='UTC'")
        engine.execute("SET preserve_insertion_order=false")
        for number, name in enumerate(name for name in SCHEMAS if files[name]):
            progress(f"laying out {name}", number / len(SCHEMAS))
            _cut(engine, name, files, folder / name, shards)
    shutil.rmtree(folder / "spill", ignore_errors=True)


def _usable_files(directory: Path, out: Path) -> dict[str, list[Path]]:
    """Files of every table, with nothing in the way of laying them out."""
    if out.exists() or directory.resolve() in out.resolve().parents:
        raise CannotLayOut(f"{out} is there already, or inside the portfolio: name another folder that is not")
    files = table_files(directory)
    missing = [name for name, schema in SCHEMAS.items() if schema.required and not files[name]]
    twice = [name for name in SCHEMAS if (directory / f"{name}.parquet").is_file() and (directory / name).is_dir()]
    for names, what in ((missing, "has no table"), (twice, "has both a file and a folder for")):
        if names:
            raise CannotLayOut(f"{directory} {what} {', '.join(names)}: `rettid check {directory}` tells what is wrong")
    return files


def _rows(files: list[Path]) -> int:
    return sum(int(pq.read_metadata(file).num_rows) for file in files)


def _cut(engine: duckdb.DuckDBPyConnection, name: str, files: dict[str, list[Path]], folder: Path, shards: int) -> None:
    """Write one table cut into shards."""
    query = f"SELECT t.*, {_shard('t.debtor_id', shards)} AS shard FROM {_scan(files[name])} t"  # noqa: S608 # names are ours
    if name in OWNERS:
        key, parent = OWNERS[name]
        owner = f"(SELECT {key}, min(debtor_id) AS owner FROM {_scan(files[parent])} GROUP BY 1)"  # noqa: S608 # the same
        query = (
            f"SELECT t.*, {_shard(f'coalesce(o.owner, t.{key})', shards)} AS shard "  # noqa: S608 # the same
            f"FROM {_scan(files[name])} t LEFT JOIN {owner} o ON t.{key} = o.{key}"
        )
    folder.mkdir()
    engine.execute(
        f"COPY ({query}) TO '{_quoted(folder)}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (shard), OVERWRITE_OR_IGNORE)"
    )
    for part in sorted(folder.iterdir()):
        prefix = shard_prefix(int(part.name.partition("=")[2]))
        for number, file in enumerate(sorted(part.iterdir())):
            file.replace(folder / f"{prefix}-{number}.parquet")
        part.rmdir()
    if not any(folder.iterdir()):
        pq.write_table(pq.read_schema(files[name][0]).empty_table(), folder / f"{shard_prefix(0)}.parquet")


def _shard(debtor: str, shards: int) -> str:
    return f"(hash(coalesce({debtor}, '')) % {shards})::INTEGER"


def _scan(files: list[Path]) -> str:
    names = ", ".join(f"'{_quoted(file)}'" for file in files)
    return f"read_parquet([{names}], hive_partitioning=true, union_by_name=true)"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
