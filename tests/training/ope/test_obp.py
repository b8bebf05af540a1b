"""Our estimators against those of obp 0.5.7 on the same inputs.

`obp_outputs.json` holds what obp gave for the seeded inputs of `obp_inputs.py`, in an environment of its own (obp needs an
old Python by its own pins); `tests/benchmarks/obp_outputs.py` made it and says how.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.training.ope.obp_inputs import CANDIDATES, SHRINKAGES, THRESHOLDS, Inputs, fingerprint, made_inputs
from training.ope.estimators import dm, dr, ips, shrunk_dr, sndr, snips, switch_dr
from training.ope.loggers import pooled_probability, precision_weighted
from training.ope.marginal import cell_probability, cell_weight, embedding_of
from training.ope.tuning import least_error, slope

FloatArray = npt.NDArray[np.float64]
STORED = json.loads((Path(__file__).parent / "obp_outputs.json").read_text(encoding="utf-8"))
INPUTS = made_inputs()
WEIGHT = INPUTS.of_logged(INPUTS.target / INPUTS.logging)
PREDICTED = INPUTS.of_logged(INPUTS.predicted)
EXPECTED = (INPUTS.target * INPUTS.predicted).sum(axis=1)


def cells_weight(log: Inputs) -> FloatArray:
    embedding = embedding_of(log.cell)
    target, logging = cell_probability(log.target, embedding), cell_probability(log.logging, embedding)
    return cell_weight(target, logging, cell=log.cell[log.action])


def pooled_weight(log: Inputs) -> FloatArray:
    each = np.column_stack([log.of_logged(chances) for chances in log.loggers])
    return np.asarray(log.of_logged(log.target) / pooled_probability(each, log.logger))


def switched(threshold: float) -> FloatArray:
    return switch_dr(INPUTS.reward, WEIGHT, predicted=PREDICTED, expected=EXPECTED, threshold=threshold)


def shrunk(shrinkage: float) -> FloatArray:
    return shrunk_dr(INPUTS.reward, WEIGHT, predicted=PREDICTED, expected=EXPECTED, shrinkage=shrinkage)


OURS = {
    "IPS": ips(INPUTS.reward, WEIGHT),
    "SNIPS": snips(INPUTS.reward, WEIGHT),
    "DM": dm(EXPECTED),
    "DR": dr(INPUTS.reward, WEIGHT, predicted=PREDICTED, expected=EXPECTED),
    "SN-DR": sndr(INPUTS.reward, WEIGHT, predicted=PREDICTED, expected=EXPECTED),
    **{f"Switch-DR {threshold:g}": switched(threshold) for threshold in THRESHOLDS},
    **{f"shrunk DR {shrinkage:g}": shrunk(shrinkage) for shrinkage in SHRINKAGES},
    "marginalised IPS": ips(INPUTS.reward, cells_weight(INPUTS)),
    "marginalised SNIPS": snips(INPUTS.reward, cells_weight(INPUTS)),
    "pooled IPS": ips(INPUTS.reward, pooled_weight(INPUTS)),
    "pooled DR": dr(INPUTS.reward, pooled_weight(INPUTS), predicted=PREDICTED, expected=EXPECTED),
    "IPS by precision": precision_weighted(
        ips(INPUTS.reward, WEIGHT), INPUTS.logger, unit=np.arange(len(INPUTS.reward))
    ),
}


CHOSEN = {f"{name} by {rule}" for name in ("Switch-DR", "shrunk DR") for rule in ("slope", "mse")}


def test_the_inputs_are_those_that_obp_was_given() -> None:
    assert fingerprint(INPUTS) == pytest.approx(STORED["fingerprint"], rel=1e-12)


def test_every_stored_output_is_compared() -> None:
    assert set(STORED) == set(OURS) | {"fingerprint"} | CHOSEN


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_value_is_that_of_obp(name: str) -> None:
    assert OURS[name].mean() == pytest.approx(STORED[name], abs=1e-9, rel=0)


@pytest.mark.parametrize(("name", "rows_under"), [("Switch-DR", switched), ("shrunk DR", shrunk)])
def test_parameters_are_chosen_as_obp_does(name: str, rows_under: Callable[[float], FloatArray]) -> None:
    candidates, units = np.array(CANDIDATES), np.arange(len(INPUTS.reward))
    assert slope(candidates, units, rows_under=rows_under).parameter == STORED[f"{name} by slope"]
    least = least_error(candidates, units, rows_under=rows_under, unbiased=OURS["DR"])
    assert least.parameter == STORED[f"{name} by mse"]
