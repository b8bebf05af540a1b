"""A simulation under way: a hidden folder beside the tables, filled chunk by chunk and put in their place at the end.

Until then an older simulation in the folder stays as it is, and nothing of the new one can be mistaken for a portfolio.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from data.schemas import SCHEMAS
from data.shards import LAYOUT, write_layout
from data.simulator.store import WORLD, WorldFile, state_folder
from data.whole import whole_file

UNFINISHED = ".unfinished"
RUN = "run.json"
WHOLE = "whole.json"


def taken_up(directory: Path, *, run: Mapping[str, object]) -> Path:
    """The folder under way, with the chunks that an interrupted run of the same description left; else empty."""
    folder = directory / UNFINISHED
    text = json.dumps(run, sort_keys=True) + "\n"
    note = folder / RUN
    if not note.is_file() or note.read_text(encoding="utf-8") != text:
        _emptied(folder)
        note.write_text(text, encoding="utf-8")
    return folder


@contextmanager
def under_way(directory: Path) -> Iterator[Path]:
    """The folder under way, empty; it is gone again when what is inside fails."""
    folder = _emptied(directory / UNFINISHED)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder)
        raise


def _emptied(folder: Path) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def mark_whole(folder: Path, index: int, *, rows: Mapping[str, int]) -> None:
    """Say that all of a chunk is on disk; the last file of a chunk, there whole or not at all.

    Parameters
    ----------
    rows
        How many rows the chunk's growing tables have, those to come included.
    """
    path = state_folder(folder, index) / WHOLE
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(dict(rows)) + "\n", encoding="utf-8")


def is_whole(folder: Path, index: int) -> bool:
    """Whether all of a chunk is on disk."""
    return (state_folder(folder, index) / WHOLE).is_file()


def rows_of_whole(folder: Path, index: int) -> dict[str, int]:
    """What `mark_whole` was told of a chunk."""
    rows: dict[str, int] = json.loads((state_folder(folder, index) / WHOLE).read_text(encoding="utf-8"))
    return rows


def put_in_place(directory: Path, *, world: WorldFile) -> None:
    """Put what is under way in the place of what the folder held, in either form; at last the files that make it count.

    Done again after an interruption it goes on where it was: only what still waits takes an older file's place. The
    state, which says which chunks are whole, goes last.
    """
    folder = directory / UNFINISHED
    tables = [path for name in SCHEMAS for path in _forms(folder / name) if path.exists()]
    truth = sorted((folder / "truth").iterdir(), key=lambda path: (path.name == "state", path.name))
    waiting = [path.relative_to(folder) for path in (*tables, *truth)]
    for mark in (directory / WORLD, directory / LAYOUT):
        mark.unlink(missing_ok=True)
    for path in waiting:
        _drop(directory / path)
    for path in waiting:
        (directory / path).parent.mkdir(exist_ok=True)
        (folder / path).replace(directory / path)
    if world.shards:
        write_layout(directory, shards=world.shards)
    world.write(directory)
    shutil.rmtree(folder)


def _forms(path: Path) -> tuple[Path, Path]:
    """A table as a folder of files, and as one file."""
    return path.with_suffix(""), path.with_suffix(".parquet")


def _drop(path: Path) -> None:
    whole, single = _forms(path)
    if whole.is_dir():
        shutil.rmtree(whole)
    single.unlink(missing_ok=True)
