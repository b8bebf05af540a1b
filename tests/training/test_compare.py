"""Runs in a real store: their order, their differences, and the gate before the one that decides."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.bundle import BadBundle, champion, pointed_version, write_bundle
from tests.deciding import bundle_of, rate_model
from tests.portfolios import histories
from tests.strategies import random_tables
from tests.training.gate.made_evidence import AS_OF, contributions, evidence, part_of
from training.compare import (
    CONTRIBUTIONS,
    EVIDENCE,
    GATE,
    NO_NUMBER,
    OTHER_DATA,
    Line,
    NoEvidence,
    NotPromoted,
    compare,
    promote,
)
from training.gate.contributions import OWN, Contributions
from training.tracking import MODEL, Recorded, Tracking, UnknownRun, named

RUNS = {
    "first": {"value_eur": 5.0, "value_low_eur": 4.0, "value_high_eur": 6.0, "log_loss": 0.40, "auc": 0.7},
    "close": {"value_eur": 4.9, "value_low_eur": 3.5, "value_high_eur": 5.5, "log_loss": 0.30},
    "worse": {"value_eur": 3.0, "value_low_eur": 2.0, "value_high_eur": 4.0, "log_loss": 0.10},
    "untold": {"log_loss": 0.35},
}
SETTINGS = {"rounds": 20}


def of_value(value_eur: float, *, control: float = 4.0) -> Contributions:
    """Contributions of a run that earns so much, and of rules that earn `control`; give or take, the same for all."""
    rng = np.random.default_rng(int(10 * value_eur))
    made, size = contributions(), 2_000
    own, rules = value_eur + rng.normal(0, 3, size), control + rng.normal(0, 3, size)
    parts = {
        name: part_of(earned, made.paid_eur, cell=cell, drawn=rng.random(size) < 0.5)
        for name, earned, cell in ((OWN, own, int(10 * value_eur)), ("control", rules, 0))
    }
    return replace(made, parts=parts)


def add_run(
    folder: Path, name: str, metrics: dict[str, float], *, gate: bool = True, data: str = "a", seed: str = "1",
    config: str = "c", **changes: object,
) -> str:  # fmt: skip
    tracking, found = Tracking(folder), histories(random_tables(1))
    with tracking.run(name, params={"seed": seed}, tags={"as_of": AS_OF, "data": data, "config": config}) as run_id:
        card = {"settings": SETTINGS, "as_of": AS_OF, "config": config}
        bundle = bundle_of(found, rate_model(), model_version=run_id, recipe=name, card=card)
        directory = write_bundle(bundle, folder / "models" / run_id)
        tracking.record(run_id, metrics=metrics, bundle=directory, pictures={"one.svg": "<svg/>"})
        if gate:
            kept = folder / f"kept-{run_id}"
            kept.mkdir()
            evidence(recipe=name, settings=SETTINGS, **changes).write(kept / EVIDENCE)
            of_value(metrics.get("value_eur", 5.0)).write(kept / CONTRIBUTIONS)
            tracking.keep(run_id, kept, place=GATE)
    return run_id


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with four finished runs and one that failed; nothing is promoted in it."""
    folder = tmp_path_factory.mktemp("workspace")
    for name, metrics in RUNS.items():
        add_run(folder, name, metrics, value_refused="too thin" if name == "untold" else "")
    fail(Tracking(folder))
    return folder


@pytest.fixture
def workspace(ready: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(ready, tmp_path / "workspace"))


def fail(tracking: Tracking) -> None:
    with pytest.raises(ZeroDivisionError), tracking.run("broken", params={}, tags={}):
        raise ZeroDivisionError


def by_name(folder: Path) -> dict[str, Line]:
    return {line.model: line for line in compare(folder)}


def test_runs_come_by_policy_value_and_those_without_one_last(ready: Path) -> None:
    assert [line.model for line in compare(ready)] == ["first", "close", "worse", "untold"]


def test_best_is_the_lowest_log_loss_among_those_that_are_not_shown_to_be_worse(ready: Path) -> None:
    assert [line.model for line in compare(ready) if line.best] == ["close"]


def test_a_line_shows_the_paired_difference_to_the_first(ready: Path) -> None:
    lines = by_name(ready)
    assert lines["first"].difference == "first"
    assert float(lines["worse"].difference.split(" ")[0]) == pytest.approx(-2.0, abs=0.25)
    low, high = (float(word.strip("()")) for word in lines["worse"].difference.split(" ", 1)[1].split(" … "))
    assert low < -2.0 < high < -1.5
    assert lines["untold"].difference == NO_NUMBER


def test_runs_judged_on_other_decisions_show_why_there_is_no_difference(workspace: Path) -> None:
    run_id = add_run(workspace, "elsewhere", {"value_eur": 4.0, "value_high_eur": 4.5})
    path = Tracking(workspace).kept(run_id, f"{GATE}/{CONTRIBUTIONS}")
    assert path is not None
    made = Contributions.read(path)
    replace(made, contact_id=made.contact_id + "x").write(path)
    assert by_name(workspace)["elsewhere"].difference == "judged on different decisions"


@pytest.mark.parametrize("other", [{"data": "b"}, {"seed": "2"}, {"config": "d"}])
def test_only_runs_on_the_newest_data_are_ranked_and_one_of_them_is_the_best(
    workspace: Path, other: dict[str, str]
) -> None:
    add_run(workspace, "newer", {"value_eur": 1.0, "value_high_eur": 2.0, "log_loss": 0.9}, **other)
    lines = compare(workspace)
    assert [line.model for line in lines] == ["newer", "first", "close", "worse", "untold"]
    assert [line.model for line in lines if line.best] == ["newer"]
    assert [line.difference for line in lines] == ["first", *[OTHER_DATA] * 4]


@pytest.mark.parametrize("broken", ["bundle", "folder", "pointer"])
def test_a_champion_that_cannot_be_read_is_a_check_not_met_and_a_reason_replaces_it(
    workspace: Path, broken: str
) -> None:
    version = promote(workspace, "worse", force="to have one").run.run_id
    if broken == "pointer":
        (workspace / "models" / "champion.json").write_text("{", encoding="utf-8")
    elif broken == "folder":
        shutil.rmtree(workspace / "models" / version)
    else:
        (workspace / "models" / version / "rates.json").write_text("{}", encoding="utf-8")
    with pytest.raises(NotPromoted, match=r"is not made the champion: the present champion\n") as refused:
        promote(workspace, "first")
    assert "put the champion's files back" in str(refused.value)
    assert promote(workspace, "first", force="its files are lost").forced == "its files are lost"
    assert champion(workspace).recipe == "first"


def test_a_run_that_failed_is_not_among_them(ready: Path) -> None:
    assert "broken" not in {run.name for run in Tracking(ready).runs()}


def test_a_line_shows_the_interval_and_a_dash_where_there_is_no_number(ready: Path) -> None:
    first, untold = by_name(ready)["first"], by_name(ready)["untold"]
    assert (first.value, first.interval, first.auc, first.as_of) == ("5.00", "4.00 … 6.00", "0.700", "2026-03-02")
    assert (untold.value, untold.interval, untold.auc) == (NO_NUMBER, NO_NUMBER, NO_NUMBER)


def test_promoting_points_the_workspace_and_the_registry_to_the_run(workspace: Path) -> None:
    for asked, expected in (("first", "first"), ("best", "close")):
        done = promote(workspace, asked, force="to see it")
        assert done.run.name == expected
        pointer = json.loads((workspace / "models" / "champion.json").read_text(encoding="utf-8"))
        assert pointer["model_version"] == done.run.run_id
        assert champion(workspace).model_version == done.run.run_id
        registered = Tracking(workspace).client().get_model_version_by_alias(MODEL, "champion")
        assert registered.run_id == done.run.run_id
        assert [line.model for line in compare(workspace) if line.champion] == [expected]


def test_a_run_that_beats_the_present_rules_is_promoted_and_its_figures_are_kept(workspace: Path) -> None:
    done = promote(workspace, "first")
    assert done.verdict.ok
    assert done.forced == ""
    run = next(run for run in Tracking(workspace).runs() if run.name == "first")
    assert "value against the present rules" in run.tags["champion_gate"]
    assert "champion_forced" not in run.tags


def test_the_gate_refuses_with_the_figures_and_leaves_the_champion_where_it_is(workspace: Path) -> None:
    with pytest.raises(
        NotPromoted,
        match=r"not made the champion: value against the present rules\n(.*\n)+FAILED +value against the present rules +-0\.9",
    ):
        promote(workspace, "worse")
    assert pointed_version(workspace, "champion") is None
    first = promote(workspace, "first").run.run_id
    with pytest.raises(NotPromoted, match="value against the champion, another recipe"):
        promote(workspace, "close")
    assert pointed_version(workspace, "champion") == first


def test_a_champion_judged_under_other_prices_is_not_held_against_a_run(workspace: Path) -> None:
    promote(workspace, "worse", force="to have one")
    run = add_run(workspace, "dearer", {"value_eur": 9.0, "value_high_eur": 10.0}, config="d")
    with pytest.raises(NotPromoted, match="no number: no contributions of policy 'champion' were kept"):
        promote(workspace, run[:8])


def test_a_reason_forces_a_run_through_and_is_kept(workspace: Path) -> None:
    done = promote(workspace, "worse", force="the board wants it")
    assert done.lines()[-2:] == ["promoted all the same: the board wants it", f"champion: worse, run {done.run.run_id}"]
    pointer = json.loads((workspace / "models" / "champion.json").read_text(encoding="utf-8"))
    assert pointer["forced"] == "the board wants it"
    tags = next(run for run in Tracking(workspace).runs() if run.name == "worse").tags
    assert tags["champion_forced"] == "the board wants it"
    assert "FAILED" in tags["champion_gate"]


@pytest.mark.parametrize("reason", ["", "  "])
def test_forcing_without_a_reason_is_refused(workspace: Path, reason: str) -> None:
    with pytest.raises(NotPromoted, match="expects a reason"):
        promote(workspace, "first", force=reason)
    assert pointed_version(workspace, "champion") is None


def test_a_thin_run_may_be_the_challenger(workspace: Path) -> None:
    with pytest.raises(NotPromoted, match="too thin"):
        promote(workspace, "untold")
    assert promote(workspace, "untold", role="challenger").verdict.ok
    assert pointed_version(workspace, "challenger") is not None


def test_a_run_without_evidence_is_to_be_trained_again(workspace: Path) -> None:
    add_run(workspace, "older", {"log_loss": 0.3}, gate=False)
    with pytest.raises(NoEvidence, match="train it again"):
        promote(workspace, "older", force="a reason does not help")


def test_a_run_may_be_named_by_its_first_digits(workspace: Path) -> None:
    run = next(run for run in Tracking(workspace).runs() if run.name == "first")
    assert promote(workspace, run.run_id[:10]).run.run_id == run.run_id


def test_a_run_whose_bundle_changed_is_not_promoted(workspace: Path) -> None:
    kept = promote(workspace, "first").run
    other = next(run for run in Tracking(workspace).runs() if run.name == "close")
    (workspace / "models" / other.run_id / "rates.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadBundle, match=r"rates\.json missing or changed"):
        promote(workspace, "close", force="whatever")
    assert champion(workspace).model_version == kept.run_id


def test_a_run_that_is_not_there_is_an_error_that_lists_those_that_are(ready: Path) -> None:
    with pytest.raises(UnknownRun, match=r"no run 'nothing': there are .*first \("):
        promote(ready, "nothing")


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
