"""Who calls: a tenant's program or manager, with a role, and which creditors they may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["collection_system", "data_scientist", "manager", "operations", "data_protection"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Caller:
    """Somebody whose key or session was verified.

    Parameters
    ----------
    tenant
        Whose decisions, models and reports the call is about; no other tenant's are within reach.
    key_id
        Identifier of the key, or `session-` and eight digits for a browser: fit for logs, of no use to a thief.
    creditors
        Those that may be seen; None for all of the tenant's.
    """

    tenant: str
    role: str
    key_id: str
    creditors: frozenset[str] | None = None


ANYONE = Caller(tenant="", role="anyone", key_id="", creditors=frozenset())
"""The caller of what is open to anyone: of no tenant, and seeing nothing."""


def sees(caller: Caller, creditor_ids: Iterable[str]) -> bool:
    """Whether all of what concerns these creditors may be shown to a caller.

    What concerns no creditor that is known is shown only to those who see all.

    >>> one = Caller("north", "manager", "0a1b2c3d", frozenset({"k-energy"}))
    >>> sees(one, ["k-energy"]), sees(one, ["k-energy", "k-phone"]), sees(one, [])
    (True, False, False)
    """
    if caller.creditors is None:
        return True
    wanted = frozenset(creditor_ids)
    return bool(wanted) and wanted <= caller.creditors
