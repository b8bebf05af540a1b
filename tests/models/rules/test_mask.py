"""The mask against the naive loop, its reasons, and what each rule promises on one debtor."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from data.action_grid import ActionGrid
from data.config import GridSettings
from data.situation import Situation
from data.times import DAY_US, NO_DAY, to_day, to_us
from data.vocabulary import CHANNELS
from models.rules.mask import RULES, contact_mask, rules_version
from models.rules.pack import Packs, read_packs
from tests.dense_packs import dense_packs
from tests.models.rules.naive import ORDER, allowed
from tests.situations import MONDAY, channels, claims, made, one_debtor, points, random_situation, situations

GRID = ActionGrid.of(GridSettings())
ODD = ActionGrid(CHANNELS, days=2, hours=(0, 2, 7, 8, 13, 15, 19, 20, 21, 23))
PACKS = read_packs()
DENSE = dense_packs()
ELECTRONIC = ("sms", "email", "digital_mailbox", "phone", "portal")


def open_channels(situation: Situation, debtor: int = 0) -> set[str]:
    mask = contact_mask(situation, grid=GRID, packs=PACKS)
    return {GRID.channels[code] for code in GRID.channel[mask.allowed[debtor]]} - {"none"}


def reasons(situation: Situation) -> dict[str, str]:
    return dict(contact_mask(situation, grid=GRID, packs=PACKS).blocked(0))


@pytest.mark.parametrize("packs", [PACKS, DENSE], ids=["shipped", "dense"])
@settings(max_examples=25, deadline=None)
@given(situation=situations())
def test_every_action_is_allowed_exactly_where_a_naive_loop_allows_it(packs: Packs, situation: Situation) -> None:
    mask = contact_mask(situation, grid=ODD, packs=packs)
    assert mask.allowed[:, 0].all()
    for debtor in range(situation.size):
        for action in range(1, ODD.size):
            slot = {
                "channel": ODD.channels[ODD.channel[action]],
                "day": int(ODD.day[action]),
                "hour": int(ODD.hour[action]),
            }
            expected = allowed(situation, debtor, packs=packs, grid=ODD, **slot)  # type: ignore[arg-type] # three keys
            assert mask.allowed[debtor, action] == expected, (situation.places[situation.place[debtor]], slot)


@pytest.mark.parametrize("packs", [PACKS, DENSE], ids=["shipped", "dense"])
@settings(max_examples=8, deadline=None)
@given(situation=situations(size=2))
def test_the_reason_is_the_first_rule_that_took_the_last_slot(packs: Packs, situation: Situation) -> None:
    small = ActionGrid(CHANNELS, days=2, hours=(8, 13, 20))
    mask = contact_mask(situation, grid=small, packs=packs)
    for debtor in range(situation.size):
        given_reasons = dict(mask.blocked(debtor))
        for channel in CHANNELS[1:]:
            assert given_reasons.get(channel) == _first_reason(situation, debtor, channel, small, packs)


def _first_reason(situation: Situation, debtor: int, channel: str, grid: ActionGrid, packs: Packs) -> str | None:
    slots = [(day, hour) for day in range(grid.days) for hour in grid.hours]
    for upto in range(1, len(ORDER) + 1):
        active = ORDER[:upto]
        if not any(
            allowed(situation, debtor, channel=channel, day=day, hour=hour, packs=packs, grid=grid, active=active)
            for day, hour in slots
        ):
            return active[-1]
    return None


def test_a_debtor_whom_nothing_hinders_may_be_reached_through_every_channel() -> None:
    assert open_channels(one_debtor()) == set(CHANNELS[1:])
    assert reasons(one_debtor()) == {}


AT = to_us(MONDAY)
LATE_PAYER = {"paid_claims": np.array([2]), "paid_late": np.array([2])}
"""One whom nobody keeps from being reminded of a claim that is due today."""

DEBTOR_RULES: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("blocked", {"blocked_us": np.array([AT])}, CHANNELS[1:]),
    ("cease_requested", {"cease_us": np.array([AT - DAY_US])}, CHANNELS[1:]),
    ("stop_period", {"stop_until_us": np.array([AT + 8 * DAY_US])}, CHANNELS[1:]),
    ("no_open_claim", {"claims": claims()}, CHANNELS[1:]),
    ("minor", {"birth_day": np.array([to_day(date(2008, 3, 3))], dtype=np.int32)}, ELECTRONIC),
    ("minor", {"birth_day": np.array([NO_DAY], dtype=np.int32)}, ELECTRONIC),
    ("no_contact_point", {"points": points(known=False)}, ELECTRONIC),
    ("no_contact_point", {"points": points()}, CHANNELS[1:]),
    ("unverified_point", {"points": points(*((0, name) for name in CHANNELS[1:]), verified=[False] * 6)}, ELECTRONIC),
    (
        "point_not_private",
        {"points": points(*((0, n) for n in CHANNELS[1:]), kind=[1, 2, 3, 3, 3, 3])},
        ("sms", "email", "phone"),
    ),
    ("wrong_person", {"wrong_person": channels("phone")}, ("phone",)),
    ("disputed_claim", {"claims": claims((0, 10.0, 20_000), disputed=[True])}, CHANNELS[1:]),
    ("claim_on_hold", {"claims": claims((0, 10.0, 20_000), held=[True])}, CHANNELS[1:]),
    ("plan_kept", {"claims": claims((0, 10.0, 20_000), on_plan=[True])}, CHANNELS[1:]),
    ("promise_pending", {"claims": claims((0, 10.0, 20_000), promised_until_us=[AT + 1])}, CHANNELS[1:]),
    ("nothing_owed", {"claims": claims((0, 0.0, 20_000))}, CHANNELS[1:]),
    ("consent_withdrawn", {"points": points(*((0, n) for n in CHANNELS[1:]), withdrawn=[True] * 6)}, CHANNELS[1:]),
    ("opted_out", {"opted_out": channels("sms", "letter")}, ("sms", "letter")),
]


@pytest.mark.parametrize(("rule", "change", "barred"), DEBTOR_RULES)
def test_a_rule_bars_what_it_says_and_gives_its_name(
    rule: str, change: dict[str, Any], barred: tuple[str, ...]
) -> None:
    situation = one_debtor(**change)
    assert reasons(situation) == dict.fromkeys(barred, rule)
    assert open_channels(situation) == set(CHANNELS[1:]) - set(barred)


def test_nobody_is_contacted_in_a_country_without_a_pack() -> None:
    for place in (("XX", None, None), ("FR", None, "Europe/Paris")):
        assert reasons(one_debtor(place=place)) == dict.fromkeys(CHANNELS[1:], "unknown_country")


def test_a_channel_that_a_deployment_adds_is_barred_until_a_pack_names_it() -> None:
    grid = ActionGrid((*CHANNELS, "chat"), days=2, hours=(10,))
    situation = one_debtor()
    flags = np.zeros((1, len(grid.channels)), dtype=bool)
    situation = replace(situation, opted_out=flags, wrong_person=flags)
    chat = replace(points((0, "sms")), channel=np.array([7], dtype=np.int16))
    situation = replace(situation, points=chat)
    assert dict(contact_mask(situation, grid=grid, packs=PACKS).blocked(0))["chat"] == "channel_not_in_pack"


def test_a_stop_period_bars_the_slots_before_its_end_and_no_other() -> None:
    until = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)  # 10:00 in Sweden
    mask = contact_mask(one_debtor(stop_until_us=np.array([to_us(until)])), grid=GRID, packs=PACKS)
    letters = mask.allowed[0] & (GRID.channel == CHANNELS.index("letter"))
    first = int(np.flatnonzero(letters)[0])
    assert GRID.label(first) == "letter@2T10"


def test_a_point_that_ends_bars_the_slots_from_its_end_on() -> None:
    ends = to_us(datetime(2026, 3, 3, 9, 0, tzinfo=UTC))  # Tuesday 10:00 in Sweden
    mask = contact_mask(one_debtor(points=points((0, "phone"), valid_to_us=[ends])), grid=GRID, packs=PACKS)
    calls = np.flatnonzero(mask.allowed[0, 1:]) + 1
    assert [GRID.label(action) for action in calls] == [
        *(f"phone@0T{h:02d}" for h in (8, 10, 12, 14, 16, 18)),
        "phone@1T08",
    ]


def test_a_second_claim_keeps_the_contact_lawful_and_only_the_free_one_is_covered() -> None:
    situation = one_debtor(claims=claims((0, 10.0, 20_500), (0, 10.0, 20_500), disputed=[True, False]))
    mask = contact_mask(situation, grid=GRID, packs=PACKS)
    assert mask.covered.tolist() == [False, True]
    assert [mask.claim_barred(row) for row in (0, 1)] == ["disputed_claim", None]
    assert mask.blocked(0) == []


@pytest.mark.parametrize(("born", "electronic"), [((2008, 3, 2), True), ((2008, 3, 3), False)])
def test_eighteen_is_reached_on_the_birthday(born: tuple[int, int, int], electronic: bool) -> None:
    debt_today = claims((0, 10.0, to_day(MONDAY.date())))
    situation = one_debtor(birth_day=np.array([to_day(date(*born))], dtype=np.int32), claims=debt_today, **LATE_PAYER)
    assert ("sms" in open_channels(situation)) is electronic


def test_a_debt_from_before_the_eighteenth_birthday_is_written_about_by_letter_only() -> None:
    born = np.array([to_day(date(2000, 1, 1))], dtype=np.int32)
    old_debt = claims((0, 10.0, to_day(date(2017, 12, 31))), (0, 10.0, to_day(date(2026, 1, 1))))
    assert open_channels(one_debtor(birth_day=born, claims=old_debt)) == {"letter"}


def test_somebody_born_on_a_leap_day_is_eighteen_on_the_first_of_march() -> None:
    born = np.array([to_day(date(2008, 2, 29))], dtype=np.int32)
    for day, electronic in ((date(2026, 2, 28), False), (date(2026, 3, 1), True)):
        at = datetime(day.year, day.month, day.day, 5, 0, tzinfo=UTC)
        today = claims((0, 10.0, to_day(day)))
        assert ("email" in open_channels(one_debtor(at, birth_day=born, claims=today, **LATE_PAYER))) is electronic


def test_no_slot_in_the_past_is_left() -> None:
    at = datetime(2026, 3, 2, 11, 0, 0, 1, tzinfo=UTC)  # a microsecond past noon in Sweden
    mask = contact_mask(one_debtor(at), grid=GRID, packs=PACKS)
    today = mask.allowed[0] & (GRID.day == 0)
    assert GRID.hour[today].min() == 14


def test_the_same_debtor_gets_the_same_mask_alone_and_in_a_crowd() -> None:
    crowd = random_situation(np.random.default_rng(7), size=200)
    mask = contact_mask(crowd, grid=GRID, packs=DENSE)
    for row in range(0, 200, 17):
        alone = contact_mask(_only(crowd, row), grid=GRID, packs=DENSE)
        assert (alone.allowed[0] == mask.allowed[row]).all()
        assert alone.blocked(0) == mask.blocked(row)


def _only(crowd: Situation, row: int) -> Situation:
    per_debtor = {
        name: getattr(crowd, name)[[row]]
        for name in Situation.__dataclass_fields__
        if name not in ("places", "points", "claims", "made")
    }
    point, claim, sent = (table.debtor == row for table in (crowd.points, crowd.claims, crowd.made))
    link = sent[crowd.made.link_contact]

    def taken(table: Any, keep: Any) -> Any:
        whole = ("known", "link_contact", "link_claim")
        columns = {n: getattr(table, n)[keep] for n in table.__dataclass_fields__ if n not in whole}
        return replace(table, **{**columns, "debtor": np.zeros(int(keep.sum()), dtype=np.int64)})

    links = {
        "link_contact": (np.cumsum(sent) - 1)[crowd.made.link_contact[link]],
        "link_claim": (np.cumsum(claim) - 1)[crowd.made.link_claim[link]],
    }
    return replace(
        crowd,
        **per_debtor,
        points=taken(crowd.points, point),
        claims=taken(crowd.claims, claim),
        made=replace(taken(crowd.made, sent), **links),
    )


def test_nobody_at_all_is_a_mask_of_no_rows() -> None:
    nobody = random_situation(np.random.default_rng(0), size=1)
    columns = {
        n: getattr(nobody, n)[:0]
        for n in Situation.__dataclass_fields__
        if n not in ("places", "points", "claims", "made")
    }
    empty = replace(nobody, **columns, points=points(), claims=claims(), made=made())
    mask = contact_mask(empty, grid=GRID, packs=DENSE)
    assert mask.allowed.shape == (0, GRID.size)


def test_the_version_changes_with_a_pack_and_with_nothing_else() -> None:
    other = {**PACKS, "SE": replace(PACKS["SE"], source="another page")}
    assert rules_version(PACKS) == rules_version(read_packs())
    assert rules_version(PACKS) != rules_version(other)


def test_rules_stand_in_the_order_of_their_tiers() -> None:
    tiers = [rule.tier for rule in RULES]
    assert tiers == sorted(tiers, key=("stop", "identity", "legal", "preference", "policy").index)
    assert tuple(rule.name for rule in RULES) == ORDER


def test_a_mask_of_one_week_spans_seven_local_dates_over_a_clock_change() -> None:
    before = datetime(2026, 3, 26, 12, 0, tzinfo=UTC)
    mask = contact_mask(one_debtor(before), grid=GRID, packs=PACKS)
    noon = [mask.slots.send_us[0, GRID.action_of(1, day, 12)] for day in range(7)]
    gaps = np.diff(noon) / timedelta(hours=1).total_seconds() / 1e6
    assert gaps.tolist() == [24.0, 24.0, 23.0, 24.0, 24.0, 24.0]
