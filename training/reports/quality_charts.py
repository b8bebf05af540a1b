"""Charts of the quality page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from training.reports.drawing import BLUE, FAINT, GREEN, ORANGE, PLUM, Rows, data_of, percent_axis, svg
from training.reports.english import channel_name

SERIES_COLOURS = {"calls and messages": BLUE, "answered": GREEN, "payments": ORANGE}
SERIES_DASHES = {"calls and messages": [1, 0], "answered": [6, 3], "payments": [2, 2]}
SIGNS = {"quick": "within 5 s", "repeated": "repeated", "bulk": "in bulk"}
POLICY_COLOURS = (BLUE, ORANGE, GREEN, PLUM)

LOW = 120
NIGHTS = ({"from": 0, "to": 6}, {"from": 22, "to": 24})


def rows_over_time(table: str, rows: Rows, *, gaps: Rows) -> str:
    """Rows of one table by month or week, silent gaps in orange."""
    ends = [*(row["from"] for row in rows[1:]), None]
    flat = [{**row, "to": end} for row, end in zip(rows, ends, strict=True) if end is not None] or list(rows)
    flat = [*flat, *([{**rows[-1], "to": _after(rows)}] if len(rows) > 1 else [])]
    x = alt.X("from:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(tickCount=5, grid=False, format="%b %y"))
    y = alt.Y("rows:Q", title=None, axis=alt.Axis(tickCount=3, format="~s"))
    bars = alt.Chart(data_of(flat)).mark_bar(color=BLUE, opacity=0.75).encode(x=x, x2="to:T", y=y, y2=alt.datum(0))
    layers: list[alt.Chart] = [bars]
    if gaps:
        silent = alt.Chart(data_of(gaps)).mark_rect(color=ORANGE, opacity=0.35)
        layers.append(silent.encode(x=alt.X("from:T", title=None), x2="to:T"))
    most = max(rows, key=lambda row: int(row["rows"]))
    text = f"{len(rows)} periods from {rows[0]['from']}, most in {most['from']} with {most['rows']:,} rows; "
    text += "; ".join(f"silent from {gap['from']} to {gap['to']}" for gap in gaps) or "no silent gap"
    return svg(alt.layer(*layers), title=f"Rows of {table} over time", description=text, height=LOW)


def _after(rows: Rows) -> str:
    """End of the last period: a month or week after its beginning, as far as a drawing must know."""
    last = str(rows[-1]["from"])
    before = str(rows[-2]["from"])
    year, month = int(last[:4]), int(last[5:7])
    if last[8:] == before[8:] == "01":
        return f"{year + month // 12:04d}-{month % 12 + 1:02d}-01"
    return last


def hours_of_place(place: str, series: Rows) -> str:
    """Share of each local hour in the calls, answers and payments of one place; nights shaded."""
    flat = [
        {"series": row["series"], "hour": hour + 0.5, "share": count / max(1, sum(row["hours"]))}
        for row in series
        for hour, count in enumerate(row["hours"])
    ]
    names = [name for name in SERIES_COLOURS if any(row["series"] == name for row in series)]
    scale = alt.Scale(domain=names, range=[SERIES_COLOURS[name] for name in names])
    dashes = alt.Scale(domain=names, range=[SERIES_DASHES[name] for name in names])
    axis = alt.Axis(values=[0, 6, 12, 18, 24], grid=False)
    x = alt.X("hour:Q", title=None, scale=alt.Scale(domain=[0, 24], nice=False), axis=axis)
    night = (
        alt.Chart(data_of(NIGHTS)).mark_rect(color=FAINT, opacity=0.12).encode(x=alt.X("from:Q", title=None), x2="to")
    )
    line = (
        alt.Chart(data_of(flat))
        .mark_line(strokeWidth=2)
        .encode(
            x=x,
            y=alt.Y("share:Q", title=None, axis=alt.Axis(format="~%", tickCount=3)),
            color=alt.Color("series:N", scale=scale, legend=None),
            strokeDash=alt.StrokeDash("series:N", scale=dashes, legend=None),
        )
    )
    text = "; ".join(
        f"{row['series']}: most at {_busiest(row['hours'])} o'clock, {row['night']:.1%} at night" for row in series
    )
    return svg(alt.layer(night, line), title=f"Local hours in {place}", description=text, height=LOW)


def _busiest(hours: Sequence[int]) -> int:
    return max(range(24), key=lambda hour: hours[hour])


def machine_signs(rows: Rows) -> str:
    """Share of opens and clicks that show each sign of a machine, by channel."""
    flat = [
        {"name": f"{channel_name(row['channel'])}, {row['kind']}", "sign": SIGNS[sign], "share": share or 0.0}
        for row in rows
        for sign, share in row["share"].items()
    ]
    order = list(dict.fromkeys(str(row["name"]) for row in flat))
    scale = alt.Scale(domain=list(SIGNS.values()), range=[BLUE, ORANGE, GREEN])
    legend = alt.Legend(title=None, orient="top", symbolType="square", symbolOpacity=1)
    top = max(0.05, *(float(row["share"]) for row in flat))
    chart = (
        alt.Chart(data_of(flat))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", title=None, sort=order, axis=alt.Axis(ticks=False, labelLimit=170)),
            yOffset=alt.YOffset("sign:N", sort=list(SIGNS.values())),
            x=alt.X("share:Q", title="share of events", axis=percent_axis(), scale=alt.Scale(domain=[0, top])),
            color=alt.Color("sign:N", scale=scale, legend=legend),
        )
    )
    text = "; ".join(f"{row['name']}, {row['sign']}: {row['share']:.1%}" for row in flat)
    return svg(chart, title="Signs of machines", description=text, height=42 * len(order))


def probability_coverage(rows: Rows) -> str:
    """Share of contacts with an action probability by month, a line for each of the largest policies."""
    policies = list(dict.fromkeys(row["policy"] for row in rows))[: len(POLICY_COLOURS)]
    flat = [{**row, "at": f"{row['month']}-01"} for row in rows if row["policy"] in policies]
    scale = alt.Scale(domain=policies, range=list(POLICY_COLOURS[: len(policies)]))
    legend = alt.Legend(title=None, orient="top", symbolType="square", symbolOpacity=1, labelLimit=120)
    axis = alt.Axis(tickCount=5, grid=False, format="%b %y")
    base = alt.Chart(data_of(flat)).encode(
        x=alt.X("at:T", title=None, scale=alt.Scale(type="utc"), axis=axis),
        y=alt.Y("share:Q", title="with a probability", axis=percent_axis(), scale=alt.Scale(domain=[0, 1])),
        color=alt.Color("policy:N", scale=scale, legend=legend),
    )
    chart = base.mark_line(strokeWidth=2) + base.mark_point(filled=True, size=25, opacity=1)
    text = "; ".join(f"{row['policy']}, {row['month']}: {row['share']:.0%}" for row in flat[:60])
    return svg(chart, title="Contacts with an action probability", description=text, height=160)


def drawn(quality: dict[str, Any]) -> dict[str, Any]:
    """All charts of a portfolio's measures; what has no data is left out."""
    timeline, machine, months = quality["timeline"], quality["machine"], quality["probabilities"]["months"]
    times = {
        table: rows_over_time(table, rows, gaps=[gap for gap in timeline["gaps"] if gap["table"] == table])
        for table, rows in timeline["tables"].items()
        if rows
    }
    return {
        "times": times,
        "hours": {place: hours_of_place(place, rows) for place, rows in by_place(quality["hours"])[:PLACES]},
        "machine": machine_signs(machine) if any(any(row["counts"].values()) for row in machine) else None,
        "probabilities": probability_coverage(months) if months else None,
    }


PLACES = 12
"""Places with a chart, those with most rows; the table holds the others too."""


def by_place(rows: Rows) -> list[tuple[str, list[dict[str, Any]]]]:
    """Series of each country and zone, in the order given."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(f"{row['country'] or 'no country'}, {row['zone']}", []).append(row)
    return list(found.items())
