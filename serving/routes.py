"""The calls of the API, each one line of work behind its description."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse

from serving.access.login import sign_out_of
from serving.access.report_access import read_manifest, seen_reports, sees_report
from serving.admission import caller_of, charge_entries, tenant_of
from serving.confirmer import stored
from serving.desk import Outcome
from serving.eraser import erase_debtor
from serving.group import Ask, Leave, Reply, Said, Tell, reply_of
from serving.problem_details import ProblemDetails
from serving.problems import RESPONSES, Refused
from serving.ready import told_of_tenant
from serving.report_list import Language, language_for, read_listed, report_list
from serving.report_pages import HEADERS, KINDS, language_of_index, no_such_report, report_file, report_names
from serving.shapes import (
    BatchAnswer,
    Confirmation,
    Erasure,
    EventAnswer,
    EventRequest,
    Health,
    NextBestAction,
    NextBestActionRequest,
    NextBestActions,
    NextBestActionsRequest,
    Ready,
    StoredDecision,
)
from serving.telemetry.exposition import MEDIA_TYPE
from serving.telemetry.readiness import look
from serving.told_action import ToldAction
from serving.wire import KEY_HEADER, StrictRoute, answered_once, once_of, response_of, sound

router = APIRouter(route_class=StrictRoute)
PRINTABLE = r"^[ -~]+$"
Key = Annotated[
    str | None,
    Header(
        alias=KEY_HEADER,
        description="Same key and body: the same stored answer.",
        min_length=1,
        max_length=255,
        pattern=PRINTABLE,
    ),
]
PLAIN = r"^[^\x00-\x1f\x7f-\x9f]+$"
"""As identifiers in bodies: PostgreSQL takes no NUL, and no identifier has a reason to hold a control character."""

DecisionId = Annotated[
    str, Path(min_length=1, max_length=128, pattern=PLAIN, examples=["0f5c2a9b7d4e4c21a3b6d8e0f1a2b3c4"])
]
Explain = Annotated[bool, Query(description="Tell the features that spoke most for it, though it was not asked then.")]
DebtorId = Annotated[str, Path(min_length=1, max_length=128, pattern=PLAIN, examples=["d-1042"])]
InLanguage = Annotated[Language | None, Query(description="Of the list; else the best of `Accept-Language`.")]
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "Not known", "model": ProblemDetails}}
CONFLICT: dict[int | str, dict[str, Any]] = {409: {"description": "In conflict", "model": ProblemDetails}}


@router.post(
    "/v1/next-best-action",
    response_model=NextBestAction,
    responses={**RESPONSES, **MISSING, **CONFLICT},
    tags=["decide"],
)
async def next_best_action(request: Request, asked: NextBestActionRequest, idempotency_key: Key = None) -> Response:
    """Whether, how and when to contact one debtor next; the contact is reserved before the answer.

    Asked again, the live decision is answered (`reused`), unless facts changed what the rules say or `replace` is set.
    """
    return response_of(await tenant_of(request).counter.ask(Ask(asked, await once_of(request))))


@router.post(
    "/v1/next-best-actions", response_model=NextBestActions, responses={**RESPONSES, **CONFLICT}, tags=["decide"]
)
async def many_next_best_actions(
    request: Request, asked: NextBestActionsRequest, idempotency_key: Key = None
) -> Response:
    """The same for up to 1,000 debtors: answers in the order asked, each with its own result or error."""
    tenant, once = tenant_of(request), await once_of(request)
    charge_entries(request, len(asked.requests))
    read = [_entry(entry) for entry in asked.requests]
    sound = [one for one in read if isinstance(one, NextBestActionRequest)]

    async def answer() -> Reply:
        found = iter(await tenant.counter.ask_all([Ask(one) for one in sound]))
        said = [one if isinstance(one, Refused) else _said(next(found)) for one in read]
        return await run_in_threadpool(lambda: reply_of(NextBestActions(answers=[_as_answer(one) for one in said])))

    return await answered_once(tenant, once, answer, debtors=[one.debtor_id for one in sound])


def _entry(entry: object) -> NextBestActionRequest | Refused:
    try:
        return sound(NextBestActionRequest, entry)
    except Refused as refused:
        return refused


def _said(outcome: Outcome) -> Said | None:
    """What is answered to one entry; an error of ours is that entry's alone."""
    if isinstance(outcome, BaseException):
        return Refused("failed", "an error of ours", remedy="nothing was promised: send it again")
    return outcome.said


def _as_answer(said: Said | None) -> BatchAnswer:
    if isinstance(said, Refused):
        return BatchAnswer(error=said.problem)
    return BatchAnswer(result=said.model if isinstance(said, ToldAction) else None)


@router.post("/v1/events", response_model=EventAnswer, responses={**RESPONSES, **CONFLICT}, tags=["tell"])
async def event(request: Request, told: EventRequest, idempotency_key: Key = None) -> Response:
    """One row of a contract table, on disk before the answer and counted once however often it is sent."""
    return response_of(await tenant_of(request).counter.ask(Tell(told, await once_of(request))))


@router.get("/v1/decisions/{decision_id}", responses=MISSING, tags=["decide"])
def decision(request: Request, decision_id: DecisionId, explain: Explain = False) -> StoredDecision:
    """A decision as stored, and what came of it; with `explain` also why, found by taking it again."""
    tenant = tenant_of(request)
    repeater = tenant.repeater if explain else None
    return stored(tenant.service, decision_id, caller=caller_of(request), repeater=repeater)


@router.post(
    "/v1/decisions/{decision_id}/confirm",
    response_model=Confirmation,
    responses={**MISSING, **CONFLICT},
    tags=["decide"],
)
async def confirmation(request: Request, decision_id: DecisionId, idempotency_key: Key = None) -> Response:
    """Just before sending: 200 to send it, 409 and the reason not to."""
    return response_of(await tenant_of(request).counter.ask(Leave(decision_id, await once_of(request))))


@router.delete("/v1/debtors/{debtor_id}", responses=MISSING, tags=["protect"])
def erasure(request: Request, debtor_id: DebtorId) -> Erasure:
    """Erases a debtor: what the log holds of it cannot be read any more, and what was done is told and kept."""
    done = erase_debtor(tenant_of(request).service, debtor_id)
    request.app.state.telemetry.erased()
    request.app.state.log.info("erased")
    return done


@router.get("/reports", response_class=HTMLResponse, tags=["read"])
def reports(request: Request, language: InLanguage = None) -> HTMLResponse:
    """The reports there are that the caller may see, as a page."""
    return _list_of_reports(request, language)


@router.get("/reports/{name}", response_class=HTMLResponse, responses=MISSING, tags=["read"])
def report(request: Request, name: str) -> Response:
    """One report, or its PDF or numbers; for who may not see it, there is none."""
    folder = tenant_of(request).reports
    is_list, language = language_of_index(name)
    if is_list:
        return _list_of_reports(request, language)
    if not sees_report(caller_of(request), name, read_manifest(folder)):
        raise no_such_report()
    found = report_file(folder, name)
    return Response(found.path.read_bytes(), media_type=KINDS[found.kind], headers=found.headers)


def _list_of_reports(request: Request, wanted: str | None) -> HTMLResponse:
    folder = tenant_of(request).reports
    seen = seen_reports(caller_of(request), report_names(folder), read_manifest(folder))
    found, now = read_listed(folder), request.app.state.access.clock()
    accepted = request.headers.get("accept-language", "")[:500]
    language = language_for(wanted, accepted, offered=found.languages)
    page = report_list(found, seen, language=language, now=now, sign_out=sign_out_of(request))
    return HTMLResponse(page, headers={**HEADERS, "Vary": "Accept-Language, Cookie, Authorization"})


@router.get("/openapi.json", tags=["read"])
def openapi(request: Request) -> JSONResponse:
    """The description of all calls."""
    return JSONResponse(request.app.openapi())


@router.get("/healthz", tags=["operate"])
async def healthz() -> Health:
    """Alive."""
    return Health(status="alive")


@router.get(
    "/readyz", response_model=Ready, responses={503: {"description": "Not ready", "model": Ready}}, tags=["operate"]
)
def readyz(request: Request) -> JSONResponse:
    """Ready: the log can be written, a champion is loaded, and more. A refused rule pack is told and leaves the others at work."""
    tenant = tenant_of(request)
    found = look(request.app.state.probes[tenant.name])
    request.app.state.telemetry.checks(found.by_name(), tenant=tenant.name)
    return JSONResponse({**found.as_json(), **told_of_tenant(tenant)}, found.status)


@router.get("/metrics", response_class=Response, tags=["operate"])
def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    return Response(request.app.state.telemetry.text(), media_type=MEDIA_TYPE)
