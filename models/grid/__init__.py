"""Every action of a grid for every row at once, exactly, from a plain LightGBM model ([docs/grid.md](../../docs/grid.md)).

>>> import lightgbm as lgb, numpy as np
>>> rng = np.random.default_rng(0)
>>> rows = rng.normal(size=(500, 3))
>>> labels = (rows[:, 0] + rows[:, 1] * rows[:, 2] > 0).astype(float)
>>> booster = lgb.train({"objective": "binary", "verbose": -1}, lgb.Dataset(rows, labels), 20)
>>> scorer = GridScorer(booster, action_columns=[2])
>>> grid = scorer.bind(np.array([[-1.0], [0.0], [1.0]]))
>>> grid.raw(rows[:5, :2]).shape
(5, 3)
"""

from models.grid._kernels import by_number
from models.grid.reading import DIGITS, SCALE, Breakdown, best, best_of_each, breakdown
from models.grid.scorer import Grid, Grids, GridScorer, Offset, WrongShape
from models.grid.trees import UnsupportedModel

__all__ = [
    "DIGITS",
    "SCALE",
    "Breakdown",
    "Grid",
    "GridScorer",
    "Grids",
    "Offset",
    "UnsupportedModel",
    "WrongShape",
    "best",
    "best_of_each",
    "breakdown",
    "by_number",
]
