"""Histories: sorted by debtor and time, one row for each contact, nothing of unknown owners."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.calendar import place_of
from data.times import NEVER, to_us
from data.vocabulary import CONTACT_EVENT_KINDS
from features.columns import offsets
from features.histories import has_none_rows
from features.tables import Histories
from tests.portfolios import built, by_the_day, histories, shuffled
from tests.samples import moment, rows_to_table, sample_tables, with_cell, with_column
from tests.strategies import DAYS, START, random_tables

SEEDS = st.integers(0, 10_000)


@given(counts=st.lists(st.integers(0, 4), max_size=8))
def test_offsets_cut_sorted_rows_into_those_of_each_owner(counts: list[int]) -> None:
    owner = np.repeat(np.arange(len(counts)), counts)
    start = offsets(owner, len(counts))
    assert np.diff(start).tolist() == counts
    assert [set(owner[a:b]) for a, b in pairwise(start)] == [
        {number} if count else set() for number, count in enumerate(counts)
    ]


def times_by_owner(found: Histories) -> dict[str, tuple[np.ndarray, np.ndarray, int]]:
    sides = {
        "profiles": (found.profiles.start, found.profiles.valid_from_us),
        "points": (found.points.start, found.points.valid_from_us),
        "claims": (found.claims.start, found.claims.registered_us),
        "contacts": (found.contacts.start, found.contacts.decided_us),
        "contact_events": (found.contact_events.start, found.contact_events.at_us),
        "payments": (found.payments.start, found.payments.paid_us),
    }
    sizes = dict.fromkeys(sides, found.size) | {"claim_events": len(found.claim_id)}
    sides["claim_events"] = (found.claim_events.start, found.claim_events.at_us)
    return {name: (start, times, sizes[name]) for name, (start, times) in sides.items()}


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_every_owners_rows_stand_together_in_order_of_time(seed: int) -> None:
    for start, times, size in times_by_owner(histories(random_tables(seed))).values():
        assert len(start) == size + 1
        assert (start[0], start[-1]) == (0, len(times))
        assert all((np.diff(times[a:b]) >= 0).all() for a, b in pairwise(start))


def test_a_contact_that_covers_several_claims_counts_once() -> None:
    found = histories(sample_tables())
    assert len(found.contacts.decided_us) == len({row["contact_id"] for row in sample_tables()["contacts"].to_pylist()})
    d1 = found.debtor_id.tolist().index("d1")
    assert np.diff(found.contacts.start)[d1] == 2


def test_two_contacts_of_one_instant_stay_two() -> None:
    tables = sample_tables()
    tables["contacts"] = with_cell(tables["contacts"], "decided_at", moment(2, 3), row=5)
    assert len(histories(tables).contacts.decided_us) == 5


def test_decisions_not_to_make_contact_are_kept_and_known_as_such() -> None:
    tables = sample_tables()
    assert has_none_rows(histories(tables))
    tables["contacts"] = tables["contacts"].slice(0, 4)
    assert not has_none_rows(histories(tables))


def test_rows_of_owners_that_are_not_there_are_left_out() -> None:
    tables = sample_tables()
    for name, column in (
        ("debtor_profiles", "debtor_id"),
        ("contact_points", "debtor_id"),
        ("claims", "debtor_id"),
        ("claim_events", "claim_id"),
        ("contacts", "debtor_id"),
        ("contact_events", "contact_id"),
        ("payments", "claim_id"),
    ):
        stranger = with_column(tables[name], column, ["nobody"] * len(tables[name])).cast(tables[name].schema)
        tables[name] = pa.concat_tables([stranger.slice(0, 1), tables[name]])
    plain, found = times_by_owner(histories(sample_tables())), times_by_owner(histories(tables))
    for name, (start, times, _) in plain.items():
        np.testing.assert_array_equal(found[name][0], start)
        np.testing.assert_array_equal(found[name][1], times)


def test_the_place_of_a_debtor_is_that_of_its_zone_region_and_country() -> None:
    found = histories(sample_tables())
    expected = [place_of("AT", region="AT-9", time_zone="Europe/Vienna"), place_of("DE", None, time_zone=None)]
    places = [found.places[index] for index in found.place]
    assert places[:2] == expected
    assert len(found.places) == len(set(found.places))


def test_what_has_not_happened_is_never_and_what_is_not_known_has_a_code_below_zero() -> None:
    found = histories(sample_tables())
    assert found.blocked_us.tolist() == [NEVER] * 3
    assert found.cease_us.tolist() == [NEVER, NEVER, to_us(moment(4, 1))]
    assert found.claims.closed_us.tolist().count(NEVER) == 4
    assert found.profiles.employment.tolist()[-1] == -1


def test_a_payment_does_not_count_as_brought_by_a_contact_decided_on_later() -> None:
    tables = sample_tables()
    assert sorted(histories(tables).payments.channel.tolist()) == [-1, -1, -1, 1]
    tables["payments"] = with_cell(tables["payments"], "contact_id", "p5")
    assert histories(tables).payments.channel.tolist() == [-1] * 4


def test_a_portfolio_of_nobody_has_empty_histories() -> None:
    found = histories({})
    assert found.size == 0
    targets, rows = built(found, START)
    assert len(targets.claim) == len(rows.matrix) == 0


def opened_twice(first_known: datetime | None) -> dict[str, pa.Table]:
    tables = sample_tables()
    events = [
        {"event_id": "o1", "contact_id": "p1", "at": moment(2, 4), "kind": "opened", "known_at": first_known},
        {"event_id": "o2", "contact_id": "p1", "at": moment(2, 5), "kind": "opened"},
    ]
    return tables | {"contact_events": rows_to_table("contact_events", events)}


@pytest.mark.parametrize("first_known", [None, moment(3, 1)])
def test_a_message_opened_twice_counts_once_from_the_moment_one_of_the_two_is_known(
    first_known: datetime | None,
) -> None:
    found = histories(opened_twice(first_known))
    opened = found.contact_events.kind == CONTACT_EVENT_KINDS.index("opened")
    assert opened.sum() == 2
    counted = found.contact_events.first & opened
    assert found.contact_events.at_us[counted].tolist() == [to_us(moment(2, 5) if first_known else moment(2, 4))]


def test_a_message_that_was_opened_and_clicked_reached_somebody_once() -> None:
    tables = opened_twice(moment(3, 1))
    click = {"event_id": "o3", "contact_id": "p1", "at": moment(2, 6), "kind": "clicked", "known_at": moment(2, 7)}
    tables["contact_events"] = pa.concat_tables([tables["contact_events"], rows_to_table("contact_events", [click])])
    events = histories(tables).contact_events
    assert events.at_us[events.first_reach].tolist() == [to_us(moment(2, 5))]  # the first of them to be known
    assert events.first.sum() == 2


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, day=st.integers(30, DAYS - 10), order=st.integers(0, 99), coarse=st.booleans())
def test_the_order_of_the_tables_rows_changes_no_feature(seed: int, day: int, order: int, coarse: bool) -> None:
    tables, as_of = random_tables(seed), START + timedelta(days=day)
    tables = by_the_day(tables) if coarse else tables
    plain, mixed = histories(tables), histories(shuffled(tables, seed=order))
    targets, rows = built(plain, as_of)
    mixed_targets, mixed_rows = built(mixed, as_of)
    assert plain.claim_id[targets.claim].tolist() == mixed.claim_id[mixed_targets.claim].tolist()
    np.testing.assert_array_equal(rows.matrix, mixed_rows.matrix)
