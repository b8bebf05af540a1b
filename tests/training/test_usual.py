"""Usual values: medians and most frequent codes of the rows learnt from."""

from __future__ import annotations

import numpy as np

from features.catalogue import catalogue
from tests.deciding import COLUMNS
from tests.portfolios import CHANNELS
from training.material import Material
from training.usual import usual_values

FEATURES = catalogue(CHANNELS)


def matrix(size: int = 101) -> np.ndarray:
    return np.full((size, len(COLUMNS)), np.nan, dtype=np.float32)


def test_a_number_s_usual_value_is_its_median_and_a_category_s_its_most_frequent_code() -> None:
    rows = matrix()
    rows[:, COLUMNS.index("age")] = np.arange(101)
    rows[:, COLUMNS.index("country")] = np.repeat([0, 2, 1], [30, 41, 30])
    found = dict(zip(COLUMNS, usual_values(rows, FEATURES), strict=True))
    assert found["age"] == 50
    assert found["country"] == 2


def test_a_value_that_most_rows_miss_is_usually_missing() -> None:
    rows = matrix()
    rows[:50, COLUMNS.index("age")] = 40
    rows[:51, COLUMNS.index("outstanding_log")] = 6
    found = dict(zip(COLUMNS, usual_values(rows, FEATURES), strict=True))
    assert found["age"] is None
    assert found["outstanding_log"] == 6


def test_an_action_s_usual_values_are_those_of_contacts() -> None:
    rows = matrix()
    rows[:, COLUMNS.index("channel")] = np.repeat([0, 3, 1], [80, 11, 10])
    rows[80:, COLUMNS.index("hour")] = 14
    found = dict(zip(COLUMNS, usual_values(rows, FEATURES), strict=True))
    assert found["channel"] == 3
    assert found["hour"] == 14


def test_every_column_of_the_training_rows_has_one(material: Material) -> None:
    assert len(material.usual) == len(material.rows.names)
    assert material.usual[material.rows.names.index("channel")] in range(1, 7)
