"""A portfolio of the usable rows written beside the one it comes from, and the other rows with their reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from data.checks.elsewhere import keys_in_several, keys_of
from data.parquet_folder import shard_prefix
from data.problems import BadPortfolio, Problem, merged
from data.quality.coverage import stored_columns
from data.quality.separate import separate
from data.schemas import SCHEMAS, write_table
from data.shards import load_shards, shard_count, write_layout
from data.tenant_folder import carry_tenant
from data.vocabulary import CHANNELS
from data.whole import whole_folder

ASIDE = "set_aside"
"""Folder, in the new portfolio, of the rows that cannot be used."""


class BadPlace(ValueError):
    """The folder for the usable rows is the portfolio itself, lies inside it, or holds something already."""


def set_aside(directory: Path | str, out: Path | str, *, channels: Sequence[str] = CHANNELS) -> dict[str, int]:
    """Write the usable rows of a portfolio to `out`, and every other row to `out/set_aside/TABLE.parquet`.

    What is written keeps the contract and is laid out as what was read; `rettid.toml` goes with it. The folder is there
    whole or not at all.

    Returns
    -------
    Rows set aside by table, of tables that have any.

    Raises
    ------
    BadPlace
        `out` is the portfolio, inside it, or not empty.
    BadPortfolio
        A fault is not in rows; nothing is written.
    BadLayout
        The portfolio's `layout.json` cannot be believed.
    """
    source, out = Path(directory), Path(out)
    must_be_free(source, out)
    shards = shard_count(source)
    elsewhere = keys_in_several(list(_keys(source, shards)))
    with whole_folder(out) as unfinished:
        return _write(source, unfinished, shards=shards, channels=channels, elsewhere=elsewhere)


def must_be_free(source: Path, out: Path) -> None:
    """Refuse a folder that usable rows must not be written to.

    Raises
    ------
    BadPlace
        `out` is the portfolio, inside it, or not empty.
    """
    if out.resolve() == source.resolve() or source.resolve() in out.resolve().parents:
        raise BadPlace(f"expected a folder outside the portfolio {source}, came {out}: name another")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadPlace(f"expected a new or empty folder, {out} holds something: name another")


def _keys(source: Path, shards: int) -> Iterator[Mapping[tuple[str, str], pa.Array]]:
    """Keys of each shard, once it is certain that all of them can be read."""
    faults: list[Problem] = []
    for loaded in load_shards(source):
        faults.extend(loaded.problems)
        yield keys_of(loaded.tables) if shards else {}
    if faults:
        raise BadPortfolio(merged(faults), where=str(source))


def _write(
    source: Path,
    folder: Path,
    *,
    shards: int,
    channels: Sequence[str],
    elsewhere: Mapping[tuple[str, str], pa.Array],
) -> dict[str, int]:
    """Both parts of every shard into a folder; rows set aside by table."""
    stored = {(str(table), str(column)) for table, column in stored_columns(source)}
    aside: dict[str, list[pa.Table]] = {name: [] for name in SCHEMAS}
    for shard, loaded in enumerate(load_shards(source)):
        parts = separate(loaded, channels=channels, elsewhere=elsewhere)
        for name in (one for one in SCHEMAS if one in loaded.given):
            place = folder / name / f"{shard_prefix(shard)}.parquet" if shards else folder / f"{name}.parquet"
            write_table(_as_stored(parts.kept[name], name, stored), place)
            aside[name].extend([parts.aside[name]] if name in parts.aside else [])
    counts = {}
    for name, tables in aside.items():
        if tables:
            out = pa.concat_tables(tables, promote_options="permissive")
            write_table(_as_stored(out, name, stored), folder / ASIDE / f"{name}.parquet")
            counts[name] = out.num_rows
    carry_tenant(source, folder)
    if shards:
        write_layout(folder, shards=shards)
    return counts


def _as_stored(table: pa.Table, name: str, stored: set[tuple[str, str]]) -> pa.Table:
    """The table without the columns that reading added for want of any."""
    added = [c for c in SCHEMAS[name].names if (name, c) not in stored and table.column(c).null_count == len(table)]
    return table.drop_columns(added)
