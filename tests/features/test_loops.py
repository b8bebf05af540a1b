"""The kernels against plain loops over the tables' rows, on random portfolios."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from data.times import to_us
from data.vocabulary import CONTACT_CHANNELS, DAYPARTS
from features._payment_kernels import learned_pay_day
from features.catalogue import claim_features, debtor_features, names
from features.reference import PRIOR_CONTACTS, PRIOR_PARTS, learn_reference
from tests.features import naive
from tests.portfolios import CHANNELS, CONFIG, built, histories
from tests.strategies import DAYS, START, random_tables

SEEDS = st.integers(0, 10_000)
MOMENTS = st.integers(30, DAYS - 10)
COLUMNS = names((*debtor_features(CHANNELS), *claim_features()))


def of_id(tables: dict[str, pa.Table], name: str, key: str) -> dict[str, naive.Row]:
    return {row[key]: row for row in tables[name].to_pylist()}


def same(found: float, expected: Any, what: str) -> None:
    wanted = np.nan if expected is None else float(expected)
    assert np.isclose(found, wanted, rtol=1e-5, atol=1e-6, equal_nan=True), (what, found, expected)


@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_facts_of_a_debtor_equal_a_plain_loop(seed: int, day: int) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    whole, past, people = histories(tables), naive.Past.of(tables, as_of), of_id(tables, "debtors", "debtor_id")
    targets, rows = built(whole, as_of)
    for number, moment in enumerate(targets.moment.tolist()):
        facts = naive.debtor_facts(past, people[whole.debtor_id[moment]])
        for name, expected in facts.items():
            same(rows.matrix[number, COLUMNS.index(name)], expected, name)


@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_facts_of_a_claim_equal_a_plain_loop(seed: int, day: int) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    whole, past, claims = histories(tables), naive.Past.of(tables, as_of), of_id(tables, "claims", "claim_id")
    targets, rows = built(whole, as_of)
    expected_open = {
        row["claim_id"] for row in past.rows["claims"] if row["closed_at"] is None or row["closed_at"] > as_of
    }
    assert set(whole.claim_id[targets.claim]) == expected_open
    for number, claim in enumerate(targets.claim.tolist()):
        facts = naive.claim_facts(past, claims[whole.claim_id[claim]])
        state = {name: facts.pop(name) for name in ("outstanding", "disputed", "held", "on_plan")}
        for name, expected in state.items():
            same(getattr(rows.state, name)[number], expected, name)
        for name, expected in facts.items():
            same(rows.matrix[number, COLUMNS.index(name)], expected, name)


@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_rates_are_the_debtors_counts_with_a_share_of_the_usual_rate(seed: int, day: int) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    whole, past, people = histories(tables), naive.Past.of(tables, as_of), of_id(tables, "debtors", "debtor_id")
    reference = learn_reference(whole, until_us=to_us(as_of), config=CONFIG)
    targets, rows = built(whole, as_of)
    for number, moment in enumerate(targets.moment.tolist()):
        person = people[whole.debtor_id[moment]]
        row = dict(zip(COLUMNS, rows.matrix[number].tolist(), strict=True))
        who = person["debtor_id"]
        made, reached = past.contacts(who), naive.reached(past, who)
        for code, channel in enumerate(CONTACT_CHANNELS, start=1):
            total = row[f"sent_{channel}_ever"] + PRIOR_CONTACTS
            count = sum(one["channel"] == channel for one in reached)
            same(row[f"reach_rate_{channel}"], (count + 4 * reference.reach_rate[code]) / total, channel)
            count = naive.responses_by(past, who, channel)
            same(row[f"response_rate_{channel}"], (count + 4 * reference.response_rate[code]) / total, channel)
        for code, part in enumerate(DAYPARTS):
            total = sum(naive.local_part(one["send_at"], person) == code for one in made) + PRIOR_CONTACTS
            count = sum(naive.local_part(one["send_at"], person) == code for one in reached)
            same(row[f"reach_rate_{part}"], (count + 4 * reference.reach_part[code]) / total, part)
        answers = naive.firsts(past.responses(who), ("clicked", "answered"))
        parts = [naive.local_part(event["at"], person) for event in answers]
        paid = [naive.local_part(one["paid_at"], person) for one in past.of_debtor("payments", who)]
        for code, part in enumerate(DAYPARTS):
            usual = PRIOR_PARTS * reference.response_part[code]
            same(row[f"responses_{part}"], (parts.count(code) + usual) / (len(parts) + PRIOR_PARTS), part)
            usual = PRIOR_PARTS * reference.payment_part[code]
            same(row[f"payments_{part}"], (paid.count(code) + usual) / (len(paid) + PRIOR_PARTS), part)


@settings(max_examples=6, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_payments_near_an_hour_equal_a_plain_loop(seed: int, day: int) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    whole, past, people = histories(tables), naive.Past.of(tables, as_of), of_id(tables, "debtors", "debtor_id")
    reference = learn_reference(whole, until_us=to_us(as_of), config=CONFIG)
    targets, rows = built(whole, as_of)
    for number, moment in enumerate(targets.moment.tolist()):
        person = people[whole.debtor_id[moment]]
        paid = [naive.local_hour(one["paid_at"], person) for one in past.of_debtor("payments", person["debtor_id"])]
        for hour in (0, 1, 7, 12, 18, 23):
            found = rows.matrix[number, COLUMNS.index(f"paid_near_{hour:02}")]
            same(found, naive.near_hour(hour, paid, list(reference.payment_hour)), f"{hour}, paid at {paid}")


@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_what_all_claims_together_owe_is_the_sum_over_the_open_ones(seed: int, day: int) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    targets, rows = built(histories(tables), as_of)
    for number, moment in enumerate(targets.moment.tolist()):
        owed = rows.outstanding_eur[targets.moment == moment].sum()
        same(rows.matrix[number, COLUMNS.index("outstanding_all_log")], np.log1p(owed), "outstanding_all_log")


@settings(max_examples=50, deadline=None)
@given(days=st.lists(st.integers(1, 31), max_size=12), least=st.integers(1, 4))
def test_the_pay_day_is_the_day_that_with_the_two_after_it_saw_most_payments(days: list[int], least: int) -> None:
    by_day = np.bincount(np.array(days, dtype=np.int64), minlength=32)
    around = {day: sum((other - day) % 31 in (0, 1, 2) for other in days) for day in range(1, 32)}
    found, near = learned_pay_day(by_day, least)
    assert near == max(around.values())
    if max(around.values()) < least:
        assert found == -1
    else:
        best = max(around.items(), key=lambda item: (item[1], days.count(item[0]), -item[0]))
        assert found == best[0]


def test_money_is_turned_into_euro_at_the_rate_of_the_day() -> None:
    tables, as_of = random_tables(3), START + timedelta(days=300)
    whole = histories(tables)
    targets, rows = built(whole, as_of)
    for number, claim in enumerate(targets.claim.tolist()):
        rate = CONFIG.rates.on(whole.currencies[whole.claims.currency[claim]], to_us(as_of) // 86_400_000_000).amount
        same(rows.outstanding_eur[number], rows.state.outstanding[number] * rate, "EUR")
