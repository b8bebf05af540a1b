"""Figures that nobody's request brings up: models in use, readiness, age of facts, batches, the chain, promises and payments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

from fastapi.concurrency import run_in_threadpool

from data.matured import matured
from data.online_decisions import Decided, decided_under
from data.stored_answers import forget_old
from models.bundle import NoChampion
from serving.decider import Service
from serving.log_watch import LogWatch
from serving.ready import probes_of
from serving.state import Facts, facts_of
from serving.telemetry.background import Failures, Work, repeated
from serving.telemetry.draining import Draining
from serving.telemetry.readiness import Probe, look
from serving.telemetry.telemetry import Telemetry
from serving.tenants import Tenant

EVERY_S = 60.0
TIDY_S = 0.5
ROUNDS_AN_HOUR = 60
SAMPLE = 200
"""Matured decisions looked at each time: enough for a drift that matters, few enough to hold nobody up."""

WITHIN = timedelta(days=30)


@asynccontextmanager
async def on_watch(tenants: Iterable[Tenant], telemetry: Telemetry, *, failures: Failures) -> AsyncIterator[None]:
    """Looks every minute, and once an hour at what was promised and at the chain, and keeps logs tidy; for the lifespan."""
    known = [*tenants]
    tell_fallbacks(known, telemetry)
    tidy = [_in_thread("tidying", one.service.log.tidy) for one in known]
    async with (
        repeated(_rounds(known, telemetry), failures=failures, every_s=EVERY_S),
        repeated(lambda: tidy, failures=failures, every_s=TIDY_S),
    ):
        yield


def _in_thread(kind: str, call: Callable[[], object]) -> Work:
    return Work(kind, partial(run_in_threadpool, call))


def _rounds(tenants: list[Tenant], telemetry: Telemetry) -> Callable[[], list[Work]]:
    """What is looked at in each round, the first of them and the next; each in a thread."""
    number, logs = count(), LogWatch(tenants, telemetry)
    # the stop is the answer of /readyz alone, which a proxy looks at: here nothing is ever being stopped
    probes = {one.name: probes_of(one, telemetry, Draining()) for one in tenants}
    each_minute = [
        _in_thread("checks", lambda: tell_checks(probes, telemetry)),
        *(_in_thread("models", partial(tell_models, one, telemetry)) for one in tenants),
        _in_thread("base_portfolio", lambda: tell_base(tenants, telemetry)),
        _in_thread("policy_mix", logs.tell_mix),
    ]
    each_hour = [
        _in_thread("chain", logs.tell_chain),
        _in_thread("calibration", lambda: tell_calibration([one.service for one in tenants], telemetry)),
        *(_in_thread("old_answers", partial(forget_old_answers, one.service)) for one in tenants),
    ]

    def next_round() -> list[Work]:
        return [*each_minute, *(each_hour if next(number) % ROUNDS_AN_HOUR == 1 else ())]

    return next_round


def forget_old_answers(service: Service) -> int:
    """Answers under keys that have been kept for long enough."""
    with service.log.writing() as connection:
        return forget_old(connection, at=service.clock())


def tell_fallbacks(tenants: Iterable[Tenant], telemetry: Telemetry) -> None:
    """Rule packs that were refused when they were read, which is at the start."""
    for tenant in tenants:
        for kind in tenant.fell_back:
            telemetry.fallback(kind)


def tell_checks(probes: Mapping[str, Sequence[Probe]], telemetry: Telemetry) -> None:
    """What readiness finds in each tenant, though nobody asks `/readyz`."""
    for name, of_tenant in probes.items():
        found = look(of_tenant).by_name()
        telemetry.checks({check: ok for check, ok in found.items() if check != "not_draining"}, tenant=name)


def tell_base(tenants: Iterable[Tenant], telemetry: Telemetry) -> None:
    """From when the base portfolio is; of several tenants, the oldest."""
    moments = [batches[-1].as_of for one in tenants if (batches := one.service.log.batches())]
    if moments:
        telemetry.base_portfolio(min(moments))


def tell_models(tenant: Tenant, telemetry: Telemetry) -> None:
    """The models in use, and since when."""
    with suppress(NoChampion):
        models = tenant.service.models.current()
        for role, bundle in (("champion", models.champion), ("challenger", models.challenger)):
            pointer = tenant.workspace / "models" / f"{role}.json"
            if bundle is not None and pointer.is_file():
                promoted_at = datetime.fromtimestamp(pointer.stat().st_mtime, UTC)
                telemetry.model(role, bundle.model_version, promoted_at=promoted_at)


def tell_calibration(services: Iterable[Service], telemetry: Telemetry) -> None:
    """Mean chance promised for claims of matured decisions, and the share of them that were paid on, over all tenants."""
    promised, paid = 0.0, 0
    pairs = [pair for service in services for one in _matured(service) for pair in one]
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
