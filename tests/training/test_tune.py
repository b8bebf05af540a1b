"""Tuning: the recipe's own settings come first, a study goes on, and its best settings become a run."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from data.portfolio import Portfolio
from data.simulator.settings import UNTIL
from data.times import to_us
from models.bundle import read_bundle
from tests.deciding import PACKS
from tests.documents.markdown import ROOT
from tests.portfolios import CONFIG
from training.fit import SETTINGS
from training.material import Material, gather
from training.search_space import SPACES, NoSearchSpace, Range, Space
from training.tracking import PARENT, TUNING, Tracking
from training.tune import PROCESS, NoTrial, Search, Tuned, mend, tune

SMALL = Space({"num_leaves": Range(4, 31), "learning_rate": Range(0.05, 0.2, log=True)}, {"rounds": 12})
CHAIN = Space(
    {"num_leaves": Range(4, 31), "own_learning_rate": Range(0.03, 0.1, log=True)},
    {"reach_rounds": 6, "conversion_rounds": 5, "own_rounds": 12},
)
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


def test_the_chain_is_tuned_by_the_same_command_and_its_best_settings_are_a_run(
    material: Material, tmp_path: Path
) -> None:
    first = tune(material, Search("chain", 2, space=CHAIN), workspace=tmp_path, progress=lambda what, share: None)
    assert first.finished == 2
    assert first.pruned == 0
    assert first.usual_loss is not None
    assert first.loss <= first.usual_loss
    bundle = read_bundle(first.trained.directory)
    assert bundle.recipe == "chain"
    assert bundle.card["settings"] == first.settings
    assert set(first.settings) == {*CHAIN.ranges, *CHAIN.fixed}
    again = tune(material, Search("chain", 3, space=CHAIN), workspace=tmp_path, progress=lambda what, share: None)
    assert (again.study, again.finished) == (first.study, 3)
    assert again.usual_loss == first.usual_loss
    client = Tracking(tmp_path).client()
    number = client.get_experiment_by_name(TUNING).experiment_id
    noted = client.search_runs([number], "tags.trial = '0'")[0].data
    assert noted.params == {name: str(SETTINGS["chain"][name]) for name in CHAIN.ranges}
    assert noted.metrics["log_loss"] == pytest.approx(first.usual_loss)
    assert {name: noted.metrics[name] <= most for name, most in CHAIN.fixed.items()} == dict.fromkeys(CHAIN.fixed, True)
    assert {run.tags["study"] for run in Tracking(tmp_path).runs()} == {first.study}


def test_a_recipe_with_a_horizon_of_its_own_keeps_to_the_configuration_s(simulated: Portfolio, tmp_path: Path) -> None:
    config = replace(CONFIG, horizon=replace(CONFIG.horizon, days=10))
    material = gather(simulated, as_of_us=to_us(UNTIL), config=config, packs=PACKS, seed=1, progress=lambda what: None)
    search = Search("time_to_payment", 1, space=Space({"num_leaves": Range(4, 31)}, {"rounds": 5}))
    found = tune(material, search, workspace=tmp_path, progress=lambda what, share: None)
    assert found.settings == {"rounds": 5, "horizon_days": 10, "num_leaves": 31}
    assert read_bundle(found.trained.directory).card["settings"] == found.settings


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


BESIDE = """
import os, sys, time
from training.tune import processes

if __name__ == "__main__":
    with processes(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


def test_what_works_beside_a_process_that_is_killed_ends_with_it(tmp_path: Path) -> None:
    script = tmp_path / "beside.py"
    script.write_text(BESIDE)
    first = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert first.stdout is not None
    beside = Path("/proc") / first.stdout.readline().strip()
    assert beside.is_dir()
    first.kill()
    first.wait()
    first.stdout.close()
    until = time.monotonic() + 20
    while beside.is_dir() and time.monotonic() < until:
        time.sleep(0.05)
    assert not beside.is_dir()


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


def test_a_recipe_without_a_search_space_is_an_error(material: Material, tmp_path: Path) -> None:
    search = Search("constant", 3)
    with pytest.raises(NoSearchSpace, match="'constant': there are chain, lightgbm, per_channel, time_to_payment"):
        tune(material, search, workspace=tmp_path, progress=lambda what, share: None)


def test_a_study_without_a_trial_says_what_to_do(material: Material, tmp_path: Path) -> None:
    search = Search("lightgbm", 3, timeout_s=0.0)
    with pytest.raises(NoTrial, match="longer --timeout"):
        tune(material, search, workspace=tmp_path, progress=lambda what, share: None)


def test_every_setting_that_is_searched_is_one_of_the_recipe() -> None:
    for name, space in SPACES.items():
        assert {*space.ranges, *space.fixed} <= set(SETTINGS[name])
        for setting, one in space.ranges.items():
            assert one.low < one.high
            assert one.low <= float(SETTINGS[name][setting]) <= one.high
