"""LightGBM's trees walked one row at a time, from its JSON: slow, plain, and the same bits as LightGBM itself."""

from __future__ import annotations

import math
from typing import Any

import lightgbm as lgb
import numpy as np

TINY = float(np.float32(1e-35))


def raw_score(booster: lgb.Booster, row: np.ndarray) -> float:
    """Sum of the leaves that a row reaches, tree by tree."""
    dump = booster.dump_model()
    total = 0.0
    for tree in dump["tree_info"]:
        node = tree["tree_structure"]
        while "leaf_value" not in node:
            node = node["left_child"] if _goes_left(float(row[node["split_feature"]]), node) else node["right_child"]
        total += node["leaf_value"]
    return total


def _goes_left(value: float, node: dict[str, Any]) -> bool:
    value = 0.0 if abs(value) <= TINY else value
    if node["decision_type"] == "==":
        return math.isfinite(value) and value > -1 and str(int(value)) in node["threshold"].split("||")
    kind = node["missing_type"]
    if math.isnan(value) and kind != "NaN":
        value = 0.0
    if (kind == "NaN" and math.isnan(value)) or (kind == "Zero" and value == 0.0):
        return bool(node["default_left"])
    most = float(node["threshold"])
    return value <= (math.inf if most >= 1e300 else most)  # its JSON writes an infinite threshold so
