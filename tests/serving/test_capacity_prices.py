"""The service decides at the prices of the last night, and tells the true value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.small_service import NOW, ONE_ARM, SmallService, small_service

FEW = ONE_ARM + "\n[capacity.per_day]\nsms = 5\n"


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[SmallService]:
    with small_service(tmp_path, configuration=FEW) as found:
        yield found


def write_prices(service: SmallService, channel: str, price_eur: float) -> Path:
    path = service.workspace / "capacity" / "prices.json"
    path.parent.mkdir(exist_ok=True)
    days = [(NOW + timedelta(days=ahead)).date() for ahead in range(9)]
    limits = [{"name": f"{channel}@{day}", "price_eur": price_eur} for day in days]
    path.write_text(json.dumps({"as_of": NOW.isoformat(), "limits": limits}), encoding="utf-8")
    return path


def asked(service: SmallService) -> dict[str, object]:
    service.clock.advance(minutes=1)
    return service.ask(replace=True)


def test_a_channel_without_room_is_as_dear_for_the_service_as_for_the_night(limited: SmallService) -> None:
    before = asked(limited)
    path = write_prices(limited, "sms", 10_000.0)
    under = asked(limited)
    second = before["alternatives"][0]  # type: ignore[index] # a list
    assert (before["channel"], under["channel"]) == ("sms", second["channel"])
    assert under["action_probability"] == 1.0
    assert under["expected_value"] == pytest.approx(second["expected_value"], rel=1e-3)
    path.unlink()
    assert asked(limited)["channel"] == "sms"


def test_prices_of_days_gone_by_cost_nothing(limited: SmallService) -> None:
    write_prices(limited, "sms", 10_000.0)
    limited.clock.advance(days=10)
    assert asked(limited)["channel"] == "sms"


def test_a_broken_price_list_leaves_the_last_good_one_in_use(limited: SmallService) -> None:
    path = write_prices(limited, "sms", 10_000.0)
    under = asked(limited)["channel"]
    assert under != "sms"
    path.write_text('{"limits": 3}', encoding="utf-8")
    assert asked(limited)["channel"] == under


def test_without_limits_in_the_configuration_no_price_is_looked_at(service: SmallService) -> None:
    write_prices(service, "sms", 10_000.0)
    assert asked(service)["channel"] == "sms"
