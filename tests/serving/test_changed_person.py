"""What comes to be known of the person, or of the tenant's own caps, between a decision and its sending."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.small_service import ONE_ARM, SmallService, small_service

PERSON = {
    "debtor_id": "s1",
    "country": "SE",
    "time_zone": "Europe/Stockholm",
    "registered_at": "2026-01-05T12:00:00Z",
    "birth_date": "1979-04-30",
}
EXPLORE = ONE_ARM.replace("explore = 0.0", "explore = 1.0").replace("champion = 1.0", "champion = 0.0")
EXPLORE += "\n[explore]\nnone = 0.01\n"
CAPS = ONE_ARM + "\n[caps]\nsms = { most = 1, days = 3 }\n"


def confirmed(service: SmallService, told: dict[str, Any]) -> tuple[int, str | None]:
    answer = service.client.post(f"/v1/decisions/{told['decision_id']}/confirm")
    return answer.status_code, answer.json().get("reason")


def objects(service: SmallService) -> None:
    service.tell("debtors", **PERSON, objected_at=service.clock().isoformat())


def becomes_vulnerable(service: SmallService) -> None:
    service.tell("debtors", **PERSON, vulnerable_from=service.clock().isoformat())


@pytest.mark.parametrize(
    ("configuration", "event", "reason"),
    [(ONE_ARM, objects, "objected"), (EXPLORE, becomes_vulnerable, "vulnerable")],
)
def test_a_decision_that_the_person_may_no_longer_get_is_not_sent_and_made_anew(
    tmp_path: Path, configuration: str, event: Callable[[SmallService], None], reason: str
) -> None:
    with small_service(tmp_path, configuration=configuration) as service:
        first = service.ask()
        assert first["channel"] != "none"
        service.clock.advance(minutes=1)
        event(service)
        service.clock.advance(minutes=1)
        assert confirmed(service, first) == (409, reason)
        again = service.ask()
        assert not again["reused"]
        assert not again["explored"]


def test_a_vulnerable_person_may_still_get_what_was_not_drawn(tmp_path: Path) -> None:
    with small_service(tmp_path) as service:
        first = service.ask()
        service.clock.advance(minutes=1)
        becomes_vulnerable(service)
        service.clock.advance(minutes=1)
        assert confirmed(service, first) == (200, None)


def test_leave_to_send_is_refused_where_the_tenant_s_own_cap_is_reached_since(tmp_path: Path) -> None:
    with small_service(tmp_path, configuration=CAPS) as service:
        first = service.ask(not_before="2026-03-12T06:00:00Z")
        assert first["channel"] == "sms"
        other = {"contact_id": "desk", "debtor_id": "s1", "claim_id": "k1", "channel": "sms", "policy": "desk"}
        now = service.clock().isoformat()
        service.tell("contacts", **other, decided_at=now, send_at="2026-03-11T10:00:00Z")
        service.clock.advance(minutes=1)
        assert confirmed(service, first) == (409, "cap_per_debtor")
        assert not service.ask()["reused"]
