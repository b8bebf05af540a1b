"""A file of rows (Parquet or CSV) and its columns as numbers, labels, levels and instants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from data.problems import Problem
from data.times import NEVER

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

PARQUET_ENDINGS = (".parquet", ".pq")
CSV_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
SEPARATORS = (",", ";", "\t", "|")
MOST_LEVELS = 200
"""Levels kept apart in one categorical column; the rarer ones share one."""
OTHER = "(rarer)"


class BadFrame(ValueError):
    """A file cannot be used as a decision log frame; `problems` holds every reason."""

    def __init__(self, problems: tuple[Problem, ...], *, where: str) -> None:
        self.problems = problems
        super().__init__("\n".join([f"{where} cannot be used as a decision log frame:", *(f"  {p}" for p in problems)]))


@dataclass(frozen=True)
class Features:
    """Columns as numbers: shape (n, F), NaN = not known; a categorical one holds level numbers.

    Parameters
    ----------
    names
        One name per column.
    levels
        Per column its levels in the order of their numbers, or None for a numeric one.
    """

    names: tuple[str, ...]
    values: FloatArray
    levels: tuple[tuple[str, ...] | None, ...]

    @property
    def categorical(self) -> BoolArray:
        """Which columns hold level numbers, shape (F,)."""
        return np.array([levels is not None for levels in self.levels], dtype=np.bool_)


def read_rows(file: Path) -> pa.Table:
    """The rows of a Parquet or CSV file, dictionaries decoded.

    Raises
    ------
    BadFrame
        The file is missing, is of another kind, is damaged, has no rows or a column name twice.
    """
    try:
        table = _open(file)
    except (OSError, pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise _bad(file, f"cannot be read ({reason})", "give a whole Parquet or CSV file") from error
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise _bad(file, f"column names that stand twice: {', '.join(twice)}", "give every column its own name")
    if table.num_rows == 0:
        raise _bad(file, "no rows", "give a file with one row per logged decision")
    return table


def _bad(file: Path, what: str, remedy: str) -> BadFrame:
    problem = Problem(file.name, column=None, value=None, count=0, what=what, remedy=remedy)
    return BadFrame((problem,), where=str(file))


def _open(file: Path) -> pa.Table:
    if not file.is_file():
        raise FileNotFoundError("there is no such file")
    name = file.name.lower()
    if name.endswith(PARQUET_ENDINGS):
        return pq.ParquetFile(file).read()
    if name.endswith(CSV_ENDINGS):
        return _open_csv(file)
    raise pa.ArrowInvalid(f"expected a name ending in one of {', '.join(PARQUET_ENDINGS + CSV_ENDINGS)}")


def _open_csv(file: Path) -> pa.Table:
    with pa.input_stream(file) as stream:
        head = stream.read(1 << 16).decode("utf-8", errors="replace").lstrip("\ufeff").partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    convert = pacsv.ConvertOptions(strings_can_be_null=True)
    parse = pacsv.ParseOptions(delimiter=separator, newlines_in_values=True)
    blocks = (1 << 20, max(1 << 20, min(file.stat().st_size * 50, (1 << 31) - 1)))
    for block in blocks[:-1]:
        try:
            read = pacsv.ReadOptions(block_size=block)
            return pacsv.read_csv(file, read_options=read, parse_options=parse, convert_options=convert)
        except pa.ArrowInvalid:
            continue  # the first block may show numbers where later ones hold text: then types come from the whole
    read = pacsv.ReadOptions(block_size=blocks[-1])
    return pacsv.read_csv(file, read_options=read, parse_options=parse, convert_options=convert)


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without dictionary encoding."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def is_numeric(kind: pa.DataType) -> bool:
    """Whether a column of this type is taken as a number (bool, decimal and times included)."""
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
        or types.is_temporal(kind)
        or types.is_null(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type is taken as text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def numbers(column: pa.ChunkedArray) -> FloatArray:
    """A numeric column as floats, shape (n,); null and NaN are NaN; times in microseconds, dates in days."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind) or pa.types.is_time64(kind):
        column = column.cast(pa.int64())
    elif pa.types.is_date32(kind) or pa.types.is_time32(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_date64(kind):
        column = column.cast(pa.date32()).cast(pa.int32())
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def labels(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text: whole numbers without a point, true and false in small letters; null stays null."""
    if pa.types.is_floating(column.type):
        filled = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        whole = pc.all(pc.or_kleene(pc.equal(pc.floor(filled), filled), pc.is_null(filled))).as_py()
        column = filled.cast(pa.int64()) if whole and _fits(filled) else filled
    return column.cast(pa.string())


def _fits(column: pa.ChunkedArray) -> bool:
    largest = pc.max(pc.abs(column)).as_py()
    return largest is None or largest < float(1 << 53)


def codes(column: pa.ChunkedArray) -> tuple[IntArray, tuple[str, ...]]:
    """Level numbers, shape (n,), -1 for null, and the levels in sorted order."""
    encoded = pc.dictionary_encode(labels(column).combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    levels = np.array(encoded.dictionary.to_pylist(), dtype=object)
    number = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    order = np.argsort(levels)
    rank = np.empty(len(levels) + 1, dtype=np.int64)
    rank[order] = np.arange(len(levels))
    rank[-1] = -1
    return rank[number], tuple(str(level) for level in levels[order])


def levelled(column: pa.ChunkedArray) -> tuple[FloatArray, tuple[str, ...]]:
    """A column as level numbers for a model, shape (n,): null NaN, levels beyond `MOST_LEVELS` by count joined."""
    number, levels = codes(column)
    if len(levels) > MOST_LEVELS:
        count = np.bincount(number[number >= 0], minlength=len(levels))
        kept = np.sort(np.argsort(-count, kind="stable")[: MOST_LEVELS - 1])
        rank = np.full(len(levels) + 1, len(kept), dtype=np.int64)
        rank[kept] = np.arange(len(kept))
        rank[-1] = -1
        number, levels = rank[number], (*(levels[i] for i in kept), OTHER)
    return np.where(number < 0, np.nan, number).astype(np.float64), levels


def instants(column: pa.ChunkedArray, *, zone: str | None, unit: str | None, pattern: str | None) -> IntArray:
    """Microseconds since the epoch, shape (n,); null is `NEVER`. Dates count from midnight UTC.

    Raises
    ------
    ValueError
        The column is no time, or one that could be several instants; the message says what to add to the SPEC.
    """
    kind = column.type
    if is_text(kind):
        column = _parsed(column, pattern)
        kind = column.type
    if pa.types.is_integer(kind):
        return _counted_time(column, unit)
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("us", tz="UTC"))
    elif not pa.types.is_timestamp(kind):
        raise ValueError(f'expected a time, came {kind}; name a column of times, or time = "@order"')
    elif kind.tz is None:
        column = _zoned(column, zone)
    whole = column.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
    return np.asarray(whole.fill_null(NEVER).to_numpy(zero_copy_only=False), dtype=np.int64)


def _zoned(column: pa.ChunkedArray, zone: str | None) -> pa.ChunkedArray:
    if zone is None:
        remedy = 'say the zone: [time] column = "...", zone = "UTC" (or "Europe/Copenhagen")'
        raise ValueError(f"expected times with their zone, came times without; {remedy}")
    try:
        return pc.assume_timezone(column, zone, ambiguous="earliest", nonexistent="latest")
    except pa.ArrowInvalid as error:
        raise ValueError(f"the zone {zone!r} cannot be applied ({error}); give an IANA name") from error


def _parsed(column: pa.ChunkedArray, pattern: str | None) -> pa.ChunkedArray:
    try:
        if pattern is not None:
            return pc.strptime(column, format=pattern, unit="us")
        first = next((text for text in column.to_pylist() if text is not None), "")
        zoned = first.endswith("Z") or "+" in first[10:] or "-" in first[10:]
        return column.cast(pa.timestamp("us", tz="UTC") if zoned else pa.timestamp("us"))
    except pa.ArrowInvalid as error:
        remedy = 'say how they are written: [time] column = "...", format = "%d/%m/%Y %H:%M"'
        raise ValueError(f"texts that are no ISO times ({error}); {remedy}") from error


def _counted_time(column: pa.ChunkedArray, unit: str | None) -> IntArray:
    scale = {"s": 1_000_000, "ms": 1_000, "us": 1, "order": 1}
    if unit is None:
        remedy = 'say what they count: [time] column = "...", unit = "s", "ms", "us" or "order"'
        raise ValueError(f"expected times, came whole numbers; {remedy}")
    whole = np.asarray(column.cast(pa.int64()).fill_null(NEVER).to_numpy(zero_copy_only=False), dtype=np.int64)
    return np.where(whole == NEVER, NEVER, whole * scale[unit])
