"""Names of limits in words: calls on a day, EUR of a budget, debtors who get in touch, a creditor's minimum."""

from __future__ import annotations

from training.reports.blocks import Kind, Name, Quantity, Text
from training.reports.limits_told import limited
from training.reports.pages.gain_blocks import channel_title


def limit_title(name: str) -> Text:
    """A limit of the price list in words.

    >>> limit_title("phone@2026-03-02T10").key, limit_title("creditor:c1").key
    ('prices.limit.channel_hour', 'prices.limit.creditor')
    """
    found = limited(name)
    if found.day is None:
        return Text("prices.limit.creditor", {"creditor": Name(found.who)})
    span = "hour" if found.hour is not None else "day"
    values: dict[str, Text | Name | Quantity] = {}
    if found.what == "channel":
        values["channel"] = channel_title(found.who)
    if found.hour is not None:
        values["hour"] = Quantity(Kind.COUNT, found.hour)
    return Text(f"prices.limit.{found.what}_{span}", {**values, "day": found.day})
