"""A policy that a lawyer can read: a shallow tree from randomised decisions to one channel and part of the day, or none.

Scores are doubly robust, each half of the debtors scored by a model learnt on the other. One half grows the tree; what its
leaves are worth is told from the other, so that the figures do not flatter what was searched for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from data.progress import Say
from data.times import IntArray
from models.bundle import Bundle
from models.hashing import keyed_uniform
from models.policies.cells import cell_name
from models.policies.tree import Leaf, Node, PolicyTree, Split
from models.policies.tree_words import tree_lines
from models.prepare import debtor_columns
from training.cell_scores import CellScores, cell_scores
from training.fit import SETTINGS, Fitted, Setting, recipe
from training.material import Material
from training.ope.intervals import Interval, normal_interval
from training.policy_value import Judged, decide_again
from training.splits import cluster_numbers
from training.tree_search import Binned, Cut, Found, actions_of, binned, pruned, search

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

READABLE = (
    "open_claims", "oldest_due_days", "since_claim", "claims_paid", "outstanding_all_log", "largest_open_log", "highest_stage",
    "soonest_due_days", "contacts_in_14_days", "contacts_90", "contacts_ever", "since_contact", "contacts_since_response",
    "contacts_since_payment", "since_response", "response_hour", "promises_kept", "promises_broken", "since_promise",
    "payments_365", "payments_ever", "since_payment", "payment_hour", "to_pay_day", "digital_reach", "other_debts",
)  # fmt: skip
"""Features of the debtor that say in a word what they are, and none of the debtor's person."""

FEWEST_LOGGED = 30
"""Randomised decisions for a channel and part of the day below which no leaf is given it."""

FEWEST_TOLD = 30
"""Decisions in a leaf below which its worth is not told."""


class TooFewDrawn(ValueError):
    """The log holds too few randomised decisions to grow a tree on."""


@dataclass(frozen=True)
class TreeSettings:
    """How a tree is grown.

    `depth`: questions in a row, at most 3. `bins`: groups that a feature is cut into. `least_rows`: decisions in a leaf of the
    growing half. `least_errors`: standard errors that a question must add. `base`: recipe of the model behind the scores.
    """

    depth: int = 2
    bins: int = 12
    least_rows: int = 100
    least_errors: float = 3.0
    base: str = "lightgbm"


TREE_SETTINGS: Mapping[str, Setting] = SETTINGS["tree"]
"""Keys that `--set` takes for a tree, with their defaults."""


@dataclass(frozen=True)
class LearntTree:
    """A tree and what it is worth on the debtors it was not grown on; money is net EUR a decision, intervals are 95 %.

    `over_none` and `over_best` are differences to no contact, and to the one action that was best for all in the growing half.
    """

    tree: PolicyTree
    best: tuple[str, str]
    grown_on: int
    told_on: int
    over_none: Interval
    over_best: Interval
    channels: tuple[str, ...]

    def lines(self) -> list[str]:
        """The tree in words, and what it is worth."""
        one = "no contact" if not self.best[1] else f"{self.best[0]} in the {self.best[1]}"
        return [
            *tree_lines(self.tree, channels=self.channels),
            f"over no contact: {_told(self.over_none)}; over {one} for all: {_told(self.over_best)}",
            f"grown on {self.grown_on:,} randomised decisions, told from {self.told_on:,} on other debtors",
        ]


def _told(found: Interval) -> str:
    return f"{found.value:+.2f} EUR a decision (95 %: {found.low:+.2f} to {found.high:+.2f})"


def learn_tree(
    drawn: Judged,
    material: Material,
    *,
    settings: TreeSettings,
    base_settings: Mapping[str, Setting] | None = None,
    untried: tuple[str, ...] = (),
    progress: Say = lambda _: None,
) -> LearntTree:
    """A policy tree from randomised decisions on debtors that are not judged.

    Parameters
    ----------
    drawn
        As `Material.drawn`.
    base_settings
        Settings of the recipe `settings.base`.
    untried
        Channels that no leaf is given.

    Raises
    ------
    TooFewDrawn
        A half of the debtors has fewer than twice `least_rows` decisions.

    Notes
    -----
    Athey and Wager (2021); Zhou, Athey and Wager (2023).
    """
    names = material.histories.debtor_id
    grows = keyed_uniform(names, key=f"{material.seed}/tree") < 0.5
    parts = []
    for half, name in ((grows, "growing"), (~grows, "telling")):
        mine = _part(drawn, half[drawn.debtor])
        if len(mine.debtor) < 2 * settings.least_rows:
            raise TooFewDrawn(
                f"the {name} half has {len(mine.debtor):,} randomised decisions, expected at least {2 * settings.least_rows:,}: "
                "draw more decisions at random (arm `explore`), or lower least_rows"
            )
        progress(f"scoring the {name} half by a model learnt on the other")
        parts.append(_scored(mine, material, half, settings=settings, base_settings=dict(base_settings or {})))
    return _learn(parts[0], parts[1], material, settings=settings, untried=untried)


def with_tree(draft: Bundle, learnt: LearntTree) -> Bundle:
    """The bundle of the base recipe, choosing by the tree; its model gives the chances and values of what is chosen."""
    card: dict[str, Any] = {**draft.card, "recipe": "tree", "tree": learnt.lines()}
    return replace(draft, recipe="tree", chooser="tree", tree=learnt.tree, constant=None, card=card)


def fit_tree(
    drawn: Judged,
    material: Material,
    *,
    settings: Mapping[str, Setting],
    untried: tuple[str, ...],
    progress: Say = lambda _: None,
) -> tuple[Fitted, LearntTree]:
    """What `rettid train --model tree` fits: the base recipe on the learning part, and the tree that chooses in its place.

    Parameters
    ----------
    settings
        Keys of `TREE_SETTINGS`, by what is not the default.

    Raises
    ------
    TooFewDrawn
        The log holds too few randomised decisions.
    """
    chosen = tree_settings(settings)
    learnt = learn_tree(drawn, material, settings=chosen, untried=untried, progress=progress)
    progress(f"fitting {chosen.base} for the chances of what the tree chooses")
    fitted = recipe(chosen.base)(material.rows, material.split, material.reference, {}, material.seed)
    return replace(fitted, chooser="tree", constant=None), learnt


def tree_settings(settings: Mapping[str, Setting]) -> TreeSettings:
    """Settings of a tree from those of an order.

    >>> tree_settings({"depth": 3}).depth
    3
    """
    given = {**TREE_SETTINGS, **settings}
    return TreeSettings(
        depth=int(given["depth"]),
        bins=int(given["bins"]),
        least_rows=int(given["least_rows"]),
        least_errors=float(given["least_errors"]),
        base=str(given["base"]),
    )


@dataclass(frozen=True)
class _Scored:
    """Decisions of one half with readable features, shape (n, F), and scores."""

    columns: FloatArray
    scores: CellScores


def _part(drawn: Judged, keep: BoolArray) -> Judged:
    return Judged(
        drawn.debtor[keep], drawn.decided_us[keep], drawn.channel[keep], drawn.hour[keep],
        drawn.action_probability[keep], drawn.paid_eur[keep], drawn.contact_id[keep],
    )  # fmt: skip


def _scored(
    drawn: Judged, material: Material, half: BoolArray, *, settings: TreeSettings, base_settings: dict[str, Setting]
) -> _Scored:
    other = ~half[material.rows.debtor]
    split = replace(material.split, learn=material.split.learn & other, calibrate=material.split.calibrate & other)
    fitted = recipe(settings.base)(material.rows, split, material.reference, base_settings, material.seed)
    shares = material.rows.share[split.learn & material.rows.paid]
    bundle = Bundle(
        model_version="scores", recipe=settings.base, chooser="value", model=fitted.model, reference=material.reference,
        mean_share=float(shares.mean()) if len(shares) else 1.0, card={},
    )  # fmt: skip
    again = decide_again(material.histories, drawn, bundle=bundle, config=material.config, packs=material.packs)
    features = debtor_columns(again.prepared)
    columns = np.stack([features[name] for name in READABLE], axis=1).astype(np.float64)
    return _Scored(columns, cell_scores(drawn, again))


def _learn(
    grow: _Scored, tell: _Scored, material: Material, *, settings: TreeSettings, untried: tuple[str, ...]
) -> LearntTree:
    grid_names = material.config.grid.channels
    cells = _choosable(grow.scores, grid_names=grid_names, untried=untried, material=material)
    scores, features = grow.scores.net_eur[:, cells], binned(grow.columns, bins=settings.bins)
    found = search(scores, features, depth=settings.depth, least_rows=settings.least_rows)
    found = pruned(found, scores, features.code, unit=grow.scores.unit, least_errors=settings.least_errors)
    told = tell.scores.net_eur[:, cells]
    code = _coded(tell.columns, features)
    root = _node(found, features, told, code, unit=tell.scores.unit, names=[_name(cell, material) for cell in cells])
    chosen = told[np.arange(len(told)), actions_of(found, code)]
    best = int(np.argmax(scores.sum(axis=0)))
    return LearntTree(
        tree=PolicyTree(root),
        best=_name(cells[best], material),
        grown_on=len(scores),
        told_on=len(told),
        over_none=normal_interval(chosen - told[:, 0], tell.scores.unit),
        over_best=normal_interval(chosen - told[:, best], tell.scores.unit),
        channels=grid_names,
    )


def _choosable(
    scores: CellScores, *, grid_names: tuple[str, ...], untried: tuple[str, ...], material: Material
) -> list[int]:
    """Cells that a leaf may be given: `none` first, then those the log holds often enough."""
    count = np.bincount(scores.logged[scores.weight > 0], minlength=scores.net_eur.shape[1])
    barred = {name for name in untried if name != grid_names[0]}
    return [
        0,
        *(
            cell
            for cell in range(1, len(count))
            if count[cell] >= FEWEST_LOGGED and _name(cell, material)[0] not in barred
        ),
    ]


def _name(cell: int, material: Material) -> tuple[str, str]:
    return cell_name(cell, channels=material.config.grid.channels)


def _coded(columns: FloatArray, features: Binned) -> IntArray:
    """Codes of other rows by the cuts of the growing half."""
    code = np.zeros(columns.shape, dtype=np.int64)
    for feature, cuts in enumerate(features.cuts):
        values = columns[:, feature]
        code[:, feature] = np.where(np.isnan(values), len(cuts), np.searchsorted(cuts, values, side="left"))
    return code


def _node(
    found: Found, features: Binned, told: FloatArray, code: IntArray, *, unit: IntArray, names: list[tuple[str, str]]
) -> Node:
    """The found tree with names, cuts and, at its ends, what the telling half says."""
    if isinstance(found, Cut):
        yes = code[:, found.feature] <= found.place
        return Split(
            READABLE[found.feature],
            float(features.cuts[found.feature][found.place]),
            _node(found.yes, features, told[yes], code[yes], unit=unit[yes], names=names),
            _node(found.no, features, told[~yes], code[~yes], unit=unit[~yes], names=names),
        )
    channel, part = names[found.action]
    units = cluster_numbers(unit)
    if found.action == 0 or len(told) < FEWEST_TOLD or units.max() < 1:
        return Leaf(channel, part, len(told))
    gain = normal_interval(told[:, found.action] - told[:, 0], units)
    return Leaf(channel, part, len(told), gain.value, gain.low, gain.high)
