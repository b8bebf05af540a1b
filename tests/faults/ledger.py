"""What writers were told, and what the log holds: nothing acknowledged may be missing, double or half there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import sqlalchemy as sa

from data.decision_log import CONFIRMED, ONLINE, DecisionLog
from data.decision_log_tables import answers, decision_rows, decision_steps
from data.event_log import all_events
from data.log_place import LogPlace
from data.log_proof import verify
from serving.settings import ServiceSettings
from serving.tenants import MAIN


@dataclass
class Ledger:
    """What one writer was told; `unknown` are decisions asked without a key whose answer never came, by debtor."""

    events: dict[str, str] = field(default_factory=dict)
    decisions: dict[str, tuple[str, int]] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)
    unknown: Counter[str] = field(default_factory=Counter)

    def join(self, other: Ledger) -> None:
        """Takes over what another writer was told."""
        self.events |= other.events
        self.decisions |= other.decisions
        self.confirmed |= other.confirmed
        self.unknown += other.unknown

    @property
    def acknowledged(self) -> int:
        """Writes that were acknowledged."""
        return len(self.events) + len(self.decisions) + len(self.confirmed)


@dataclass(frozen=True)
class Stored:
    """What the log holds."""

    events: list[tuple[str, str]]
    paid: dict[str, Decimal]
    rows: Counter[str]
    debtor_of: dict[str, str]
    answers: list[str]
    confirmed: Counter[str]
    faults: tuple[str, ...]


def stored_in(settings: ServiceSettings) -> Stored:
    """All of the log, its chain worked out again and, in SQLite, its file looked through."""
    return stored_in_place(LogPlace(settings.workspace, settings.database, MAIN))


def stored_in_place(place: LogPlace) -> Stored:
    """The same of the log of any tenant."""
    log = place.open()
    try:
        with log.walking() as connection:
            return _stored(connection, {row["decision_id"]: row["debtor_id"] for row in _decided(log)})
    finally:
        log.close()


def _decided(log: DecisionLog) -> list[dict[str, str]]:
    found: list[dict[str, str]] = log.decisions().select(["decision_id", "debtor_id"]).to_pylist()
    return found


def _stored(connection: sa.Connection, debtor_of: dict[str, str]) -> Stored:
    received = all_events(connection)
    paid: dict[str, Decimal] = {}
    for one in received:
        if one.table == "payments":
            name = str(one.row["debtor_id"])
            paid[name] = paid.get(name, Decimal(0)) + Decimal(str(one.row["amount"]))
    online = sa.select(decision_rows.c.answer_id).where(decision_rows.c.source == ONLINE)
    steps = sa.select(decision_steps.c.decision_id).where(decision_steps.c.step == CONFIRMED)
    return Stored(
        [(one.event_id, str(one.row.get("debtor_id", ""))) for one in received],
        paid,
        Counter(connection.scalars(online)),
        debtor_of,
        [*connection.scalars(sa.select(answers.c.answer_id))],
        Counter(connection.scalars(steps)),
        tuple(_faults(connection)),
    )


def _faults(connection: sa.Connection) -> Iterable[str]:
    broken = verify(connection)
    if broken is not None:
        yield f"the chain is broken: {broken}"
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        if found != "ok":
            yield f"integrity_check says {found}"


def compared(ledger: Ledger, stored: Stored) -> tuple[str, ...]:
    """What is lost, double or half there."""
    names = [name for name, _ in stored.events]
    wrong = [*stored.faults]
    wrong += [f"event {one} is lost" for one in ledger.events.keys() - set(names)]
    wrong += [f"event {one} is there {times} times" for one, times in Counter(names).items() if times > 1]
    wrong += [
        f"decision {one} has {stored.rows[one]} rows, {claims} were told"
        for one, (_, claims) in ledger.decisions.items()
        if stored.rows[one] != claims
    ]
    wrong += [f"decision {one} has rows or an answer, not both" for one in stored.rows.keys() ^ set(stored.answers)]
    wrong += [f"leave for {one} is lost" for one in ledger.confirmed if not stored.confirmed[one]]
    extra = Counter(stored.debtor_of[one] for one in stored.rows.keys() - ledger.decisions.keys())
    wrong += [
        f"{one} has {extra[one]} decisions nobody was told of, {ledger.unknown[one]} answers were lost"
        for one in extra
        if extra[one] > ledger.unknown[one]
    ]
    return tuple(wrong)
