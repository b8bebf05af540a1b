"""A chart as inline SVG: no script, colours that the page's style sheet turns dark or light."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert

Rows = Sequence[dict[str, Any]]

INK, FAINT, GRID = "#1b2733", "#5b6773", "#dfe4e8"
ORANGE, GREEN, BLUE, PLUM = "#c65d00", "#00795a", "#0067a5", "#a8487f"
"""Near the colour-blind safe set of Okabe and Ito, each with a contrast of at least 4.5 on white."""

WIDTH, HEIGHT = 350, 210
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
Drawing = alt.Chart | alt.LayerChart | alt.FacetChart

VEGA_LITE = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def data_of(rows: Rows) -> alt.Data:
    """Rows as a chart's data."""
    return alt.Data(values=list(rows))  # type: ignore[no-untyped-call]  # altair's generated classes carry no types


def percent_axis() -> alt.Axis:
    """An axis of shares."""
    return alt.Axis(format="~%", tickCount=5)


def svg(chart: Drawing, *, title: str, description: str, height: int = HEIGHT) -> str:
    """The chart as SVG, with a name, which no other chart of the page may have, and its content in words."""
    label = {
        "labelColor": FAINT,
        "titleColor": FAINT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": 400,
        "labelPadding": 6,
    }
    shown = (
        chart.properties(width=WIDTH, height=height, background="transparent", padding=4, autosize=_fit())
        .configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(gridColor=GRID, domainColor=GRID, tickColor=GRID, **label)
        .configure_legend(labelColor=FAINT, labelFontSize=12, symbolStrokeWidth=0)
    )
    drawn = vl_convert.vegalite_to_svg(shown.to_dict(), vl_version=VEGA_LITE)
    return _as_image(drawn, title=title, description=description)


def _fit() -> alt.AutoSizeParams:
    """Axes and labels inside the same width in every chart, so that their letters come out alike."""
    return alt.AutoSizeParams(type="fit-x", contains="padding")


def _as_image(svg: str, *, title: str, description: str) -> str:
    """The drawing as one image with a name and a description, its identifiers its own, free to shrink."""
    key = re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
    bare = re.sub(r' (role|aria-[a-z]+|xmlns|xmlns:xlink|version|class|pointer-events)="[^"]*"', "", svg)
    bare = re.sub(r'(id="|url\(#)(clip|gradient)', rf"\1{key}-\2", bare)
    view = re.search(r'viewBox="([^"]*)"', bare)
    inner = bare[bare.index(">") + 1 :]
    names = f'<title id="{key}-t">{html.escape(title)}</title><desc id="{key}-d">{html.escape(description)}</desc>'
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view.group(1) if view else ""}" role="img" '
        f'aria-labelledby="{key}-t {key}-d">'
    )
    return opening + names + inner
