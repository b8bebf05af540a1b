"""Sectors and their creditors: sums, ages at hand-over, how readily such claims are paid.

Orders of magnitude chosen by hand to be plausible; none is a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sector:
    """One line of business.

    Attributes
    ----------
    share
        Of all claims.
    median_eur, spread
        Of the principal, lognormal.
    readily
        Factor on payment by itself.
    early
        Share handed over before the due date, for a preventive reminder.
    creditors
        How many creditors there are.
    """

    name: str
    share: float
    median_eur: float
    spread: float
    readily: float
    early: float
    creditors: int


SECTORS = (
    Sector("telecom", 0.22, 85.0, 0.75, 1.10, 0.12, 5),
    Sector("retail", 0.26, 120.0, 0.85, 1.05, 0.15, 8),
    Sector("energy", 0.12, 240.0, 0.70, 1.00, 0.05, 4),
    Sector("gym", 0.08, 70.0, 0.55, 0.90, 0.05, 3),
    Sector("bank", 0.11, 650.0, 0.95, 0.80, 0.02, 4),
    Sector("property", 0.06, 620.0, 0.70, 1.00, 0.05, 3),
    Sector("travel", 0.07, 180.0, 0.80, 0.90, 0.05, 3),
    Sector("insurance", 0.08, 210.0, 0.70, 1.00, 0.10, 3),
)
