"""The page on what a log can answer: one HTML file with everything in it, written from the figures alone."""

from __future__ import annotations

from typing import Any

import altair as alt
from markupsafe import Markup

from data.vocabulary import DAYPARTS
from training.logged.randomisation import SOON_WEEKS, in_time
from training.reports.drawing import BLUE, INK, ORANGE, Rows, data_of, svg
from training.reports.english import channel_name, count, percent, points
from training.reports.rendering import rendered

Figures = dict[str, Any]

ALL_DAY = "all day"
DEPTHS = (100, 300, 1_000, 3_000)
"""Effective decisions from which on a cell of the map is drawn darker."""
OUT_OF_REACH_WEEKS = 520
"""Weeks from which on a randomisation is no proposal."""
WAYS = {"doubly robust": BLUE, "plain difference": ORANGE}
ANSWER_MARKS = {"drawn": "✓ by draw", "on trust": "● on trust", "no": "✖ no answer"}
"""A sign beside the word, so that answers differ by more than colour."""
ANSWER_LEVELS = {"drawn": "fine", "on trust": "look", "no": "problem"}


def overlap_page(figures: Figures) -> str:
    """HTML of an overlap report's figures (`training.logged.report.OverlapReport.as_dict`, with `about`)."""
    compared = [one for one in figures["questions"] if one["effect"] is not None]
    values = {
        **figures,
        "count": count,
        "percent": percent,
        "points": points,
        "half": lambda found: f"{50 * (found['high'] - found['low']):.0f}",
        "whole_percent": lambda share: f"{100 * share:.0f} %",
        "channel_name": channel_name,
        "marks": ANSWER_MARKS,
        "levels": ANSWER_LEVELS,
        "chart": Markup(effects(_drawn(compared))) if compared else None,  # noqa: S704 - drawn by us, its words escaped
        "map": by_segment(figures["cells"], figures["channels"]),
        "hours": by_hour(figures["cells"], figures["channels"]),
        "verdict": verdict(figures["questions"]),
        "dayparts": DAYPARTS,
        "need": need_in_words,
    }
    return rendered("overlap.html.j2", values, styles=["base.css", "quality.css", "overlap.css"])


def verdict(questions: Rows) -> Figures:
    """What the log answers, in a headline."""
    asked = [one for one in questions if one["kind"] == "channel"]
    counts = {answer: sum(one["answer"] == answer for one in asked) for answer in ANSWER_MARKS}
    if counts["drawn"] == len(asked):
        return {"code": "usable", "headline": "Every channel was drawn at random against no contact", **counts}
    if counts["no"] == len(asked):
        return {"code": "unusable", "headline": "The log cannot tell what contact brings", **counts}
    return {"code": "aside", "headline": "The log answers some questions, not all", **counts}


def effects(rows: Rows) -> str:
    """Effect of each channel in points with its interval, beside the plain difference."""
    base = alt.Chart(data_of(rows))
    order = list(dict.fromkeys(row["name"] for row in rows))
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(ticks=False, labelLimit=170))
    offset = alt.YOffset("way:N", sort=list(WAYS))
    legend = alt.Legend(title=None, orient="top", symbolType="square", symbolOpacity=1)
    colour = alt.Color("way:N", scale=alt.Scale(domain=list(WAYS), range=list(WAYS.values())), legend=legend)
    zero = alt.Chart(data_of([{"at": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(x="at:Q")
    x = alt.X("low:Q", title="points more that pay", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=5))
    bar = base.mark_rule(strokeWidth=4, opacity=0.55).encode(y=y, yOffset=offset, x=x, x2="high:Q", color=colour)
    dot = base.mark_point(filled=True, size=60, opacity=1).encode(y=y, yOffset=offset, x="value:Q", color=colour)
    text = "; ".join(
        f"{row['name']}, {row['way']}: {row['value']:.1f} ({row['low']:.1f} to {row['high']:.1f})" for row in rows
    )
    title = "Effects with 95 % intervals that hold together"
    return svg(zero + bar + dot, title=title, description=text, height=max(90, 44 * len(order)))


def _drawn(compared: Rows) -> list[Figures]:
    """A row for each way and channel, in points."""
    return [
        {
            "name": channel_name(one["channel"]),
            "way": way,
            **{end: 100 * found[end] for end in ("value", "low", "high")},
        }
        for one in compared
        for way, found in (("doubly robust", one["effect"]["value"]), ("plain difference", one["effect"]["naive"]))
    ]


def by_segment(cells: Rows, channels: list[str]) -> list[Figures]:
    """A row for each segment with a cell for each channel."""
    whole = [one for one in cells if one["part"] == ALL_DAY]
    segments = list(dict.fromkeys((one["family"], one["segment"]) for one in whole))
    found = {(one["family"], one["segment"], one["channel"]): one for one in whole}
    return [
        {
            "family": family,
            "segment": segment,
            "decisions": found[family, segment, channels[0]]["decisions"],
            "cells": [_shown(found[family, segment, channel]) for channel in channels],
        }
        for family, segment in segments
    ]


def by_hour(cells: Rows, channels: list[str]) -> list[Figures]:
    """A row for each channel with a cell for each part of the day, over everyone."""
    found = {(one["channel"], one["part"]): one for one in cells if one["family"] == cells[0]["family"]}
    return [
        {"channel": channel, "cells": [_shown(found[channel, part]) for part in DAYPARTS]} for channel in channels[1:]
    ]


def _shown(cell: Figures) -> Figures:
    """A cell's figures with how dark it is: 0 without a number, then 1 to 5."""
    effective = cell["found"]["effective"] if cell["found"] else 0.0
    depth = 0 if cell["refusal"] else 1 + sum(effective >= least for least in DEPTHS)
    return {**cell, "depth": depth, "effective": effective}


def need_in_words(need: Figures | None) -> str:
    """What a randomisation takes, and what a quarter of it gives.

    >>> need_in_words({"decisions": 12000, "weeks": 52.0, "explore_share": 0.05, "half_width": 0.02, "half_width_soon": 0.04})
    '5 % drawn for 52 weeks (12,000 decisions): ± 2.0 points; for 13 weeks: ± 4.0'
    """
    if need is None:
        return ""
    share, width = f"{100 * need['explore_share']:.0f} % drawn", f"± {100 * need['half_width']:.1f} points"
    if need["weeks"] is not None and need["weeks"] > OUT_OF_REACH_WEEKS:
        return (
            f"out of reach: {need['decisions']:,} decisions at {share}, over ten years of them; ask of a larger segment"
        )
    if need["weeks"] is None:
        return f"{share} for {need['decisions']:,} decisions: {width}"
    soon = f"; for {SOON_WEEKS:.0f} weeks: ± {100 * need['half_width_soon']:.1f}"
    return f"{share} for {in_time(need['weeks'])} ({need['decisions']:,} decisions): {width}{soon}"
