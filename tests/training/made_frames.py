"""Drawn decision log frames with known truth, written to a file and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.decision_frame import DecisionFrame, read_frame
from data.frame_spec import FrameSpec, parse_spec


def spec_of(**changes: object) -> FrameSpec:
    values: dict[str, object] = {
        "unit": "person",
        "time": "@order",
        "action": "arm",
        "action_probability": "p",
        "reward": {"column": "paid", "kind": "0/1"},
        "context": {"all": True},
        **changes,
    }
    return parse_spec({key: value for key, value in values.items() if value is not None}, "spec.toml")


def drawn(seed: int, *, rows: int, split: float) -> pa.Table:
    """A log of three arms; `sms` helps those with x > 0 by `split` and hurts the others as much."""
    rng = np.random.default_rng(seed)
    x, share = rng.normal(size=rows), np.array([0.2, 0.3, 0.5])
    arm = rng.choice(3, rows, p=share)
    chance = 0.3 + np.where(arm == 1, np.where(x > 0, split, -split), 0.0)
    return pa.table(
        {
            "person": pa.array(np.arange(rows) // 2),
            "arm": pa.array(np.array(["none", "sms", "letter"])[arm]),
            "p": pa.array(share[arm]),
            "x": pa.array(x),
            "town": pa.array(rng.choice(["a", "b", None], rows)),
            "paid": pa.array((rng.random(rows) < chance).astype(np.int64)),
        }
    )


def framed(folder: Path, table: pa.Table, spec: FrameSpec) -> DecisionFrame:
    pq.write_table(table, folder / "log.parquet")
    return read_frame(folder / "log.parquet", spec)
