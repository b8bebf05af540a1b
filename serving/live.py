"""Live state: what is known of each debtor, in memory, read anew once anything about the debtor has come."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

import sqlalchemy as sa

from data.log_marks import batches_begun, tables_received
from data.online_decisions import Decided, last_decided
from data.schemas import SCHEMAS
from data.versions import versions_of
from features.histories import histories_of
from features.joined import joined
from features.tables import Histories
from serving.base_portfolio import BasePortfolio
from serving.state import Facts, facts_of, portfolio_of

OPTIONAL = tuple(name for name, schema in SCHEMAS.items() if not schema.required)

MOST = 20_000
"""Debtors kept in memory; the one that was asked about longest ago makes room."""


@dataclass(frozen=True)
class Live:
    """One debtor as it stood in one transaction: its rows, the same as histories, and its last decision."""

    facts: Facts
    histories: Histories
    last: Decided | None

    @property
    def debtor_id(self) -> str:
        """The debtor."""
        return self.facts.debtor_id


class LiveState:
    """Debtors asked about before; safe to share between threads."""

    def __init__(self, base: BasePortfolio, *, channels: tuple[str, ...], most: int = MOST) -> None:
        self._base = base
        self._channels = channels
        self._most = most
        self._kept: OrderedDict[str, Live] = OrderedDict()
        self._begun = -1
        self._received: frozenset[str] | None = None
        self._lock = Lock()

    def of(self, connection: sa.Connection, debtor_ids: Sequence[str], *, at: datetime) -> dict[str, Live]:
        """Debtors as they stand in this transaction; `last` is the last decision up to the moment `at`."""
        versions = versions_of(connection, debtor_ids)
        known = self._known(connection, versions, at=at)
        return {one: known.get(one) or self._read(connection, one, at=at) for one in debtor_ids}

    def decided(self, live: Live, last: Decided, *, version: int) -> None:
        """Keeps a debtor for whom a decision was just written and nothing else has changed."""
        self._keep(replace(live, facts=replace(live.facts, version=version), last=last))

    def received(self, table: str) -> None:
        """Takes note that the log holds events of a table."""
        if self._received is not None and table not in self._received:
            self._received |= {table}

    @property
    def given(self) -> frozenset[str]:
        """Tables that the base portfolio has, or of which anything was received."""
        return self._base.given | (self._received or frozenset())

    def joined(self, lives: Sequence[Live], *, given: frozenset[str] | None = None) -> Histories:
        """Histories of several debtors, as those of one portfolio.

        Which tables are missing is what the tenant had never handed over (`given`; None: by now), and not who is asked
        about together.
        """
        found, given = joined([one.histories for one in lives]), self.given if given is None else given
        return replace(found, missing=tuple(name for name in OPTIONAL if name not in given))

    def histories(self, facts: Facts) -> Histories:
        """Histories of one debtor."""
        return histories_of(portfolio_of([facts], given=self.given), channels=self._channels)

    def _known(self, connection: sa.Connection, versions: dict[str, int], *, at: datetime) -> dict[str, Live]:
        """Debtors kept in memory of whom nothing has come since."""
        if self._received is None:
            self._received = tables_received(connection)
        begun = batches_begun(connection, at=at)
        with self._lock:
            if begun != self._begun:  # a night decides for everybody at once
                self._kept.clear()
                self._begun = begun
            found = {one: self._kept[one] for one in versions if one in self._kept}
            return {name: one for name, one in found.items() if one.facts.version == versions[name]}

    def _read(self, connection: sa.Connection, debtor_id: str, *, at: datetime) -> Live:
        facts = facts_of(connection, self._base, debtor_id)
        for name, table in facts.tables.items():
            if table.num_rows:
                self.received(name)
        live = Live(facts, self.histories(facts), last_decided(connection, debtor_id, at=at))
        if facts.known:
            self._keep(live)
        return live

    def _keep(self, live: Live) -> None:
        with self._lock:
            self._kept[live.debtor_id] = live
            self._kept.move_to_end(live.debtor_id)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
