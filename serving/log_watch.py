"""Figures that the logs themselves hold: how the last batch spread over the channels, whether the newest links hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from data.batch_mix import batch_mix, last_batch
from data.log_proof import Anchor, Broken
from data.newest_links import newest
from serving.telemetry.telemetry import Telemetry
from serving.tenants import Tenant


class LogWatch:
    """Looks into the logs of all tenants and tells of them together: figures know no tenant."""

    def __init__(self, tenants: Sequence[Tenant], telemetry: Telemetry) -> None:
        self._tenants = tenants
        self._telemetry = telemetry
        self._mixes: dict[str, tuple[str, dict[str, int]]] = {}
        self._seen: dict[str, Anchor] = {}
        self._broken: set[str] = set()

    def tell_mix(self) -> None:
        """Debtors by channel in the last batches; a batch is looked at once, and told of again only beside another."""
        before = dict(self._mixes)
        for tenant in self._tenants:
            self._look_at_batch(tenant)
        if self._mixes != before:
            # a channel that is not chosen any more must fall to 0, not stay
            total = Counter({name: 0 for one in self._tenants for name in one.service.config.grid.channels})
            for _, mix in self._mixes.values():
                total.update(mix)
            self._telemetry.batch_mix(total)

    def _look_at_batch(self, tenant: Tenant) -> None:
        with tenant.service.log.reading() as connection:
            batch_id = last_batch(connection)
            if batch_id is not None and self._mixes.get(tenant.name, ("", {}))[0] != batch_id:
                self._mixes[tenant.name] = (batch_id, batch_mix(connection, batch_id))

    def tell_chain(self) -> None:
        """Whether the newest links of every log hold. One that was broken is told as such until the service is started again.

        Only `rettid log verify` walks through all links.
        """
        for tenant in self._tenants:
            with tenant.service.log.reading() as connection:
                found = newest(connection, seen=self._seen.get(tenant.name))
            if isinstance(found, Broken):
                self._broken.add(tenant.name)
            elif found is not None:
                self._seen[tenant.name] = found
        self._telemetry.chain(ok=not self._broken)
