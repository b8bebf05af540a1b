"""The command line `rettid`: each command parses, calls one function and shows one result."""

from __future__ import annotations

import os

# Read by GNU OpenMP and MLflow when they load: without the first, a fit on a busy machine takes several times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from data.config import Config, read_config
from data.portfolio import read_portfolio
from data.simulator.continuation import continue_simulation, read_decisions
from data.simulator.settings import UNTIL, SimulationSettings
from data.simulator.simulate import simulate as simulate_portfolio
from data.simulator.worlds import WORLDS
from data.times import read_moment, to_us
from features.catalogue import catalogue
from features.run import FeatureOrder, write_features
from models.behaviour import IncumbentWithRandomSlice
from models.bundle import Role
from models.rules.pack import read_packs
from training.training_frame import write_training_frame

if TYPE_CHECKING:
    from training.frames import Result

app = typer.Typer(help="Whether, how and when to contact a debtor next, and what that was worth.", no_args_is_help=True)
frame = typer.Typer(help="Learn from and judge any log of decisions (a decision log frame).", no_args_is_help=True)
app.add_typer(frame, name="frame")

out = Console()
err = Console(stderr=True)

Folder = Annotated[Path, typer.Argument(help="The portfolio's folder.", metavar="DIR")]
AsOf = Annotated[str, typer.Option("--as-of", help="Moment with its zone, such as 2026-03-02T05:00Z.")]
File = Annotated[Path, typer.Argument(help="The frame: Parquet or CSV.", metavar="FILE")]
Spec = Annotated[Path, typer.Option("--spec", help="TOML that maps the frame's columns.")]
ResultFile = Annotated[Path | None, typer.Option("--json", help="Also write the result to this file.")]
Pages = Annotated[Path | None, typer.Option("--out", help="Folder for the page; default: the workspace's reports.")]
Usable = Annotated[Path | None, typer.Option("--set-aside", help="Folder for the usable rows, and the others apart.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of every random draw.")]


@dataclass(frozen=True)
class Place:
    """Where this call of the program writes."""

    workspace: Path


@app.callback()
def _global(
    context: typer.Context,
    workspace: Annotated[
        Path, typer.Option("--workspace", help="Folder for everything that is written.", metavar="DIR")
    ] = Path(".rettid"),
) -> None:
    context.obj = Place(workspace)


@contextmanager
def _bar() -> Iterator[Callable[[str, float], None]]:
    """A progress bar on the terminal; gives the function that moves it (what is being done, share done)."""
    columns = (TextColumn("{task.description:<40}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=False) as progress:
        tasks: dict[str, TaskID] = {}

        def move(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=1.0)
            progress.update(tasks[what], completed=share)

        yield move
        for task in tasks.values():
            progress.update(task, completed=1.0)


def _say(what: str) -> None:
    err.print(f"[dim]· {what}[/dim]")


def _config(context: typer.Context, directory: Path | None = None) -> Config:
    return read_config(*([directory] if directory else []), context.obj.workspace)


@app.command()
def simulate(
    context: typer.Context,
    directory: Folder,
    debtors: Annotated[int, typer.Option("--debtors", help="How many debtors.")] = 5_000,
    months: Annotated[int, typer.Option("--months", help="Months of history.")] = 24,
    seed: Seed = 1,
    world: Annotated[str, typer.Option("--world", help=f"One of {', '.join(WORLDS)}.")] = "default",
    truth: Annotated[int, typer.Option("--truth", help="Debtors, at most, whose truth is written.")] = 50_000,
    claims: Annotated[float, typer.Option("--claims", help="Claims of a debtor in twelve months, mean.")] = 2.5,
    until: Annotated[str, typer.Option("--until", help="End of the history, with its zone.")] = UNTIL.isoformat(),
    jobs: Annotated[int, typer.Option("--jobs", help="Processes; the tables are the same for any number.")] = 1,
    days: Annotated[
        int | None, typer.Option("--continue", help="Play decisions forward for so many days instead.")
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option("--decisions", help="Decisions to play, as `rettid decide` writes them.")
    ] = None,
) -> None:
    """Make a portfolio with known truth, or play decisions forward in one. It is simulated, never real."""
    config = _config(context, directory)
    if (days is None) != (decisions is None):
        raise typer.BadParameter("--continue DAYS and --decisions FILE belong together: give both or neither")
    settings = SimulationSettings(
        debtors, months, seed, world=world, truth=truth, claims=claims, until=read_moment(until)
    )
    with _bar() as move:
        if days is not None and decisions is not None:
            continue_simulation(directory, days=days, decisions=read_decisions(decisions), config=config, progress=move)
        else:
            past = IncumbentWithRandomSlice.of(config)
            simulate_portfolio(directory, settings=settings, behaviour=past, config=config, progress=move, jobs=jobs)
    out.print(f"{directory}: " + ("played forward" if days else f"simulated, world {world}"))


@app.command()
def check(context: typer.Context, directory: Folder, pages: Pages = None, usable: Usable = None) -> None:
    """Check a portfolio against the contract and tell its quality; exit code 1 if the contract is broken."""
    from training.reports.quality import check_quality  # noqa: PLC0415 # its charts take seconds to load

    config, place = _config(context, directory), pages or context.obj.workspace / "reports"
    result = check_quality(directory, place, config=config, usable=usable, progress=_say)
    out.print("\n".join(result.lines()), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if result.ok else 1)


@app.command()
def layout(
    directory: Folder,
    out_folder: Annotated[Path, typer.Argument(help="Folder to write; it must not be there.", metavar="OUT")],
    shards: Annotated[
        int | None, typer.Option("--shards", min=1, help="How many; default one per 50,000 debtors.")
    ] = None,
) -> None:
    """Lay a large portfolio out by debtor, so that the other commands go through it shard by shard."""
    from data.layout import lay_out  # noqa: PLC0415 # the query engine is only needed here

    with _bar() as move:
        count = lay_out(directory, out_folder, shards=shards, progress=move)
    out.print(f"{out_folder}: {count} shards")


@app.command()
def features(
    context: typer.Context,
    directory: Annotated[Path | None, typer.Argument(help="The portfolio's folder.", metavar="DIR")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Moment with its zone.")] = None,
    file: Annotated[Path | None, typer.Option("--out", help="Parquet file to write.", metavar="FILE")] = None,
    training: Annotated[bool, typer.Option("--training", help="Of every mature decision, with what was paid.")] = False,
    show: Annotated[bool, typer.Option("--list", help="List every feature instead.")] = False,
) -> None:
    """Write the features of every open claim as they were knowable at a moment, or list them."""
    if show:
        _show_features(_config(context, directory))
        return
    if directory is None or as_of is None or file is None:
        raise typer.BadParameter("expected DIR, --as-of and --out, or --list")
    write = write_training_frame if training else write_features
    order = FeatureOrder(to_us(read_moment(as_of)), _config(context, directory), context.obj.workspace / "features")
    with _bar() as move:
        done = write(directory, file, order=order, progress=move)
    what = "decisions on claims" if training else "open claims"
    out.print(f"{file}: {done.rows:,} {what} of {done.debtors:,} debtors, {done.features} features")


def _show_features(config: Config) -> None:
    table = Table("feature", "what it means", "unit", "group", "side", "from", "window", "missing means")
    for one in catalogue(config.grid.channels):
        table.add_row(one.name, one.meaning, one.unit, one.group, one.side, one.tables, one.window, one.null)
    Console(width=max(out.width, 200)).print(table)


@app.command()
def train(
    context: typer.Context,
    directory: Folder,
    as_of: AsOf,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model", help="lightgbm (default), logistic, constant or incumbent; more than one is a run each."
        ),
    ] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting of the model: key=value.")] = None,
    seed: Seed = 1,
) -> None:
    """Learn from all decisions that were mature at a moment, judge on the later part, write a bundle."""
    # MLflow and scikit-learn take seconds to load: only commands that train wait for them.
    from training.fit import parse_settings  # noqa: PLC0415 # see above
    from training.train import Order, gather  # noqa: PLC0415 # see above
    from training.train import train as run  # noqa: PLC0415 # see above

    chosen = models or ["lightgbm"]
    orders = [Order(name, parse_settings(name, settings or []), str(directory)) for name in chosen]
    config = _config(context, directory)
    portfolio = read_portfolio(directory, channels=config.grid.channels)
    packs = read_packs(channels=config.grid.channels[1:])
    material = gather(
        portfolio, as_of_us=to_us(read_moment(as_of)), config=config, packs=packs, seed=seed, progress=_say
    )
    for order in orders:
        for line in run(material, order, workspace=context.obj.workspace, progress=_say).lines():
            out.print(line, markup=False, highlight=False, soft_wrap=True)


@app.command()
def compare(context: typer.Context) -> None:
    """Show all runs side by side, best first, with 95 % intervals.

    First those that the log cannot tell from the highest estimated policy value, by log loss; then those shown worse.
    """
    from training.compare import compare as lines  # noqa: PLC0415 # MLflow takes seconds to load

    table = Table(
        "", "run", "model", "as of", "EUR a decision", "95 % interval", "contacts", "AUC", "log loss", "calibr. error"
    )
    for line in lines(context.obj.workspace):
        mark = "champion" if line.champion else ""
        table.add_row(
            mark, line.run_id[:8], line.model, line.as_of, line.value, line.interval, line.contacts, line.auc,
            line.log_loss, line.calibration_error,
        )  # fmt: skip
    Console(width=max(out.width, 120)).print(table)


@app.command()
def promote(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="Run id, its first digits, its model's name, or `best`.", metavar="RUN")],
    challenger: Annotated[bool, typer.Option("--challenger", help="Make it the challenger instead.")] = False,
) -> None:
    """Make a run the champion: it decides from now on. Or the challenger, for the arm of that name."""
    from training.compare import promote as make  # noqa: PLC0415 # MLflow takes seconds to load

    role: Role = "challenger" if challenger else "champion"
    chosen = make(context.obj.workspace, run, role=role)
    out.print(f"{role}: {chosen.name}, run {chosen.run_id}", soft_wrap=True)


@app.command()
def decide(
    context: typer.Context,
    directory: Folder,
    as_of: AsOf,
    file: Annotated[Path, typer.Option("--out", help="Parquet file to write.", metavar="FILE")],
    greedy: Annotated[
        bool,
        typer.Option(
            "--greedy",
            help="Give every debtor to the champion, without arms and exploration: no experiment to report on.",
        ),
    ] = False,
) -> None:
    """Decide for every open claim: contact or not, through which channel, when."""
    from serving.nightly import run_nightly  # noqa: PLC0415 # the decision log's library is only needed here

    config = _config(context, directory)
    with _bar() as move:
        summary = run_nightly(
            directory,
            as_of=read_moment(as_of),
            out=file,
            workspace=context.obj.workspace,
            config=config,
            greedy=greedy,
            progress=move,
        )
    out.print("\n".join(summary.lines()), markup=False, highlight=False, soft_wrap=True)


@app.command()
def config(
    context: typer.Context,
    directory: Annotated[Path | None, typer.Argument(help="A portfolio's folder.", metavar="DIR")] = None,
) -> None:
    """Show the configuration in force."""
    found = _config(context, directory)
    out.print_json(json.dumps({**found.as_dict(), "fingerprint": found.fingerprint}))


def _show_result(result: Result, file: Path | None) -> None:
    if file is not None:
        file.write_text(json.dumps(result.as_dict(), indent=1, default=str), encoding="utf-8")
    out.print("\n".join(result.lines()), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(result.exit_code)


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


@app.command()
def report(
    context: typer.Context,
    directory: Annotated[Path, typer.Option("--out", help="Folder for the pages.", metavar="DIR")],
    portfolio: Annotated[
        Path | None, typer.Option("--portfolio", help="Where outcomes are; default: that of the last decisions.")
    ] = None,
) -> None:
    """Write the uplift report of what was decided and what came of it."""
    from training.reports.write import report as write  # noqa: PLC0415 # its charts take seconds to load

    files = write(context.obj.workspace, directory, portfolio=portfolio, progress=_say)
    told = filter(None, (files.verdict, str(files.html), str(files.pdf or ""), files.note))
    out.print("\n".join(told), markup=False, highlight=False, soft_wrap=True)


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option("--workers", help="Processes.")] = 1,
    portfolio: Annotated[
        Path | None, typer.Option("--portfolio", help="Facts to start from; default: that of the last decisions.")
    ] = None,
) -> None:
    """Answer for the next best action over HTTP."""
    from serving.run import serve as run  # noqa: PLC0415 # the web framework is only needed here
    from serving.settings import ServiceSettings  # noqa: PLC0415 # as above

    settings = ServiceSettings(context.obj.workspace, portfolio=portfolio, host=host, port=port, workers=workers)
    run(settings)


@app.command()
def demo(context: typer.Context) -> None:
    """Play the whole chain on a simulated portfolio, from tables to a decision over HTTP and a report."""
    from serving.demo import play_demo  # noqa: PLC0415 # only needed here

    for line in play_demo(context.obj.workspace, program=(sys.executable, __file__), console=err):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a mistake in the input ends with its message and exit code 1."""
    try:
        app(arguments)
    except (ValueError, LookupError, OSError) as error:
        err.print(f"rettid: {_told(error)}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


def _told(error: Exception) -> str:
    """What a mistake says; with the file's name where the operating system found it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, FileNotFoundError):
        return f"no such file: {error}"
    return str(error.args[0] if error.args else error)


if __name__ == "__main__":
    main()
