"""Decisions taken again as they were taken: with what was known then, by the same models and rules."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data.log_marks import Marks
from data.online_decisions import Decided, DecisionRow, decided_under
from data.times import to_us
from models.bundle import Bundle
from models.bundle_files import BadBundle
from models.hashing import is_dated
from serving.bundles_again import BundlesAgain
from serving.decider import Service, versions_now
from serving.engine import Wish
from serving.live import Live
from serving.models_in_use import Models, ModelsInUse, ModelSource
from serving.state import facts_of

TOLERANCE = 1e-12
"""By which probabilities may differ."""

AT_ONCE = 200
TEXTS = ("decision_id", "claim_id", "channel", "send_at", "payment_option", "tone", "arm", "explored", "valid_until")
NUMBERS = ("payment_probability", "action_probability", "arm_probability", "channel_probability",
           "channel_daypart_probability", "expected_value")  # fmt: skip


class NotToBeRepeated(ValueError):
    """What a decision was made of is not there any more."""


@dataclass(frozen=True)
class Again:
    """What came of taking a decision again: the new rows, what differs from those in the log, or why it could not be."""

    decision_id: str
    rows: tuple[DecisionRow, ...] = ()
    differs: tuple[str, ...] = ()
    impossible: str | None = None

    @property
    def same(self) -> bool:
        """The same action with the same probabilities."""
        return self.impossible is None and not self.differs


@dataclass(frozen=True)
class _Then:
    """A decision with what was known of its debtor then."""

    logged: Decided
    live: Live
    given: frozenset[str]


class Repeater:
    """Takes decisions of one tenant again; `workspace` holds the bundles of all models that ever decided.

    Made once for each tenant: it keeps the bundles it had to load.
    """

    def __init__(self, service: Service, workspace: Path) -> None:
        self._service = service
        self._bundles = BundlesAgain(workspace, in_memory=lambda digest: _in_memory(service.models, digest))

    def again(self, decision_ids: Sequence[str], *, explain: bool = False) -> Iterator[Again]:
        """Each decision taken again, in the order given; only those of the service, not those of a night."""
        for start in range(0, len(decision_ids), AT_ONCE):
            yield from self._some(decision_ids[start : start + AT_ONCE], explain)

    def _some(self, decision_ids: Sequence[str], explain: bool) -> list[Again]:
        found: dict[str, Again] = {}
        groups: dict[tuple[object, ...], list[_Then]] = {}
        turns: Counter[str] = Counter()
        with self._service.log.reading() as connection:
            for decision_id in decision_ids:
                try:
                    then = self._then(connection, decision_id)
                    turn = turns[then.live.debtor_id]  # in a group each debtor stands once
                    turns[then.live.debtor_id] += 1
                    groups.setdefault((_made_by(then), then.given, turn), []).append(then)
                except (NotToBeRepeated, BadBundle) as error:
                    found[decision_id] = Again(decision_id, impossible=str(error))
        for some in groups.values():
            try:
                found.update(self._decided(some, explain))
            except (NotToBeRepeated, BadBundle) as error:
                ids = [then.logged.leading.decision_id for then in some]
                found.update({one: Again(one, impossible=str(error)) for one in ids})
        return [found[decision_id] for decision_id in decision_ids]

    def _then(self, connection: sa.Connection, decision_id: str) -> _Then:
        """What was known when a decision was taken."""
        logged = decided_under(connection, decision_id)
        if logged is None or not logged.seen or "log" not in logged.seen:
            raise NotToBeRepeated("no decision of the service whose inputs are on record")
        seen: Mapping[str, Any] = logged.seen
        then, now = _versions(seen), versions_now(self._service)
        other = [name for name in ("config", "rules", "prices") if then.get(name) != now.get(name)]
        if "base" in then and then["base"] != now["base"]:
            other.append("base portfolio")
        if other:
            raise NotToBeRepeated(f"not as when it was decided: {', '.join(other)}: start with what there was then")
        leading = logged.leading
        if not is_dated(leading.decision_id, at_us=to_us(leading.decided_at)):
            raise NotToBeRepeated(
                "its identifier, on which its draw hung, was made by an earlier version of the program"
            )
        facts = facts_of(connection, self._service.base, leading.debtor_id, known=Marks(**seen["log"]))
        return _Then(logged, Live(facts, self._service.state.histories(facts), None), frozenset(seen["tables"]))

    def _decided(self, some: Sequence[_Then], explain: bool) -> Iterator[tuple[str, Again]]:
        wishes = [_wish(then.logged, explain=explain) for then in some]
        models = self._models(_versions(some[0].logged.seen or {}))
        lives = [then.live for then in some]
        verdicts = self._service.engine.decide(lives, wishes, models=models, given=some[0].given)
        for then, verdict in zip(some, verdicts, strict=True):
            decision_id = then.logged.leading.decision_id
            digest = (then.logged.seen or {}).get("features")
            differs = _differences(then.logged.rows, verdict.rows)
            differs += ("features",) if digest != verdict.features else ()
            yield decision_id, Again(decision_id, verdict.rows, differs)

    def _models(self, versions: Mapping[str, str]) -> Models:
        second = versions.get("challenger")
        return Models(self._bundles.of(versions["champion"]), None if second is None else self._bundles.of(second))


def _in_memory(models: ModelSource, digest: str) -> Bundle | None:
    """A bundle by its digest, from a source that keeps some."""
    return models.kept(digest) if isinstance(models, ModelsInUse) else None


def _versions(seen: Mapping[str, object]) -> Mapping[str, str]:
    versions = seen.get("versions")
    return versions if isinstance(versions, Mapping) else {}


def _made_by(then: _Then) -> tuple[tuple[str, str], ...]:
    """The versions that a decision was made by."""
    return tuple(sorted(_versions(then.logged.seen or {}).items()))


def _wish(logged: Decided, *, explain: bool) -> Wish:
    """What was asked for then."""
    asked: Mapping[str, Any] = logged.asked or {}
    leading = logged.leading
    channels, claims = asked.get("channels"), asked.get("claim_ids")
    return Wish(
        debtor_id=leading.debtor_id,
        as_of=leading.decided_at,
        channels=None if channels is None else tuple(channels),
        not_before=_moment(asked.get("not_before")),
        not_after=_moment(asked.get("not_after")),
        claim_ids=None if claims is None else frozenset(claims),
        explain=explain,
    )


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _differences(before: Sequence[DecisionRow], after: Sequence[DecisionRow]) -> tuple[str, ...]:
    """Names of the columns in which two sets of rows differ, claim by claim."""
    old, new = ({row.claim_id: row for row in rows} for rows in (before, after))
    if set(old) != set(new):
        return ("claims",)
    pairs = [(old[claim], new[claim]) for claim in old]
    words = [name for name in TEXTS if any(getattr(a, name) != getattr(b, name) for a, b in pairs)]
    numbers = [name for name in NUMBERS if any(not _near(getattr(a, name), getattr(b, name)) for a, b in pairs)]
    return (*words, *numbers)


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=0.0, abs_tol=TOLERANCE * max(1.0, abs(one)))
