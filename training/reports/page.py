"""The report's page: one HTML file with everything in it, written from the figures alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from training.reports import charts
from training.reports.figures import Figures
from training.reports.rendering import rendered

Show = Callable[[float | None], str]

ABSENT = "–"
MINUS = "−"


def page(figures: Figures) -> str:
    """HTML of the report; every number in it stands in `figures`."""
    values = {**figures, **_words(), "charts": _charts(figures)}
    return rendered("report.html.j2", values, styles=["report.css"])


def count(value: float | None) -> str:
    """A whole number with its thousands apart.

    >>> count(12345), count(-3), count(None)
    ('12,345', '−3', '–')
    """
    return _shown(value, "{:,.0f}")


def decimal(value: float | None) -> str:
    """A number to two places."""
    return _shown(value, "{:,.2f}")


def eur0(value: float | None) -> str:
    """An amount in whole EUR.

    >>> eur0(1234.5), eur0(-2)
    ('€1,234', '−€2')
    """
    return _shown(value, "€{:,.0f}")


def eur(value: float | None) -> str:
    """An amount in EUR and cents."""
    return _shown(value, "€{:,.2f}")


def signed_eur(value: float | None) -> str:
    """An amount with its sign.

    >>> signed_eur(1.5), signed_eur(-1.5), signed_eur(0.001)
    ('+€1.50', '−€1.50', '€0.00')
    """
    return _signed(value, "€{:,.2f}")


def percent(value: float | None) -> str:
    """A share in per cent.

    >>> percent(0.1234)
    '12.3 %'
    """
    return _shown(None if value is None else 100 * value, "{:.1f} %")


def points(value: float | None) -> str:
    """A difference of shares in percentage points.

    >>> points(-0.021)
    '−2.1'
    """
    return _signed(None if value is None else 100 * value, "{:.1f}")


def signed(value: float | None) -> str:
    """A number to two places with its sign."""
    return _signed(value, "{:,.2f}")


def p_value(value: float | None) -> str:
    """A p-value to three places.

    >>> p_value(0.0001), p_value(0.25)
    ('below 0.001', '0.250')
    """
    return "below 0.001" if value is not None and value < 0.001 else _shown(value, "{:.3f}")


def _shown(value: float | None, form: str) -> str:
    if value is None:
        return ABSENT
    text = form.format(abs(value))
    return MINUS + text if value < 0 and _is_not_zero(text) else text


def _signed(value: float | None, form: str) -> str:
    text = _shown(value, form)
    return f"+{text}" if value is not None and value > 0 and _is_not_zero(text) else text


def _is_not_zero(text: str) -> bool:
    return any(digit in text for digit in "123456789")


def _words() -> dict[str, Any]:
    """What the template calls: ways to show a number, and names."""
    shows: dict[str, Any] = {
        show.__name__: show for show in (count, decimal, eur0, eur, signed_eur, percent, points, p_value)
    }
    return {
        **shows,
        "whole": count,
        "channel_name": charts.channel_name,
        "channel_of": lambda row: charts.channel_name(row["channel"]),
        "hour_of": lambda row: f"{row['hour']:02d}–{row['hour'] + 1:02d}",
        "gain_rows": GAIN_ROWS,
    }


GAIN_ROWS: tuple[tuple[str, str, Show], ...] = (
    ("recovered_eur_per_debtor", "Recovered per debtor", signed_eur),
    ("recovered_eur_per_debtor_winsorised", "Recovered, largest cut", signed_eur),
    ("net_eur_per_debtor", "Net per debtor", signed_eur),
    ("net_eur_per_debtor_winsorised", "Net, largest cut", signed_eur),
    ("share_debtors_paid", "Debtors who paid, points", points),
    ("share_claims_paid", "Claims paid on, points", points),
    ("contacts_per_debtor", "Contacts per debtor", signed),
    ("cost_eur_per_debtor", "Cost per debtor", signed_eur),
)
"""Key in the figures, name on the page, way to show it; the first four are drawn."""


def _charts(figures: Figures) -> dict[str, Markup]:
    """Charts by name; those without data are left out, as their section is."""
    drawn = {"decided": charts.decided(figures["decided"])}
    if figures["looks"][0]["gains"]:
        drawn["gains"] = charts.gains(_drawn_gains(figures["looks"][0]["gains"]))
        drawn["days"] = charts.day_by_day(figures["days"])
    if figures["channels"]:
        drawn["channels"] = charts.channels(figures["channels"])
    if figures["hours"]:
        drawn["hours"] = charts.hours(figures["hours"])
    if figures["calibration"]["bins"]:
        drawn["calibration"] = charts.calibration(figures["calibration"]["bins"])
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - drawn by us, its words escaped


def _drawn_gains(gains: Figures) -> list[dict[str, Any]]:
    rows = [{"name": name, **gains[key]} for key, name, _ in GAIN_ROWS[:4]]
    return [row for row in rows if row["low"] is not None]
