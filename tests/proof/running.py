"""A proof from the command line: batch after batch, gone on with where it stood, one rule taken away if asked."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import track

from models.rules import mask as rules
from models.rules.rule import Barred
from tests.proof.judge import ORDER
from tests.proof.tally import Tally, kept, show

Judged = Callable[[int, int, int], Tally]
"""What comes of a batch, by seed, number and size."""


@dataclass(frozen=True)
class Usual:
    """What a proof is called, and what holds where nothing else is asked; `size_name` is the option for a batch's size."""

    title: str
    batches: int
    size: int
    size_name: str


@contextmanager
def without(name: str | None) -> Iterator[None]:
    """The rules with one that bars nothing any more, as if somebody had deleted what its function says."""
    whole = rules.RULES
    if name is not None:
        rules.RULES = tuple(replace(one, bars=_nothing) if one.name == name else one for one in whole)
    try:
        yield
    finally:
        rules.RULES = whole


def _nothing(_: object) -> Barred:
    return Barred()


def run(judged: Judged, usual: Usual, *, about: str | None) -> None:
    """Prove, print, and end with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batches", type=int, default=usual.batches)
    parser.add_argument(usual.size_name, type=int, default=usual.size, dest="size")
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--sabotage", choices=ORDER)
    given = parser.parse_args()
    begin = time.perf_counter()
    tally = _proved(judged, given)
    show(tally, title=usual.title, seconds=time.perf_counter() - begin)
    sys.exit(1 if tally.wrong else 0)


def _proved(judged: Judged, given: argparse.Namespace) -> Tally:
    """All batches together; those that `--kept` already holds are not made again."""
    head = {"seed": given.seed, "size": given.size, "sabotage": given.sabotage}
    done, whole = kept(given.kept, **head), Tally()
    with without(given.sabotage):
        for number in track(range(given.batches), description="batches", disable=not sys.stderr.isatty()):
            one = done.get(number) or judged(given.seed, number, given.size)
            if given.kept is not None and number not in done:
                with given.kept.open("a", encoding="utf-8") as lines:
                    lines.write(one.as_line(batch=number, **head) + "\n")
            whole.join(one)
    return whole
