"""Every feature of debtors and claims a second time, in SQL over the contract's tables: the answer the kernels must give.

The statements stand in `oracle/`: `facts.sql` says what counts at a moment, `rates.sql`, `debtor.sql` and `claim.sql`
make the features of it. Times are integer microseconds, dates integer days, money integer cents, words text.
"""

from __future__ import annotations

import math
import sqlite3
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa

from data.calendar import bank_day_on_or_before, pay_days, place_of
from data.config import Config
from data.schemas import SCHEMAS
from data.times import DAY_US, from_day, from_us, to_day, to_us
from data.vocabulary import CHANNELS, DAYPARTS, EMPLOYMENTS, INCOME_BANDS, STAGES, daypart_of_hour
from features.catalogue import HOURS, MEASURES, WEEKDAYS

Values = dict[str, float | None]

SCRIPTS = tuple(
    (Path(__file__).parent / "oracle" / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("facts", "rates", "debtor", "claim")
)
SPANS = {"30": 30 * DAY_US, "90": 90 * DAY_US, "365": 365 * DAY_US, "ever": 2**62}


def features_of(
    tables: Mapping[str, pa.Table],
    as_of: datetime,
    *,
    config: Config,
    channels: tuple[str, ...] = CHANNELS,
    blank: tuple[str, ...] = ("age",),
) -> dict[str, Values]:
    """Features by name of every open claim by its id, None where missing; those named in `blank` always are."""
    database = _database(tables, as_of, config=config, channels=channels)
    try:
        found: dict[str, Values] = {}
        for owner, feature, value in database.execute(
            "select owner, feature, value from fact union all select owner, feature, value from mixed"
        ):
            values = found.setdefault(owner, {})
            assert feature not in values, f"{feature} of {owner} was made twice"
            values[feature] = None if feature in blank else value
        claims = database.execute("select claim_id, debtor_id from claim where open").fetchall()
        return {claim: found[debtor] | found[claim] for claim, debtor in claims}
    finally:
        database.close()


def _database(
    tables: Mapping[str, pa.Table], as_of: datetime, *, config: Config, channels: tuple[str, ...]
) -> sqlite3.Connection:
    """The tables as they are, the words of the vocabulary, the moment; then all that the statements make of them."""
    database = sqlite3.connect(":memory:")
    _register(database, config)
    for name, schema in SCHEMAS.items():
        _insert(database, name, tables.get(name, schema.empty()).select(schema.names))
    words = {
        "channel": channels,
        "part": DAYPARTS,
        "weekday": WEEKDAYS,
        "hour": HOURS,
        "measure": MEASURES,
        "income_band": INCOME_BANDS,
        "employment": EMPLOYMENTS,
        "stage": STAGES,
    }
    for name, known in words.items():
        database.execute(f"create table {name} (code, word)")
        database.executemany(f"insert into {name} values (?, ?)", enumerate(known))
    database.execute("create table span (word, us)")
    database.executemany("insert into span values (?, ?)", SPANS.items())
    database.execute("create table here (as_of, day, horizon)")
    moment = to_us(as_of)
    database.execute("insert into here values (?, ?, ?)", (moment, moment // DAY_US, config.horizon.days * DAY_US))
    for script in SCRIPTS:
        database.executescript(script)
    return database


def _insert(database: sqlite3.Connection, name: str, table: pa.Table) -> None:
    columns, values = [], []
    for field in table.schema:
        column = table[field.name]
        if pa.types.is_timestamp(field.type):
            column = column.cast(pa.int64())
        if pa.types.is_date(field.type):
            column = column.cast(pa.int32())
        plain = column.to_pylist()
        if pa.types.is_decimal(field.type):
            plain = [None if money is None else int(money * 100) for money in plain]
        columns.append(f"{field.name}_cents" if pa.types.is_decimal(field.type) else field.name)
        values.append(plain)
    database.execute(f"create table {name} ({', '.join(columns)})")
    marks = ", ".join("?" * len(columns))
    database.executemany(f"insert into {name} values ({marks})", zip(*values, strict=True))


def _register(database: sqlite3.Connection, config: Config) -> None:
    """What SQL cannot know: the zones, the calendar, the exchange rates; and what not every build has."""
    functions = {
        "zone_of": lambda country, region, zone: place_of(country, region=region, time_zone=zone).zones[0],
        "local_hour": lambda us, zone: None if us is None else _local(us, zone).hour,
        "local_weekday": lambda us, zone: None if us is None else WEEKDAYS[_local(us, zone).weekday()],
        "local_month_day": lambda us, zone: _local(us, zone).day,
        "day_part": lambda hour: None if hour is None else DAYPARTS[daypart_of_hour(hour)],
        "eur": lambda currency, day: config.rates.on(currency, day).amount,
        "since_pay_day": lambda country, learned, day: _around(country, learned, day)[0],
        "to_pay_day": lambda country, learned, day: _around(country, learned, day)[1],
        "ln": lambda number: None if number is None else math.log(number),
        "exp": lambda number: None if number is None else math.exp(number),
        "floor": lambda number: None if number is None else math.floor(number),
    }
    for name, function in functions.items():
        database.create_function(name, function.__code__.co_argcount, function, deterministic=True)


def _local(us: int, zone: str) -> datetime:
    return from_us(us).astimezone(ZoneInfo(zone))


def _around(country: str, learned: int | None, day: int) -> tuple[int, int]:
    """Days since the last pay day and to the next, both 0 on the day itself."""
    year = from_day(day).year
    months = [(one, month) for one in (year - 1, year, year + 1) for month in range(1, 13)]
    days = [to_day(paid) for one, month in months for paid in _pay_days(country, learned, one, month)]
    return day - max(paid for paid in days if paid <= day), min(paid for paid in days if paid >= day) - day


def _pay_days(country: str, learned: int | None, year: int, month: int) -> tuple[date, ...]:
    """The country's pay days of a month, or the bank day on or before the learned one (the last where it has none such)."""
    if learned is None:
        return pay_days(country, year, month=month)
    last = monthrange(year, month)[1]
    return (bank_day_on_or_before(country, date(year, month, 1) + timedelta(days=min(learned, last) - 1)),)
