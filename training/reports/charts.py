"""The report's charts as inline SVG: no script, colours that the page's style sheet turns dark or light."""

from __future__ import annotations

from typing import Any

import altair as alt

from training.reports.drawing import BLUE, FAINT, GREEN, INK, ORANGE, PLUM, Rows, data_of, percent_axis, svg

Figures = dict[str, Any]

ARM_COLOURS = {"control": ORANGE, "explore": GREEN, "champion": BLUE, "challenger": PLUM}

ARM_SHAPES = {"control": "square", "explore": "triangle-up", "champion": "circle", "challenger": "diamond"}
ACCENT = ARM_COLOURS["champion"]

CHANNEL_NAMES = {"none": "no contact", "sms": "SMS", "digital_mailbox": "digital mailbox"}


def channel_name(channel: str) -> str:
    """A channel in words.

    >>> channel_name("digital_mailbox"), channel_name("letter")
    ('digital mailbox', 'letter')
    """
    return CHANNEL_NAMES.get(channel, channel.replace("_", " "))


def day_by_day(rows: Rows) -> str:
    """Recovered EUR per debtor by day since the first decision, a line with its band for each arm."""
    base = alt.Chart(data_of(rows))
    day = alt.X("day:Q", title="days since the first decision", axis=alt.Axis(tickMinStep=1, grid=False))
    band = base.mark_area(opacity=0.16).encode(
        x=day, y=alt.Y("low:Q", title="€ recovered per debtor"), y2="high:Q", color=_arm_colour(rows)
    )
    dashes = alt.StrokeDash(
        "arm:N", scale=alt.Scale(domain=["champion", "control"], range=[[1, 0], [6, 3]]), legend=None
    )
    line = base.mark_line(strokeWidth=2.5).encode(x=day, y="value:Q", color=_arm_colour(rows), strokeDash=dashes)
    text = _sentence_of_ends(rows)
    return svg(band + line, title="Money recovered per debtor, day by day", description=text)


def gains(rows: Rows) -> str:
    """Gain per debtor in EUR with its interval, one row for each way of looking."""
    base = alt.Chart(data_of(rows))
    y = alt.Y("name:N", sort=[row["name"] for row in rows], title=None, axis=alt.Axis(labelLimit=170, ticks=False))
    x = alt.X("low:Q", title="€ per debtor", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=5))
    zero = alt.Chart(data_of([{"at": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(x="at:Q")
    bar = base.mark_rule(strokeWidth=5, opacity=0.45, color=ACCENT).encode(y=y, x=x, x2="high:Q")
    dot = base.mark_point(filled=True, size=90, color=ACCENT, opacity=1).encode(y=y, x="value:Q")
    text = "; ".join(f"{row['name']}: {row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})" for row in rows)
    return svg(zero + bar + dot, title="Gain per debtor with 95 % intervals", description=text, height=46 * len(rows))


def decided(rows: Rows) -> str:
    """Share of each arm's decisions by channel."""
    named = [{**row, "channel": channel_name(row["channel"])} for row in rows]
    order = list(dict.fromkeys(row["channel"] for row in named))
    arms = [arm for arm in ARM_COLOURS if any(row["arm"] == arm for row in rows)]
    y = alt.Y("channel:N", title=None, sort=order, axis=alt.Axis(ticks=False))
    chart = (
        alt.Chart(data_of(named))
        .mark_bar()
        .encode(
            y=y,
            yOffset=alt.YOffset("arm:N", sort=arms),
            x=alt.X("share:Q", title="share of the arm's decisions", axis=percent_axis()),
            color=_arm_colour(rows),
        )
    )
    text = "; ".join(f"{row['arm']}, {row['channel']}: {row['share']:.1%}" for row in named)
    height = max(120, len(order) * (10 * len(arms) + 12))
    return svg(chart, title="What was decided, by arm", description=text, height=height)


def channels(rows: Rows) -> str:
    """Share of contacts followed by a payment, by channel, with intervals."""
    flat = [{"name": channel_name(row["channel"]), **row["share_paid"]} for row in rows]
    base = alt.Chart(data_of(flat))
    order = [row["name"] for row in sorted(flat, key=lambda row: (row["name"] != "no contact", -row["value"]))]
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(ticks=False))
    bar = base.mark_bar(height=14, color=ACCENT, opacity=0.35).encode(y=y, x=alt.X("value:Q", axis=percent_axis()))
    rule = base.mark_rule(strokeWidth=2, color=INK).encode(
        y=y, x=alt.X("low:Q", title="followed by a payment within the horizon"), x2="high:Q"
    )
    title = "Response by channel (not uplift)"
    return svg(bar + rule, title=title, description=_in_words(flat), height=34 * len(flat))


def hours(rows: Rows) -> str:
    """Share of contacts followed by a payment, by local hour of sending, with intervals."""
    flat = [{"name": f"{row['hour']:02d}", **row["share_paid"]} for row in rows]
    base = alt.Chart(data_of(flat))
    x = alt.X("name:O", title="hour of sending, the debtor's own clock", axis=alt.Axis(labelAngle=0, ticks=False))
    y = alt.Y("low:Q", title="followed by a payment", axis=percent_axis(), scale=alt.Scale(zero=True))
    rule = base.mark_rule(strokeWidth=2, color=INK).encode(x=x, y=y, y2="high:Q")
    dot = base.mark_point(filled=True, size=80, color=ACCENT, opacity=1).encode(x=x, y="value:Q")
    return svg(rule + dot, title="Response by hour of sending (not uplift)", description=_in_words(flat))


def calibration(rows: Rows) -> str:
    """Predicted chance of payment against the share that paid, ten points with intervals and the line of agreement."""
    flat = [{"predicted": row["predicted"], **row["observed"]} for row in rows]
    top = max(max(row["high"], row["predicted"]) for row in flat)
    base = alt.Chart(data_of(flat))
    x = alt.X("predicted:Q", title="predicted chance of payment", axis=percent_axis())
    y = alt.Y("low:Q", title="share that paid", axis=percent_axis())
    ends = alt.Chart(data_of([{"at": 0.0}, {"at": top}]))
    agree = ends.mark_line(color=FAINT, strokeDash=[5, 4], strokeWidth=1.5).encode(x="at:Q", y="at:Q")
    rule = base.mark_rule(strokeWidth=2, color=INK).encode(x=x, y=y, y2="high:Q")
    dot = base.mark_point(filled=True, size=80, color=ACCENT, opacity=1).encode(x=x, y="value:Q")
    text = "; ".join(f"predicted {row['predicted']:.1%}, paid {row['value']:.1%}" for row in flat)
    return svg(agree + rule + dot, title="Predicted and observed payment", description=text)


def _arm_colour(rows: Rows) -> alt.Color:
    arms = [arm for arm in ARM_COLOURS if any(row["arm"] == arm for row in rows)]
    legend = alt.Legend(title=None, orient="top", symbolType="square", symbolOpacity=1)
    scale = alt.Scale(domain=arms, range=[ARM_COLOURS[arm] for arm in arms])
    return alt.Color("arm:N", scale=scale, legend=legend)


def _sentence_of_ends(rows: Rows) -> str:
    ends = {row["arm"]: row for row in rows}
    return "; ".join(
        f"{arm}: {row['value']:.2f} EUR after {row['day']} days ({row['low']:.2f} to {row['high']:.2f})"
        for arm, row in ends.items()
        if row["value"] is not None and row["low"] is not None
    )


def _in_words(rows: Rows) -> str:
    return "; ".join(f"{row['name']}: {row['value']:.1%} ({row['low']:.1%} to {row['high']:.1%})" for row in rows)
