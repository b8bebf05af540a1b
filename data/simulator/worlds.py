"""Worlds by name: the same people and claims under other laws of response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class World:
    """Multipliers on the laws of response; 1 (or False) is the default world.

    Attributes
    ----------
    effect
        On what a contact adds to the chance of payment.
    base
        On payment without any contact, by segment (forgot, short of money, unwilling).
    annoyed_share, annoyed_loss
        How many people pay less by themselves after being contacted, and the share of it they lose (times the
        weight of the channel).
    cycle_days
        Days from one decision on a debtor to the next.
    drifts
        People change channels and hours half way.
    flat
        Channels and hours are all alike, everything arrives at once and works within two days.
    pay_day_effect
        On how much more a contact does near pay day.
    """

    effect: float = 1.0
    base: tuple[float, float, float] = (1.0, 1.0, 1.0)
    annoyed_share: float = 1.0
    annoyed_loss: float = 0.10
    cycle_days: int = 14
    drifts: bool = False
    flat: bool = False
    pay_day_effect: float = 1.0


WORLDS: Mapping[str, World] = MappingProxyType(
    {
        "default": World(),
        "overlap": World(cycle_days=7),
        "null": World(effect=0.0, annoyed_loss=0.0),
        "harmful": World(annoyed_share=2.0, annoyed_loss=0.75),
        "drift": World(drifts=True),
        "self_cure": World(effect=0.6, base=(2.0, 1.5, 1.3)),
        "payday_only": World(flat=True, annoyed_loss=0.0, pay_day_effect=2.5),
    }
)
