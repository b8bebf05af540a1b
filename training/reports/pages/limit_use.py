"""How near the contacts of the log came to the limits that hold now."""

from __future__ import annotations

from collections.abc import Iterator

from training.reports.blocks import Column, Kind, Note, Row, Section, Table, Text
from training.reports.facts import Facts
from training.reports.limits_told import uses
from training.reports.pages.limit_names import limit_title
from training.reports.withholding import quantity

SHOWN_LIMITS = 12
"""Limits on the page, those nearest to being used up."""


def use_of_limits(facts: Facts) -> Iterator[Section]:
    """How near contacts came to the limits that hold now; not on a creditor's page: limits are those of all creditors."""
    if facts.creditor is not None:
        return
    found = sorted(uses(facts), key=lambda one: -one.share)
    if not found:
        yield Section("limits", Text("costs.limits.title"), (Note(Text("costs.limits.none")),), ("limit",))
        return
    rows = tuple(
        Row(
            one.name,
            limit_title(one.name),
            (
                quantity(Kind.NUMBER, one.used),
                quantity(Kind.NUMBER, one.limit),
                quantity(Kind.SHARE, one.share),
                Text("costs.limits.over" if one.over else "costs.limits.kept"),
            ),
            strong=one.over,
        )
        for one in found[:SHOWN_LIMITS]
    )
    columns = tuple(Column(one, Text(f"costs.limits.{one}")) for one in ("used", "limit", "share", "state"))
    caption = Text("costs.limits.caption", {"shown": quantity(Kind.COUNT, len(rows))})
    table = Table("limits", caption, Text("costs.limits.name"), columns, rows)
    yield Section("limits", Text("costs.limits.title"), (table, Note(Text("costs.limits.note"))), ("limit",))
