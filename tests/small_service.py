"""A small real service for tests: four debtors, a model that likes text messages, a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
from fastapi.testclient import TestClient

from data.access_store import AccessStore
from data.config import Config
from data.portfolio import Portfolio
from data.schemas import DECISION_SCHEMA
from data.vocabulary import CHANNELS
from features.catalogue import catalogue, names
from features.histories import histories_of
from features.reference import learn_reference
from models.bundle import Bundle, point_to, write_bundle
from models.propensity import RateModel
from serving.access.caller import ROLES
from serving.access.keys import KeyOrder, issue_key
from serving.app import create_app
from serving.decider import Clock
from serving.models_in_use import ModelsInUse
from serving.settings import ServiceSettings
from serving.tenants import Parts
from tests.samples import (
    Row,
    claim_events,
    claims,
    contact_points,
    debtors,
    moment,
    rows_to_table,
    sample_tables,
    write_tables,
)

NOW = datetime(2026, 3, 10, 7, 30, tzinfo=UTC)
"""A Tuesday morning; half past eight in Stockholm."""

RATES = (0.10, 0.40, 0.30, 0.25, 0.20, 0.35, 0.15)
ONE_ARM = "[arms]\ncontrol = 0.0\nexplore = 0.0\nchampion = 1.0\nchallenger = 0.0\n"


@dataclass
class FakeClock:
    """Gives the moment it was set to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class Keys(httpx2.Auth):
    """Signs each request with a key of a role that may make it, unless it brings one of its own."""

    def __init__(self, place: Path | str, *, tenant: str = "main") -> None:
        store = AccessStore.open(place)
        try:
            orders = {role: KeyOrder(tenant, role, role.replace("_", "-"), None, None) for role in ROLES}
            self.of = {role: issue_key(store, order, now=NOW)[0] for role, order in orders.items()}
        finally:
            store.close()

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:
        if "authorization" not in request.headers:
            request.headers["authorization"] = f"Bearer {self.of[self._role(request)]}"
        yield request

    def _role(self, request: httpx2.Request) -> str:
        if request.method == "DELETE":
            return "data_protection"
        path = request.url.path
        if path in ("/readyz", "/metrics"):
            return "operations"
        return "data_scientist" if path.startswith(("/reports", "/openapi")) else "collection_system"


def signed_client(settings: ServiceSettings, *, clock: Clock, parts: Parts | None = None) -> TestClient:
    """A client of a service of its own, every request signed."""
    client = TestClient(create_app(settings, clock=clock, parts=parts), raise_server_exceptions=False)
    client.auth = Keys(settings.workspace)
    return client


@dataclass
class SmallService:
    """A client of the service, its clock and its workspace."""

    client: TestClient
    clock: FakeClock
    workspace: Path
    portfolio: Path
    events: int = field(default=0)

    def ask(self, debtor_id: str = "s1", **body: Any) -> dict[str, Any]:
        """The answer for a debtor, which must be one."""
        answer = self.client.post("/v1/next-best-action", json={"debtor_id": debtor_id, **body})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def tell(self, table: str, **row: Any) -> dict[str, Any]:
        """An event under a fresh identifier, which must be taken."""
        self.events += 1
        answer = self.client.post("/v1/events", json={"event_id": f"t-{self.events}", "table": table, "row": row})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def small_tables() -> dict[str, pa.Table]:
    """The sample portfolio, and s1 in Stockholm with two claims and three verified contact points."""
    s1: Row = {"debtor_id": "s1", "country": "SE", "time_zone": "Europe/Stockholm", "registered_at": moment(1, 5)}
    s1 |= {"birth_date": date(1979, 4, 30)}
    known: Row = {"debtor_id": "s1", "verified": True, "consent": "given", "kind": "private"}
    points = [{**known, "channel": name, "valid_from": moment(1, 5)} for name in ("sms", "email", "phone")]
    claim: Row = {"debtor_id": "s1", "creditor_id": "k-energy", "sector": "energy", "currency": "SEK"}
    claim |= {"registered_at": moment(1, 10)}
    owed: list[Row] = [
        {**claim, "claim_id": "k1", "principal": Decimal("2400.00"), "due_on": moment(1, 31).date()},
        {**claim, "claim_id": "k2", "principal": Decimal("1100.00"), "due_on": moment(2, 15).date()},
    ]
    begun: Row = {"at": moment(2, 1), "kind": "stage", "stage": "reminder"}
    stages = [{**begun, "event_id": f"stage-{one['claim_id']}", "claim_id": one["claim_id"]} for one in owed]
    return sample_tables() | {
        "claim_events": pa.concat_tables([claim_events(), rows_to_table("claim_events", stages)]),
        "debtors": pa.concat_tables([debtors(), rows_to_table("debtors", [s1])]),
        "contact_points": pa.concat_tables([contact_points(), rows_to_table("contact_points", points)]),
        "claims": pa.concat_tables([claims(), rows_to_table("claims", owed)]),
    }


def small_bundle(portfolio: Portfolio, version: str = "rates-1") -> Bundle:
    """A model that knows one chance of payment for each channel, text messages highest."""
    reference = learn_reference(histories_of(portfolio, channels=CHANNELS), until_us=2**62, config=Config())
    columns = names(catalogue(CHANNELS))
    model = RateModel(RATES, columns.index("channel"))
    usual = tuple(float(CHANNELS.index("letter")) if name == "channel" else None for name in columns)
    return Bundle(version, "rates", "value", model, reference, 0.5, {}, usual=usual)


def write_world(folder: Path, *, promoted: bool = True, configuration: str = ONE_ARM) -> ServiceSettings:
    """A portfolio and a workspace on disk."""
    tables = small_tables()
    portfolio = write_tables(tables, folder / "portfolio")
    workspace = folder / "workspace"
    workspace.mkdir()
    (workspace / "rettid.toml").write_text(configuration, encoding="utf-8")
    if promoted:
        promote(workspace, small_bundle(Portfolio.from_tables(tables)))
    return ServiceSettings(workspace=workspace, portfolio=portfolio, patience_ms=60_000, warm_up=False)


def promote(workspace: Path, bundle: Bundle) -> None:
    """Makes a bundle the champion."""
    write_bundle(bundle, workspace / "models" / bundle.model_version)
    point_to(workspace, "champion", model_version=bundle.model_version)


@contextmanager
def small_service(folder: Path, *, promoted: bool = True, configuration: str = ONE_ARM) -> Iterator[SmallService]:
    """The service over a world of its own."""
    settings = write_world(folder, promoted=promoted, configuration=configuration)
    clock = FakeClock()
    assert settings.portfolio is not None
    parts = Parts(models=ModelsInUse(settings.workspace, background=False))  # what is promoted answers the next request
    with signed_client(settings, clock=clock, parts=parts) as client:
        yield SmallService(client, clock, settings.workspace, settings.portfolio)


def decision_row(number: int = 1, **changes: Any) -> Row:
    """A row of the decisions' schema; each number gives its own decision, debtor and claim."""
    row: Row = {
        "decision_id": f"a{number:031x}",
        "debtor_id": f"d{number}",
        "claim_id": f"c{number}",
        "lead": True,
        "decided_at": moment(3, 10, hour=1),
        "valid_until": moment(3, 10, hour=18),
        "channel": "sms",
        "send_at": moment(3, 10, hour=17),
        "payment_option": "link",
        "tone": "friendly",
        "payment_probability": 0.25,
        "uplift": 0.05,
        "expected_value": 12.5,
        "currency": "EUR",
        "action_probability": 1.0,
        "arm_probability": 0.85,
        "channel_probability": 1.0,
        "channel_daypart_probability": 1.0,
        "explored": False,
        "arm": "champion",
        "segment": "unknown",
        "model_version": "m1",
        "policy_version": "p1",
        "rules_version": "r1",
        "reasons": None,
        "blocked": [{"channel": "letter", "rule": "no_contact_point"}],
    }
    return row | changes


def decision_table(*rows: Row) -> pa.Table:
    """Rows as the decisions' frame."""
    return pa.Table.from_pylist(list(rows), DECISION_SCHEMA)
