"""The contract's tables, and the one way in which they are written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.schemas import DECISION_SCHEMA, MONEY, SCHEMAS, TIME, UnknownColumn, write_table
from tests.samples import claims


def test_tables_stand_in_an_order_in_which_each_refers_to_those_before_it() -> None:
    assert list(SCHEMAS) == [
        "debtors",
        "debtor_profiles",
        "contact_points",
        "claims",
        "claim_events",
        "contacts",
        "contact_events",
        "payments",
    ]


def test_only_starred_tables_may_be_missing() -> None:
    missing = {name for name, schema in SCHEMAS.items() if not schema.required}
    assert missing == {"debtor_profiles", "contact_points", "claim_events", "contact_events"}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=str)
def test_every_key_is_a_column(schema: pa.Schema) -> None:
    assert set(schema.key) <= set(schema.names)


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_every_time_is_utc_and_all_money_is_decimal(name: str) -> None:
    for column in SCHEMAS[name].columns:
        if column.name.endswith("_at"):
            assert column.type == TIME
        if column.name in {"principal", "amount", "promised_amount", "cost"}:
            assert column.type == MONEY


def test_a_decision_row_has_the_columns_of_the_contract_in_order() -> None:
    assert " ".join(DECISION_SCHEMA.names) == (
        "decision_id debtor_id claim_id lead decided_at valid_until channel send_at payment_option tone "
        "payment_probability uplift expected_value currency action_probability arm_probability "
        "channel_probability channel_daypart_probability explored arm segment model_version policy_version "
        "rules_version reasons blocked"
    )


def test_blocked_names_channel_and_rule() -> None:
    kind = DECISION_SCHEMA.field("blocked").type
    assert kind == pa.list_(pa.struct([("channel", pa.string()), ("rule", pa.string())]))


def test_a_column_that_the_contract_lacks_is_refused_by_name() -> None:
    with pytest.raises(UnknownColumn, match="no column 'amount' in claims: it has claim_id, debtor_id"):
        SCHEMAS["claims"].column("amount")


def test_a_written_table_reads_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "new" / "claims.parquet"
    write_table(claims(), path)
    assert pq.read_table(path).equals(claims())


def test_a_write_that_fails_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "claims.parquet"
    write_table(claims(), path)
    nulls = pa.Table.from_arrays([pa.nulls(2, pa.string())], schema=pa.schema([pa.field("a", pa.string(), False)]))
    with pytest.raises(pa.ArrowInvalid, match="non-nullable"):
        write_table(nulls, path)
    assert pq.read_table(path).equals(claims())
    assert [file.name for file in tmp_path.iterdir()] == ["claims.parquet"]
