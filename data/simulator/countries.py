"""Countries of the simulated tenant: shares, money, language, mailboxes, pay days.

Orders of magnitude chosen by hand to be plausible; none is a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """One country of the tenant.

    Attributes
    ----------
    share
        Of all debtors.
    digital
        How digital its people are, about -1 to 1.
    mailbox
        Share with a digital mailbox.
    pay_days
        (day of the month, share); day 0 is the country's usual one in `data.calendar`.
    regions
        (ISO 3166-2 or None, share).
    zones
        (zone given in the tables or None, share).
    """

    code: str
    share: float
    currency: str
    language: str
    digital: float
    mailbox: float
    pay_days: tuple[tuple[int, float], ...]
    regions: tuple[tuple[str | None, float], ...] = ((None, 1.0),)
    zones: tuple[tuple[str | None, float], ...] = ((None, 1.0),)


COUNTRIES = (
    Country("SE", 0.34, "SEK", "sv", 0.7, 0.55, ((25, 0.76), (31, 0.10), (18, 0.06), (5, 0.08)), zones=((None, 0.98), ("Europe/Stockholm", 0.02))),
    Country("NO", 0.20, "NOK", "nb", 0.8, 0.65, ((12, 0.26), (15, 0.28), (20, 0.2), (25, 0.18), (5, 0.08))),
    Country("DK", 0.14, "DKK", "da", 0.9, 0.85, ((0, 0.85), (5, 0.15))),
    Country("FI", 0.12, "EUR", "fi", 0.4, 0.35, ((15, 0.55), (31, 0.3), (5, 0.15))),
    Country(
        "DE", 0.10, "EUR", "de", -0.5, 0.05, ((31, 0.5), (1, 0.25), (15, 0.25)),
        regions=((None, 0.3), ("DE-BY", 0.2), ("DE-NW", 0.3), ("DE-BE", 0.2)),
    ),
    Country("GB", 0.04, "GBP", "en", 0.3, 0.03, ((0, 0.5), (28, 0.5)), regions=((None, 0.4), ("GB-ENG", 0.5), ("GB-SCT", 0.1))),
    Country(
        "US", 0.03, "USD", "en", 0.1, 0.02, ((0, 0.7), (1, 0.3)),
        regions=((None, 0.1), ("US-NY", 0.25), ("US-TX", 0.2), ("US-CA", 0.25), ("US-AZ", 0.1), ("US-IL", 0.1)),
    ),
    Country(
        "BR", 0.03, "BRL", "pt", 0.2, 0.02, ((0, 0.8), (20, 0.2)),
        regions=((None, 0.1), ("BR-SP", 0.5), ("BR-RJ", 0.2), ("BR-ES", 0.1), ("BR-AM", 0.1)),
    ),
)  # fmt: skip
