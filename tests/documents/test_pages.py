"""Pages that list what the code holds list all of it, and nothing else."""

import re

import pyarrow as pa
import pytest

from data.config import Config
from data.schemas import BLOCKED, DATE, DECISIONS, FLAG, MONEY, REAL, SCHEMAS, TEXT, TIME, WHOLE, TableSchema
from data.vocabulary import CHANNELS
from features.catalogue_page import page
from tests.documents.grid_picture import picture
from tests.documents.markdown import ROOT

TABLES = (*SCHEMAS.values(), DECISIONS)
WORDS = {
    TEXT: "string",
    TIME: "timestamp[us, UTC]",
    DATE: "date32",
    MONEY: "decimal128(18, 2)",
    FLAG: "bool",
    WHOLE: "int64",
    REAL: "float64",
    BLOCKED: "list of (channel, rule)",
    pa.list_(TEXT): "list of string",
}


def rows_of(table: str) -> list[list[str]]:
    """Cells of each column's row under a table's heading of the contract's page."""
    section = (ROOT / "docs" / "contract.md").read_text().split(f"\n### `{table}`\n")[1].split("\n#")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("schema", TABLES, ids=lambda schema: schema.name)
def test_the_contract_s_page_gives_every_column_with_its_type_and_whether_it_may_be_null(schema: TableSchema) -> None:
    expected = [[f"`{c.name}`", WORDS[c.type], "yes" if c.nullable else "no"] for c in schema.columns]
    assert [row[:3] for row in rows_of(schema.name)] == expected


@pytest.mark.parametrize("schema", TABLES, ids=lambda schema: schema.name)
def test_the_contract_s_page_gives_every_word_of_a_closed_list(schema: TableSchema) -> None:
    said = {row[0]: row[3] for row in rows_of(schema.name)}
    missing = [
        (column.name, word)
        for column in schema.columns
        for word in column.values or ()
        if f"`{word}`" not in said[f"`{column.name}`"]
    ]
    assert missing == []


def test_the_features_page_is_what_the_catalogue_says() -> None:
    remedy = "write it anew: .venv/bin/python -m features.catalogue_page > docs/features.md"
    assert (ROOT / "docs" / "features.md").read_text() == page(CHANNELS), remedy


def test_the_readme_names_every_table_and_key_of_the_configuration() -> None:
    rows = re.findall(r"^\| `\[(\w+)\]` \| (.*?) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    said = {table: set(re.findall(r"`(\w+)`", keys)) for table, keys in rows}
    plain = Config().as_dict()
    money = {"costs", "harm", "rates"}
    assert set(said) == set(plain)
    for table, content in plain.items():
        expected = {"amount", "since", "per_answer"} if table in money else set(content)
        assert said[table] == expected, table


def test_the_picture_of_the_grid_is_what_its_script_draws() -> None:
    remedy = "draw it anew: .venv/bin/python -m tests.documents.grid_picture > docs/images/grid.svg"
    assert (ROOT / "docs" / "images" / "grid.svg").read_text(encoding="utf-8") == picture(), remedy
