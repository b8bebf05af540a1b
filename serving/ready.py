"""What readiness looks at in one tenant."""

from __future__ import annotations

from models.bundle import NoChampion
from serving.decider import models_of
from serving.problems import Refused
from serving.telemetry.checks import (
    champion_loaded,
    configuration_fits,
    disk_space,
    not_draining,
    packs_read,
    store_writable,
    warm,
)
from serving.telemetry.draining import Draining
from serving.telemetry.readiness import Probe
from serving.telemetry.telemetry import Telemetry
from serving.tenants import Tenant


def probes_of(tenant: Tenant, telemetry: Telemetry, draining: Draining) -> tuple[Probe, ...]:
    """The checks of one tenant; made once, so that a store that hangs is not asked by one thread more each time."""
    service = tenant.service
    return (
        store_writable(lambda: service.log.beat(service.clock())),
        champion_loaded(service.models.current),
        configuration_fits(lambda: models_of(service)),
        packs_read(lambda: tenant.packs, lambda: tenant.notices),
        disk_space(tenant.workspace, told=telemetry.disk_free),
        warm(lambda: tenant.counter.warm),
        not_draining(draining),
    )


def told_of_tenant(tenant: Tenant) -> dict[str, object]:
    """The model in use, and what somebody should know of the rule packs."""
    try:
        version: str | None = models_of(tenant.service).champion.model_version
    except (NoChampion, Refused):
        version = None
    refused = [f"{one.role}: {one.reason}" for one in getattr(tenant.service.models, "refused", ())]
    return {"model_version": version, "notices": [*tenant.notices, *refused]}
