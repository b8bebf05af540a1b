from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.config import Config
from data.portfolio import Portfolio
from data.times import to_us
from features.histories import histories_of
from features.pipeline import ClaimRows, OtherChannels, Targets, build, open_targets
from features.reference import learn_reference
from features.tables import Histories
from tests.strategies import DAYS, START, random_tables

CONFIG = Config()
SEEDS = st.integers(0, 10_000)
MOMENTS = st.integers(30, DAYS - 10)


def histories(tables: dict[str, pa.Table]) -> Histories:
    return histories_of(Portfolio.from_tables(tables, checked=False), channels=CONFIG.grid.channels)


def built(found: Histories, as_of: datetime, *, like: Histories, only: int | None = None) -> tuple[Targets, ClaimRows]:
    debtors = np.arange(found.size) if only is None else np.array([only])
    targets = open_targets(found, debtors, as_of_us=np.full(len(debtors), to_us(as_of)))
    reference = learn_reference(like, until_us=to_us(as_of), config=CONFIG)
    return targets, build(found, targets, reference=reference, rates=CONFIG.rates)


def known_before(tables: dict[str, pa.Table], as_of: datetime) -> dict[str, pa.Table]:
    """The same portfolio as it stood in the system at `as_of`."""
    times = {"claim_events": "at", "contacts": "decided_at", "contact_events": "at", "payments": "paid_at"}
    kept = dict(tables)
    for name, column in times.items():
        if name in kept:
            known = pc.coalesce(kept[name]["known_at"], kept[name][column])
            before = pc.and_(pc.less(kept[name][column], as_of), pc.less(known, as_of))
            kept[name] = kept[name].filter(before)
    claims = kept["claims"].filter(pc.less_equal(kept["claims"]["registered_at"], as_of))
    return kept | {"claims": without_later_closing(claims, as_of)}


def without_later_closing(claims: pa.Table, as_of: datetime) -> pa.Table:
    later = pc.fill_null(pc.greater(claims["closed_at"], as_of), fill_value=False)
    for column in ("closed_at", "close_reason"):
        empty = pa.nulls(len(claims), claims[column].type)
        at = claims.column_names.index(column)
        claims = claims.set_column(at, claims.field(column), pc.if_else(later, empty, claims[column]))
    return claims


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_what_happens_or_is_known_later_changes_nothing(seed: int, day: int) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    whole, then = histories(tables), histories(known_before(tables, as_of))
    targets, rows = built(whole, as_of, like=whole)
    then_targets, then_rows = built(then, as_of, like=whole)
    assert (whole.claim_id[targets.claim] == then.claim_id[then_targets.claim]).all()
    np.testing.assert_array_equal(rows.matrix, then_rows.matrix)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_one_debtor_alone_has_the_features_it_has_in_the_portfolio(seed: int, day: int) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    whole = histories(tables)
    targets, rows = built(whole, as_of, like=whole)
    for number, debtor_id in enumerate(whole.debtor_id[:4].tolist()):
        alone = histories(of_debtor(tables, debtor_id))
        _, own = built(alone, as_of, like=whole)
        np.testing.assert_array_equal(rows.matrix[targets.moment == number], own.matrix)


def of_debtor(tables: dict[str, pa.Table], debtor_id: str) -> dict[str, pa.Table]:
    """The rows of one debtor in every table."""
    kept = {}
    for name, table in tables.items():
        if "debtor_id" in table.column_names:
            kept[name] = table.filter(pc.equal(table["debtor_id"], debtor_id))
    parents = {"claim_events": ("claim_id", "claims"), "contact_events": ("contact_id", "contacts")}
    for name, (key, parent) in parents.items():
        if name in tables:
            mine = pc.is_in(tables[name][key], value_set=kept.get(parent, tables[name])[key].combine_chunks())
            kept[name] = tables[name].filter(mine)
    return kept


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, day=MOMENTS)
def test_counts_and_sums_equal_a_plain_loop_over_the_tables(seed: int, day: int) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    whole = histories(tables)
    targets, rows = built(whole, as_of, like=whole)
    payments = tables["payments"].to_pylist() if "payments" in tables else []
    contacts = tables["contacts"].to_pylist() if "contacts" in tables else []
    principal = {row["claim_id"]: float(row["principal"]) for row in tables["claims"].to_pylist()}
    for number, claim in enumerate(targets.claim.tolist()):
        claim_id = whole.claim_id[claim]
        debtor_id = whole.debtor_id[whole.claims.debtor[claim]]
        paid = sum(float(row["amount"]) for row in payments if row["claim_id"] == claim_id and counts(row, as_of))
        assert np.isclose(rows.state.outstanding[number], max(principal[claim_id] - paid, 0.0))
        ids = {row["contact_id"] for row in contacts if row["debtor_id"] == debtor_id and recent(row, as_of)}
        assert rows.matrix[number, whole_names(whole).index("contacts_30")] == len(ids)


def counts(payment: dict, as_of: datetime) -> bool:
    known = payment["known_at"] or payment["paid_at"]
    kept = payment["reversed_at"] is None or payment["reversed_at"] >= as_of
    return payment["paid_at"] < as_of and known < as_of and kept


def recent(contact: dict, as_of: datetime) -> bool:
    age = as_of - contact["decided_at"]
    return contact["channel"] != "none" and timedelta(0) < age <= timedelta(days=30)


def whole_names(found: Histories) -> list[str]:
    from features.catalogue import claim_features, debtor_features

    return [feature.name for feature in (*debtor_features(found.channels), *claim_features())]


def test_a_reference_of_other_channels_is_refused() -> None:
    found = histories(random_tables(1))
    learnt = learn_reference(found, until_us=0, config=CONFIG)
    fewer = replace(learnt, reach_rate=learnt.reach_rate[:-1])
    targets = open_targets(found, np.arange(found.size), as_of_us=np.full(found.size, to_us(START)))
    with pytest.raises(OtherChannels, match=r"with rates of 7 channels .*came one of 6"):
        build(found, targets, reference=fewer, rates=CONFIG.rates)
