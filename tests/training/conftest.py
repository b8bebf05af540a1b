"""One small simulated portfolio, and what a recipe learns from on it, made once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.portfolio import Portfolio, read_portfolio
from data.simulator.settings import UNTIL, SimulationSettings
from data.simulator.simulate import simulate
from data.times import to_us
from models.behaviour import IncumbentWithRandomSlice
from tests.deciding import GRID, PACKS
from tests.portfolios import CONFIG
from training.train import Material, gather


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Portfolio:
    """Eight months of 400 debtors under the incumbent, half of the decisions drawn at random."""
    directory: Path = tmp_path_factory.mktemp("portfolio")
    past = IncumbentWithRandomSlice(GRID, PACKS, control=CONFIG.control, random_share=0.5)
    settings = SimulationSettings(debtors=400, months=8, seed=3, truth=0)
    simulate(directory, settings=settings, behaviour=past, config=CONFIG, progress=lambda what, share: None)
    return read_portfolio(directory)


@pytest.fixture(scope="session")
def material(simulated: Portfolio) -> Material:
    """Rows, split and judged decisions of that portfolio."""
    return gather(simulated, as_of_us=to_us(UNTIL), config=CONFIG, packs=PACKS, seed=1, progress=lambda what: None)
