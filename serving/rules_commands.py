"""The commands that tell of contact rules: `rettid rules ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.config import Config, read_config
from data.times import read_moment
from serving.rules_told import RulesHome, explain_rules, faults_of_rules, show_rules
from serving.terminal import show_lines

rules = typer.Typer(help="Contact rules: each country's pack, its faults, what holds a debtor.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The portfolio's folder.", metavar="DIR")]
Debtor = Annotated[str, typer.Argument(help="The debtor's identifier.", metavar="DEBTOR")]
AsOf = Annotated[str, typer.Option("--as-of", help="Moment with its zone, such as 2026-03-02T05:00Z.")]
Packs = Annotated[Path | None, typer.Argument(help="Packs; default: the shipped and the workspace's own.")]
Country = Annotated[str | None, typer.Argument(help="Such as NO; default: all, in short.")]


@rules.command("show")
def rules_show(context: typer.Context, country: Country = None) -> None:
    """Show a country's rule packs for a compliance reader, or all in short: hours, caps, waits, status, source."""
    show_lines(*show_rules(country, RulesHome(context.obj, _config(context))))


@rules.command("check")
def rules_check(context: typer.Context, folder: Packs = None) -> None:
    """Check rule packs, tell every fault; exit code 1 if there is one."""
    found = faults_of_rules(folder, RulesHome(context.obj, _config(context)))
    show_lines(*(found or ["no fault"]))
    raise typer.Exit(1 if found else 0)


@rules.command("explain")
def rules_explain(context: typer.Context, directory: Folder, debtor: Debtor, as_of: AsOf) -> None:
    """Say what the rules leave of a debtor's claims and channels at a moment, and which rule holds the rest."""
    home = RulesHome(context.obj, _config(context, directory))
    show_lines(*explain_rules(directory, debtor, as_of=read_moment(as_of), home=home))


def _config(context: typer.Context, *folders: Path) -> Config:
    return read_config(*folders, context.obj)
