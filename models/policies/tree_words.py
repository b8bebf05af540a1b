"""A policy tree in words that a lawyer can read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.vocabulary import NONE
from features.catalogue import Feature, debtor_features
from models.policies.tree import Leaf, Node, PolicyTree, Split

LOG = "log of 1 + "
"""How the meaning of a feature begins that is the logarithm of an amount."""


def tree_lines(tree: PolicyTree, *, channels: tuple[str, ...]) -> list[str]:
    r"""The tree as indented lines, one question or one end each.

    Parameters
    ----------
    channels
        The grid's channels, whose features the tree asks about.

    >>> tree = PolicyTree(Split("since_payment", 30.0, Leaf("none", ""), Leaf("sms", "evening", 200, 1.5, 0.5, 2.5)))
    >>> print(*tree_lines(tree, channels=("none", "sms")), sep="\n")
    If days since the last payment: at most 30
        no contact
    Else (more, or: no payment yet)
        sms in the evening: +1.50 EUR a decision over no contact (95 %: +0.50 to +2.50; 200 decisions)
    """
    features = {feature.name: feature for feature in debtor_features(channels)}
    return _lines(tree.root, features, depth=0)


def _lines(node: Node, features: Mapping[str, Feature], *, depth: int) -> list[str]:
    indent = "    " * depth
    if isinstance(node, Leaf):
        return [indent + _end(node)]
    feature = features[node.feature]
    missing = "" if feature.null == "never" else f", or: {feature.null}"
    return [
        f"{indent}If {_question(node, feature)}",
        *_lines(node.yes, features, depth=depth + 1),
        f"{indent}Else (more{missing})",
        *_lines(node.no, features, depth=depth + 1),
    ]


def _question(split: Split, feature: Feature) -> str:
    """A feature's meaning and its threshold, amounts in EUR in place of their logarithm."""
    if feature.meaning.startswith(LOG):
        return f"{feature.meaning.removeprefix(LOG)}: at most {np.expm1(split.at_most):,.0f} EUR"
    return f"{feature.meaning}: at most {split.at_most:.4g}"


def _end(leaf: Leaf) -> str:
    if leaf.channel == NONE:
        return "no contact"
    action = f"{leaf.channel.replace('_', ' ')} in the {leaf.daypart}"
    if leaf.gain_eur is None or leaf.low_eur is None or leaf.high_eur is None:
        return f"{action} ({leaf.rows:,} decisions: too few to say what it brings in)"
    return (
        f"{action}: {leaf.gain_eur:+.2f} EUR a decision over no contact "
        f"(95 %: {leaf.low_eur:+.2f} to {leaf.high_eur:+.2f}; {leaf.rows:,} decisions)"
    )
