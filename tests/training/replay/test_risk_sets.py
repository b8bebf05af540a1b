"""Rows without a contact, worked out from the contacts of others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.portfolio import Portfolio
from data.simulator.settings import UNTIL
from data.times import DAY_US, to_us
from tests.portfolios import histories, portfolio_of
from tests.training.replay.old_logs import day, old_log, small_world
from training.replay.made import contacts_made
from training.replay.risk_sets import RiskSets, RiskSettings, risk_sets

RHYTHM = {f"r{number}": [number % 5, number % 5 + 7, number % 5 + 14, number % 5 + 21] for number in range(40)}
SETTINGS = RiskSettings(fewest=5)
TABLES = ("debtors", "claims", "contacts", "payments", "claim_events", "contact_events")


def worked_out(
    tables: dict[str, pa.Table], *, until: int = 40, settings: RiskSettings = SETTINGS, seed: int = 1
) -> list[tuple[str, float]]:
    """Debtor and day of every row."""
    found, sets = sets_of(tables, until_us=to_us(day(until)), settings=settings, seed=seed)
    days = (sets.at_us - to_us(day(0))) / DAY_US
    return list(zip(found.debtor_id[sets.debtor].tolist(), days.tolist(), strict=True))


def sets_of(
    tables: dict[str, pa.Table], *, until_us: int, settings: RiskSettings = SETTINGS, seed: int = 1
) -> tuple[Any, RiskSets]:
    found = histories(tables)
    made = contacts_made(portfolio_of(tables), found, known_us=until_us, horizon_days=14)
    everyone = np.ones(found.size, dtype=np.bool_)
    return found, risk_sets(made, found, debtors=everyone, until_us=until_us, settings=settings, seed=seed)


def test_who_is_left_out_of_the_rhythm_is_a_row_and_nobody_else() -> None:
    skipped = {**RHYTHM, "left-out": [0, 7, 21]}
    rows = worked_out(small_world(skipped))
    assert ("left-out", 14.0) in rows
    assert {(one, number) for one, number in rows if 7 <= number < 25} == {("left-out", 14.0)}


def test_before_the_first_contact_the_clock_is_the_first_claim() -> None:
    rows = worked_out(small_world(RHYTHM))
    first = {one: days[0] for one, days in RHYTHM.items()}
    assert {number for _, number in rows} == {0.0, 1.0, 2.0, 3.0}
    assert all(number < first[one] for one, number in rows)


def test_a_row_needs_an_open_claim_that_is_not_disputed_and_a_debtor_who_is_not_blocked() -> None:
    skipped = {**RHYTHM, "left-out": [0, 7, 21]}
    dispute = {"claim_id": "c-left-out", "at": day(10), "kind": "dispute_opened"}
    over = {"claim_id": "c-left-out", "at": day(12), "kind": "dispute_closed"}
    assert ("left-out", 14.0) not in worked_out(small_world(skipped, events=[dispute]))
    assert ("left-out", 14.0) in worked_out(small_world(skipped, events=[dispute, over]))
    closed = {"left-out": {"closed_at": day(13), "close_reason": "paid"}}
    assert ("left-out", 14.0) not in worked_out(small_world(skipped, claims=closed))
    tables = small_world(skipped)
    debtors = tables["debtors"].to_pylist()
    debtors[-1]["blocked_at"] = day(13)
    tables["debtors"] = pa.Table.from_pylist(debtors, schema=tables["debtors"].schema)
    assert ("left-out", 14.0) not in worked_out(tables)


def test_what_is_told_later_changes_no_row() -> None:
    skipped = {**RHYTHM, "left-out": [0, 7, 21]}
    told_later = {"claim_id": "c-left-out", "at": day(10), "known_at": day(15), "kind": "dispute_opened"}
    assert ("left-out", 14.0) in worked_out(small_world(skipped, events=[told_later]))


def test_without_a_rhythm_every_day_counts_and_rows_are_bounded() -> None:
    rng = np.random.default_rng(3)
    contacted = {f"d{number}": sorted(set(rng.integers(0, 60, 4).tolist())) for number in range(60)}
    tables = small_world(contacted)
    _, sets = sets_of(tables, until_us=to_us(day(60)), settings=RiskSettings(each=1.0))
    assert sets.rhythm_days == ()
    assert 0 < len(sets) <= int(sets.comparable.sum())
    made = {(one, number) for one, days in contacted.items() for number in days}
    assert not made & set(worked_out(tables, until=60, settings=RiskSettings(each=1.0)))


def test_the_same_seed_gives_the_same_rows_and_another_gives_others() -> None:
    rng = np.random.default_rng(3)
    tables = small_world({f"d{number}": sorted(set(rng.integers(0, 60, 4).tolist())) for number in range(60)})
    few = RiskSettings(each=0.5)
    assert worked_out(tables, settings=few) == worked_out(tables, settings=few)
    assert worked_out(tables, settings=few) != worked_out(tables, settings=few, seed=2)


def test_rows_fall_on_decisions_for_none_that_the_old_log_forgot(simulated: Portfolio) -> None:
    until_us = to_us(UNTIL) - 30 * DAY_US
    portfolio = old_log(simulated)
    found, sets = sets_of({name: portfolio[name] for name in TABLES}, until_us=until_us)
    contacts = simulated["contacts"]
    none = contacts.filter(pc.equal(contacts["channel"], "none"))
    forgotten = set(zip(none["debtor_id"].to_pylist(), none["decided_at"].cast(pa.int64()).to_pylist(), strict=True))
    rows = set(zip(found.debtor_id[sets.debtor].tolist(), sets.at_us.tolist(), strict=True))
    assert len(rows) > 100
    assert len(rows & forgotten) / len(rows) > 0.85
    assert 14 in sets.rhythm_days


def shifted(portfolio: Portfolio, cut_us: int) -> dict[str, pa.Table]:
    """Every fact after an instant moved a day later, but contacts, which are left out from then on."""
    tables = {}
    for name in TABLES:
        table = portfolio[name]
        for place, field in enumerate(table.schema):
            if pa.types.is_timestamp(field.type):
                times = table[field.name].to_pylist()
                moved = [one + timedelta(days=1) if one is not None and to_us(one) > cut_us else one for one in times]
                table = table.set_column(place, field, pa.array(moved, field.type))
        tables[name] = table
    contacts = tables["contacts"]
    tables["contacts"] = contacts.filter(pc.less_equal(contacts["decided_at"].cast(pa.int64()), cut_us))
    return tables


def test_facts_after_the_moment_change_no_row(simulated: Portfolio) -> None:
    portfolio = old_log(simulated)
    monday_us = to_us(UNTIL) // DAY_US * DAY_US - 63 * DAY_US
    plain = {name: portfolio[name] for name in TABLES}
    rows = []
    for tables in (plain, shifted(portfolio, monday_us)):
        found, sets = sets_of(tables, until_us=monday_us)
        rows.append(set(zip(found.debtor_id[sets.debtor].tolist(), sets.at_us.tolist(), strict=True)))
    assert len(rows[0]) > 100
    assert rows[0] == rows[1]
