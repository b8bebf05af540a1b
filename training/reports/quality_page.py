"""The page on a portfolio's quality: one HTML file with everything in it, written from the figures alone."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from data.quality import finding
from training.reports import quality_charts
from training.reports.english import channel_name, count, percent
from training.reports.rendering import rendered

FUNNEL = (
    ("any", "Any event"),
    ("delivered", "Delivered"),
    ("opened", "Opened"),
    ("clicked", "Clicked"),
    ("answered", "Answered"),
    ("promised", "Promised"),
    ("paid", "Paid"),
)
"""Count of a channel, and its name on the page."""

MARKS = {"problem": "✖ problem", "look": "● look", "fine": "✓ fine"}
"""A sign beside the word, so that levels differ by more than colour."""


def quality_page(figures: dict[str, Any]) -> str:
    """HTML of an inspection's figures (`data.quality.inspection.Inspection.as_dict`)."""
    quality = figures["quality"]
    charts = _as_markup(quality_charts.drawn(quality)) if quality else None
    values = {
        **figures,
        "count": count,
        "percent": percent,
        "exact": finding.percent,
        "hours": lambda value: "–" if value is None else f"{value:,.1f}",
        "width": lambda share: f"{100 * (share or 0):.1f}%",
        "channel_name": channel_name,
        "funnel": FUNNEL,
        "marks": MARKS,
        "charts": charts,
        "places": quality_charts.by_place(quality["hours"]) if quality else [],
        "levels": {level: sum(one["level"] == level for one in figures["findings"]) for level in MARKS},
    }
    return rendered("quality.html.j2", values, styles=["base.css", "quality.css"])


def _as_markup(drawn: dict[str, Any]) -> dict[str, Any]:
    """The drawings marked as HTML that needs no escaping."""
    return {
        name: {key: Markup(svg) for key, svg in one.items()} if isinstance(one, dict) else Markup(one or "")  # noqa: S704 - drawn by us, its words escaped
        for name, one in drawn.items()
    }
