"""One trial of settings: a recipe learns as it does in training, and its chance of payment is judged on the calibration slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sklearn.metrics import log_loss

from training.fit import Setting
from training.recipes.chain.recipe import learn_chain
from training.recipes.fitted import Learn, Watch
from training.recipes.lightgbm import learn_lightgbm
from training.recipes.per_channel import learn_per_channel
from training.recipes.time_to_payment import learn_time_to_payment
from training.slices import Slices

LEARN: Mapping[str, Learn] = {
    "chain": learn_chain,
    "lightgbm": learn_lightgbm,
    "per_channel": learn_per_channel,
    "time_to_payment": learn_time_to_payment,
}
"""How the recipes learn that have a search space: each calls the same, then calibrates, and learns again from all rows.

The learners of effects (`t_learner` and its like) are not here: what they are for, effects over no contact, hardly moves the
chance of payment, so its log loss would choose among settings of who pays.
"""


@dataclass(frozen=True)
class Tried:
    """Log loss on the calibration slice before it calibrates, and the rounds at which boosters stopped, by name."""

    loss: float
    rounds: Mapping[str, int]


def try_settings(model: str, slices: Slices, settings: Mapping[str, Setting], *, seed: int, watch: Watch) -> Tried:
    """What a recipe's judged model is worth with these settings; the recipe's own stand where there is none.

    The slice says when boosting stops and how good it was, as in training; later in time than what was learnt, it is no
    rehearsal of the judged debtors. Only `lightgbm` tells `watch` its losses on the way: those of the others' boosters are
    not those of their chance of payment.
    """
    rows, later = slices.rows, slices.split.calibrate
    learnt = LEARN[model](rows, slices.split, slices.reference, settings, seed, watch)
    chance = learnt.model.probability(rows.matrix[later]).clip(1e-9, 1 - 1e-9)
    return Tried(float(log_loss(rows.paid[later], chance)), learnt.rounds)
