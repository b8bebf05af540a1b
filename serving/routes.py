"""The calls of the API, each one line of work behind its description."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from serving.confirmer import confirm, stored
from serving.decider import Service, models_of, next_best_actions
from serving.problems import RESPONSES, ProblemDetails, Refused, faults_of, invalid
from serving.receiver import receive
from serving.report_pages import HEADERS, report_list, report_page
from serving.shapes import (
    BatchAnswer,
    Confirmation,
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
from serving.wire import KEY_HEADER, StrictRoute

router = APIRouter(route_class=StrictRoute)
Key = Annotated[
    str | None, Header(alias=KEY_HEADER, description="Same key and body: the same stored answer.", max_length=255)
]
DecisionId = Annotated[str, Path(max_length=128, examples=["0f5c2a9b7d4e4c21a3b6d8e0f1a2b3c4"])]
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "Not known", "model": ProblemDetails}}
CONFLICT: dict[int | str, dict[str, Any]] = {409: {"description": "In conflict", "model": ProblemDetails}}


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


@router.post("/v1/next-best-action", responses={**RESPONSES, **MISSING, **CONFLICT}, tags=["decide"])
def next_best_action(request: Request, asked: NextBestActionRequest, idempotency_key: Key = None) -> NextBestAction:
    """Whether, how and when to contact one debtor next; the contact is reserved before the answer.

    Asked again, the live decision is answered (`reused`), unless facts changed what the rules say or `replace` is set.
    """
    (answer,) = next_best_actions(_service(request), [asked])
    if isinstance(answer, Refused):
        raise answer
    return answer


@router.post("/v1/next-best-actions", responses={**RESPONSES, **CONFLICT}, tags=["decide"])
def many_next_best_actions(
    request: Request, asked: NextBestActionsRequest, idempotency_key: Key = None
) -> NextBestActions:
    """The same for up to 1,000 debtors: answers in the order asked, each with its own result or error."""
    read = [_entry(entry) for entry in asked.requests]
    sound = [entry for entry in read if isinstance(entry, NextBestActionRequest)]
    found = iter(next_best_actions(_service(request), sound) if sound else [])
    answers = [next(found) if isinstance(entry, NextBestActionRequest) else entry for entry in read]
    return NextBestActions(answers=[_as_answer(answer) for answer in answers])


def _entry(entry: object) -> NextBestActionRequest | Refused:
    try:
        return NextBestActionRequest.model_validate(entry)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False, include_input=False)]
        return invalid(faults_of(found))


def _as_answer(answer: NextBestAction | Refused) -> BatchAnswer:
    return BatchAnswer(error=answer.problem) if isinstance(answer, Refused) else BatchAnswer(result=answer)


@router.post("/v1/events", responses={**RESPONSES, **CONFLICT}, tags=["tell"])
def event(request: Request, told: EventRequest, idempotency_key: Key = None) -> EventAnswer:
    """One row of a contract table, on disk before the answer and counted once however often it is sent."""
    return receive(_service(request), told)


@router.get("/v1/decisions/{decision_id}", responses=MISSING, tags=["decide"])
def decision(request: Request, decision_id: DecisionId) -> StoredDecision:
    """A decision as stored, and what came of it."""
    return stored(_service(request), decision_id)


@router.post("/v1/decisions/{decision_id}/confirm", responses={**MISSING, **CONFLICT}, tags=["decide"])
def confirmation(request: Request, decision_id: DecisionId, idempotency_key: Key = None) -> Confirmation:
    """Just before sending: 200 to send it, 409 and the reason not to."""
    return confirm(_service(request), decision_id)


@router.get("/reports", response_class=HTMLResponse, tags=["read"])
def reports(request: Request) -> HTMLResponse:
    """The reports there are, as a page."""
    return HTMLResponse(report_list(request.app.state.reports), headers=HEADERS)


@router.get("/reports/{name}", response_class=HTMLResponse, responses=MISSING, tags=["read"])
def report(request: Request, name: str) -> HTMLResponse:
    """One report."""
    return HTMLResponse(report_page(request.app.state.reports, name), headers=HEADERS)


@router.get("/healthz", tags=["operate"])
async def healthz() -> Health:
    """Alive."""
    return Health(status="alive")


@router.get("/readyz", responses={503: {"description": "Not ready", "model": ProblemDetails}}, tags=["operate"])
def readyz(request: Request) -> Ready:
    """Ready: a champion is loaded and the log can be written. A refused rule pack is told and leaves the others at work."""
    service = _service(request)
    models = models_of(service)
    service.log.beat(service.clock())
    notices = list(request.app.state.notices)
    return Ready(status="ready", model_version=models.champion.model_version, notices=notices)
