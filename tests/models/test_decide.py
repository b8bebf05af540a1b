"""Decisions over random portfolios: allowed, repeatable, the same alone and in company."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.config import Config
from data.times import HOUR_US, from_us, to_us
from features.pipeline import build, open_targets
from features.situation import situation_of
from features.tables import Histories
from models.alternatives import alternatives_of_all
from models.arms import CHAMPION, CONTROL
from models.behaviour import IncumbentWithRandomSlice
from models.decide import Decided, NoChallenger, decide
from models.decision_rows import decision_table, policy_version
from models.explain import reasons
from models.prepare import Asks, debtors_with_open_claims
from models.rules.mask import contact_mask
from tests.deciding import (
    COLUMNS,
    GRID,
    PACKS,
    FloatArray,
    FormulaModel,
    arms,
    asks_of,
    bundle_of,
    by_everything,
    decided,
    rate_model,
    rows_of,
    table_of,
)
from tests.portfolios import CHANNELS, CONFIG, by_the_day, histories, shuffled
from tests.strategies import DAYS, START, random_tables

SEEDS = st.integers(0, 10_000)
MOMENTS = st.integers(60, DAYS - 10)
WEDNESDAY = START + timedelta(days=287, hours=6)
ALL_ARMS = arms(control=0.25, explore=0.25, champion=0.5)


def worst(rows: dict[str, FloatArray]) -> FloatArray:
    """Wants the latest call of the first Sunday, and would rather call than anything."""
    call = (rows["channel"] == CHANNELS.index("phone")) * 0.5
    late = np.nan_to_num(rows["hour"]) / 100 + (rows["weekday"] == 6) * 0.2
    return np.where(rows["channel"] > 0, call + late + 0.05, 0.0)


HOSTILE = {
    "the worst hour": FormulaModel(worst),
    "nonsense": FormulaModel(lambda rows: np.where(rows["channel"] > 0, np.nan, 0.0)),
    "certainty everywhere": FormulaModel(lambda rows: (rows["channel"] > 0).astype(np.float64)),
    "everything at once": FormulaModel(by_everything),
}


@pytest.mark.parametrize("name", list(HOSTILE))
@pytest.mark.parametrize("config", [CONFIG, ALL_ARMS], ids=["default arms", "all arms"])
def test_whatever_a_model_wants_nothing_forbidden_is_done(name: str, config: Config) -> None:
    for seed in (1, 2):
        found = histories(random_tables(seed, debtors=40))
        for day in (70, 177, 288):  # a Wednesday, a Friday before midsummer, a Thursday
            as_of = START + timedelta(days=day, hours=17)
            subject = decided(found, as_of, bundle=bundle_of(found, HOSTILE[name]), config=config)
            assert_lawful(found, subject, as_of)


def assert_lawful(found: Histories, subject: Decided, as_of: datetime) -> None:
    """Each action is one that the rules, asked anew, allow; its slot begins later, inside the grid's hours."""
    targets = open_targets(found, subject.prepared.asks.debtor, as_of_us=subject.prepared.asks.as_of_us)
    rows = build(found, targets, reference=subject.champion.reference, rates=CONFIG.rates)
    situation = situation_of(found, targets, rows=rows)
    mask = contact_mask(situation, grid=GRID, packs=PACKS)
    assert mask.allowed[np.arange(situation.size), subject.choice.action].all()
    for row, action in enumerate(subject.choice.action.tolist()):
        if action:
            send_us = subject.send_us(row, action)
            zone = ZoneInfo(situation.places[situation.place[row]].zones[0])
            local = from_us(send_us).astimezone(zone)
            assert (local.hour, local.minute) == (GRID.hour[action], 0)
            assert (local.date() - as_of.astimezone(zone).date()).days == GRID.day[action]
            assert send_us >= to_us(as_of)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_the_same_inputs_give_the_same_decisions(seed: int, day: int) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    first = histories(tables)
    bundle = bundle_of(first, FormulaModel(by_everything))
    again = decided(histories(tables), as_of, bundle=bundle, config=ALL_ARMS)
    assert table_of(decided(first, as_of, bundle=bundle, config=ALL_ARMS)).equals(table_of(again))


@settings(max_examples=8, deadline=None)
@given(seed=SEEDS, day=MOMENTS, order=st.integers(0, 99))
def test_the_order_of_the_tables_rows_changes_no_decision(seed: int, day: int, order: int) -> None:
    tables, as_of = by_the_day(random_tables(seed)), START + timedelta(days=day, hours=5)
    plain, mixed = histories(tables), histories(shuffled(tables, seed=order))
    bundle = bundle_of(plain, FormulaModel(by_everything))
    first, second = (decided(one, as_of, bundle=bundle, config=ALL_ARMS) for one in (plain, mixed))
    assert rows_of(first) == rows_of(second)


@settings(max_examples=8, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_a_debtor_alone_gets_the_decision_it_gets_inside_the_portfolio(seed: int, day: int) -> None:
    found, as_of = histories(random_tables(seed)), START + timedelta(days=day)
    bundle = bundle_of(found, FormulaModel(by_everything))
    together = rows_of(decided(found, as_of, bundle=bundle, config=ALL_ARMS))
    for debtor in debtors_with_open_claims(found, to_us(as_of)).tolist():
        asks = Asks(np.array([debtor]), np.array([to_us(as_of)]))
        alone = rows_of(decide(found, asks, champion=bundle, config=ALL_ARMS, packs=PACKS))
        assert alone == [row for row in together if row["debtor_id"] == found.debtor_id[debtor]]


def test_debtors_with_open_claims_are_those_registered_and_not_yet_closed() -> None:
    tables = random_tables(11)
    found, as_of = histories(tables), WEDNESDAY
    expected = {
        row["debtor_id"]
        for row in tables["claims"].to_pylist()
        if row["registered_at"] <= as_of and (row["closed_at"] is None or row["closed_at"] > as_of)
    }
    rows = debtors_with_open_claims(found, to_us(as_of))
    assert set(found.debtor_id[rows].tolist()) == expected


def crowd(config: Config = CONFIG, *, debtors: int = 60) -> tuple[Histories, Decided]:
    found = histories(random_tables(21, debtors=debtors))
    return found, decided(found, WEDNESDAY, bundle=bundle_of(found, rate_model()), config=config)


def test_the_champions_action_is_the_best_of_the_allowed_ones() -> None:
    _, subject = crowd(arms(champion=1.0))
    value = np.where(subject.prepared.allowed, subject.scored.value_eur, -np.inf)
    rows = np.arange(len(value))
    objected = subject.choice.arm == CONTROL
    best = value[rows, subject.choice.action]
    assert (best >= value.max(axis=1) - 1e-9)[~objected].all()
    assert (subject.choice.action[~objected] > 0).any()


def test_who_objected_to_profiling_is_decided_for_by_the_control_even_when_greedy() -> None:
    found = histories(random_tables(21, debtors=60))
    bundle = bundle_of(found, rate_model())
    asks = asks_of(found, WEDNESDAY)
    greedy = decide(found, asks, champion=bundle, config=CONFIG, packs=PACKS, everyone_champion=True)
    control = decide(found, asks, champion=bundle, config=arms(control=1.0), packs=PACKS)
    objected = found.objected_us[asks.debtor] <= to_us(WEDNESDAY)
    assert objected.any()
    assert (greedy.choice.action[objected] == control.choice.action[objected]).all()
    assert np.isnan(control.choice.arm_probability[objected]).all()


@pytest.mark.parametrize(("chooser", "constant"), [("control", None), ("constant", ("sms", "morning"))])
def test_a_bundle_chooses_in_its_own_way(chooser: str, constant: tuple[str, str] | None) -> None:
    found = histories(random_tables(21, debtors=60))
    bundle = bundle_of(found, rate_model(), chooser=chooser, constant=constant)
    subject = decided(found, WEDNESDAY, bundle=bundle, config=arms(champion=1.0))
    control = decided(found, WEDNESDAY, bundle=bundle, config=arms(control=1.0))
    modelled = subject.choice.arm == CHAMPION
    if chooser == "control":
        assert (subject.choice.action == control.choice.action).all()
    else:
        channels = GRID.channel[subject.choice.action[modelled]]
        assert set(channels.tolist()) == {0, CHANNELS.index("sms")}
        assert set(GRID.daypart[subject.choice.action[modelled]].tolist()) == {-1, 0}


def test_a_challenger_with_a_share_must_be_there() -> None:
    found = histories(random_tables(21))
    with pytest.raises(NoChallenger, match="promote RUN --challenger"):
        decided(found, WEDNESDAY, bundle=bundle_of(found, rate_model()), config=arms(champion=0.5, challenger=0.5))


def test_the_challenger_decides_for_its_own_debtors() -> None:
    found = histories(random_tables(21, debtors=60))
    first = bundle_of(found, rate_model())
    second = bundle_of(found, rate_model((0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1)), model_version="m2")
    config = arms(champion=0.5, challenger=0.5)
    both = decide(found, asks_of(found, WEDNESDAY), champion=first, challenger=second, config=config, packs=PACKS)
    for arm, bundle in ((2, first), (3, second)):
        alone = decided(found, WEDNESDAY, bundle=bundle, config=arms(champion=1.0))
        mine = both.choice.arm == arm
        assert mine.any()
        assert (both.choice.action[mine] == alone.choice.action[mine]).all()


def test_rows_of_the_challenger_say_what_the_challenger_thought() -> None:
    found = histories(random_tables(21, debtors=60))
    first = bundle_of(found, rate_model())
    second = bundle_of(
        found, rate_model((0.2, 0.3, 0.9, 0.3, 0.3, 0.3, 0.3)), model_version="m2", mean_share=0.9, chooser="control"
    )
    config = arms(control=0.2, champion=0.4, challenger=0.4)
    both = decide(found, asks_of(found, WEDNESDAY), champion=first, challenger=second, config=config, packs=PACKS)
    table = decision_table(both, packs_version="r1", explain=True).to_pylist()
    values = ("payment_probability", "uplift", "expected_value", "reasons", "model_version", "policy_version")
    for arm, bundle in (("champion", first), ("challenger", second)):
        alone = decided(found, WEDNESDAY, bundle=bundle, config=arms(champion=1.0))
        expected = {row["claim_id"]: row for row in decision_table(alone, packs_version="r1", explain=True).to_pylist()}
        mine = [row for row in table if row["arm"] == arm]
        assert any(row["channel"] != "none" for row in mine)
        for row in mine:
            same = expected[row["claim_id"]]
            for name in values[:-1]:
                assert (
                    row[name] == pytest.approx(same[name]) if isinstance(row[name], float) else row[name] == same[name]
                )
    versions = {row["arm"]: (row["model_version"], row["policy_version"]) for row in table}
    assert [versions[arm][0] for arm in ("control", "champion", "challenger")] == ["m1", "m1", "m2"]
    assert versions["control"] == versions["champion"]
    assert versions["challenger"][1] == policy_version(both, second) != policy_version(both, first)


def test_alternatives_of_the_challengers_debtors_are_worth_what_the_challenger_says() -> None:
    found = histories(random_tables(21, debtors=60))
    first, config = bundle_of(found, rate_model()), arms(champion=0.5, challenger=0.5)
    second = bundle_of(found, rate_model((0.1, 0.2, 0.9, 0.2, 0.2, 0.2, 0.2)), model_version="m2")
    both = decide(found, asks_of(found, WEDNESDAY), champion=first, challenger=second, config=config, packs=PACKS)
    alone = decided(found, WEDNESDAY, bundle=second, config=arms(champion=1.0))
    mixed, theirs = alternatives_of_all(both), alternatives_of_all(alone)
    rows = [row for row in np.flatnonzero(both.choice.arm == 3).tolist() if theirs[row]]
    assert rows
    assert all(mixed[row] == theirs[row] for row in rows)


def test_asks_narrow_the_grid_and_the_claims() -> None:
    found, whole = crowd(arms(champion=1.0))
    bundle, asks = whole.champion, asks_of(found, WEDNESDAY)
    begin = to_us(WEDNESDAY) + 24 * HOUR_US
    end = begin + 72 * HOUR_US
    some = frozenset(found.claim_id[::2].tolist())
    narrow = replace(asks, channels=("sms", "email"), not_before_us=begin, not_after_us=end, claim_ids=some)
    subject = decide(found, narrow, champion=bundle, config=arms(champion=1.0), packs=PACKS)
    action = subject.choice.action
    assert (action > 0).any()
    assert {CHANNELS[code] for code in GRID.channel[action].tolist()} <= {"none", "sms", "email"}
    send_us = np.array([subject.send_us(row, one) for row, one in enumerate(action.tolist()) if one])
    assert send_us.min() >= begin
    assert send_us.max() + HOUR_US <= end
    assert (subject.prepared.allowed <= whole.prepared.allowed).all()
    contacted = [row for row in rows_of(subject) if row["channel"] != "none"]
    assert {row["claim_id"] for row in contacted} <= some


def test_alternatives_are_the_other_allowed_channels_at_their_best_slot_best_first() -> None:
    _, subject = crowd(arms(champion=1.0))
    for row, found in enumerate(alternatives_of_all(subject)):
        allowed = {CHANNELS[code] for code in GRID.channel[subject.prepared.allowed[row]].tolist()} - {"none"}
        assert {one.channel for one in found} == allowed - {CHANNELS[GRID.channel[subject.choice.action[row]]]}
        values = [one.expected_value for one in found]
        assert values == sorted(values, reverse=True)
        for one in found:
            mine = subject.prepared.allowed[row] & (GRID.channel == CHANNELS.index(one.channel))
            assert one.expected_value == pytest.approx(subject.scored.value_eur[row][mine].max())
            assert 0 <= one.payment_probability <= 1


def test_reasons_name_features_with_their_value_and_what_they_add() -> None:
    _, subject = crowd(arms(champion=1.0))
    for row in range(5):
        for reason in reasons(subject, row):
            name, _, rest = reason.partition("=")
            assert name in COLUMNS
            assert rest.endswith(")")
        assert len(reasons(subject, row)) <= 5


def test_a_past_behaviour_and_a_decision_have_the_same_options() -> None:
    _, subject = crowd()
    past = IncumbentWithRandomSlice(GRID, PACKS, control=CONFIG.control)
    assert (subject.prepared.allowed <= past.options(subject.prepared.situation)).all()


def test_nobody_to_decide_for_gives_no_rows() -> None:
    found = histories(random_tables(1))
    subject = decided(found, START - timedelta(days=1), bundle=bundle_of(found, rate_model()))
    table = table_of(subject)
    assert isinstance(table, pa.Table)
    assert table.num_rows == 0


def test_a_model_never_chooses_a_channel_the_log_hardly_holds() -> None:
    found, whole = crowd(arms(champion=1.0))
    chosen = {CHANNELS[code] for code in GRID.channel[whole.choice.action].tolist()} - {"none"}
    for name in sorted(chosen):
        bundle = replace(whole.champion, untried=(name,))
        subject = decide(found, asks_of(found, WEDNESDAY), champion=bundle, config=arms(champion=1.0), packs=PACKS)
        modelled = subject.choice.arm == CHAMPION
        assert modelled.any()
        assert name not in {CHANNELS[code] for code in GRID.channel[subject.choice.action[modelled]].tolist()}


def test_where_the_log_never_held_none_the_present_rules_say_whether_and_the_model_how() -> None:
    found = histories(random_tables(21, debtors=60))
    worthless = bundle_of(found, rate_model((0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1)), untried=("none",))
    subject = decided(found, WEDNESDAY, bundle=worthless, config=arms(champion=1.0))
    rules = decided(found, WEDNESDAY, bundle=replace(worthless, chooser="control"), config=arms(champion=1.0))
    assert (subject.choice.action > 0).any()
    assert ((subject.choice.action > 0) == (rules.choice.action > 0)).all()
