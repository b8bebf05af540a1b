"""Any Arrow table brought into the contract's types, where nothing is lost by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa

from data.problems import Problem
from data.schemas import Column, TableSchema


class Lossy(ValueError):
    """A column cannot be brought into the contract's type without loss; `remedy` says what would be right."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}; {remedy}")


def conform(table: pa.Table, schema: TableSchema) -> tuple[pa.Table, list[Problem]]:
    """The table with every contract column in its contract type, and what stood in the way.

    Optional columns that are absent become nulls. A required column that is absent, or one of a
    wrong type, is a problem and stands in the result as nulls. Extra columns follow unchanged.
    """
    twice = list(_repeated(table, schema.name))
    if twice:
        return schema.empty(), twice
    problems: list[Problem] = []
    arrays: list[pa.ChunkedArray] = []
    for column in schema.columns:
        array, found = _column(table, column, where=schema.name)
        arrays.append(array)
        problems.extend(found)
    extra = [name for name in table.column_names if name not in schema.names]
    fields = [*schema.arrow, *(table.schema.field(name) for name in extra)]
    arrays.extend(table.column(name) for name in extra)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields)), problems


def _repeated(table: pa.Table, where: str) -> Iterator[Problem]:
    for name, times in Counter(table.column_names).items():
        if times > 1:
            yield Problem(
                where,
                name,
                value=None,
                count=table.num_rows,
                what=f"{times} columns of one name",
                remedy="give each column a name of its own",
            )


def _column(table: pa.Table, column: Column, *, where: str) -> tuple[pa.ChunkedArray, list[Problem]]:
    """One contract column and its problem, if it has one."""
    rows = table.num_rows
    nulls = pa.chunked_array([pa.nulls(rows, column.type)])
    if column.name not in table.column_names:
        return nulls, [] if column.nullable else [_absent(column, where=where, rows=rows)]
    given = table.column(column.name)
    try:
        return in_type(given, column.type), []
    except Lossy as loss:
        example = _example(given)
        return nulls, [Problem(where, column.name, value=example, count=rows, what=loss.what, remedy=loss.remedy)]


def _absent(column: Column, *, where: str, rows: int) -> Problem:
    return Problem(
        where,
        column.name,
        value=None,
        count=rows,
        what="required column is missing",
        remedy=f"add it as {column.type}",
    )


def _example(given: pa.ChunkedArray) -> str | None:
    """First value that is not null, as text; None when it cannot be shown."""
    first = given.drop_null().slice(0, 1)
    return as_text(first[0]) if len(first) else None


def as_text(cell: pa.Scalar) -> str | None:
    """One cell as text for a message; None for null and for what has no text.

    Arrow writes it, since Python has no datetime beyond the year 9999.

    >>> as_text(pa.scalar(253_402_300_800_000_000, pa.timestamp("us", tz="UTC")))
    '10000-01-01 00:00:00.000000Z'
    """
    try:
        text = cell.cast(pa.string()).as_py()
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    return None if text is None else str(text)


def in_type(given: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """The column in the wanted type.

    Raises
    ------
    Lossy
        Another kind of type, a time without its zone, or a value that does not fit exactly.

    >>> in_type(pa.chunked_array([["a", "b"]], type=pa.large_string()), pa.string()).type
    DataType(string)
    >>> in_type(pa.chunked_array([[1.5]]), pa.decimal128(18, 2))
    Traceback (most recent call last):
    data.conform.Lossy: expected decimal128(18, 2), came double; store money as decimal128(18, 2), not as a float
    """
    if pa.types.is_dictionary(given.type):
        given = _cast(given, given.type.value_type)
    if not _is_kin(given.type, wanted):
        raise Lossy(f"expected {wanted}, came {given.type}", _remedy(given.type, wanted))
    array = given if given.type == wanted else _cast(given, wanted)
    if pa.types.is_string(wanted):
        _must_be_text(array)
    return array


def _cast(given: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    try:
        return given.cast(wanted, safe=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as cause:
        raise Lossy(
            f"{given.type} does not fit {wanted} exactly ({str(cause).splitlines()[0]})",
            f"store as {wanted}",
        ) from cause


def _must_be_text(array: pa.ChunkedArray) -> None:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as cause:
        raise Lossy("text is not UTF-8", "store text as UTF-8") from cause


def _is_kin(given: pa.DataType, wanted: pa.DataType) -> bool:
    """True where every value of `given` may have an exact place in `wanted`."""
    kinds = pa.types
    if given == wanted or kinds.is_null(given):
        return True
    if kinds.is_timestamp(wanted):
        return bool(kinds.is_timestamp(given) and given.tz is not None)
    if kinds.is_string(wanted):
        return bool(kinds.is_large_string(given) or kinds.is_string_view(given))
    if kinds.is_floating(wanted):
        return bool(kinds.is_floating(given) or kinds.is_integer(given))
    return bool(
        (kinds.is_date(wanted) and kinds.is_date(given))
        or (kinds.is_decimal(wanted) and kinds.is_decimal(given))
        or (kinds.is_integer(wanted) and kinds.is_integer(given))
    )


def _remedy(given: pa.DataType, wanted: pa.DataType) -> str:
    kinds = pa.types
    if kinds.is_timestamp(wanted) and kinds.is_timestamp(given):
        return "the time is naive: store as timestamp[us, tz=UTC]"
    if kinds.is_decimal(wanted) and kinds.is_floating(given):
        return f"store money as {wanted}, not as a float"
    return f"store as {wanted}"
