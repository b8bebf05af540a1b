"""What models learn from, out of a portfolio's folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from data.config import Config
from data.portfolio import read_portfolio
from data.progress import Say
from data.times import to_us
from models.rules.packs_kept import packs_of
from training.material import Material, gather


def material_of(
    directory: Path, workspace: Path, *, as_of: datetime, config: Config, seed: int, progress: Say
) -> Material:
    """Reads the portfolio and the packs of its rules, the workspace's own before the shipped ones, and gathers.

    Raises
    ------
    BadPortfolio
        The portfolio breaks the contract.
    NoTrainingRows, TooShort
        The log holds too little.
    """
    portfolio = read_portfolio(directory, channels=config.grid.channels)
    packs = packs_of(workspace, channels=config.grid.channels[1:], on=as_of.astimezone(UTC).date(), keep=False).packs
    return gather(portfolio, as_of_us=to_us(as_of), config=config, packs=packs, seed=seed, progress=progress)
