"""What features compare a debtor with: category words and the portfolio's usual rates, learnt once, kept in the bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property, lru_cache, reduce
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from data.config import Config, FeatureSettings
from data.times import DAY_US, IntArray
from data.vocabulary import EMPLOYMENTS
from features._contact_kernels import count_contacts, no_contacts
from features._payment_kernels import count_payments, no_payments
from features.catalogue import HOURS, SENSITIVE, claim_features, debtor_features
from features.columns import FloatArray
from features.tables import Histories

PRIOR_CONTACTS = 4.0
"""Contacts', payments' or claims' worth of the portfolio's rate mixed into each debtor's own."""

PRIOR_PARTS = 3.0
"""The same for shares over parts of the day and weekdays."""

PRIOR_HOURS = 2.0
"""The same for payments over the hours of the day."""

LEAST_PAYMENTS = 3
"""Payments near one day of the month before that day is taken for the pay day."""

BLOCK = 2_048
"""Debtors looked at together: what is known of them stays in the processor's cache."""

Rates = tuple[float, ...]

EVEN_HOURS: Rates = (1 / len(HOURS),) * len(HOURS)
"""Payments over the hours of the day where nothing has been learnt of them."""


class UnknownFeature(LookupError):
    """A name was given that is no feature of the catalogue."""


class Usual(NamedTuple):
    """Rates of a reference as arrays that broadcast over debtors: those by channel without `none`, measures (M, C - 1, 1)."""

    measure: FloatArray
    reach: FloatArray
    response: FloatArray
    paid_after: FloatArray
    reach_part: FloatArray
    reach_weekday: FloatArray
    response_part: FloatArray
    response_weekday: FloatArray
    payment_part: FloatArray
    payment_weekday: FloatArray


@dataclass(frozen=True)
class Reference:
    """Category words and prior rates, learnt from facts before `until_us`.

    `measure_rate` has a row for each of `catalogue.MEASURES` and, like `reach_rate`, `response_rate` and `paid_after_rate`, an
    entry for each channel; the others have one for each part of the day, weekday or hour. `blank` names features that this
    tenant has not declared lawful or wants left out: they are missing throughout.
    """

    until_us: int
    horizon_days: int
    channels: tuple[str, ...]
    countries: tuple[str, ...]
    sectors: tuple[str, ...]
    measure_rate: tuple[Rates, ...]
    reach_rate: Rates
    response_rate: Rates
    paid_after_rate: Rates
    reach_part: Rates
    reach_weekday: Rates
    response_part: Rates
    response_weekday: Rates
    payment_part: Rates
    payment_weekday: Rates
    self_paid_rate: float
    paid_claims_rate: float
    payment_hour: Rates = EVEN_HOURS
    blank: tuple[str, ...] = ()

    @cached_property
    def usual(self) -> Usual:
        """The rates as arrays, made once."""
        return Usual(
            np.array(self.measure_rate)[:, 1:, None],
            np.array(self.reach_rate[1:]),
            np.array(self.response_rate[1:]),
            np.array(self.paid_after_rate)[:, None],
            *map(np.array, (self.reach_part, self.reach_weekday, self.response_part, self.response_weekday)),
            *map(np.array, (self.payment_part, self.payment_weekday)),
        )

    def words(self) -> dict[str, tuple[str, ...]]:
        """Words behind the codes of each category feature."""
        return {
            "country": self.countries,
            "sector": self.sectors,
            "main_sector": self.sectors,
            "employment": EMPLOYMENTS,
            "last_channel": self.channels,
            "channel": self.channels,
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(plain: Mapping[str, Any]) -> Reference:
        """The inverse of `as_dict`."""
        return Reference(**{key: _tuples(value) for key, value in plain.items()})


def _tuples(value: Any) -> Any:  # noqa: ANN401 # JSON has lists where the dataclass has tuples, at any depth
    return tuple(_tuples(one) for one in value) if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Counts:
    """What rates are made of, summed over debtors: counts of two portfolios are added by `+`."""

    countries: frozenset[str]
    sectors: frozenset[str]
    sent: IntArray
    hits: IntArray
    reached: IntArray
    responded: IntArray
    mature: IntArray
    paid_after: IntArray
    made_part: IntArray
    reached_part: IntArray
    response_part: IntArray
    made_weekday: IntArray
    reached_weekday: IntArray
    response_weekday: IntArray
    payment_part: IntArray
    payment_weekday: IntArray
    payment_hour: IntArray
    payments: IntArray
    unprompted: IntArray
    closed: IntArray
    closed_paid: IntArray

    def __add__(self, other: Counts) -> Counts:
        words = (self.countries | other.countries, self.sectors | other.sectors)
        names = [item.name for item in fields(self)[2:]]
        return Counts(*words, *(getattr(self, name) + getattr(other, name) for name in names))


def count(histories: Histories, *, until_us: int, config: Config) -> Counts:
    """Counts over all debtors of what happened and was known before `until_us`."""
    claims, channels = histories.claims, len(histories.channels)
    begun = claims.registered_us <= until_us
    closed = begun & (claims.closed_us <= until_us)
    horizon_us, eur = config.horizon.days * DAY_US, np.ones((1, len(histories.currencies)))
    sums: list[list[IntArray]] = []
    for first in range(0, max(histories.size, 1), BLOCK):
        debtor = np.arange(first, min(first + BLOCK, histories.size))
        as_of, met, paid = (
            np.full(len(debtor), until_us),
            no_contacts(len(debtor), channels),
            no_payments(len(debtor), channels),
        )
        count_contacts(debtor, as_of, horizon_us, histories.contacts, histories.contact_events, histories.payments, met)
        count_payments(
            debtor, as_of, eur, np.zeros(len(debtor), dtype=np.int64), horizon_us, LEAST_PAYMENTS, histories.payments,
            histories.contacts, paid,
        )  # fmt: skip
        parts = (
            met.sent[..., -1], met.hits[..., -1], met.reached, met.responded, met.mature[..., -1], met.paid_after[..., -1],
            met.made_part, met.reached_part, met.response_part, met.made_weekday, met.reached_weekday,
            met.response_weekday, paid.part, paid.weekday, paid.at_hour, paid.payments[:, -1], paid.unprompted,
        )  # fmt: skip
        sums.append([np.asarray(part.sum(axis=0)) for part in parts])
    arrays = [np.asarray(sum(column)) for column in zip(*sums, strict=True)]
    arrays += [np.asarray(closed.sum()), np.asarray((closed & claims.closed_paid).sum())]
    return Counts(
        frozenset(histories.countries),
        frozenset(histories.sectors[code] for code in np.unique(claims.sector[begun]).tolist() if code >= 0),
        *arrays,
    )


def reference_of(counts: Iterable[Counts], *, until_us: int, config: Config) -> Reference:
    """Words and rates from the counts of one portfolio, or of all its shards.

    Raises
    ------
    UnknownFeature
        `[features]` names one that the catalogue does not have.
    """
    channels = config.grid.channels
    every = reduce(Counts.__add__, counts)
    return Reference(
        until_us=until_us,
        horizon_days=config.horizon.days,
        channels=channels,
        countries=tuple(sorted(every.countries)),
        sectors=tuple(sorted(every.sectors)),
        measure_rate=tuple(_rates(row, every.sent) for row in every.hits),
        reach_rate=_rates(every.reached, every.sent),
        response_rate=_rates(every.responded, every.sent),
        paid_after_rate=_rates(every.paid_after, every.mature),
        reach_part=_rates(every.reached_part, every.made_part),
        reach_weekday=_rates(every.reached_weekday, every.made_weekday),
        response_part=_shares(every.response_part),
        response_weekday=_shares(every.response_weekday),
        payment_part=_shares(every.payment_part),
        payment_weekday=_shares(every.payment_weekday),
        payment_hour=_shares(every.payment_hour),
        self_paid_rate=_rates(every.unprompted[None], every.payments[None])[0],
        paid_claims_rate=_rates(every.closed_paid[None], every.closed[None])[0],
        blank=unlawful(config.features, channels),
    )


def learn_reference(histories: Histories, *, until_us: int, config: Config) -> Reference:
    """Words and rates of a portfolio from what happened and was known before `until_us`."""
    return reference_of([count(histories, until_us=until_us, config=config)], until_us=until_us, config=config)


def unlawful(settings: FeatureSettings, channels: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the features that no model of this tenant may see: sensitive ones not declared lawful, those left out.

    Raises
    ------
    UnknownFeature
        A name is no feature, or one of the action's side.

    >>> unlawful(FeatureSettings(leave_out=("sector",)), ("none", "sms"))
    ('age', 'sector')
    """
    columns = (*debtor_features(channels), *claim_features())
    known = {name for one in columns for name in (one.name, one.family)}
    strange = [name for name in (*settings.lawful, *settings.leave_out) if name not in known]
    if strange:
        raise UnknownFeature(
            f"[features] {', '.join(strange)}: no feature of a debtor or claim; `rettid features --list` shows them all"
        )
    barred = {*(name for name in SENSITIVE if name not in settings.lawful), *settings.leave_out}
    return tuple(one.name for one in columns if barred & {one.name, one.family})


def _rates(counts: IntArray, totals: IntArray) -> Rates:
    """Counts over totals, 0 where there is none."""
    return tuple((counts / np.maximum(totals, 1)).clip(0.0, 1.0).tolist())


def _shares(counts: IntArray) -> Rates:
    """Share of each, none ever 0."""
    return tuple(((counts + 1.0) / (counts + 1.0).sum()).tolist())


def code_of(words: tuple[str, ...], known: tuple[str, ...], code: npt.NDArray[np.integer]) -> FloatArray:
    """Codes of `words` as codes of `known`, NaN where a word is not among them or the code is -1, shape as `code`.

    >>> code_of(("SE", "XX"), ("NO", "SE"), np.array([0, 1, -1]))
    array([ 1., nan, nan])
    """
    codes: FloatArray = _translation(words, known)[code]
    return codes


@lru_cache(maxsize=1_024)
def _translation(words: tuple[str, ...], known: tuple[str, ...]) -> FloatArray:
    index = {word: float(number) for number, word in enumerate(known)}
    return np.array([*(index.get(word, np.nan) for word in words), np.nan])
