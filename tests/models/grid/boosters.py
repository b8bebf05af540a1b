"""Small LightGBM models of every kind that the grid scorer has to read, and rows that are hard on them."""

from __future__ import annotations

from functools import cache
from typing import Any

import lightgbm as lgb
import numpy as np

CONTEXT, ACTION = 7, 4
"""Columns of the row (the last two are categories), then channel (a category), hour, weekday, days to pay day."""
WIDTH = CONTEXT + ACTION
CATEGORIES = [5, 6, 7]
HOURS = (8, 12, 18)

KINDS: dict[str, dict[str, Any]] = {
    "binary": {},
    "regression": {"objective": "regression"},
    "poisson": {"objective": "poisson"},
    "random forest": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7},
    "zero as missing": {"zero_as_missing": True},
    "no missing": {"use_missing": False},
    "150 leaves": {"num_leaves": 150},
    "65 leaves": {"num_leaves": 65},
    "two leaves": {"num_leaves": 2},
    "many thresholds": {"max_bin": 1000, "min_data_in_bin": 1},
    "action first": {"feature_contri": [0.02] * CONTEXT + [1.0] * ACTION},
    "no action": {"feature_contri": [1.0] * CONTEXT + [0.0] * ACTION},
    "action only": {"feature_contri": [0.0] * CONTEXT + [1.0] * ACTION},
    "dart": {"boosting": "dart"},
    "monotone": {"monotone_constraints": [1, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0]},
}


def table(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows with gaps, zeros, ties and heavy tails, shape (count, 11); a number above 0 that every column moves."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, WIDTH))
    x[:, 1] = rng.integers(-3, 4, count)
    x[:, 2] *= rng.random(count) < 0.4
    x[:, 3] = rng.lognormal(sigma=3, size=count)
    x[:, 5], x[:, 6] = rng.integers(0, 12, count), rng.integers(0, 90, count)
    x[:, 7], x[:, 8] = rng.integers(0, 5, count), rng.choice(HOURS, count)
    x[:, 9], x[:, 10] = rng.integers(0, 7, count), rng.integers(0, 31, count)
    told = (
        x[:, 0] + x[:, 1] * (x[:, 7] == 2) + np.sin(x[:, 4] * x[:, 8]) + (x[:, 5] % 3) * (x[:, 9] > 4) + 0.1 * (x[:, 6] % 7)
        + np.log1p(x[:, 3]) * np.exp(-x[:, 10] / 5) + (x[:, 2] == 0) * (x[:, 7] == 3)
    )  # fmt: skip
    x[rng.random((count, WIDTH)) < 0.05] = np.nan
    return x, np.exp(told / 3) * rng.gamma(2, size=count)


@cache
def booster(kind: str, seed: int = 1) -> lgb.Booster:
    """A model of a kind, 30 trees unless it says otherwise."""
    x, y = table(3_000, seed)
    settings = {
        "objective": "binary", "num_leaves": 31, "min_data_in_leaf": 5, "cat_smooth": 1.0, "min_data_per_group": 5,
        "verbose": -1, "num_threads": 1, "seed": seed, **KINDS[kind],
    }  # fmt: skip
    labels = (y > np.median(y)).astype(float) if settings["objective"] == "binary" else y
    return lgb.train(settings, lgb.Dataset(x, labels, categorical_feature=CATEGORIES), 30)


def actions(pay_day: int = 20, *, none: bool = True) -> np.ndarray:
    """`none`, whose other columns are missing, and four channels at three hours of a week, shape (85, 4) or (84, 4)."""
    cells = [
        (channel, hour, (day + 2) % 7, (pay_day - day) % 31)
        for channel in (1, 2, 3, 4)
        for day in range(7)
        for hour in HOURS
    ]
    grid = np.array(cells, dtype=np.float64)
    return np.vstack([[0.0, np.nan, np.nan, np.nan], grid]) if none else grid


def hard_rows(model: lgb.Booster, count: int, seed: int) -> np.ndarray:
    """Rows of the row's columns: ordinary ones, odd ones, and ones on or next to the model's own thresholds."""
    rng = np.random.default_rng(seed)
    odd = [
        np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-36, -1e-36, float(np.float32(1e-35)), 1e-35, 1e9, -1e9, 2.5, -0.5, -1.0, 7.0,
        11.0, 89.0, 1e300, 63.0, 64.0, 255.0,
    ]  # fmt: skip
    ordinary = table(count, seed + 1)[0][:, :CONTEXT]
    strange = rng.choice(odd, (count, CONTEXT))
    edges = thresholds(model)
    close = np.column_stack([
        rng.choice(np.concatenate([edges[column], np.nextafter(edges[column], np.inf), np.nextafter(edges[column], -np.inf)]), count)
        if len(edges[column]) else rng.normal(size=count)
        for column in range(CONTEXT)
    ])  # fmt: skip
    return np.vstack([ordinary, strange, close])


def thresholds(model: lgb.Booster) -> list[np.ndarray]:
    """Numeric thresholds of each column."""
    found: list[set[float]] = [set() for _ in range(WIDTH)]

    def walk(node: dict[str, Any]) -> None:
        if "leaf_value" in node:
            return
        if node["decision_type"] == "<=":
            found[node["split_feature"]].add(float(node["threshold"]))
        walk(node["left_child"])
        walk(node["right_child"])

    for tree in model.dump_model()["tree_info"]:
        walk(tree["tree_structure"])
    return [np.array(sorted(one)) for one in found]


def expanded(rows: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Every row under every action, one below the other, shape (n * A, F)."""
    return np.hstack([np.repeat(rows, len(grid), axis=0), np.tile(grid, (len(rows), 1))])
