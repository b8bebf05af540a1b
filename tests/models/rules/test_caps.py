"""Caps, day by day: what is counted, over which days, for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.situation import RECALL_DAYS, Situation
from data.times import DAY_US, to_us
from data.vocabulary import CHANNELS
from models.rules.mask import contact_mask
from models.rules.pack import BadPack, Cap, Packs
from tests.dense_packs import cap, plain_packs
from tests.situations import MONDAY, claims, made, one_debtor

GRID = ActionGrid(CHANNELS, days=7, hours=(10, 18))
PLAIN = plain_packs()
AT = to_us(MONDAY)  # 2 March 2026, half past seven in Sweden
CLAIM = (0, 50.0, 20_400)


def capped(*caps: Cap, country: str = "SE") -> Packs:
    return {**PLAIN, country: replace(PLAIN[country], caps=caps)}


def days_of(situation: Situation, packs: Packs, channel: str = "letter") -> list[int]:
    """Days from today with an allowed slot of a channel; letters may go on every day."""
    mask = contact_mask(situation, grid=GRID, packs=packs)
    return sorted(set(GRID.day[mask.allowed[0] & (GRID.channel == CHANNELS.index(channel))].tolist()))


def sent(*days: float, channel: str = "letter", **changes: Any) -> Situation:
    """One debtor with contacts so many days before or after now."""
    return one_debtor(made=made(*((0, channel, AT + int(day * DAY_US)) for day in days)), **changes)


@pytest.mark.parametrize(
    ("contacts", "most", "days", "left"),
    [
        ((), 1, 1, [0, 1, 2, 3, 4, 5, 6]),
        ((0.1,), 1, 1, [1, 2, 3, 4, 5, 6]),
        ((-0.1,), 1, 1, [1, 2, 3, 4, 5, 6]),  # at five this morning
        ((-1,), 1, 1, [0, 1, 2, 3, 4, 5, 6]),
        ((-1,), 1, 3, [2, 3, 4, 5, 6]),
        ((3.1,), 1, 1, [0, 1, 2, 4, 5, 6]),  # planned for Thursday
        ((3.1,), 1, 2, [0, 1, 5, 6]),
        ((3.1,), 1, 3, [0, 6]),
        ((-6, -3), 2, 7, [1, 2, 3, 4, 5, 6]),
        ((-6, -3), 3, 7, [0, 1, 2, 3, 4, 5, 6]),
        ((-6, -3, 0.1), 3, 7, [1, 2, 3, 4, 5, 6]),
        ((-1, 1.1), 2, 3, [2, 3, 4, 5, 6]),  # yesterday and tomorrow: today would be the third in three days
        ((-1, 1.1), 2, 2, [0, 1, 2, 3, 4, 5, 6]),
        ((-30, -29), 2, 31, [1, 2, 3, 4, 5, 6]),
        ((-31, -29), 2, 31, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_day_is_barred_where_some_run_of_days_with_it_is_full(
    contacts: tuple[float, ...], most: int, days: int, left: list[int]
) -> None:
    assert days_of(sent(*contacts), capped(cap(most, days))) == left


def test_channels_of_a_cap_are_counted_together_and_others_not() -> None:
    packs = capped(cap(1, 1, "letter", "email"))
    assert days_of(sent(0.1, channel="email"), packs) == [1, 2, 3, 4, 5, 6]
    assert days_of(sent(0.1, channel="portal"), packs) == [0, 1, 2, 3, 4, 5, 6]
    assert days_of(sent(0.1), packs, "portal") == [0, 1, 2, 3, 4, 5, 6]


def test_each_of_several_caps_holds() -> None:
    packs = capped(cap(1, 1), cap(2, 4, "letter"))
    assert days_of(sent(-1, 1.1), packs) == [3, 4, 5, 6]
    assert days_of(sent(-1, 1.1), packs, "email") == [0, 2, 3, 4, 5, 6]


def test_letters_that_the_law_prescribes_are_not_counted() -> None:
    statutory = replace(sent(0.1), made=made((0, "letter", AT + 1), statutory=[True]))
    assert days_of(statutory, capped(cap(1, 1))) == [0, 1, 2, 3, 4, 5, 6]


def test_a_contact_through_a_channel_that_the_grid_has_not_is_taken_for_one_of_the_cap() -> None:
    unknown = replace(sent(0.1), made=replace(made((0, "letter", AT + 1)), channel=np.array([-1], dtype=np.int16)))
    grid = ActionGrid(tuple(name for name in CHANNELS if name != "phone"), days=1, hours=(10,))
    flags = np.zeros((1, len(grid.channels)), dtype=bool)
    unknown = replace(
        unknown,
        opted_out=flags,
        wrong_person=flags,
        claims=replace(unknown.claims, first_sent_us=np.ones((1, len(grid.channels)), dtype=np.int64)),
        points=replace(
            unknown.points,
            channel=np.minimum(unknown.points.channel, len(grid.channels) - 1).astype(np.int16),
        ),
    )
    for channels, barred in ((("letter", "phone"), True), (("letter", "sms"), False)):
        mask = contact_mask(unknown, grid=grid, packs=capped(cap(1, 1, *channels)))
        assert (("letter", "cap_per_debtor") in mask.blocked(0)) == barred


def test_a_contact_counts_on_the_debtors_own_date() -> None:
    late = to_us(datetime(2026, 3, 2, 23, 30, tzinfo=UTC))  # half past midnight to Tuesday in Sweden
    assert days_of(one_debtor(made=made((0, "letter", late))), capped(cap(1, 1))) == [0, 2, 3, 4, 5, 6]


def test_where_the_zone_is_not_certain_the_highest_count_holds() -> None:
    # 06:30 UTC on Tuesday is Tuesday in New York and still Monday in Honolulu.
    at, sent_us = datetime(2026, 3, 2, 15, tzinfo=UTC), to_us(datetime(2026, 3, 3, 6, 30, tzinfo=UTC))
    packs = capped(cap(1, 1), country="US")
    for zone, left in (
        ("America/New_York", [0, 2, 3, 4, 5, 6]),
        ("Pacific/Honolulu", [1, 2, 3, 4, 5, 6]),
        (None, [2, 3, 4, 5, 6]),
    ):
        debtor = one_debtor(at, place=("US", None, zone), made=made((0, "letter", sent_us)))
        assert days_of(debtor, packs, "phone") == left, zone


BOTH = (CLAIM, CLAIM)


def test_a_cap_by_claim_counts_the_contacts_that_covered_it() -> None:
    packs = capped(cap(2, 2, scope="claim"))
    contacts = ((0, "letter", AT + 1), (0, "letter", AT + 2))
    everywhere = one_debtor(claims=claims(*BOTH), made=made(*contacts, links=((0, 0), (1, 0))))
    apart = one_debtor(claims=claims(*BOTH), made=made(*contacts, links=((0, 0), (1, 1))))
    assert days_of(everywhere, packs) == [2, 3, 4, 5, 6]
    assert days_of(apart, packs) == [0, 1, 2, 3, 4, 5, 6]


def test_a_claim_at_its_cap_that_is_not_covered_binds_nobody() -> None:
    packs = capped(cap(1, 2, scope="claim"))
    contact = made((0, "letter", AT + 1), links=((0, 0),))
    held = claims(*BOTH, held=[True, False])
    assert days_of(one_debtor(claims=held, made=contact), packs) == [0, 1, 2, 3, 4, 5, 6]
    assert days_of(one_debtor(claims=claims(*BOTH), made=contact), packs) == [2, 3, 4, 5, 6]


def test_contacts_of_one_debtor_do_not_count_for_another() -> None:
    assert days_of(one_debtor(made=made()), capped(cap(1, 7))) == [0, 1, 2, 3, 4, 5, 6]
    mask = contact_mask(sent(0.1), grid=GRID, packs=capped(cap(1, 7)))
    assert {rule for _, rule in mask.blocked(0)} == {"cap_per_debtor"}


@pytest.mark.parametrize("scope", ["debtor", "claim"])
def test_a_cap_of_no_contacts_shuts_its_channels(scope: str) -> None:
    mask = contact_mask(one_debtor(), grid=GRID, packs=capped(cap(0, 1, "phone", "sms", scope=scope)))
    assert dict(mask.blocked(0)) == dict.fromkeys(("phone", "sms"), f"cap_per_{scope}")


def test_a_cap_over_more_days_than_contacts_are_told_for_is_refused() -> None:
    with pytest.raises(BadPack, match="at most 31 days"):
        contact_mask(sent(0.1), grid=GRID, packs=capped(cap(9, RECALL_DAYS)))
