"""The service started: in this process, or in several workers that read their settings from the environment."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI

from serving.app import create_app
from serving.settings import ServiceSettings, from_environment
from serving.terminal import show_notices

GRACE_S = 10


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def app_from_environment() -> FastAPI:
    """The application of one worker."""
    return _started(from_environment(os.environ))


def _started(settings: ServiceSettings) -> FastAPI:
    """The application, once what is to be known of its rule packs has been told on the terminal."""
    app = create_app(settings, clock=now)
    show_notices(app.state.notices)
    return app


def serve(settings: ServiceSettings) -> None:
    """Serves until stopped; requests being answered are finished first.

    Raises
    ------
    data.problems.BadPortfolio, data.config.BadConfiguration
        As `serving.app.create_app`; with several workers they end those instead.
    """
    if settings.workers == 1:
        app = _started(settings)
        uvicorn.run(app, host=settings.host, port=settings.port, access_log=False, timeout_graceful_shutdown=GRACE_S)
        return
    os.environ.update(settings.to_environment())
    uvicorn.run(
        "serving.run:app_from_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
