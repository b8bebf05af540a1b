"""Pictures of a run, as SVG: calibration and what the model split on."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from models.propensity import BoosterModel, PropensityModel
from training.judge import CalibrationBin

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
