"""The tenant's ladder: which step, which channel, which slot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.config import BadConfiguration, ControlSettings, ControlStep, GridSettings, parse_config
from data.situation import Situation
from data.times import DAY_US, to_day, to_us
from models.control import control_actions
from models.rules.mask import Mask, contact_mask
from models.rules.pack import read_packs
from tests.situations import MONDAY, channels, claims, one_debtor, points, random_situation

GRID = ActionGrid.of(GridSettings())
PACKS = read_packs()
LADDER = ControlSettings()
TODAY = to_day(MONDAY.date())


def chosen(situation: Situation, settings: ControlSettings = LADDER) -> str:
    mask = contact_mask(situation, grid=GRID, packs=PACKS)
    return GRID.label(int(control_actions(situation, mask, settings=settings, grid=GRID)[0]))


def owing(age_days: int, eur: float = 200.0, **changes: Any) -> Situation:
    return one_debtor(claims=claims((0, eur, TODAY - age_days)), **changes)


@pytest.mark.parametrize(
    ("age_days", "expected"),
    [
        (-11, "none"),
        (-10, "email@0T10"),
        (0, "email@0T10"),
        (1, "sms@0T10"),
        (15, "letter@0T08"),
        (30, "sms@0T16"),
        (45, "phone@0T10"),
        (90, "letter@0T08"),
        (120, "phone@0T14"),
        (365, "phone@0T14"),
        (366, "none"),
    ],
)
def test_the_step_follows_the_age_of_the_claim(age_days: int, expected: str) -> None:
    assert chosen(owing(age_days, paid_claims=np.array([2]), paid_late=np.array([2]))) == expected


@pytest.mark.parametrize("age_days", [-10, 0])
def test_a_claim_that_is_not_due_is_left_alone_unless_its_debtor_uses_to_pay_late(age_days: int) -> None:
    assert chosen(owing(age_days)) == "none"


def test_the_oldest_covered_claim_counts_and_a_held_one_does_not() -> None:
    both = claims((0, 10.0, TODAY - 100), (0, 10.0, TODAY - 2))
    assert chosen(one_debtor(claims=both)) == "letter@0T08"
    held = replace(both, held=np.array([True, False]))
    assert chosen(one_debtor(claims=held)) == "sms@0T10"


def test_small_sums_are_not_called_about() -> None:
    assert chosen(owing(50, eur=99.99)) == "letter@0T10"
    assert chosen(owing(50, eur=100.0)) == "phone@0T10"


def test_nobody_is_contacted_again_before_the_gap_is_over() -> None:
    last = to_us(MONDAY) - 12 * DAY_US
    assert chosen(replace(owing(5), last_contact_us=np.array([last + 1]))) == "none"
    assert chosen(replace(owing(5), last_contact_us=np.array([last]))) == "sms@0T10"


def test_the_next_channel_is_taken_where_the_first_is_barred() -> None:
    assert chosen(replace(owing(5), opted_out=channels("sms"))) == "email@0T10"
    assert chosen(replace(owing(5), opted_out=channels("sms", "email"))) == "none"


def test_the_first_allowed_day_and_the_hour_nearest_to_the_step_s_are_taken() -> None:
    late = replace(owing(5), as_of_us=np.array([to_us(datetime(2026, 3, 6, 12, 30, tzinfo=UTC))]))  # Friday 13:30
    assert chosen(late) == "sms@0T14"
    evening = replace(owing(5), as_of_us=np.array([to_us(datetime(2026, 3, 6, 19, 30, tzinfo=UTC))]))
    assert chosen(evening) == "sms@3T10"  # Monday
    between = ControlSettings(steps=(ControlStep(0, ("sms",), 9),))
    assert chosen(owing(5), between) == "sms@0T08"  # 08 and 10 are equally near: the earlier


def test_the_ladder_stays_inside_the_mask_and_repeats_itself() -> None:
    crowd = random_situation(np.random.default_rng(1), size=2_000)
    mask = contact_mask(crowd, grid=GRID, packs=PACKS)
    action = control_actions(crowd, mask, settings=LADDER, grid=GRID)
    assert mask.allowed[np.arange(crowd.size), action].all()
    assert (action == control_actions(crowd, mask, settings=LADDER, grid=GRID)).all()
    assert len(set(GRID.channel[action].tolist())) >= 4


def by_a_plain_loop(situation: Situation, mask: Mask, settings: ControlSettings, debtor: int) -> int:
    """The ladder's action, looked for slot by slot."""
    mine = np.flatnonzero((situation.claims.debtor == debtor) & mask.covered)
    since_us = situation.as_of_us[debtor] - situation.last_contact_us[debtor]
    if not len(mine) or (situation.last_contact_us[debtor] > 0 and since_us < settings.gap_days * DAY_US):
        return 0
    age_days = mask.slots.first_day[mask.slots.of_debtor[debtor]] - situation.claims.due_day[mine].min()
    reached = [rung for rung in settings.steps if rung.days_past_due <= age_days]
    if not reached or age_days > settings.give_up_days:
        return 0
    called = situation.claims.outstanding_eur[mine].sum() >= settings.phone_from_eur
    for name in reached[-1].channels:
        code = GRID.channels.index(name)
        found = [one for one in np.flatnonzero(mask.allowed[debtor]).tolist() if GRID.channel[one] == code]
        if found and (called or name != "phone"):
            return int(
                min(found, key=lambda one: (GRID.day[one], abs(GRID.hour[one] - reached[-1].hour), GRID.hour[one]))
            )
    return 0


@pytest.mark.parametrize(
    "settings", [LADDER, ControlSettings(steps=(ControlStep(-900, ("phone", "sms", "email"), 13),))]
)
def test_the_ladder_is_that_of_a_plain_loop(settings: ControlSettings) -> None:
    rng = np.random.default_rng(5)
    crowd = random_situation(rng, size=300)
    whole = contact_mask(crowd, grid=GRID, packs=PACKS)
    allowed = rng.random(whole.allowed.shape) < rng.choice([0.0, 0.01, 0.2], crowd.size)[:, None]
    mask: Mask = replace(whole, allowed=allowed, covered=rng.random(len(whole.covered)) < 0.8)
    told = control_actions(crowd, mask, settings=settings, grid=GRID)
    assert told.tolist() == [by_a_plain_loop(crowd, mask, settings, debtor) for debtor in range(crowd.size)]
    assert len(set(told.tolist())) > 9


def test_a_narrower_mask_is_respected() -> None:
    situation = owing(5)
    mask = contact_mask(situation, grid=GRID, packs=PACKS)
    only_email = mask.allowed & np.isin(GRID.channel, [0, 2])
    narrow: Mask = replace(mask, allowed=only_email)
    assert GRID.label(int(control_actions(situation, narrow, settings=LADDER, grid=GRID)[0])) == "email@0T10"


def test_nobody_to_contact_gives_nothing_to_do() -> None:
    assert chosen(one_debtor(claims=claims())) == "none"
    assert chosen(one_debtor(points=points())) == "none"


@pytest.mark.parametrize("channel", ["none", "fax"])
def test_a_rung_names_contacts_of_the_grid_only(channel: str) -> None:
    with pytest.raises(BadConfiguration, match=rf"not among the contacts of the grid: \['{channel}'\]"):
        parse_config({"control": {"steps": [{"days_past_due": 10, "channels": [channel]}]}})
