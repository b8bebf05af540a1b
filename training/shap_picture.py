"""Which features move a booster's log odds, and which way: SHAP values of a sample of judged rows."""

from __future__ import annotations

import warnings

import altair as alt
import numpy as np
import pandas as pd

from features.pipeline import Matrix
from models.propensity import BoosterModel
from training.figures import as_svg

MOST_ROWS = 200
MOST_FEATURES = 10


def shap_picture(model: BoosterModel, matrix: Matrix, names: tuple[str, ...], *, rng: np.random.Generator) -> str:
    """Swarm of SHAP values by feature, strongest first, coloured by rank of the feature's value (grey: missing).

    Parameters
    ----------
    matrix
        Rows to draw the sample from, shape (r, F).
    """
    with warnings.catch_warnings():  # its colour maps are made in a way that matplotlib is about to drop
        warnings.simplefilter("ignore")
        import shap  # noqa: PLC0415 # takes seconds to load, and only pictures need it

    rows = matrix[np.sort(rng.choice(len(matrix), min(MOST_ROWS, len(matrix)), replace=False))]
    with warnings.catch_warnings():  # it tells how it will name the output of binary models from some day on
        warnings.simplefilter("ignore")
        values = np.asarray(shap.TreeExplainer(model.booster).shap_values(rows))
    top = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:MOST_FEATURES]
    parts = [
        pd.DataFrame({"feature": names[k], "shap": values[:, k], "value": pd.Series(rows[:, k]).rank(pct=True)})
        for k in top.tolist()
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame["jitter"] = rng.normal(0, 1, len(frame))
    points = (
        alt.Chart(frame)
        .mark_circle(size=12, opacity=0.6)
        .encode(
            x=alt.X("shap:Q", title="adds to the log odds of payment"),
            y=alt.Y("feature:N", sort=[names[k] for k in top.tolist()], title=None),
            yOffset="jitter:Q",
            color=alt.Color("value:Q", title="rank of the value", scale=alt.Scale(scheme="viridis")),
        )
    )
    return as_svg(points.properties(width=420, height=alt.Step(18), title="What moves the chance of payment (SHAP)"))
