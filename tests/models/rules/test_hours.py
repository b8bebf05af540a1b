"""Quiet hours and holidays, day by day, at places where they are easy to get wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.vocabulary import CHANNELS
from models.rules.mask import contact_mask
from models.rules.pack import read_packs
from tests.situations import claims, one_debtor

HOURS = ActionGrid(CHANNELS, days=2, hours=tuple(range(24)))
PACKS = read_packs()
Asked = tuple[str, str | None, str | None]


def hours_of(place: Asked, day: date, channel: str = "phone") -> list[int]:
    """Allowed local hours of a day, asked in the early morning of the day before."""
    eve = datetime(day.year, day.month, day.day, 10, 0, tzinfo=UTC).timestamp() - 86_400
    situation = one_debtor(datetime.fromtimestamp(eve, UTC), place=place, claims=claims((0, 50.0, 20_000)))
    mask = contact_mask(situation, grid=HOURS, packs=PACKS)
    first = int(mask.slots.first_day[0])
    ahead = day.toordinal() - date(1970, 1, 1).toordinal() - first
    wanted = (HOURS.channel == CHANNELS.index(channel)) & (HOURS.day == ahead)
    return np.sort(HOURS.hour[mask.allowed[0] & wanted]).tolist()


def span(start: int, end: int) -> list[int]:
    return list(range(start, end))


SE, NO, DK, FI, DE, GB, US, BR = ((country, None, None) for country in ("SE", "NO", "DK", "FI", "DE", "GB", "US", "BR"))


@pytest.mark.parametrize(
    ("place", "day", "expected"),
    [
        (SE, date(2026, 3, 3), span(8, 20)),
        (SE, date(2026, 3, 7), []),  # Saturday
        (SE, date(2026, 6, 19), []),  # Midsummer Eve
        (NO, date(2026, 3, 3), span(8, 21)),
        (NO, date(2026, 3, 7), span(9, 15)),  # Saturday
        (NO, date(2026, 3, 8), []),  # Sunday
        (NO, date(2026, 4, 4), []),  # Easter Saturday
        (DK, date(2026, 3, 7), span(8, 16)),
        (DK, date(2026, 6, 5), []),  # Constitution Day
        (FI, date(2026, 6, 19), []),
        (DE, date(2026, 1, 6), []),  # Epiphany in some states, state not known
        (("DE", "DE-BE", None), date(2026, 1, 6), span(8, 20)),
        (("DE", "DE-BY", None), date(2026, 1, 6), []),
        (GB, date(2026, 3, 7), span(9, 17)),
        (GB, date(2026, 1, 2), []),  # a holiday in Scotland, nation not known
        (("GB", "GB-ENG", None), date(2026, 1, 2), span(8, 21)),
        (("US", "US-CA", None), date(2026, 12, 25), span(8, 21)),  # federal hours hold on all days
        (("BR", "BR-SP", None), date(2026, 3, 7), span(8, 14)),
        (("BR", "BR-RJ", None), date(2026, 3, 7), []),
        (("BR", "BR-MG", None), date(2026, 3, 3), span(9, 19)),
        (("BR", "BR-ES", None), date(2026, 3, 3), span(8, 19)),
        (("BR", "BR-SP", None), date(2026, 2, 17), []),  # Carnival
    ],
)
def test_calls_are_allowed_in_exactly_these_local_hours(place: Asked, day: date, expected: list[int]) -> None:
    assert hours_of(place, day) == expected
    assert hours_of(place, day, "sms") == expected


@pytest.mark.parametrize("channel", ["email", "digital_mailbox", "portal", "letter"])
@pytest.mark.parametrize("day", [date(2026, 3, 3), date(2026, 3, 8), date(2026, 12, 25)])
def test_messages_without_a_sound_go_out_by_day_on_every_day(channel: str, day: date) -> None:
    assert hours_of(SE, day, channel) == span(8, 20)


def test_without_a_state_an_american_hour_must_be_lawful_from_new_york_to_hawaii() -> None:
    # 08:00 in Adak and Honolulu is 13:00 in New York in winter.
    assert hours_of(US, date(2026, 1, 13)) == span(13, 21)
    # In summer Honolulu stays behind: 08:00 there is 14:00 in New York.
    assert hours_of(US, date(2026, 7, 14)) == span(14, 21)


def test_without_a_state_a_brazilian_hour_must_be_lawful_in_every_state_and_zone() -> None:
    # 09:00 in Acre (-5) is 11:00 in São Paulo; 19:00 on Noronha (-2) is 18:00 there.
    assert hours_of(BR, date(2026, 3, 3)) == span(11, 18)
    assert hours_of(("BR", None, "America/Sao_Paulo"), date(2026, 3, 3)) == span(9, 19)


def test_a_state_in_two_zones_has_only_the_hours_of_both() -> None:
    assert hours_of(("US", "US-TN", None), date(2026, 3, 3)) == span(8, 20)  # labelled in Chicago


@pytest.mark.parametrize("night", [date(2026, 3, 29), date(2026, 10, 25)])
def test_letters_keep_their_hours_on_the_days_on_which_clocks_change(night: date) -> None:
    assert hours_of(NO, night, "letter") == span(8, 20)
