"""`[capacity]` in rettid.toml: typed, its ranges told, and nothing limited where it is left out."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, replace

import pytest

from data.capacity_settings import BadCapacity, CapacitySettings, fault, parse_capacity

CHANNELS = ("none", "sms", "phone")


def test_left_out_nothing_is_limited_and_a_third_of_text_messages_still_bring_someone_in() -> None:
    found = parse_capacity({})
    assert found == CapacitySettings()
    assert found.limits_nothing
    assert (found.inbound_share, found.inbound_hours, found.time_zone) == ({"sms": 0.31}, 3, "UTC")
    assert fault(found, channels=CHANNELS) == ""


def test_every_key_is_read_from_the_file_as_it_would_be_written() -> None:
    written = """
        budget_eur_per_day = 2_000
        inbound_per_hour = 40
        inbound_per_day = 250.5
        inbound_hours = 2
        time_zone = "Europe/Stockholm"
        per_day = { phone = 800, sms = 0 }
        [per_hour]
        phone = 120
        [inbound_share]
        sms = 0.2
        [creditor_minimum]
        c1 = 50
    """
    found = parse_capacity(tomllib.loads(written))
    assert found == CapacitySettings(
        per_day={"phone": 800, "sms": 0},
        per_hour={"phone": 120},
        budget_eur_per_day=2000.0,
        inbound_per_hour=40.0,
        inbound_per_day=250.5,
        inbound_share={"sms": 0.2},
        inbound_hours=2,
        creditor_minimum={"c1": 50},
        time_zone="Europe/Stockholm",
    )
    assert fault(found, channels=CHANNELS) == ""
    assert parse_capacity(asdict(found)) == found


@pytest.mark.parametrize(
    "given",
    [
        {"per_day": {"sms": 0}},
        {"per_hour": {"sms": 9}},
        {"budget_eur_per_day": 1.0},
        {"inbound_per_hour": 1},
        {"inbound_per_day": 1},
        {"creditor_minimum": {"c": 1}},
    ],
)
def test_each_limit_alone_limits_something(given: dict[str, object]) -> None:
    assert not parse_capacity(given).limits_nothing


def test_a_share_or_a_zone_alone_limits_nothing() -> None:
    assert parse_capacity({"inbound_share": {"sms": 1.0}, "inbound_hours": 4, "time_zone": "Asia/Tokyo"}).limits_nothing


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"per_dya": {}}, "no key 'per_dya': it knows per_day, per_hour"),
        ({"per_day": 5}, r"per_day: expected a table such as \{ sms = 1 \}, came 5"),
        ({"per_day": {"sms": 1.5}}, "per_day sms: expected a whole number, came 1.5"),
        ({"per_hour": {"sms": True}}, "per_hour sms: expected a whole number, came True"),
        ({"budget_eur_per_day": "much"}, "budget_eur_per_day: expected a number, came 'much'"),
        ({"inbound_share": {"sms": "a third"}}, "inbound_share sms: expected a number, came 'a third'"),
        ({"time_zone": 2}, "time_zone: expected a text such as 'Europe/Stockholm', came 2"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_was_expected(given: dict[str, object], told: str) -> None:
    with pytest.raises(BadCapacity, match=told):
        parse_capacity(given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"per_day": {"fax": 1}}, "per_day: no channel 'fax' on the grid: it has sms, phone"),
        ({"per_hour": {"none": 1}}, "per_hour: no channel 'none' on the grid"),
        ({"inbound_share": {"fax": 0.1}}, "inbound_share: no channel 'fax'"),
        ({"per_day": {"sms": -1}}, "per_day sms: expected contacts, 0 or more, came -1"),
        ({"creditor_minimum": {"c1": -2}}, "creditor_minimum c1: expected contacts, 0 or more, came -2"),
        ({"budget_eur_per_day": -1.0}, r"budget_eur_per_day: expected 0 \(no limit\) or more, came -1.0"),
        ({"inbound_per_day": float("inf")}, r"inbound_per_day: expected 0 \(no limit\) or more, came inf"),
        ({"inbound_per_hour": float("nan")}, r"inbound_per_hour: expected 0 \(no limit\) or more, came nan"),
        ({"inbound_share": {"sms": 1.1}}, "inbound_share sms: expected a share from 0 to 1, came 1.1"),
        ({"inbound_hours": 0}, "inbound_hours: expected 1 to 24, came 0"),
        ({"time_zone": "Mars/Olympus"}, "time_zone: expected a name such as 'Europe/Stockholm', came 'Mars/Olympus'"),
        ({"time_zone": "../etc"}, "time_zone: expected a name"),
    ],
)
def test_a_setting_out_of_range_is_told_with_what_was_expected(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        raise ValueError(fault(parse_capacity(given), channels=CHANNELS))


def test_a_limited_channel_may_not_bear_the_name_of_what_is_limited_beside_channels() -> None:
    settings = replace(CapacitySettings(), per_day={"inbound": 3})
    assert "cannot be called 'inbound'" in fault(settings, channels=(*CHANNELS, "inbound"))


def test_a_grid_without_text_messages_is_not_refused_for_a_default() -> None:
    assert fault(CapacitySettings(per_day={"phone": 1}), channels=("none", "phone")) == ""
