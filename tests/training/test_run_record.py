"""What is kept of a run: evidence, signature, an example that is nobody's, pictures, tags, and which code it was."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from models.bundle import point_to, read_bundle
from tests.deciding import COLUMNS
from training.code_version import code_hash, code_version
from training.compare import CONTRIBUTIONS, EVIDENCE, GATE, NotPromoted, compare, promote
from training.gate.contributions import CHAMPION, CONTROL, OWN, Contributions
from training.gate.evidence import Evidence
from training.material import Material
from training.tracking import Tracking
from training.train import Order, Trained, train


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def trained(material: Material, workspace: Path) -> Trained:
    order = Order("lightgbm", {"rounds": 10, "num_threads": 1}, "a portfolio")
    return train(material, order, workspace=workspace, progress=lambda what: None)


def text_of(workspace: Path, run_id: str, name: str) -> str:
    path = Tracking(workspace).kept(run_id, name)
    assert path is not None, name
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["calibration", "importance", "shap", "uplift_grid", "overlap"])
def test_each_picture_is_there_as_svg(trained: Trained, workspace: Path, name: str) -> None:
    assert text_of(workspace, trained.run_id, f"{name}.svg").startswith("<svg")


def test_a_qini_curve_is_drawn_where_the_log_bears_a_value(trained: Trained, workspace: Path) -> None:
    path = Tracking(workspace).kept(trained.run_id, "qini.svg")
    assert (path is not None) == (trained.judgement.value.dr is not None)


def test_the_signature_names_every_column_and_the_example_is_the_usual_value_of_each(
    trained: Trained, workspace: Path, material: Material
) -> None:
    signature = json.loads(text_of(workspace, trained.run_id, "signature.json"))
    assert [one["name"] for one in signature["inputs"]] == list(COLUMNS)
    (example,) = json.loads(text_of(workspace, trained.run_id, "input_example.json"))
    assert tuple(example.values()) == material.usual
    assert read_bundle(trained.directory).usual == material.usual


def test_the_evidence_holds_what_the_judge_found(trained: Trained, workspace: Path) -> None:
    path = Tracking(workspace).kept(trained.run_id, f"{GATE}/{EVIDENCE}")
    assert path is not None
    found = Evidence.read(path)
    assert found.auc == trained.judgement.auc
    assert found.calibration[0].error == trained.judgement.calibration_error
    assert found.barred == 0
    assert {one.by for one in found.pressure} == {"age", "sex", "area"}
    assert found.champion == ""


def test_the_sex_that_serves_checks_only_is_read_where_it_is_given(material: Material) -> None:
    assert set(material.sex.tolist()) == {"female", "male"}


def test_tags_say_which_data_code_features_and_settings(trained: Trained, workspace: Path) -> None:
    (run,) = [run for run in Tracking(workspace).runs() if run.run_id == trained.run_id]
    assert {"learnt_from", "learnt_until", "judged_from", "judged_until", "data", "features", "config"} <= set(run.tags)
    assert run.tags["code"] == code_version()
    assert run.tags["code_hash"] == code_hash()
    inputs = Tracking(workspace).client().get_run(run.run_id).inputs.dataset_inputs
    assert [one.dataset.digest for one in inputs] == [run.tags["data"]]


def test_a_later_run_is_held_against_the_champion_by_what_its_run_kept(
    trained: Trained, workspace: Path, material: Material
) -> None:
    point_to(workspace, "champion", model_version=trained.run_id)
    later = train(material, Order("constant"), workspace=workspace, progress=lambda what: None)
    paths = [Tracking(workspace).kept(run_id, f"{GATE}/{CONTRIBUTIONS}") for run_id in (trained.run_id, later.run_id)]
    first, second = (Contributions.read(path) for path in paths if path)
    assert set(first.parts) == {OWN, CONTROL}
    assert set(second.parts) == {OWN, CONTROL, CHAMPION}
    np.testing.assert_array_equal(second.parts[CHAMPION].weight, first.parts[OWN].weight)
    assert {line.model for line in compare(workspace) if line.champion} == {"lightgbm"}


def test_a_log_without_randomised_decisions_trains_and_is_refused_by_the_gate(
    material: Material, tmp_path: Path
) -> None:
    judged = material.judged
    nobody = replace(judged, **{one.name: getattr(judged, one.name)[:0] for one in fields(judged)})
    bare = replace(material, judged=nobody)
    run = train(bare, Order("constant"), workspace=tmp_path, progress=lambda what: None)
    assert run.over_control is None
    with pytest.raises(NotPromoted, match="the log holds no randomised decision"):
        promote(tmp_path, run.run_id)
    assert promote(tmp_path, run.run_id, role="challenger", force="a try").role == "challenger"


def test_the_code_s_version_is_the_commit_or_the_package(tmp_path: Path) -> None:
    assert code_version(tmp_path).startswith("rettid ")
    git = tmp_path / ".git"
    git.mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (git / "packed-refs").write_text("# pack-refs\nabc123 refs/heads/main\n", encoding="utf-8")
    assert code_version(tmp_path) == "git abc123"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "main").write_text("def456\n", encoding="utf-8")
    assert code_version(tmp_path) == "git def456"
    (git / "HEAD").write_text("fed987\n", encoding="utf-8")
    assert code_version(tmp_path) == "git fed987"


def test_a_log_with_a_channel_that_the_grid_has_not_is_learnt_and_drawn(material: Material, tmp_path: Path) -> None:
    channel = np.where(np.arange(len(material.judged.channel)) % 5 == 0, -1, material.judged.channel)
    strange = replace(material, judged=replace(material.judged, channel=channel.astype(material.judged.channel.dtype)))
    order = Order("incumbent", {}, "a portfolio")
    run = train(strange, order, workspace=tmp_path, progress=lambda what: None).run_id
    assert text_of(tmp_path, run, "overlap.svg").startswith("<svg")
