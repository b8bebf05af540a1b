"""The commands that look after the decision log: `rettid log ...`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from data.decision_log import DecisionLog
from data.log_place import MAIN, log_place
from data.log_proof import last_links, verify
from data.online_decisions import last_answered
from serving.again import Repeater
from serving.settings import settings_from
from serving.tenants import opened_service
from serving.terminal import bar, show_lines, show_table

log = typer.Typer(help="The decision log: whether it is whole, and decisions taken again.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", help="Whose log; its folder is the workspace.")]
Most = Annotated[int, typer.Option("--most", help="How many, newest first.")]
Portfolio = Annotated[Path | None, typer.Option("--portfolio", help="Default: that of the last night.")]
Kept = Annotated[
    list[str] | None, typer.Option("--kept", help="NUMBER:DIGEST of a link noted earlier; may be repeated.")
]


class BadAnchor(ValueError):
    """A link noted earlier is not of the form that `rettid log verify` shows."""


@log.command("verify")
def log_verify(context: typer.Context, tenant: Tenant = MAIN, kept: Kept = None) -> None:
    """Check every link of the log's chain against its rows; exit code 1 where one does not hold."""
    noted = dict(_anchor(one) for one in kept or ())
    with _opened(context, tenant) as opened, opened.walking() as connection:
        broken = verify(connection, kept=noted)
        days = last_links(connection)
    if broken is not None:
        show_lines(f"broken: {broken}", "stop the service, keep a copy of the log, and see docs/runbook.md")
        raise typer.Exit(1)
    head = ("day", "last link", "digest: note it elsewhere")
    show_table(head, [(day.isoformat(), str(one.number), one.digest) for day, one in sorted(days.items())], width=110)
    show_lines("the log is whole")


@log.command("again")
def log_again(context: typer.Context, most: Most = 10_000, tenant: Tenant = MAIN, portfolio: Portfolio = None) -> None:
    """Take the service's last decisions again as they were taken; exit code 1 where one comes out otherwise."""
    settings = settings_from(os.environ, context.obj, portfolio, host="", port=0, workers=1, tenants=False)
    service = opened_service(tenant, replace(settings, warm_up=False), now)
    found: Counter[str] = Counter()
    try:
        with service.log.reading() as connection:
            ids = last_answered(connection, most=most)
        with bar(Console(stderr=True)) as progress:
            for number, one in enumerate(Repeater(service, settings.workspace).again(ids), 1):
                found["same" if one.same else one.impossible or f"differs in {', '.join(one.differs)}"] += 1
                progress("taking decisions again", number / len(ids))
    finally:
        service.log.close()
    show_lines(*(f"{count:,} {what}" for what, count in found.most_common()))
    raise typer.Exit(0 if set(found) <= {"same"} else 1)


@contextmanager
def _opened(context: typer.Context, tenant: str) -> Iterator[DecisionLog]:
    opened = replace(log_place(context.obj, os.environ), tenant=tenant).open()
    try:
        yield opened
    finally:
        opened.close()


def _anchor(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not number.isdecimal() or not digest:
        raise BadAnchor(f"--kept {text[:80]!r}: expected NUMBER:DIGEST, as `rettid log verify` showed it")
    return int(number), digest


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)
