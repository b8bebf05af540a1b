"""Histories put together are those of the joint portfolio, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.config import SIMULATED_TENANT
from data.portfolio import Portfolio, read_portfolio
from data.schemas import SCHEMAS
from data.simulator.settings import SimulationSettings
from data.simulator.simulate import simulate
from features._joining_kernels import weave
from features.histories import histories_of
from features.joined import NotApart, joined
from features.tables import Histories, plan
from tests.portfolios import CHANNELS, histories
from tests.samples import rows_to_table, sample_tables, with_cell
from tests.simulator_fakes import Fake
from tests.strategies import random_tables

SEEDS = st.integers(0, 10_000)
THROUGH = {"claim_events": ("claim_id", "claims"), "contact_events": ("contact_id", "contacts")}

Tables = dict[str, pa.Table]


def of_debtor(tables: Tables, debtor_id: str) -> Tables:
    """The rows of one debtor, as the service reads them."""
    found = {
        name: table.filter(pc.equal(table["debtor_id"], debtor_id))
        for name, table in tables.items()
        if name not in THROUGH
    }
    for name, (key, parent) in THROUGH.items():
        if name in tables:
            found[name] = tables[name].filter(pc.is_in(tables[name][key], found[parent][key].combine_chunks()))
    return found


def in_memory(tables: Tables, *, handed_over: frozenset[str]) -> Histories:
    """Histories of a tenant who handed over these tables, and of what has come since."""
    every = {name: tables.get(name, schema.empty()) for name, schema in SCHEMAS.items()}
    there = handed_over | {name for name, table in tables.items() if table.num_rows}
    return histories_of(Portfolio(every, there), channels=CHANNELS)


def arrays_of(found: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every array and plain value of histories by name; `packed` is made of them."""
    for item in fields(found):
        value = getattr(found, item.name)
        if hasattr(value, "_asdict"):
            yield from ((f"{item.name}.{column}", array) for column, array in value._asdict().items())
        else:
            yield item.name, value


def assert_same(found: Histories, expected: Histories) -> None:
    wanted = dict(arrays_of(expected))
    for name, value in arrays_of(found):
        if isinstance(value, np.ndarray):
            assert value.dtype == wanted[name].dtype, name
            np.testing.assert_array_equal(value, wanted[name], err_msg=name)
        else:
            assert value == wanted[name], name


def parts_and_whole(tables: Tables, *, handed_over: frozenset[str]) -> tuple[list[Histories], Histories]:
    """Each debtor's own histories, and those of all in one."""
    names = tables["debtors"]["debtor_id"].to_pylist()
    parts = [in_memory(of_debtor(tables, name), handed_over=handed_over) for name in names]
    return parts, in_memory(tables, handed_over=handed_over)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, unusual=st.booleans(), debtors=st.integers(2, 9))
def test_debtors_put_together_are_the_joint_portfolio(seed: int, unusual: bool, debtors: int) -> None:
    tables = random_tables(seed, debtors=debtors, unusual=unusual)
    parts, whole = parts_and_whole(tables, handed_over=frozenset(tables))
    shuffled = [parts[place] for place in np.random.default_rng(seed).permutation(len(parts))]
    assert_same(joined(shuffled), whole)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_what_was_put_together_can_be_put_together_again(seed: int) -> None:
    tables = random_tables(seed, debtors=6)
    parts, whole = parts_and_whole(tables, handed_over=frozenset(tables))
    assert_same(joined([joined(parts[3:]), parts[0], joined(parts[1:3])]), whole)


def test_the_samples_put_together_are_the_samples() -> None:
    parts, whole = parts_and_whole(sample_tables(), handed_over=frozenset(sample_tables()))
    assert_same(joined(parts), whole)


def test_a_simulated_portfolio_put_together_is_the_portfolio(tmp_path: Path) -> None:
    order = SimulationSettings(30, months=6, seed=5, truth=0)
    simulate(
        tmp_path,
        settings=order,
        behaviour=Fake(SIMULATED_TENANT),
        config=SIMULATED_TENANT,
        progress=lambda what, share: None,
    )
    read = read_portfolio(tmp_path)
    tables = {name: read[name] for name in SCHEMAS}
    parts, whole = parts_and_whole(tables, handed_over=read.given)
    assert len(whole.contacts.decided_us) > 0
    assert_same(joined(parts), whole)


def test_debtors_without_anything_stand_among_the_others() -> None:
    tables = sample_tables()
    bare = rows_to_table("debtors", [{"debtor_id": "d0", "country": "NO"}, {"debtor_id": "d9", "country": "NO"}])
    tables["debtors"] = pa.concat_tables([tables["debtors"], bare])
    parts, whole = parts_and_whole(tables, handed_over=frozenset(tables))
    assert_same(joined(parts), whole)
    assert joined(parts[3:]).debtor_id.tolist() == ["d0", "d9"]


def test_a_part_of_nobody_changes_nothing() -> None:
    tables, nobody = sample_tables(), {name: schema.empty() for name, schema in SCHEMAS.items()}
    parts, whole = parts_and_whole(tables, handed_over=frozenset(tables))
    assert_same(joined([in_memory(nobody, handed_over=frozenset(tables)), *parts]), whole)


def test_a_table_is_missing_where_no_part_has_it() -> None:
    tables = sample_tables()
    handed_over = frozenset(tables) - {"debtor_profiles", "contact_points"}
    tables["debtor_profiles"] = tables["debtor_profiles"].slice(2)  # came since, of one debtor
    tables["contact_points"] = tables["contact_points"].slice(0, 0)
    parts, whole = parts_and_whole(tables, handed_over=handed_over)
    assert {one.missing for one in parts} == {("contact_points",), ("debtor_profiles", "contact_points")}
    assert joined(parts).missing == whole.missing == ("contact_points",)


def test_one_part_is_itself() -> None:
    alone = histories(sample_tables())
    assert joined([alone]) is alone


def test_words_that_are_not_known_stay_unknown() -> None:
    tables = sample_tables()
    tables["claims"] = with_cell(tables["claims"], "sector", None)
    parts, whole = parts_and_whole(tables, handed_over=frozenset(tables))
    assert_same(joined(parts), whole)
    assert -1 in whole.claims.sector.tolist()


def test_a_debtor_in_two_parts_is_refused() -> None:
    one = histories(sample_tables())
    with pytest.raises(NotApart, match="came 'd1' after 'd3': join histories of one debtor each"):
        joined([one, one])


def test_histories_of_different_grids_are_refused() -> None:
    one = histories(sample_tables())
    with pytest.raises(NotApart, match="expected one or more histories of one grid, came 2 of 2 grids: none, sms"):
        joined([replace(one, channels=("none", "sms")), one])


def test_nothing_put_together_is_refused() -> None:
    with pytest.raises(NotApart, match="came 0 of 0 grids"):
        joined([])


def test_what_is_packed_holds_every_number_once() -> None:
    found = histories(sample_tables())
    numbers = [name for name, value in arrays_of(found) if isinstance(value, np.ndarray) and value.dtype != np.object_]
    named = [f"{one.table}.{one.name}".strip(".") for layout in plan().layouts for one in layout.columns]
    assert sorted(named) == sorted(numbers)
    sizes = sum(value.size - name.endswith(".start") for name, value in arrays_of(found) if name in numbers)
    assert sum(one.size for one in found.packed.flat) == sizes


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=5), seed=SEEDS)
def test_weaving_is_a_plain_copy_of_column_after_column(sizes: list[tuple[int, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths, further = np.array(sizes), rng.integers(0, 3, (len(sizes), 2))
    pieces = [[rng.integers(0, 100, one) for one in part] for part in sizes]
    flat = np.concatenate([piece for part in pieces for piece in part])
    place = np.array([0, lengths[:, 0].sum()])
    out = np.zeros(len(flat), dtype=np.int64)
    weave(flat, lengths, further, place, out)
    plain = [
        value + further[number, column]
        for column in (0, 1)
        for number, part in enumerate(pieces)
        for value in part[column]
    ]
    assert out.tolist() == plain
    assert place.tolist() == [lengths[:, 0].sum(), len(flat)]
