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
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from data.config import Config, read_config
from data.log_place import log_place
from data.simulator.settings import UNTIL, SimulationSettings
from data.simulator.worlds import WORLDS
from data.times import read_moment, to_us
from features.run import FeatureOrder, write_features
from models.bundle import Role
from models.simulated import make_or_play
from serving.access.commands import keys, managers
from serving.features_told import show_features
from serving.log_commands import log
from serving.rules_commands import rules
from serving.terminal import bar, show_table, told
from training.frame_commands import frame
from training.training_frame import write_training_frame

app = typer.Typer(help="Whether, how and when to contact a debtor next, and what that was worth.", no_args_is_help=True)
for name, commands in (("frame", frame), ("rules", rules), ("keys", keys), ("managers", managers), ("log", log)):
    app.add_typer(commands, name=name)

out = Console()
err = Console(stderr=True)

Folder = Annotated[Path, typer.Argument(help="The portfolio's folder.", metavar="DIR")]
AsOf = Annotated[str, typer.Option("--as-of", help="Moment with its zone, such as 2026-03-02T05:00Z.")]
Pages = Annotated[Path | None, typer.Option("--out", help="Folder for the page; default: the workspace's reports.")]
Usable = Annotated[Path | None, typer.Option("--set-aside", help="Folder for the usable rows, and the others apart.")]
Portfolio = Annotated[Path | None, typer.Option("--portfolio", help="Default: that of the last decisions.")]
Workspace = Annotated[Path, typer.Option("--workspace", help="Folder for everything that is written.", metavar="DIR")]
Force = Annotated[str | None, typer.Option("--force", help="Why it is to decide although the gate refuses; kept.")]
Models = Annotated[list[str] | None, typer.Option("--model", help="chain (default) or more of README's list.")]
Languages = Annotated[list[str] | None, typer.Option("--language", help="en (default), sv, nb, da or all.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of every random draw.")]


@app.callback()
def _global(context: typer.Context, workspace: Workspace = Path(".rettid")) -> None:
    context.obj = workspace


def _say(what: str) -> None:
    err.print(f"[dim]· {what}[/dim]")


def _tell(*lines: str) -> None:
    """Lines on standard output, as they are."""
    out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _config(context: typer.Context, directory: Path | None = None) -> Config:
    return read_config(*([directory] if directory else []), context.obj)


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
    days: Annotated[int | None, typer.Option("--continue", help="Play decisions for so many days instead.")] = None,
    decisions: Annotated[Path | None, typer.Option("--decisions", help="What `rettid decide` wrote, to play.")] = None,
) -> None:
    """Make a portfolio with known truth, or play decisions forward in one. It is simulated, never real."""
    config, end = _config(context, directory), read_moment(until)
    settings = SimulationSettings(debtors, months, seed, world=world, truth=truth, claims=claims, until=end)
    with bar(err) as move:
        said = make_or_play(
            directory, settings, days=days, decisions=decisions, config=config, progress=move, jobs=jobs
        )
    out.print(said)


@app.command()
def check(context: typer.Context, directory: Folder, pages: Pages = None, usable: Usable = None) -> None:
    """Check a portfolio against the contract and tell its quality; exit code 1 if the contract is broken."""
    from training.reports.quality import check_quality  # noqa: PLC0415 # its charts take seconds to load

    config, place = _config(context, directory), pages or context.obj / "reports"
    result = check_quality(directory, place, config=config, usable=usable, progress=_say)
    _tell(*result.lines())
    raise typer.Exit(0 if result.ok else 1)


@app.command()
def layout(
    directory: Folder,
    out_folder: Annotated[Path, typer.Argument(help="Folder to write; it must not be there.", metavar="OUT")],
    shards: Annotated[int | None, typer.Option("--shards", min=1, help="Default: one per 50,000 debtors.")] = None,
) -> None:
    """Lay a large portfolio out by debtor, so that the other commands go through it shard by shard."""
    from data.layout import lay_out  # noqa: PLC0415 # the query engine is only needed here

    with bar(err) as move:
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
    config = _config(context, directory)
    if show:
        show_features(config.grid.channels)
        return
    if directory is None or as_of is None or file is None:
        raise typer.BadParameter("expected DIR, --as-of and --out, or --list")
    write = write_training_frame if training else write_features
    order = FeatureOrder(to_us(read_moment(as_of)), config, context.obj / "features")
    with bar(err) as move:
        done = write(directory, file, order=order, progress=move)
    what = "decisions on claims" if training else "open claims"
    out.print(f"{file}: {done.rows:,} {what} of {done.debtors:,} debtors, {done.features} features")


@app.command()
def train(
    context: typer.Context,
    directory: Folder,
    as_of: AsOf,
    models: Models = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting of the model: key=value.")] = None,
    seed: Seed = 1,
) -> None:
    """Learn from all decisions that were mature at a moment, judge on the later part, write a bundle."""
    # MLflow and scikit-learn take seconds to load: only commands that train wait for them.
    from training.fit import parse_settings  # noqa: PLC0415 # see above
    from training.material_of import material_of  # noqa: PLC0415 # see above
    from training.train import Order, train  # noqa: PLC0415 # see above

    chosen = models or ["chain"]
    orders = [Order(name, parse_settings(name, settings or []), str(directory)) for name in chosen]
    config, when = _config(context, directory), read_moment(as_of)
    material = material_of(directory, context.obj, as_of=when, config=config, seed=seed, progress=_say)
    for order in orders:
        _tell(*train(material, order, workspace=context.obj, progress=_say).lines())


@app.command()
def tune(
    context: typer.Context,
    directory: Folder,
    as_of: AsOf,
    model: Annotated[str, typer.Option("--model", help="What to tune.")] = "chain",
    trials: Annotated[int, typer.Option("--trials", min=1, help="Finished trials, earlier calls' included.")] = 50,
    timeout: Annotated[float | None, typer.Option("--timeout", help="Seconds after which no trial begins.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that try settings at the same time.")] = 1,
    seed: Seed = 1,
) -> None:
    """Search for better settings of a model, later decisions judging; train the best. Called again, it goes on."""
    from training.material_of import material_of  # noqa: PLC0415 # scikit-learn takes seconds to load
    from training.search_space import search_space  # noqa: PLC0415 # its libraries are only needed here
    from training.tune import Search, tune  # noqa: PLC0415 # as above

    search_space(model)
    search = Search(model, trials=trials, timeout_s=timeout, jobs=jobs, source=str(directory))
    config, when = _config(context, directory), read_moment(as_of)
    material = material_of(directory, context.obj, as_of=when, config=config, seed=seed, progress=_say)
    with bar(err) as move:
        found = tune(material, search, workspace=context.obj, progress=move)
    _tell(*found.lines())


@app.command()
def compare(context: typer.Context) -> None:
    """Show all runs side by side, by estimated policy value, with 95 % intervals of the difference to the first.

    Marked `best`: the lowest log loss among those that the log does not show to be worse than the first.
    """
    from training.compare import HEAD, compare  # noqa: PLC0415 # MLflow takes seconds to load

    show_table(HEAD, (line.cells() for line in compare(context.obj)), width=170)


@app.command()
def promote(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="Run id, its first digits, its model's name, or `best`.", metavar="RUN")],
    challenger: Annotated[bool, typer.Option("--challenger", help="Make it the challenger instead.")] = False,
    force: Force = None,
) -> None:
    """Make a run the champion, which decides from now on, or the challenger; exit code 1 where the gate refuses it."""
    from training.compare import promote  # noqa: PLC0415 # MLflow takes seconds to load

    role: Role = "challenger" if challenger else "champion"
    _tell(*promote(context.obj, run, role=role, force=force).lines())


@app.command()
def decide(
    context: typer.Context,
    directory: Folder,
    as_of: AsOf,
    file: Annotated[Path | None, typer.Option("--out", help="Parquet file to write.", metavar="FILE")] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="The champion for all, without arms or experiment.")] = False,
    plan: Annotated[Path | None, typer.Option("--what-if", help="Settings to compare with today's.")] = None,
) -> None:
    """Decide for every open claim: contact or not, through which channel, when."""
    from serving.nightly import run_nightly  # noqa: PLC0415 # the decision log's library is only needed here

    config, when, place = _config(context, directory), read_moment(as_of), context.obj
    if plan is not None and file is None:
        _tell(*_what_if(directory, plan, when, context.obj, config))
    elif plan is None and file is not None:
        with bar(err) as move:
            done = run_nightly(
                directory, as_of=when, out=file, workspace=place, config=config, greedy=greedy, progress=move,
                log_place=log_place(place, os.environ),
            )  # fmt: skip
        _tell(*done.lines())
    else:
        raise typer.BadParameter("expected --out FILE for decisions, or --what-if FILE for a comparison")


def _what_if(directory: Path, plan: Path, when: datetime, place: Path, config: Config) -> list[str]:
    from serving.what_if import what_if  # noqa: PLC0415 # only needed here
    from training.reports.what_if_page import write_what_if  # noqa: PLC0415 # its charts take seconds to load

    with bar(err) as move:
        where = log_place(place, os.environ)
        found = what_if(directory, plan, as_of=when, workspace=place, config=config, progress=move, log_place=where)
    return write_what_if(found, place / "reports").lines()


@app.command()
def overlap(context: typer.Context, directory: Folder, as_of: AsOf, pages: Pages = None, seed: Seed = 1) -> None:
    """Say what the log can answer: who decided how, where channels overlap, which questions it cannot answer."""
    from training.reports.overlap import report_overlap  # noqa: PLC0415 # scikit-learn and charts take seconds to load

    config, place, when = _config(context, directory), pages or context.obj / "reports", to_us(read_moment(as_of))
    _tell(*report_overlap(directory, place, as_of_us=when, config=config, seed=seed, progress=_say).lines())


@app.command()
def replay(
    context: typer.Context,
    directory: Folder,
    pages: Pages = None,
    seed: Seed = 1,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Moment, its zone; default: latest fact.")] = None,
    languages: Languages = None,
) -> None:
    """Look at an old log of contacts: what was done, what it can say, what could be gained, the test that settles it."""
    from training.replay.run import ReplayOrder, write_replay  # noqa: PLC0415 # scikit-learn takes seconds to load
    from training.reports.site.files import Order  # noqa: PLC0415 # its charts take seconds to load

    config, place = _config(context, directory), pages or context.obj / "reports"
    when = None if as_of is None else to_us(read_moment(as_of))
    order = ReplayOrder(when, seed, Order.of(languages or ["en"], now=datetime.now(UTC), by="replay"))
    with bar(err) as move:
        done = write_replay(directory, place, order=order, config=config, progress=move)
    _tell(*done.lines())


@app.command()
def frontier(
    context: typer.Context,
    directory: Folder,
    as_of: AsOf,
    run: Annotated[str, typer.Option("--model", help="Run whose recipe decides, or `champion`.")] = "champion",
    pages: Pages = None,
) -> None:
    """Say how many contacts could be left out at equal recovery, from past decisions drawn at random."""
    from training.reports.frontier import FrontierOrder, write_frontier  # noqa: PLC0415 # charts take seconds to load

    order, config = FrontierOrder(to_us(read_moment(as_of)), model=run), _config(context, directory)
    place, workspace = pages or context.obj / "reports", context.obj
    _tell(*write_frontier(directory, place, order=order, workspace=workspace, config=config, progress=_say).lines())


@app.command()
def config(
    context: typer.Context,
    directory: Annotated[Path | None, typer.Argument(help="A portfolio's folder.", metavar="DIR")] = None,
) -> None:
    """Show the configuration in force."""
    found = _config(context, directory)
    out.print_json(json.dumps({**found.as_dict(), "fingerprint": found.fingerprint}))


@app.command()
def plan(
    context: typer.Context,
    directory: Folder,
    gain: Annotated[float, typer.Option("--gain", help="Per cent of recovered money that is worth knowing of.")] = 3.0,
    control: Annotated[float | None, typer.Option("--control", help="Its share; default: as configured.")] = None,
    power: Annotated[float, typer.Option("--power", help="Chance that such a gain shows.")] = 0.8,
    pages: Pages = None,
    languages: Languages = None,
) -> None:
    """Say how many weeks an experiment takes to show a gain, by what the portfolio's debtors paid in its last weeks."""
    from training.reports.plan import write_plan  # noqa: PLC0415 # its charts take seconds to load
    from training.reports.plan_figures import plan_of  # noqa: PLC0415 # as above
    from training.reports.site.files import Order  # noqa: PLC0415 # as above

    config, place = _config(context, directory), pages or context.obj / "reports"
    asked = plan_of(config.arms, gain=gain / 100, control=control, power=power)
    order = Order.of(languages or ["en"], now=datetime.now(UTC), by="plan")
    with bar(err) as move:
        done = write_plan(
            directory, place, plan=asked, order=order, config=config, workspace=context.obj, progress=move
        )
    _tell(*done.lines())


@app.command()
def report(
    context: typer.Context,
    directory: Annotated[Path, typer.Option("--out", help="Folder for the pages.", metavar="DIR")],
    portfolio: Portfolio = None,
    languages: Languages = None,
    pdf: Annotated[
        Literal["none", "first", "every"],
        typer.Option("--pdf", help="Of which pages: none; of all creditors and each one's first; every."),
    ] = "first",
) -> None:
    """Write the report of what was decided and what came of it: about all creditors, and about each one."""
    from training.reports.site.files import Order  # noqa: PLC0415 # its charts take seconds to load
    from training.reports.write import report as write  # noqa: PLC0415 # as above

    order = Order.of(languages or ["en"], now=datetime.now(UTC), pdf=pdf)
    place = log_place(context.obj, os.environ)
    with bar(err) as move:
        done = write(context.obj, directory, order=order, portfolio=portfolio, log_place=place, progress=move)
    _tell(*done.lines())


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option("--workers", help="Processes.")] = 1,
    portfolio: Portfolio = None,
    tenants: Annotated[bool, typer.Option("--tenants", help="Each folder in the workspace is a tenant's.")] = False,
) -> None:
    """Answer for the next best action over HTTP; PostgreSQL and other settings come from RETTID_... variables."""
    from serving.run import serve as run  # noqa: PLC0415 # the web framework is only needed here
    from serving.settings import settings_from  # noqa: PLC0415 # as above

    run(settings_from(os.environ, context.obj, portfolio, host=host, port=port, workers=workers, tenants=tenants))


@app.command()
def demo(context: typer.Context) -> None:
    """Play the whole chain on a simulated portfolio, from tables to a decision over HTTP and a report."""
    from serving.demo import play_demo  # noqa: PLC0415 # only needed here

    _tell(*play_demo(context.obj, program=(sys.executable, __file__), console=err))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a mistake in the input ends with its message and exit code 1."""
    try:
        app(arguments)
    except (ValueError, LookupError, OSError) as error:
        err.print(f"rettid: {told(error)}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
