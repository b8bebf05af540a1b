"""Weights at the level of embedded actions: of the cell an action lies in, such as (channel, part of day).

With hundreds of actions a drawn one seldom is the one a policy would take, and weights are in the hundreds. Asked of
cells, they stay moderate (Saito and Joachims 2022). `ips`, `snips` and `dr` (`training.ope.estimators`) with the
weights given here are the marginalised estimators. What they value is the policy that draws the *cell* as the target
does and, inside the cell, as the log did; it is the target itself where the actions of a cell are alike.

`embedding` is of shape (A, C): the share of each action that lies in each cell; its rows sum to one. Where every action
lies in one cell, rows are zero but for a one (`embedding_of`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class BadEmbedding(ValueError):
    """An embedding does not share out every action over cells."""


def embedding_of(cell: IntArray) -> FloatArray:
    """Embedding, shape (A, C), of actions that lie wholly in one cell each; `cell` has shape (A,), numbers 0..C-1.

    >>> embedding_of(np.array([0, 1, 1])).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    """
    return np.eye(int(cell.max()) + 1, dtype=np.float64)[cell]


def cell_probability(probability: FloatArray, embedding: FloatArray) -> FloatArray:
    """Chance of every cell, shape (n, C), of a policy with these chances of actions, shape (n, A).

    Raises
    ------
    BadEmbedding
        Actions that are not those of `probability`, or shares of an action that do not sum to one.

    >>> cell_probability(np.array([[0.5, 0.3, 0.2]]), embedding_of(np.array([0, 1, 1]))).tolist()
    [[0.5, 0.5]]
    """
    if embedding.shape[0] != probability.shape[1]:
        what = f"expected an embedding of {probability.shape[1]} actions; came one of {embedding.shape[0]}"
        raise BadEmbedding(f"{what}: give every action of the policy a row, in the same order")
    off = np.abs(embedding.sum(axis=1) - 1) > 1e-9
    if off.any():
        what = f"shares of {int(off.sum())} of {len(off)} actions do not sum to one, the first is {int(off.argmax())}"
        raise BadEmbedding(f"expected each action shared out over cells; {what}: divide each row by its sum")
    return np.asarray(probability @ embedding, dtype=np.float64)


def cell_weight(target: FloatArray, logging: FloatArray, *, cell: IntArray) -> FloatArray:
    """Target over logging chance of the cell that was logged, shape (n,).

    Parameters
    ----------
    target, logging
        Chances of every cell, shape (n, C), see `cell_probability`.
    cell
        The logged cell, shape (n,).

    >>> cell_weight(np.array([[0.8, 0.2]]), np.array([[0.5, 0.5]]), cell=np.array([0]))
    array([1.6])
    """
    row = np.arange(len(cell))
    return np.asarray(target[row, cell] / logging[row, cell])


def cell_reward(predicted: FloatArray, logging: FloatArray, *, embedding: FloatArray) -> FloatArray:
    """A model's reward of every cell, shape (n, C): its mean over the cell's actions as the log drew them.

    With predictions per action the correction of `dr` would not have mean zero under weights of cells; with these it
    has, and the value is `(cell_probability(target) * cell_reward).sum(axis=1)`. Zero where the log never draws a cell.

    Parameters
    ----------
    predicted, logging
        A model's reward, and the logging chance, of every action, shape (n, A) each.

    >>> cell_reward(np.array([[0.1, 0.2, 0.5]]), np.array([[0.5, 0.4, 0.1]]), embedding=embedding_of(np.array([0, 1, 1])))
    array([[0.1 , 0.26]])
    """
    chance = cell_probability(logging, embedding)
    return np.divide((logging * predicted) @ embedding, chance, out=np.zeros_like(chance), where=chance > 0)
