"""Action features: the same for a contact that was made and for a cell of the grid."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.action_grid import NO_ACTION, ActionGrid, slots
from data.calendar import bank_day_after, days_since_pay_day, letter_lead_days
from data.config import GridSettings
from data.times import to_day, to_us
from data.vocabulary import CHANNELS
from features.action import CalendarClass, Sending, action_matrix, grid_actions, sent
from features.catalogue import action_features, names
from features.columns import worded
from tests.situations import random_situation

GRID = ActionGrid.of(GridSettings())
LETTER = CHANNELS.index("letter")
COLUMNS = names(action_features())


def calendar_of(country: list[str], pay_day: np.ndarray) -> CalendarClass:
    words, code = worded(pa.chunked_array([country]))
    return CalendarClass(words, code, pay_day)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_contact_made_at_a_slot_of_the_grid_has_the_features_of_that_cell(seed: int) -> None:
    rng = np.random.default_rng(seed)
    crowd = random_situation(rng, size=6)
    learned = rng.choice([-1, 1, 25, 31], crowd.size).astype(np.int16)
    of = calendar_of([crowd.places[row].country for row in crowd.place], learned)
    zone = np.array([crowd.places[row].zones[0] for row in crowd.place], dtype=object)
    times = slots(GRID, places=crowd.places, place=crowd.place, as_of_us=crowd.as_of_us)
    cells = grid_actions(GRID, times, of=of)
    for debtor in range(crowd.size):
        size = GRID.size
        as_of_us = np.full(size, crowd.as_of_us[debtor])
        send_us = times.send_us[times.of_debtor[debtor]]
        made = sent(GRID.channel, send_us, as_of_us=as_of_us, zone=np.full(size, zone[debtor], dtype=object))
        matrix = action_matrix(
            made,
            letter=LETTER,
            of=CalendarClass(of.countries, np.full(size, of.country[debtor]), np.full(size, learned[debtor])),
        )
        np.testing.assert_array_equal(matrix, cells.matrix[cells.of_debtor[debtor]])


def one(
    channel: str, send_at: datetime, *, as_of: datetime, learned: int = -1, country: str = "SE"
) -> dict[str, float]:
    made = sent(
        np.array([CHANNELS.index(channel)], dtype=np.int16),
        np.array([to_us(send_at)]),
        as_of_us=np.array([to_us(as_of)]),
        zone=np.array(["Europe/Stockholm"], dtype=object),
    )
    matrix = action_matrix(
        made,
        letter=LETTER,
        of=calendar_of([country], np.array([learned])),
    )
    return dict(zip(COLUMNS, matrix[0].tolist(), strict=True))


SUNDAY_NIGHT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


def test_no_contact_has_no_feature_but_its_channel() -> None:
    found = one("none", SUNDAY_NIGHT, as_of=SUNDAY_NIGHT)
    assert found.pop("channel") == 0
    assert np.isnan(list(found.values())).all()


def test_the_none_row_of_the_grid_has_no_feature_but_its_channel() -> None:
    crowd = random_situation(np.random.default_rng(1), size=20)
    times = slots(GRID, places=crowd.places, place=crowd.place, as_of_us=crowd.as_of_us)
    of = calendar_of([crowd.places[row].country for row in crowd.place], np.full(20, -1))
    cells = grid_actions(GRID, times, of=of)
    assert (cells.matrix[:, NO_ACTION, 0] == 0).all()
    assert np.isnan(cells.matrix[:, NO_ACTION, 1:]).all()
    assert np.isfinite(cells.matrix[:, NO_ACTION + 1 :]).all()


def test_hour_and_weekday_are_those_on_the_debtors_clock() -> None:
    found = one("sms", datetime(2026, 3, 3, 23, 5, tzinfo=UTC), as_of=SUNDAY_NIGHT)
    assert (found["hour"], found["weekday"], found["days_ahead"]) == (0, 2, 2)  # Wednesday; as_of is Monday there


def test_a_letter_counts_when_it_arrives_and_a_message_when_it_is_sent() -> None:
    send_at = datetime(2026, 3, 24, 7, 0, tzinfo=UTC)
    arrives = bank_day_after("SE", date(2026, 3, 24), count=letter_lead_days("SE"))
    letter = one("letter", send_at, as_of=SUNDAY_NIGHT, learned=25)["arrival_since_pay_day"]
    message = one("sms", send_at, as_of=SUNDAY_NIGHT, learned=25)["arrival_since_pay_day"]
    pay_day = np.array([25])
    assert letter == days_since_pay_day("SE", np.array([to_day(arrives)]), day_of_month=pay_day)[0]
    assert message == days_since_pay_day("SE", np.array([to_day(send_at.date())]), day_of_month=pay_day)[0]
    assert letter < message


@pytest.mark.parametrize("grid", [ActionGrid(("none", "sms"), days=2, hours=(9, 18)), GRID])
def test_debtors_of_one_calendar_class_share_one_matrix(grid: ActionGrid) -> None:
    crowd = random_situation(np.random.default_rng(3), size=40)
    times = slots(grid, places=crowd.places, place=crowd.place, as_of_us=crowd.as_of_us)
    learned = np.array([25, -1] * 20, dtype=np.int16)
    of = calendar_of([crowd.places[row].country for row in crowd.place], learned)
    cells = grid_actions(grid, times, of=of)
    keys = list(zip(times.of_debtor.tolist(), of.country.tolist(), learned.tolist(), strict=True))
    assert len(set(zip(cells.of_debtor.tolist(), keys, strict=True))) == len(set(keys))
    assert len(cells.matrix) == len({one.tobytes() for one in cells.matrix}) == len(set(cells.keys))
    assert sorted(set(cells.of_debtor.tolist())) == list(range(len(cells.matrix)))


def test_where_the_grid_has_no_letters_nothing_is_posted() -> None:
    sending = Sending(np.array([4]), np.array([8]), np.array([20_000]), np.array([20_000]))
    of = calendar_of(["SE"], np.array([-1]))
    posted = action_matrix(sending, letter=4, of=of)
    at_once = action_matrix(sending, letter=-1, of=of)
    since = days_since_pay_day("SE", np.array([20_000]), day_of_month=np.array([-1]))[0]
    column, lead = COLUMNS.index("arrival_since_pay_day"), COLUMNS.index("lead_days")
    assert at_once[0, column] == since
    assert posted[0, column] != since
    assert (at_once[0, lead], posted[0, lead] > 0) == (0, True)


@pytest.mark.parametrize(("day", "expected"), [(date(2026, 12, 25), 1.0), (date(2026, 12, 28), 0.0)])
def test_a_message_that_arrives_on_a_public_holiday_is_marked(day: date, expected: float) -> None:
    send_at = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    assert one("sms", send_at, as_of=send_at)["holiday"] == expected


def test_a_letter_is_marked_by_the_day_it_arrives_and_by_its_way_there() -> None:
    send_at = datetime(2026, 12, 22, 8, tzinfo=UTC)
    arrives = bank_day_after("SE", send_at.date(), count=letter_lead_days("SE"))
    found = one("letter", send_at, as_of=send_at)
    assert found["lead_days"] == (arrives - send_at.date()).days
    assert found["arrival_to_pay_day"] >= 0
