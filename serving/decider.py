"""Deciding for debtors over the log: the live decision again, or a new one reserved before it is told.

Facts are read and a decision is made without a lock on the data base; the writing transaction looks whether anything
about the debtor has come since and, if so, the decision is made again. Only the last attempt decides under the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from data.config import Config, MissingRate
from data.decision_log import CONFIRMED, REPLACED, SENT, DecisionLog
from data.online_decisions import Decided, DecisionRow, Json, last_decided, reserve
from data.vocabulary import NONE
from models.bundle import NoChampion, OtherConfiguration, must_fit
from models.decide import NoChallenger
from serving.answers import candidates, nothing_open, told
from serving.base_portfolio import BasePortfolio
from serving.engine import Engine, Verdict, Wish
from serving.locks import DebtorLocks
from serving.models_in_use import Models, ModelSource
from serving.problems import Fault, Refused, invalid
from serving.shapes import NextBestAction, NextBestActionRequest
from serving.state import Facts, facts_of, is_current

Clock = Callable[[], datetime]
Answer = NextBestAction | Refused

ATTEMPTS = 4
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Service:
    """Everything an answer is made of."""

    base: BasePortfolio
    log: DecisionLog
    engine: Engine
    models: ModelSource
    config: Config
    clock: Clock
    ahead: timedelta
    locks: DebtorLocks = field(default_factory=DebtorLocks)


@dataclass(frozen=True)
class _Case:
    """One request while it is being answered."""

    number: int
    request: NextBestActionRequest
    wish: Wish
    dry_run: bool


@dataclass(frozen=True)
class _Look:
    """What was found for a case in one transaction."""

    case: _Case
    facts: Facts
    last: Decided | None


@dataclass(frozen=True)
class _New:
    """A decision made and not written yet."""

    look: _Look
    wish: Wish
    verdict: Verdict


def next_best_actions(service: Service, requests: Sequence[NextBestActionRequest]) -> list[Answer]:
    """An answer for each request, in order; a debtor named twice is decided once and then told again.

    Raises
    ------
    serving.problems.Refused
        No model can be used.
    """
    models = models_of(service)
    answers: dict[int, Answer] = {}
    waiting = list(enumerate(requests))
    while waiting:
        turn: dict[str, tuple[int, NextBestActionRequest]] = {}
        for number, request in waiting:
            turn.setdefault(request.debtor_id, (number, request))
        now_answered = {number for number, _ in turn.values()}
        waiting = [pair for pair in waiting if pair[0] not in now_answered]
        with service.locks.holding(turn):
            answers.update(_answer_turn(service, list(turn.values()), models))
    return [answers[number] for number in range(len(requests))]


def models_of(service: Service) -> Models:
    """The models in use; raises `Refused` where there are none, or they were trained for another configuration."""
    try:
        models = service.models.current()
        for bundle in filter(None, (models.champion, models.challenger)):
            must_fit(bundle, service.config)
    except OtherConfiguration as error:
        raise Refused("not-ready", str(error), remedy="rettid train and rettid promote, then start again") from error
    except NoChampion as error:
        remedy = "train and promote a model: rettid train, then rettid promote"
        raise Refused("not-ready", "no champion has been promoted or can be loaded", remedy=remedy) from error
    return models


def _answer_turn(
    service: Service, turn: Sequence[tuple[int, NextBestActionRequest]], models: Models
) -> dict[int, Answer]:
    answers: dict[int, Answer] = {}
    now = service.clock()
    cases = []
    for number, request in turn:
        try:
            cases.append(_case(service, number, request, now=now))
        except Refused as refused:
            answers[number] = refused
    for attempt in range(ATTEMPTS):
        if not cases:
            break
        last_attempt = attempt == ATTEMPTS - 1
        done = _under_lock(service, cases, models) if last_attempt else _optimistic(service, cases, models)
        answers.update(done)
        cases = [case for case in cases if case.number not in done]
    return answers


def _case(service: Service, number: int, request: NextBestActionRequest, *, now: datetime) -> _Case:
    """The request in our words; raises `Refused` for a channel or moment that cannot be."""
    offered = service.config.grid.channels
    unknown = [name for name in request.channels or () if name not in offered]
    if unknown:
        what = f"{len(unknown)} of {len(request.channels or ())} channels are not offered"
        raise invalid([Fault(where="body.channels", what=what, remedy=f"use any of {', '.join(offered)}")])
    if request.as_of is not None and request.as_of > now + service.ahead:
        what = "a moment too far ahead"
        raise invalid([Fault(where="body.as_of", what=what, remedy=f"at most {service.ahead.days} days from now")])
    if request.not_before and request.not_after and request.not_before >= request.not_after:
        raise invalid([Fault(where="body.not_after", what="not after not_before", remedy="swap the two times")])
    wish = Wish(
        debtor_id=request.debtor_id,
        as_of=request.as_of or now,
        channels=None if request.channels is None else tuple(request.channels),
        not_before=request.not_before,
        not_after=request.not_after,
        claim_ids=None if request.claim_ids is None else frozenset(request.claim_ids),
        explain=request.explain,
    )
    return _Case(number, request, wish, dry_run=wish.as_of != now)


def _optimistic(service: Service, cases: Sequence[_Case], models: Models) -> dict[int, Answer]:
    """Answers to as many cases as nothing came between for."""
    with service.log.reading() as connection:
        looks = [_look(connection, service, case) for case in cases]
    answers, new = _judge(service, looks, models)
    if not new:
        return answers
    with service.log.writing() as connection:
        current = [one for one in new if is_current(connection, one.look.facts)]
        return {**answers, **_reserve(connection, service, current)}


def _under_lock(service: Service, cases: Sequence[_Case], models: Models) -> dict[int, Answer]:
    with service.log.writing() as connection:
        looks = [_look(connection, service, case) for case in cases]
        answers, new = _judge(service, looks, models)
        return {**answers, **_reserve(connection, service, new)}


def _look(connection: sa.Connection, service: Service, case: _Case) -> _Look:
    facts = facts_of(connection, service.base, case.wish.debtor_id)
    last = None if case.dry_run else last_decided(connection, case.wish.debtor_id, at=case.wish.as_of)
    return _Look(case, facts, last)


def _judge(service: Service, looks: Sequence[_Look], models: Models) -> tuple[dict[int, Answer], list[_New]]:
    """What can be answered as it is, and new decisions still to be written."""
    answers: dict[int, Answer] = {}
    asked: list[_Look] = []
    for look in looks:
        refused = _refusal(look)
        if refused is not None:
            answers[look.case.number] = refused
        elif look.last is not None and _holds(service, look, look.last, models):
            answers[look.case.number] = told(look.last, rates=service.config.rates, reused=True)
        else:
            asked.append(look)
    new = _decide(service, asked, models, answers)
    for one in [one for one in new if one.look.case.dry_run or one.verdict.outline]:
        answers[one.look.case.number] = _tell(service, one)
    return answers, [one for one in new if one.look.case.number not in answers]


def _refusal(look: _Look) -> Refused | None:
    """Why nothing can be decided for a debtor, if nothing can."""
    if not look.facts.known:
        return Refused("unknown-debtor", "no such debtor has been received", remedy="send it: POST /v1/events, debtors")
    strange = (look.case.wish.claim_ids or frozenset()) - look.facts.identifiers("claims")
    if strange:
        what = f"{len(strange)} claims are not claims of this debtor"
        return invalid([Fault(where="body.claim_ids", what=what, remedy="name claims of this debtor, or leave it out")])
    return None


def _holds(service: Service, look: _Look, last: Decided, models: Models) -> bool:
    """Whether the debtor's last decision is live and no fact has changed what the rules say of it."""
    now, leading = look.case.wish.as_of, last.leading
    if look.case.request.replace or last.status == REPLACED or now >= leading.valid_until:
        return False
    try:
        standing = service.engine.standing(look.facts, last, at=now, models=models)
    except MissingRate:
        return False  # deciding anew meets the same and says so
    before = _coverable_then(last)
    same = before is None or before == standing.coverable & _asked_claims(last, standing.coverable)
    if leading.channel == NONE:
        shut = {pair["channel"] for pair in leading.blocked}
        return same and not standing.open_channels & shut
    return standing.reason is None and (same or last.status in (CONFIRMED, SENT))


def _coverable_then(last: Decided) -> frozenset[str] | None:
    """Claims that could be covered when the decision was taken; None where that is not on record."""
    before = (last.seen or {}).get("coverable")
    if isinstance(before, list):
        return frozenset(map(str, before))
    return None if last.leading.channel == NONE else last.covered


def _asked_claims(last: Decided, every: frozenset[str]) -> frozenset[str]:
    """Claims to which the decision was narrowed when it was asked for; all where it was not."""
    asked = (last.asked or {}).get("claim_ids")
    return frozenset(map(str, asked)) if isinstance(asked, list) else every


def _decide(service: Service, looks: Sequence[_Look], models: Models, answers: dict[int, Answer]) -> list[_New]:
    """New decisions; what cannot be decided is put among the answers."""
    if not looks:
        return []
    wishes = [_after_last(look) for look in looks]
    try:
        verdicts = service.engine.decide([look.facts for look in looks], wishes, models=models)
    except MissingRate as error:
        if len(looks) > 1:
            return [new for look in looks for new in _decide(service, [look], models, answers)]
        remedy = "add a dated row under [rates] in rettid.toml and start the service again"
        answers[looks[0].case.number] = Refused("not-ready", str(error), remedy=remedy)
        return []
    except NoChallenger as error:
        raise Refused("not-ready", str(error), remedy="rettid promote RUN as challenger") from error
    return [_New(look, wish, verdict) for look, wish, verdict in zip(looks, wishes, verdicts, strict=True)]


def _after_last(look: _Look) -> Wish:
    """The wish, an instant after the last decision if that was taken at the same one: moments tell decisions apart."""
    wish = look.case.wish
    if look.last is not None and look.last.leading.decided_at >= wish.as_of:
        return replace(wish, as_of=look.last.leading.decided_at + INSTANT)
    return wish


def _reserve(connection: sa.Connection, service: Service, new: Sequence[_New]) -> dict[int, Answer]:
    """Writes new decisions and tells them."""
    for one in new:
        reserve(connection, _decided(one), replaces=_replaced(one))
    return {one.look.case.number: _tell(service, one) for one in new}


def _replaced(one: _New) -> DecisionRow | None:
    """The decision that gives way: live, and not confirmed. A confirmed one is a contact and stands."""
    last = one.look.last
    if last is None or last.status in (CONFIRMED, SENT, REPLACED) or last.leading.valid_until <= one.wish.as_of:
        return None
    return last.leading


def _decided(one: _New) -> Decided:
    asked = one.look.case.request.model_dump(mode="json", exclude_none=True, exclude={"debtor_id"})
    seen: dict[str, Json] = {"last_event": one.look.facts.mark[0], "coverable": sorted(one.verdict.coverable)}
    return Decided(one.verdict.rows, asked=asked, seen=seen, alternatives=candidates(one.verdict.alternatives))


def _tell(service: Service, one: _New) -> NextBestAction:
    dry_run = one.look.case.dry_run
    if one.verdict.outline is not None:
        return nothing_open(one.verdict.outline, one.wish, dry_run=dry_run)
    return told(_decided(one), rates=service.config.rates, reused=False, dry_run=dry_run)
