"""Vowpal Wabbit: contextual bandit with a cost for each arm, over columns cut into bins and crossed with the arm."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from frame import FloatArray, Frame, IntArray, Learnt, Matrix
from vowpalwabbit import Workspace

BINS = 8
MOST_DISTINCT = 25
"""Columns with no more values than these keep each as a bin of its own."""


@dataclass(frozen=True)
class Bins:
    """Inner edges of each column's bins."""

    edges: tuple[Matrix, ...]

    @staticmethod
    def of(x: Matrix) -> Bins:
        """Quantiles, or every value of a column with few."""
        return Bins(tuple(_edges(one[~np.isnan(one)]) for one in x.T))

    def tokens(self, x: Matrix) -> list[str]:
        """Each row's columns as words, a missing value being no word."""
        bins = np.column_stack([np.searchsorted(edge, one, "right") for edge, one in zip(self.edges, x.T, strict=True)])
        words = [[f"{column}_{one}" for one in range(len(edge) + 1)] for column, edge in enumerate(self.edges)]
        here = ~np.isnan(x)
        return [
            " ".join(words[column][row[column]] for column in np.flatnonzero(known))
            for row, known in zip(bins, here, strict=True)
        ]


def _edges(known: Matrix) -> Matrix:
    values = np.unique(known)
    if len(values) <= MOST_DISTINCT:
        return values[1:]
    return np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]).astype(np.float32))


@dataclass(frozen=True)
class Policy:
    """A fitted model as Vowpal Wabbit saves it."""

    model: bytes
    bins: Bins
    arms: int

    def values(self, x: Matrix) -> FloatArray:
        """Expected rewards, shape (u, K)."""
        with tempfile.TemporaryDirectory() as folder:
            model, rows, found = (Path(folder) / name for name in ("model", "rows", "found"))
            model.write_bytes(self.model)
            _write(rows, _examples(self.bins.tokens(x), self.arms))
            Workspace(f"-t -i {model} -d {rows} -p {found} --quiet").finish()
            return -_costs(found, (len(x), self.arms))


def _examples(tokens: list[str], arms: int, labels: list[tuple[int, str]] | None = None) -> Iterator[str]:
    plain = [f"|a a{arm}" for arm in range(arms)]
    for row, words in enumerate(tokens):
        lines = list(plain)
        if labels is not None:
            arm, label = labels[row]
            lines[arm] = f"{label} {lines[arm]}"
        yield f"shared |x {words}\n" + "\n".join(lines) + "\n\n"


def _write(path: Path, examples: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(examples)


def _costs(path: Path, shape: tuple[int, int]) -> FloatArray:
    cost = np.empty(shape)
    with path.open(encoding="utf-8") as file:
        for row, line in enumerate(line for line in file if line.strip()):
            for pair in line.strip().split(","):
                arm, value = pair.split(":")
                cost[row, int(arm)] = float(value)
    return cost


def _labels(arm: IntArray, reward: FloatArray, chance: FloatArray) -> list[tuple[int, str]]:
    return [
        (int(one), f"0:{-gain:g}:{share:.5f}") for one, gain, share in zip(arm, reward, chance, strict=True)
    ]  # fmt: skip


def contextual_bandit(frame: Frame, seed: int, *, kind: str, rate: float, passes: int) -> Learnt:
    """Costs of the arms by importance-weighted (`mtr`) or doubly robust (`dr`) regression."""
    bins = Bins.of(frame.x)
    order = np.random.default_rng(seed).permutation(len(frame.arm))
    labels = _labels(frame.arm[order], frame.reward[order], frame.own_chance()[order])
    with tempfile.TemporaryDirectory() as folder:
        model, rows, cache = (Path(folder) / name for name in ("model", "rows", "cache"))
        _write(rows, _examples(bins.tokens(frame.x[order]), frame.arms, labels))
        settings = f"--cb_adf --rank_all --cb_type {kind} -q ax -b 20 -l {rate} --passes {passes} --holdout_off"
        Workspace(f"{settings} -d {rows} -c -k --cache_file {cache} -f {model} --quiet --random_seed {seed}").finish()
        return Policy(model.read_bytes(), bins, frame.arms)


TOOLS: dict[str, Callable[[Frame, int], Learnt]] = {
    f"vw-{kind}-{rate:g}-{passes}": partial(contextual_bandit, kind=kind, rate=rate, passes=passes)
    for kind in ("mtr", "dr")
    for rate, passes in ((0.5, 1), (0.05, 1), (0.005, 4), (0.001, 4))
}
