"""One row of a contract table as it comes over the wire: JSON values in, contract types out, and back again."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache

import pyarrow as pa

from data.checks.amounts import positive, probabilities
from data.checks.contacts import send_times
from data.checks.order import within_rows
from data.checks.scope import Check, Scope
from data.checks.stages import stages_named
from data.checks.values import LONGEST_IDENTIFIER, codes, zones
from data.schemas import DATE, FLAG, MONEY, REAL, SCHEMAS, TIME, WHOLE, Column, TableSchema
from data.vocabulary import NONE

Json = str | int | float | bool | Decimal | None | list["Json"] | dict[str, "Json"]
Value = str | int | float | bool | Decimal | datetime | date | None
Row = dict[str, Value]

ROW_CHECKS: tuple[Check, ...] = (codes, within_rows, send_times, stages_named, positive, probabilities)
"""Checks of a portfolio that a single row can be held against; words and identifiers are looked at value by value."""

LONGEST_TEXT = 1_000
FIRST_YEAR, LAST_YEAR = 1900, 2199
LARGEST_WHOLE = 2**31 - 1
LARGEST_MONEY = Decimal("1e15")
LARGEST_REAL = Decimal("1e15")
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Fault:
    """What is wrong with one column of a row (None: with the row), and what would be right; never the value itself."""

    column: str | None
    what: str
    remedy: str


class BadRow(ValueError):
    """A row breaks the contract; `faults` says in what ways."""

    def __init__(self, table: str, faults: Sequence[Fault]) -> None:
        self.table = table
        self.faults = tuple(faults)
        shown = "; ".join(f"{fault.column or 'row'}: {fault.what}, {fault.remedy}" for fault in faults)
        super().__init__(f"a row of {table} breaks the contract: {shown}")


class _Unfit(ValueError):
    """A value cannot be read as its column's type."""


def typed_row(table: str, row: Mapping[str, Json], *, channels: Sequence[str]) -> Row:
    """The row with every contract column of its table, in contract types.

    Times come as ISO text with a zone, dates as `YYYY-MM-DD`, money as a decimal string or a number.

    Parameters
    ----------
    table
        One of `data.schemas.SCHEMAS`.
    channels
        Channels of the configuration, `none` among them.

    Raises
    ------
    BadRow
        Unknown or missing columns, values of another type, words outside the vocabulary.

    >>> row = {"debtor_id": "d1", "country": "AT", "registered_at": "2026-03-01T10:00:00+01:00"}
    >>> typed_row("debtors", row, channels=("none", "sms"))["registered_at"].isoformat()
    '2026-03-01T09:00:00+00:00'
    >>> typed_row("debtors", row | {"registered_at": "2026-03-01T10:00"}, channels=("none", "sms"))
    Traceback (most recent call last):
    data.event_rows.BadRow: a row of debtors breaks the contract: registered_at: a time without its zone, add Z or ...
    """
    schema = SCHEMAS[table]
    faults = list(_strange_columns(schema, row))
    typed: Row = {}
    for column in schema.columns:
        try:
            typed[column.name] = value = _value(column, row.get(column.name))
            _must_be_known(column, value, channels)
        except _Unfit as unfit:
            faults.append(Fault(column.name, *unfit.args))
    if not faults:
        faults.extend(_breaches(schema, typed, channels))
    if faults:
        raise BadRow(table, faults)
    return typed


def to_json(row: Row) -> dict[str, str | int | float | bool]:
    """The row for storing: nulls left out, times in UTC, money as text; the same row always gives the same."""
    return {name: _plain(value) for name, value in sorted(row.items()) if value is not None}


def rows_table(table: str, rows: Sequence[Mapping[str, Json]]) -> pa.Table:
    """Arrow table of rows that `to_json` gave."""
    schema = SCHEMAS[table]
    typed = [{column.name: _value(column, row.get(column.name)) for column in schema.columns} for row in rows]
    return pa.Table.from_pylist(typed, schema.arrow)


def _strange_columns(schema: TableSchema, row: Mapping[str, Json]) -> Iterator[Fault]:
    strange = [name for name in row if name not in schema.names]
    if strange:
        number = "a column" if len(strange) == 1 else f"{len(strange)} columns"
        yield Fault(None, f"{number} that {schema.name} does not have", f"it has {', '.join(schema.names)}")


def _value(column: Column, given: Json) -> Value:
    if given is None:
        if column.nullable:
            return None
        raise _Unfit("a required column is missing or null", f"give it as {_form(column)}")
    return _READERS.get(column.type, _text)(given)


def _must_be_known(column: Column, value: Value, channels: Sequence[str]) -> None:
    """A word is one of its vocabulary, channels those of the configuration; an identifier is 1-128 characters."""
    if not isinstance(value, str):
        return
    if column.is_identifier and not 1 <= len(value) <= LONGEST_IDENTIFIER:
        raise _Unfit(f"an identifier that is not 1-{LONGEST_IDENTIFIER} characters long", "use a hash of it")
    words = column.values
    if words is not None and column.name == "channel":
        words = tuple(channel for channel in channels if channel != NONE or NONE in words)
    if words is not None and value not in words:
        more = ", or add it under [grid] channels in rettid.toml" if column.name == "channel" else ""
        raise _Unfit("a word that is not known", f"use one of {', '.join(words)}{more}")


def _form(column: Column) -> str:
    if column.values is not None:
        return f"one of {', '.join(column.values)}"
    forms = {TIME: "ISO time with zone", DATE: "YYYY-MM-DD", MONEY: "decimal text", FLAG: "true or false"}
    return forms.get(column.type, "text" if column.type == pa.string() else "a number")


def _text(given: Json) -> str:
    if not isinstance(given, str):
        raise _Unfit("not text", "give a JSON string")
    if len(given) > LONGEST_TEXT or any(unicodedata.category(char) in ("Cc", "Cs") for char in given):
        raise _Unfit("text too long or with control characters", f"at most {LONGEST_TEXT} plain characters")
    return given


def _time(given: Json) -> datetime:
    form = "write it like 2026-03-02T09:30:00Z"
    if not isinstance(given, str) or len(given) > 40:
        raise _Unfit("not a time", form)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise _Unfit("not an ISO 8601 time", form) from error
    if moment.tzinfo is None:
        raise _Unfit("a time without its zone", "add Z or an offset such as +01:00")
    _in_years(moment.year)
    return moment.astimezone(UTC)


def _date(given: Json) -> date:
    form = "write it like 2026-03-02"
    if not isinstance(given, str) or len(given) != 10:
        raise _Unfit("not a date", form)
    try:
        day = date.fromisoformat(given)
    except ValueError as error:
        raise _Unfit("not an ISO 8601 date", form) from error
    _in_years(day.year)
    return day


def _in_years(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _Unfit("a year out of range", f"expected {FIRST_YEAR} to {LAST_YEAR}")


def _number(given: Json) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        raise _Unfit("not a number", "give a JSON number")
    number = Decimal(repr(given)) if isinstance(given, float) else Decimal(given)
    if not number.is_finite() or number.adjusted() > 15 or abs(number) > LARGEST_REAL:
        raise _Unfit("a number out of range", f"expected at most {LARGEST_REAL:e} in size")
    return number


def _money(given: Json) -> Decimal:
    try:
        number = Decimal(given) if isinstance(given, str) and len(given) <= 30 else _number(given)
        if not number.is_finite() or number.adjusted() > 15 or abs(number) > LARGEST_MONEY:
            raise _Unfit("an amount out of range", f"expected at most {LARGEST_MONEY:e} in size")
        exact = number.quantize(CENT)
    except InvalidOperation as error:
        raise _Unfit("not an amount", 'write it like "120.50"') from error
    if exact != number:
        raise _Unfit("an amount with more than two decimals", "round it to cents")
    return exact


def _whole(given: Json) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or abs(given) > LARGEST_WHOLE:
        raise _Unfit("not a whole number in range", f"expected at most {LARGEST_WHOLE} in size")
    return given


def _flag(given: Json) -> bool:
    if not isinstance(given, bool):
        raise _Unfit("not true or false", "give the JSON literal")
    return given


_READERS: Mapping[pa.DataType, Callable[[Json], Value]] = {
    TIME: _time,
    DATE: _date,
    MONEY: _money,
    WHOLE: _whole,
    FLAG: _flag,
    REAL: lambda given: float(_number(given)),
}


@cache
def _empty_tables() -> Mapping[str, pa.Table]:
    return {name: schema.empty() for name, schema in SCHEMAS.items()}


def _breaches(schema: TableSchema, typed: Row, channels: Sequence[str]) -> Iterator[Fault]:
    """What the checks of a portfolio say of the one row, their example values left out."""
    tables = {**_empty_tables(), schema.name: pa.Table.from_pylist([typed], schema.arrow)}
    scope = Scope(tables, channels=tuple(channels))
    checks = (*ROW_CHECKS, zones) if typed.get("time_zone") is not None else ROW_CHECKS
    for check in checks:
        for problem in check(scope):
            yield Fault(problem.column, problem.what, problem.remedy)


def _plain(value: Value) -> str | int | float | bool:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if value is None:
        raise TypeError("expected a value, came null: nulls are left out before")
    return value
