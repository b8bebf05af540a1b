"""Figures that nobody's request brings up: the models in use, how old the facts are, promises held against payments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from fastapi.concurrency import run_in_threadpool

from data.matured import matured
from data.online_decisions import Decided, decided_under
from models.bundle import NoChampion
from serving.decider import Service
from serving.state import Facts, facts_of
from serving.telemetry.telemetry import Telemetry
from serving.tenants import Tenant

EVERY_S = 60.0
ROUNDS_TO_CALIBRATION = 60
SAMPLE = 200
"""Matured decisions looked at each time: enough for a drift that matters, few enough to hold nobody up."""

WITHIN = timedelta(days=30)


@asynccontextmanager
async def on_watch(tenants: Iterable[Tenant], telemetry: Telemetry) -> AsyncIterator[None]:
    """Looks every minute, and once an hour at what was promised; for the application's lifespan."""
    task = asyncio.create_task(_watching([*tenants], telemetry))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watching(tenants: list[Tenant], telemetry: Telemetry) -> None:
    number = 0
    while True:
        for tenant in tenants:
            with suppress(Exception):  # a figure that cannot be had must not end the others
                await run_in_threadpool(tell_models, tenant, telemetry)
                if number % ROUNDS_TO_CALIBRATION == ROUNDS_TO_CALIBRATION - 1:
                    await run_in_threadpool(tell_calibration, tenant.service, telemetry)
        number += 1
        await asyncio.sleep(EVERY_S)


def tell_models(tenant: Tenant, telemetry: Telemetry) -> None:
    """The models in use, since when, and from when the base portfolio is."""
    with suppress(NoChampion):
        models = tenant.service.models.current()
        for role, bundle in (("champion", models.champion), ("challenger", models.challenger)):
            pointer = tenant.workspace / "models" / f"{role}.json"
            if bundle is not None and pointer.is_file():
                promoted_at = datetime.fromtimestamp(pointer.stat().st_mtime, UTC)
                telemetry.model(role, bundle.model_version, promoted_at=promoted_at)
    batches = tenant.service.log.batches()
    if batches:
        telemetry.base_portfolio(batches[-1].as_of)


def tell_calibration(service: Service, telemetry: Telemetry) -> None:
    """Mean chance promised for claims of matured decisions, and the share of them that were paid on."""
    promised, paid = 0.0, 0
    pairs = [pair for one in _matured(service) for pair in one]
    for chance, came in pairs:
        promised, paid = promised + chance, paid + came
    if pairs:
        telemetry.calibration(promised / len(pairs), paid / len(pairs), n=len(pairs))


def _matured(service: Service) -> Iterator[list[tuple[float, bool]]]:
    """For each decision of the sample, what was promised of every claim and whether it was paid on in the horizon."""
    horizon = timedelta(days=service.config.horizon.days)
    until = service.clock() - horizon
    with service.log.reading() as connection:
        for decision_id in matured(connection, since=until - WITHIN, until=until, most=SAMPLE):
            decided = decided_under(connection, decision_id)
            if decided is not None:
                facts = facts_of(connection, service.base, decided.leading.debtor_id)
                yield _held_against(decided, facts, horizon)


def _held_against(decided: Decided, facts: Facts, horizon: timedelta) -> list[tuple[float, bool]]:
    begin = decided.leading.decided_at
    paid = {
        row["claim_id"]
        for row in facts.tables["payments"].to_pylist()
        if begin <= row["paid_at"] < begin + horizon and row["reversed_at"] is None
    }
    return [(row.payment_probability, row.claim_id in paid) for row in decided.rows]
