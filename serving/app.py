"""The application: tenants, who may call, what is told of it all; wired once at the start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import BinaryIO

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from data.access_store import AccessStore
from data.config import MissingRate
from models.rules.mask import RULES
from serving.access.access import Access
from serving.access.login import router as login_router
from serving.access.login import sign_in_instead
from serving.access.matrix import MATRIX, check_complete
from serving.access.refusals import NotAdmitted
from serving.access.report_access import BadManifest
from serving.access.settings import AccessSettings
from serving.counter import STORE_FAILS, log_unavailable
from serving.decider import Clock
from serving.described import DescribedApp
from serving.envelope import BodyLimit, SafeHeaders
from serving.group_told import Told
from serving.path_segments import WholeSegments
from serving.problems import Refused, faults_of, invalid, problem_response
from serving.ready import probes_of
from serving.routes import router
from serving.settings import ServiceSettings
from serving.telemetry.background import Failures, kept_fresh
from serving.telemetry.draining import Draining
from serving.telemetry.logs import Log, open_log
from serving.telemetry.observed import Observed
from serving.telemetry.settings import LogSettings
from serving.telemetry.telemetry import Telemetry
from serving.telemetry.vocabulary import Vocabulary
from serving.tenants import Parts, Tenant, open_tenants
from serving.watchman import on_watch

TITLE = "rettid: next best action for debtors"
OUTAGE_GRACE_S = 60.0
"""How long a key that was good goes on while the store of keys cannot be asked: an answer of `none` must still be had."""

METHOD_NOT_ALLOWED = 405
KIND_OF_STATUS = {400: "bad-json", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}


@dataclass(frozen=True)
class Watched:
    """How the log is written, and who is let in, where that is not said by the settings."""

    log: LogSettings = field(default_factory=LogSettings)
    stream: BinaryIO | None = None
    access: AccessSettings | None = None


def create_app(
    settings: ServiceSettings, *, clock: Clock, parts: Parts | None = None, watched: Watched | None = None
) -> FastAPI:
    """The service over its tenants' workspaces and base portfolios.

    Parameters
    ----------
    clock
        Gives the present moment, aware, in UTC.

    Raises
    ------
    data.problems.BadPortfolio
        A base portfolio breaks the contract.
    data.config.BadConfiguration
        A `rettid.toml` cannot be followed.
    serving.access.matrix.UncoveredRoutes
        A route has no entry in the table of who may call it.
    """
    given, told = watched or Watched(), Told()
    tenants = open_tenants(settings, clock, told=told, parts=parts)
    words = Vocabulary.of(
        {name for one in tenants.values() for name in one.service.config.grid.channels}, rules=[r.name for r in RULES]
    )
    telemetry, draining = Telemetry(words, clock), Draining()
    log = open_log(words, level=given.log.level, stream=given.stream, clock=clock)
    told.watch(telemetry, log)
    telemetry.watch_queue(lambda: sum(one.counter.waiting for one in tenants.values()))
    access = Access(
        AccessStore.open(settings.access or settings.database or settings.workspace),
        clock=clock,
        settings=given.access or AccessSettings(secure_cookies=not settings.plain_http, outage_grace_s=OUTAGE_GRACE_S),
    )
    access.warm_up()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.enter_context(draining.on_stop_signals(asyncio.get_running_loop()))
            await stack.enter_async_context(_beside(tenants.values(), telemetry, log))
            if settings.warm_up:
                Thread(target=_warm_up, args=(tenants,), name="warm-up", daemon=True).start()
            yield
        for tenant in tenants.values():
            tenant.counter.close()
        access.close()

    app = DescribedApp(
        title=TITLE,
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.tenants, app.state.access, app.state.telemetry = tenants, access, telemetry
    app.state.log = log
    app.state.probes = {name: probes_of(one, telemetry, draining) for name, one in tenants.items()}
    app.include_router(router)
    app.include_router(login_router)
    check_complete(app)
    app.add_middleware(BodyLimit, limit=settings.body_limit)
    app.add_middleware(WholeSegments)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Observed, telemetry=telemetry, log=log, failed=_failed, sample_every=given.log.sample_every)
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    return app


@asynccontextmanager
async def _beside(tenants: Iterable[Tenant], telemetry: Telemetry, log: Log) -> AsyncIterator[None]:
    """What is done beside the requests, for the lifespan."""
    failures = Failures(telemetry, log)
    async with kept_fresh(telemetry, failures=failures), on_watch(tenants, telemetry, failures=failures):
        yield


def _warm_up(tenants: Mapping[str, Tenant]) -> None:
    for tenant in tenants.values():
        tenant.counter.warm_up()


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    request.state.kind = error.problem.type.rpartition(":")[2]
    if not isinstance(error, NotAdmitted):
        return problem_response(error.problem)
    instead = sign_in_instead(request, getattr(request.scope.get("route"), "path", ""), refused=error)
    return instead or problem_response(error.problem, headers=error.headers)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    return problem_response(invalid(faults_of(error.errors())).problem)


async def _http(request: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses, in our form and without its words."""
    if not isinstance(error, HTTPException):
        raise error
    kind = KIND_OF_STATUS.get(error.status_code, "not-found" if error.status_code < 500 else "failed")
    remedy = "see /openapi.json" if error.status_code in (404, 405) else "send a smaller, well-formed body"
    refused = Refused(kind, "the request could not be taken", remedy=remedy)
    taken = sorted({method for method, path in MATRIX if path == request.url.path})
    allow = {"Allow": ", ".join(taken)} if error.status_code == METHOD_NOT_ALLOWED and taken else {}
    return problem_response(refused.problem, headers={**(error.headers or {}), **allow})


async def _log_unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return problem_response(log_unavailable().problem)


async def _missing_rate(_request: Request, _error: Exception) -> JSONResponse:
    remedy = "add a dated row under [rates] in rettid.toml and start the service again"
    return problem_response(Refused("not-ready", "a currency has no exchange rate", remedy=remedy).problem)


async def _bad_manifest(_request: Request, _error: Exception) -> JSONResponse:
    remedy = "write the reports again: rettid report --out DIR"
    return problem_response(
        Refused("not-ready", "what the report pages are about cannot be read", remedy=remedy).problem
    )


async def _failed(scope: Scope, receive: Receive, send: Send) -> None:
    """What is answered in place of an error of ours."""
    problem = Refused("failed", "an error of ours", remedy="nothing was promised: send it again").problem
    await problem_response(problem)(scope, receive, send)


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    Refused: _refused,
    RequestValidationError: _invalid,
    HTTPException: _http,
    **dict.fromkeys(STORE_FAILS, _log_unavailable),
    MissingRate: _missing_rate,
    BadManifest: _bad_manifest,
}
