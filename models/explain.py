"""Why a decision is what it is: the features that moved it, and what channel, day and hour each add."""

from __future__ import annotations

import numpy as np

from data.action_grid import Slots
from features.action import CalendarClass, GridActions, grid_actions
from features.catalogue import action_features, catalogue, names
from models.decide import Decided
from models.grid import Breakdown, breakdown
from models.propensity import grid_probability
from models.protocol import Rows
from models.reasons import find_reasons, in_words
from models.value import Prices, value_grid

AXES = ("channel", "day", "hour")
"""Axes of the grid of contacts, in the order of its actions."""


def explained(decided: Decided, row: int) -> tuple[str, ...]:
    """Reasons for the decision on debtor `row`; behind them, for a contact, what its channel, day and hour add."""
    found = reasons(decided, row)
    return (*found, slot_in_words(decided, row)) if decided.choice.action[row] else found


def slot_in_words(decided: Decided, row: int) -> str:
    """What channel, day and hour of the chosen contact add to its value, each alone and together, over the mean contact."""
    grid, action = decided.prepared.grid, int(decided.choice.action[row])
    cell = int(grid.channel[action]) - 1, int(grid.day[action]), grid.hours.index(int(grid.hour[action]))
    parts = {axes: float(part[0]) for axes, part in why(decided, row).parts(np.array([cell])).items()}
    mean = parts.pop(())
    alone = ", ".join(f"{name} {parts.pop((axis,)):+.2f}" for axis, name in enumerate(AXES))
    together = sum(parts.values())
    return f"slot={grid.label(action)} ({alone}, together {together:+.2f} EUR over the mean contact's {mean:.2f})"


def reasons(decided: Decided, row: int, *, most: int = 5) -> tuple[str, ...]:
    """Features that spoke most for the chosen action of debtor `row`, on its largest covered claim, strongest first.

    Each is `name=value (+x)`: with the usual value of that feature instead (`Bundle.usual`), the uplift of the action
    over `none` on that claim would be x less; for the decision `none`, the chance of payment.
    """
    bundle, cells = decided.opinion(row).bundle, explained_cells(decided, row)
    usual = bundle.usual_values(cells.shape[1])
    if len(cells) == 1:  # `none` has no hour, day or way through the post that could be another
        usual[-len(action_features()) :] = cells[0, -len(action_features()) :]
    labels = names(catalogue(decided.prepared.grid.channels))
    channel = labels.index("channel")
    usual[channel] = cells[0, channel] if np.isnan(usual[channel]) else usual[channel]  # an action always has one
    found = find_reasons(bundle.model, cells, usual, most=most)
    words = bundle.reference.words()
    return tuple(in_words(one, cells[0, one.column], name=labels[one.column], words=words) for one in found)


def explained_cells(decided: Decided, row: int) -> Rows:
    """Model input of the chosen action of debtor `row` on its largest covered claim, and of `none` below a contact."""
    prepared, action = decided.opinion(row).prepared, int(decided.choice.action[row])
    mine = np.flatnonzero(prepared.targets.moment == row)
    claim = mine[np.argmax(prepared.rows.outstanding_eur[mine] + 1e9 * prepared.covered[mine])]
    asked = [action, 0] if action else [0]
    actions = _actions_of(decided, row).matrix[0][asked]
    return np.hstack([np.tile(prepared.rows.matrix[claim], (len(asked), 1)), actions])


def _actions_of(decided: Decided, row: int) -> GridActions:
    """Features of the actions of debtor `row` alone."""
    prepared, slots = decided.prepared, decided.slots
    whole = decided.opinion(row).prepared.calendar
    one = Slots(slots.of_debtor[row : row + 1], slots.zone, slots.first_day, slots.send_us)
    calendar = CalendarClass(whole.countries, whole.country[row : row + 1], whole.pay_day[row : row + 1])
    return grid_actions(prepared.grid, one, of=calendar)


def why(decided: Decided, row: int) -> Breakdown:
    """Value in EUR of every contact for debtor `row`, taken apart by channel, day and hour, as if nothing barred any."""
    opinion = decided.opinion(row)
    prepared, grid = opinion.prepared, opinion.prepared.grid
    mine = np.flatnonzero((prepared.targets.moment == row) & prepared.covered)
    rows, everything = prepared.rows.matrix[mine], np.ones((len(mine), grid.size), dtype=np.bool_)
    nobody = np.zeros(len(mine), dtype=np.int64)
    chance = grid_probability(
        opinion.bundle.model, rows, actions=_actions_of(decided, row), class_of_row=nobody, wanted=everything
    )
    worth = opinion.bundle.share(rows) * prepared.rows.outstanding_eur[mine]
    price = Prices(decided.price.cost[row : row + 1], decided.price.harm[row : row + 1])
    covered, allowed = np.ones(len(mine), dtype=np.bool_), np.ones((1, grid.size), dtype=np.bool_)
    value = value_grid(chance, worth_eur=worth, debtor=nobody, covered=covered, price=price, grid=grid, allowed=allowed)
    return breakdown(value[:, 1:], (len(grid.channels) - 1, grid.days, len(grid.hours)))
