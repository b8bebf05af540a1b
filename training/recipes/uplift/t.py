"""T-learner: a model of payment for each channel, less the one for `none`."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np

from models.uplift import Effect, Part
from training.recipes.uplift.learner import Learnt, Task, boosted

FEWEST_ROWS = 200
"""Rows of a channel below which it is given no effect."""


def t_learner(task: Task) -> Learnt:
    """Each channel's chance of payment from its own rows, less the chance under `none` (Künzel et al. 2019, section 2)."""
    boosters: list[lgb.Booster] = []
    effects: dict[int, Effect] = {}
    rounds: dict[str, int] = {}
    for code in task.codes():
        mine = np.flatnonzero(task.channel == code)
        if len(mine) < FEWEST_ROWS or len(np.unique(task.log.target[mine])) < 2:
            continue
        name = f"outcome {code}"
        booster, rounds[name] = boosted(
            task, name, lesson=task.log.part(mine), unit=task.debtor[mine], rng=task.rng(code), school=task.outcome
        )
        effects[code] = Effect((Part(len(boosters), 1.0, log_odds=True),))
        boosters.append(booster)
    return Learnt(tuple(boosters), effects, rounds)
