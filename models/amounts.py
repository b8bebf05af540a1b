"""How much is paid where something is paid: the share of what is outstanding, given debtor and claim."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.catalogue import action_features
from models.cells import GridCells

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating[Any]]

TEXT, HEAD = "share.txt", "share.json"


@dataclass(frozen=True)
class ShareModel:
    """Mean share of the outstanding sum that is paid within the horizon where anything is, 0 to 1: one number a claim.

    It never sees the action. Of what an action brings in only the chance of payment may speak: a log whose contacts went
    to some kind of payer would else make a share, and so a value, of what no contact has done.

    Attributes
    ----------
    bands
        Mean raw prediction and mean observed share of each band, ascending; between them the line that joins them.
    """

    booster: lgb.Booster
    bands: tuple[tuple[float, float], ...]
    threads: int = 1

    def share(self, rows: Rows) -> FloatArray:
        """Share of each claim if it pays, shape (m,).

        Parameters
        ----------
        rows
            The catalogue's columns of debtor and claim, shape (m, F − columns of the action).
        """
        return banded(GridCells(rows, np.full((1, len(action_features())), np.nan)).raw(self.booster)[:, 0], self.bands)

    def dump(self) -> dict[str, str]:
        """Model text, and the bands as JSON."""
        return {TEXT: self.booster.model_to_string(), HEAD: json.dumps({"bands": self.bands})}


def claim_side(rows: Rows) -> Rows:
    """The columns of debtor and claim among the catalogue's, whose last are the action's, a view."""
    return rows[:, : rows.shape[1] - len(action_features())]


def without_action(rows: Rows) -> Rows:
    """Rows of debtor and claim with empty columns in place of the action's: what the share is learnt and read from."""
    empty = np.full((len(rows), len(action_features())), np.nan, dtype=rows.dtype)
    return np.hstack([rows, empty])


def banded(raw: FloatArray, bands: tuple[tuple[float, float], ...]) -> FloatArray:
    """Observed share at a raw prediction, on the line through the bands, 0 to 1, shape as given.

    >>> banded(np.array([0.0, 0.5, 2.0]), ((0.4, 0.2), (0.6, 0.8))).round(9).tolist()
    [0.2, 0.5, 0.8]
    """
    predicted, observed = zip(*bands, strict=True)
    found: FloatArray = np.clip(np.interp(raw, predicted, observed), 0.0, 1.0)
    return found


def load_share(files: Mapping[str, str]) -> ShareModel | None:
    """The model that `dump` wrote, None where the bundle has a constant share."""
    if TEXT not in files:
        return None
    bands = tuple((predicted, observed) for predicted, observed in json.loads(files[HEAD])["bands"])
    return ShareModel(lgb.Booster(model_str=files[TEXT]), bands)
