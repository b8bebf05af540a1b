"""The decision log frame: one row per logged decision of any industry, read from a file under a SPEC."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.frame_columns import (
    Ledger,
    read_censored,
    read_decision_ids,
    read_features,
    read_labels,
    read_probability,
    read_reward,
    read_times,
    read_units,
)
from data.frame_policy import LoggedActions, TargetPolicy, read_target
from data.frame_spec import ORDER, ROW, FrameSpec
from data.frame_table import BadFrame, BoolArray, Features, FloatArray, IntArray, codes, plain, read_rows
from data.problems import Notice

FEWEST_ROWS = 20
"""A smaller file says nothing that an interval would not swallow."""
MOST_ACTIONS = 2_000


class NoTimeOrder(ValueError):
    """A split by time was asked of a frame without times."""


@dataclass(frozen=True)
class DecisionFrame:
    """Logged decisions, n rows, A actions.

    Parameters
    ----------
    unit
        Shape (n,), numbers of what is clustered and split on.
    time_us
        Shape (n,), instants (or places in the order); None: a split by time is refused.
    action
        Shape (n,), numbers in `actions`.
    fixed
        Shape (n,), numbers in `fixed_labels`: what was settled before the choice (a position on a page).
    action_probability
        Shape (n,), NaN where the row has none; None: the log is observational.
    reward
        Shape (n,), NaN where `censored`.
    context
        Shape (n, F), named `x_<column>`.
    action_features
        Shape (A, G), one row per action: its label, its parts, what describes it.
    on_policy
        Rewards in the target policy's own log, with the unit of each; None where not named.
    """

    spec: FrameSpec
    file: Path
    unit: IntArray
    time_us: IntArray | None
    action: IntArray
    actions: tuple[str, ...]
    fixed: IntArray
    fixed_labels: tuple[str, ...]
    action_probability: FloatArray | None
    reward: FloatArray
    censored: BoolArray
    context: Features
    action_features: Features
    target: TargetPolicy | None
    on_policy: tuple[FloatArray, IntArray] | None
    notices: tuple[Notice, ...]

    def __len__(self) -> int:
        return len(self.action)

    def times(self) -> IntArray:
        """Instants or places in the order, shape (n,).

        Raises
        ------
        NoTimeOrder
            The SPEC gives neither a time column nor the order of the rows.
        """
        if self.time_us is None:
            what = f'{self.spec.source}: a split by time needs a time; the SPEC gives neither a column nor "@order"'
            raise NoTimeOrder(f'{what}: add time = "the_column", or time = "@order" if rows are in order of time')
        return self.time_us

    def rows(self, kept: BoolArray) -> DecisionFrame:
        """The frame with only these rows, `kept` of shape (n,)."""
        target = None if self.target is None else replace(self.target, row=self.target.row[kept])
        probability = None if self.action_probability is None else self.action_probability[kept]
        return replace(
            self,
            unit=np.unique(self.unit[kept], return_inverse=True)[1],
            time_us=None if self.time_us is None else self.time_us[kept],
            action=self.action[kept],
            fixed=self.fixed[kept],
            action_probability=probability,
            reward=self.reward[kept],
            censored=self.censored[kept],
            context=replace(self.context, values=self.context.values[kept]),
            target=target,
        )


def read_frame(file: Path, spec: FrameSpec) -> DecisionFrame:
    """A file's rows as a decision log frame.

    Raises
    ------
    BadFrame
        The file cannot be read, or its columns are not what the SPEC says; all problems at once.
    """
    ledger = Ledger(file, read_rows(file))
    frame = _frame(ledger, spec)
    if frame is None or ledger.problems:
        raise BadFrame(tuple(ledger.problems), where=file.name)
    return replace(frame, notices=ledger.told())


def _frame(ledger: Ledger, spec: FrameSpec) -> DecisionFrame | None:
    read_decision_ids(ledger, spec)
    action, actions = read_labels(ledger, spec.action.columns, join=spec.action.join, role="action")
    fixed, fixed_labels = read_labels(ledger, spec.action.fixed, join=spec.action.join, role="action fixed")
    censored = read_censored(ledger, spec)
    frame = DecisionFrame(
        spec=spec,
        file=ledger.file,
        unit=read_units(ledger, spec),
        time_us=read_times(ledger, spec),
        action=action,
        actions=actions,
        fixed=fixed,
        fixed_labels=fixed_labels,
        action_probability=read_probability(ledger, spec, action=action, actions=actions),
        reward=read_reward(ledger, spec.reward, censored),
        censored=censored,
        context=_context(ledger, spec),
        action_features=Features((), np.zeros((len(actions), 0)), ()),
        target=None,
        on_policy=None,
        notices=(),
    )
    _check_size(ledger, frame)
    if ledger.problems:
        return None
    return replace(
        frame,
        action_features=_action_features(ledger, frame),
        target=_target(ledger, frame),
        on_policy=_on_policy(ledger, spec),
    )


def _check_size(ledger: Ledger, frame: DecisionFrame) -> None:
    usable = int((~frame.censored).sum())
    if usable < FEWEST_ROWS:
        what = f"expected at least {FEWEST_ROWS} rows with a known outcome, came {usable:,} of {len(frame):,}"
        ledger.wrong(None, what, remedy="give a longer log")
    if frame.spec.unit != ROW and len(frame) > 1 and not np.ptp(frame.unit):
        remedy = 'name another column, or unit = "@row" where every row stands for itself'
        ledger.wrong(frame.spec.unit, "one unit only: nothing tells chance from effect", remedy=remedy)
    if len(frame.actions) > MOST_ACTIONS:
        what = f"{len(frame.actions):,} different actions, expected at most {MOST_ACTIONS:,}"
        ledger.wrong(", ".join(frame.spec.action.columns), what, remedy="name coarser columns of the action")
    elif len(frame.actions) == 1:
        ledger.note(f"one action only ({frame.actions[0]}): there is nothing to compare")
    if frame.censored.any():
        ledger.note(f"{int(frame.censored.sum()):,} censored rows: outcome not known yet, they count as no negatives")


def _used(spec: FrameSpec) -> set[str]:
    """Columns that mean something else than context."""
    target = spec.target_policy
    given = spec.action_probability
    used = {spec.unit, spec.decision_id, spec.reward.column, *spec.action.columns, *spec.action.fixed}
    used |= set(spec.action_features.columns) if spec.action_features and not spec.action_features.file else set()
    used |= {column for _, column in target.columns} if target and target.file is None else set()
    used |= {name for name in (spec.censored, spec.time and spec.time.column, given and given.column) if name}
    return used


def _context(ledger: Ledger, spec: FrameSpec) -> Features:
    used = _used(spec)
    context = spec.context
    names = tuple(ledger.table.column_names)
    for name in (n for n in (*context.leave_out, *context.known_before, *context.categorical) if n not in names):
        ledger.column(name, "[context]")
    if context.columns is None:
        columns = tuple(name for name in names if name not in used and name not in context.leave_out)
    else:
        columns = context.columns
        for name in (name for name in columns if name in used - set(spec.action.fixed)):
            remedy = "take it out of [context]: it says what was done or what came of it"
            if name not in (spec.unit, spec.decision_id, spec.time and spec.time.column):
                ledger.wrong(name, "stands under [context] and elsewhere in the SPEC", remedy=remedy)
    fixed = tuple(name for name in spec.action.fixed if name not in columns)
    levels = (*context.categorical, *fixed)
    return read_features(ledger, (*columns, *fixed), categorical=levels, role="[context]")


def _action_features(ledger: Ledger, frame: DecisionFrame) -> Features:
    """Label and parts of each action as levels, and the SPEC's columns that describe it, shape (A, G)."""
    parts = frame.spec.action.columns
    blocks = [] if len(parts) == 1 else [_of_action(ledger, frame, name, levels=True) for name in parts]
    label = Features(("action",), np.arange(len(frame.actions), dtype=np.float64)[:, None], (frame.actions,))
    described = frame.spec.action_features
    if described is not None and described.file is None:
        blocks += [_of_action(ledger, frame, n, levels=n in described.categorical) for n in described.columns]
    elif described is not None:
        blocks.append(_from_file(ledger, frame))
    return joined(label, *(block for block in blocks if block.names))


def joined(*blocks: Features) -> Features:
    """Columns of several blocks of equally many rows side by side."""
    names = tuple(name for block in blocks for name in block.names)
    levels = tuple(each for block in blocks for each in block.levels)
    return Features(names, np.column_stack([block.values for block in blocks]), levels)


def _of_action(ledger: Ledger, frame: DecisionFrame, name: str, *, levels: bool) -> Features:
    """A column of the log that must be one value for each action, as a block of shape (A, 1)."""
    block = read_features(ledger, (name,), categorical=(name,) if levels else (), role="[action_features]")
    if not block.names:
        return Features((), np.zeros((len(frame.actions), 0)), ())
    first = np.unique(frame.action, return_index=True)[1]
    value = block.values[first]
    differs = ~np.isclose(block.values, value[frame.action], equal_nan=True)[:, 0]
    if differs.any():
        remedy = "an action feature is one value per action; put this column under [context]"
        ledger.wrong(name, "differs within an action", count=int(differs.sum()), remedy=remedy)
    return replace(block, names=(f"action_{name}",), values=value)


def _from_file(ledger: Ledger, frame: DecisionFrame) -> Features:
    described = frame.spec.action_features
    if described is None or described.file is None:
        raise ValueError("expected [action_features] with a file; came one without")
    try:
        beside = Ledger(ledger.file.parent / described.file, read_rows(ledger.file.parent / described.file))
    except BadFrame as error:
        ledger.problems.extend(error.problems)
        return Features((), np.zeros((len(frame.actions), 0)), ())
    number, names = read_labels(beside, described.key, join=frame.spec.action.join, role="[action_features] key")
    block = read_features(beside, described.columns, categorical=described.categorical, role="[action_features]")
    ledger.problems.extend(beside.problems)
    place = {names[i]: row for row, i in enumerate(number)} if names else {}
    missing = [action for action in frame.actions if action not in place]
    if missing:
        what = f"no row for {len(missing)} of {len(frame.actions)} actions"
        beside.wrong(", ".join(described.key), what, value=missing[0], remedy="give every action of the log a row")
        ledger.problems.append(beside.problems[-1])
    taken = block.values[[place.get(action, 0) for action in frame.actions]]
    return replace(block, names=tuple(f"action_{n.removeprefix('x_')}" for n in block.names), values=taken)


def _target(ledger: Ledger, frame: DecisionFrame) -> TargetPolicy | None:
    spec = frame.spec
    if spec.target_policy is None:
        return None
    logged = LoggedActions(
        actions=frame.actions,
        fixed=frame.fixed,
        fixed_labels=frame.fixed_labels,
        fixed_columns=spec.action.fixed,
        join=spec.action.join,
        file=frame.file,
        rows=ledger.table,
    )
    try:
        return read_target(spec.target_policy, logged)
    except BadFrame as error:
        ledger.problems.extend(error.problems)
    except ValueError as error:
        ledger.wrong(None, str(error), remedy="correct [target_policy] or its file")
    return None


def _on_policy(ledger: Ledger, spec: FrameSpec) -> tuple[FloatArray, IntArray] | None:
    """Rewards and units of the target policy's own log."""
    if spec.on_policy is None:
        return None
    file = ledger.file.parent / spec.on_policy
    try:
        beside = Ledger(file, read_rows(file))
    except BadFrame as error:
        ledger.problems.extend(error.problems)
        return None
    reward = read_reward(beside, spec.reward, np.zeros(beside.table.num_rows, dtype=np.bool_))
    unit = np.arange(len(reward)) if spec.unit == ROW else codes(plain(beside.table[spec.unit]))[0]
    ledger.problems.extend(beside.problems)
    return reward, unit


def order_of(frame: DecisionFrame) -> str:
    """Where the frame's time comes from, in words."""
    if frame.time_us is None:
        return "none"
    return "order of the rows" if frame.spec.time and frame.spec.time.column == ORDER else "a column"
