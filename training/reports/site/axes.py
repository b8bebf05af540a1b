"""How axes write numbers and dates in a language: vega's locales made of Babel's, and a format for each kind."""

from __future__ import annotations

from babel import Locale
from babel.numbers import get_currency_symbol, get_decimal_symbol, get_group_symbol

from training.reports.blocks import Kind
from training.reports.drawing import Locales
from training.reports.site.reader import MINUS, NO_BREAK, Reader

MONEY = frozenset({Kind.MONEY, Kind.SIGNED_MONEY})
WHOLE = frozenset({Kind.COUNT, Kind.DAYS, Kind.WEEKS})
LONG_DAYS = 330


def locales(reader: Reader) -> Locales:
    """Numbers and dates at axes, written as the reader writes them."""
    locale = reader.locale
    symbol = get_currency_symbol("EUR", locale)
    before = locale.currency_formats["standard"].pattern.startswith("¤")
    numbers = {
        "decimal": get_decimal_symbol(locale),
        "thousands": get_group_symbol(locale),
        "grouping": [3],
        "currency": [symbol, ""] if before else ["", f"{NO_BREAK}{symbol}"],
        "percent": "%" if reader.language == "en" else f"{NO_BREAK}%",
        "minus": MINUS,
    }
    return Locales(numbers, _dates(locale))


def _dates(locale: Locale) -> dict[str, object]:
    months, short = locale.months["format"]["wide"], locale.months["format"]["abbreviated"]
    days, abbreviated = locale.days["format"]["wide"], locale.days["format"]["abbreviated"]
    from_sunday = [6, 0, 1, 2, 3, 4, 5]
    return {
        "dateTime": "%-d %b %Y %H:%M",
        "date": "%-d %b %Y",
        "time": "%H:%M",
        "periods": ["", ""],
        "days": [days[one] for one in from_sunday],
        "shortDays": [abbreviated[one] for one in from_sunday],
        "months": [months[one] for one in range(1, 13)],
        "shortMonths": [short[one] for one in range(1, 13)],
    }


def number_format(kind: Kind, span: float) -> str:
    """d3's format of an axis's numbers that are so far apart.

    >>> number_format(Kind.SHARE, 0.4), number_format(Kind.MONEY, 3.0), number_format(Kind.COUNT, 4000)
    ('.0%', '$,.2f', ',.0f')
    """
    if kind is Kind.SHARE:
        return f".{_places(100 * span)}%"
    if kind in MONEY:
        return "$,.0f" if span >= 5 else "$,.2f"
    return f",.{0 if kind in WHOLE else _places(span)}f"


def date_format(days: float) -> str:
    """d3's format of an axis over so many days."""
    return "%b %Y" if days > LONG_DAYS else "%-d %b"


def _places(span: float) -> int:
    return 0 if span >= 5 else 1 if span >= 0.5 else 2 if span >= 0.05 else 3
