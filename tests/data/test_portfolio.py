"""Reading: whatever holds the same facts gives the same tables, anything else is refused."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from data.portfolio import Portfolio, UnknownTable, read_portfolio
from data.problems import BadPortfolio
from data.schemas import SCHEMAS
from tests.samples import sample_tables, with_column, write_tables


def rewritten(table: pa.Table, name: str, kind: pa.DataType) -> pa.Table:
    """The table with one column cast, exactly, to another type."""
    values = pa.nulls(table.num_rows) if pa.types.is_null(kind) else table.column(name).cast(kind)
    return table.set_column(table.column_names.index(name), name, values)


def same(read: pa.Table, expected: pa.Table) -> bool:
    return bool(read.combine_chunks().equals(expected.combine_chunks()))


def test_a_folder_of_files_reads_as_the_tables_written(tmp_path: Path) -> None:
    portfolio = read_portfolio(write_tables(sample_tables(), tmp_path))
    for name, table in sample_tables().items():
        assert same(portfolio[name], table), name
    assert portfolio.given == frozenset(SCHEMAS)


def test_a_nested_folder_equals_the_single_file(tmp_path: Path) -> None:
    tables = sample_tables()
    contacts = tables.pop("contacts")
    write_tables(tables, tmp_path)
    for row in range(contacts.num_rows):
        write_tables({f"part-{row}": contacts.slice(row, 1)}, tmp_path / "contacts" / f"block{row // 2}")
    (tmp_path / "contacts" / "_SUCCESS").touch()
    assert same(read_portfolio(tmp_path)["contacts"], contacts)


def test_a_partition_by_a_contract_column_equals_the_single_file(tmp_path: Path) -> None:
    tables = sample_tables()
    contacts = tables.pop("contacts")
    write_tables(tables, tmp_path)
    ds.write_dataset(
        contacts, tmp_path / "contacts", format="parquet", partitioning=["channel"], partitioning_flavor="hive"
    )
    order = [("contact_id", "ascending"), ("claim_id", "ascending")]
    assert same(read_portfolio(tmp_path)["contacts"].sort_by(order), contacts.sort_by(order))


def test_a_partition_by_date_gets_its_type_and_a_foreign_one_stays_text(tmp_path: Path) -> None:
    tables = sample_tables()
    claims = tables.pop("claims")
    write_tables(tables, tmp_path)
    with_year = claims.append_column("year", pa.array([2026] * claims.num_rows))
    ds.write_dataset(
        with_year, tmp_path / "claims", format="parquet", partitioning=["year", "due_on"], partitioning_flavor="hive"
    )
    read = read_portfolio(tmp_path)["claims"]
    assert same(read.select(claims.column_names).sort_by("claim_id"), claims)
    assert read.column_names[-1] == "year"
    assert set(read.column("year").to_pylist()) == {"2026"}


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("contacts", "contact_id", pa.large_string()),
        ("contacts", "claim_id", pa.string_view()),
        ("contacts", "channel", pa.dictionary(pa.int8(), pa.string())),
        ("contacts", "tone", pa.dictionary(pa.int32(), pa.large_string())),
        ("contacts", "decided_at", pa.timestamp("ms", tz="UTC")),
        ("contacts", "send_at", pa.timestamp("ns", tz="Europe/Vienna")),
        ("claims", "due_on", pa.date64()),
        ("claims", "principal", pa.decimal128(30, 6)),
        ("payments", "amount", pa.decimal256(40, 2)),
        ("payments", "amount", pa.decimal128(9, 2)),
        ("debtor_profiles", "other_debts", pa.uint8()),
        ("contacts", "action_probability", pa.float64()),
        ("contacts", "template_id", pa.null()),
    ],
)
def test_types_that_lose_nothing_are_accepted(table: str, column: str, kind: pa.DataType, tmp_path: Path) -> None:
    tables = sample_tables()
    tables[table] = rewritten(tables[table], column, kind)
    assert same(read_portfolio(write_tables(tables, tmp_path))[table], sample_tables()[table])
    assert same(Portfolio.from_tables(tables)[table], sample_tables()[table])


NAIVE = [datetime(2026, 1, 1)] * 5  # noqa: DTZ001  # the naive time is what is refused


@pytest.mark.parametrize(
    ("column", "values", "kind", "words"),
    [
        ("principal", [1.5] * 5, None, "store money as decimal128.18, 2., not as a float"),
        ("principal", [150] * 5, None, "expected decimal128.18, 2., came int64"),
        ("principal", ["1.50"] * 5, None, "expected decimal128.18, 2., came string"),
        ("registered_at", NAIVE, pa.timestamp("us"), r"store as timestamp\[us, tz=UTC\]"),
        ("registered_at", ["2026-01-01T00:00:00Z"] * 5, None, "came string, '2026-01-01T00:00:00Z' in 5 rows"),
        ("registered_at", [1] * 5, None, "came int64"),
        ("due_on", ["2026-01-01"] * 5, None, "expected date32.day., came string"),
        ("claim_id", [1, 2, 3, 4, 5], None, "expected string, came int64"),
        ("claim_id", [b"a", b"b", b"c", b"d", b"e"], None, "expected string, came binary"),
    ],
)
def test_types_that_lose_or_guess_are_refused(
    column: str, values: list[Any], kind: pa.DataType | None, words: str, tmp_path: Path
) -> None:
    tables = sample_tables()
    tables["claims"] = with_column(tables["claims"], column, values, kind=kind)
    write_tables(tables, tmp_path)
    with pytest.raises(BadPortfolio, match=words) as refusal:
        read_portfolio(tmp_path)
    assert ("claims", column) in {(problem.table, problem.column) for problem in refusal.value.problems}


@pytest.mark.parametrize(
    ("table", "column", "kind", "value"),
    [
        ("claims", "principal", pa.decimal128(20, 4), "1.2345"),
        ("claims", "registered_at", pa.timestamp("ns", tz="UTC"), 1_000_000_001),
    ],
)
def test_a_value_finer_than_its_type_is_refused(
    table: str, column: str, kind: pa.DataType, value: Any, tmp_path: Path
) -> None:
    tables = sample_tables()
    cell = pa.scalar(value, pa.string()).cast(kind) if isinstance(value, str) else pa.scalar(value, kind)
    place = tables[table].column_names.index(column)
    tables[table] = tables[table].set_column(place, column, pa.repeat(cell, tables[table].num_rows))
    with pytest.raises(BadPortfolio, match="exactly"):
        read_portfolio(write_tables(tables, tmp_path))


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    tables = sample_tables()
    raw = pa.array([b"\xff\xfe"] * 5, pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 5, raw.buffers())
    tables["claims"] = tables["claims"].set_column(3, "sector", broken)
    with pytest.raises(BadPortfolio, match=r"claims\.sector: text is not UTF-8"):
        Portfolio.from_tables(tables)


def test_absent_optional_columns_are_null_and_absent_optional_tables_empty(tmp_path: Path) -> None:
    tables = sample_tables()
    del tables["contact_events"]
    tables["debtors"] = tables["debtors"].select(["debtor_id", "country", "registered_at"])
    portfolio = read_portfolio(write_tables(tables, tmp_path))
    assert portfolio["debtors"].schema.equals(SCHEMAS["debtors"].arrow)
    assert portfolio["debtors"].column("blocked_at").null_count == 3
    assert portfolio["contact_events"].equals(SCHEMAS["contact_events"].empty())
    assert "contact_events" not in portfolio.given


def test_extra_columns_are_kept_last(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["claims"] = tables["claims"].add_column(0, "audit_group", pa.array(["a"] * 5))
    read = read_portfolio(write_tables(tables, tmp_path))["claims"]
    assert read.column_names == [*SCHEMAS["claims"].names, "audit_group"]


def test_files_may_differ_in_extra_columns_and_in_equivalent_types(tmp_path: Path) -> None:
    tables = sample_tables()
    payments = tables.pop("payments")
    late = rewritten(payments.slice(2), "claim_id", pa.large_string()).append_column("note", pa.array(["x", "y"]))
    write_tables(tables, tmp_path)
    write_tables({"a": payments.slice(0, 2), "b": late}, tmp_path / "payments")
    read = read_portfolio(tmp_path)["payments"]
    assert same(read.select(payments.column_names), payments)
    assert read.column("note").to_pylist() == [None, None, "x", "y"]


def test_faults_of_many_files_are_told_once_with_all_their_rows(tmp_path: Path) -> None:
    tables = sample_tables()
    payments = tables.pop("payments").drop_columns(["amount"])
    write_tables(tables, tmp_path)
    write_tables({str(row): payments.slice(row, 1) for row in range(4)}, tmp_path / "payments")
    with pytest.raises(BadPortfolio, match=r"payments\.amount: required column is missing in 4 rows") as refusal:
        read_portfolio(tmp_path)
    assert len(refusal.value.problems) == 1


def test_the_message_of_a_bad_portfolio_counts_what_it_does_not_show() -> None:
    tables = {name: table.select([table.column_names[-1]]) for name, table in sample_tables().items()}
    with pytest.raises(BadPortfolio, match=r"breaks the contract in \d+ ways(.|\n)+and \d+ more"):
        Portfolio.from_tables(tables)


def test_rows_in_memory_may_be_taken_unchecked_but_never_in_wrong_types() -> None:
    payments = sample_tables()["payments"]
    assert Portfolio.from_tables({"payments": payments}, checked=False)["payments"].num_rows == 4
    with pytest.raises(BadPortfolio, match="no such row in claims"):
        Portfolio.from_tables({"payments": payments})
    floats = with_column(payments, "amount", [1.0] * 4)
    with pytest.raises(BadPortfolio, match="not as a float"):
        Portfolio.from_tables({"payments": floats}, checked=False)


def test_a_table_that_the_contract_lacks_is_refused_by_name() -> None:
    portfolio = Portfolio.from_tables({})
    with pytest.raises(UnknownTable, match="no table 'calls' in the contract: it has debtors,"):
        portfolio["calls"]
    with pytest.raises(UnknownTable, match="no table 'calls'"):
        Portfolio.from_tables({"calls": pa.table({})})


def test_a_spark_folder_that_ends_in_parquet_is_read(tmp_path: Path) -> None:
    tables = sample_tables()
    debtors = tables.pop("debtors")
    write_tables(tables, tmp_path)
    (tmp_path / "debtors.parquet").mkdir()
    pq.write_table(debtors, tmp_path / "debtors.parquet" / "part-0.snappy.parquet")
    assert same(read_portfolio(tmp_path)["debtors"], debtors)
