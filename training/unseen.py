"""A run's model as it is when it has not seen the judged debtors: what any honest look at past decisions needs."""

from __future__ import annotations

from dataclasses import replace

from models.bundle import Bundle
from training.fit import recipe
from training.material import Material
from training.policy_tree import tree_settings


def learnt_without_judged(bundle: Bundle, material: Material) -> Bundle:
    """The bundle with its model learnt anew, by the same recipe and settings, from the learning part alone.

    The model that decides has been fitted to all mature rows. Judged on the same debtors it would look better than it is, and
    a doubly robust estimate would not notice. A constant action and a tree are kept: they were learnt without those debtors.

    Raises
    ------
    UnknownRecipe
        The bundle was made by a recipe that this version does not have.
    """
    name, settings = bundle.recipe, dict(bundle.card.get("settings", {}))
    if bundle.chooser == "tree":
        name, settings = tree_settings(settings).base, {}
    fitted = recipe(name)(material.rows, material.split, material.reference, settings, material.seed)
    return replace(bundle, model=fitted.model, reference=material.reference)
