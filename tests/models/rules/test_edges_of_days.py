"""Where one day ends and the next begins: a day of 25 hours, a holiday in one zone only, hours that meet, a week with a Saturday."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from data.action_grid import ActionGrid
from data.situation import Situation
from data.times import to_us
from data.vocabulary import CHANNELS
from models.rules.mask import contact_mask
from models.rules.pack import FOLDER, Pack, Packs, parse_pack, read_packs
from models.rules.pack_told import hours_told
from models.rules.windows import open_hours
from tests.dense_packs import cap, plain_packs
from tests.situations import claims, made, one_debtor

CLAIM = (0, 50.0, 20_000)


def always_open(pack: Pack, **changes: object) -> Pack:
    """The pack with calls and letters at all hours of all days, closed on holidays."""
    window = replace(
        pack.windows[0], channels=("phone", "letter"), weekdays=tuple(range(7)), from_hour=0, to_hour=24, holidays=False,
        regions=(),
    )  # fmt: skip
    return replace(pack, windows=(window,), **changes)  # type: ignore[arg-type] # fields by name


def labels(situation: Situation, packs: Packs, *, grid: ActionGrid, channel: str) -> list[str]:
    mask = contact_mask(situation, grid=grid, packs=packs)
    found = np.flatnonzero(mask.allowed[0] & (grid.channel == CHANNELS.index(channel)))
    return [grid.label(one).removeprefix(f"{channel}@") for one in found.tolist()]


def test_on_a_day_of_25_hours_a_contact_at_midnight_still_counts_in_its_last_hour() -> None:
    grid = ActionGrid(CHANNELS, days=1, hours=(23,))
    last_hour = datetime(2026, 10, 25, 22, 0, tzinfo=UTC)  # 23:00 in Stockholm, 24 hours after midnight
    midnight = to_us(datetime(2026, 10, 24, 22, 0, tzinfo=UTC))
    packs = plain_packs()
    once = {**packs, "SE": always_open(packs["SE"], caps=(cap(1, 1, "letter"),))}
    free = one_debtor(last_hour, claims=claims(CLAIM))
    assert labels(free, once, grid=grid, channel="letter") == ["0T23"]
    written = replace(free, made=made((0, "letter", midnight)))
    assert labels(written, once, grid=grid, channel="letter") == []


def test_a_holiday_in_one_of_the_zones_is_enough() -> None:
    grid = ActionGrid(CHANNELS, days=2, hours=(2, 12))
    packs = plain_packs()
    eve = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)  # the morning of Labor Day in New York
    someone = one_debtor(eve, place=("US", None, None), claims=claims(CLAIM))
    # At two in the morning of the 8th it is still Labor Day in Hawaii.
    assert labels(someone, {**packs, "US": always_open(packs["US"])}, grid=grid, channel="phone") == ["1T12"]


def test_two_windows_of_a_day_may_meet_but_not_overlap() -> None:
    document = tomllib.loads((FOLDER / "SE.toml").read_text(encoding="utf-8"))
    first = next(row for row in document["windows"] if "phone" in row["channels"])
    at = document["windows"].index(first)
    document["windows"][at : at + 1] = [{**first, "to": 12}, {**first, "from": 12}]
    windows = parse_pack(document, where="SE.toml").windows
    assert [(one.from_hour, one.to_hour) for one in windows if "phone" in one.channels] == [(8, 12), (12, 20)]


def test_the_overview_gives_monday_saturday_and_holidays() -> None:
    packs = read_packs()
    assert hours_told(packs["NO"], "phone") == "08-21 / 09-15 / none"
    first = next(one for one in packs["NO"].windows if "phone" in one.channels)
    week = tuple(
        replace(first, weekdays=(day,), from_hour=8 + day, holidays=True, channels=("phone",)) for day in range(7)
    )
    assert hours_told(replace(packs["NO"], windows=week), "phone") == "08-21 / 13-21 / 14-21"


def test_a_state_that_is_known_has_its_own_hours() -> None:
    brazil = read_packs()["BR"]

    def calls(region: str | None) -> tuple[list[int], list[int]]:
        hours = open_hours(brazil, region, channels=("phone",), on_holidays=False)[0]
        return np.flatnonzero(hours[0]).tolist(), np.flatnonzero(hours[5]).tolist()

    assert calls("BR-SP") == (list(range(8, 20)), list(range(8, 14)))
    assert calls("BR-RJ") == (list(range(9, 19)), [])
    assert calls(None) == (list(range(9, 19)), [])


def test_where_the_state_is_not_known_the_narrowest_hours_of_any_hold() -> None:
    brazil = read_packs()["BR"]
    narrow = tuple(replace(one, from_hour=10, to_hour=12) if "BR-SP" in one.regions else one for one in brazil.windows)
    found = open_hours(replace(brazil, windows=narrow), None, channels=("phone",), on_holidays=False)[0, 0]
    assert np.flatnonzero(found).tolist() == [10, 11]
