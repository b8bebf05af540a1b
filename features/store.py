"""Histories kept on disk, so that the tables are read, checked and sorted once and features can be asked for again and again.

What is kept holds for exactly these files of tables, these channels and this version of the code; for any other it is made anew.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import data
import features
import features.tables
from data.calendar import Place
from data.parquet_folder import shard_prefix
from data.portfolio import read_portfolio
from data.schemas import SCHEMAS
from data.shards import shard_count
from features.histories import histories_of
from features.tables import Histories

TEXTS = ("debtor_id", "claim_id", "language")
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class StoredHistories:
    """The histories of a portfolio, shard by shard, made on first use and kept in `folder`."""

    portfolio: Path
    channels: tuple[str, ...]
    folder: Path

    def __len__(self) -> int:
        return max(shard_count(self.portfolio), 1)

    def __iter__(self) -> Iterator[Histories]:
        """Every shard's histories, the whole portfolio's where it is not laid out by debtor.

        Raises
        ------
        BadPortfolio
            A shard breaks the contract.
        """
        shards = shard_count(self.portfolio)
        for shard in range(shards) if shards else (None,):
            yield self.of(shard)

    def of(self, shard: int | None) -> Histories:
        """Histories of one shard, or of the whole portfolio."""
        whose = hashlib.sha256(json.dumps([str(self.portfolio.resolve()), shard]).encode()).hexdigest()[:16]
        path = self.folder / f"{whose}-{_fingerprint(self.portfolio, shard, self.channels)}.npz"
        if path.is_file():
            try:
                return load(path)
            except (BadZipFile, OSError, EOFError, KeyError, ValueError):
                path.unlink(missing_ok=True)  # cut short by a full disk or a crash: made anew below
        found = histories_of(
            read_portfolio(self.portfolio, channels=self.channels, shard=shard), channels=self.channels
        )  # fmt: skip
        save(found, path)
        for older in self.folder.glob(f"{whose}-*.npz"):
            if older != path:
                older.unlink(missing_ok=True)
        return found


def _fingerprint(portfolio: Path, shard: int | None, channels: tuple[str, ...]) -> str:
    """Hash of which files hold the tables, how large and how old they are, of the channels and of the code."""
    files = []
    for name in SCHEMAS:
        places = [portfolio / f"{name}.parquet", *sorted((portfolio / name).rglob("*.parquet"))]
        for path in places:
            if path.is_file() and (shard is None or path.name.startswith(shard_prefix(shard))):
                stat = path.stat()
                files.append((str(path.resolve()), stat.st_size, stat.st_mtime_ns))
    content = json.dumps([files, shard, channels, _code()])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def _code() -> str:
    """Hash of all code that histories may depend on, and of the time zones in force."""
    sources = [path for room in (data, features) for path in sorted(Path(room.__path__[0]).glob("*.py"))]
    settings = [*sorted(Path(data.__path__[0]).glob("*.toml"))]
    texts = [path.read_bytes() for path in (*sources, *settings)]
    return hashlib.sha256(b"".join([*texts, version("tzdata").encode(), np.__version__.encode()])).hexdigest()


def save(histories: Histories, path: Path) -> None:
    """Write histories to one file, whole or not at all."""
    arrays: dict[str, Array] = {}
    plain: dict[str, Any] = {}
    for item in fields(histories):
        value = getattr(histories, item.name)
        if item.name in TEXTS:
            arrays |= _text_arrays(item.name, pa.array(value, pa.string()))
        elif isinstance(value, np.ndarray):
            arrays[item.name] = value
        elif hasattr(value, "_asdict"):
            arrays |= {f"{item.name}.{column}": array for column, array in value._asdict().items()}
        else:
            plain[item.name] = value
    plain["places"] = [(one.country, one.region, one.zones) for one in histories.places]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{uuid.uuid4().hex}.npz")  # two processes may make the same at once
    np.savez(unfinished, allow_pickle=False, **{**arrays, "plain": np.array(json.dumps(plain))})
    unfinished.replace(path)


def load(path: Path) -> Histories:
    """Histories that `save` wrote."""
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    plain = json.loads(str(arrays.pop("plain")))
    found: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
    found["places"] = tuple(Place(country, region, tuple(zones)) for country, region, zones in plain["places"])
    for item in fields(Histories):
        if item.name in TEXTS:
            found[item.name] = _text_of(item.name, arrays).to_numpy(zero_copy_only=False)
        elif item.name in arrays:
            found[item.name] = arrays[item.name]
        elif item.name not in found:
            kind = getattr(features.tables, str(item.type))
            found[item.name] = kind(*(arrays[f"{item.name}.{column}"] for column in kind._fields))
    return Histories(**found)


def _text_arrays(name: str, text: pa.Array) -> dict[str, Array]:
    """A column of strings as arrays of numbers: a pickle would be the alternative."""
    filled = text.fill_null("")
    _, offsets, content = filled.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[: len(filled) + 1]
    characters = np.frombuffer(content, dtype=np.uint8) if content is not None else np.zeros(0, dtype=np.uint8)
    known = np.asarray(text.is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)
    return {f"{name}.ends": ends, f"{name}.characters": characters, f"{name}.known": known}


def _text_of(name: str, arrays: dict[str, Array]) -> pa.Array:
    ends, characters, known = (arrays[f"{name}.{part}"] for part in ("ends", "characters", "known"))
    if not len(known):
        return pa.array([], pa.string())
    valid = pa.array(known).buffers()[1]
    return pa.StringArray.from_buffers(len(known), pa.py_buffer(ends), pa.py_buffer(characters), valid)
