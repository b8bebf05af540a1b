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


def simulated_portfolio(directory: Path, *, debtors: int) -> Portfolio:
    """Eight months of debtors under the incumbent, half of the decisions drawn at random."""
    past = IncumbentWithRandomSlice(GRID, PACKS, control=CONFIG.control, random_share=0.5)
    settings = SimulationSettings(debtors=debtors, months=8, seed=3, truth=0)
    simulate(directory, settings=settings, behaviour=past, config=CONFIG, progress=lambda what, share: None)
    return read_portfolio(directory)


def gathered(portfolio: Portfolio) -> Material:
    """Rows, split and judged decisions of a portfolio."""
    return gather(portfolio, as_of_us=to_us(UNTIL), config=CONFIG, packs=PACKS, seed=1, progress=lambda what: None)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Portfolio:
    """400 debtors."""
    return simulated_portfolio(tmp_path_factory.mktemp("portfolio"), debtors=400)


@pytest.fixture(scope="session")
def material(simulated: Portfolio) -> Material:
    """What is learnt from of that portfolio."""
    return gathered(simulated)


@pytest.fixture(scope="session")
def large_material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """What is learnt from of 1,100 debtors: enough drawn decisions in each channel and part of the day for a tree."""
    return gathered(simulated_portfolio(tmp_path_factory.mktemp("large"), debtors=1_100))
