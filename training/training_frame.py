"""The training frame as a file: every mature decision on a claim with its features and what came of it, shard by shard."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data.portfolio import read_portfolio
from data.progress import Progress
from data.shards import shard_count
from features.catalogue import catalogue
from features.export import columns_of
from features.reference import Reference
from features.run import FeatureOrder, Written, learn_over
from features.store import StoredHistories
from features.tables import Histories
from training.rows import NoTrainingRows, TrainingRows, known_until, last_fact_us, training_blocks

BLOCK_ROWS = 100_000
"""Rows that are described and written together: about 300 MB."""


def write_training_frame(portfolio: Path, file: Path, *, order: FeatureOrder, progress: Progress) -> Written:
    """Write all decisions that were mature at a moment to a Parquet file, there whole or not at all.

    Beside the features of debtor, claim and action a row has `contact_id`, `policy`, `action_probability`, and what came of it:
    `paid` (0 or 1), `share` of what was owed and `amount_eur` within the horizon. Rates are shrunk towards those before `as_of`.

    Raises
    ------
    BadPortfolio
        The portfolio, or a shard of it, breaks the contract.
    NoTrainingRows
        No shard holds a mature decision.
    """
    stored = StoredHistories(portfolio, order.config.grid.channels, order.store)
    reference = learn_over(stored, until_us=order.as_of_us, config=order.config, progress=progress)
    last_us = last_fact_us(stored, as_of_us=order.as_of_us)
    known_us = known_until(last_us, as_of_us=order.as_of_us)
    unfinished = file.with_name(f".{file.name}.tmp")
    file.parent.mkdir(parents=True, exist_ok=True)
    frame = _Frame(unfinished, reference)
    shards = range(shard_count(portfolio)) or (None,)
    try:
        for number, shard in enumerate(shards):
            progress("training frame", number / len(shards))
            histories = stored.of(shard)  # of the same files, checked
            tables = read_portfolio(portfolio, channels=reference.channels, shard=shard, checked=False)
            try:
                for rows in training_blocks(
                    tables, histories, as_of_us=known_us, reference=reference, config=order.config,
                    size=BLOCK_ROWS,
                ):  # fmt: skip
                    frame.add(rows, histories)
            except NoTrainingRows:
                if number == len(shards) - 1 and not frame.rows:
                    raise
    finally:
        frame.close()
    unfinished.replace(file)
    return Written(frame.rows, frame.debtors, len(catalogue(reference.channels)))


class _Frame:
    """The file as it grows."""

    def __init__(self, path: Path, reference: Reference) -> None:
        self._path = path
        self._reference = reference
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0
        self.debtors = 0

    def add(self, rows: TrainingRows, histories: Histories) -> None:
        """Add a block of rows, a row group of the file."""
        table = frame_table(rows, histories, self._reference)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self.rows += len(rows)
        self.debtors += len(table["debtor_id"].unique())

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


def frame_table(rows: TrainingRows, histories: Histories, reference: Reference) -> pa.Table:
    """Training rows as a table: keys, features by name with words for codes, and outcomes."""
    keys = {
        "contact_id": pa.array(rows.contact_id, pa.string()),
        "claim_id": pa.array(histories.claim_id[rows.claim], pa.string()),
        "debtor_id": pa.array(histories.debtor_id[rows.debtor], pa.string()),
        "decided_at": pa.array(rows.decided_us, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "policy": pa.array(rows.policy, pa.string()).dictionary_encode(),
        "action_probability": pa.array(rows.action_probability, pa.float64(), from_pandas=True),
    }
    outcomes = {"paid": rows.paid.astype("int8"), "share": rows.share, "amount_eur": rows.amount_eur}
    return pa.table({**keys, **columns_of(rows.matrix, catalogue(histories.channels), reference), **outcomes})
