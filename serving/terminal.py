"""What the command line shows: progress bars, tables, mistakes in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from data.progress import Progress


@contextmanager
def bar(console: Console) -> Iterator[Progress]:
    """A progress bar for each thing that is done; gives the function that moves it."""
    columns = (TextColumn("{task.description:<40}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=False) as shown:
        tasks: dict[str, TaskID] = {}

        def move(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=1.0)
            shown.update(tasks[what], completed=share)

        yield move
        for task in tasks.values():
            shown.update(task, completed=1.0)


def show_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, width: int) -> None:
    """A table at least so many characters wide, however narrow the terminal."""
    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    Console(width=max(Console().width, width)).print(table)


def show_lines(*lines: str) -> None:
    """Lines on standard output, as they are."""
    Console().print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def show_notices(notices: Iterable[str]) -> None:
    """What somebody should know, a line each, on the stream for mistakes."""
    for notice in notices:
        Console(stderr=True).print(notice, markup=False, highlight=False, soft_wrap=True)


def told(error: Exception) -> str:
    """What a mistake says; with the file's name where the operating system found it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, FileNotFoundError):
        return f"no such file: {error}"
    return str(error.args[0] if error.args else error)
