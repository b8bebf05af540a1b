"""Charts of the frontier page: what is recovered, and what is lost, against how often debtors are contacted."""

from __future__ import annotations

from typing import Any

import altair as alt

from training.reports.drawing import BLUE, FAINT, GREEN, INK, ORANGE, Rows, data_of, percent_axis, svg


def recovery(settings: Rows, rules: dict[str, Any], *, chosen: int) -> str:
    """Recovered per decision by share of decisions with a contact: the dial's line with its band, the present rules apart."""
    flat = [{**_flat(one, "recovered"), "chosen": place == chosen} for place, one in enumerate(settings)]
    shown = [row for row in flat if row["value"] is not None]
    ladder = [row for row in [_flat(rules, "recovered")] if row["value"] is not None]
    base = alt.Chart(data_of(shown))
    x, y = _contacts(), alt.Y("low:Q", title="€ recovered a decision", scale=alt.Scale(zero=False))
    band = base.mark_area(opacity=0.16, color=BLUE).encode(x=x, y=y, y2="high:Q")
    line = base.mark_line(strokeWidth=2.5, color=BLUE).encode(x=x, y="value:Q")
    dots = base.mark_point(filled=True, size=45, color=BLUE, opacity=1).encode(x=x, y="value:Q")
    picked = alt.Chart(data_of([row for row in shown if row["chosen"]]))
    star = picked.mark_point(filled=True, size=170, shape="diamond", color=GREEN, opacity=1).encode(x=x, y="value:Q")
    bar = alt.Chart(data_of(ladder)).mark_rule(strokeWidth=2, color=ORANGE).encode(x=x, y=y, y2="high:Q")
    square = alt.Chart(data_of(ladder)).mark_point(filled=True, size=90, shape="square", color=ORANGE, opacity=1)
    chart = alt.layer(band, line, dots, star, bar, square.encode(x=x, y="value:Q"))
    return svg(chart, title="Recovered and contacts", description=_in_words([*shown, *ladder]))


def change(settings: Rows, *, chosen: int, margin_eur: float) -> str:
    """Difference to the recovery without a dial by share of decisions with a contact, and the margin that still counts as equal."""
    flat = [{**_flat(one, "lost"), "chosen": place == chosen} for place, one in enumerate(settings)]
    start = {"name": settings[0]["name"], "contacts": settings[0]["contacts"], "value": 0.0, "low": 0.0, "high": 0.0}
    shown = [{**start, "chosen": chosen == 0}, *(row for row in flat if row["value"] is not None)]
    base = alt.Chart(data_of(shown))
    x, y = _contacts(), alt.Y("low:Q", title="€ a decision, against no dial")
    band = base.mark_area(opacity=0.16, color=BLUE).encode(x=x, y=y, y2="high:Q")
    line = base.mark_line(strokeWidth=2.5, color=BLUE).encode(x=x, y="value:Q")
    dots = base.mark_point(filled=True, size=45, color=BLUE, opacity=1).encode(x=x, y="value:Q")
    picked = alt.Chart(data_of([row for row in shown if row["chosen"]]))
    star = picked.mark_point(filled=True, size=170, shape="diamond", color=GREEN, opacity=1).encode(x=x, y="value:Q")
    zero = alt.Chart(data_of([{"at": 0.0}])).mark_rule(color=INK, strokeWidth=1.5).encode(y="at:Q")
    limit = alt.Chart(data_of([{"at": -margin_eur}]))
    dashes = limit.mark_rule(color=FAINT, strokeDash=[5, 4], strokeWidth=1.5).encode(y="at:Q")
    return svg(
        alt.layer(band, zero, dashes, line, dots, star),
        title="Change of recovery and contacts",
        description=_in_words(shown),
    )


def _contacts() -> alt.X:
    axis, scale = percent_axis(), alt.Scale(zero=False, reverse=True)
    return alt.X("contacts:Q", title="decisions with a contact, fewer to the right", axis=axis, scale=scale)


def _flat(one: dict[str, Any], name: str) -> dict[str, Any]:
    found = one[name] or {"value": None, "low": None, "high": None}
    return {"name": one["name"], "contacts": one["contacts"], **{end: found[end] for end in ("value", "low", "high")}}


def _in_words(rows: Rows) -> str:
    return "; ".join(
        f"{row['name']}, contacts in {row['contacts']:.1%}: {row['value']:.2f} EUR ({row['low']:.2f} to {row['high']:.2f})"
        for row in rows
    )
