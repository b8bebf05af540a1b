"""The same facts for every contender of `make bench-features`: the arrays of `features.tables` as flat tables.

Keys are row numbers of debtor and claim, instants microseconds, words small codes, rows sorted by debtor and time. What the
histories hold ready (local hours, first events, the contact's instant beside its event) stands here too, and besides `hit`:
what an event counts as, measure and channel in one number, so that no rival has to tell it again at every moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from data.calendar import pay_day_distances
from data.config import Config
from data.times import DAY_US, NO_DAY, IntArray, from_day, to_day
from data.vocabulary import CONTACT_EVENT_KINDS
from features.catalogue import MEASURES, claim_features, debtor_features, names
from features.columns import FloatArray
from features.pipeline import eur_on
from features.reference import Reference, code_of
from features.tables import Histories

Tables = dict[str, pa.Table]
Frames = dict[str, pd.DataFrame]

WORDS = {"country": np.int16, "sector": np.int16, "currency": np.int16, "hit": np.int16}
SMALL = {"debtor": np.int32, "claim": np.int32, "contact": np.int32, "creditor": np.int32, "due_day": np.int32, **WORDS}
OF_CLAIMS = ("claim_events",)


@dataclass(frozen=True)
class Moment:
    """Everything besides the facts: the instant, and what the project gives to its own features and to the rivals alike.

    `eur` is the worth of each currency, `country_code` and `sector_code` are the reference's codes of the histories' words
    (last entry: none), `pay_days` days since and to the pay day by country and learned day, shape (2, countries, 32).
    `blank` names columns that this tenant may not see.
    """

    as_of_us: int
    horizon_us: int
    reference: Reference
    channels: tuple[str, ...]
    columns: tuple[str, ...]
    eur: FloatArray
    country_code: FloatArray
    sector_code: FloatArray
    pay_days: IntArray
    blank: tuple[str, ...]

    @property
    def today(self) -> int:
        """Whole days since the epoch."""
        return self.as_of_us // DAY_US


def moment_of(histories: Histories, *, as_of_us: int, reference: Reference, config: Config) -> Moment:
    """The moment for the debtors of some histories."""
    day, channels = as_of_us // DAY_US, histories.channels
    first = from_day(day).replace(month=1, day=1)
    distances = [pay_day_distances(country, first.year)[:, :, day - to_day(first)] for country in histories.countries]
    return Moment(
        as_of_us=as_of_us,
        horizon_us=reference.horizon_days * DAY_US,
        reference=reference,
        channels=channels,
        columns=names((*debtor_features(channels), *claim_features())),
        eur=np.array(eur_on(histories.currencies, day, config.rates)),
        country_code=code_of(histories.countries, reference.countries, np.arange(len(histories.countries))),
        sector_code=code_of(histories.sectors, reference.sectors, np.arange(len(histories.sectors))),
        pay_days=np.stack(distances, axis=1),
        blank=reference.blank,
    )


def first_debtors(histories: Histories, count: int) -> Histories:
    """Histories of the first `count` debtors."""
    if count >= histories.size:
        return histories
    claims = int(histories.claims.start[count])
    whole = {name: getattr(histories, name) for name in histories.__dataclass_fields__}
    for name, value in whole.items():
        if name in ("points", "profiles", "claims", "contacts", "contact_events", "payments", "claim_events"):
            whole[name] = _first_rows(value, claims if name in OF_CLAIMS else count)
        elif isinstance(value, np.ndarray):
            whole[name] = value[: claims if name == "claim_id" else count]
    return Histories(**whole)


def _first_rows(table: tuple[np.ndarray, ...], owners: int) -> tuple[np.ndarray, ...]:
    start, *columns = table
    return type(table)(start[: owners + 1].copy(), *(column[: start[owners]].copy() for column in columns))


def tables_of(histories: Histories) -> Tables:
    """Flat tables of histories, each with `debtor` and in the order of its rows."""
    h = histories
    debtor = np.arange(h.size)
    every = {
        "debtors": {"debtor": debtor, "country": h.country, "birth_day": h.birth_day, "registered_us": h.registered_us},
        **{
            name: _columns(getattr(h, name), debtor)
            for name in ("profiles", "points", "claims", "contacts", "contact_events", "payments")
        },
        "claim_events": _columns(h.claim_events, h.claims.debtor),
    }
    every["claims"]["claim"] = np.arange(len(h.claim_id))
    every["claim_events"]["claim"] = np.repeat(np.arange(len(h.claim_id)), np.diff(h.claim_events.start))
    every["contacts"]["contact"] = np.arange(len(h.contacts.channel))
    every["contact_events"]["hit"] = _hits(h)
    return {name: pa.table({key: _small(key, value) for key, value in one.items()}) for name, one in every.items()}


def _columns(table: tuple[np.ndarray, ...], owner: IntArray) -> dict[str, np.ndarray]:
    """Columns of one of the histories' tables, its offsets written out as the owner of each row."""
    start, *columns = table
    return {"debtor": np.repeat(owner, np.diff(start)), **dict(zip(table._fields[1:], columns, strict=True))}


def _hits(histories: Histories) -> IntArray:
    """Measure and channel (without `none`) of the events that rates count, in one number; -1 for the others."""
    events, made = histories.contact_events, len(histories.channels) - 1
    measure = np.array([MEASURES.index(kind) if kind in MEASURES else -1 for kind in CONTACT_EVENT_KINDS])[events.kind]
    counts = (measure >= 0) & (events.channel > 0) & events.first
    return np.where(counts, measure * made + events.channel - 1, -1)


def _small(name: str, column: np.ndarray) -> np.ndarray:
    """A column in the smallest type that it needs: codes in one byte, keys in four."""
    if name in SMALL:
        return column.astype(SMALL[name])
    return column.astype(np.int8) if _is_code(column) else column


def _is_code(column: np.ndarray) -> bool:
    return column.dtype.kind == "i" and column.dtype.itemsize <= 4 and not (column == NO_DAY).any() and _spans(column)


def _spans(column: np.ndarray) -> bool:
    return len(column) == 0 or (int(column.min()) >= -1 and int(column.max()) < 127)


def frames_of(tables: Tables) -> Frames:
    """The tables as pandas data frames."""
    return {name: table.to_pandas() for name, table in tables.items()}


def database_of(tables: Tables, *, threads: int = 1) -> duckdb.DuckDBPyConnection:
    """The tables in a DuckDB in memory, natively, in the order of their rows."""
    base = duckdb.connect(config={"threads": threads})
    for name, table in tables.items():
        base.register("arrow_" + name, table)
        base.execute(f"create table {name} as select * from arrow_{name}")
        base.unregister("arrow_" + name)
    base.execute("create macro total(x) as sum_no_overflow(x)::bigint")
    base.execute("analyze")
    return base
