"""Values that a single column may hold: no nulls, known words, identifiers, codes, zones."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from data.checks.scope import Scope, report
from data.problems import Problem
from data.schemas import SCHEMAS, Column
from data.vocabulary import NONE

WORDS_SHOWN = 5
"""Distinct unknown words of one column reported each by itself."""

LONGEST_IDENTIFIER = 128


def no_nulls(scope: Scope) -> Iterator[Problem]:
    """Required columns hold a value in every row."""
    for name, schema in SCHEMAS.items():
        for column in schema.columns:
            given = scope.column(name, column.name)
            if not column.nullable and given.null_count and scope.sound(name, columns=(column.name,)):
                yield Problem(
                    name,
                    column.name,
                    value="null",
                    count=given.null_count,
                    what="required column holds nulls",
                    remedy="give every row a value",
                    unusable=pc.is_null(given),
                )


def known_words(scope: Scope) -> Iterator[Problem]:
    """Columns with a vocabulary hold its words only; channels are those in force."""
    for name, schema in SCHEMAS.items():
        for column in schema.columns:
            if column.values is not None:
                allowed = _allowed(column, channels=scope.channels)
                yield from _unknown_words(scope, name, column=column.name, allowed=allowed)


def _allowed(column: Column, *, channels: tuple[str, ...]) -> tuple[str, ...]:
    words = column.values or ()
    if column.name != "channel":
        return words
    return tuple(channel for channel in channels if channel != NONE or NONE in words)


def _unknown_words(scope: Scope, table: str, *, column: str, allowed: tuple[str, ...]) -> Iterator[Problem]:
    """One problem per unknown word, most frequent first, the rest beyond five in one."""
    given = scope.column(table, column)
    foreign = _foreign(given, allowed=allowed)
    strange = given.filter(foreign)
    if not len(strange):
        return
    counts = sorted(((c["counts"], c["values"]) for c in strange.value_counts().to_pylist()), reverse=True)
    remedy = f"use one of {', '.join(allowed)}"
    if column == "channel":
        remedy += ", or add it under [grid] channels in rettid.toml"
    for count, word in counts[:WORDS_SHOWN]:
        yield Problem(
            table, column, value=word, count=count, what="unknown value", remedy=remedy, by_value=True,
            unusable=pc.equal(given, word),
        )  # fmt: skip
    if rest := counts[WORDS_SHOWN:]:
        rows = sum(count for count, _ in rest)
        what = f"and {len(rest)} more unknown {'value' if len(rest) == 1 else 'values'}"
        unnamed = pc.is_in(given, value_set=pa.array([word for _, word in rest], pa.string()))
        yield Problem(
            table, column, value=rest[0][1], count=rows, what=what, remedy=remedy, unusable=pc.and_(foreign, unnamed)
        )


def _foreign(given: pa.ChunkedArray, *, allowed: tuple[str, ...]) -> pa.ChunkedArray:
    """True where a value is there and is none of the allowed."""
    known = pc.is_in(given, value_set=pa.array(allowed, pa.string()))
    return pc.and_(pc.is_valid(given), pc.invert(known))


def identifiers(scope: Scope) -> Iterator[Problem]:
    """Identifiers are 1-128 characters long."""
    for name, schema in SCHEMAS.items():
        for column in schema.columns:
            if column.is_identifier:
                length = pc.utf8_length(scope.column(name, column.name))
                mask = pc.or_(pc.equal(length, 0), pc.greater(length, LONGEST_IDENTIFIER))
                yield from report(
                    scope,
                    name,
                    column=column.name,
                    mask=mask,
                    what=f"identifier is not 1-{LONGEST_IDENTIFIER} characters long",
                    remedy="use the identifier of the collection system, or a hash of it",
                )


def codes(scope: Scope) -> Iterator[Problem]:
    """Countries are two capital letters, currencies three."""
    country = ("country is not ISO 3166-1 alpha-2", "use two capital letters such as AT")
    currency = ("currency is not ISO 4217", "use three capital letters such as EUR")
    for table, column, pattern, (what, remedy) in (
        ("debtors", "country", "^[A-Z]{2}$", country),
        ("claims", "currency", "^[A-Z]{3}$", currency),
        ("payments", "currency", "^[A-Z]{3}$", currency),
    ):
        mask = pc.invert(pc.match_substring_regex(scope.column(table, column), pattern))
        yield from report(scope, table, column=column, mask=mask, what=what, remedy=remedy)


def zones(scope: Scope) -> Iterator[Problem]:
    """Time zones are names of the IANA data base."""
    mask = _foreign(scope.column("debtors", "time_zone"), allowed=tuple(sorted(zoneinfo.available_timezones())))
    yield from report(
        scope,
        "debtors",
        column="time_zone",
        mask=mask,
        what="unknown time zone",
        remedy="use an IANA name such as Europe/Vienna, or leave it null",
    )
