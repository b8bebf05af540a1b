"""Runs in a real store: their order, and the one that is promoted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.bundle import BadBundle, champion, write_bundle
from tests.deciding import bundle_of, rate_model
from tests.portfolios import histories
from tests.strategies import random_tables
from training.compare import NO_NUMBER, compare, promote
from training.tracking import MODEL, Recorded, Tracking, UnknownRun, named

RUNS = {
    "first": {"value_eur": 5.0, "value_low_eur": 4.0, "value_high_eur": 6.0, "log_loss": 0.40, "auc": 0.7},
    "close": {"value_eur": 4.5, "value_low_eur": 3.5, "value_high_eur": 5.5, "log_loss": 0.30},
    "worst": {"value_eur": 2.0, "value_low_eur": 1.0, "value_high_eur": 3.0, "log_loss": 0.10},
    "untold": {"log_loss": 0.35},
    "worse": {"value_eur": 3.0, "value_low_eur": 2.0, "value_high_eur": 4.0, "log_loss": 0.20},
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with five finished runs and one that failed."""
    folder = tmp_path_factory.mktemp("workspace")
    tracking, found = Tracking(folder), histories(random_tables(1))
    for name, metrics in RUNS.items():
        with tracking.run(name, params={"seed": "1"}, tags={"as_of": "2026-03-02T05:00:00+00:00"}) as run_id:
            bundle = bundle_of(found, rate_model(), model_version=run_id)
            directory = write_bundle(bundle, folder / "models" / run_id)
            tracking.record(run_id, metrics=metrics, bundle=directory, pictures={"one.svg": "<svg/>"})
    fail(tracking)
    return folder


def fail(tracking: Tracking) -> None:
    with pytest.raises(ZeroDivisionError), tracking.run("broken", params={}, tags={}):
        raise ZeroDivisionError


def test_runs_the_log_cannot_tell_from_the_best_come_first_by_log_loss_then_the_worse_by_value(workspace: Path) -> None:
    lines = compare(workspace)
    assert [line.model for line in lines] == ["close", "untold", "first", "worse", "worst"]


def test_a_run_that_failed_is_not_among_them(workspace: Path) -> None:
    assert "broken" not in {run.name for run in Tracking(workspace).runs()}


def test_a_line_shows_the_interval_and_a_dash_where_there_is_no_number(workspace: Path) -> None:
    lines = {line.model: line for line in compare(workspace)}
    first, untold = lines["first"], lines["untold"]
    assert (first.value, first.interval, first.auc, first.as_of) == ("5.00", "4.00 … 6.00", "0.700", "2026-03-02")
    assert (untold.value, untold.interval, untold.auc) == (NO_NUMBER, NO_NUMBER, NO_NUMBER)


def test_promoting_points_the_workspace_and_the_registry_to_the_run(workspace: Path) -> None:
    for asked, expected in (("worst", "worst"), ("best", "close")):
        chosen = promote(workspace, asked)
        assert chosen.name == expected
        pointer = json.loads((workspace / "models" / "champion.json").read_text(encoding="utf-8"))
        assert pointer["model_version"] == chosen.run_id
        assert champion(workspace).model_version == chosen.run_id
        registered = Tracking(workspace).client().get_model_version_by_alias(MODEL, "champion")
        assert registered.run_id == chosen.run_id
        assert [line.model for line in compare(workspace) if line.champion] == [expected]


def test_a_run_may_be_named_by_its_first_digits(workspace: Path) -> None:
    run = next(run for run in Tracking(workspace).runs() if run.name == "worse")
    assert promote(workspace, run.run_id[:10]).run_id == run.run_id


def test_a_run_whose_bundle_changed_is_not_promoted(workspace: Path) -> None:
    kept = promote(workspace, "first")
    other = next(run for run in Tracking(workspace).runs() if run.name == "untold")
    (workspace / "models" / other.run_id / "rates.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadBundle, match=r"rates\.json missing or changed"):
        promote(workspace, "untold")
    assert champion(workspace).model_version == kept.run_id


def test_a_run_that_is_not_there_is_an_error_that_lists_those_that_are(workspace: Path) -> None:
    with pytest.raises(UnknownRun, match=r"no run 'nothing': there are .*first \("):
        promote(workspace, "nothing")


def recorded(name: str, run_id: str) -> Recorded:
    return Recorded(run_id, name, 0, {}, {}, {})


def test_a_name_means_the_newest_run_of_that_name_and_few_digits_mean_nothing() -> None:
    runs = [recorded("lightgbm", "abcd1"), recorded("lightgbm", "abcd2")]  # newest first
    assert named(runs, "lightgbm").run_id == "abcd1"
    assert named(runs, "abcd2").run_id == "abcd2"
    with pytest.raises(UnknownRun, match="no run 'abc'"):
        named(runs, "abc")
    with pytest.raises(UnknownRun, match="there are none yet"):
        named([], "best")
