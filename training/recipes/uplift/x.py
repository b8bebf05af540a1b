"""X-learner: effects imputed on both sides, each learnt, and weighted by how many rows stand on the other side."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np

from models.uplift import Effect, Part
from training.recipes.boosting import Lesson
from training.recipes.uplift.learner import Learnt, Task, boosted


def x_learner(task: Task) -> Learnt:
    """Imputed effects of each channel over `none` (Künzel, Sekhon, Bickel and Yu 2019), one channel after the other.

    A contact's imputed effect is what was paid less what was expected without contact; that of a decision for `none` is
    what was expected under an action of the channel less what was paid. Expectations are cross-fitted. The effect is
    g × learnt without contact + (1 − g) × learnt from contacts, with g the channel's share of both: any g will do there.
    """
    sample, expected = task.sample, task.expected
    boosters: list[lgb.Booster] = []
    effects: dict[int, Effect] = {}
    rounds: dict[str, int] = {}
    for code in task.codes():
        fair, rng = sample.learn & sample.compared(code), task.rng(code)
        sides = {code: sample.paid - expected[:, 0], 0: expected[:, code] - sample.paid}
        count = {side: int((fair & (sample.channel == side)).sum()) for side in sides}
        parts = []
        for side, imputed in sides.items():
            mine = np.flatnonzero(fair & (sample.channel == side))
            if not len(mine):
                continue
            name, lesson = f"effect {code} from {side}", Lesson(sample.cells(code, mine), imputed[mine])
            booster, rounds[name] = boosted(
                task, name, lesson=lesson, unit=sample.debtor[mine], rng=rng, school=task.effect
            )
            parts.append(Part(len(boosters), count[0 if side else code] / sum(count.values())))
            boosters.append(booster)
        effects[code] = Effect(_whole(parts))
    return Learnt(tuple(boosters), effects, rounds)


def _whole(parts: list[Part]) -> tuple[Part, ...]:
    """The same weights, scaled to sum to 1 where a side has no rows."""
    if len(parts) == 1:
        return (Part(parts[0].booster, 1.0),)
    return tuple(parts)
