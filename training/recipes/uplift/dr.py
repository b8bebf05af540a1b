"""DR-learner: doubly robust pseudo-outcomes of each channel over `none`, learnt from debtor, claim and action."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np

from models.uplift import Effect, Part
from training.recipes.boosting import Lesson
from training.recipes.uplift.learner import Learnt, Task, boosted, pseudo_outcomes


def dr_learner(task: Task) -> Learnt:
    """Regression of cross-fitted doubly robust pseudo-outcomes, channel by channel (Kennedy 2020).

    A row of another channel, or of `none`, stands for the channel with an action drawn from the channel's own in its
    country: then the pseudo-outcome's mean given the action is the action's effect.
    """
    sample = task.sample
    boosters: list[lgb.Booster] = []
    effects: dict[int, Effect] = {}
    rounds: dict[str, int] = {}
    for code in task.codes():
        mine = np.flatnonzero(sample.learn & sample.compared(code))
        pseudo = pseudo_outcomes(sample, task.expected, code=code, largest_weight=task.largest_weight)
        name, lesson = f"effect {code}", Lesson(sample.cells(code, mine), pseudo[mine])
        booster, rounds[name] = boosted(
            task, name, lesson=lesson, unit=sample.debtor[mine], rng=task.rng(code), school=task.effect
        )
        effects[code] = Effect((Part(len(boosters), 1.0),))
        boosters.append(booster)
    return Learnt(tuple(boosters), effects, rounds)
