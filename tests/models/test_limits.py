"""The portfolio under its limits: never exceeded by any arm, prices before draws, and no probability for what was given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from data.capacity_settings import CapacitySettings
from data.config import Config
from data.policy_settings import PolicySettings
from data.times import from_us
from models.arms import CHAMPION, CONTROL, EXPLORE
from models.decide import Decided, Weighed, settle, weigh
from models.limits import Allotted, allot
from models.plan import Plan, outlook, plan_of, together
from models.prepare import Asks
from tests.deciding import PACKS, FormulaModel, arms, asks_of, bundle_of, by_everything, rows_of
from tests.portfolios import histories
from tests.strategies import START, random_tables

WEDNESDAY = START + timedelta(days=287, hours=6)
FOUND = histories(random_tables(21, debtors=220))
BUNDLE = bundle_of(FOUND, FormulaModel(by_everything))
MIXED = arms(control=0.2, explore=0.2, champion=0.6)


def config_of(shares: Config = MIXED, policy: PolicySettings | None = None, **limits: Any) -> Config:
    return replace(shares, capacity=CapacitySettings(**limits), policy=policy or PolicySettings())


def portfolio(config: Config, *, parts: int = 1) -> Callable[[], Iterator[Weighed]]:
    asks = asks_of(FOUND, WEDNESDAY)

    def every() -> Iterator[Weighed]:
        for rows in np.array_split(np.arange(len(asks.debtor)), parts):
            some = Asks(asks.debtor[rows], asks.as_of_us[rows])
            yield weigh(FOUND, some, champion=BUNDLE, config=config, packs=PACKS)

    return every


def allotted(config: Config, *, parts: int = 1, taken: dict[str, float] | None = None, draws: bool = False) -> Allotted:
    return allot(portfolio(config, parts=parts), settings=config.capacity, taken=taken or {}, draws=draws)


def night(config: Config, **how: Any) -> tuple[Decided, Allotted]:
    found = allotted(config, **how)
    (weighed,) = portfolio(config)()
    return settle(weighed, found.limits), found


def contacts(decided: Decided) -> list[tuple[str, datetime]]:
    """Channel and instant of sending of every contact, read off the rows."""
    return [(row["channel"], row["send_at"]) for row in rows_of(decided) if row["lead"] and row["channel"] != "none"]


def per_day(decided: Decided, channel: str) -> Counter[Any]:
    return Counter(at.astimezone(UTC).date() for name, at in contacts(decided) if name == channel)


def favourite() -> str:
    """The channel that is contacted through most where nothing is limited."""
    (weighed,) = portfolio(MIXED)()
    return Counter(name for name, _ in contacts(settle(weighed))).most_common(1)[0][0]


CHANNEL = favourite()
OTHER = "phone" if CHANNEL != "phone" else "letter"


@pytest.mark.parametrize(
    ("kind", "near"), [("greedy", "at least 100.0% of the best possible"), ("softmax", "choices are drawn at prices")]
)
def test_limits_that_nobody_reaches_change_nothing(kind: str, near: str) -> None:
    config = config_of(policy=PolicySettings(kind, floor=0.01), per_day={CHANNEL: 10_000})
    (weighed,) = portfolio(config)()
    free = settle(weighed)
    under, found = night(config, draws=kind != "greedy")
    assert (under.choice.action == free.choice.action).all()
    assert (under.choice.action_probability == free.choice.action_probability).all()
    assert found.lines() == [f"limits: {len(found.resources)} in force, 0 bind; {near}"]


def test_a_draw_that_finds_room_keeps_its_exact_chance() -> None:
    config = config_of(policy=PolicySettings("softmax", floor=0.01), per_day={CHANNEL: 0})
    under, _ = night(config, draws=True)
    gave_way = np.isnan(under.choice.action_probability)
    assert gave_way.any()
    assert (under.choice.action[gave_way] == 0).all()
    asked = (
        (under.prepared.allowed.sum(axis=1) > 1) & (under.choice.arm == CHAMPION) & ~under.prepared.situation.vulnerable
    )
    chance = under.choice.action_probability[asked & ~gave_way]
    assert ((chance > 0) & (chance < 1)).all()


def test_a_minimum_out_of_reach_is_told_of_and_has_no_price() -> None:
    _, found = night(config_of(creditor_minimum={FOUND.creditors[0]: 10_000}))
    assert found.lines()[-1].endswith("contacts short of its minimum of 10,000")
    assert not any("worth" in line for line in found.lines())
    (plain,) = [one for one in found.as_dict()["limits"] if one["short"]]  # type: ignore[attr-defined] # plain values
    assert (plain["price_eur"], plain["binding"]) == (0.0, False)


@pytest.mark.parametrize("kind", ["greedy", "softmax"])
@pytest.mark.parametrize("most", [0, 1, 3])
def test_no_day_has_more_contacts_than_its_limit_whichever_arm_sends_them(kind: str, most: int) -> None:
    config = config_of(policy=PolicySettings(kind, floor=0.01), per_day={CHANNEL: most, OTHER: 2})
    (weighed,) = portfolio(config)()
    before = settle(weighed)
    under, _ = night(config, draws=kind != "greedy")
    assert max(per_day(before, CHANNEL).values()) > most
    assert max(per_day(under, CHANNEL).values(), default=0) <= most
    assert max(per_day(under, OTHER).values(), default=0) <= 2


def test_what_is_given_instead_has_no_probability_and_what_is_chosen_at_prices_has_one() -> None:
    config = config_of(per_day={CHANNEL: 2})
    (weighed,) = portfolio(config)()
    free, (under, _) = settle(weighed), night(config)
    gave_way = np.isnan(under.choice.action_probability)
    drawn = np.isin(under.choice.arm, (CONTROL, EXPLORE))
    assert (under.choice.action[gave_way & drawn] == 0).all()
    assert (under.choice.action[~gave_way & drawn] == free.choice.action[~gave_way & drawn]).all()
    assert (under.choice.action_probability[~gave_way & (under.choice.arm == CHAMPION)] == 1).all()
    moved = (under.choice.action != free.choice.action) & ~gave_way
    assert moved.any()  # prices moved them, before anything was drawn
    null = [row["action_probability"] for row in rows_of(under) if row["channel"] != "none"]
    assert all(one is None or one > 0 for one in null)


def test_a_portfolio_in_parts_is_decided_as_the_whole() -> None:
    config = config_of(per_day={CHANNEL: 2}, per_hour={"phone": 1}, budget_eur_per_day=6.0)
    one, other = allotted(config), allotted(config, parts=5)
    assert one.limits.given == other.limits.given
    assert one.limits.prices == pytest.approx(other.limits.prices)
    assert one.limits.fingerprint == allotted(config).limits.fingerprint


def test_contacts_that_stand_leave_less_room() -> None:
    config = config_of(per_day={CHANNEL: 3})
    _, first = night(config)
    days = [one.name for one in first.resources if one.name.startswith(f"{CHANNEL}@")]
    under, found = night(config, taken=dict.fromkeys(days, 2.0))
    assert max(per_day(under, CHANNEL).values(), default=0) <= 1
    assert found.value_eur < first.value_eur


def test_a_budget_holds_for_every_day() -> None:
    under, _ = night(config_of(budget_eur_per_day=3.0))
    spent: Counter[Any] = Counter()
    for row, action in enumerate(under.choice.action.tolist()):
        if action:
            day = from_us(under.send_us(row, action)).date()
            spent[day] += under.price.cost[row, under.prepared.grid.channel[action]]
    assert spent
    assert max(spent.values()) <= 3.0 + 1e-9


def test_a_creditor_gets_the_contacts_it_was_promised() -> None:
    limits = {"per_day": dict.fromkeys(("sms", "email", "digital_mailbox", "letter", "phone", "portal"), 1)}
    creditor = max(FOUND.creditors, key=lambda name: -_reached(night(config_of(**limits))[0], name))
    before = _reached(night(config_of(**limits))[0], creditor)
    after = _reached(night(config_of(**limits, creditor_minimum={creditor: before + 2}))[0], creditor)
    assert after >= before + 2


def _reached(decided: Decided, creditor: str) -> int:
    prepared = decided.prepared
    words = np.array(FOUND.creditors, dtype=object)[FOUND.claims.creditor[prepared.targets.claim]]
    here = prepared.covered & (words == creditor)
    return len({row for row in prepared.targets.moment[here].tolist() if decided.choice.action[row]})


def test_the_price_list_tells_what_one_more_is_worth() -> None:
    _, found = night(config_of(per_day={CHANNEL: 2}))
    assert found.limits.prices
    assert found.lines()[1].startswith(f"one more {CHANNEL}@")
    assert {one["name"] for one in found.as_dict()["limits"] if one["binding"]} == set(found.limits.prices)  # type: ignore[index,attr-defined] # plain values


def test_a_plan_adds_up_and_is_what_the_rows_say() -> None:
    config = config_of(per_day={CHANNEL: 2})
    found = allotted(config)
    whole = planned(night(config)[0])
    parts = together([planned(settle(one, found.limits)) for one in portfolio(config, parts=4)()])
    assert _plain(parts) == pytest.approx(_plain(whole))
    rows = rows_of(night(config)[0])
    assert whole.contacts == sum(row["lead"] and row["channel"] != "none" for row in rows)
    assert int(whole.claims) == len(rows)
    in_eur = {row["claim_id"]: row["expected_value"] * _rate(row["currency"]) for row in rows}
    assert float(whole.value_eur) == pytest.approx(sum(in_eur.values()))
    assert whole.by_hour.sum() == whole.contacts
    assert int(whole.displaced) > 0


def planned(decided: Decided) -> Plan:
    return plan_of(decided, outlook(decided))


def _rate(currency: str) -> float:
    return MIXED.rates.on(currency, 20_000).amount


def _plain(plan: Plan) -> list[float]:
    return np.concatenate([np.ravel(one) for one in vars(plan).values()]).astype(float).tolist()
