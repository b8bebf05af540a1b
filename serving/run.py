"""The service started: in this process, or in several workers that read their settings from the environment."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from serving.app import Watched, create_app
from serving.settings import ServiceSettings, from_environment
from serving.settings_handed import handed_over
from serving.telemetry.draining import FINISH_S
from serving.telemetry.exposition import FOLDER, forget_ended_workers, make_folder
from serving.telemetry.library_logs import UVICORN_LOGS, take_over
from serving.telemetry.settings import log_settings
from serving.terminal import show_notices

START_S = 120
"""How long a worker may take to start, libraries and a large portfolio read, before it is taken for dead."""


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def app_from_environment() -> FastAPI:
    """The application of one worker."""
    forget_ended_workers()
    return _started(from_environment(os.environ))


def _started(settings: ServiceSettings) -> FastAPI:
    """The application, once what is to be known of its rule packs has been told on the terminal."""
    app = create_app(settings, clock=now, watched=Watched(log=log_settings(os.environ)))
    take_over(app.state.log)
    show_notices(notice for tenant in app.state.tenants.values() for notice in tenant.notices)
    return app


def serve(settings: ServiceSettings) -> None:
    """Serves until stopped; requests being answered are finished first.

    Raises
    ------
    data.problems.BadPortfolio, data.config.BadConfiguration
        As `serving.app.create_app`; with several workers they end those instead.
    """
    if settings.workers == 1:
        run(_started(settings), settings)
        return
    folder = Path(os.environ.get(FOLDER) or tempfile.mkdtemp(prefix="rettid-figures-"))
    with handed_over(settings, os.environ) as variables:
        os.environ.update({**variables, **make_folder(folder)})
        run("serving.run:app_from_environment", settings)


def run(app: FastAPI | str, settings: ServiceSettings) -> None:
    """The server around an application, or around the function of that name that makes one for each worker."""
    uvicorn.run(
        app,
        factory=isinstance(app, str),
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        log_config=UVICORN_LOGS,
        timeout_graceful_shutdown=FINISH_S,
        timeout_worker_healthcheck=START_S,
    )
