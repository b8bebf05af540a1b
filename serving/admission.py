"""Who calls, and for which tenant: asked before anything of a request is read."""

from __future__ import annotations

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from serving.access.access import Access
from serving.access.admit import admit, admit_cached, charge
from serving.access.caller import Caller
from serving.access.matrix import entry_of
from serving.access.refusals import NotAdmitted, unauthenticated
from serving.telemetry.telemetry import Telemetry
from serving.tenants import Tenant


async def admitted(request: Request, *, path: str) -> None:
    """Lets a request through to the route of a path template, or refuses it.

    Raises
    ------
    serving.access.refusals.NotAdmitted
        Without a good key or session, not for this role, too often, or for a tenant that is not served here.
    """
    access: Access = request.app.state.access
    now = access.clock()
    try:
        caller = admit_cached(request, method=request.method, path=path, access=access, now=now)
        if caller is None:
            caller = await run_in_threadpool(admit, request, method=request.method, path=path, access=access, now=now)
        if caller.tenant and caller.tenant not in request.app.state.tenants:
            raise unauthenticated()
    except NotAdmitted as refused:
        _count(request, refused, path)
        raise
    request.state.caller = caller
    if caller.tenant:
        request.state.tenant, request.state.key_id = caller.tenant, caller.key_id


def caller_of(request: Request) -> Caller:
    """Whoever was let through."""
    caller: Caller = request.state.caller
    return caller


def tenant_of(request: Request) -> Tenant:
    """The tenant that the caller belongs to."""
    tenants: dict[str, Tenant] = request.app.state.tenants
    return tenants[caller_of(request).tenant]


def charge_entries(request: Request, count: int) -> None:
    """Counts the entries of a batch against the caller's limits, the call itself being one."""
    access: Access = request.app.state.access
    charge(caller_of(request), "batch", cost=count - 1, access=access, now=access.clock())


def _count(request: Request, refused: NotAdmitted, path: str) -> None:
    telemetry: Telemetry = request.app.state.telemetry
    kind = refused.problem.type.rpartition(":")[2]
    if kind == "too-many-requests":
        entry = entry_of(request.method, path)
        telemetry.rate_limited("other" if entry is None or entry.kind is None else entry.kind)
    else:
        telemetry.sign_in_failed(kind)
