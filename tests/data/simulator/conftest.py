"""One small portfolio per world, simulated once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from data.config import Config
from data.simulator.settings import SimulationSettings
from data.simulator.simulate import simulate
from tests.simulator_fakes import Fake

Simulated = Callable[[str], Path]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Folder of a world's portfolio: 600 debtors, 9 months."""

    @cache
    def of(world: str) -> Path:
        directory = tmp_path_factory.mktemp(world)
        settings = SimulationSettings(debtors=600, months=9, seed=5, world=world, truth=400)
        simulate(
            directory, settings=settings, behaviour=Fake(Config()), config=Config(), progress=lambda label, done: None
        )
        return directory

    return of
