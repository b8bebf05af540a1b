"""Whatever rows are wrong: what is written as usable keeps the contract, and every row stands in one part or the other."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.check import check, check_loaded
from data.parquet_folder import Loaded, load
from data.problems import BadPortfolio
from data.quality.inspection import inspect_portfolio
from data.quality.separate import FOLLOWS, separate
from data.quality.set_aside import ASIDE, BadPlace, set_aside
from data.schemas import SCHEMAS, write_table
from data.shards import read_shards, shard_count
from tests.data.made_portfolio import made_tables
from tests.data.test_check import CELLS, REQUIRED
from tests.data.test_quality import sharded
from tests.samples import sample_tables, with_cell, with_column, write_tables

Tables = dict[str, pa.Table]


def loaded(tables: Tables) -> Loaded:
    whole = {name: tables.get(name, schema.empty()) for name, schema in SCHEMAS.items()}
    return Loaded(whole, frozenset(tables), (), ())


def assert_nothing_is_lost(tables: Tables, kept: Tables, aside: Tables) -> None:
    """Each row is in one part, as it was."""
    for name, table in tables.items():
        out = (
            [{k: v for k, v in row.items() if k != "reason"} for row in aside[name].to_pylist()]
            if name in aside
            else []
        )
        parts = sorted(map(repr, [*kept[name].to_pylist(), *out]))
        assert parts == sorted(map(repr, table.to_pylist())), name


@pytest.mark.parametrize("case", list(CELLS))
def test_each_problem_points_to_its_rows(case: str) -> None:
    table, column, value, _, _ = CELLS[case]
    tables = sample_tables()
    tables[table] = with_cell(tables[table], column, value)
    for problem in check_loaded(loaded(tables)).problems:
        assert problem.unusable is not None
        assert len(problem.unusable) == tables[problem.table].num_rows
        assert pa.compute.any(problem.unusable).as_py()


@pytest.mark.parametrize("case", list(CELLS))
def test_one_wrong_cell_is_set_aside_and_the_rest_keeps_the_contract(case: str) -> None:
    table, column, value, _, _ = CELLS[case]
    tables = sample_tables()
    tables[table] = with_cell(tables[table], column, value)
    parts = separate(loaded(tables))
    assert check_loaded(loaded(dict(parts.kept))).ok
    assert_nothing_is_lost(tables, dict(parts.kept), dict(parts.aside))
    assert all(all(reason for reason in rows["reason"].to_pylist()) for rows in parts.aside.values())


@st.composite
def spoilt(draw: st.DrawFn) -> Tables:
    """The sample with some of its cells wrong, nulls where they must not be, and rows told twice."""
    tables = sample_tables()
    for case in draw(st.lists(st.sampled_from(list(CELLS)), max_size=6)):
        table, column, value, _, _ = CELLS[case]
        rows = tables[table].num_rows
        tables[table] = with_cell(tables[table], column, value, row=draw(st.integers(0, rows - 1)))
    for table, column in draw(st.lists(st.sampled_from(REQUIRED), max_size=2)):
        rows = tables[table].num_rows
        values = tables[table].column(column).to_pylist()
        values[draw(st.integers(0, rows - 1))] = None
        tables[table] = with_column(tables[table], column, values, kind=tables[table].schema.field(column).type)
    for table in draw(st.lists(st.sampled_from(list(SCHEMAS)), max_size=3)):
        again = draw(st.integers(0, tables[table].num_rows - 1))
        tables[table] = pa.concat_tables([tables[table], tables[table].slice(again, 1)])
    return tables


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(spoilt())
def test_any_mix_of_faults_leaves_a_portfolio_that_keeps_the_contract(tables: Tables) -> None:
    parts = separate(loaded(tables))
    assert check_loaded(loaded(dict(parts.kept))).ok
    assert_nothing_is_lost(tables, dict(parts.kept), dict(parts.aside))


def test_of_rows_that_are_the_same_one_is_kept_and_of_those_that_contradict_each_other_none() -> None:
    tables = sample_tables()
    payments = tables["payments"]
    other = with_cell(payments, "amount", Decimal(7), row=1).slice(1, 1).cast(payments.schema)
    tables["payments"] = pa.concat_tables([payments, payments.slice(0, 1), other])
    parts = separate(loaded(tables))
    assert sorted(parts.kept["payments"]["payment_id"].to_pylist()) == ["y1", "y3", "y4"]
    assert parts.aside["payments"]["payment_id"].to_pylist() == ["y2", "y1", "y2"]
    assert set(parts.aside["payments"]["reason"].to_pylist()) == {"payment_id: duplicate key"}


def test_columns_that_arrow_does_not_compare_are_compared_too() -> None:
    tables = sample_tables()
    lists = [["a"], ["b"], None, ["d"]]
    extra = tables["payments"].append_column("labels", pa.array(lists, pa.list_(pa.string())))
    other = extra.slice(1, 1).set_column(extra.num_columns - 1, "labels", pa.array([["x"]], pa.list_(pa.string())))
    tables["payments"] = pa.concat_tables([extra, extra.slice(0, 1), other])
    parts = separate(loaded(tables))
    assert sorted(parts.kept["payments"]["payment_id"].to_pylist()) == ["y1", "y3", "y4"]


def test_a_row_that_names_one_set_aside_follows_it_and_says_so() -> None:
    tables = sample_tables()
    tables["debtors"] = with_cell(tables["debtors"], "country", "Austria")
    parts = separate(loaded(tables))
    assert parts.counts == {
        "debtors": 1, "debtor_profiles": 2, "contact_points": 2, "claims": 2, "contacts": 3, "payments": 1,
        "claim_events": 2, "contact_events": 3,
    }  # fmt: skip
    assert parts.aside["debtors"]["reason"].to_pylist() == ["country: country is not ISO 3166-1 alpha-2"]
    assert f"debtor_id: no such row in debtors ({FOLLOWS})" in parts.aside["claims"]["reason"].to_pylist()


def test_all_reasons_of_a_row_are_joined() -> None:
    tables = sample_tables()
    tables["payments"] = with_cell(with_cell(tables["payments"], "amount", Decimal(-1)), "currency", "euro")
    (reason,) = separate(loaded(tables)).aside["payments"]["reason"].to_pylist()
    assert reason.split("; ") == [
        "currency: currency is not ISO 4217",
        "amount: must be above 0",
        "currency: differs from the claim's currency",
    ]


# Files.


def spoilt_sample() -> Tables:
    tables = sample_tables()
    tables["payments"] = with_cell(tables["payments"], "amount", Decimal(-1))
    tables["contacts"] = with_cell(tables["contacts"], "channel", "fax", row=2)
    tables["debtors"] = tables["debtors"].append_column("audit_sex", pa.array(["f", "m", "f"]))
    return tables


def rows_in(folder: Path) -> dict[str, int]:
    return {name: table.num_rows for name, table in load(folder).tables.items()}


def test_both_parts_are_written_and_add_up(tmp_path: Path) -> None:
    source, out = write_tables(spoilt_sample(), tmp_path / "in"), tmp_path / "deep" / "out"
    counts = set_aside(source, out)
    assert check(out).ok
    assert counts == {"contacts": 1, "contact_events": 2, "payments": 1}
    aside = {path.stem: pq.read_table(path).num_rows for path in (out / ASIDE).iterdir()}
    assert aside == counts
    before, after = rows_in(source), rows_in(out)
    assert before == {name: after[name] + aside.get(name, 0) for name in SCHEMAS}
    assert load(out).tables["debtors"]["audit_sex"].to_pylist() == ["f", "m", "f"]
    assert inspect_portfolio(source).aside == counts
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_columns_that_were_absent_stay_absent_and_the_configuration_goes_along(tmp_path: Path) -> None:
    tables = spoilt_sample()
    tables["contacts"] = tables["contacts"].drop_columns(["known_at"])
    source = write_tables(tables, tmp_path / "in")
    (source / "rettid.toml").write_text('[grid]\nchannels = ["none", "sms", "fax"]\n')
    set_aside(source, tmp_path / "out", channels=["none", "sms", "fax"])
    assert "known_at" not in pq.read_schema(tmp_path / "out" / "contacts.parquet").names
    assert (tmp_path / "out" / "rettid.toml").read_text() == (source / "rettid.toml").read_text()
    assert check(tmp_path / "out", channels=["none", "sms", "fax"]).ok


def test_a_portfolio_laid_out_by_debtor_is_written_so_again(tmp_path: Path) -> None:
    tables = made_tables(debtors=30)
    tables["payments"] = with_cell(tables["payments"], "amount", Decimal(-1))
    tables["debtors"] = with_cell(tables["debtors"], "country", "Sverige", row=4)
    source, out = sharded(tables, tmp_path / "in"), tmp_path / "out"
    counts = set_aside(source, out)
    assert shard_count(out) == 3
    assert sum(one["debtors"].num_rows for one in read_shards(out)) == 29
    before, after = rows_in(source), rows_in(out)
    assert before == {name: after[name] + counts.get(name, 0) for name in SCHEMAS}
    assert inspect_portfolio(source).aside == counts
    assert inspect_portfolio(out).ok


def test_a_debtor_in_two_shards_is_set_aside_in_both(tmp_path: Path) -> None:
    source, out = sharded(made_tables(debtors=30), tmp_path / "in"), tmp_path / "out"
    write_table(pq.read_table(source / "debtors" / "00000.parquet").slice(0, 1), source / "debtors" / "00001-1.parquet")
    counts = set_aside(source, out)
    assert counts["debtors"] == 2
    assert counts["claims"] == 1
    assert inspect_portfolio(out).ok
    assert inspect_portfolio(source).aside == counts


@pytest.mark.parametrize("fault", ["table", "column", "type", "file"])
def test_faults_that_are_not_in_rows_are_refused_and_nothing_is_written(fault: str, tmp_path: Path) -> None:
    tables: dict[str, Any] = spoilt_sample()
    if fault == "table":
        del tables["claims"]
    elif fault == "column":
        tables["claims"] = tables["claims"].drop_columns(["sector"])
    elif fault == "type":
        tables["claims"] = with_column(tables["claims"], "principal", [1.5] * 5)
    source = write_tables(tables, tmp_path / "in")
    if fault == "file":
        (source / "claims.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(BadPortfolio, match="claims"):
        set_aside(source, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_place_must_be_free_and_outside_the_portfolio(tmp_path: Path) -> None:
    source = write_tables(spoilt_sample(), tmp_path / "in")
    for out in (source, source / "usable", tmp_path / "in" / ".." / "in"):
        with pytest.raises(BadPlace, match="outside the portfolio"):
            set_aside(source, out)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "old.parquet").touch()
    with pytest.raises(BadPlace, match="holds something"):
        set_aside(source, tmp_path / "full")
