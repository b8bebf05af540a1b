"""Numbers that may be a child's, packs that have run out, and claims that are not due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.situation import Situation
from data.times import DAY_US, to_day, to_us
from data.vocabulary import CHANNELS
from models.rules.mask import contact_mask
from models.rules.pack import Packs
from tests.dense_packs import plain_packs, school
from tests.situations import MONDAY, claims, one_debtor, points

GRID = ActionGrid(CHANNELS, days=7, hours=(7, 8, 12, 15, 16, 18))
PLAIN = plain_packs()
TODAY = to_day(MONDAY.date())
SCHOOL = {**PLAIN, "SE": replace(PLAIN["SE"], school_hours=school(8, 16))}


def hours_of(situation: Situation, channel: str, day: int = 0, packs: Packs = SCHOOL) -> list[int]:
    mask = contact_mask(situation, grid=GRID, packs=packs)
    return GRID.hour[mask.allowed[0] & (GRID.channel == CHANNELS.index(channel)) & (GRID.day == day)].tolist()


def test_a_number_of_a_kind_not_known_is_left_alone_in_school_hours() -> None:
    unknown = one_debtor(points=points((0, "phone"), (0, "sms"), (0, "email"), kind=[-1, 0, -1]))
    assert hours_of(unknown, "phone") == [16, 18]
    assert hours_of(unknown, "sms") == [8, 12, 15, 16, 18]
    assert hours_of(unknown, "email") == [8, 12, 15, 16, 18]  # not a channel of the school hours


@pytest.mark.parametrize("kind", [-1, 1, 2, 3])
def test_what_is_known_not_to_be_private_is_no_better_off_in_school_hours_than_what_is_not_known(kind: int) -> None:
    named = replace(school(8, 16), channels=("portal",))
    packs = {**PLAIN, "SE": replace(PLAIN["SE"], school_hours=named)}
    assert hours_of(one_debtor(points=points((0, "portal"), kind=[kind])), "portal", packs=packs) == [16, 18]


def test_a_private_number_keeps_its_channel_open() -> None:
    two = one_debtor(points=points((0, "phone"), (0, "phone"), kind=[-1, 0]))
    assert hours_of(two, "phone") == [8, 12, 15, 16, 18]


def test_once_the_private_number_ends_the_school_hours_hold_for_the_other() -> None:
    until = to_us(MONDAY) + DAY_US
    two = one_debtor(points=points((0, "phone"), (0, "phone"), kind=[-1, 0], valid_to_us=[2**63 - 1, until]))
    assert [hours_of(two, "phone", day) for day in (0, 1, 2)] == [[8, 12, 15, 16, 18], [16, 18], [16, 18]]


def test_a_private_number_without_consent_is_no_help() -> None:
    two = one_debtor(points=points((0, "phone"), (0, "phone"), kind=[-1, 0], withdrawn=[False, True]))
    assert hours_of(two, "phone") == [16, 18]


def test_a_number_that_may_be_a_childs_is_never_called() -> None:
    assert hours_of(one_debtor(points=points((0, "phone"), kind=[3])), "phone") == []


def test_there_is_no_school_on_saturday() -> None:
    saturdays = {**SCHOOL, "NO": replace(PLAIN["NO"], school_hours=school(8, 16))}
    unknown = one_debtor(place=("NO", None, None), points=points((0, "phone"), kind=[-1]))
    assert hours_of(unknown, "phone", 5, saturdays) == [12]  # calls 09-15 on Saturdays there


def test_no_slot_is_left_after_the_last_day_of_a_pack() -> None:
    ends = {**PLAIN, "SE": replace(PLAIN["SE"], valid_to=date(2026, 3, 4))}
    open_days = [day for day in range(7) if hours_of(one_debtor(), "letter", day, ends)]
    assert open_days == [0, 1, 2]


def owing(left_days: int, **changes: Any) -> Situation:
    return one_debtor(claims=claims((0, 50.0, TODAY + left_days)), **changes)


def habit(paid: int, late: int) -> dict[str, Any]:
    return {"paid_claims": np.array([paid]), "paid_late": np.array([late])}


@pytest.mark.parametrize(
    ("left_days", "paid", "late", "covered"),
    [
        (-1, 0, 0, True),
        (0, 0, 0, False),  # may still be paid today
        (0, 2, 1, True),
        (0, 3, 1, False),  # less than half of them late
        (0, 1, 1, False),  # one is no habit
        (10, 2, 2, True),
        (11, 2, 2, False),
    ],
)
def test_a_claim_is_covered_from_the_day_after_it_fell_due_or_ten_days_ahead_for_late_payers(
    left_days: int, paid: int, late: int, covered: bool
) -> None:
    mask = contact_mask(owing(left_days, **habit(paid, late)), grid=GRID, packs=PLAIN)
    assert mask.covered.tolist() == [covered]
    assert mask.claim_barred(0) == (None if covered else "not_due")


def test_where_the_zone_is_not_certain_the_earlier_date_counts() -> None:
    place = ("US", None, None)
    for left_days, covered in ((-2, True), (-1, False)):
        mask = contact_mask(owing(left_days, place=place), grid=GRID, packs=PLAIN)
        assert mask.covered.tolist() == [covered]
