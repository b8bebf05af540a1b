"""`[policy]` in rettid.toml: typed, its ranges told, and nothing changed where it is left out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from data.config import BadConfiguration, Config, parse_config
from data.policy_settings import KINDS, PolicySettings


def test_left_out_the_choice_is_greedy_without_dial_and_budget() -> None:
    found = parse_config({}).policy
    assert found == PolicySettings("greedy", harm_budget_eur=0.0, least_value_eur=0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_with_its_settings(kind: str) -> None:
    found = parse_config({"policy": {"kind": kind, "temperature_eur": 2, "floor": 0.01, "harm_days": 14}}).policy
    assert found == PolicySettings(kind, temperature_eur=2.0, floor=0.01, harm_days=14)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kind": "boltzmann"}, "expected one of greedy, softmax, thompson, came 'boltzmann'"),
        ({"temprature_eur": 1.0}, "no key 'temprature_eur': it knows kind, temperature_eur"),
        ({"temperature_eur": 0.0}, "expected EUR above 0, came 0.0"),
        ({"temperature_eur": "warm"}, "expected something like 1.0, came 'warm'"),
        ({"floor": 0.0}, "expected a chance above 0"),
        ({"kind": "softmax", "floor": 0.06}, "19 cells .* cannot have 0.06 each: at most 0.053"),
        ({"harm_budget_eur": -1.0}, "harm_budget_eur: expected EUR, 0 or more, came -1.0"),
        ({"harm_days": 0}, "harm_days: expected at least 1, came 0"),
        ({"least_value_eur": float("inf")}, "least_value_eur: expected EUR, 0 or more, came inf"),
        ({"least_value_eur": float("nan")}, "least_value_eur: expected EUR, 0 or more, came nan"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_what_was_expected(given: dict[str, object], told: str) -> None:
    with pytest.raises(BadConfiguration, match=told):
        parse_config({"policy": given})


def test_a_floor_is_held_against_the_cells_of_the_grid_in_force() -> None:
    small = {"grid": {"channels": ["none", "sms"], "hours": [10]}, "control": {"steps": []}}
    assert parse_config({**small, "policy": {"kind": "softmax", "floor": 0.5}}).policy.floor == 0.5
    with pytest.raises(BadConfiguration, match=r"at most 0\.500"):
        parse_config({**small, "policy": {"kind": "softmax", "floor": 0.51}})


def test_the_fingerprint_is_that_of_before_until_the_table_says_more_than_its_defaults() -> None:
    without = Config().as_dict()
    del without["policy"], without["caps"]
    without["capacity"] = {}
    assert parse_config({"policy": {"kind": "greedy"}}).fingerprint == Config().fingerprint
    plain = json.dumps(without, sort_keys=True).encode()
    assert Config().fingerprint == hashlib.sha256(plain).hexdigest()[:16]  # what logs held before the tables were there
    other = [replace(Config(), policy=PolicySettings(kind, floor=0.01)) for kind in KINDS]
    assert len({one.fingerprint for one in [Config(), *other]}) == 1 + len(KINDS)
