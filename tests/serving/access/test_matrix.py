"""Who may call what: every role, every route, every verb; and no route without an entry."""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Mount

from serving.access.caller import ROLES
from serving.access.matrix import MATRIX, UncoveredRoutes, check_complete, entry_of, routed
from serving.access.page import matrix_table
from tests.serving.access.doors import Doors, doors, small_app

PATHS = {
    "/v1/next-best-action": "/v1/next-best-action",
    "/v1/next-best-actions": "/v1/next-best-actions",
    "/v1/decisions/{decision_id}/confirm": "/v1/decisions/d1/confirm",
    "/v1/events": "/v1/events",
    "/v1/decisions/{decision_id}": "/v1/decisions/d1",
    "/v1/debtors/{debtor_id}": "/v1/debtors/s1",
    "/reports": "/reports",
    "/reports/{name}": "/reports/uplift",
    "/openapi.json": "/openapi.json",
    "/readyz": "/readyz",
    "/metrics": "/metrics",
    "/healthz": "/healthz",
    "/login": "/login",
    "/logout": "/logout",
}
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ALL = set(ROLES)
CONTRACT: dict[tuple[str, str], set[str]] = {
    ("POST", "/v1/next-best-action"): {"collection_system"},
    ("POST", "/v1/next-best-actions"): {"collection_system"},
    ("POST", "/v1/decisions/{decision_id}/confirm"): {"collection_system"},
    ("POST", "/v1/events"): {"collection_system"},
    ("GET", "/v1/decisions/{decision_id}"): ALL,
    ("DELETE", "/v1/debtors/{debtor_id}"): {"data_protection"},
    ("GET", "/reports"): {"manager", "data_scientist"},
    ("GET", "/reports/{name}"): {"manager", "data_scientist"},
    ("GET", "/openapi.json"): ALL,
    ("GET", "/readyz"): {"operations"},
    ("GET", "/metrics"): {"operations"},
    ("GET", "/healthz"): {"none", *ALL},
    ("GET", "/login"): {"none", *ALL},
    ("POST", "/login"): {"none", *ALL},
    ("POST", "/logout"): {"manager"},
}
"""The same table written a second time, from the contract."""


@pytest.fixture(scope="module")
def open_doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Doors, dict[str, str | None]]]:
    with doors(tmp_path_factory.mktemp("matrix")) as found:
        yield found, {"none": None, **{role: found.key(role) for role in ROLES}}


def expected(role: str, verb: str, path: str) -> set[int]:
    if (verb, path) not in CONTRACT:
        return {405}
    if role not in CONTRACT[verb, path]:
        return {401 if role == "none" else 403}
    return {415} if path in ("/login", "/logout") and verb == "POST" else {200}  # let in, and sent no form


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", ["none", *ROLES])
def test_each_role_may_make_the_calls_of_the_contract_and_no_other(open_doors, role, path):
    found, keys = open_doors
    answers = {verb: found.status(keys[role], verb, PATHS[path]) for verb in VERBS}
    assert {verb: status for verb, status in answers.items() if status not in expected(role, verb, path)} == {}


def test_the_table_names_the_contracts_calls():
    assert set(MATRIX) == set(CONTRACT)


def test_what_the_table_does_not_name_nobody_may_do(guarded):
    @guarded.client.app.get("/v1/all-debtors")
    def unknown() -> str:
        return "everything"

    assert guarded.status(None, "GET", "/v1/all-debtors") == 401
    assert {guarded.status(guarded.key(role), "GET", "/v1/all-debtors") for role in ROLES} == {403}


def test_the_tables_of_application_and_roles_are_complete(guarded):
    app = small_app(guarded.access)
    check_complete(app)
    described = {(verb.upper(), path) for path, verbs in app.openapi()["paths"].items() for verb in verbs}
    assert described == routed(app) == set(MATRIX)


@pytest.mark.parametrize("documented", [True, False])
def test_a_new_route_without_an_entry_fails(guarded, documented):
    app, more = small_app(guarded.access), APIRouter(prefix="/v1")
    more.add_api_route("/all-debtors", lambda: "", methods=["GET"], include_in_schema=documented)
    app.include_router(more)
    with pytest.raises(UncoveredRoutes, match=r"without an entry: GET /v1/all-debtors; without a route: none"):
        check_complete(app)


def test_a_new_verb_on_a_known_route_fails(guarded):
    app = small_app(guarded.access)
    app.add_api_route("/v1/events", lambda: "", methods=["DELETE"])
    with pytest.raises(UncoveredRoutes, match="without an entry: DELETE /v1/events"):
        check_complete(app)


def test_an_entry_without_a_route_fails():
    with pytest.raises(UncoveredRoutes, match="without a route: DELETE /v1/debtors"):
        check_complete(FastAPI(openapi_url=None, docs_url=None, redoc_url=None))


def test_the_frameworks_own_pages_need_an_entry(guarded):
    app = FastAPI()
    with pytest.raises(UncoveredRoutes, match="GET /docs"):
        check_complete(app)


def test_an_application_inside_the_application_fails(guarded):
    app = small_app(guarded.access)
    app.router.routes.append(Mount("/files", app=FastAPI()))
    with pytest.raises(UncoveredRoutes, match="came /files without"):
        check_complete(app)


def test_asking_for_headers_alone_takes_what_reading_takes():
    assert entry_of("HEAD", "/metrics") is entry_of("GET", "/metrics")
    assert entry_of("HEAD", "/v1/events") is None


def test_the_page_has_a_line_for_each_call():
    lines = matrix_table().splitlines()
    assert [line.split("`")[1] for line in lines[2:]] == [f"{method} {path}" for method, path in MATRIX]
    assert {line.count("|") for line in lines} == {10}
