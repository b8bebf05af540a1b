"""What features compare a debtor with: category words and the portfolio's usual rates, learnt once, kept in the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from data.action_grid import dayparts_of
from data.times import IntArray
from data.vocabulary import DAYPARTS, EMPLOYMENTS
from features._kernels import ANSWERED, CLICKED
from features.columns import CodeArray, FloatArray, TextArray
from features.histories import Histories

PRIOR_CONTACTS = 4.0
"""Contacts' worth of the portfolio's rate mixed into each debtor's own."""

PRIOR_PARTS = 3.0
"""The same for shares over parts of the day."""


@dataclass(frozen=True)
class Reference:
    """Category words and prior rates, learnt from facts before `until_us`.

    `reach_rate`, `response_rate` have one entry per channel; `reach_part`, `response_part`, `payment_part` one per part
    of the day.
    """

    until_us: int
    channels: tuple[str, ...]
    countries: tuple[str, ...]
    sectors: tuple[str, ...]
    reach_rate: tuple[float, ...]
    response_rate: tuple[float, ...]
    reach_part: tuple[float, ...]
    response_part: tuple[float, ...]
    payment_part: tuple[float, ...]

    def words(self) -> dict[str, tuple[str, ...]]:
        """Words behind the codes of each category feature."""
        return {
            "country": self.countries,
            "sector": self.sectors,
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
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
        }
        return Reference(**values)


def learn_reference(histories: Histories, *, until_us: int) -> Reference:
    """Words and rates of a portfolio from what happened and was known before `until_us`."""
    contacts, events, payments = histories.contacts, histories.contact_events, histories.payments
    made = (contacts.known_us < until_us) & (contacts.channel > 0)
    sent = np.bincount(contacts.channel[made], minlength=len(histories.channels)).astype(np.float64)
    sent_part = np.bincount(dayparts_of(contacts.hour[made]), minlength=len(DAYPARTS)).astype(np.float64)
    seen = (events.known_us < until_us) & (events.channel > 0)
    reached = seen & events.first_reach
    responded = seen & events.first & ((events.kind == CLICKED) | (events.kind == ANSWERED))
    claims_seen = histories.claims.registered_us < until_us
    return Reference(
        until_us=until_us,
        channels=histories.channels,
        countries=_words(histories.country),
        sectors=_words(histories.claims.sector[claims_seen]),
        reach_rate=_rate(events.channel[reached], sent),
        response_rate=_rate(events.channel[responded], sent),
        reach_part=_rate(dayparts_of(events.sent_hour[reached]), sent_part),
        response_part=_parts(events.hour[responded].astype(np.int64)),
        payment_part=_parts(payments.hour[payments.known_us < until_us].astype(np.int64)),
    )


def _words(values: TextArray) -> tuple[str, ...]:
    return tuple(sorted({str(value) for value in values.tolist() if value is not None}))


def _rate(kind: IntArray | CodeArray, sent: FloatArray) -> tuple[float, ...]:
    counts = np.bincount(kind, minlength=len(sent))
    rates: list[float] = (counts / np.maximum(sent, 1.0)).clip(0.0, 1.0).tolist()
    return tuple(rates)


def _parts(hours: IntArray) -> tuple[float, ...]:
    counts = np.bincount(dayparts_of(hours), minlength=len(DAYPARTS)) + 1.0
    shares: list[float] = (counts / counts.sum()).tolist()
    return tuple(shares)


def code_of(values: TextArray, words: tuple[str, ...]) -> FloatArray:
    """Index of each value in `words` as a float, NaN where it is not among them.

    >>> code_of(np.array(["SE", "XX"], dtype=object), ("NO", "SE"))
    array([ 1., nan])
    """
    index = {word: float(number) for number, word in enumerate(words)}
    return np.array([index.get(value, np.nan) for value in values.tolist()], dtype=np.float64)
