"""Where a tenant's decision log is: a file in the workspace, or a schema of a PostgreSQL data base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data.decision_log import FILE_NAME, DecisionLog

MAIN = "main"
"""Name of the tenant where there is but one."""


@dataclass(frozen=True)
class LogPlace:
    """The place of one tenant's log: in the workspace, unless a data base is named.

    >>> LogPlace(Path("work"), database="postgresql+psycopg://host/rettid", tenant="north-1").schema
    'tenant_north_1'
    """

    workspace: Path
    database: str | None = None
    tenant: str = MAIN

    @property
    def schema(self) -> str:
        """The tenant's schema in the data base."""
        return f"tenant_{self.tenant.replace('-', '_')}"

    @property
    def exists(self) -> bool:
        """Whether a log has been written there; a data base is taken to hold one."""
        return self.database is not None or (self.workspace / FILE_NAME).is_file()

    def open(self) -> DecisionLog:
        """The log; raises as `DecisionLog.open`."""
        if self.database is None:
            return DecisionLog.open(self.workspace)
        return DecisionLog.open(self.database, schema=self.schema)


def secret(environment: Mapping[str, str], name: str) -> str | None:
    """A variable, or what stands in the file that the variable with `_FILE` names; None where there is neither."""
    path = environment.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip() or None
    return environment.get(name) or None


def log_place(workspace: Path, environment: Mapping[str, str]) -> LogPlace:
    """The log of a workspace, as `RETTID_DATABASE` (or `RETTID_DATABASE_FILE`) and `RETTID_TENANT` say."""
    tenant = environment.get("RETTID_TENANT") or MAIN
    return LogPlace(workspace, database=secret(environment, "RETTID_DATABASE"), tenant=tenant)
