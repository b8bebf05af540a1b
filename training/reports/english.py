"""Numbers and names in English, for the pages that are written in English only."""

from __future__ import annotations

ABSENT = "–"
MINUS = "−"

CHANNEL_NAMES = {"none": "no contact", "sms": "SMS", "digital_mailbox": "digital mailbox"}


def channel_name(channel: str) -> str:
    """A channel in words.

    >>> channel_name("digital_mailbox"), channel_name("letter")
    ('digital mailbox', 'letter')
    """
    return CHANNEL_NAMES.get(channel, channel.replace("_", " "))


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
