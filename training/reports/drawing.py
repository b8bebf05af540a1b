"""A chart as inline SVG: no script, colours that the page's style sheet turns dark or light."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert

Rows = Sequence[dict[str, Any]]

INK, FAINT, GRID = "#1b2733", "#5b6773", "#dfe4e8"
ORANGE, GREEN, BLUE, PLUM, OCHRE = "#c65d00", "#00795a", "#0067a5", "#a8487f", "#8a6400"
"""Near the colour-blind safe set of Okabe and Ito, each with a contrast of at least 4.5 on white."""

RAMP = ("#e3eef6", "#bcd7ea", "#8fbfdd", "#2f75a4", "#175a87", "#0a3f63")
"""From little to much."""

BELOW, MIDDLE, ABOVE = ("#8a3f00", "#b45f14", "#f3d3b8"), "#eceff1", RAMP[1::2]
"""Below zero, about zero, above zero, each from far below to far above."""

ON_LIGHT, ON_DARK = "#1b2734", "#fffffe"
"""Letters on the light and the dark colours of the two scales."""

DARK = {
    INK: "#e8edf1",
    FAINT: "#a9b5c0",
    GRID: "#2c3740",
    ORANGE: "#ff9d4d",
    GREEN: "#3fc79a",
    BLUE: "#62b2f0",
    PLUM: "#e893cb",
    OCHRE: "#e2c14a",
    **dict(zip(RAMP, ("#1d2c38", "#24465c", "#2d5f7e", "#62a6d2", "#8fc4e6", "#c2e1f6"), strict=True)),
    **dict(zip((*BELOW, MIDDLE), ("#ffb37a", "#e08a45", "#55351c", "#2a3138"), strict=True)),
    ON_LIGHT: "#f2f5f7",
    ON_DARK: "#10181f",
}
"""What each colour of a drawing becomes on a dark page."""

WIDTH, HEIGHT = 350, 210
"""Units of a drawing. Letters of 12 are still 11 points high where it is shrunk to a phone's 330."""

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
Drawing = alt.Chart | alt.LayerChart | alt.FacetChart

VEGA_LITE = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def data_of(rows: Rows) -> alt.Data:
    """Rows as a chart's data."""
    return alt.Data(values=list(rows))  # type: ignore[no-untyped-call]  # altair's generated classes carry no types


def percent_axis() -> alt.Axis:
    """An axis of shares."""
    return alt.Axis(format="~%", tickCount=5)


@dataclass(frozen=True)
class Locales:
    """How numbers and dates are written at axes, as d3-format and d3-time-format have it."""

    numbers: dict[str, Any]
    dates: dict[str, Any]


def dark_rules() -> str:
    """Style rules that turn the colours of drawings into those of a dark page."""
    rules = [
        f'  svg [{way}="{light}"] {{ {way}: {dark}; }}' for light, dark in DARK.items() for way in ("fill", "stroke")
    ]
    return "\n".join(["@media screen and (prefers-color-scheme: dark) {", *rules, "}"])


def svg(
    chart: Drawing,
    *,
    title: str,
    description: str,
    height: int | None = HEIGHT,
    key: str | None = None,
    locales: Locales | None = None,
) -> str:
    """The chart as SVG with a name and its content in words.

    Parameters
    ----------
    height
        Of the field inside the axes; None: as many steps as it has bands.
    key
        Identifier that no other drawing of the page has; without one, made of the title, which must then be unique.
    """
    label = {
        "labelColor": FAINT,
        "titleColor": FAINT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": 400,
        "labelPadding": 6,
    }
    size = {} if height is None else {"height": height}
    shown = (
        chart.properties(width=WIDTH, background="transparent", padding=4, autosize=_fit(), **size)
        .configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(gridColor=GRID, domainColor=GRID, tickColor=GRID, **label)
        .configure_legend(labelColor=FAINT, titleColor=FAINT, labelFontSize=12, symbolStrokeWidth=0)
    )
    told = locales or Locales({}, {})
    drawn = vl_convert.vegalite_to_svg(
        shown.to_dict(), vl_version=VEGA_LITE, format_locale=told.numbers or None, time_format_locale=told.dates or None
    )
    return _as_image(drawn, title=title, description=description, key=key or re.sub(r"[^a-z]+", "-", title.lower()))


def _fit() -> alt.AutoSizeParams:
    """Axes and labels inside the same width in every chart, so that their letters come out alike."""
    return alt.AutoSizeParams(type="fit-x", contains="padding")


def _as_image(svg: str, *, title: str, description: str, key: str) -> str:
    """The drawing as one image with a name and a description, its identifiers its own, free to shrink."""
    key = key.strip("-")
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
