"""Limits in force: the price list of the last night, and how much of each limit the contacts of the log used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np

from data.times import read_moment, to_us
from data.vocabulary import NONE
from models.capacity.usage import CREDITOR, limit_of, usage_of_contacts
from training.reports.facts import Facts

PRICES = Path("capacity") / "prices.json"
"""Where a night leaves its price list in the workspace."""

What = Literal["channel", "budget", "inbound", "creditor"]


class BadPriceList(ValueError):
    """A price list that cannot be read."""


@dataclass(frozen=True)
class Limited:
    """What is limited: contacts through a channel, EUR, debtors who get in touch, a creditor's minimum.

    `who` is the channel or the creditor, empty for the others; `day` and `hour` on the clock of `[capacity] time_zone`.
    """

    what: What
    who: str
    day: date | None
    hour: int | None


def limited(name: str) -> Limited:
    """What a name of the price list stands for.

    >>> limited("phone@2026-03-02T10").hour, limited("budget@2026-03-02").what, limited("creditor:c1").who
    (10, 'budget', 'c1')
    """
    if name.startswith(CREDITOR):
        return Limited("creditor", name.removeprefix(CREDITOR), None, None)
    kind, _, when = name.rpartition("@")
    day, _, hour = when.partition("T")
    what: What = "budget" if kind == "budget" else "inbound" if kind == "inbound" else "channel"
    return Limited(what, kind if what == "channel" else "", date.fromisoformat(day), int(hour) if hour else None)


@dataclass(frozen=True)
class Price:
    """A limit as a night left it: what it was, how much was used before and by the night, what one more is worth."""

    name: str
    limit: float
    used: float
    price_eur: float
    short: float


@dataclass(frozen=True)
class PriceList:
    """All limits of a night; `value_eur` is what its decisions are worth, `bound_eur` what no decision could exceed."""

    as_of_us: int
    value_eur: float
    bound_eur: float
    gave_way: int
    prices: tuple[Price, ...]

    @property
    def binding(self) -> tuple[Price, ...]:
        """Limits of which more would be worth something, dearest first."""
        return tuple(sorted((one for one in self.prices if one.price_eur > 0), key=lambda one: -one.price_eur))


def price_list(workspace: Path) -> PriceList | None:
    """The price list of the last night, None where no night was decided under limits.

    Raises
    ------
    BadPriceList
        The file is none.
    """
    path = workspace / PRICES
    if not path.is_file():
        return None
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadPriceList(
            f"{path}: expected a night's price list ({error!r:.100}): run `rettid decide` again"
        ) from error


def _read(found: Mapping[str, Any]) -> PriceList:
    prices = tuple(
        Price(
            one["name"], float(one["limit"]), float(one["taken"] + one["used"]), float(one["price_eur"]), one["short"]
        )
        for one in found["limits"]
    )
    as_of_us = to_us(read_moment(found["as_of"]))
    return PriceList(as_of_us, float(found["value_eur"]), float(found["bound_eur"]), int(found["gave_way"]), prices)


@dataclass(frozen=True)
class Use:
    """How much of a limit the contacts of the log used."""

    name: str
    limit: float
    used: float

    @property
    def share(self) -> float:
        """Used over limit; infinite where the limit is none at all."""
        return self.used / self.limit if self.limit > 0 else float("inf") if self.used > 0 else 0.0

    @property
    def over(self) -> bool:
        """Whether more was used than the limit gives, a rounding of amounts set aside."""
        return self.used > self.limit * (1 + 1e-9)


def uses(facts: Facts) -> tuple[Use, ...]:
    """Use of each limit that holds now by the contacts decided on, by name; empty where nothing is limited.

    Decisions that were refused or replaced used nothing. A call counts with what it cost in the end.
    """
    rows, settings = facts.evidence.rows, facts.config.capacity
    made = np.flatnonzero(rows.standing & (rows.channel > 0))
    one = made[np.unique(rows.decision[made], return_index=True)[1]]
    channel = np.array(rows.channels, dtype=np.object_)[rows.channel[one]]
    cost_eur = facts.evidence.decision_cost_eur[one]
    used = usage_of_contacts(channel, rows.send_us[one], cost_eur=cost_eur, settings=settings)
    return tuple(Use(name, limit_of(name, settings), amount) for name, amount in sorted(used.items()) if name != NONE)
