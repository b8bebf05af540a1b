"""Each way to break the contract gives a problem that names its place, its rows and the remedy."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data.check import CheckResult, check
from data.problems import Problem
from data.schemas import SCHEMAS
from tests.samples import moment, sample_tables, with_cell, with_column, write_tables

Tables = dict[str, pa.Table]


def checked(tables: Tables, folder: Path) -> CheckResult:
    return check(write_tables(tables, folder))


def only_problem(tables: Tables, folder: Path) -> Problem:
    """The one problem of the portfolio."""
    problems = checked(tables, folder).problems
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def test_a_valid_portfolio_has_neither_problems_nor_unexpected_notices(tmp_path: Path) -> None:
    result = checked(sample_tables(), tmp_path)
    assert result.ok
    assert result.notices == ()
    assert result.rows == {name: table.num_rows for name, table in sample_tables().items()}


# The folder and its files.


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    result = check(tmp_path / "nowhere")
    assert [problem.what for problem in result.problems] == ["no such folder"]
    assert str(tmp_path / "nowhere") in str(result.problems[0])


def test_an_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    (problem,) = check(tmp_path).problems
    assert problem.what == "the folder holds no table of the contract"
    assert "debtors.parquet, claims.parquet, contacts.parquet, payments.parquet" in problem.remedy


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert check(tmp_path / "file").problems[0].what == "a file, not a folder"


@pytest.mark.parametrize("name", ["debtors", "claims", "contacts", "payments"])
def test_a_missing_table_is_told_once_and_not_in_every_row_that_refers_to_it(name: str, tmp_path: Path) -> None:
    tables = sample_tables()
    del tables[name]
    problem = only_problem(tables, tmp_path)
    assert (problem.table, problem.what) == (name, "required table is missing")
    assert f"{name}.parquet" in problem.remedy


@pytest.mark.parametrize("name", ["debtor_profiles", "contact_points", "claim_events", "contact_events"])
def test_a_missing_optional_table_is_a_notice(name: str, tmp_path: Path) -> None:
    tables = sample_tables()
    del tables[name]
    result = checked(tables, tmp_path)
    assert result.ok
    assert [notice.table for notice in result.notices] == [name]


@pytest.mark.parametrize("kept", [0, 4, 100, -4])
def test_a_truncated_file_is_named(kept: int, tmp_path: Path) -> None:
    file = write_tables(sample_tables(), tmp_path) / "contacts.parquet"
    file.write_bytes(file.read_bytes()[:kept])
    (problem,) = check(tmp_path).problems
    assert (problem.table, problem.value) == ("contacts", "contacts.parquet")
    assert "cannot be read as Parquet" in str(problem)


def test_a_file_damaged_in_its_middle_is_named(tmp_path: Path) -> None:
    file = write_tables(sample_tables(), tmp_path) / "contacts.parquet"
    content = bytearray(file.read_bytes())
    content[4:200] = bytes(196)
    file.write_bytes(content)
    assert {problem.table for problem in check(tmp_path).problems} == {"contacts"}


def test_a_table_folder_without_files_is_a_problem(tmp_path: Path) -> None:
    tables = sample_tables()
    del tables["contacts"]
    write_tables(tables, tmp_path)
    (tmp_path / "contacts").mkdir()
    assert [problem.what for problem in check(tmp_path).problems] == ["folder contacts/ holds no Parquet file"]


def test_a_table_that_stands_twice_is_a_problem(tmp_path: Path) -> None:
    write_tables(sample_tables(), tmp_path)
    write_tables({"part": sample_tables()["contacts"]}, tmp_path / "contacts")
    assert [p.what for p in check(tmp_path).problems] == ["stands twice, as contacts.parquet and contacts"]


def test_a_misspelt_table_is_a_notice(tmp_path: Path) -> None:
    write_tables({**sample_tables(), "contact_event": sample_tables()["contact_events"]}, tmp_path)
    (notice,) = check(tmp_path).notices
    assert str(notice) == "contact_event.parquet is no table of the contract and was not read"


# Columns.


def test_a_missing_required_column_is_a_problem(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["claims"] = tables["claims"].drop_columns(["registered_at"])
    problem = only_problem(tables, tmp_path)
    assert str(problem) == (
        "claims.registered_at: required column is missing in 5 rows; add it as timestamp[us, tz=UTC]"
    )


def test_two_columns_of_one_name_are_a_problem(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["debtor_profiles"] = tables["debtor_profiles"].append_column("employment", pa.nulls(3, pa.string()))
    assert only_problem(tables, tmp_path).what == "2 columns of one name"


def test_a_naive_time_says_how_to_store_it(tmp_path: Path) -> None:
    tables = sample_tables()
    times = [time.replace(tzinfo=None) for time in tables["contacts"].column("decided_at").to_pylist()]
    tables["contacts"] = with_column(tables["contacts"], "decided_at", times)
    assert str(only_problem(tables, tmp_path)) == (
        "contacts.decided_at: expected timestamp[us, tz=UTC], came timestamp[us], '2026-02-03 12:00:00.000000' in 6 rows; "
        "the time is naive: store as timestamp[us, tz=UTC]"
    )


REQUIRED = [(s.name, c.name) for s in SCHEMAS.values() for c in s.columns if not c.nullable]


@pytest.mark.parametrize(("table", "column"), REQUIRED)
def test_a_null_in_a_required_column_is_a_problem(table: str, column: str, tmp_path: Path) -> None:
    tables = sample_tables()
    whole = tables[table]
    rows = whole.num_rows
    values = whole.column(column).to_pylist()
    tables[table] = with_column(whole, column, [*values[: rows - 1], None], kind=whole.schema.field(column).type)
    places = {
        (problem.table, problem.column, problem.count, problem.what) for problem in checked(tables, tmp_path).problems
    }
    assert (table, column, 1, "required column holds nulls") in places


# Values.


def test_an_unknown_channel_names_table_column_value_and_rows(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["contacts"] = with_cell(with_cell(tables["contacts"], "channel", "fax", row=2), "channel", "fax", row=3)
    problem = only_problem(tables, tmp_path)
    assert (problem.table, problem.column, problem.value, problem.count) == ("contacts", "channel", "fax", 2)
    assert str(problem) == (
        "contacts.channel: unknown value, 'fax' in 2 rows; use one of none, sms, email, digital_mailbox, letter, "
        "phone, portal, or add it under [grid] channels in rettid.toml"
    )


def test_a_channel_of_the_deployment_is_known(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["contacts"] = with_cell(tables["contacts"], "channel", "whatsapp", row=2)
    write_tables(tables, tmp_path)
    assert not check(tmp_path).ok
    assert check(tmp_path, channels=("sms", "whatsapp")).ok


def test_none_is_no_way_to_reach_a_debtor(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["contact_points"] = with_cell(tables["contact_points"], "channel", "none")
    assert only_problem(tables, tmp_path).what == "unknown value"


def test_of_many_unknown_words_the_five_most_frequent_are_named(tmp_path: Path) -> None:
    tables = sample_tables()
    event = tables["contact_events"].slice(0, 1).to_pylist()[0]
    kinds = [f"k{word}" for word in range(8) for _ in range(8 - word)]
    rows = [event | {"event_id": f"n{number}", "kind": kind} for number, kind in enumerate(kinds)]
    tables["contact_events"] = pa.Table.from_pylist(rows, schema=tables["contact_events"].schema)
    problems = checked(tables, tmp_path).problems
    assert [(p.value, p.count) for p in problems] == [("k0", 8), ("k1", 7), ("k2", 6), ("k3", 5), ("k4", 4), ("k5", 6)]
    assert problems[-1].what == "and 3 more unknown values"


WORDS = [(s.name, c.name) for s in SCHEMAS.values() for c in s.columns if c.values is not None]


@pytest.mark.parametrize(("table", "column"), WORDS)
def test_every_vocabulary_is_enforced(table: str, column: str, tmp_path: Path) -> None:
    tables = sample_tables()
    tables[table] = with_cell(tables[table], column, "nonsense")
    assert ("nonsense", 1, "unknown value") in {(p.value, p.count, p.what) for p in checked(tables, tmp_path).problems}


CELLS: dict[str, tuple[str, str, Any, str, str]] = {
    "empty identifier": ("claims", "creditor_id", "", "creditor_id", "identifier is not 1-128 characters long"),
    "long identifier": ("payments", "payment_id", "é" * 129, "payment_id", "identifier is not 1-128"),
    "country in words": ("debtors", "country", "Austria", "country", "ISO 3166-1"),
    "country in small letters": ("debtors", "country", "at", "country", "ISO 3166-1"),
    "country and a line end": ("debtors", "country", "AT\n", "country", "ISO 3166-1"),
    "currency sign": ("claims", "currency", "€", "currency", "ISO 4217"),
    "zone by offset": ("debtors", "time_zone", "UTC+2", "time_zone", "unknown time zone"),
    "duplicate claim": ("claims", "claim_id", "c2", "claim_id", "duplicate key"),
    "duplicate event": ("claim_events", "event_id", "e2", "event_id", "duplicate key"),
    "duplicate payment": ("payments", "payment_id", "y2", "payment_id", "duplicate key"),
    "duplicate contact": ("contacts", "claim_id", "c2", "contact_id, claim_id", "duplicate key"),
    "claim of nobody": ("claims", "debtor_id", "d9", "debtor_id", "no such row in debtors"),
    "profile of nobody": ("debtor_profiles", "debtor_id", "d9", "debtor_id", "no such row in debtors"),
    "point of nobody": ("contact_points", "debtor_id", "d9", "debtor_id", "no such row in debtors"),
    "event of no claim": ("claim_events", "claim_id", "c9", "claim_id", "no such row in claims"),
    "event of no contact": ("contact_events", "contact_id", "p9", "contact_id", "no such row in contacts"),
    "contact on no claim": ("contacts", "claim_id", "c9", "claim_id", "no such row in claims"),
    "payment on no claim": ("payments", "claim_id", "c9", "claim_id", "no such row in claims"),
    "payment through no contact": ("payments", "contact_id", "p9", "contact_id", "no such row in contacts"),
    "payment on another's claim": ("payments", "debtor_id", "d2", "debtor_id, claim_id", "not this debtor's"),
    "contact on another's claim": ("contacts", "debtor_id", "d2", "debtor_id, claim_id", "not this debtor's"),
    "contact before its claim": ("contacts", "decided_at", moment(1, 9), "decided_at", "before its claim"),
    "sent before decided": ("contacts", "send_at", moment(2, 2), "decided_at, send_at", "lies before decided_at"),
    "contact without time": ("contacts", "send_at", None, "channel, send_at", "no send_at though contact was made"),
    "none with a time": ("contacts", "channel", "none", "channel, send_at", "send_at where channel is none"),
    "contact of two channels": ("contacts", "channel", "email", "channel", "rows of one contact_id differ"),
    "contact of two times": ("contacts", "decided_at", moment(2, 2), "decided_at", "rows of one contact_id differ"),
    "closed before registered": ("claims", "closed_at", moment(1, 1), "registered_at, closed_at", "lies before"),
    "point ends before it begins": ("contact_points", "valid_to", moment(1, 1), "valid_from, valid_to", "lies before"),
    "reversed before paid": ("payments", "reversed_at", moment(1, 1), "paid_at, reversed_at", "lies before"),
    "no principal": ("claims", "principal", Decimal("0.00"), "principal", "must be above 0"),
    "negative principal": ("claims", "principal", Decimal("-5.00"), "principal", "must be above 0"),
    "negative payment": ("payments", "amount", Decimal("-5.00"), "amount", "must be above 0"),
    "promise of nothing": ("contact_events", "promised_amount", Decimal("0.00"), "promised_amount", "above 0"),
    "negative cost": ("contacts", "cost", Decimal("-0.01"), "cost", "must not be below 0"),
    "negative count": ("debtor_profiles", "other_debts", -1, "other_debts", "must not be below 0"),
    "payment in other money": ("payments", "currency", "SEK", "currency", "differs from the claim's currency"),
    "impossible choice": ("contacts", "action_probability", 0.0, "action_probability", "above 0 and at most 1"),
    "more than certain": ("contacts", "action_probability", 1.01, "action_probability", "above 0 and at most 1"),
    "not a number": ("contacts", "action_probability", float("nan"), "action_probability", "above 0 and at most 1"),
    "stage unnamed": ("claim_events", "stage", None, "kind, stage", "without its stage"),
}


@pytest.mark.parametrize("case", list(CELLS))
def test_one_wrong_cell_is_found_with_its_place_and_remedy(case: str, tmp_path: Path) -> None:
    table, column, value, place, words = CELLS[case]
    tables = sample_tables()
    tables[table] = with_cell(tables[table], column, value)
    found = [p for p in checked(tables, tmp_path).problems if (p.table, p.column) == (table, place) and words in p.what]
    assert len(found) == 1
    assert found[0].count >= 1
    assert found[0].value is not None
    assert found[0].remedy


def test_duplicate_keys_count_all_rows_concerned(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["payments"] = pa.concat_tables([tables["payments"], tables["payments"].slice(0, 2)])
    problem = only_problem(tables, tmp_path)
    assert (problem.value, problem.count) == ("y1", 4)


def test_rows_without_an_identifier_must_differ(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["debtor_profiles"] = pa.concat_tables([tables["debtor_profiles"], tables["debtor_profiles"].slice(2)])
    problem = only_problem(tables, tmp_path)
    assert (problem.table, problem.column, problem.count) == ("debtor_profiles", None, 2)
    assert problem.value == "d2, 2026-01-09 12:00:00.000000Z, high, 1"


def test_claim_events_without_an_identifier_are_no_duplicates(tmp_path: Path) -> None:
    tables = sample_tables()
    events = tables["claim_events"]
    tables["claim_events"] = with_column(events, "event_id", [None] * 5, kind=pa.string())
    assert checked(tables, tmp_path).ok


def test_a_contact_sent_on_one_row_only_differs(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["contacts"] = with_cell(tables["contacts"], "send_at", None, row=1)
    whats = {problem.what for problem in checked(tables, tmp_path).problems}
    assert whats == {"rows of one contact_id differ in send_at", "no send_at though contact was made"}


# Notices.


def test_a_log_without_none_is_accepted_and_said_so(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["contacts"] = tables["contacts"].filter(pa.array([True, True, True, True, False, True]))
    result = checked(tables, tmp_path)
    assert result.ok
    assert [str(notice) for notice in result.notices] == [
        "contacts: no rows of channel none: gain over no contact is bounded, not identified"
    ]


def test_a_log_without_action_probabilities_is_accepted_and_said_so(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["contacts"] = tables["contacts"].drop_columns(["action_probability"])
    result = checked(tables, tmp_path)
    assert result.ok
    assert [str(notice) for notice in result.notices] == [
        "contacts: no action_probability in 6 rows of 6: these are left out of off-policy evaluation"
    ]


def test_tables_without_rows_are_valid(tmp_path: Path) -> None:
    result = checked({name: schema.empty() for name, schema in SCHEMAS.items()}, tmp_path)
    assert result.ok
    assert [notice.table for notice in result.notices] == ["contacts"]


def test_lines_hold_one_line_per_table_and_one_per_problem(tmp_path: Path) -> None:
    tables = sample_tables()
    tables["claims"] = with_cell(tables["claims"], "principal", Decimal("-1.00"))
    del tables["contact_events"]
    lines = checked(tables, tmp_path).lines()
    assert "debtors: 3 rows, 0 problems" in lines
    at = lines.index("claims: 5 rows, 1 problem")
    assert lines[at + 1].startswith("  problem  claims.principal: must be above 0, '-1.00' in 1 row; ")
    assert "contact_events: not there, 0 problems" in lines


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_an_empty_table_never_makes_the_check_fail_itself(name: str, tmp_path: Path) -> None:
    tables = sample_tables()
    tables[name] = tables[name].slice(0, 0)
    whats = {problem.what for problem in checked(tables, tmp_path).problems}
    assert all(what.startswith("no such row in") for what in whats)
