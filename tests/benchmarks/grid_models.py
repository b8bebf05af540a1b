"""LightGBM models for the grid benchmark: made-up contacts, 40 columns of a debtor, four of an action, no simulator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np

CONTEXT, CATEGORIES = 40, 8
"""Columns of the debtor; the last eight of them are categories of 5 to 40 values."""
ACTION_COLUMNS = (40, 41, 42, 43)
"""Channel (a category), local hour, weekday, days to pay day."""
HOURS = (8, 10, 12, 14, 16, 18)


@dataclass(frozen=True)
class Size:
    """What to learn: trees, leaves, and by how much a split on a debtor's column must be better to be taken."""

    name: str
    trees: int
    leaves: int
    context_gain: float = 1.0


SIZES = (Size("400 x 63", 400, 63), Size("200 x 31", 200, 31), Size("action-heavy 200 x 63", 200, 63, 0.05))


def contacts(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Columns of contacts, shape (count, 44), with gaps, zeros and heavy tails; whether each was paid."""
    x = np.empty((count, 44))
    x[:, :16] = rng.normal(size=(count, 16))
    x[:, 16:24] = rng.lognormal(size=(count, 8)) * (rng.random((count, 8)) < 0.5)
    x[:, 24:32] = rng.poisson(3, (count, 8))
    for column in range(32, CONTEXT):
        x[:, column] = rng.zipf(1.6, count).clip(max=5 * (column - 31)) - 1
    x[:, 40], x[:, 41] = rng.integers(0, 6, count), rng.choice(HOURS, count)
    x[:, 42], x[:, 43] = rng.integers(0, 7, count), rng.integers(0, 31, count)
    channel, hour, day, pay = x[:, 40], x[:, 41], x[:, 42], x[:, 43]
    odds = (
        -2.2 + 0.8 * x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + 0.4 * np.sin(2 * x[:, 3]) + 0.3 * np.log1p(x[:, 16])
        + 0.25 * (x[:, 32] == 2) - 0.3 * (x[:, 39] > 7) + 0.3 * (channel == 1) * x[:, 4] - 0.4 * (channel == 3) * (x[:, 24] > 4)
        + 0.5 * np.cos((hour - 8 - 3 * x[:, 5]) / 3) + 0.25 * (day >= 5) * x[:, 6] + 0.4 * np.exp(-pay / 3) * (x[:, 17] > 0)
    )  # fmt: skip
    paid = rng.random(count) < 1 / (1 + np.exp(-odds))
    gaps = rng.random((count, CONTEXT)) < 0.04
    x[:, :CONTEXT][gaps] = np.nan
    return x, paid


def model(size: Size, folder: Path, *, rows: int, seed: int) -> lgb.Booster:
    """The model of a size, learnt once and kept in `folder`."""
    path = folder / f"{size.name.replace(' ', '-')}-{rows}-{seed}.txt"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        x, paid = contacts(rows, np.random.default_rng(seed))
        settings = {
            "objective": "binary", "num_leaves": size.leaves, "learning_rate": 0.05, "min_data_in_leaf": 100, "verbose": -1,
            "num_threads": 2, "seed": seed, "feature_contri": [size.context_gain] * CONTEXT + [1.0] * 4,
        }  # fmt: skip
        data = lgb.Dataset(x, paid, categorical_feature=[*range(32, CONTEXT), 40])
        lgb.train(settings, data, size.trees).save_model(path)
    return lgb.Booster(model_file=path)


def action_grid(pay_day: int, *, hours: tuple[int, ...] = HOURS, days: int = 7) -> np.ndarray:
    """Six channels at every hour of the coming days, the number of days to pay day moving along, shape (A, 4)."""
    cells = [
        (channel, hour, (day + 2) % 7, (pay_day - day) % 31)
        for channel in range(6)
        for day in range(days)
        for hour in hours
    ]
    return np.array(cells, dtype=np.float64)
