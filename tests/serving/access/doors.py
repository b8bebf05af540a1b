"""A small application behind the doors: every call of the table, answering who came in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.testclient import TestClient
from starlette.responses import Response

from data.access_store import AccessStore, Manager
from serving.access.access import Access
from serving.access.admit import admit, admit_cached
from serving.access.caller import Caller
from serving.access.keys import KeyOrder, issue_key
from serving.access.login import router, sign_in_instead, sign_out_of
from serving.access.matrix import MATRIX
from serving.access.passwords import PasswordCost, hash_password
from serving.access.settings import AccessSettings
from serving.problems import Refused, problem_response
from tests.small_service import NOW as NOW
from tests.small_service import FakeClock

CHEAP = PasswordCost(n=16, r=1, p=1)
PASSWORD = "four words are enough"
OF_LOGIN = {"/login", "/logout"}


async def admitted(request: Request) -> Caller:
    """The caller, told to the call's own code."""
    access: Access = request.app.state.access
    path, now = request.scope["route"].path, access.clock()
    caller = admit_cached(request, method=request.method, path=path, access=access, now=now)
    if caller is None:
        caller = await run_in_threadpool(admit, request, method=request.method, path=path, access=access, now=now)
    request.state.caller = caller
    return caller


async def who(request: Request) -> dict[str, object]:
    caller: Caller = request.state.caller
    return {"tenant": caller.tenant, "role": caller.role, "form": sign_out_of(request)}


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    path = request.scope["route"].path
    page = sign_in_instead(request, path, refused=error)
    return page or problem_response(error.problem, headers=getattr(error, "headers", None))


def small_app(access: Access) -> FastAPI:
    """An application with every call of the table."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(admitted)])
    app.state.access = access
    for method, path in MATRIX:
        if path not in OF_LOGIN:
            app.add_api_route(path, who, methods=[method])
    app.include_router(router)
    app.add_exception_handler(Refused, refused)
    return app


class Doors:
    """A client of the small application, its store and its clock."""

    def __init__(self, client: TestClient, access: Access, clock: FakeClock) -> None:
        self.client = client
        self.access = access
        self.store = access.store
        self.clock = clock

    def key(self, role: str = "collection_system", *, tenant: str = "north", **more: object) -> str:
        """A new key."""
        order = KeyOrder(tenant, role, "a-key", **more)  # type: ignore[arg-type] # a test says what it means
        return issue_key(self.store, order, now=self.clock())[0]

    def status(self, key: str | None, method: str = "POST", path: str = "/v1/next-best-action") -> int:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return self.client.request(method, path, headers=headers).status_code

    def add_manager(self, user: str = "anna", *, creditors: frozenset[str] | None = None) -> None:
        self.store.add_manager(Manager(user, "north", hash_password(PASSWORD, CHEAP), creditors, self.clock()))

    def form(self, client: TestClient | None = None) -> str:
        """The token of a fresh sign-in form."""
        return csrf_in((client or self.client).get("/login").text)

    def sign_in(self, user: str = "anna", password: str = PASSWORD, *, client: TestClient | None = None) -> Response:
        client = client or self.client
        fields = {"user": user, "password": password, "csrf": self.form(client)}
        return client.post("/login", data=fields, follow_redirects=False)

    def another_browser(self) -> TestClient:
        return TestClient(self.client.app, base_url="https://testserver", follow_redirects=False)


def csrf_in(page: str) -> str:
    return page.partition('name="csrf" value="')[2].partition('"')[0]


@contextmanager
def doors(place: Path | str, **settings: object) -> Iterator[Doors]:
    """The small application over a store of its own."""
    clock = FakeClock()
    chosen = AccessSettings(password_cost=CHEAP, **settings)  # type: ignore[arg-type] # as above
    store = AccessStore.open(place)
    access = Access(store, clock=clock, settings=chosen)
    with TestClient(small_app(access), base_url="https://testserver", follow_redirects=False) as client:
        yield Doors(client, access, clock)
    store.close()


def asked(headers: dict[str, str], *, access: Access, at: datetime, call: tuple[str, str]) -> Caller:
    """The caller of a call that is made without a server."""
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    request = Request({"type": "http", "headers": raw, "method": call[0], "path": call[1]})
    return admit(request, method=call[0], path=call[1], access=access, now=at)
