"""Values of policies on a decision log frame: every estimator beside the others, or the reason for no number."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.frame_spec import SupportSpec
from data.frame_table import FloatArray
from training.frames.estimates import Estimate, Log, Marginal, Model, estimates_of, figure
from training.ope.intervals import Interval
from training.ope.overlap import NoOverlap, Support, require_support

STRICT = SupportSpec()
NO_INTERVAL = "may be biased, so without an interval:"


@dataclass(frozen=True)
class PolicyValue:
    """Value of one policy, or the reason why the log gives none.

    Parameters
    ----------
    naive
        Mean reward of the rows where one action was taken; None for a policy over several.
    estimates
        Empty where `refused` says why.
    thin
        The support lies below the default bounds and a number stands only because the SPEC lowered them.
    cells
        What marginalised estimators weigh, or why there are none; empty where nobody asked.
    """

    name: str
    rows: int
    naive: float | None
    estimates: tuple[Estimate, ...]
    support: Support | None
    refused: str
    thin: bool = False
    cells: str = ""

    def line(self) -> str:
        """The value in one line."""
        return f"{self.head()}: {self.refused or ', '.join(estimate.text() for estimate in self.estimates)}"

    def lines(self) -> list[str]:
        """The value with every estimator on a line of its own."""
        if self.refused:
            return [self.line()]
        covered = [estimate.line() for estimate in self.estimates if estimate.interval is not None]
        bound = [estimate.line() for estimate in self.estimates if estimate.interval is None]
        cells = [f"marginalised: {self.cells}"] if self.cells else []
        below = [*covered, *cells, *([NO_INTERVAL] if bound else []), *bound]
        return [f"{self.head()}:", *(f"  {line}" for line in below)]

    def head(self) -> str:
        """The policy and what its value rests on."""
        seen = f"{self.rows:,} rows" + ("" if self.naive is None else f", naive mean {figure(self.naive)}")
        if self.refused:
            return f"{self.name} ({seen}): no number"
        rests = "" if self.support is None else f"; effective rows {self.support.effective:,.0f}"
        rests += "" if self.support is None else f", largest weight {self.support.largest:.4g}"
        thin = "; THIN, given because the SPEC lowers [support]" if self.thin else ""
        return f"{self.name} ({seen}{rests}{thin})"

    def as_dict(self) -> dict[str, object]:
        """The value for JSON."""
        return {
            "name": self.name,
            "rows": self.rows,
            "naive_mean": self.naive,
            "estimates": {estimate.name: estimate.as_dict() for estimate in self.estimates},
            "cells": self.cells,
            "support": None if self.support is None else self.support.as_dict(),
            "refused": self.refused,
            "thin": self.thin,
        }

    def of(self, name: str) -> Interval | None:
        """Interval of one estimator, None where it gave no number."""
        return next((estimate.interval for estimate in self.estimates if estimate.name == name), None)


def arm_value(log: Log, action: int, *, name: str) -> PolicyValue:
    """Value of giving one action to all, by IPS and SNIPS."""
    taken = log.action == action
    rows = int(taken.sum())
    naive = float(log.reward[taken].mean()) if rows else None
    return replace(policy_value(log, taken.astype(np.float64), model=None, name=name), rows=rows, naive=naive)


def policy_value(
    log: Log,
    probability: FloatArray,
    *,
    model: Model | None,
    name: str,
    marginal: Marginal | None = None,
    unlogged_mass: float = 0.0,
    bounds: SupportSpec = STRICT,
) -> PolicyValue:
    """Value of a policy by every estimator.

    Parameters
    ----------
    probability
        Of the logged action under the policy, shape (n,).
    model
        None: only estimators that need none.
    marginal
        Weights of cells; None: the frame has none.
    unlogged_mass
        Probability the policy gives to actions the log never took.
    bounds
        Support below which there is no number.
    """
    weight, rows = probability / log.action_probability, int((probability > 0).sum())
    try:
        found = _supported(log, weight, bounds=bounds, unlogged_mass=unlogged_mass)
    except NoOverlap as error:
        return PolicyValue(name, rows, None, (), None, str(error))
    kept, cells = _supported_cells(log, marginal, bounds)
    estimates = estimates_of(log, weight, model=model, marginal=kept)
    return PolicyValue(name, rows, None, estimates, found, "", _is_thin(log, weight, bounds), cells)


def _supported(log: Log, weight: FloatArray, *, bounds: SupportSpec, unlogged_mass: float = 0.0) -> Support:
    return require_support(
        weight,
        log.reward,
        effective_share=bounds.effective_share,
        largest_weight=bounds.largest_weight,
        unlogged_mass=unlogged_mass,
    )


def _supported_cells(log: Log, marginal: Marginal | None, bounds: SupportSpec) -> tuple[Marginal | None, str]:
    """The weights of cells if they bear a number, and what to say of them."""
    if marginal is None:
        return None, ""
    try:
        _supported(log, marginal.weight, bounds=bounds)
    except NoOverlap as error:
        return None, f"{marginal.cells}: no number: {error}"
    return marginal, f"{marginal.cells}; exact where the actions of a cell are alike"


def _is_thin(log: Log, weight: FloatArray, bounds: SupportSpec) -> bool:
    if bounds == STRICT:
        return False
    try:
        require_support(weight, log.reward)
    except NoOverlap:
        return True
    return False
