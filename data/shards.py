"""A portfolio laid out by debtor, so that a part of its debtors can be read with everything that concerns them.

Every table is a folder of files `00000.parquet`, `00001.parquet`, ... (or `00000-1.parquet`, where a shard has several), and
the files of one number hold the same debtors in every table. `layout.json` says that this is so, and how many there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from data.parquet_folder import Loaded, load
from data.portfolio import Portfolio, read_portfolio
from data.progress import Say
from data.vocabulary import CHANNELS
from data.whole import whole_file

LAYOUT = "layout.json"


class BadLayout(ValueError):
    """`layout.json` is not what a layout by debtor says of itself."""


def shard_count(directory: Path | str) -> int:
    """Number of shards of a folder laid out by debtor; 0 where it is not.

    Raises
    ------
    BadLayout
        The folder has a `layout.json` that does not read `{"by": "debtor", "shards": N}` with N of at least 1.

    >>> shard_count("no/such/folder")
    0
    """
    path = Path(directory) / LAYOUT
    if not path.is_file():
        return 0
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as cause:
        raise BadLayout(f"{path} is no JSON: {cause}; delete it, or lay the folder out again") from cause
    count = content.get("shards") if isinstance(content, dict) and content.get("by") == "debtor" else None
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise BadLayout(f'{path}: expected {{"by": "debtor", "shards": at least 1}}, came {content!r}')
    return count


def shards_of(directory: Path | str) -> Sequence[int | None]:
    """Every shard of a folder to go through; None alone, the whole, where it is not laid out by debtor.

    Raises
    ------
    BadLayout
        As `shard_count`.

    >>> shards_of("no/such/folder")
    (None,)
    """
    return range(shard_count(directory)) or (None,)


def load_shards(directory: Path | str, *, progress: Say = lambda _: None) -> Iterator[Loaded]:
    """Each shard as far as it could be read, checked by nobody; the whole folder where it is not laid out."""
    shards = shards_of(directory)
    for shard in shards:
        progress("reading the portfolio" if shard is None else f"reading shard {shard + 1} of {len(shards)}")
        yield load(directory, shard=shard)


def write_layout(directory: Path, *, shards: int) -> None:
    """Say that the tables of a folder are laid out by debtor; the last file to be written, and it makes them count."""
    with whole_file(directory / LAYOUT) as unfinished:
        unfinished.write_text(json.dumps({"by": "debtor", "shards": shards}) + "\n", encoding="utf-8")


def read_shards(directory: Path | str, *, channels: Sequence[str] = CHANNELS) -> Iterator[Portfolio]:
    """The portfolio shard by shard, each checked as `read_portfolio` does; whole where it is not laid out.

    Raises
    ------
    BadPortfolio
        A shard breaks the contract.
    """
    for shard in shards_of(directory):
        yield read_portfolio(directory, channels=channels, shard=shard)
