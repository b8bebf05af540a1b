"""`simulate`: a portfolio from nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread

from data.config import Config
from data.progress import Progress
from data.simulator.behaviour import Behaviour
from data.simulator.life import Task, live, streams
from data.simulator.settings import CHUNK, BadSettings, SimulationSettings
from data.simulator.state import first_us_of
from data.simulator.store import WorldFile, load_chunk, settings_values
from data.simulator.truth import TruthWriter, join_traits
from data.simulator.unfinished import is_whole, put_in_place, rows_of_whole, taken_up


def simulate(
    directory: Path,
    *,
    settings: SimulationSettings,
    behaviour: Behaviour,
    config: Config,
    progress: Progress,
    jobs: int = 1,
    chunk_debtors: int = CHUNK,
) -> None:
    """Write a portfolio and its truth into a folder.

    Every debtor is decided on once in each cycle of the world (14 days; 7 in `overlap`), the last time at least one
    cycle before the portfolio ends, so that at its end everybody is due again. Output depends on `settings`, `config`,
    `behaviour` and `chunk_debtors` alone.

    Each table is one file, or with more than one chunk of debtors a file for each, laid out as `data.shards` says.
    A run that was interrupted left its chunks in `.unfinished/`; the next with the same settings, configuration and
    class of behaviour keeps those that are whole, which the file `whole.json`, the last of each, says.

    Parameters
    ----------
    directory
        Made if missing; tables of an earlier simulation in it are replaced at the end, all of them.
    jobs
        Processes that let chunks live, at least 1; the output is the same for any number. With more than one,
        `behaviour` and `config` are pickled.
    chunk_debtors
        Debtors simulated together, which bounds the memory of a process.

    Raises
    ------
    BadSettings
        `jobs` or `chunk_debtors` is below 1.
    UnknownChannel
        The configuration has a channel that no world knows.
    """
    for name, value in (("jobs", jobs), ("chunk_debtors", chunk_debtors)):
        if value < 1:
            raise BadSettings(f"{name}: expected at least 1, came {value}")
    run = _description(settings, behaviour, config=config, chunk_debtors=chunk_debtors)
    folder = taken_up(directory, run=run)
    firsts = range(0, settings.debtors, chunk_debtors)
    tasks = [
        Task(
            folder,
            index=index,
            first=first,
            size=min(chunk_debtors, settings.debtors - first),
            shard=index if len(firsts) > 1 else None,
            settings=settings,
            behaviour=behaviour,
            config=config,
        )
        for index, first in enumerate(firsts)
    ]
    _live_all(tasks, jobs=jobs, progress=progress)
    _write_truth(tasks, progress=progress)
    progress("writing", 1.0)
    put_in_place(directory, world=_world(tasks))


def _description(
    settings: SimulationSettings, behaviour: Behaviour, *, config: Config, chunk_debtors: int
) -> dict[str, object]:
    """What must be the same for an interrupted run to be taken up."""
    kind = type(behaviour)
    return {
        "settings": settings_values(settings),
        "configuration": config.fingerprint,
        "behaviour": f"{kind.__module__}.{kind.__qualname__}",
        "chunk_debtors": chunk_debtors,
    }


def _world(tasks: Sequence[Task]) -> WorldFile:
    """What stands on disk once all chunks have lived."""
    settings = tasks[0].settings
    rows = tuple(rows_of_whole(task.folder, task.index) for task in tasks)
    return WorldFile(settings, settings.until_us, continued=0, rows=rows)


def _live_all(tasks: Sequence[Task], *, jobs: int, progress: Progress) -> None:
    """Let every chunk live that is not whole yet."""
    left = [task for task in tasks if not is_whole(task.folder, task.index)]
    if min(jobs, len(left)) > 1:
        _live_in_processes(left, of=len(tasks), jobs=jobs, progress=progress)
        return
    for done, task in enumerate(left, start=len(tasks) - len(left)):
        live(task, partial(_show, progress, done, len(tasks)))


def _show(progress: Progress, done: int, of: int, share: float) -> None:
    progress("rounds", (done + share) / of)


def _live_in_processes(tasks: Sequence[Task], *, of: int, jobs: int, progress: Progress) -> None:
    """Let chunks live in processes of their own; the first mistake stops those that have not begun."""
    # Not forked: a fork copies the locks of threads (Arrow's, OpenMP's) that the child does not have.
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=get_context("spawn"), initializer=_end_with_parent)
    try:
        futures = [pool.submit(live, task, _unseen) for task in tasks]
        progress("rounds", (of - len(tasks)) / of)
        for done, future in enumerate(as_completed(futures), start=of - len(tasks) + 1):
            future.result()
            progress("rounds", done / of)
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Let this process end when the one that started it does, even if that was killed; called in the process itself."""
    Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _unseen(share: float) -> None:
    """Progress inside another process: nobody looks."""


def _write_truth(tasks: Sequence[Task], *, progress: Progress) -> None:
    """Everybody's traits, and the truth of actions from the chunks' kept states, in order, until it is enough."""
    settings, folder = tasks[0].settings, tasks[0].folder
    join_traits(folder, chunks=len(tasks))
    with TruthWriter(folder, behaviour=tasks[0].behaviour, settings=settings) as truth:
        for task in tasks:
            if not truth.left:
                break
            progress("truth", task.first / settings.debtors)
            chunk, _ = load_chunk(
                folder, task.index, world=_world(tasks), config=task.config, first_us=first_us_of(settings)
            )
            truth.add(chunk, rng=streams(settings.seed, task.first).truth)


__all__ = ["Progress", "simulate"]
