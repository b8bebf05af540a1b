"""Which arm a debtor is in, and how each arm turns values into an action with its exact probability."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION, ActionGrid
from data.config import ArmSettings, Config
from data.vocabulary import ARMS
from models.explore import channel_daypart_probability, channel_probability, draw, explore_probabilities
from models.hashing import dated_hex, keyed_uniform

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

CONTROL, EXPLORE, CHAMPION, CHALLENGER = range(len(ARMS))


@dataclass(frozen=True)
class Choice:
    """What was chosen for each debtor, shape (n,) each, with its probabilities (contract section 0).

    `arm` is the index in `vocabulary.ARMS`; `arm_probability` is NaN for debtors outside the draw of arms.
    """

    action: IntArray
    arm: IntArray
    explored: BoolArray
    action_probability: FloatArray
    arm_probability: FloatArray
    channel_probability: FloatArray
    channel_daypart_probability: FloatArray


@dataclass(frozen=True)
class Candidates:
    """The action each arm would take for each debtor, shape (n,), and what is allowed, shape (n, A).

    `champion_chances` and `challenger_chances` are rows that sum to 1, shape (n, A), for models whose action is drawn; None
    for models that take their best action for certain.
    """

    control: IntArray
    champion: IntArray
    challenger: IntArray
    allowed: BoolArray
    champion_chances: FloatArray | None = None
    challenger_chances: FloatArray | None = None


def arms_of(debtor_id: TextArray, settings: ArmSettings) -> IntArray:
    """Arm of each debtor by keyed hash, the same for ever under one salt, shape (n,).

    >>> people = np.array(["d1", "d2"], dtype=object)
    >>> bool((arms_of(people, ArmSettings()) == arms_of(people, ArmSettings())).all())
    True
    """
    shares = [settings.control, settings.explore, settings.champion, settings.challenger]
    ends = np.cumsum(shares)[:-1]
    arm: IntArray = np.searchsorted(ends, keyed_uniform(debtor_id, key=f"{settings.salt}/arm"), side="right")
    return arm.astype(np.int64)


def decision_ids(debtor_id: TextArray, as_of_us: IntArray, *, salt: str) -> TextArray:
    """Identifier of each debtor's decision at a moment: 32 hexadecimal digits that begin with the moment, shape (n,).

    In the order of their moments, new ones stand side by side in an index: a group of them touches a page or two of it.
    """
    pairs = zip(debtor_id.tolist(), as_of_us.tolist(), strict=True)
    return np.array(
        [dated_hex(f"{debtor}|{moment}", key=f"{salt}/decision", at_us=moment) for debtor, moment in pairs],
        dtype=np.object_,
    )


def choose(
    candidates: Candidates,
    *,
    arm: IntArray,
    decision_id: TextArray,
    never_explore: BoolArray,
    outside: BoolArray,
    config: Config,
    grid: ActionGrid,
) -> Choice:
    """Each debtor's action under its arm.

    `explored` is True for what `explore` drew; a draw of the champion or the challenger shows in its probabilities.

    Parameters
    ----------
    never_explore
        Vulnerable debtors: nothing is drawn for them. Inside `explore` they get the control's action, inside the others
        the model's best, shape (n,).
    outside
        Debtors who objected to profiling: the control's action, whatever the arm, and no arm probability, shape (n,).
    """
    salt, arm = config.arms.salt, np.where(outside, CONTROL, arm)
    shares = np.array([config.arms.control, config.arms.explore, config.arms.champion, config.arms.challenger])
    modelled = np.where(arm == CHALLENGER, candidates.challenger, candidates.champion)
    ones = np.ones(len(arm), dtype=np.float64)
    choice = Choice(
        action=np.where(arm <= EXPLORE, candidates.control, modelled),
        arm=arm,
        explored=np.zeros(len(arm), dtype=np.bool_),
        action_probability=ones,
        arm_probability=np.where(outside, np.nan, shares[arm]),
        channel_probability=ones.copy(),
        channel_daypart_probability=ones.copy(),
    )
    drawn = np.flatnonzero((arm == EXPLORE) & ~never_explore)
    if len(drawn):
        chances = explore_probabilities(candidates.allowed[drawn], grid=grid, p_none=config.explore.none)
        _draw_into(choice, drawn, chances, uniform=keyed_uniform(decision_id[drawn], key=f"{salt}/draw"), grid=grid)
        choice.explored[drawn] = True
    for number, theirs in ((CHAMPION, candidates.champion_chances), (CHALLENGER, candidates.challenger_chances)):
        if theirs is not None:
            mine = np.flatnonzero((arm == number) & ~never_explore)
            uniform = keyed_uniform(decision_id[mine], key=f"{salt}/policy")
            _draw_into(choice, mine, theirs[mine], uniform=uniform, grid=grid)
    return choice


def _draw_into(choice: Choice, rows: IntArray, chances: FloatArray, *, uniform: FloatArray, grid: ActionGrid) -> None:
    """Draw the action of `rows` (k,) from their chances (k, A) and write it with its probabilities into `choice` (OUT)."""
    if len(rows):
        found = draw(chances, uniform)
        choice.action[rows] = found
        choice.action_probability[rows] = chances[np.arange(len(rows)), found]
        choice.channel_probability[rows] = channel_probability(chances, found, grid=grid)
        choice.channel_daypart_probability[rows] = channel_daypart_probability(chances, found, grid=grid)


def greedy(candidates: Candidates, *, outside: BoolArray) -> Choice:
    """The champion's action for every debtor, outside any experiment: every probability is 1.

    Debtors in `outside` (n,) objected to profiling: the control's action, and no arm probability.
    """
    size = len(candidates.champion)
    ones = np.ones(size, dtype=np.float64)
    return Choice(
        action=np.where(outside, candidates.control, candidates.champion),
        arm=np.where(outside, CONTROL, CHAMPION).astype(np.int64),
        explored=np.zeros(size, dtype=np.bool_),
        action_probability=ones,
        arm_probability=np.where(outside, np.nan, 1.0),
        channel_probability=ones,
        channel_daypart_probability=ones,
    )


def displaced(choice: Choice, instead: IntArray) -> Choice:
    """The choice with the action that is given instead; where that is another, it has no probability (NaN): it was not chosen.

    Parameters
    ----------
    instead
        The action a debtor gets, -1 where the choice stands, shape (n,).
    """
    gave_way = (instead >= 0) & (instead != choice.action)
    unknown = {
        name: np.where(gave_way, np.nan, getattr(choice, name))
        for name in ("action_probability", "channel_probability", "channel_daypart_probability")
    }
    return replace(choice, action=np.where(gave_way, instead, choice.action), **unknown)


def constant_action(allowed: BoolArray, *, grid: ActionGrid, channel: str, daypart: int) -> IntArray:
    """First allowed slot of one channel in one part of the day, else `none`, shape (n,)."""
    wanted = (grid.channel == grid.channels.index(channel)) & (grid.daypart == daypart)
    cells = allowed & wanted
    return np.where(cells.any(axis=1), np.argmax(cells, axis=1), NO_ACTION).astype(np.int64)
