"""Features of a whole portfolio to a file, shard by shard: what is in memory is one shard, however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from data.config import Config
from data.progress import Progress
from features.export import feature_table
from features.reference import Reference, count, reference_of
from features.store import StoredHistories


@dataclass(frozen=True)
class FeatureOrder:
    """What features are wanted of; histories are kept in `store` for the next time."""

    as_of_us: int
    config: Config
    store: Path


@dataclass(frozen=True)
class Written:
    """What a run wrote."""

    rows: int
    debtors: int
    features: int


def learn_over(stored: StoredHistories, *, until_us: int, config: Config, progress: Progress) -> Reference:
    """Words and rates of a portfolio, summed over its shards."""
    counts = []
    for number, histories in enumerate(stored):
        progress("histories", number / len(stored))
        counts.append(count(histories, until_us=until_us, config=config))
    return reference_of(counts, until_us=until_us, config=config)


def write_features(portfolio: Path, file: Path, *, order: FeatureOrder, progress: Progress) -> Written:
    """Write the features of every open claim at a moment to a Parquet file, there whole or not at all.

    Raises
    ------
    BadPortfolio
        The portfolio, or a shard of it, breaks the contract.
    """
    stored = StoredHistories(portfolio, order.config.grid.channels, order.store)
    reference = learn_over(stored, until_us=order.as_of_us, config=order.config, progress=progress)
    unfinished = file.with_name(f".{file.name}.tmp")
    file.parent.mkdir(parents=True, exist_ok=True)
    writer: pq.ParquetWriter | None = None
    claims, debtors, width = 0, 0, 0
    try:
        for number, histories in enumerate(stored):
            progress("features", number / len(stored))
            table = feature_table(
                histories, as_of_us=order.as_of_us, reference=reference, rates=order.config.rates
            )  # fmt: skip
            writer = writer or pq.ParquetWriter(unfinished, table.schema, compression="zstd", use_dictionary=True)
            writer.write_table(table)
            claims, width = claims + table.num_rows, table.num_columns - 3
            debtors += len(table["debtor_id"].unique())
    finally:
        if writer is not None:
            writer.close()
    unfinished.replace(file)
    return Written(claims, debtors, width)
