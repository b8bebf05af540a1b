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
    """One debtor as it stood in one transaction: its rows, the same as histories, and its last decision.

    `begun` is the number of nights that had begun by then.
    """

    facts: Facts
    histories: Histories
    last: Decided | None
    begun: int = 0

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
        self._given = base.given
        self._lock = Lock()

    def of(self, connection: sa.Connection, debtor_ids: Sequence[str], *, at: datetime) -> dict[str, Live]:
        """Debtors as they stand in this transaction; `last` is the last decision up to the moment `at`."""
        versions, begun = versions_of(connection, debtor_ids), batches_begun(connection, at=at)
        self._look_for_tables(connection)
        known = self._known(versions, begun)
        return {one: known.get(one) or self._read(connection, one, at=at, begun=begun) for one in debtor_ids}

    def decided(self, live: Live, last: Decided, *, version: int) -> None:
        """Keeps a debtor for whom a decision was just written and nothing else has changed."""
        self._keep(replace(live, facts=replace(live.facts, version=version), last=last))

    @property
    def given(self) -> frozenset[str]:
        """Tables that the base portfolio has, or of which anything was received."""
        return self._given

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

    def _look_for_tables(self, connection: sa.Connection) -> None:
        """Takes note of tables that were received since: every worker must know of them at once."""
        absent = [name for name in OPTIONAL if name not in self._given]
        if absent:
            self._given |= tables_received(connection, among=absent)

    def _known(self, versions: dict[str, int], begun: int) -> dict[str, Live]:
        """Debtors kept in memory of whom nothing has come since; a night decides for everybody at once."""
        with self._lock:
            found = {one: self._kept[one] for one in versions if one in self._kept}
        return {name: one for name, one in found.items() if one.facts.version == versions[name] and one.begun == begun}

    def _read(self, connection: sa.Connection, debtor_id: str, *, at: datetime, begun: int) -> Live:
        facts = facts_of(connection, self._base, debtor_id)
        live = Live(facts, self.histories(facts), last_decided(connection, debtor_id, at=at), begun)
        if facts.known:
            self._keep(live)
        else:
            self._forget(debtor_id)
        return live

    def _forget(self, debtor_id: str) -> None:
        with self._lock:
            self._kept.pop(debtor_id, None)

    def _keep(self, live: Live) -> None:
        with self._lock:
            self._kept[live.debtor_id] = live
            self._kept.move_to_end(live.debtor_id)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
