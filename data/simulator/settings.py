"""What a simulation is asked for, and what stands fixed for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from data.simulator.worlds import WORLDS
from data.times import DAY_US, to_us

UNTIL = datetime(2026, 3, 2, 5, tzinfo=UTC)
"""End of every portfolio, and `as_of` of its truth: a Monday, before the working day begins in Europe."""

CHUNK = 50_000
"""Debtors simulated together; each chunk has its own stream of random numbers, so this is part of the result."""

MONTH_DAYS = 30.4375


class BadSettings(ValueError):
    """A number out of range or a world that does not exist."""


@dataclass(frozen=True)
class SimulationSettings:
    """Size, length and world of a portfolio; with the configuration they determine every byte of it.

    Parameters
    ----------
    debtors, months
        How many people, and how long their history is.
    world
        Name of one of `data.simulator.worlds.WORLDS`.
    truth
        Debtors with open claims, at most, for whom the truth of every action is written.
    claims
        Mean number of claims a debtor gets in twelve months.
    until
        End of the portfolio, aware.

    >>> SimulationSettings(debtors=1000, months=12, seed=1, world="nul")
    Traceback (most recent call last):
    data.simulator.settings.BadSettings: no world 'nul': there are default, overlap, null, harmful, drift, ...
    """

    debtors: int
    months: int
    seed: int
    world: str = "default"
    truth: int = 50_000
    claims: float = 2.5
    until: datetime = UNTIL

    def __post_init__(self) -> None:
        if self.world not in WORLDS:
            raise BadSettings(f"no world {self.world!r}: there are {', '.join(WORLDS)}")
        for name, least, most in (
            ("debtors", 1, 9_999_999),
            ("months", 1, 60),
            ("seed", 0, 2**63),
            ("truth", 0, 10**9),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise BadSettings(f"{name}: expected {least} to {most}, came {value}")
        if not 1.0 <= self.claims <= 10.0:
            raise BadSettings(f"claims: expected a mean of 1 to 10 for a debtor, came {self.claims}")
        if self.until.tzinfo is None:
            raise BadSettings(f"until: expected a time with its zone, came {self.until.isoformat()}")

    @property
    def until_us(self) -> int:
        """End, microseconds UTC."""
        return to_us(self.until)

    @property
    def start_us(self) -> int:
        """Beginning, whole days before the end."""
        return self.until_us - round(self.months * MONTH_DAYS) * DAY_US
