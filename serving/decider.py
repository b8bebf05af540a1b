"""Deciding for debtors: the live decision again, or a new one; looking, judging and writing apart, so that many share each.

Facts are read and decisions made without a lock on the data base; the writing transaction looks whether anything about a
debtor has come since, and leaves out those of whom something has: they are decided again (`serving.group`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import sqlalchemy as sa

from data.config import Config, MissingRate
from data.decision_log import CONFIRMED, REPLACED, SENT, DecisionLog
from data.log_marks import Marks
from data.online_decisions import AnswerRow, Decided, DecisionRow, Json, reserve_all
from data.vocabulary import NONE
from models.bundle import NoChampion, OtherConfiguration, must_fit
from models.decide import NoChallenger
from serving.answers import candidates, nothing_open, told
from serving.base_portfolio import BasePortfolio
from serving.engine import Earlier, Engine, Standing, Verdict, Wish
from serving.live import Live, LiveState
from serving.models_in_use import Models, ModelSource
from serving.problem_details import Fault
from serving.problems import Refused, invalid
from serving.shapes import NextBestActionRequest
from serving.told_action import ToldAction

Clock = Callable[[], datetime]
Answer = ToldAction | Refused

INSTANT = timedelta(microseconds=1)
NARROWING = ("claim_ids", "channels", "not_before", "not_after")


@dataclass(frozen=True)
class Service:
    """Everything an answer of one tenant is made of."""

    base: BasePortfolio
    state: LiveState
    log: DecisionLog
    engine: Engine
    models: ModelSource
    config: Config
    clock: Clock
    ahead: timedelta


@dataclass(frozen=True)
class Case:
    """One request while it is being answered."""

    request: NextBestActionRequest
    wish: Wish
    dry_run: bool


@dataclass(frozen=True)
class Look:
    """What was found for a case in one transaction."""

    case: Case
    live: Live

    @property
    def at(self) -> datetime:
        """The moment decided for; now is after everything received."""
        return self.case.wish.as_of if self.case.dry_run else self.live.facts.moment(self.case.wish.as_of)

    @property
    def last(self) -> Decided | None:
        """The debtor's last decision; what is decided for another moment knows of none."""
        return None if self.case.dry_run else self.live.last


@dataclass(frozen=True)
class New:
    """A decision made and not written yet; `given` are the tables that the tenant had handed over by then."""

    look: Look
    wish: Wish
    verdict: Verdict
    given: frozenset[str]

    @property
    def debtor_id(self) -> str:
        """The debtor."""
        return self.wish.debtor_id

    @cached_property
    def decided(self) -> Decided:
        """The decision as it will be read back."""
        asked = _asked(self.look.case.request)
        seen: dict[str, Json] = {"coverable": sorted(self.verdict.coverable)}
        return Decided(self.verdict.rows, asked=asked, seen=seen, alternatives=candidates(self.verdict.alternatives))


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


def versions_now(service: Service) -> dict[str, str]:
    """What a decision depends on besides models and what was received: configuration, rules, prices, base portfolio."""
    return {**service.engine.versions(), "base": service.base.digest}


def case_of(service: Service, request: NextBestActionRequest, *, now: datetime) -> Case:
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
    return Case(request, wish, dry_run=wish.as_of != now)


def judge(service: Service, looks: Sequence[Look], models: Models) -> list[Answer | New]:
    """For each case, each debtor once, what can be answered as it is, or a new decision that is still to be written."""
    found: list[Answer | New | None] = [_refusal(look) for look in looks]
    held = [number for number, look in enumerate(looks) if found[number] is None and _may_hold(look)]
    for number, standing in zip(held, _standings(service, [looks[one] for one in held], models), strict=True):
        last = looks[number].last
        if last is not None and standing is not None and _holds(last, standing, request=looks[number].case.request):
            found[number] = told(last, rates=service.config.rates, reused=True)
    asked = [number for number, one in enumerate(found) if one is None]
    for number, new in zip(asked, _decide(service, [looks[one] for one in asked], models), strict=True):
        told_now = isinstance(new, New) and (new.look.case.dry_run or new.verdict.outline is not None)
        found[number] = tell(service, new) if isinstance(new, New) and told_now else new
    return [one for one in found if one is not None]


def _refusal(look: Look) -> Refused | None:
    """Why nothing can be decided for a debtor, if nothing can."""
    if not look.live.facts.known:
        return Refused("unknown-debtor", "no such debtor has been received", remedy="send it: POST /v1/events, debtors")
    asked = look.case.wish.claim_ids
    strange = asked - look.live.facts.identifiers("claims") if asked else asked
    if strange:
        what = f"{len(strange)} claims are not claims of this debtor"
        return invalid([Fault(where="body.claim_ids", what=what, remedy="name claims of this debtor, or leave it out")])
    return None


def _may_hold(look: Look) -> bool:
    """Whether the debtor's last decision may be answered again, if the rules say so."""
    last = look.last
    if last is None or look.case.request.replace:
        return False
    return last.status != REPLACED and look.at < last.leading.valid_until


def _standings(service: Service, looks: Sequence[Look], models: Models) -> list[Standing | None]:
    """What the rules say of last decisions; None where it cannot be told: deciding anew meets the same and says so."""
    earlier = [Earlier(look.live, look.last, look.at) for look in looks if look.last is not None]
    if not earlier:
        return []
    try:
        return [*service.engine.standing(earlier, models=models)]
    except MissingRate:
        return [None] if len(looks) == 1 else [one for look in looks for one in _standings(service, [look], models)]


def _holds(last: Decided, standing: Standing, *, request: NextBestActionRequest) -> bool:
    """Whether no fact has changed what the rules say of a live decision, and `none` was not the answer to something narrower."""
    before = _coverable_then(last)
    same = before is None or before == standing.coverable & _asked_claims(last, standing.coverable)
    if last.leading.channel == NONE:
        narrowed = _narrowing(last.asked or {})
        if narrowed and narrowed != _narrowing(_asked(request)):
            return False
        shut = {pair["channel"] for pair in last.leading.blocked}
        return same and not standing.open_channels & shut
    return standing.reason is None and (same or last.status in (CONFIRMED, SENT))


def _asked(request: NextBestActionRequest) -> dict[str, Json]:
    """What was asked, as it is kept."""
    return request.model_dump(mode="json", exclude_none=True, exclude={"debtor_id"})


def _narrowing(asked: Mapping[str, Json]) -> dict[str, Json]:
    """What of it leaves less to choose from."""
    found = {name: asked[name] for name in NARROWING if name in asked}
    return {name: sorted(map(str, one)) if isinstance(one, list) else one for name, one in found.items()}


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


def _decide(service: Service, looks: Sequence[Look], models: Models) -> list[Refused | New]:
    """A new decision for each case, or why it cannot be taken."""
    if not looks:
        return []
    wishes, given = [_after_last(look) for look in looks], service.state.given
    try:
        verdicts = service.engine.decide([look.live for look in looks], wishes, models=models, given=given)
    except MissingRate as error:
        if len(looks) > 1:
            return [new for look in looks for new in _decide(service, [look], models)]
        remedy = "add a dated row under [rates] in rettid.toml and start the service again"
        return [Refused("not-ready", str(error), remedy=remedy)]
    except NoChallenger as error:
        raise Refused("not-ready", str(error), remedy="rettid promote RUN as challenger") from error
    return [New(look, wish, verdict, given) for look, wish, verdict in zip(looks, wishes, verdicts, strict=True)]


def _after_last(look: Look) -> Wish:
    """The wish, an instant after the last decision if that was taken at the same one: moments tell decisions apart."""
    at = look.at
    if look.last is not None and look.last.leading.decided_at >= at:
        at = look.last.leading.decided_at + INSTANT
    return look.case.wish if at == look.case.wish.as_of else replace(look.case.wish, as_of=at)


def reserve(connection: sa.Connection, service: Service, new: Sequence[New], *, models: Models, marks: Marks) -> None:
    """Writes new decisions, each with all that it was made of."""
    versions = {**versions_now(service), **models.versions}
    answers = [_answer_row(one, versions=versions, marks=marks) for one in new]
    replaced = [(leading.decision_id, leading.debtor_id) for leading in map(_replaced, new) if leading is not None]
    rows = [row for one in new for row in one.verdict.rows]
    reserve_all(connection, rows, answers, replaced, max(one.wish.as_of for one in new))


def _replaced(one: New) -> DecisionRow | None:
    """The decision that gives way: live, and not confirmed. A confirmed one is a contact and stands."""
    last = one.look.last
    if last is None or last.status in (CONFIRMED, SENT, REPLACED) or last.leading.valid_until <= one.wish.as_of:
        return None
    return last.leading


def _answer_row(one: New, *, versions: dict[str, str], marks: Marks) -> AnswerRow:
    decided = one.decided
    seen: dict[str, Json] = {
        "log": vars(marks),
        "tables": sorted(one.given),
        "versions": versions,
        "features": one.verdict.features,
        "coverable": sorted(one.verdict.coverable),
    }
    leading = decided.leading
    return AnswerRow(
        answer_id=leading.decision_id,
        debtor_id=leading.debtor_id,
        decided_at=leading.decided_at,
        asked=decided.asked or {},
        seen=seen,
        alternatives=decided.alternatives,
    )


def tell(service: Service, one: New) -> ToldAction:
    """The decision as it is answered."""
    dry_run = one.look.case.dry_run
    if one.verdict.outline is not None:
        return nothing_open(one.verdict.outline, one.wish, dry_run=dry_run)
    return told(one.decided, rates=service.config.rates, reused=False, dry_run=dry_run)
