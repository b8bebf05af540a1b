"""A simulated portfolio: made with the tenant's present rules as its past, or decisions played forward in it."""

from __future__ import annotations

from pathlib import Path

from data.config import Config
from data.progress import Progress
from data.simulator.continuation import continue_simulation, read_decisions
from data.simulator.settings import SimulationSettings
from data.simulator.simulate import simulate
from models.behaviour import IncumbentWithRandomSlice


class HalfAnOrder(ValueError):
    """Days to play were given without decisions, or decisions without days."""


def make_or_play(
    directory: Path,
    settings: SimulationSettings,
    *,
    days: int | None,
    decisions: Path | None,
    config: Config,
    progress: Progress,
    jobs: int,
) -> str:
    """Makes a portfolio with known truth or, given both days and decisions, plays these forward in one; says which.

    Raises
    ------
    HalfAnOrder
        Only one of days and decisions is given.
    BadDecisions
        The decisions cannot be played from where the portfolio stands.
    """
    if days is None and decisions is None:
        past = IncumbentWithRandomSlice.of(config)
        simulate(directory, settings=settings, behaviour=past, config=config, progress=progress, jobs=jobs)
        return f"{directory}: simulated, world {settings.world}"
    if days is None or decisions is None:
        raise HalfAnOrder("--continue DAYS and --decisions FILE belong together: give both or neither")
    continue_simulation(directory, days=days, decisions=read_decisions(decisions), config=config, progress=progress)
    return f"{directory}: played forward"
