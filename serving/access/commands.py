"""The commands that give and take access: `rettid keys ...` and `rettid managers ...`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from data.access_store import AccessStore, Key, Manager
from data.log_place import secret
from serving.access.caller import ROLES
from serving.access.keys import KeyOrder, is_good, issue_key, rotate_key
from serving.access.passwords import hash_password
from serving.terminal import show_table

keys = typer.Typer(help="Keys of the programs that call the service.", no_args_is_help=True)
managers = typer.Typer(help="Managers, who sign in to the reports with a password.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", help="Whose decisions and reports it is for.")]
Role = Annotated[str, typer.Option("--role", help=f"One of {', '.join(ROLES)}.")]
Name = Annotated[str, typer.Option("--name", help="What it is called in lists: a-z, 0-9 and -.")]
Days = Annotated[int | None, typer.Option("--days", help="Days until it runs out; default: it does not.")]
Creditors = Annotated[list[str] | None, typer.Option("--creditor", help="Sees only this one; may be repeated.")]
Hours = Annotated[float, typer.Option("--hours", min=0.0, help="How long the old key goes on.")]
KeyId = Annotated[str, typer.Argument(help="The key's identifier, eight digits.", metavar="KEY")]
User = Annotated[str, typer.Argument(help="The manager's name at sign-in.", metavar="USER")]
Store = Annotated[
    str | None,
    typer.Option(
        "--store", help="PostgreSQL URL; default: RETTID_ACCESS, RETTID_DATABASE, access.db in the workspace."
    ),
]


@keys.command("add")
def keys_add(
    context: typer.Context,
    tenant: Tenant,
    role: Role,
    name: Name,
    days: Days = None,
    creditor: Creditors = None,
    store: Store = None,
) -> None:
    """Issue a key and show it, once: only its digest is kept."""
    order = KeyOrder(tenant, role, name, days, frozenset(creditor) if creditor else None)
    with _opened(context, store) as opened:
        secret, _key = issue_key(opened, order, now=_now())
    _show_secret(secret)


@keys.command("list")
def keys_list(context: typer.Context, store: Store = None) -> None:
    """List all keys: whose, for what, until when; never the keys themselves."""
    with _opened(context, store) as opened:
        now = _now()
        head = ("key", "tenant", "role", "name", "creditors", "issued", "runs out", "state")
        show_table(head, [_key_cells(key, now) for key in opened.all_keys()], width=130)


@keys.command("rotate")
def keys_rotate(context: typer.Context, key: KeyId, hours: Hours = 24.0, store: Store = None) -> None:
    """Issue a key in another's place and show it, once; the old one runs out after the overlap."""
    with _opened(context, store) as opened:
        secret, _key = rotate_key(opened, key, overlap=timedelta(hours=hours), now=_now())
    _show_secret(secret)


@keys.command("revoke")
def keys_revoke(context: typer.Context, key: KeyId, store: Store = None) -> None:
    """End a key; within a second no worker takes it any more."""
    with _opened(context, store) as opened:
        opened.revoke_key(key, at=_now())
    _tell(f"{key}: revoked")


@managers.command("add")
def managers_add(
    context: typer.Context, user: User, tenant: Tenant, creditor: Creditors = None, store: Store = None
) -> None:
    """Add a manager; the password, 12 characters or more, is asked for, or read from standard input."""
    kept, creditors = hash_password(_password()), frozenset(creditor) if creditor else None
    with _opened(context, store) as opened:
        opened.add_manager(Manager(user, tenant, kept, creditors, _now()))
    _tell(f"{user}: added")


@managers.command("password")
def managers_password(context: typer.Context, user: User, store: Store = None) -> None:
    """Change a manager's password, asked for as by `add`; their sessions end."""
    kept = hash_password(_password())
    with _opened(context, store) as opened:
        opened.change_password(user, kept, at=_now())
    _tell(f"{user}: password changed")


@managers.command("list")
def managers_list(context: typer.Context, store: Store = None) -> None:
    """List all managers: whose, which creditors they see, since when."""
    with _opened(context, store) as opened:
        head = ("user", "tenant", "creditors", "added", "state")
        show_table(head, [_manager_cells(one) for one in opened.managers()], width=100)


@managers.command("disable")
def managers_disable(context: typer.Context, user: User, store: Store = None) -> None:
    """End a manager's access and sessions; within a second no worker takes them any more."""
    with _opened(context, store) as opened:
        opened.disable_manager(user, at=_now())
    _tell(f"{user}: disabled")


@contextmanager
def _opened(context: typer.Context, store: str | None) -> Iterator[AccessStore]:
    """The store at the URL, else the one that `rettid serve` takes."""
    named = store or secret(os.environ, "RETTID_ACCESS") or secret(os.environ, "RETTID_DATABASE")
    workspace: Path = context.obj
    opened = AccessStore.open(named or workspace)
    try:
        yield opened
    finally:
        opened.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _password() -> str:
    """Typed twice at a terminal, unseen; else the first line of standard input."""
    if sys.stdin.isatty():
        typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")


def _key_cells(key: Key, now: datetime) -> tuple[str, ...]:
    state = "revoked" if key.revoked_at is not None else "good" if is_good(key, now) else "run out"
    known = (key.key_id, key.tenant, key.role, key.name, _all_or(key.creditors))
    return (*known, _minute(key.created_at), _minute(key.expires_at), state)


def _manager_cells(one: Manager) -> tuple[str, ...]:
    state = "good" if one.disabled_at is None else "disabled"
    return one.user, one.tenant, _all_or(one.creditors), _minute(one.created_at), state


def _all_or(creditors: frozenset[str] | None) -> str:
    return "all" if creditors is None else ", ".join(sorted(creditors))


def _minute(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M}Z"


def _show_secret(secret: str) -> None:
    """The key alone on standard output, so that it can be piped to where it is kept."""
    Console(stderr=True).print("Shown once: only its digest is kept.")
    _tell(secret)


def _tell(line: str) -> None:
    Console().print(line, markup=False, highlight=False, soft_wrap=True)
