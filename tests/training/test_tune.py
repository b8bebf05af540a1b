"""Tuning: the recipe's own settings come first, a study goes on, and the judged debtors are never looked at."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from sklearn.metrics import log_loss

from models.bundle import read_bundle
from training.fit import SETTINGS, recipe
from training.material import Material
from training.search_space import SPACES, NoSearchSpace, Range, Space
from training.slices import Slices, slices_of
from training.tracking import PARENT, TUNING, Tracking
from training.tune import PROCESS, NoTrial, Search, Tuned, mend, tune

SMALL = Space({"num_leaves": Range(4, 31), "learning_rate": Range(0.05, 0.2, log=True)}, {"rounds": 12})
SHORT = Search("lightgbm", 3, timeout_s=0.0, space=SMALL)


def tuned(material: Material, workspace: Path, *, trials: int = 3) -> Tuned:
    return tune(
        material, Search("lightgbm", trials, space=SMALL), workspace=workspace, progress=lambda what, share: None
    )


def test_a_study_begins_with_the_recipe_s_own_settings_ends_with_a_run_and_goes_on(
    material: Material, tmp_path: Path
) -> None:
    first = tuned(material, tmp_path)
    assert first.finished == 3
    assert first.usual_loss is not None
    assert first.loss <= first.usual_loss
    card = read_bundle(first.trained.directory).card
    assert card["settings"] == first.settings
    assert set(first.settings) == {"num_leaves", "learning_rate", "rounds"}
    assert first.study in first.lines()[0]
    second = tuned(material, tmp_path, trials=5)
    assert second.study == first.study
    assert second.finished == 5
    assert second.loss <= first.loss
    client = Tracking(tmp_path).client()
    number = client.get_experiment_by_name(TUNING).experiment_id
    (whole,) = client.search_runs([number], "tags.kind = 'study'")
    trials = client.search_runs([number], f"tags.`{PARENT}` = '{whole.info.run_id}'")
    assert sorted(int(run.data.tags["trial"]) for run in trials) == list(range(5))
    own = next(run for run in trials if run.data.tags["trial"] == "0")
    assert own.data.params["num_leaves"] == str(SETTINGS["lightgbm"]["num_leaves"])
    assert own.data.metrics["log_loss"] == pytest.approx(first.usual_loss)
    assert {run.tags["study"] for run in Tracking(tmp_path).runs()} == {first.study}


def killed_process() -> str:
    """This computer and the number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return f"{platform.node()} {done.pid}"


def test_a_study_killed_in_its_first_trial_while_writing_goes_on(material: Material, tmp_path: Path) -> None:
    with pytest.raises(NoTrial):
        tune(material, SHORT, workspace=tmp_path, progress=lambda what, share: None)
    journal = tmp_path / "tuning.journal"
    storage = JournalStorage(JournalFileBackend(str(journal)))
    (name,) = optuna.study.get_all_study_names(storage)
    begun = optuna.load_study(study_name=name, storage=storage).ask()
    begun.set_user_attr(PROCESS, killed_process())
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":8,"wor')
    found = tuned(material, tmp_path, trials=1)
    assert found.usual_loss == found.loss
    assert found.lines()[0] == "tuning.journal: the last line was not finished (17 bytes), it was cut off"
    trials = optuna.load_study(study_name=name, storage=JournalStorage(JournalFileBackend(str(journal)))).trials
    assert [trial.state.name for trial in trials] == ["FAIL", "COMPLETE"]


def test_a_whole_journal_is_left_as_it_is(tmp_path: Path) -> None:
    journal = tmp_path / "tuning.journal"
    assert mend(journal) == ""
    journal.write_bytes(b'{"op_code":0}\n')
    assert mend(journal) == ""
    assert journal.read_bytes() == b'{"op_code":0}\n'


def test_another_configuration_is_another_study(material: Material, tmp_path: Path) -> None:
    config = replace(material.config, horizon=replace(material.config.horizon, days=material.config.horizon.days + 1))
    for one in (material, replace(material, config=config)):
        with pytest.raises(NoTrial):
            tune(one, SHORT, workspace=tmp_path, progress=lambda what, share: None)
    names = optuna.study.get_all_study_names(JournalStorage(JournalFileBackend(str(tmp_path / "tuning.journal"))))
    assert len(names) == 2


def test_a_trial_fits_what_the_recipe_fits(material: Material, tmp_path: Path) -> None:
    """With its own settings, up to which features are sampled: the study keeps those that no split can use."""
    first = tune(material, Search("lightgbm", 1, space=SMALL), workspace=tmp_path, progress=lambda what, share: None)
    rows, split = material.rows, material.split
    fitted = recipe("lightgbm")(rows, split, material.reference, {"rounds": 12, "num_threads": 1}, material.seed)
    raw = fitted.model.booster.predict(rows.matrix[split.calibrate])
    assert first.usual_loss == pytest.approx(log_loss(rows.paid[split.calibrate], raw), rel=0.01)


def test_the_judged_rows_change_nothing(material: Material, tmp_path: Path) -> None:
    judge = material.split.judge
    rows = material.rows
    turned = replace(rows, paid=np.where(judge, ~rows.paid, rows.paid), matrix=np.where(judge[:, None], 0, rows.matrix))
    for one in ("learn", "learn_paid", "later", "later_paid"):
        before, after = slices_of(material), slices_of(replace(material, rows=turned))
        np.testing.assert_array_equal(getattr(before, one), getattr(after, one))
    assert len(slices_of(material).learn) == material.split.learn.sum()


def test_slices_are_the_same_from_files(material: Material, tmp_path: Path) -> None:
    before = slices_of(material)
    before.write(tmp_path)
    after = Slices.read(tmp_path)
    np.testing.assert_array_equal(before.learn, after.learn)
    np.testing.assert_array_equal(before.later_paid, after.later_paid)


def test_a_recipe_without_a_search_space_is_an_error(material: Material, tmp_path: Path) -> None:
    search = Search("constant", 3)
    with pytest.raises(NoSearchSpace, match="no search space for 'constant'"):
        tune(material, search, workspace=tmp_path, progress=lambda what, share: None)


def test_a_study_without_a_trial_says_what_to_do(material: Material, tmp_path: Path) -> None:
    search = Search("lightgbm", 3, timeout_s=0.0)
    with pytest.raises(NoTrial, match="longer --timeout"):
        tune(material, search, workspace=tmp_path, progress=lambda what, share: None)


def test_every_setting_that_is_searched_is_one_of_the_recipe() -> None:
    for name, space in SPACES.items():
        assert {*space.ranges, *space.fixed} <= set(SETTINGS[name])
        for one in space.ranges.values():
            assert one.low < one.high
