"""The life of one chunk of debtors, from nothing to its files on disk; chunks know nothing of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from data.config import Config
from data.schemas import write_table
from data.simulator.behaviour import Behaviour
from data.simulator.contacts import decide
from data.simulator.names import contact_numbers, debtor_names
from data.simulator.rounds import Log, change_habits, play
from data.simulator.settings import SimulationSettings
from data.simulator.state import Chunk, born
from data.simulator.store import save_chunk, save_table
from data.simulator.tables import LOGGED, log_tables, state_tables
from data.simulator.truth import traits, traits_file
from data.simulator.unfinished import mark_whole
from data.times import DAY_US, IntArray

NO_NAMES = pa.array([], pa.string())


@dataclass(frozen=True)
class Streams:
    """Random numbers of a chunk: for what is drawn at birth, in life, by the behaviour, and for the truth."""

    birth: np.random.Generator
    life: np.random.Generator
    choice: np.random.Generator
    truth: np.random.Generator


def streams(seed: int, first: int) -> Streams:
    """Random numbers of the chunk whose first debtor has the number `first`."""
    return Streams(*(np.random.default_rng(one) for one in np.random.SeedSequence([seed, first]).spawn(4)))


@dataclass(frozen=True)
class Task:
    """One chunk to be lived and written; another process must be able to take it, so all of it can be pickled.

    Attributes
    ----------
    folder
        Where its files go.
    index, first, size
        Number of the chunk, number of its first debtor, and how many debtors it has.
    shard
        Number that its files bear; None where its tables are single files.
    """

    folder: Path
    index: int
    first: int
    size: int
    shard: int | None
    settings: SimulationSettings
    behaviour: Behaviour
    config: Config


def live(task: Task, progress: Callable[[float], None]) -> None:
    """Let a chunk live through the whole portfolio, and write its tables, traits and state.

    Parameters
    ----------
    progress
        Called with the share of the chunk's rounds that is done.
    """
    until_us = task.settings.until_us
    chunk, log = _lived(task, progress)
    rows = {}
    for name, table in log_tables(chunk, log, given=NO_NAMES, index=task.index, rows_before=dict.fromkeys(LOGGED, 0)):
        rows[name] = table.num_rows
        save_table(task.folder, name, table, now_us=until_us, shard=task.shard)
        del table  # before the next is made
    for name, table in state_tables(chunk, until_us).items():
        save_table(task.folder, name, table, now_us=until_us, shard=task.shard)
    write_table(traits(chunk, until_us), traits_file(task.folder, task.index))
    save_chunk(task.folder, task.index, chunk=chunk, given=NO_NAMES)
    mark_whole(task.folder, task.index, rows=rows)


def _lived(task: Task, progress: Callable[[float], None]) -> tuple[Chunk, Log]:
    """A chunk that has lived through the whole portfolio, and what happened."""
    settings, drawn = task.settings, streams(task.settings.seed, task.first)
    chunk = born(task.first, task.size, settings=settings, config=task.config, rng=drawn.birth)
    log = Log()
    ids = debtor_names(chunk.people.number).to_numpy(zero_copy_only=False)
    half_us = (settings.start_us + settings.until_us) // 2
    moments = list(_moments(chunk, settings))
    start = moments[0] - chunk.world.cycle_days * DAY_US
    play(chunk, log, decided=None, start_us=start, end_us=moments[0], rng=drawn.life)
    for number, (at_us, next_us) in enumerate(pairwise(moments)):
        progress(number / len(moments))
        change_habits(chunk, at_us, from_us=half_us)
        numbers = contact_numbers(chunk.people, number + 1)
        decided = decide(chunk, at_us, behaviour=task.behaviour, numbers=numbers, debtor_ids=ids, rng=drawn.choice)
        play(chunk, log, decided=decided, start_us=at_us, end_us=next_us, rng=drawn.life)
    return chunk, log


def _moments(chunk: Chunk, settings: SimulationSettings) -> Iterator[IntArray]:
    """Instants of decision of each debtor, (n,) per round, and at last the end of the portfolio."""
    cycle_us = chunk.world.cycle_days * DAY_US
    rounds = max((settings.until_us - settings.start_us) // cycle_us - 1, 1)
    for left in range(rounds, 0, -1):
        yield settings.until_us - left * cycle_us - chunk.people.phase_days * DAY_US
    yield np.full(chunk.people.size, settings.until_us)
