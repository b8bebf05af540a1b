"""`rettid tune`: a search for settings by Optuna, judged by log loss on the calibration slice, later than what was learnt.

A trial learns by the function that training calls (`tune_trial.py`), from no payment of a judged debtor. A study
belongs to its data, its seed and its search space: called again, it goes on, and several processes may share it. They share
the matrix of features as well; what a recipe makes of it, each has for itself. Nothing else in the program speaks to Optuna.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, Trial, TrialState

from data.progress import Progress
from training.code_version import code_hash
from training.fit import SETTINGS, Setting
from training.material import Material
from training.recipes.fitted import Watch
from training.run_record import data_digest, tags_of
from training.search_space import Range, Space, defaults, search_space
from training.slices import Slices, slices_of
from training.tracking import Tracking
from training.train import Order, Trained, train
from training.tune_trial import try_settings

DONE = (TrialState.COMPLETE, TrialState.PRUNED)

PRUNED_AFTER = 10
"""Trials that run to their end before any is cut short."""

PROCESS = "process"
"""Attribute of a trial: computer and number of the process that tries it."""

ROUNDS = "rounds"
"""Attribute of a trial: the rounds at which its boosters stopped, by name."""

STEPS_A_UNIT = 10.0
"""Losses are compared after as much learning: rounds × learning rate, in tenths."""


class NoTrial(ValueError):
    """No trial came to its end."""


@dataclass(frozen=True)
class Search:
    """What to tune and for how long.

    `trials` counts the study's finished trials, those of earlier calls included; no trial begins after `timeout_s`
    seconds; `jobs` processes try settings at the same time, each with about twice the matrix of features in memory of its own
    (`time_to_payment`: six times), beside the matrix that they share. `source` names the portfolio in the run's tags; `space`
    is searched in place of the recipe's own.
    """

    model: str
    trials: int
    timeout_s: float | None = None
    jobs: int = 1
    source: str = ""
    space: Space | None = None


@dataclass(frozen=True)
class Tuned:
    """What a study found, and the run that was trained with the best settings.

    `loss` is their log loss on the calibration slice, `usual_loss` that of the recipe's own, None where it did not end;
    `mended` says what was cut from the journal, empty where it was whole.
    """

    study: str
    finished: int
    pruned: int
    usual_loss: float | None
    loss: float
    settings: Mapping[str, Setting]
    trained: Trained
    mended: str = ""

    def lines(self) -> list[str]:
        """What was found, for the terminal."""
        usual = "" if self.usual_loss is None else f", with its own settings {self.usual_loss:.5f}"
        return [
            *([self.mended] if self.mended else []),
            f"study {self.study}: {self.finished} trials, {self.pruned} of them cut short",
            f"log loss on the calibration slice {self.loss:.5f}{usual}",
            f"settings: {' '.join(f'{key}={value:.4g}' for key, value in self.settings.items())}",
            *self.trained.lines(),
        ]


@dataclass(frozen=True)
class Task:
    """All that a process needs to try settings: where the study is, and how it draws and fits."""

    journal: Path
    study: str
    model: str
    space: Space
    trials: int
    timeout_s: float | None
    seed: int
    threads: int


def tune(material: Material, search: Search, *, workspace: Path, progress: Progress) -> Tuned:
    """Search, note every trial in MLflow below the study's run, and train the best settings as a run.

    Raises
    ------
    NoSearchSpace
        The recipe has nothing to tune.
    NoTrial
        No trial came to its end: give more time.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    workspace.mkdir(parents=True, exist_ok=True)
    task = _task(material, search, workspace)
    mended = mend(task.journal)
    if mended:
        progress(mended, 0.0)
    study = _study(task)
    noted = _Notes(Tracking(workspace), task, tags_of(material, search.source))
    try:
        _search(study, task, slices_of(material), jobs=search.jobs, after=lambda: noted.show(study, progress))
    finally:
        noted.write(study)
    best = _best(study)
    settings = {**task.space.fixed, **_plain(best.params)}
    progress("training the best settings", 0.0)
    order = Order(search.model, settings, search.source, study=task.study)
    trained = train(material, order, workspace=workspace, progress=lambda what: None)
    states = [trial.state for trial in study.trials]
    finished, pruned = sum(state in DONE for state in states), states.count(TrialState.PRUNED)
    return Tuned(
        task.study, finished, pruned, _usual_loss(study, task), float(best.value or 0.0), settings, trained, mended
    )


def _usual_loss(study: optuna.Study, task: Task) -> float | None:
    """Loss of the first trial of the recipe's own settings that came to its end, None where none did."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return next((trial.value for trial in complete if _settings_of(trial) == defaults(task.model, task.space)), None)


def _plain(params: Mapping[str, Any]) -> dict[str, Setting]:
    return {name: params[name] for name in sorted(params)}


def _best(study: optuna.Study) -> FrozenTrial:
    complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE and trial.value is not None]
    if not complete:
        raise NoTrial(f"no trial of {len(study.trials)} came to its end: give more --trials or a longer --timeout")
    return min(complete, key=lambda trial: (trial.value, trial.number))


def _task(material: Material, search: Search, workspace: Path) -> Task:
    space = _space(search, horizon_days=material.config.horizon.days)
    what = [data_digest(material), material.seed, material.rows.names, asdict(space), defaults(search.model, space)]
    what += [material.config.fingerprint, code_hash()]
    digest = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return Task(
        journal=workspace / "tuning.journal",
        study=f"{search.model}-{digest}",
        model=search.model,
        space=space,
        trials=search.trials,
        timeout_s=search.timeout_s,
        seed=material.seed,
        threads=max(1, int(str(SETTINGS[search.model].get("num_threads", 1))) // search.jobs),
    )


def _space(search: Search, *, horizon_days: int) -> Space:
    """What is searched; a recipe that has a horizon of its own among its settings keeps to the configuration's."""
    space = search.space or search_space(search.model)
    own = {"horizon_days": horizon_days} if "horizon_days" in SETTINGS[search.model] else {}
    return replace(space, fixed={**space.fixed, **own})


def _study(task: Task, *, worker: int = 0) -> optuna.Study:
    """The study, made on first use with the recipe's own settings as its first trial; one that broke off is tried again."""
    storage = JournalStorage(JournalFileBackend(str(task.journal)))
    study = optuna.create_study(study_name=task.study, storage=storage, load_if_exists=True)
    if worker == 0:
        _resume(study, defaults(task.model, task.space))
    # Each process, and each later call, draws settings of its own.
    study.sampler = TPESampler(seed=task.seed + 1_009 * len(study.trials) + worker, n_startup_trials=PRUNED_AFTER)
    study.pruner = MedianPruner(n_startup_trials=PRUNED_AFTER, n_warmup_steps=int(STEPS_A_UNIT))
    return study


def mend(journal: Path) -> str:
    """What was cut from the end of the journal, in words; empty where its last line is whole.

    A process that is killed while it writes leaves half a line, and whatever is written behind it makes the whole file
    unreadable.
    """
    if not _torn(journal):
        return ""
    lock = JournalFileSymlinkLock(str(journal))
    lock.acquire()
    try:
        torn = _torn(journal)  # again: what another process was writing is whole by now
        if torn:
            os.truncate(journal, journal.stat().st_size - torn)
    finally:
        lock.release()
    return f"{journal.name}: the last line was not finished ({torn:,} bytes), it was cut off" if torn else ""


def _torn(journal: Path) -> int:
    """Bytes behind the last line's end."""
    if not journal.is_file():
        return 0
    return len(journal.read_bytes().rpartition(b"\n")[2])


def _resume(study: optuna.Study, usual: Mapping[str, Setting]) -> None:
    """Fail the trials whose process has ended, and queue the recipe's own settings where no other trial has them."""
    tried = study.get_trials(deepcopy=False, states=(*DONE, TrialState.WAITING))
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if _process_ended(trial):
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        elif PROCESS in trial.user_attrs:
            tried.append(trial)
    if not any(_settings_of(trial) == usual for trial in tried):
        study.enqueue_trial(dict(usual))


def _settings_of(trial: FrozenTrial) -> Mapping[str, Setting]:
    """What a trial has drawn, or is to try."""
    settings: Mapping[str, Setting] = trial.params or trial.system_attrs.get("fixed_params", {})
    return settings


def _process() -> str:
    return f"{platform.node()} {os.getpid()}"


def _process_ended(trial: FrozenTrial) -> bool:
    """Whether the process that began a trial, on this computer, is no more; of other computers nothing is known."""
    computer, _, number = trial.user_attrs.get(PROCESS, "").rpartition(" ")
    if computer != platform.node() or not number:
        return False
    if int(number) == os.getpid():  # none of ours has begun: an earlier process had the same number
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _search(study: optuna.Study, task: Task, slices: Slices, *, jobs: int, after: Callable[[], None]) -> None:
    """Try settings here and in `jobs` − 1 other processes until the study has its trials."""
    with _helped(task, slices, jobs - 1) as helpers:
        _try(study, task, slices, after=after)
        for helper in helpers:
            helper.result()
    after()


@contextmanager
def _helped(task: Task, slices: Slices, count: int) -> Iterator[list[Future[None]]]:
    """Other processes that try settings meanwhile."""
    if count < 1:
        yield []
        return
    with TemporaryDirectory() as folder, processes(count) as pool:
        file = Path(folder) / "matrix.npy"
        rest = slices.write(file)
        futures: list[Future[None]] = [pool.submit(_help, task, rest, file, number) for number in range(1, count + 1)]
        yield futures


def processes(count: int) -> ProcessPoolExecutor:
    """Processes beside this one that end with it, however it ends."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_end_with_the_first)


def _end_with_the_first() -> None:
    """Watches the process that began this one: when that is killed, nobody tells those that wait for its work."""

    def watch() -> None:
        begun_by = parent_process()
        if begun_by is not None:
            begun_by.join()
            os._exit(1)

    Thread(target=watch, name="end-with-the-first", daemon=True).start()


def _help(task: Task, rest: Slices, file: Path, worker: int) -> None:
    """What another process does; it has the matrix from the file."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _try(_study(task, worker=worker), task, rest.read(file), after=lambda: None)


def _try(study: optuna.Study, task: Task, slices: Slices, *, after: Callable[[], None]) -> None:
    """Trials one after another until the study has enough of them."""

    def look(of: optuna.Study, trial: FrozenTrial) -> None:
        after()
        if _finished(of) >= task.trials:
            of.stop()

    if _finished(study) >= task.trials:
        return
    study.optimize(lambda trial: _loss(trial, task, slices), timeout=task.timeout_s, callbacks=[look])


def _finished(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=DONE))


def _loss(trial: Trial, task: Task, slices: Slices) -> float:
    """Log loss of the trial's settings on the calibration slice."""
    trial.set_user_attr(PROCESS, _process())
    drawn = {name: _drawn(trial, name, values) for name, values in task.space.ranges.items()}
    settings = {**task.space.fixed, **drawn, "num_threads": task.threads}
    tried = try_settings(task.model, slices, settings, seed=task.seed, watch=_watch(trial))
    trial.set_user_attr(ROUNDS, dict(tried.rounds))
    return tried.loss


def _drawn(trial: Trial, name: str, values: Range) -> Setting:
    """The trial's value of a setting."""
    if isinstance(values.low, int) and isinstance(values.high, int):
        return trial.suggest_int(name, values.low, values.high, log=values.log)
    return trial.suggest_float(name, values.low, values.high, log=values.log)


def _watch(trial: Trial) -> Watch:
    """Tells the study the loss after each tenth of a unit of learning, and stops a trial that lags behind."""
    told = 0

    def watch(learnt: float, loss: float) -> None:
        nonlocal told
        step = int(learnt * STEPS_A_UNIT)
        if step == told:
            return
        told = step
        trial.report(loss, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    return watch


@dataclass(frozen=True)
class _Notes:
    """The study in MLflow: one run for it, and one below it for each finished trial."""

    tracking: Tracking
    task: Task
    tags: Mapping[str, str]

    def show(self, study: optuna.Study, progress: Progress) -> None:
        """Move the bar, and note what has finished."""
        progress(f"tuning {self.task.model}", min(_finished(study) / self.task.trials, 1.0))
        self.write(study)

    def write(self, study: optuna.Study) -> None:
        """Note the finished trials that are not noted yet."""
        whole = self.tracking.study(self.task.study, params={"model": self.task.model}, tags=dict(self.tags))
        known = self.tracking.trials(whole)
        for trial in study.get_trials(deepcopy=False, states=DONE):
            if str(trial.number) not in known:
                self._note(whole, trial)

    def _note(self, whole: str, trial: FrozenTrial) -> None:
        loss = trial.value if trial.value is not None else trial.intermediate_values.get(trial.last_step or 0)
        metrics = {} if loss is None else {"log_loss": float(loss)}
        metrics |= {name: float(count) for name, count in trial.user_attrs.get(ROUNDS, {}).items()}
        params = {name: str(value) for name, value in trial.params.items()}
        self.tracking.trial(whole, trial.number, params=params, metrics=metrics, state=trial.state.name.lower())
