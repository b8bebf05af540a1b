"""What a policy would have brought in: on logs whose truth is known because they were drawn here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest

from data.portfolio import Portfolio
from data.times import to_us
from features.columns import texts
from features.histories import histories_of
from models.arms import decision_ids
from models.decide import Decided, decide
from models.explore import draw, explore_probabilities
from models.prepare import Asks, debtors_with_open_claims
from tests.deciding import GRID, PACKS, FloatArray, bundle_of, rate_model
from tests.features.naive import known
from tests.portfolios import CHANNELS, CONFIG, histories
from tests.strategies import START, random_tables
from training.policy_value import (
    Judged,
    decide_again,
    judged_decisions,
    policy_value,
    randomised_policies,
    winsorised,
)
from training.train import Material

PAYS_EUR = 50.0
HORIZON = timedelta(days=CONFIG.horizon.days)


@dataclass(frozen=True)
class World:
    """A constant policy's decisions, and each row's chance of payment under every action."""

    decided: Decided
    chance: FloatArray
    truth_eur: float

    def log(self, rng: np.random.Generator) -> Judged:
        """The same debtors at the same moments, each action drawn by exploration, each payment by its chance."""
        prepared = self.decided.prepared
        size = prepared.situation.size
        chances = explore_probabilities(prepared.allowed, grid=GRID, p_none=0.2)
        action = draw(chances, rng.random(size))
        row = np.arange(size)
        paid = rng.random(size) < self.chance[row, action]
        return Judged(
            debtor=prepared.asks.debtor,
            decided_us=prepared.asks.as_of_us,
            channel=GRID.channel[action],
            hour=GRID.hour[action].astype(np.int64),
            action_probability=chances[row, action],
            paid_eur=np.where(paid, PAYS_EUR, 0.0),
            contact_id=decision_ids(prepared.situation.debtor_id, prepared.asks.as_of_us, salt="log"),
        )


def world(seed: int, *, constant: tuple[str, str]) -> World:
    """Debtors who differ, channels that differ, evenings that are better than mornings, days that are not alike."""
    found = histories(random_tables(seed, debtors=200))
    moments = [to_us(START + timedelta(days=day, hours=6)) for day in range(150, 390, 24)]
    asked = [(debtors_with_open_claims(found, moment), moment) for moment in moments]
    asks = Asks(
        np.concatenate([debtors for debtors, _ in asked]),
        np.concatenate([np.full(len(debtors), moment) for debtors, moment in asked]),
    )
    bundle = bundle_of(found, rate_model(), chooser="constant", constant=constant)
    decided = decide(found, asks, champion=bundle, config=CONFIG, packs=PACKS, everyone_champion=True)
    rng = np.random.default_rng(seed)
    effect = rng.uniform(0.0, 0.3, len(CHANNELS))[GRID.channel] + 0.1 * (GRID.daypart == 2) - 0.01 * GRID.day
    base = rng.uniform(0.05, 0.4, found.size)[asks.debtor]
    chance = np.clip(base[:, None] + np.where(GRID.channel > 0, effect, 0.0), 0.0, 1.0)
    return World(decided, chance, true_value(decided, chance))


def true_value(decided: Decided, chance: FloatArray) -> float:
    """Net EUR a decision when each debtor gets any allowed slot of its action's channel and part of the day."""
    total = 0.0
    for row, action in enumerate(decided.choice.action.tolist()):
        same = (GRID.channel == GRID.channel[action]) & (GRID.daypart == GRID.daypart[action])
        slots = np.flatnonzero(same & decided.prepared.allowed[row])
        total += PAYS_EUR * chance[row, slots].mean() - decided.price.total[row, GRID.channel[action]]
    return total / len(chance)


@pytest.mark.parametrize("constant", [("sms", "evening"), ("email", "morning"), ("none", "morning")])
def test_the_interval_covers_the_truth_of_a_constant_policy_as_often_as_it_says(constant: tuple[str, str]) -> None:
    subject, rng = world(31, constant=constant), np.random.default_rng(7)
    found = [policy_value(subject.log(rng), subject.decided) for _ in range(60)]
    assert not [one.refusal for one in found if one.refusal]
    for intervals in ([one.dr for one in found], [one.snips for one in found]):
        covered = [one.low <= subject.truth_eur <= one.high for one in intervals if one is not None]
        assert np.mean(covered) >= 0.88  # two and a half standard errors below .95
        values = np.array([one.value for one in intervals if one is not None])
        assert abs(values.mean() - subject.truth_eur) <= 4 * values.std() / np.sqrt(len(values))


def test_the_share_of_contacts_is_that_of_the_decisions() -> None:
    subject = world(31, constant=("none", "morning"))
    contacted = (subject.decided.choice.action > 0).mean()  # the control's, for those who objected to profiling
    assert 0 < contacted < 0.1
    assert policy_value(subject.log(np.random.default_rng(1)), subject.decided).contacts == contacted


def test_a_log_without_overlap_gets_a_refusal_and_no_number() -> None:
    subject = world(31, constant=("sms", "evening"))
    log = subject.log(np.random.default_rng(1))
    letters = replace(log, channel=np.full_like(log.channel, CHANNELS.index("letter")), hour=log.hour * 0 + 8)
    found = policy_value(letters, subject.decided)
    assert found.dr is None
    assert found.snips is None
    assert found.refusal


def test_prices_that_differ_are_no_outcomes() -> None:
    subject = world(31, constant=("sms", "evening"))
    log = subject.log(np.random.default_rng(1))
    found = policy_value(replace(log, paid_eur=np.zeros(len(log.debtor))), subject.decided)
    assert found.dr is None
    assert "rows that count differ from 0" in found.refusal


def test_a_log_without_random_decisions_says_what_to_draw(simulated: Portfolio, material: Material) -> None:
    names = simulated["contacts"].column_names
    empty = simulated["contacts"].set_column(
        names.index("action_probability"),
        "action_probability",
        [[None] * simulated["contacts"].num_rows],
    )
    certain = Portfolio.from_tables({**simulated.tables, "contacts": empty}, checked=False)
    everybody = np.ones(material.histories.size, dtype=bool)
    judged = judged_decisions(certain, material.histories, as_of_us=material.as_of_us, debtors=everybody, config=CONFIG)
    assert len(judged.debtor) == 0
    bundle = bundle_of(material.histories, rate_model())
    again = decide_again(material.histories, judged, bundle=bundle, config=CONFIG, packs=PACKS)
    assert "draw 5 % of decisions at random" in policy_value(judged, again).refusal


def test_judged_decisions_are_the_drawn_and_mature_ones_with_what_was_paid_on_their_claims(
    simulated: Portfolio, material: Material
) -> None:
    rng = np.random.default_rng(2)
    chosen = rng.random(material.histories.size) < 0.5
    as_of_us = material.as_of_us
    judged = judged_decisions(simulated, material.histories, as_of_us=as_of_us, debtors=chosen, config=CONFIG)
    people = set(material.histories.debtor_id[chosen].tolist())
    expected: dict[str, float] = {}
    payments = simulated["payments"].to_pylist()
    for row in simulated["contacts"].to_pylist():
        mature = to_us(row["decided_at"] + HORIZON) <= as_of_us
        drawn = row["policy"] == "random" and 0 < row["action_probability"] < 0.999
        if drawn and mature and row["debtor_id"] in people:
            paid = sum(
                float(one["amount"]) * CONFIG.rates.on(one["currency"], to_us(one["paid_at"]) // 86_400_000_000).amount
                for one in payments
                if one["claim_id"] == row["claim_id"]
                and row["decided_at"] <= one["paid_at"] < row["decided_at"] + HORIZON
                and to_us(known(one, "paid_at")) <= as_of_us
                and (one["reversed_at"] is None or to_us(one["reversed_at"]) > as_of_us)
            )
            expected[row["contact_id"]] = expected.get(row["contact_id"], 0.0) + paid
    assert len(expected) > 100
    assert dict(zip(judged.contact_id.tolist(), judged.paid_eur.tolist(), strict=True)) == pytest.approx(expected)
    assert ((judged.hour < 0) == (judged.channel == 0)).all()
    assert set(judged.hour[judged.channel > 0].tolist()) <= set(GRID.hours)


def test_the_random_slice_of_a_simulated_log_lies_inside_what_its_own_moment_allowed(material: Material) -> None:
    bundle = bundle_of(material.histories, rate_model())
    again = decide_again(material.histories, material.judged, bundle=bundle, config=CONFIG, packs=PACKS)
    cell = GRID.channel.astype(np.int64) * 100 + GRID.hour
    logged = material.judged.channel.astype(np.int64) * 100 + material.judged.hour
    possible = ((cell[None, :] == logged[:, None]) & again.prepared.allowed).any(axis=1)
    assert possible.mean() > 0.99


def test_only_policies_that_draw_between_channels_count_as_randomised() -> None:
    policy = np.array(["a"] * 40 + ["b"] * 40 + ["c"] * 40, dtype=object)
    channel = np.array([0, 1] * 20 + [5] * 40 + [1, 2] * 20, dtype=np.int16)
    drawn = np.array([True] * 80 + [True, False] * 20)
    assert randomised_policies(policy, channel, drawn) == {"a"}  # b only draws hours, c decides by rule as well


def test_the_largest_payments_count_no_more_than_the_99th_of_a_hundred() -> None:
    paid = np.concatenate([np.zeros(50), np.arange(1.0, 101.0)])
    cut = winsorised(paid)
    assert (cut[:149] == paid[:149]).all()
    assert cut[-1] == pytest.approx(np.quantile(np.arange(1.0, 101.0), 0.99))
    assert winsorised(np.zeros(3)).tolist() == [0.0] * 3


def test_the_fixture_s_histories_are_those_of_its_portfolio(simulated: Portfolio, material: Material) -> None:
    again = histories_of(simulated, channels=CHANNELS)
    assert (again.debtor_id == material.histories.debtor_id).all()
    assert "random" in set(texts(simulated["contacts"], "policy").tolist())
