"""The tenant's own caps: what is refused, and that a plan on top of a configuration keeps the rest of it."""

from __future__ import annotations

from typing import Any

import pytest

from data.company_caps import CompanyCap
from data.config import BadConfiguration, Config, parse_config


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"phone": 2}, "expected { most = 2, days = 7 }"),
        ({"phone": {"most": 2}}, "expected { most = 2, days = 7 }"),
        ({"phone": {"most": 2, "days": 0}}, "1 <= days <= 31"),
        ({"phone": {"most": True, "days": 7}}, "most = True"),
        ({"fax": {"most": 2, "days": 7}}, "no channel 'fax'"),
        ({"none": {"most": 2, "days": 7}}, "no channel 'none'"),
    ],
)
def test_what_is_no_cap_is_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(BadConfiguration, match=words):
        parse_config({"caps": table})


def test_caps_change_the_fingerprint_and_none_leaves_it() -> None:
    assert parse_config({"caps": {}}).fingerprint == Config().fingerprint
    assert parse_config({"caps": {"any": {"most": 2, "days": 7}}}).fingerprint != Config().fingerprint


def test_what_a_plan_does_not_say_stays_as_it_is_today() -> None:
    today = parse_config(
        {
            "costs": {"sms": 1.0},
            "capacity": {"per_day": {"phone": 3}, "budget_eur_per_day": 40},
            "arms": {"control": 0.2, "explore": 0.0, "champion": 0.8},
            "caps": {"sms": {"most": 1, "days": 7}},
        }
    )
    plan = parse_config({"costs": {"email": 0.5}, "capacity": {"per_day": {"phone": 9}}}, base=today)
    assert [plan.costs.on(name, 20_000).amount for name in ("sms", "email", "letter")] == [1.0, 0.5, 1.75]
    assert (plan.capacity.per_day, plan.capacity.budget_eur_per_day) == ({"phone": 9}, 40.0)
    assert (plan.arms, plan.caps) == (today.arms, {"sms": CompanyCap(1, 7)})
    assert parse_config({"explore": {"none": 0.3}}, base=today).explore.none == 0.3
