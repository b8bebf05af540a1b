"""The page on fewer contacts at equal recovery: one HTML file, written from the figures alone."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from training.reports import frontier_charts
from training.reports.english import count, eur, percent, signed_eur
from training.reports.rendering import rendered


def frontier_page(figures: dict[str, Any]) -> str:
    """HTML of a frontier's figures (`training.reports.frontier.figures_of`)."""
    values = {
        **figures,
        "count": count,
        "eur": eur,
        "percent": percent,
        "signed_eur": signed_eur,
        "headline": _headline(figures),
        "charts": _charts(figures),
        "start": figures["settings"][0],
        "picked": figures["settings"][figures["chosen"]],
    }
    return rendered("frontier.html.j2", values, styles=["base.css", "frontier.css"])


def _headline(figures: dict[str, Any]) -> str:
    start, picked = figures["settings"][0], figures["settings"][figures["chosen"]]
    if start["recovered"] is None:
        return "The log cannot tell"
    if not figures["chosen"]:
        return "No setting with fewer contacts is shown to keep the recovery"
    return f"{percent(1 - picked['contacts'] / start['contacts'])} fewer contacts at equal recovery"


def _charts(figures: dict[str, Any]) -> dict[str, Markup]:
    """Charts by name; none where the log bears no number."""
    settings, start = figures["settings"], figures["settings"][0]
    if start["recovered"] is None:
        return {}
    margin_eur = figures["margin"] * abs(start["recovered"]["value"])
    drawn = {
        "recovery": frontier_charts.recovery(settings, figures["rules"], chosen=figures["chosen"]),
        "change": frontier_charts.change(settings, chosen=figures["chosen"], margin_eur=margin_eur),
    }
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - drawn by us, its words escaped
