"""Every estimator beside the others on decision log frames, and the cells that some of them weigh."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.frame_spec import FrameSpec
from tests.training.made_frames import drawn, framed, spec_of
from training.frames.cells import cells_of
from training.frames.estimates import Estimate
from training.frames.evaluate import evaluate_frame


def embedded(seed: int, *, rows: int) -> tuple[pa.Table, float]:
    """A log of two channels with three hours each; what is paid hangs on the channel. And what `mostly sms` is worth."""
    rng = np.random.default_rng(seed)
    logged = np.array([0.05, 0.10, 0.10, 0.25, 0.25, 0.25])
    target = np.array([0.50, 0.20, 0.10, 0.05, 0.05, 0.10])
    action = rng.choice(6, rows, p=logged)
    chance = np.where(np.arange(6) < 3, 0.5, 0.3)
    table = pa.table(
        {
            "channel": pa.array(np.array(["sms", "letter"])[action // 3]),
            "hour": pa.array((9 + action % 3).astype(str)),
            "p": pa.array(logged[action]),
            **{f"t{i}": pa.array(np.full(rows, target[i])) for i in range(6)},
            "paid": pa.array((rng.random(rows) < chance[action]).astype(np.int64)),
        }
    )
    return table, float(target @ chance)


def embedded_spec() -> FrameSpec:
    labels = [f"{channel}@{hour}" for channel in ("sms", "letter") for hour in (9, 10, 11)]
    return spec_of(
        unit="@row",
        action=["channel", "hour"],
        context={},
        target_policy={"columns": {label: f"t{i}" for i, label in enumerate(labels)}},
    )


def test_every_estimator_is_shown_with_an_interval_where_it_covers(tmp_path: Path) -> None:
    table, truth = embedded(1, rows=3000)
    found = evaluate_frame(framed(tmp_path, table, embedded_spec()), seed=1)
    assert found.target is not None
    covered = ["IPS", "SNIPS", "DR", "SN-DR", "marginalised IPS", "marginalised DR"]
    bound = ["DM", "Switch-DR", "shrunk DR"]
    assert [estimate.name for estimate in found.target.estimates] == covered + bound
    for estimate in found.target.estimates:
        assert estimate.value == pytest.approx(truth, abs=0.06)
        assert (estimate.interval is None) == (estimate.name in bound)
        assert (estimate.parameter is not None) == (estimate.name in ("Switch-DR", "shrunk DR"))
        if estimate.interval is not None and estimate.anytime is not None:
            assert estimate.anytime.low < estimate.interval.low <= truth <= estimate.interval.high
            assert estimate.interval.high < estimate.anytime.high
    text = "\n".join(found.lines())
    assert "marginalised: 2 cells of 6 actions, by channel; exact where the actions of a cell are alike" in text
    assert "may be biased, so without an interval:" in text
    assert "at any look" in text


def test_what_was_chosen_stands_in_the_json(tmp_path: Path) -> None:
    table, _ = embedded(2, rows=1000)
    found = evaluate_frame(framed(tmp_path, table, embedded_spec()), seed=1)
    assert found.target is not None
    values = json.loads(json.dumps(found.target.as_dict(), allow_nan=False))["estimates"]
    assert set(values["Switch-DR"]) == {"value", "threshold"}
    assert set(values["shrunk DR"]) == {"value", "shrinkage"}
    assert values["DR"]["anytime_low"] < values["DR"]["low"] < values["DR"]["high"] < values["DR"]["anytime_high"]
    assert "shrinkage 0: the model alone" in Estimate("shrunk DR", 0.5, parameter=("shrinkage", 0.0)).line()
    assert Estimate("shrunk DR", 0.5, parameter=("shrinkage", np.inf)).as_dict()["shrinkage"] is None


def test_cells_narrow_the_interval_where_hours_do_not_matter(tmp_path: Path) -> None:
    table, _ = embedded(3, rows=2000)
    found = evaluate_frame(framed(tmp_path, table, embedded_spec()), seed=1).target
    assert found is not None
    single, cells = found.of("IPS"), found.of("marginalised IPS")
    assert single is not None
    assert cells is not None
    assert cells.half_width < 0.8 * single.half_width


def test_without_every_actions_probability_nothing_is_marginalised(tmp_path: Path) -> None:
    table, _ = embedded(4, rows=1500)
    uneven = table["p"].to_numpy() * np.where(np.arange(1500) % 2, 1.1, 0.9)
    place = table.column_names.index("p")
    frame = framed(tmp_path, table.set_column(place, "p", pa.array(uneven)), embedded_spec())
    assert cells_of(frame) is None
    found = evaluate_frame(frame, seed=1).target
    assert found is not None
    assert found.cells == ""
    assert found.of("marginalised IPS") is None
    assert found.of("IPS") is not None


def test_chances_that_do_not_sum_to_one_are_no_whole_policy(tmp_path: Path) -> None:
    table, _ = embedded(4, rows=600)
    kept = table.filter(np.array(table["hour"].to_pylist()) != "11")
    assert cells_of(framed(tmp_path, kept, replace(embedded_spec(), target_policy=None))) is None


def test_actions_without_features_have_no_cells(tmp_path: Path) -> None:
    assert cells_of(framed(tmp_path, drawn(1, rows=300, split=0.0), spec_of())) is None
