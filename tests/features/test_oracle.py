"""The features of debtors and claims against the same features in SQL, on random portfolios."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow.types import is_timestamp

from data.config import Config, Dated, FeatureSettings, HorizonSettings, MoneySettings
from data.schemas import SCHEMAS
from data.times import to_us
from data.vocabulary import CHANNELS
from features.catalogue import claim_features, debtor_features, names
from features.histories import histories_of
from features.pipeline import build, open_targets
from features.reference import learn_reference
from tests.features.sqlite_oracle import Values, features_of
from tests.portfolios import CONFIG, by_the_day, portfolio_of
from tests.samples import moment, sample_tables, with_column
from tests.strategies import DAYS, START, random_tables

SEEDS = st.integers(0, 10_000)
MOMENTS = st.integers(30, DAYS - 10)
FIRST, LAST = START + timedelta(days=30), START + timedelta(days=DAYS)
FEW_CHANNELS = ("none", "phone", "sms")
MANY_COUNTRIES = ("AT", "BR", "DK", "FI", "GB", "IN", "NO", "NZ", "SE", "US", "US", "XX")

Owned = dict[str, tuple[str, dict[str, float]]]


def columns(channels: tuple[str, ...]) -> tuple[str, ...]:
    return names((*debtor_features(channels), *claim_features()))


def computed(tables: dict[str, pa.Table], as_of: datetime, config: Config, channels: tuple[str, ...]) -> Owned:
    """Debtor and features by name of every open claim, as the models see them."""
    found, as_of_us = histories_of(portfolio_of(tables), channels=channels), to_us(as_of)
    targets = open_targets(found, np.arange(found.size), as_of_us=np.full(found.size, as_of_us))
    reference = learn_reference(found, until_us=as_of_us, config=config)
    rows = build(found, targets, reference=reference, rates=config.rates)
    owner = found.debtor_id[targets.debtor[targets.moment]]
    return {
        claim: (debtor, dict(zip(columns(channels), row, strict=True)))
        for claim, debtor, row in zip(found.claim_id[targets.claim], owner, rows.matrix.tolist(), strict=True)
    }


def differences(found: Owned, expected: dict[str, Values]) -> Iterator[str]:
    for claim, (debtor, values) in found.items():
        for feature, value in values.items():
            wanted = expected[claim][feature]
            number = np.nan if wanted is None else float(wanted)
            if not np.isclose(value, number, rtol=1e-5, atol=1e-6, equal_nan=True):
                yield f"{feature} of claim {claim} of debtor {debtor}: expected {wanted}, came {value}"


def assert_same(
    tables: dict[str, pa.Table],
    as_of: datetime,
    *,
    what: str,
    config: Config = CONFIG,
    channels: tuple[str, ...] = CHANNELS,
) -> None:
    """Same open claims, same features, same values."""
    absent = {name for name, schema in SCHEMAS.items() if not schema.required and name not in tables}
    families = (*debtor_features(channels), *claim_features())
    blank = tuple(one.name for one in families if absent & set(one.tables.split(", ")))
    blank = blank if "age" in config.features.lawful else ("age", *blank)
    expected = features_of(tables, as_of, config=config, channels=channels, blank=blank)
    found = computed(tables, as_of, config, channels)
    assert set(found) == set(expected), f"open claims, {what}, as_of {as_of.isoformat()}"
    for claim, values in expected.items():
        assert set(values) == set(columns(channels)), f"features of claim {claim}"
    unlike = list(differences(found, expected))
    assert not unlike, "\n".join([f"{len(unlike)} values differ, {what}, as_of {as_of.isoformat()}", *unlike[:40]])


def instants(tables: dict[str, pa.Table]) -> dict[str, list[datetime]]:
    """Times between the first month's end and the last day, by table and column."""
    columns = {
        f"{name}.{field.name}": table[field.name].to_pylist()
        for name, table in tables.items()
        for field in table.schema
        if is_timestamp(field.type)
    }
    found = {name: sorted({at for at in times if at and FIRST < at < LAST}) for name, times in columns.items()}
    return {name: times for name, times in found.items() if times}


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, day=MOMENTS, minute=st.sampled_from([0, 317, 1033]), coarse=st.booleans())
def test_every_feature_equals_that_of_the_oracle(seed: int, day: int, minute: int, coarse: bool) -> None:
    tables, as_of = random_tables(seed, unusual=True), START + timedelta(days=day, minutes=minute)
    assert_same(by_the_day(tables) if coarse else tables, as_of, what=f"seed {seed}, to the day {coarse}")


@pytest.mark.parametrize("seed", [5, 6])
def test_every_feature_equals_that_of_the_oracle_at_the_very_instant_of_a_fact(seed: int) -> None:
    tables = random_tables(seed, unusual=True)
    moments = {at for times in instants(tables).values() for at in times[:: -(-len(times) // 2)]}
    assert len(moments) > 20
    for as_of in moments:
        assert_same(tables, as_of, what=f"seed {seed}")


@pytest.mark.parametrize("day", [200, 320])
def test_horizon_rates_of_exchange_and_lawful_features_are_the_tenants(day: int) -> None:
    rates = MoneySettings({**CONFIG.rates.rows, "SEK": (Dated(0.089), Dated(0.2, since=date(2025, 10, 1)))})
    lawful = FeatureSettings(lawful=("age",))
    tenant = replace(CONFIG, horizon=HorizonSettings(days=25), rates=rates, features=lawful)
    assert_same(random_tables(day), START + timedelta(days=day, hours=7), what=f"seed {day}", config=tenant)


@pytest.mark.parametrize("day", [100, 220, 340])
def test_pay_days_and_local_time_are_those_of_any_country(day: int) -> None:
    tables = random_tables(day)
    debtors = with_column(tables["debtors"], "region", [None] * 12, kind=pa.string())
    debtors = with_column(debtors, "country", list(MANY_COUNTRIES))
    assert_same(tables | {"debtors": debtors}, START + timedelta(days=day), what=f"seed {day}")


def test_tables_that_may_be_missing_may_be_missing() -> None:
    tables = random_tables(3)
    few = {name: tables[name] for name in ("debtors", "claims", "contacts", "payments")}
    assert_same(few, START + timedelta(days=300), what="seed 3")


@settings(max_examples=5, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_contacts_outside_the_grid_are_not_counted_but_what_was_said_to_them_is(seed: int, day: int) -> None:
    tables, as_of = random_tables(seed, unusual=True), START + timedelta(days=day)
    assert_same(tables, as_of, what=f"seed {seed}", channels=FEW_CHANNELS)


TOP = 1 / np.sqrt(2 * np.pi * 2.5**2)  # of the bell around an hour
USUAL_AT_21 = (
    24 / 24 + TOP + 2 * TOP * np.exp(-(8**2) / (2 * 2.5**2))
) / 27  # one payment at 21, two at 13, and one for each hour

HAND_COUNTED = {
    "c1": {
        "country": 0,  # of AT, DE, SE
        "income_band": 1,
        "employment": 4,
        "profile_days": 9,
        "reachable_sms": 1,
        "reachable_email": 0,  # its address ended on 5 March
        "digital_reach": 1,
        "last_channel": 2,
        "same_channel_run": 1,
        "sent_sms_30": 0,
        "sent_sms_90": 1,
        "contacts_ever": 2,
        "since_contact": 8,
        "contacts_since_response": 1,
        "contacts_since_payment": 1,
        "unpaid_click_days": None,  # paid an hour after
        "clicked_rate_sms_ever": 1,  # the only message by SMS in all the sample, and it was clicked
        "responses_evening": 2.2 / 4,  # clicked at 8 p.m. in Vienna; of two responses in all one came in the evening
        "responses_tuesday": (1 + 3 * 2 / 9) / 4,
        "response_hour": 20,
        "payment_hour": 21,
        "paid_near_21": np.log((TOP + 2 * USUAL_AT_21) / (3 * USUAL_AT_21)),
        "paid_after_rate_sms_ever": 1,
        "paid_after_rate_email_ever": 0,  # its horizon is not over
        "paid_through_sms": 1,
        "self_paid_rate": 4 / 3 / 5,  # one payment in three came without contact, none of this debtor's
        "paid_claims_rate": 1,
        "sector_paid_rate": 1,
        "since_pay_day": 11,  # Friday 27 February
        "to_pay_day": 21,
        "pay_day_learned": 0,
        "share_paid": 60 / 120.5,
        "share_of_all": 60.5 / 140.5,
        "days_past_due": 38,
        "claim_days": 59,
        "claim_payments": 1,
        "since_claim_payment": 34 + 16 / 24,
        "contacts_since_claim": 2,
        "sector_claims": 1,
        "creditor_claims": 1,
        "stage": 1,
        "stage_days": 36,
        "to_next_due": None,
    },
    "c3": {
        "claims_paid": 1,
        "paid_claim_days": 49.5,
        "payments_reversed": 1,
        "payments_ever": 1,
        "promises_kept": 1,
        "promises_broken": 0,
        "since_promise": 32 + (2 + 56 / 60) / 24,
        "disputes": 1,
        "disputed_claims": 0,
        "share_paid": 0,
    },
    "c5": {
        "none_decisions_ever": 1,
        "contacts_ever": 0,
        "last_channel": None,
        "outstanding_log": np.log1p(790 * 0.089),
        "since_inbound": 28,
        "since_pay_day": 13,
        "to_pay_day": 15,
    },
}


@pytest.mark.parametrize("claim", HAND_COUNTED)
def test_the_oracle_says_of_the_sample_what_was_counted_by_hand(claim: str) -> None:
    values = features_of(sample_tables(), moment(3, 10), config=CONFIG)[claim]
    expected = HAND_COUNTED[claim]
    assert {name: values[name] for name in expected} == pytest.approx(expected)


def test_every_feature_takes_several_values_in_the_random_portfolios() -> None:
    found: dict[str, set[float]] = defaultdict(set)
    for seed in range(20):
        as_of = START + timedelta(days=60 + 16 * seed)
        for values in features_of(random_tables(seed), as_of, config=CONFIG, blank=()).values():
            for name, value in values.items():
                found[name] |= set() if value is None else {value}
    assert {name for name in columns(CHANNELS) if len(found[name]) < 2} == set()
