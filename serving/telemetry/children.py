"""A metric's children by labels of closed lists, found in one look-up."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Generic, TypeVar

from prometheus_client.metrics import Counter, MetricWrapperBase

from serving.telemetry.vocabulary import OTHER

M = TypeVar("M", bound=MetricWrapperBase)


class Children(Generic[M]):
    """The children of one metric; a word that its list does not hold becomes `other`.

    Parameters
    ----------
    metric
        With one label for each list, in the same order.
    """

    def __init__(self, metric: M, *words: frozenset[str]) -> None:
        self._metric = metric
        self._words = words
        self._found: dict[tuple[str, ...], M] = {}

    def begun(self) -> Children[M]:
        """Itself, with a child for every word: a count that is not there before the first time cannot be seen to rise."""
        for label in product(*(sorted(words) for words in self._words)):
            self.of(*label)
        return self

    def of(self, *label: str) -> M:
        """The child for these words."""
        return self._found.get(label) or self._child(label)

    def _child(self, label: tuple[str, ...]) -> M:
        known = tuple(word if word in words else OTHER for word, words in zip(label, self._words, strict=True))
        child = self._metric.labels(*known)
        if known == label:  # what is not known is not kept either: it may be anything
            self._found[known] = child
        return child


def add_each(children: Children[Counter], counts: Mapping[str, int]) -> None:
    """Adds a count under each word."""
    for word, number in counts.items():
        children.of(word).inc(number)
