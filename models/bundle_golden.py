"""Golden predictions: made-up rows, and what the model said of them when its bundle was written.

A LightGBM text with one changed leaf loads without a word and says something else. The rows are drawn from usual values,
the model's own thresholds and missing values, never from people: for each column up to 16 values, for each row one
hexadecimal digit a column that picks among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.config import GridSettings
from features.action import CalendarClass, Sending, action_matrix, letter_code
from features.catalogue import catalogue
from models.amounts import ShareModel
from models.bundle_files import BadBundle
from models.cells import GridCells
from models.protocol import PropensityModel

FloatArray = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

ROWS, FEWEST, VALUES, SEED = 1_000, 200, 16, 20_261_122
LARGE = 8_000_000
"""Characters of model text up to which all rows are asked; beyond, fewer, so that asking stays a matter of seconds."""
TOLERANCE = 1e-9
LOOKED_AT = 4_000_000
"""Characters of each model text that thresholds are taken from."""
MONDAY = 20_514
"""2 March 2026 in days since the epoch; any day does."""
DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


@dataclass(frozen=True)
class Cases:
    """Rows to ask a model about.

    Attributes
    ----------
    values
        Of each column of debtor and claim, NaN for missing, shape (F - columns of the action, 16).
    picks
        Which of them each row holds, shape (n, F - columns of the action).
    actions
        Shape (A, columns of the action).
    action
        Of each row, shape (n,).
    """

    values: Matrix
    picks: npt.NDArray[np.uint8]
    actions: Matrix
    action: IntArray

    @property
    def context(self) -> Matrix:
        """Columns of debtor and claim."""
        return self.values[np.arange(len(self.values)), self.picks]

    @property
    def rows(self) -> Matrix:
        """All columns, shape (n, F)."""
        return np.hstack([self.context, self.actions[self.action]])


@dataclass(frozen=True)
class Answers:
    """What a model says of the cases: chance of payment of each row, and its share where one is learnt, shape (n,)."""

    chance: FloatArray
    share: FloatArray | None


def golden_text(
    model: PropensityModel,
    share: ShareModel | None,
    *,
    texts: Iterable[str],
    usual: Sequence[float | None],
    channels: tuple[str, ...],
) -> str:
    """Cases and answers as the text of `golden.json`.

    Parameters
    ----------
    texts
        The model's files, for thresholds.
    usual
        Value of each feature that reasons compare with; may be empty.

    Raises
    ------
    BadBundle
        The model says something that is no chance.
    """
    rng, texts = np.random.default_rng(SEED), tuple(texts)
    count = int(np.clip(ROWS * LARGE // max(sum(map(len, texts)), 1), FEWEST, ROWS))
    actions = _actions(channels)
    values = _values(usual, texts, width=len(catalogue(channels)) - actions.shape[1], rng=rng)
    picks = rng.integers(0, VALUES, (count, len(values)), dtype=np.uint8)
    cases = Cases(values, picks, actions, rng.integers(0, len(actions), count))
    answers = asked_by_row(model, share, cases)
    must_be_chances(answers)
    plain = {
        "values": _plain(values),
        "actions": _plain(actions),
        "picks": [line.tobytes().decode("ascii") for line in DIGITS[picks]],
        "action": cases.action.tolist(),
        "chance": answers.chance.tolist(),
        "share": None if answers.share is None else answers.share.tolist(),
    }
    return json.dumps(plain)


def read_golden(plain: Mapping[str, Any]) -> tuple[Cases, Answers]:
    """What `golden_text` wrote.

    Raises
    ------
    BadBundle
        It is not of that form.
    """
    try:
        picks = np.array([[int(digit, 16) for digit in line] for line in plain["picks"]], dtype=np.uint8)
        action = np.array(plain["action"], dtype=np.int64)
        cases = Cases(_matrix(plain["values"]), picks, _matrix(plain["actions"]), action)
        share = plain["share"]
        answers = Answers(
            np.array(plain["chance"], dtype=np.float64), None if share is None else np.array(share, float)
        )
        whole = cases.rows.shape[0] == len(answers.chance) >= 1
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BadBundle(f"golden predictions cannot be read ({error!r:.80}): train again, then promote") from error
    if not whole:
        raise BadBundle("golden predictions: expected an answer for each row, and a row: train again, then promote")
    return cases, answers


def asked_by_row(model: PropensityModel, share: ShareModel | None, cases: Cases) -> Answers:
    """What the model says of each row with its own action, LightGBM's own way."""
    return Answers(model.probability(cases.rows), None if share is None else share.share(cases.context))


def asked_by_grid(model: PropensityModel, cases: Cases) -> FloatArray:
    """Chance of each row, picked from every row under every action: the way of decisions, shape (n,)."""
    shape = len(cases.picks), len(cases.actions)
    chance = np.broadcast_to(model.chance(GridCells(cases.context, cases.actions)), shape)
    found: FloatArray = chance[np.arange(len(chance)), cases.action]
    return found


def ask_once(model: PropensityModel, share: ShareModel | None, *, channels: tuple[str, ...]) -> None:
    """Asks about one row of missing values under some actions: what is compiled at the first question is compiled then."""
    actions = _actions(channels)
    row = np.full((1, len(catalogue(channels)) - actions.shape[1]), np.nan, dtype=np.float32)
    model.chance(GridCells(row, actions))
    if share is not None:
        share.share(row)


def must_be_chances(answers: Answers) -> None:
    """Refuses what is no finite number from 0 to 1.

    Raises
    ------
    BadBundle
        How many are none.
    """
    for name, found in (("chance of payment", answers.chance), ("share paid", answers.share)):
        wrong = 0 if found is None else int((~((found >= 0) & (found <= 1))).sum())
        if wrong:
            raise BadBundle(
                f"expected every {name} in [0, 1], came {wrong} that are not: the model is broken, train again"
            )


def must_agree(came: FloatArray | None, expected: FloatArray | None, *, what: str) -> None:
    """Refuses answers that differ from those written by more than `TOLERANCE`.

    Raises
    ------
    BadBundle
        How many differ, and by how much.
    """
    if came is None or expected is None:
        if came is not expected:
            raise BadBundle(f"golden predictions and model do not agree on whether there is a {what}: train again")
        return
    if came.shape != expected.shape:
        raise BadBundle(f"expected golden {what} of {expected.shape} rows, came {came.shape}: train again")
    off = np.abs(came - expected)
    wrong = ~(off <= TOLERANCE)
    if wrong.any():
        raise BadBundle(
            f"expected {what} as when the bundle was written, within {TOLERANCE}: {int(wrong.sum())} of {len(off)} rows "
            f"differ, by up to {np.max(off):.3g}: the model has changed, train again"
        )


def _actions(channels: tuple[str, ...]) -> Matrix:
    """`none`, and each channel at every hour of one day or another, shape (A, columns of the action)."""
    hours = GridSettings().hours
    code = np.repeat(np.arange(1, len(channels)), len(hours))
    hour = np.tile(np.array(hours), len(channels) - 1)
    day = MONDAY + np.arange(len(code)) % GridSettings().days
    channel, hour, day = (np.concatenate([[0], one]).astype(np.int64) for one in (code, hour, day))
    size = len(channel)
    of = CalendarClass(("SE",), np.zeros(size, dtype=np.int64), np.full(size, -1))
    sending = Sending(channel, hour, day, np.full(size, MONDAY))
    return action_matrix(sending, letter=letter_code(channels), of=of)


def _values(usual: Sequence[float | None], texts: Iterable[str], *, width: int, rng: np.random.Generator) -> Matrix:
    """Up to 16 values of each column, missing among them, shape (width, 16)."""
    values = np.full((width, VALUES), np.nan, dtype=np.float32)
    values[:, 1:3] = 0.0, 1.0
    spread = rng.lognormal(sigma=1.5, size=(width, VALUES - 3))
    known = np.array(list(usual[:width]) or [None] * width, dtype=np.float64)
    values[:, 3:] = np.where(np.isnan(known), 1.0, known)[:, None] * spread
    values[:, 3] = known
    for column, cuts in _thresholds(texts).items():
        if column < width:
            here = rng.choice(np.array(cuts), size=min(len(cuts), VALUES - 4), replace=False)
            values[column, 4 : 4 + len(here)] = here
    return values


def _thresholds(texts: Iterable[str]) -> dict[int, list[float]]:
    """Finite thresholds by column, ascending; of a category's split an index that does as well as any other number."""
    found: dict[int, set[float]] = {}
    for text in texts:
        columns: list[str] = []
        for line in text[:LOOKED_AT].splitlines():
            if line.startswith("split_feature="):
                columns = line.partition("=")[2].split()
            elif line.startswith("threshold="):
                for column, cut in zip(columns, line.partition("=")[2].split(), strict=False):
                    found.setdefault(int(column), set()).add(float(cut))
    return {column: sorted(cut for cut in cuts if abs(cut) < 1e30) for column, cuts in found.items()}


def _plain(matrix: Matrix) -> list[list[float | None]]:
    return [[None if np.isnan(one) else one for one in line] for line in matrix.astype(np.float64).tolist()]


def _matrix(plain: list[list[float | None]]) -> Matrix:
    return np.array(plain, dtype=np.float64).astype(np.float32)
