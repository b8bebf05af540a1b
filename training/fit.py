"""The recipes by name, and their settings."""

from __future__ import annotations

from collections.abc import Mapping

from training.recipes.chain.recipe import CHAIN, fit_chain
from training.recipes.fitted import Fitted, Recipe, Setting
from training.recipes.lightgbm import BOOSTER, PATIENCE, ROUNDS, category_columns, fit_lightgbm
from training.recipes.logistic import fit_logistic
from training.recipes.per_channel import PER_CHANNEL, fit_per_channel
from training.recipes.rates import fit_constant, fit_incumbent
from training.recipes.time_to_payment import TIME_TO_PAYMENT, fit_time_to_payment
from training.recipes.uplift.recipe import UPLIFT, fit_dr_learner, fit_r_learner, fit_t_learner, fit_x_learner

__all__ = [
    "RECIPES",
    "SETTINGS",
    "Fitted",
    "Setting",
    "UnknownRecipe",
    "UnknownSetting",
    "category_columns",
    "parse_settings",
    "recipe",
]


class UnknownRecipe(LookupError):
    """There is no recipe of that name."""


class UnknownSetting(ValueError):
    """A setting that the recipe does not know, or a value of another kind."""


RECIPES: Mapping[str, Recipe] = {
    "chain": fit_chain,
    "lightgbm": fit_lightgbm,
    "logistic": fit_logistic,
    "constant": fit_constant,
    "incumbent": fit_incumbent,
    "per_channel": fit_per_channel,
    "t_learner": fit_t_learner,
    "x_learner": fit_x_learner,
    "r_learner": fit_r_learner,
    "dr_learner": fit_dr_learner,
    "time_to_payment": fit_time_to_payment,
}

SETTINGS: Mapping[str, Mapping[str, Setting]] = {
    "chain": CHAIN,
    "lightgbm": {**BOOSTER, "rounds": ROUNDS, "patience": PATIENCE},
    "logistic": {"C": 1.0, "max_iter": 300},
    "constant": {},
    "incumbent": {},
    "per_channel": PER_CHANNEL,
    "t_learner": UPLIFT,
    "x_learner": UPLIFT,
    "r_learner": UPLIFT,
    "dr_learner": UPLIFT,
    "time_to_payment": TIME_TO_PAYMENT,
    "tree": {"depth": 2, "bins": 12, "least_rows": 100, "least_errors": 3.0, "base": "lightgbm"},
}
"""Settings that `--set` takes, with their defaults. `tree` is no recipe of its own: it chooses in place of its base's values."""


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises
    ------
    UnknownRecipe
        There is none.
    """
    if name not in RECIPES:
        raise UnknownRecipe(f"no model '{name}': there are {', '.join(SETTINGS)}")
    return RECIPES[name]


def parse_settings(name: str, pairs: list[str]) -> dict[str, Setting]:
    """Settings of a recipe from `key=value` texts.

    Raises
    ------
    UnknownRecipe
        There is no recipe of that name.
    UnknownSetting
        The recipe has no such setting, or its value is of another kind.

    >>> parse_settings("lightgbm", ["num_leaves=63"])
    {'num_leaves': 63}
    >>> parse_settings("logistic", ["leaves=63"])
    Traceback (most recent call last):
    training.fit.UnknownSetting: logistic has no setting 'leaves': it knows C, max_iter
    """
    if name not in SETTINGS:
        recipe(name)
    known = SETTINGS[name]
    settings: dict[str, Setting] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise UnknownSetting(f"expected key=value, came '{pair}'")
        if key not in known:
            raise UnknownSetting(f"{name} has no setting '{key}': it knows {', '.join(known) or 'none'}")
        settings[key] = _as_kind(pair, text, known[key])
    return settings


def _as_kind(pair: str, text: str, example: Setting) -> Setting:
    try:
        if isinstance(example, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(example, int | float):
            return int(text) if isinstance(example, int) else float(text)
    except (KeyError, ValueError) as error:
        raise UnknownSetting(f"{pair}: expected something like {example!r}") from error
    return text
