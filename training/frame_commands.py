"""The commands that learn from and judge a log from anywhere: `rettid frame ...`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from training.frames import Result

frame = typer.Typer(help="Learn from and judge any log of decisions (a decision log frame).", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The frame: Parquet or CSV.", metavar="FILE")]
Spec = Annotated[Path, typer.Option("--spec", help="TOML that maps the frame's columns.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of every random draw.")]
ResultFile = Annotated[Path | None, typer.Option("--json", help="Also write the result to this file.")]


@frame.command("check")
def frame_check(file: File, spec: Spec, seed: Seed = 1, result: ResultFile = None) -> None:
    """Check a decision log frame and say what is in it."""
    from training.frames import run_check  # noqa: PLC0415 # scikit-learn takes seconds to load

    _show_result(run_check(file, spec, seed=seed), result)


@frame.command("learn")
def frame_learn(file: File, spec: Spec, seed: Seed = 1, result: ResultFile = None) -> None:
    """Learn the reward from context and action, judge it in random folds and later in time, look for leakage."""
    from training.frames import run_learn  # noqa: PLC0415 # scikit-learn takes seconds to load

    _show_result(run_learn(file, spec, seed=seed), result)


@frame.command("evaluate")
def frame_evaluate(file: File, spec: Spec, seed: Seed = 1, result: ResultFile = None) -> None:
    """Estimate what actions and policies are worth, with intervals, or say why the log cannot tell."""
    from training.frames import run_evaluate  # noqa: PLC0415 # scikit-learn takes seconds to load

    _show_result(run_evaluate(file, spec, seed=seed), result)


def _show_result(result: Result, file: Path | None) -> None:
    if file is not None:
        file.write_text(json.dumps(result.as_dict(), indent=1, default=str), encoding="utf-8")
    Console().print("\n".join(result.lines()), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(result.exit_code)
