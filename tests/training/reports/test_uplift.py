"""What contact adds over none: near the truth where it was drawn, refused with its reason where it was not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.config import Config
from data.times import to_us
from tests.training.reports.long_world import long_world
from tests.training.reports.worlds import at, decision, log_of, payment, portfolio_of
from training.reports.experiment import CHAMPION
from training.reports.facts import Facts, facts_of
from training.reports.uplift import EXPLORE, channel_effects, none_weights, over_none

UNCAPPED = float("inf")


def explored(day: float, channel: str, chance: float | None, **more: Any) -> dict[str, Any]:
    given = {"channel": channel, "channel_probability": chance, "action_probability": chance}
    return decision("e", "e/0", day=day, arm="explore", arm_probability=0.05, explored=True, **given, **more)


def weights(*rows: dict[str, Any]) -> tuple[float, bool]:
    log = log_of([*rows, decision("c", "c/0", arm="control", arm_probability=0.1), decision("m", "m/0")])
    portfolio = portfolio_of(log, payments=[payment("c/0", 30, 1)])
    facts = facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(30)))
    here = facts.entrants.arm == EXPLORE
    weight, undrawn = none_weights(facts.entrants.debtor[here], facts.entrants.entered_us[here], facts, days=14)
    return float(weight[0]), bool(undrawn[0])


def test_a_debtor_left_alone_by_lot_several_times_weighs_one_over_the_product_of_the_chances() -> None:
    assert weights(explored(0, "none", 0.5), explored(3, "none", 0.2))[0] == pytest.approx(10)
    assert weights(explored(0, "none", 0.5), explored(20, "sms", 0.2))[0] == pytest.approx(2)


def test_a_debtor_who_could_not_have_been_contacted_weighs_one() -> None:
    assert weights(explored(0, "none", 1.0)) == (1.0, False)


def test_a_contact_weighs_nothing_and_one_without_a_draw_is_told_of() -> None:
    assert weights(explored(0, "none", 0.5), explored(3, "sms", 0.2)) == (0.0, False)
    assert weights(explored(0, "sms", 1.0)) == (0.0, True)
    assert weights(explored(0, "none", None)) == (0.0, True)


def test_a_decision_that_was_replaced_does_not_count() -> None:
    first = explored(0, "none", 0.5)
    log = log_of([first, explored(3, "sms", 0.2), decision("c", "c/0", arm="control", arm_probability=0.1),
                  decision("m", "m/0")])  # fmt: skip
    replaced = log.append_column("status", [["decided", "replaced", "decided", "decided"]])
    portfolio = portfolio_of(log, payments=[payment("c/0", 30, 1)])
    facts = facts_of(replaced, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(30)))
    here = facts.entrants.arm == EXPLORE
    weight, _ = none_weights(facts.entrants.debtor[here], facts.entrants.entered_us[here], facts, days=14)
    assert weight.tolist() == [2.0]


@pytest.fixture(scope="module")
def facts() -> Facts:
    return long_world(debtors=6000, rng=np.random.default_rng(11), effect=0.2, lift=0.1)


def test_the_champion_over_none_is_near_the_truth(facts: Facts) -> None:
    found = over_none(facts.entrants, facts, days=14, cap_eur=UNCAPPED)
    # A payer is who pays on any of one or two claims; per claim the champion adds 0.2, and 0.1 to the 60 % it contacts.
    assert not found.refusal
    assert found.debtors_paid.low < 0.33 < found.debtors_paid.high
    assert found.recovered_eur.low > 0


def test_channels_drawn_by_lot_have_an_effect_and_those_never_drawn_a_reason(facts: Facts) -> None:
    found = {one.channel: one for one in channel_effects(facts.entrants, facts, days=14)}
    assert found["phone"].refusal == "too_few"
    for name in ("sms", "email"):
        assert not found[name].refusal
        assert found[name].debtors_paid.low < 0.13 < found[name].debtors_paid.high


def test_where_a_channel_was_shut_a_debtor_tells_nothing_about_it(facts: Facts) -> None:
    shut = [[{"channel": "email", "rule": "no_address"}]] * facts.decisions.num_rows
    place = facts.decisions.column_names.index("blocked")
    field = facts.decisions.schema.field("blocked")
    table = facts.decisions.set_column(place, field, [shut])
    found = {one.channel: one for one in channel_effects(facts.entrants, replace(facts, decisions=table), days=14)}
    assert (found["email"].left, found["email"].refusal) == (0, "too_few")
    assert found["sms"].left > 0


def test_without_debtors_left_alone_there_is_no_number_but_a_reason() -> None:
    few = long_world(debtors=120, rng=np.random.default_rng(12))
    assert over_none(few.entrants, few, days=14, cap_eur=UNCAPPED).refusal == "too_few"
    alone = few.entrants.only(few.entrants.arm != EXPLORE)
    assert over_none(alone, few, days=14, cap_eur=UNCAPPED).refusal == "no_explore"
    assert (alone.arm == CHAMPION).any()
