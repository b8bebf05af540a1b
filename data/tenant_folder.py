"""Folders: the tenant's file in it, and whether what is in it was simulated."""

from __future__ import annotations

import shutil
from pathlib import Path

FILE_NAME = "rettid.toml"
SIMULATED = "SIMULATED"
"""File that marks a portfolio made from a simulated one."""


def is_simulated(folder: Path) -> bool:
    """True for a folder that a simulation was written to, or that was made from such a one."""
    return (folder / "truth" / "world.json").is_file() or (folder / SIMULATED).is_file()


def carry_tenant(source: Path, out: Path) -> None:
    """Give a portfolio made from another what holds for that one: its configuration, and that it is simulated."""
    if (source / FILE_NAME).is_file():
        shutil.copy(source / FILE_NAME, out / FILE_NAME)
    if is_simulated(source):
        (out / SIMULATED).write_text("The data here are simulated, never real.\n", encoding="utf-8")
