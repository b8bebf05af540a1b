"""A portfolio's material and the bundle of a recipe, without MLflow and pictures: what `rettid train` makes, in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from feature_ceiling import AS_OF_US

from data.config import read_config
from data.portfolio import read_portfolio
from models.bundle import Bundle
from models.rules.pack import read_packs
from training.fit import SETTINGS, Fitted, recipe
from training.material import Material, gather
from training.recipes.amounts import learn_amounts
from training.recipes.fitted import Setting
from training.train import FEWEST_CONTACTS


@dataclass(frozen=True)
class Learnt:
    """What a recipe made, with the bundle that is judged and the one that would decide."""

    fitted: Fitted
    judged: Bundle
    shipped: Bundle


def material_of(portfolio: Path, *, seed: int = 1) -> Material:
    """Material of a portfolio at the simulator's end."""
    config = read_config(portfolio)
    packs = read_packs(channels=config.grid.channels[1:])
    return gather(
        read_portfolio(portfolio), as_of_us=AS_OF_US, config=config, packs=packs, seed=seed, progress=lambda _: None
    )


def learnt(material: Material, name: str, *, settings: dict[str, Setting] | None = None, threads: int = 2) -> Learnt:
    """A recipe with its bundles."""
    chosen = {**({"num_threads": threads} if "num_threads" in SETTINGS[name] else {}), **(settings or {})}
    fitted = recipe(name)(material.rows, material.split, material.reference, chosen, material.seed)
    amounts = learn_amounts(
        material.rows, material.split, reference=material.reference, seed=material.seed, threads=threads
    )
    count = np.bincount(material.rows.channel, minlength=len(material.reference.channels))
    untried = tuple(one for code, one in enumerate(material.reference.channels) if count[code] < FEWEST_CONTACTS)
    judged, shipped = (
        Bundle(
            f"bench-{name}",
            name,
            fitted.chooser,
            model,
            material.reference,
            amounts.mean_share,
            {},
            constant=fitted.constant,
            untried=untried,
            usual=material.usual,
            share_model=amounts.model,
        )
        for model in (fitted.model, fitted.shipped)
    )
    return Learnt(fitted, judged, shipped)


def processor_s() -> float:
    """Seconds of processor that this process has used, all threads."""
    used = os.times()
    return used.user + used.system
