"""The portfolio under its limits: prices for what is scarce, and who gives way where prices alone do not do it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION
from data.capacity_settings import CapacitySettings
from data.times import IntArray
from models.capacity.allotment import ResourceUse, solve
from models.capacity.prices import price_of_actions
from models.capacity.usage import creditors_reached, limit_of, usage_of_contacts
from models.decide import Weighed, settle
from models.prepare import Prepared
from models.value import Prices
from models.wishes import Contacts, Wishes, coverage_of, drawn_contacts, wishes_of

FloatArray = npt.NDArray[np.float64]

Taken = Mapping[str, float]
"""What is used before, by the name of what is limited."""


@dataclass(frozen=True)
class Priced:
    """Limits as `decide` asks for them: prices by name, and the action of each debtor whose action is given.

    Without `given` nobody gives way: prices alone.
    """

    settings: CapacitySettings
    prices: Mapping[str, float]
    given: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Hash of all that these limits say."""
        content = [vars(self.settings), sorted(self.prices.items()), sorted(self.given.items())]
        return hashlib.sha256(json.dumps(content, default=dict).encode()).hexdigest()

    def shadow_eur(self, prepared: Prepared, price: Prices) -> FloatArray:
        """What every action uses of what is scarce, at its price in EUR, shape (n, A); 0 for `none`."""
        slots, everybody = prepared.mask.slots, np.arange(prepared.situation.size)
        put = price_of_actions(self.prices, grid=prepared.grid, send_us=slots.send_us, settings=self.settings)
        return put.of_debtors(slots.of_debtor, cost_eur=price.cost, coverage=coverage_of(prepared, everybody))

    def instead(self, prepared: Prepared) -> IntArray:
        """Action that a debtor gets instead of its choice, -1 where the choice stands, shape (n,)."""
        given = self.given
        return np.array([given.get(name, -1) for name in prepared.situation.debtor_id.tolist()], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Allotted:
    """Limits for a whole portfolio, and what they cost.

    `gave_way` counts contacts that no price moves (`control`, `explore`, and all that was drawn) and for which there was no room;
    `drawn` says that models draw: value and bound are then those of the best choice, not of the draw.
    """

    limits: Priced
    resources: tuple[ResourceUse, ...]
    value_eur: float
    bound_eur: float
    gave_way: int
    drawn: bool = False

    def lines(self) -> list[str]:
        """What binds and what one more unit of it is worth, dearest first."""
        binding = sorted((one for one in self.resources if _has_price(one)), key=lambda one: -one.price_eur)
        near = "choices are drawn at prices" if self.drawn else f"at least {self.share:.1%} of the best possible"
        lines = [f"limits: {len(self.resources)} in force, {len(binding)} bind; {near}"]
        lines += [
            f"one more {one.name}: worth {one.price_eur:,.2f} EUR (limit {one.limit:,.0f}, used {one.taken + one.used:,.0f})"
            for one in binding[:SHOWN]
        ]
        if self.gave_way:
            lines.append(
                f"{self.gave_way:,} contacts of {'all arms' if self.drawn else 'control and explore'} had no room left"
            )
        short = [one for one in self.resources if one.short > 0]
        return lines + [
            f"{one.name}: {one.short:,.0f} contacts short of its minimum of {one.limit:,.0f}" for one in short
        ]

    def as_dict(self) -> dict[str, object]:
        """The price list, as plain values: every limit with its use and its price; a minimum that is out of reach has none."""
        whole = {"value_eur": self.value_eur, "bound_eur": self.bound_eur, "gave_way": self.gave_way}
        return whole | {"limits": [_plain(one) for one in self.resources]}

    @property
    def share(self) -> float:
        """Value over the bound that prices prove."""
        return self.value_eur / self.bound_eur if self.bound_eur > 0 else 1.0


def _has_price(one: ResourceUse) -> bool:
    """Whether more of it is worth something; what stands for a minimum out of reach is no price but a penalty."""
    return one.binding and one.short == 0


def _plain(one: ResourceUse) -> dict[str, object]:
    price = one.price_eur if _has_price(one) else 0.0
    return {**asdict(one), "price_eur": price, "binding": _has_price(one)}


SHOWN = 8
"""Limits that are told of; the others stand in the price list."""


def allot(
    portfolio: Callable[[], Iterable[Weighed]], *, settings: CapacitySettings, taken: Taken, draws: bool
) -> Allotted:
    """Prices for a portfolio, and what each debtor gets within its limits.

    Parameters
    ----------
    portfolio
        Goes through all debtors, a part at a time; called once, and once more where choices are drawn: prices are fixed before
        anything is drawn, and a draw that finds no room left gives way.
    taken
        What contacts that stand already use.
    draws
        Whether some model's choice is drawn (`[policy] kind`).
    """
    parts = [wishes_of(weighed, settings) for weighed in portfolio()]
    stands, gone = _fitting([one.fixed for one in parts], settings=settings, taken=taken)
    found = solve([one.candidates for one in parts], settings=settings, taken=stands)
    prices = Priced(settings, found.prices)
    if draws:
        drawn = [drawn_contacts(weighed, settle(weighed, prices)) for weighed in portfolio()]
        _, late = _fitting(drawn, settings=settings, taken=stands)
        given = dict.fromkeys([*gone, *late], NO_ACTION)
    else:
        late, given = [], {**_by_name(parts, found.action.astype(np.int64)), **dict.fromkeys(gone, NO_ACTION)}
    gave_way = len(gone) + len(late)
    return Allotted(replace(prices, given=given), found.resources, found.value_eur, found.bound_eur, gave_way, draws)


def _by_name(parts: Sequence[Wishes], action: IntArray) -> dict[str, int]:
    names = [name for one in parts for name in one.debtor_id.tolist()]
    return dict(zip(names, action.tolist(), strict=True))


def _fitting(
    parts: Sequence[Contacts], *, settings: CapacitySettings, taken: Taken
) -> tuple[dict[str, float], list[str]]:
    """What is used by what stands already and by contacts in the order of their ranks as far as there is room, and who finds none."""
    used, gone = Counter[str](taken), []
    rows = [(rank, part, row) for part in parts for row, rank in enumerate(part.rank.tolist())]
    stays = {id(part): np.ones(len(part.rank), dtype=np.bool_) for part in parts}
    for _, part, row in sorted(rows, key=lambda one: one[0]):
        needs = _needs(part, row, settings)
        if all(used[name] + amount <= limit_of(name, settings) for name, amount in needs.items()):
            used.update(needs)
        else:
            gone.append(part.debtor_id[row])
            stays[id(part)][row] = False
    for part in parts:
        used.update(creditors_reached(part.coverage, stays[id(part)], settings=settings))
    return dict(used), gone


def _needs(part: Contacts, row: int, settings: CapacitySettings) -> dict[str, float]:
    one = slice(row, row + 1)
    return usage_of_contacts(part.channel[one], part.send_us[one], cost_eur=part.cost_eur[one], settings=settings)
