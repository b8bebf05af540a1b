"""Pictures of a run, as SVG: calibration, what the model split on, Qini, uplift over the grid, overlap."""

from __future__ import annotations

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd
import vl_convert

from models.propensity import BoosterModel
from models.protocol import PropensityModel
from training.judge import CalibrationBin
from training.qini import Qini

FloatArray = npt.NDArray[np.float64]

MOST_FEATURES = 20


def as_svg(chart: alt.Chart | alt.LayerChart) -> str:
    """SVG text of a chart; no script and no browser needed."""
    svg: str = vl_convert.vegalite_to_svg(chart.to_json())
    return svg


def calibration_picture(bins: tuple[CalibrationBin, ...]) -> str:
    """Observed share of payment against the predicted chance, with the line where both agree."""
    frame = pd.DataFrame({"predicted": [one.predicted for one in bins], "observed": [one.observed for one in bins]})
    top = float(max(frame.to_numpy().max(), 0.01))
    line = pd.DataFrame({"predicted": [0.0, top], "observed": [0.0, top]})
    diagonal = alt.Chart(line).mark_line(color="#999", strokeDash=[4, 4]).encode(x="predicted:Q", y="observed:Q")
    points = (
        alt.Chart(frame)
        .mark_circle(size=70, color="#0072B2")
        .encode(
            x=alt.X("predicted:Q", title="predicted chance of payment"), y=alt.Y("observed:Q", title="observed share")
        )
    )
    return as_svg(
        (diagonal + points).properties(width=360, height=300, title="Calibration, later slice, other debtors")
    )


def importance_picture(model: PropensityModel, names: tuple[str, ...]) -> str:
    """Total gain of the features a booster split on most."""
    if not isinstance(model, BoosterModel):
        raise TypeError(f"expected a booster, came {type(model).__name__}: other models have no gain")
    gain = np.asarray(model.booster.feature_importance("gain"), dtype=np.float64)
    order = np.argsort(-gain)[:MOST_FEATURES]
    frame = pd.DataFrame({"feature": [names[k] for k in order], "gain": gain[order]})
    bars = alt.Chart(frame).mark_bar(color="#0072B2").encode(x="gain:Q", y=alt.Y("feature:N", sort="-x", title=None))
    return as_svg(bars.properties(width=420, title="What the model split on, by gain"))


def qini_picture(found: Qini) -> str:
    """Gain over no contact by share of debtors treated, with its 95 % interval, and the line of treating at random."""
    frame = pd.DataFrame(
        {
            "share": found.share,
            "gain": [one.value for one in found.gain],
            "low": [one.low for one in found.gain],
            "high": [one.high for one in found.gain],
        }
    )
    ends = pd.DataFrame({"share": [0.0, 1.0], "gain": [0.0, found.gain[-1].value]})
    x = alt.X("share:Q", title="share of debtors treated, highest predicted value first", axis=alt.Axis(format="%"))
    y = alt.Y("gain:Q", title="EUR a decision over no contact")
    band = alt.Chart(frame).mark_area(color="#0072B2", opacity=0.2).encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
    curve = alt.Chart(frame).mark_line(color="#0072B2").encode(x=x, y=y)
    random = alt.Chart(ends).mark_line(color="#999", strokeDash=[4, 4]).encode(x=x, y=y)
    return as_svg((band + random + curve).properties(width=420, height=300, title="Qini, randomised decisions"))


def grid_picture(uplift: FloatArray, channels: tuple[str, ...], hours: tuple[int, ...]) -> str:
    """Mean predicted uplift in chance of payment by channel and local hour, shape (channels, hours), NaN where barred."""
    frame = pd.DataFrame(
        [
            {"channel": channel, "hour": hour, "uplift": 100 * uplift[row, column]}
            for row, channel in enumerate(channels)
            for column, hour in enumerate(hours)
            if np.isfinite(uplift[row, column])
        ],
        columns=["channel", "hour", "uplift"],
    )
    base = alt.Chart(frame).encode(
        x=alt.X("hour:O", title="local hour"), y=alt.Y("channel:N", sort=list(channels), title=None)
    )
    top = max(float(frame["uplift"].abs().max()), 0.1) if len(frame) else 0.1
    colour = alt.Color("uplift:Q", title="points", scale=alt.Scale(scheme="blueorange", domain=[-top, top]))
    text = base.mark_text(fontSize=10).encode(text=alt.Text("uplift:Q", format="+.1f"))
    title = "Mean predicted uplift over no contact, percentage points"
    return as_svg(
        (base.mark_rect().encode(color=colour) + text).properties(width=420, height=alt.Step(30), title=title)
    )


def overlap_picture(logged: FloatArray, wanted: FloatArray, channels: tuple[str, ...], parts: tuple[str, ...]) -> str:
    """How often the log drew each (channel, part of the day), and how often the policy wants it; shares, (channels, parts)."""
    rows = [
        {"cell": f"{channel} {part}".strip(), "share": float(values[row, column]), "whose": whose}
        for whose, values in (("drawn in the log", logged), ("wanted by the policy", wanted))
        for row, channel in enumerate(channels)
        for column, part in enumerate(parts)
        if logged[row, column] + wanted[row, column] > 0
    ]
    chart = (
        alt.Chart(pd.DataFrame(rows, columns=["cell", "share", "whose"]))
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title="share of judged decisions", axis=alt.Axis(format="%")),
            y=alt.Y("cell:N", sort=None, title=None),
            yOffset="whose:N",
            color=alt.Color("whose:N", title=None, scale=alt.Scale(range=["#999999", "#0072B2"])),
        )
    )
    return as_svg(chart.properties(width=420, height=alt.Step(9), title="Overlap of log and policy"))
