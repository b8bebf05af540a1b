"""`simulate`: a portfolio from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from data.config import Config
from data.simulator.behaviour import Behaviour
from data.simulator.contacts import decide
from data.simulator.names import contact_numbers, debtor_names
from data.simulator.rounds import Log, change_habits, play
from data.simulator.settings import CHUNK, SimulationSettings
from data.simulator.state import Chunk, born
from data.simulator.store import WorldFile, save_chunk, stacked, write_tables
from data.simulator.tables import LOGGED, log_tables, state_tables
from data.simulator.truth import TruthWriter
from data.times import DAY_US, IntArray

Progress = Callable[[str, float], None]
"""Called with a label and the share that is done."""

NO_NAMES = pa.array([], pa.string())


def simulate(
    directory: Path, *, settings: SimulationSettings, behaviour: Behaviour, config: Config, progress: Progress
) -> None:
    """Write a portfolio and its truth into a folder.

    Every debtor is decided on once in each cycle of the world (14 days; 7 in `overlap`), the last time at least one
    cycle before the portfolio ends, so that at its end everybody is due again. Output depends on `settings`, `config`
    and `behaviour` alone.

    Parameters
    ----------
    directory
        Made if missing; tables of an earlier simulation in it are overwritten.

    Raises
    ------
    UnknownChannel
        The configuration has a channel that no world knows.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tables: list[dict[str, pa.Table]] = []
    rows = dict.fromkeys(LOGGED, 0)
    starts = range(0, settings.debtors, CHUNK)
    with TruthWriter(directory, behaviour=behaviour, settings=settings) as truth:
        for index, first in enumerate(starts):
            size = min(CHUNK, settings.debtors - first)
            chunk, log, rng = _lived(
                first, size, settings=settings, behaviour=behaviour, config=config, progress=progress
            )
            progress("truth", first / settings.debtors)
            truth.add(chunk, rng=rng)
            logged = log_tables(chunk, log, given=NO_NAMES, rows_before=rows)
            rows = {name: rows[name] + logged[name].num_rows for name in LOGGED}
            tables.append(state_tables(chunk, settings.until_us) | logged)
            save_chunk(directory, index, chunk=chunk, given=NO_NAMES)
    progress("writing", 1.0)
    together = stacked(tables, tables[0])
    write_tables(directory, together, logged=together, now_us=settings.until_us)
    WorldFile(settings, settings.until_us, continued=0, chunks=len(starts), rows=rows).write(directory)


def _lived(
    first: int, size: int, *, settings: SimulationSettings, behaviour: Behaviour, config: Config, progress: Progress
) -> tuple[Chunk, Log, np.random.Generator]:
    """A chunk that has lived through the whole portfolio, and what happened."""
    birth, life, choice, after = (
        np.random.default_rng(one) for one in np.random.SeedSequence([settings.seed, first]).spawn(4)
    )
    chunk = born(first, size, settings=settings, config=config, rng=birth)
    log = Log()
    ids = debtor_names(chunk.people.number).to_numpy(zero_copy_only=False)
    half_us = (settings.start_us + settings.until_us) // 2
    moments = list(_moments(chunk, settings))
    start = moments[0] - chunk.world.cycle_days * DAY_US
    play(chunk, log, decided=None, start_us=start, end_us=moments[0], rng=life)
    for number, (at_us, next_us) in enumerate(pairwise(moments)):
        progress("rounds", (first + size * number / len(moments)) / settings.debtors)
        change_habits(chunk, at_us, from_us=half_us)
        numbers = contact_numbers(chunk.people, number + 1)
        decided = decide(chunk, at_us, behaviour=behaviour, numbers=numbers, debtor_ids=ids, rng=choice)
        play(chunk, log, decided=decided, start_us=at_us, end_us=next_us, rng=life)
    return chunk, log, after


def _moments(chunk: Chunk, settings: SimulationSettings) -> Iterator[IntArray]:
    """Instants of decision of each debtor, (n,) per round, and at last the end of the portfolio."""
    cycle_us = chunk.world.cycle_days * DAY_US
    rounds = max((settings.until_us - settings.start_us) // cycle_us - 1, 1)
    for left in range(rounds, 0, -1):
        yield settings.until_us - left * cycle_us - chunk.people.phase_days * DAY_US
    yield np.full(chunk.people.size, settings.until_us)


__all__ = ["NO_NAMES", "Progress", "simulate"]
