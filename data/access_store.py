"""Who may call the service, kept durably: keys of programs, managers, their sessions, and what was done about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from data.access_tables import access_events, keys, managers, open_access, sessions
from data.log_engine import writing

NAME = re.compile(r"[a-z0-9-]{1,64}")


class BadName(ValueError):
    """A name of ours has characters that such names may not have."""


class NameTaken(ValueError):
    """There is one already under this name."""


class UnknownName(LookupError):
    """There is none under this name."""


@dataclass(frozen=True)
class Key:
    """A program's key as it is kept; `creditors` None: all of the tenant's."""

    key_id: str
    digest: bytes
    tenant: str
    role: str
    name: str
    creditors: frozenset[str] | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class Manager:
    """Somebody who signs in with a password, which is kept as a slow hash."""

    user: str
    tenant: str
    password: str
    creditors: frozenset[str] | None
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True)
class Session:
    """A browser that has signed in; tokens are kept as digests."""

    digest: bytes
    user: str
    tenant: str
    csrf: bytes
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class AccessEvent:
    """Something that was done about access: what, to which key or user, when."""

    at: datetime
    event: str
    subject: str
    tenant: str | None = None


class AccessStore:
    """Keys, managers and sessions behind one data base; safe to share between threads and processes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writing = writing(engine)

    @staticmethod
    def open(place: Path | str) -> AccessStore:
        """The store in a root folder, a SQLite file or a PostgreSQL data base, its tables brought up to date.

        Raises
        ------
        data.migrating.UnknownLayout
            The tables are of a version that this program does not know.
        """
        return AccessStore(open_access(place))

    def close(self) -> None:
        """Closes every connection; the store may not be used afterwards."""
        self._engine.dispose()

    def add_key(self, key: Key) -> None:
        """Keeps a new key.

        Raises
        ------
        BadName
            Its tenant or name is none of ours.
        NameTaken
            There is a key with this identifier.
        """
        _must_be_name("tenant", key.tenant)
        _must_be_name("name of a key", key.name)
        event = AccessEvent(key.created_at, "key-issued", key.key_id, key.tenant)
        with self._adding(f"key {key.key_id}", event) as connection:
            connection.execute(sa.insert(keys).values(_columns(key)))

    def key(self, key_id: str) -> Key | None:
        """The key with an identifier, revoked and expired ones too."""
        found = self._first(sa.select(keys).where(keys.c.key_id == key_id))
        return None if found is None else Key(**_fields(found))

    def all_keys(self, tenant: str | None = None) -> tuple[Key, ...]:
        """All keys, or a tenant's, oldest first."""
        query = sa.select(keys).order_by(keys.c.created_at, keys.c.key_id)
        with self._engine.begin() as connection:
            rows = connection.execute(query if tenant is None else query.where(keys.c.tenant == tenant)).mappings()
            return tuple(Key(**_fields(row)) for row in rows)

    def revoke_key(self, key_id: str, *, at: datetime) -> None:
        """Ends a key at once; one that is revoked already stays as it is."""
        with self._changing_key(key_id, event="key-revoked", at=at) as connection:
            mine = (keys.c.key_id == key_id) & keys.c.revoked_at.is_(None)
            connection.execute(sa.update(keys).where(mine).values(revoked_at=at))

    def end_key(self, key_id: str, *, expires_at: datetime, at: datetime) -> None:
        """Lets a key run out at a moment, or earlier where it does so anyway."""
        with self._changing_key(key_id, event="key-ending", at=at) as connection:
            later = keys.c.expires_at.is_(None) | (keys.c.expires_at > expires_at)
            mine = (keys.c.key_id == key_id) & later
            connection.execute(sa.update(keys).where(mine).values(expires_at=expires_at))

    def add_manager(self, manager: Manager) -> None:
        """Keeps a new manager.

        Raises
        ------
        BadName
            The user or tenant is no name of ours.
        NameTaken
            There is one of this name, in whichever tenant: people sign in without naming it.
        """
        _must_be_name("user", manager.user)
        _must_be_name("tenant", manager.tenant)
        event = AccessEvent(manager.created_at, "manager-added", manager.user, manager.tenant)
        with self._adding(f"manager {manager.user}", event) as connection:
            connection.execute(sa.insert(managers).values(_columns(manager)))

    def manager(self, user: str) -> Manager | None:
        """The manager of a name, disabled ones too; None for what could be no name."""
        if NAME.fullmatch(user) is None:  # PostgreSQL takes no text with a NUL in it
            return None
        found = self._first(sa.select(managers).where(managers.c.user == user))
        return None if found is None else Manager(**_fields(found))

    def managers(self) -> tuple[Manager, ...]:
        """All managers, by name."""
        with self._engine.begin() as connection:
            rows = connection.execute(sa.select(managers).order_by(managers.c.user)).mappings()
            return tuple(Manager(**_fields(row)) for row in rows)

    def change_password(self, user: str, password: str, *, at: datetime) -> None:
        """Puts a new password's hash in the place of the old one, and ends the manager's sessions.

        Raises
        ------
        UnknownName
            There is no such manager.
        """
        with self._changing_manager(user, event="password-changed", at=at) as connection:
            connection.execute(sa.update(managers).where(managers.c.user == user).values(password=password))

    def disable_manager(self, user: str, *, at: datetime) -> None:
        """Ends a manager's access: no more signing in, and no session is left.

        Raises
        ------
        UnknownName
            There is no such manager.
        """
        with self._changing_manager(user, event="manager-disabled", at=at) as connection:
            mine = (managers.c.user == user) & managers.c.disabled_at.is_(None)
            connection.execute(sa.update(managers).where(mine).values(disabled_at=at))

    def add_session(self, session: Session, *, event: AccessEvent) -> None:
        """Keeps a session and forgets those that have run out."""
        with self._writing.begin() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.expires_at <= session.created_at))
            connection.execute(sa.insert(sessions).values(asdict(session)))
            _note(connection, event)

    def session(self, digest: bytes) -> tuple[Session, Manager] | None:
        """The session under a token's digest, and who signed in; None where there is none or they were disabled."""
        query = sa.select(sessions).where(sessions.c.digest == digest)
        with self._engine.begin() as connection:
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            mine = (managers.c.user == row["user"]) & managers.c.disabled_at.is_(None)
            manager = connection.execute(sa.select(managers).where(mine)).mappings().first()
        return None if manager is None else (Session(**dict(row)), Manager(**_fields(manager)))

    def end_session(self, digest: bytes, *, event: AccessEvent) -> None:
        """Forgets a session; one that is not there is no mistake."""
        with self._writing.begin() as connection:
            if connection.execute(sa.delete(sessions).where(sessions.c.digest == digest)).rowcount:
                _note(connection, event)

    def note(self, event: AccessEvent) -> None:
        """Adds to what was done about access."""
        with self._writing.begin() as connection:
            _note(connection, event)

    def events(self) -> tuple[AccessEvent, ...]:
        """Everything that was done about access, in its order."""
        columns = (access_events.c.at, access_events.c.event, access_events.c.subject, access_events.c.tenant)
        with self._engine.begin() as connection:
            rows = connection.execute(sa.select(*columns).order_by(access_events.c.sequence))
            return tuple(AccessEvent(*row) for row in rows)

    def _first(self, query: sa.Select[Any]) -> sa.RowMapping | None:
        with self._engine.begin() as connection:
            return connection.execute(query).mappings().first()

    @contextmanager
    def _adding(self, what: str, event: AccessEvent) -> Iterator[sa.Connection]:
        """A transaction that adds something and says so."""
        try:
            with self._writing.begin() as connection:
                yield connection
                _note(connection, event)
        except IntegrityError as error:
            raise NameTaken(f"expected a name that is free, {what} is there already: choose another") from error

    @contextmanager
    def _changing_key(self, key_id: str, *, event: str, at: datetime) -> Iterator[sa.Connection]:
        """A transaction that changes a key and says so."""
        with self._writing.begin() as connection:
            tenant = connection.scalar(sa.select(keys.c.tenant).where(keys.c.key_id == key_id))
            if tenant is None:
                raise UnknownName(f"expected the identifier of a key, found no '{key_id}': see `rettid keys list`")
            yield connection
            _note(connection, AccessEvent(at, event, key_id, tenant))

    @contextmanager
    def _changing_manager(self, user: str, *, event: str, at: datetime) -> Iterator[sa.Connection]:
        """A transaction that changes a manager, ends their sessions and says so."""
        with self._writing.begin() as connection:
            tenant = connection.scalar(sa.select(managers.c.tenant).where(managers.c.user == user))
            if tenant is None:
                raise UnknownName(f"expected a manager that was added, found no '{user}': see `rettid managers list`")
            yield connection
            connection.execute(sa.delete(sessions).where(sessions.c.user == user))
            _note(connection, AccessEvent(at, event, user, tenant))


def _must_be_name(what: str, name: str) -> None:
    if NAME.fullmatch(name) is None:
        raise BadName(f"expected as {what} 1 to 64 of a-z, 0-9 and -, came {name!r}: choose such a name")


def _columns(kept: Key | Manager) -> dict[str, object]:
    return {**asdict(kept), "creditors": None if kept.creditors is None else sorted(kept.creditors)}


def _fields(row: sa.RowMapping) -> dict[str, Any]:
    return {**row, "creditors": _creditors(row["creditors"])}


def _creditors(stored: Iterable[str] | None) -> frozenset[str] | None:
    return None if stored is None else frozenset(stored)


def _note(connection: sa.Connection, event: AccessEvent) -> None:
    connection.execute(sa.insert(access_events).values(asdict(event)))
