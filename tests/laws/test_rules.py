"""Laws of the contact rules and of everything that chooses behind them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.action_grid import ActionGrid, BoolArray
from data.config import ControlSettings, GridSettings
from data.situation import Made, Points, Situation
from data.times import DAY_US, NEVER, NO_DAY, to_us
from data.vocabulary import CHANNELS
from models.behaviour import IncumbentWithRandomSlice
from models.control import control_actions
from models.explore import draw, explore_probabilities
from models.rules.mask import RULES, contact_mask
from models.rules.pack import Packs, read_packs
from tests.dense_packs import cap, dense_packs, in_writing, plain_packs, school, wait
from tests.situations import (
    MONDAY,
    channels,
    claims,
    made,
    one_debtor,
    points,
    random_situation,
    situations,
    with_points,
)

GRID = ActionGrid.of(GridSettings())
PACKS = read_packs()
DENSE = dense_packs()
PLAIN = plain_packs()
AT = to_us(MONDAY)
EVERY = tuple((0, name) for name in CHANNELS[1:])
SATURDAY = datetime(2026, 3, 7, 6, 0, tzinfo=UTC)
MAUNDY_THURSDAY = datetime(2026, 4, 2, 5, 0, tzinfo=UTC)

CLAIM = (0, 50.0, 20_400)
SENT = (0, "sms", AT)


def sweden(**said: Any) -> Packs:
    """The plain packs, and a Swedish one that says something more."""
    return {**PLAIN, "SE": replace(PLAIN["SE"], **said)}


SAID: dict[str, Packs] = {
    "channel_not_in_pack": {**PACKS, "NO": replace(PACKS["NO"], windows=PACKS["NO"].windows[-1:])},
    "school_hours": sweden(school_hours=school(0, 24)),
    "pack_expired": sweden(valid_to=date(2026, 3, 1)),
    "statutory_period": sweden(waits=(wait("stage", 9, stages=("notice",)),)),
    "first_in_writing": sweden(in_writing=in_writing("letter")),
    "payment_in_flight": sweden(waits=(wait("click", 3),)),
    "after_conversation": sweden(waits=(wait("conversation", 7),)),
    "minimum_gap": sweden(waits=(wait("contact", 2),)),
    "cap_per_debtor": sweden(caps=(cap(1, 2),)),
    "cap_per_claim": sweden(caps=(cap(1, 2, scope="claim"),)),
    "recent_inbound": sweden(waits=(wait("inbound", 2),)),
}
"""Packs that say what a rule asks for; the shipped ones where they need not."""

BARRED: dict[str, Situation] = {
    "slot_past": one_debtor(datetime(2026, 3, 2, 19, 30, tzinfo=UTC)),
    "blocked": one_debtor(blocked_us=np.array([AT])),
    "cease_requested": one_debtor(cease_us=np.array([AT])),
    "stop_period": one_debtor(stop_until_us=np.array([AT + 30 * DAY_US])),
    "no_open_claim": one_debtor(claims=claims()),
    "minor": one_debtor(birth_day=np.array([NO_DAY], dtype=np.int32)),
    "no_contact_point": one_debtor(points=points()),
    "unverified_point": one_debtor(points=points(*EVERY, verified=[False] * 6)),
    "point_not_private": one_debtor(points=points(*EVERY, kind=[1, 1, 1, 1, 2, 3])),
    "wrong_person": one_debtor(wrong_person=channels(*CHANNELS[1:])),
    "school_hours": one_debtor(points=points(*EVERY, kind=[-1] * 6)),
    "disputed_claim": one_debtor(claims=claims(CLAIM, disputed=[True])),
    "claim_on_hold": one_debtor(claims=claims(CLAIM, held=[True])),
    "plan_kept": one_debtor(claims=claims(CLAIM, on_plan=[True])),
    "promise_pending": one_debtor(claims=claims(CLAIM, promised_until_us=[AT + DAY_US])),
    "nothing_owed": one_debtor(claims=claims((0, 0.0, 20_400))),
    "unknown_country": one_debtor(place=("XX", None, None)),
    "channel_not_in_pack": one_debtor(place=("NO", None, None)),
    "pack_expired": one_debtor(),
    "quiet_hours": one_debtor(SATURDAY),
    "public_holiday": one_debtor(MAUNDY_THURSDAY, place=("DK", None, None)),
    "statutory_period": one_debtor(claims=claims(CLAIM, stage=[2], stage_us=[AT - DAY_US])),
    "first_in_writing": one_debtor(claims=claims(CLAIM, first_sent_us=np.full((1, len(CHANNELS)), NEVER))),
    "payment_in_flight": one_debtor(clicked_us=np.array([AT - 1])),
    "after_conversation": one_debtor(talked_us=np.array([AT - 1])),
    "minimum_gap": one_debtor(last_sent_us=np.array([AT - 1])),
    "cap_per_debtor": one_debtor(made=made(SENT)),
    "cap_per_claim": one_debtor(made=made(SENT, links=((0, 0),))),
    "consent_withdrawn": one_debtor(points=points(*EVERY, withdrawn=[True] * 6)),
    "opted_out": one_debtor(opted_out=channels(*CHANNELS[1:])),
    "recent_inbound": one_debtor(inbound_us=np.array([AT - 1])),
    "not_due": one_debtor(claims=claims((0, 50.0, AT // DAY_US))),
}
"""For each rule, written out, a debtor whom it bars."""

ONE_DAY = ActionGrid(CHANNELS, days=1, hours=GRID.hours)


def left_by(rule: str, situation: Situation) -> tuple[BoolArray, set[str]]:
    """Allowed actions of the first debtor, and the rules that shut its channels."""
    mask = contact_mask(situation, grid=ONE_DAY, packs=SAID.get(rule, PACKS))
    return mask.allowed[0], {name for _, name in mask.blocked(0)}


def failing_points(kind: str) -> Points:
    """A point in every channel that some rule bars."""
    faults: dict[str, dict[str, Any]] = {
        "ended": {"valid_to_us": [1] * 6},
        "withdrawn": {"withdrawn": [True] * 6},
        "unverified": {
            "verified": [False] * 6,
            "valid_to_us": [NEVER if name != "letter" else 1 for name in CHANNELS[1:]],
        },
        "a child's": {"kind": [3] * 6, "withdrawn": [name not in ("sms", "email", "phone") for name in CHANNELS[1:]]},
    }
    return points(*EVERY, **faults[kind])


def test_every_rule_has_a_debtor_whom_it_bars() -> None:
    assert list(BARRED) == [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", list(BARRED))
def test_each_rule_takes_the_last_slot_of_some_channel(rule: str) -> None:
    assert rule in left_by(rule, BARRED[rule])[1]


@pytest.mark.parametrize("fault", ["ended", "withdrawn", "unverified", "a child's"])
@pytest.mark.parametrize("rule", list(BARRED))
def test_each_rule_stays_barred_when_a_contact_point_that_fails_is_added(rule: str, fault: str) -> None:
    before, _ = left_by(rule, BARRED[rule])
    added = replace(BARRED[rule], points=with_points(BARRED[rule].points, failing_points(fault)))
    after, _ = left_by(rule, added)
    assert (after == before).all()


POINT_RULES = ("no_contact_point", "unverified_point", "point_not_private", "school_hours", "consent_withdrawn")


@pytest.mark.parametrize("rule", [rule for rule in BARRED if rule not in POINT_RULES])
def test_a_rule_that_is_not_about_points_stays_barred_whatever_point_is_added(rule: str) -> None:
    before, _ = left_by(rule, BARRED[rule])
    added = replace(BARRED[rule], points=with_points(BARRED[rule].points, points(*EVERY)))
    assert (left_by(rule, added)[0] <= before).all()


def earlier(until_us: Any, moment_us: Any, rng: np.random.Generator) -> Any:
    """Half of the instants brought forward to `moment_us`; those that came before it stay."""
    return np.where(rng.random(len(until_us)) < 0.5, np.minimum(until_us, moment_us), until_us)


def later(situation: Situation, rng: np.random.Generator) -> Any:
    """An instant of each debtor, up to four days from `as_of` on."""
    return situation.as_of_us + rng.integers(0, 4, situation.size) * DAY_US


def one_more(situation: Situation, rng: np.random.Generator) -> Made:
    """The contacts with one more of each debtor, by phone, over all of its claims."""
    old, size = situation.made, situation.size
    start, claim = len(old.debtor), np.arange(len(situation.claims.debtor))
    return Made(
        debtor=np.concatenate([old.debtor, np.arange(size)]),
        channel=np.concatenate([old.channel, np.full(size, CHANNELS.index("phone"), dtype=np.int16)]),
        send_us=np.concatenate([old.send_us, later(situation, rng)]),
        statutory=np.concatenate([old.statutory, np.zeros(size, dtype=bool)]),
        link_contact=np.concatenate([old.link_contact, start + situation.claims.debtor]),
        link_claim=np.concatenate([old.link_claim, claim]),
    )


HINDRANCES: dict[str, Any] = {
    "blocked_us": lambda s, rng: earlier(s.blocked_us, s.as_of_us + DAY_US, rng),
    "cease_us": lambda s, rng: earlier(s.cease_us, s.as_of_us, rng),
    "opted_out": lambda s, rng: s.opted_out | (rng.random(s.opted_out.shape) < 0.3),
    "wrong_person": lambda s, rng: s.wrong_person | (rng.random(s.wrong_person.shape) < 0.3),
    "birth_day": lambda s, rng: np.full(s.size, NO_DAY, dtype=np.int32),
    # Of whole debtors: a claim that is held alone no longer binds the contact over the others.
    "claims": lambda s, rng: replace(
        s.claims, disputed=s.claims.disputed | (rng.random(s.size) < 0.5)[s.claims.debtor]
    ),
    "last_sent_us": lambda s, rng: np.maximum(s.last_sent_us, later(s, rng)),
    "talked_us": lambda s, rng: np.maximum(s.talked_us, s.as_of_us - 1),
    "clicked_us": lambda s, rng: np.maximum(s.clicked_us, s.as_of_us - 1),
    "inbound_us": lambda s, rng: np.maximum(s.inbound_us, s.as_of_us - 1),
    "made": one_more,
    "points": lambda s, rng: replace(s.points, verified=s.points.verified & (rng.random(len(s.points.debtor)) < 0.5)),
}


@pytest.mark.parametrize("packs", [PACKS, DENSE], ids=["shipped", "dense"])
@settings(max_examples=60, deadline=None)
@given(situation=situations(size=8), name=st.sampled_from(sorted(HINDRANCES)), seed=st.integers(0, 99))
def test_no_further_hindrance_ever_opens_an_action(packs: Packs, situation: Situation, name: str, seed: int) -> None:
    hindered = replace(situation, **{name: HINDRANCES[name](situation, np.random.default_rng(seed))})
    before = contact_mask(situation, grid=GRID, packs=packs)
    after = contact_mask(hindered, grid=GRID, packs=packs)
    assert (after.allowed <= before.allowed).all()
    assert (after.covered <= before.covered).all()


@settings(max_examples=40, deadline=None)
@given(situation=situations(size=8))
def test_a_channel_has_a_reason_exactly_when_it_has_no_slot(situation: Situation) -> None:
    mask = contact_mask(situation, grid=GRID, packs=DENSE)
    for debtor in range(situation.size):
        open_channels = {GRID.channels[code] for code in GRID.channel[mask.allowed[debtor]]} - {"none"}
        assert open_channels.isdisjoint(channel for channel, _ in mask.blocked(debtor))
        assert len(open_channels) + len(mask.blocked(debtor)) == len(CHANNELS) - 1


@settings(max_examples=30, deadline=None)
@given(situation=situations(size=20), seed=st.integers(0, 99))
def test_whoever_chooses_never_takes_a_barred_action(situation: Situation, seed: int) -> None:
    mask = contact_mask(situation, grid=GRID, packs=PACKS)
    chances = explore_probabilities(mask.allowed, grid=GRID, p_none=0.2)
    assert np.abs(chances.sum(axis=1) - 1).max() < 1e-9
    assert (chances[~mask.allowed] == 0).all()
    rows = np.arange(situation.size)
    past = IncumbentWithRandomSlice(GRID, PACKS, control=ControlSettings())
    chosen = {
        "explore": draw(chances, np.random.default_rng(seed).random(situation.size)),
        "control": control_actions(situation, mask, settings=ControlSettings(), grid=GRID),
        "past": past.choose(situation, mask.allowed, rng=np.random.default_rng(seed)).action,
    }
    for name, action in chosen.items():
        assert mask.allowed[rows, action].all(), name


def test_a_policy_that_wants_the_loudest_action_of_all_gets_nothing_forbidden() -> None:
    crowd = random_situation(np.random.default_rng(99), size=20_000)
    mask = contact_mask(crowd, grid=GRID, packs=PACKS)
    wish = np.where(GRID.channel == CHANNELS.index("phone"), 10.0, 1.0) + np.abs(GRID.hour - 12) / 24
    action = np.argmax(np.where(mask.allowed, wish, -1.0), axis=1)
    called = GRID.channel[action] == CHANNELS.index("phone")
    assert called.any()
    hour = GRID.hour[action[called]]
    assert hour.min() >= 8
    assert hour.max() <= 20
    countries = np.array([place.country for place in crowd.places])[crowd.place]
    assert not np.isin(countries[action > 0], ["FR", "XX"]).any()
    assert not (crowd.opted_out[np.arange(crowd.size), GRID.channel[action]] & (action > 0)).any()
