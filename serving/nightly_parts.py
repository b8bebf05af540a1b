"""Decided shards kept until a night is over, so that one that was cut short goes on where it stood."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import data
import features
import models
from data.parquet_folder import shard_prefix, table_files
from data.schemas import DECISION_SCHEMA
from data.whole import whole_file

FOLDER = "nights"
KEPT_S = 7 * 24 * 3600
"""For how long an unfinished night may still be gone on with: decisions name people."""


@dataclass(frozen=True)
class Parts:
    """The decided shards of one night, a Parquet file each, in a folder named by all that the decisions depend on."""

    folder: Path

    @staticmethod
    def of(workspace: Path, portfolio: Path, *, depends_on: Sequence[object]) -> Parts:
        """The parts of a night over a portfolio as its files are now; whatever else decides is in `depends_on`."""
        files = [_stamp(file) for those in table_files(portfolio).values() for file in those]
        content = json.dumps([str(portfolio.resolve()), files, [str(one) for one in depends_on], _code()])
        return Parts(workspace / FOLDER / hashlib.sha256(content.encode()).hexdigest()[:32])

    def place(self, number: int, mark: str) -> Path:
        """Where the decisions of a shard stand, made with what `mark` says."""
        return self.folder / f"{shard_prefix(number)}-{mark}.parquet"

    def remove(self) -> None:
        """Deletes the parts: the night is over."""
        shutil.rmtree(self.folder, ignore_errors=True)


def is_whole(part: Path) -> bool:
    """True for a part that can be read; one that a crash of the machine has cut is not."""
    try:
        return bool(pq.read_metadata(part).num_rows >= 0)
    except (OSError, pa.ArrowException):
        return False


def remove_abandoned(workspace: Path, *, now_s: float) -> None:
    """Deletes what nights left that were never finished and not touched for a week; `now_s` since the epoch."""
    for folder in (workspace / FOLDER).glob("*"):
        if now_s - folder.stat().st_mtime > KEPT_S:
            shutil.rmtree(folder, ignore_errors=True)


def join(parts: Sequence[Path], out: Path) -> Iterator[pa.Table]:
    """Writes parts to one file, there whole or not at all; gives each as it is written."""
    with whole_file(out) as unfinished, pq.ParquetWriter(unfinished, DECISION_SCHEMA, compression="zstd") as writer:
        for part in parts:
            rows = pq.read_table(part, schema=DECISION_SCHEMA, partitioning=None)
            writer.write_table(rows)
            yield rows


def _stamp(file: Path) -> tuple[str, int, int]:
    stat = file.stat()
    return str(file.resolve()), stat.st_size, stat.st_mtime_ns


def _code() -> str:
    """Hash of all code and settings that decisions come from, and of the libraries that compute them."""
    rooms = [Path(room.__path__[0]) for room in (data, features, models)]
    sources = [path for room in rooms for kind in ("*.py", "*.toml") for path in sorted(room.rglob(kind))]
    libraries = [version(name) for name in ("numpy", "numba", "lightgbm", "pyarrow", "tzdata")]
    return hashlib.sha256(b"".join([*(path.read_bytes() for path in sources), *map(str.encode, libraries)])).hexdigest()
