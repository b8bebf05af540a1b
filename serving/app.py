"""The application: everything an answer needs, wired once at the start."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeout
from starlette.exceptions import HTTPException

from data.config import Config, MissingRate, read_config
from data.decision_log import DecisionLog
from data.portfolio import Portfolio, read_portfolio
from models.rules.packs_kept import packs_of
from serving.base_portfolio import BasePortfolio
from serving.capacity_standing import KeptPrices
from serving.decider import Clock, Service
from serving.engine import DecideEngine, Engine
from serving.envelope import BodyLimit, SafeHeaders
from serving.models_in_use import ModelsInUse, ModelSource
from serving.problems import Refused, faults_of, invalid, problem_response
from serving.routes import router
from serving.settings import ServiceSettings

TITLE = "rettid: next best action for debtors"
KIND_OF_STATUS = {400: "bad-json", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}


@dataclass(frozen=True)
class Parts:
    """What may be handed in instead of being made from the settings: by tests, or by a caller that has it already."""

    base: Portfolio | None = None
    engine: Engine | None = None
    models: ModelSource | None = None


def create_app(settings: ServiceSettings, *, clock: Clock, parts: Parts | None = None) -> FastAPI:
    """The service over a workspace and a base portfolio; what is to be known of its packs stands in `state.notices`.

    Parameters
    ----------
    clock
        Gives the present moment, aware, in UTC.

    Raises
    ------
    data.problems.BadPortfolio
        The base portfolio breaks the contract.
    data.config.BadConfiguration
        `rettid.toml` cannot be followed.
    """
    service, notices = _service(settings, clock, parts or Parts())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.log.close()

    app = FastAPI(title=TITLE, version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.service = service
    app.state.notices = notices
    app.state.reports = settings.workspace / "reports"
    app.include_router(router)
    app.add_middleware(BodyLimit, limit=settings.body_limit)
    app.add_middleware(SafeHeaders)
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    return app


def _service(settings: ServiceSettings, clock: Clock, parts: Parts) -> tuple[Service, tuple[str, ...]]:
    """The service, and the notices of the packs that it was made with."""
    settings.workspace.mkdir(parents=True, exist_ok=True)
    log = DecisionLog.open(settings.workspace)
    folder = settings.portfolio or _last_portfolio(log)
    config = read_config(*([folder] if folder else []), settings.workspace)
    base = BasePortfolio.of(parts.base or _portfolio(folder, config))
    found = packs_of(settings.workspace, channels=config.grid.channels[1:], on=clock().astimezone(UTC).date())
    service = Service(
        base=base,
        log=log,
        engine=parts.engine
        or DecideEngine(config, found.packs, given=base.given, prices=KeptPrices(settings.workspace, config.capacity)),
        models=parts.models or ModelsInUse(settings.workspace),
        config=config,
        clock=clock,
        ahead=timedelta(days=settings.ahead_days),
    )
    return service, found.notices


def _last_portfolio(log: DecisionLog) -> Path | None:
    """Folder of the latest batch, if it is still there."""
    folders = [Path(batch.portfolio) for batch in log.batches() if batch.portfolio is not None]
    return next((folder for folder in reversed(folders) if folder.is_dir()), None)


def _portfolio(folder: Path | None, config: Config) -> Portfolio:
    if folder is None:
        return Portfolio.from_tables({})
    return read_portfolio(folder, channels=config.grid.channels)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refused):
        raise error
    return problem_response(error.problem)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    return problem_response(invalid(faults_of(error.errors())).problem)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses, in our form and without its words."""
    if not isinstance(error, HTTPException):
        raise error
    kind = KIND_OF_STATUS.get(error.status_code, "not-found" if error.status_code < 500 else "failed")
    remedy = "see /openapi.json" if error.status_code in (404, 405) else "send a smaller, well-formed body"
    refused = Refused(kind, "the request could not be taken", remedy=remedy)
    return problem_response(refused.problem, headers=error.headers)


async def _log_unavailable(_request: Request, _error: Exception) -> JSONResponse:
    remedy = "nothing was promised: send the request again; if it lasts, look at the disk of the workspace"
    return problem_response(Refused("log-unavailable", "the log did not take the entry", remedy=remedy).problem)


async def _missing_rate(_request: Request, _error: Exception) -> JSONResponse:
    remedy = "add a dated row under [rates] in rettid.toml and start the service again"
    return problem_response(Refused("not-ready", "a currency has no exchange rate", remedy=remedy).problem)


async def _failed(_request: Request, _error: Exception) -> JSONResponse:
    return problem_response(Refused("failed", "an error of ours", remedy="nothing was promised: send it again").problem)


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[JSONResponse]]] = {
    Refused: _refused,
    RequestValidationError: _invalid,
    HTTPException: _http,
    OperationalError: _log_unavailable,
    SQLAlchemyTimeout: _log_unavailable,
    MissingRate: _missing_rate,
    Exception: _failed,
}
