"""What the command line shows of features: every column with its meaning."""

from __future__ import annotations

from features.catalogue import catalogue
from serving.terminal import show_table

HEAD = ("feature", "what it means", "unit", "group", "side", "from", "window", "missing means")


def show_features(channels: tuple[str, ...]) -> None:
    """Shows every feature for the channels of a grid, `none` first."""
    every = catalogue(channels)
    rows = ((one.name, one.meaning, one.unit, one.group, one.side, one.tables, one.window, one.null) for one in every)
    show_table(HEAD, rows, width=200)
