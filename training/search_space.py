"""Which settings of a recipe `rettid tune` searches, and how far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from training.fit import SETTINGS, Setting


class NoSearchSpace(LookupError):
    """A recipe has nothing to tune."""


@dataclass(frozen=True)
class Range:
    """Values of a setting that are tried, both ends included; whole numbers where both ends are."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Space:
    """Settings that are searched, and those held fixed meanwhile."""

    ranges: Mapping[str, Range]
    fixed: Mapping[str, Setting] = field(default_factory=dict)


TREES: Mapping[str, Range] = {
    "learning_rate": Range(0.015, 0.15, log=True),
    "num_leaves": Range(5, 127, log=True),
    "min_data_in_leaf": Range(20, 1_000, log=True),
    "feature_fraction": Range(0.1, 1.0),
    "bagging_fraction": Range(0.4, 1.0),
    "lambda_l2": Range(0.1, 100.0, log=True),
    "cat_smooth": Range(5.0, 200.0, log=True),
}
"""What is searched of a booster on who pays."""

SPACES: Mapping[str, Space] = {
    "chain": Space(
        {**TREES, "learning_rate": Range(0.03, 0.3, log=True), "own_learning_rate": Range(0.015, 0.15, log=True)},
        {"reach_rounds": 500, "conversion_rounds": 300, "own_rounds": 1_500},
    ),
    "lightgbm": Space(TREES, {"rounds": 1_500}),
    "per_channel": Space(
        {**TREES, "num_leaves": Range(4, 63, log=True), "min_data_in_leaf": Range(10, 500, log=True)},
        {"rounds": 1_500},
    ),
    "time_to_payment": Space(TREES, {"rounds": 1_500}),
}
"""By recipe; rounds are fixed at more than a slow learner needs, since later decisions say when to stop."""


def search_space(model: str) -> Space:
    """What is searched for a recipe.

    Raises
    ------
    NoSearchSpace
        Nothing is.

    >>> search_space("constant")
    Traceback (most recent call last):
    training.search_space.NoSearchSpace: no search space for 'constant': there are chain, lightgbm, per_channel, time_to_payment
    """
    if model not in SPACES:
        raise NoSearchSpace(f"no search space for '{model}': there are {', '.join(SPACES)}")
    return SPACES[model]


def defaults(model: str, space: Space) -> dict[str, Setting]:
    """The recipe's own value of each setting that is searched."""
    return {name: SETTINGS[model][name] for name in space.ranges}
