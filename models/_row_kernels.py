"""What is decided of each claim, and of each other channel: loops over claims and cells.

Shapes: m claims in the order of their n debtors, A actions, C contact channels of S slots each behind action 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from data.action_grid import BoolArray, CodeArray
from data.times import HOUR_US, IntArray
from models._control_kernels import owed_by_debtor

FloatArray = npt.NDArray[np.float64]


CODES, MARKS = 11, 4

ACTION, CHANNEL, DECISION, SEND_US, UNTIL_US, OPTION, TONE, SHUT, DECIDED_US, ARM, SEGMENT = range(CODES)
"""Codes of each claim."""

APART, LEAD, EXPLORED, THEIRS = range(MARKS)
"""Marks of each claim."""

CHANCE, UPLIFT, VALUE, ACTION_CHANCE, CHANNEL_CHANCE, PART_CHANCE, ARM_CHANCE = range(7)
"""Numbers of each claim."""


@njit(cache=True, nogil=True)
def left_alone(
    action: IntArray, arm: IntArray, probability: FloatArray, by_value: BoolArray, least_arm: int, allowed: BoolArray
) -> BoolArray:
    """Debtors without contact who might have had one, in an arm from `least_arm` on that chose by value, (n,).

    Of each arm `by_value`; of each debtor action, arm, chance of the action (NaN: none was drawn), (n,), what is allowed (n, A).
    """
    found = np.zeros(len(action), np.bool_)
    for i in range(len(action)):
        if action[i] == 0 and arm[i] >= least_arm and by_value[arm[i]] and not np.isnan(probability[i]):
            found[i] = allowed[i, 1:].any()
    return found


@njit(cache=True, nogil=True)
def tell_contacts(
    moment: IntArray,
    covered: BoolArray,
    owed_eur: FloatArray,
    held_by: CodeArray,
    chosen: IntArray,
    arm: IntArray,
    explored: BoolArray,
    segment: IntArray,
    tone: IntArray,
    as_of_us: IntArray,
    again_us: IntArray,
    of_class: IntArray,
    slot_us: IntArray,
    channel_of: CodeArray,
    options: IntArray,
    much_eur: float,
    challenger: int,
    code: IntArray,
    mark: BoolArray,
) -> None:
    """The contact that each claim is under, or that it is held back from its debtor's: then it has a decision of its own with `none`.

    Parameters
    ----------
    moment, covered, owed_eur, held_by
        Debtor of each claim, whether a contact would cover it, what is owed on it, and the rule that holds it, -1 for none, (m,).
    chosen, arm, explored, segment, tone, as_of_us, again_us, of_class
        Of each debtor, (n,): its action, how it came to be, how it is met, when, until when without contact, its calendar class.
    slot_us, channel_of
        Slot of each action by class (K, A), and its channel (A,).
    options
        Way to pay by channel, segment and whether at least `much_eur` is owed on what is covered.
    challenger
        The arm for which the other model speaks (mark `THEIRS`).
    code, mark
        OUT, (`CODES`, m) and (`MARKS`, m). Decisions of claims held back are numbered from n on, in order, and so is what shuts them
        (`SHUT`): n is not asked, n + 1 the first rule. `OPTION`, `TONE` and `SEND_US` are -1 without contact.
    """
    size = len(chosen)
    held, led, owed = size, np.zeros(size, np.bool_), owed_by_debtor(moment, owed_eur, covered, size)
    for row in range(len(moment)):
        i = moment[row]
        apart = chosen[i] > 0 and not covered[row]
        one = 0 if apart else chosen[i]
        code[ACTION, row], code[CHANNEL, row], code[SEND_US, row] = one, channel_of[one], slot_us[of_class[i], one]
        code[UNTIL_US, row] = code[SEND_US, row] + HOUR_US if one > 0 else again_us[i]
        code[OPTION, row] = options[channel_of[one], segment[i], 1 if owed[i] >= much_eur else 0]
        code[TONE, row] = tone[i] if one > 0 else -1
        code[DECISION, row], code[SHUT, row] = (held, size + 1 + held_by[row]) if apart else (i, i)
        code[DECIDED_US, row], code[ARM, row], code[SEGMENT, row] = as_of_us[i], arm[i], segment[i]
        mark[APART, row], mark[LEAD, row] = apart, apart or not led[i]
        mark[EXPLORED, row], mark[THEIRS, row] = explored[i] and not apart, arm[i] == challenger
        held += apart
        led[i] |= not apart


@njit(cache=True, nogil=True, error_model="numpy")
def tell_numbers(
    moment: IntArray,
    code: IntArray,
    mark: BoolArray,
    chance: FloatArray,
    worth_eur: FloatArray,
    other_chance: FloatArray,
    other_worth_eur: FloatArray,
    cost_eur: FloatArray,
    harm_eur: FloatArray,
    rate: FloatArray,
    day: IntArray,
    currency: IntArray,
    action_chance: FloatArray,
    channel_chance: FloatArray,
    part_chance: FloatArray,
    arm_chance: FloatArray,
    number: FloatArray,
) -> None:
    """Chance of payment of each claim, what its contact adds to it, that contact's value, and how it came to be chosen.

    Parameters
    ----------
    moment, code, mark
        As in `tell_contacts`.
    chance, worth_eur, other_chance, other_worth_eur
        By each model: chance of each claim under each action (m, A), and what it pays if it pays (m,).
    cost_eur, harm_eur
        Price of each debtor's channels (n, channels): the claim that leads a contact pays for it.
    rate, day, currency
        EUR a unit by day and currency, the day of each debtor (n,), the currency of each claim (m,).
    action_chance, channel_chance, part_chance, arm_chance
        Of each debtor's choice (n,); that of a claim held back is certain under its arm.
    number
        OUT, (7, m).
    """
    for row in range(len(moment)):
        i, one, channel, apart = moment[row], code[ACTION, row], code[CHANNEL, row], mark[APART, row]
        chances = other_chance[row] if mark[THEIRS, row] else chance[row]
        worth = other_worth_eur[row] if mark[THEIRS, row] else worth_eur[row]
        price = cost_eur[i, channel] + harm_eur[i, channel] if mark[LEAD, row] and one > 0 else 0.0
        lift = chances[one] - chances[0]
        number[CHANCE, row], number[UPLIFT, row] = chances[one], lift
        number[VALUE, row] = (lift * worth - price) / rate[day[i], currency[row]]
        number[ACTION_CHANCE, row] = 1.0 if apart else action_chance[i]
        number[CHANNEL_CHANCE, row] = 1.0 if apart else channel_chance[i]
        number[PART_CHANCE, row] = 1.0 if apart else part_chance[i]
        number[ARM_CHANCE, row] = arm_chance[i]
