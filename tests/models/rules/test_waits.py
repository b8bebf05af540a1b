"""Waits, day by day: when the first slot is free again after an event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.situation import Situation
from data.times import DAY_US, to_day, to_us
from data.vocabulary import CHANNELS, STAGES
from models.rules.mask import barring_rule, contact_mask
from models.rules.pack import Packs, read_packs
from tests.dense_packs import in_writing, plain_packs, wait
from tests.situations import MONDAY, claims, one_debtor

GRID = ActionGrid(CHANNELS, days=21, hours=(10,))
PLAIN = plain_packs()
AT = to_us(MONDAY)  # 2 March 2026, half past seven in Sweden
CLAIM = (0, 50.0, 20_400)
NOTICE = STAGES.index("notice")


def said(country: str = "SE", **more: Any) -> Packs:
    return {**PLAIN, country: replace(PLAIN[country], **more)}


def first_day(situation: Situation, packs: Packs, channel: str = "letter", *, grid: ActionGrid = GRID) -> int | None:
    """Days from today to the first allowed slot of a channel; letters may go on every day."""
    mask = contact_mask(situation, grid=grid, packs=packs)
    days = grid.day[mask.allowed[0] & (grid.channel == CHANNELS.index(channel))]
    return int(days.min()) if len(days) else None


def at(day: int, hour: int = 12, month: int = 3) -> int:
    return to_us(datetime(2026, month, day, hour, tzinfo=UTC))


@pytest.mark.parametrize(
    ("rule", "free_again"),
    [
        (wait("contact", 14), 14),
        (wait("contact", 14, full=True), 15),  # day 14 itself is not allowed
        (wait("contact", 10, receipt=7), 17),
        (wait("contact", 1, "phone"), 0),  # another channel
        (wait("contact", 0), 0),
        (wait("contact", 5, bank=True), 7),  # Monday to Monday
        (wait("contact", 5, bank=True, full=True), 8),
        (wait("contact", 4, bank=True, receipt=5), 10),  # received on Saturday: Monday to Thursday
        (wait("click", 9), 0),
    ],
)
def test_contact_is_free_again_on_exactly_this_day_after_the_last_one(rule: Any, free_again: int) -> None:
    sent_today = one_debtor(last_sent_us=np.array([AT - 1]))
    assert first_day(sent_today, said(waits=(rule,))) == free_again


@pytest.mark.parametrize(
    ("rule", "days_ago"),
    [
        (wait("contact", 14), 13),
        (wait("contact", 14, full=True), 14),
        (wait("contact", 10, receipt=7), 16),
        (wait("contact", 10, bank=True), 13),  # sent on a Tuesday
        (wait("contact", 30, bank=True, full=True, receipt=3), 45),
    ],
)
def test_a_wait_holds_to_its_last_day(rule: Any, days_ago: int) -> None:
    sent = one_debtor(last_sent_us=np.array([AT - days_ago * DAY_US]))
    assert first_day(sent, said(waits=(rule,))) == 1


def test_bank_holidays_are_no_bank_days() -> None:
    maundy_thursday = datetime(2026, 4, 2, 5, 0, tzinfo=UTC)
    clicked = one_debtor(maundy_thursday, clicked_us=np.array([to_us(maundy_thursday) - 1]))
    assert first_day(clicked, said(waits=(wait("click", 1, bank=True),))) == 5  # Tuesday after Easter


def test_the_longest_of_several_waits_holds() -> None:
    talked = one_debtor(talked_us=np.array([AT - 1]))
    both = said(waits=(wait("conversation", 3), wait("conversation", 7, "letter", "phone")))
    assert (first_day(talked, both), first_day(talked, both, "email")) == (7, 3)


def test_a_contact_planned_for_a_day_to_come_bars_the_days_before_it_too() -> None:
    planned = one_debtor(last_sent_us=np.array([AT + 4 * DAY_US]))
    assert first_day(planned, said(waits=(wait("contact", 2),))) == 6


def test_a_day_begins_at_the_debtors_midnight() -> None:
    waits = said(waits=(wait("contact", 3),))
    just_before, just_after = at(1, 22), at(1, 23)  # 23:00 on Sunday and midnight to Monday in Sweden
    assert first_day(one_debtor(last_sent_us=np.array([just_before])), waits) == 2
    assert first_day(one_debtor(last_sent_us=np.array([just_after])), waits) == 3


def test_where_the_zone_is_not_certain_the_last_of_the_midnights_counts() -> None:
    # 05:30 UTC on Monday is still Sunday in Honolulu and Monday in New York; at 16:00 there it is day in all of the country.
    afternoon, packs = ActionGrid(CHANNELS, days=7, hours=(16,)), said("US", waits=(wait("contact", 3),))
    morning, sent_us = datetime(2026, 3, 2, 16, tzinfo=UTC), np.array([at(2, 5) + DAY_US // 48])
    for zone, free_again in (("America/New_York", 3), ("Pacific/Honolulu", 2), (None, 3)):
        sent = one_debtor(morning, place=("US", None, zone), last_sent_us=sent_us)
        assert first_day(sent, packs, grid=afternoon) == free_again, zone


@pytest.mark.parametrize(
    ("fact", "after"),
    [("talked_us", "conversation"), ("clicked_us", "click"), ("inbound_us", "inbound"), ("last_sent_us", "contact")],
)
def test_each_wait_counts_from_its_own_event_and_from_no_other(fact: str, after: str) -> None:
    situation = one_debtor(**{fact: np.array([AT - 1])})
    for name in ("conversation", "click", "inbound", "contact"):
        assert first_day(situation, said(waits=(wait(name, 4),))) == (4 if name == after else 0)


def stage(name: str, since: int, **columns: Any) -> Situation:
    return one_debtor(claims=claims(CLAIM, stage=[STAGES.index(name)], stage_us=[since], **columns))


PERIOD = said(waits=(wait("stage", 14, stages=("notice", "collection")),))


def test_a_claim_waits_from_the_beginning_of_a_stage_that_has_a_period() -> None:
    assert first_day(stage("notice", AT - 1), PERIOD) == 14
    assert first_day(stage("collection", AT - 4 * DAY_US), PERIOD) == 10
    assert first_day(stage("reminder", AT - 1), PERIOD) == 0


def test_a_later_statutory_letter_begins_the_period_anew() -> None:
    assert first_day(stage("notice", AT - 20 * DAY_US, statutory_us=[AT - DAY_US]), PERIOD) == 13
    assert first_day(stage("notice", AT - DAY_US, statutory_us=[AT - 20 * DAY_US]), PERIOD) == 13


def test_the_date_until_which_the_stage_runs_counts_where_it_is_later() -> None:
    today = to_day(date(2026, 3, 2))
    assert (
        first_day(stage("notice", AT - 9 * DAY_US, next_due_day=[today + 8]), PERIOD) == 9
    )  # open from the morning after
    assert first_day(stage("notice", AT - 9 * DAY_US, next_due_day=[today + 4]), PERIOD) == 5
    assert first_day(stage("notice", AT - 30 * DAY_US, next_due_day=[today]), PERIOD) == 1
    assert first_day(stage("notice", AT - 30 * DAY_US, next_due_day=[today - 1]), PERIOD) == 0
    assert first_day(stage("reminder", AT - 9 * DAY_US, next_due_day=[today + 8]), PERIOD) == 0


def test_a_channel_waits_for_every_claim_that_is_covered_and_for_no_other() -> None:
    two = claims(CLAIM, CLAIM, stage=[NOTICE, NOTICE], stage_us=[AT - 12 * DAY_US, AT - 3 * DAY_US])
    assert first_day(one_debtor(claims=two), PERIOD) == 11
    assert first_day(one_debtor(claims=replace(two, disputed=np.array([False, True]))), PERIOD) == 2


def test_nobody_is_called_about_a_claim_whose_stage_is_not_known() -> None:
    for stages, barred in (([-1, 0], True), ([0, 0], False)):
        told = claims(CLAIM, CLAIM, stage=stages)
        mask = contact_mask(one_debtor(claims=told), grid=GRID, packs=PLAIN)
        assert mask.blocked(0) == ([("phone", "statutory_period")] if barred else [])
    held = claims(CLAIM, CLAIM, stage=[-1, 0], held=[True, False])
    assert not contact_mask(one_debtor(claims=held), grid=GRID, packs=PLAIN).blocked(0)


@pytest.mark.parametrize("told", [*STAGES, None])
def test_a_statutory_letter_begins_the_period_whatever_stage_is_told(told: str | None) -> None:
    codes = [-1 if told is None else STAGES.index(told)]
    for sent_us, free in ((AT - DAY_US, 13), (AT - 14 * DAY_US, 0), (0, 0)):
        written = claims(CLAIM, stage=codes, stage_us=[AT - 60 * DAY_US], statutory_us=[sent_us])
        assert first_day(one_debtor(claims=written), PERIOD) == free


def test_of_several_periods_the_longest_holds_after_a_statutory_letter() -> None:
    both = said(waits=(wait("stage", 5, stages=("notice",)), wait("stage", 9, stages=("collection",))))
    assert first_day(stage("notice", AT - 60 * DAY_US, statutory_us=[AT - DAY_US]), both) == 8
    assert first_day(stage("notice", AT - DAY_US), both) == 4


def test_a_letter_that_goes_out_in_the_evening_leaves_the_last_day_in_full() -> None:
    evening = datetime(2026, 3, 2, 17, tzinfo=UTC)
    begun = claims(CLAIM, stage=[STAGES.index("collection")], stage_us=[to_us(evening)])
    assert first_day(one_debtor(evening, place=("DK", None, None), claims=begun), read_packs()) == 11


def test_the_shipped_packs_count_every_wait_that_a_law_or_a_bank_sets_in_full_days() -> None:
    waits = [(name, one) for name, pack in read_packs().items() for one in pack.waits if one.after != "inbound"]
    assert [(name, one.after, one.days) for name, one in waits if not one.full_days] == []
    assert len(waits) > 15


WRITTEN = said(in_writing=in_writing("letter", "email"))


def first_sent(**channels: int) -> Any:
    found = np.full((1, len(CHANNELS)), 2**63 - 1)
    for name, instant in channels.items():
        found[0, CHANNELS.index(name)] = instant
    return found


@pytest.mark.parametrize(
    ("sent", "free"),
    [
        ({}, None),
        ({"sms": 1, "portal": 1}, None),  # no form that counts
        ({"letter": AT - DAY_US}, 0),
        ({"letter": at(4, 9), "email": at(6)}, 3),  # on Wednesday at ten: with the slot, not before it
        ({"letter": at(4, 8)}, 2),
    ],
)
def test_a_call_waits_for_a_text_that_was_sent_before_it(sent: dict[str, int], free: int | None) -> None:
    debtor = one_debtor(claims=claims(CLAIM, first_sent_us=first_sent(**sent)))
    assert first_day(debtor, WRITTEN, "phone") == free
    assert first_day(debtor, WRITTEN, "email") == 0


def test_a_letter_that_the_law_prescribes_is_a_text() -> None:
    never = first_sent()
    told = claims(CLAIM, first_sent_us=never, first_statutory_us=[AT - DAY_US])
    assert first_day(one_debtor(claims=told), WRITTEN, "phone") == 0


def test_every_claim_must_have_been_written_about() -> None:
    both = np.concatenate([first_sent(letter=1), first_sent()])
    owed = claims(CLAIM, CLAIM, first_sent_us=both)
    assert first_day(one_debtor(claims=owed), WRITTEN, "phone") is None
    assert first_day(one_debtor(claims=replace(owed, held=np.array([False, True]))), WRITTEN, "phone") == 0


def test_the_rule_that_bars_one_slot_is_named_though_the_channel_has_others() -> None:
    packs = said(waits=(wait("click", 3),))
    clicked = one_debtor(clicked_us=np.array([AT - 1]))
    letters = [GRID.action_of(CHANNELS.index("letter"), day, 10) for day in (0, 2, 3)]
    found = [barring_rule(clicked, grid=GRID, packs=packs, debtor=0, action=action) for action in letters]
    assert found == ["payment_in_flight", "payment_in_flight", None]


@pytest.mark.parametrize(
    ("zone", "hours_left"),
    [("Europe/Stockholm", -1), ("America/Los_Angeles", 8), ("Pacific/Auckland", -13), (None, 10)],
)
def test_a_promise_holds_to_the_end_of_its_day_where_the_debtor_lives(zone: str | None, hours_left: int) -> None:
    # Without a zone, the day of an American ends last in Honolulu.
    country, until = "SE" if zone == "Europe/Stockholm" else "US", to_us(datetime(2026, 3, 3, tzinfo=UTC))
    for before_us, held in ((1, True), (0, False)):
        moment = datetime(2026, 3, 3, tzinfo=UTC) + timedelta(hours=hours_left, microseconds=-before_us)
        promised = claims(CLAIM, promised_until_us=[until])
        mask = contact_mask(one_debtor(moment, place=(country, None, zone), claims=promised), grid=GRID, packs=PLAIN)
        assert mask.covered.tolist() == [not held]
