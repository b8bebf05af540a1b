"""Training rows made by hand: whose, when, through which channel, at what hour, paid or not."""

from __future__ import annotations

from typing import Any

import numpy as np

from data.times import DAY_US
from tests.deciding import COLUMNS
from training.rows import TrainingRows


def made_rows(rng: np.random.Generator, *, size: int = 400, debtors: int = 60, days: int = 200) -> TrainingRows:
    """Random rows of random debtors over `days`, half of them paid."""
    debtor = np.sort(rng.integers(0, debtors, size))
    channel = rng.integers(0, 7, size).astype(np.int16)
    return rows_with(
        debtor=debtor,
        decided_us=rng.integers(0, days * DAY_US, size),
        channel=channel,
        hour=np.where(channel > 0, rng.choice([8, 14, 18], size), -1),
        paid=rng.random(size) < 0.5,
        action_probability=rng.uniform(0.05, 0.5, size),
    )


def rows_with(*, channel: Any, hour: Any, paid: Any, **columns: Any) -> TrainingRows:
    """Rows with the columns that matter here, the rest plain."""
    size = len(channel)
    zeros = np.zeros(size, dtype=np.int64)
    matrix = np.zeros((size, len(COLUMNS)))
    matrix[:, COLUMNS.index("channel")] = channel
    matrix[:, COLUMNS.index("hour")] = np.where(np.asarray(hour) < 0, np.nan, hour)
    base = {
        "debtor": zeros,
        "decided_us": zeros,
        "claim": zeros,
        "share": np.where(paid, 0.5, 0.0),
        "amount_eur": np.where(paid, 100.0, 0.0),
        "contact_id": np.array([f"p{row}" for row in range(size)], dtype=object),
        "policy": np.full(size, "random", dtype=object),
        "action_probability": np.full(size, 0.2),
        "responded": np.zeros(size, dtype=bool),
        "paid_through": np.zeros(size, dtype=bool),
    }
    return TrainingRows(
        names=COLUMNS, matrix=matrix, channel=np.asarray(channel), paid=np.asarray(paid), **(base | columns)
    )
