"""What contacting only the debtors that a model ranks highest would bring in, from randomised decisions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.ope.intervals import Interval, normal_interval
from training.trials.curves import POINTS, treated_part

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Qini:
    """Gain over no contact in EUR per decision, by share of debtors treated, those ranked highest first.

    `share` runs from 0 to 1, `gain` has an interval for each; `area` is the mean height of the curve above the straight
    line to its end, what ranking is worth over treating as many at random.
    """

    share: tuple[float, ...]
    gain: tuple[Interval, ...]
    area: Interval


def qini(per_row: FloatArray, rank_by: FloatArray, unit: IntArray) -> Qini:
    """The curve of a ranking.

    Parameters
    ----------
    per_row
        Doubly robust contribution of the policy less that of `none`, shape (n,).
    rank_by
        Predicted value of the policy's action over `none`, shape (n,), of a model that has not seen the outcomes.
    unit
        Number of each decision's debtor, shape (n,).

    Notes
    -----
    Radcliffe (2007) with doubly robust contributions in place of raw outcomes (Yadlowsky et al. 2021), so that several
    actions with known probabilities make one curve. Of decisions of equal rank each is treated to the part that a draw
    among them would give it, so that a ranking that tells nothing has no area.
    """
    treated, share = treated_part(rank_by, points=POINTS), np.linspace(0, 1, POINTS + 1)
    gain = tuple(normal_interval(here * per_row, unit) for here in treated)
    height = treated[:-1].mean(axis=0) + 0.5 * (treated[1:].mean(axis=0) - treated[:-1].mean(axis=0))
    return Qini(tuple(share.tolist()), gain, normal_interval(per_row * (height - 0.5), unit))
