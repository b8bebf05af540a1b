"""Loops over debtors and their candidates: demand at prices, margins, placing, moving.

All of it stands in one file: what numba has compiled is kept until this file changes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
ValueArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
NumberArray = npt.NDArray[np.int32]
CodeArray = npt.NDArray[np.int16]
BoolArray = npt.NDArray[np.bool_]

FAR = 40.0
"""Candidates so many temperatures behind the best are left out: they would weigh 4e-18."""

GAIN_EUR = 1e-9
"""A move must bring in more than this, so that rounding alone never moves anyone."""


class Part(NamedTuple):
    """Candidates of n debtors, those of debtor i from `start[i]` to `start[i + 1]`; see `candidates.Candidates`."""

    start: IntArray
    action: CodeArray
    value: ValueArray
    of_class: NumberArray
    channel: CodeArray
    cost: FloatArray
    creditor_start: IntArray
    creditor: NumberArray


class Priced(NamedTuple):
    """Prices by class and action: EUR a contact and EUR for each EUR of its cost, (K, A) each; EUR for covering a creditor, (Q,)."""

    fixed: FloatArray
    rate: FloatArray
    bonus: FloatArray


class Needs(NamedTuple):
    """What a contact uses: rows `start[k * A + a]` on of resource and amount; resource of its budget or -1, shape (K, A)."""

    start: IntArray
    resource: NumberArray
    amount: FloatArray
    budget: NumberArray


@njit(cache=True, nogil=True)
def keep_best(
    value: FloatArray,
    of_class: IntArray,
    kind: NumberArray,
    even_losses: BoolArray,
    start: IntArray,
    action: CodeArray,
    kept: ValueArray,
) -> int:
    """Best action of each kind for each debtor into OUT `action` and `kept`, their ranges into OUT `start` (n + 1,).

    `value` (n, A); `kind` (K, A) numbers what is used alike, 0 for nothing at all. What gains no more than an action that uses
    nothing is left out; `none` is one unless losses count too, since a minimum may want them.
    """
    filled = 0
    width = kind.max() + 1 if kind.size else 1
    best = np.empty(width, dtype=np.float64)
    holder = np.empty(width, dtype=np.int64)
    for debtor in range(len(of_class)):
        kinds, row = kind[of_class[debtor]], value[debtor]
        best[:] = -np.inf
        holder[:] = -1
        for one in range(1, len(row)):
            if row[one] > best[kinds[one]]:
                best[kinds[one]], holder[kinds[one]] = row[one], one
        least = -np.inf if even_losses[debtor] else 0.0
        free = max(least, best[0])
        for one in range(1, len(row)):
            mine = kinds[one]
            if holder[mine] == one and (row[one] > free if mine else row[one] > least):
                action[filled], kept[filled] = one, row[one]
                filled += 1
        start[debtor + 1] = filled
    return filled


@njit(cache=True, nogil=True)
def total_at(
    part: Part,
    priced: Priced,
    low: int,
    high: int,
    temperature: float,
    count: FloatArray,
    spent: FloatArray,
    covered: FloatArray,
) -> float:
    """Sum over debtors `low` to `high` of what the best action is worth at prices, `none` 0; smoothed by a temperature above 0.

    Adds contacts and their cost by class and action to IN/OUT `count`, `spent` (K, A), contacts by creditor to `covered` (Q,).
    """
    start, action, value, of_class, channel, cost, creditor_start, creditor = part
    fixed, rate, bonus = priced
    net = np.empty(len(channel), dtype=np.float64)
    costly, total = len(cost) > 0, 0.0
    for debtor in range(low, high):
        begin, end, k = start[debtor], start[debtor + 1], of_class[debtor]
        extra, top, at = 0.0, 0.0, -1
        for place in range(creditor_start[debtor], creditor_start[debtor + 1]):
            extra += bonus[creditor[place]]
        for c in range(begin, end):
            a = action[c]
            one = value[c] - fixed[k, a] + extra
            if costly:
                one -= cost[debtor, channel[a]] * rate[k, a]
            net[c - begin] = one
            if one > top:
                top, at = one, c
        total += top
        contact = 0.0
        if temperature > 0.0:
            weight = np.exp(-top / temperature)
            for c in range(begin, end):
                behind = (net[c - begin] - top) / temperature
                net[c - begin] = np.exp(behind) if behind > -FAR else 0.0
                weight += net[c - begin]
            total += temperature * np.log(weight)
            for c in range(begin, end):
                if net[c - begin] > 0.0:
                    share, a = net[c - begin] / weight, action[c]
                    contact += share
                    count[k, a] += share
                    if costly:
                        spent[k, a] += share * cost[debtor, channel[a]]
        elif at >= 0:
            contact, a = 1.0, action[at]
            count[k, a] += 1.0
            if costly:
                spent[k, a] += cost[debtor, channel[a]]
        for place in range(creditor_start[debtor], creditor_start[debtor + 1]):
            covered[creditor[place]] += contact
    return total


@njit(cache=True, nogil=True)
def best_at(part: Part, priced: Priced, best: IntArray, margin: FloatArray) -> None:
    """Candidate that is best at prices, -1 for `none`, and by how much it is ahead of the next, into OUT (n,) each."""
    start, action, value, of_class, channel, cost, creditor_start, creditor = part
    fixed, rate, bonus = priced
    costly = len(cost) > 0
    for debtor in range(len(start) - 1):
        k, extra, top, second, at = of_class[debtor], 0.0, 0.0, -np.inf, -1
        for place in range(creditor_start[debtor], creditor_start[debtor + 1]):
            extra += bonus[creditor[place]]
        for c in range(start[debtor], start[debtor + 1]):
            a = action[c]
            one = value[c] - fixed[k, a] + extra
            if costly:
                one -= cost[debtor, channel[a]] * rate[k, a]
            if one > top:
                second, top, at = top, one, c
            elif one > second:
                second = one
        best[debtor], margin[debtor] = at, top - second


@njit(cache=True, nogil=True)
def spread_at(part: Part, priced: Priced, temperature: float, uniform: FloatArray, choice: IntArray) -> None:
    """Candidate (-1: `none`) that each debtor gets with the chances of the smoothed maximum at `uniform` (n,), into OUT (n,)."""
    start, action, value, of_class, channel, cost, creditor_start, creditor = part
    fixed, rate, bonus = priced
    net = np.empty(len(channel), dtype=np.float64)
    costly = len(cost) > 0
    for debtor in range(len(start) - 1):
        begin, end, k, extra, top = start[debtor], start[debtor + 1], of_class[debtor], 0.0, 0.0
        for place in range(creditor_start[debtor], creditor_start[debtor + 1]):
            extra += bonus[creditor[place]]
        for c in range(begin, end):
            a = action[c]
            one = value[c] - fixed[k, a] + extra
            if costly:
                one -= cost[debtor, channel[a]] * rate[k, a]
            net[c - begin] = one
            top = max(top, one)
        none = np.exp(-top / temperature)
        weight = none
        for c in range(begin, end):
            net[c - begin] = np.exp((net[c - begin] - top) / temperature)
            weight += net[c - begin]
        reached, at, last = none, begin, -1
        while reached <= uniform[debtor] * weight and at < end:
            reached += net[at - begin]
            last = at
            at += 1
        choice[debtor] = last


@njit(cache=True, nogil=True)
def behind_at(part: Part, priced: Priced, debtors: IntArray, start_of: IntArray, behind: FloatArray) -> None:
    """How far each candidate of some debtors is behind the best of its debtor at prices, into OUT `behind`, from `start_of` on."""
    start, action, value, of_class, channel, cost, creditor_start, creditor = part
    fixed, rate, bonus = priced
    costly = len(cost) > 0
    for number in range(len(debtors)):
        debtor, out = debtors[number], start_of[number]
        k, extra, top = of_class[debtor], 0.0, 0.0
        begin, end = start[debtor], start[debtor + 1]
        for place in range(creditor_start[debtor], creditor_start[debtor + 1]):
            extra += bonus[creditor[place]]
        for c in range(begin, end):
            a = action[c]
            one = value[c] - fixed[k, a] + extra
            if costly:
                one -= cost[debtor, channel[a]] * rate[k, a]
            behind[out + c - begin] = one
            top = max(top, one)
        for c in range(begin, end):
            behind[out + c - begin] = top - behind[out + c - begin]


@njit(cache=True, nogil=True)
def _fits(needs: Needs, row: int, budget: int, cost: float, room: FloatArray) -> bool:
    """Whether a contact fits into `room` (R,)."""
    for place in range(needs.start[row], needs.start[row + 1]):
        if needs.amount[place] > room[needs.resource[place]]:
            return False
    return budget < 0 or cost <= room[budget]


@njit(cache=True, nogil=True)
def _use(needs: Needs, row: int, budget: int, cost: float, sign: float, room: FloatArray) -> None:
    """Take a contact out of IN/OUT `room` (R,), or give it back with a negative sign."""
    for place in range(needs.start[row], needs.start[row + 1]):
        room[needs.resource[place]] -= sign * needs.amount[place]
    if budget >= 0:
        room[budget] -= sign * cost


@njit(cache=True, nogil=True)
def place_all(
    part: Part, priced: Priced, needs: Needs, order: IntArray, room: FloatArray, choice: IntArray, start_with: IntArray
) -> None:
    """Give each debtor, in `order`, what fits into IN/OUT `room` (R,) and is best at prices; candidates into OUT `choice` (n,).

    The candidate in `start_with` (n,) is taken where it fits; -2 there asks for the best, -1 is `none`.
    """
    start, action, value, of_class, channel, cost, creditor_start, creditor = part
    fixed, rate, bonus = priced
    costly, width = len(cost) > 0, len(channel)
    net = np.empty(width, dtype=np.float64)
    for debtor in order:
        begin, end, k, extra = start[debtor], start[debtor + 1], of_class[debtor], 0.0
        for place in range(creditor_start[debtor], creditor_start[debtor + 1]):
            extra += bonus[creditor[place]]
        for c in range(begin, end):
            a = action[c]
            one = value[c] - fixed[k, a] + extra
            if costly:
                one -= cost[debtor, channel[a]] * rate[k, a]
            net[c - begin] = np.inf if c == start_with[debtor] else one
        choice[debtor] = -1
        while start_with[debtor] != -1:
            at, top = -1, 0.0
            for c in range(begin, end):
                if net[c - begin] > top:
                    at, top = c, net[c - begin]
            if at < 0:
                break
            a = action[at]
            pays = cost[debtor, channel[a]] if costly else 0.0
            if _fits(needs, k * width + a, needs.budget[k, a], pays, room):
                _use(needs, k * width + a, needs.budget[k, a], pays, 1.0, room)
                choice[debtor] = at
                break
            net[at - begin] = -np.inf


@njit(cache=True, nogil=True)
def move_all(
    part: Part,
    priced: Priced,
    needs: Needs,
    order: IntArray,
    room: FloatArray,
    surplus: FloatArray,
    short_eur: float,
    choice: IntArray,
    gain: FloatArray,
    only_look: int,
) -> int:
    """Move each debtor, in `order`, to what fits and brings in more, that which loses least at prices; how many moved or could.

    Parameters
    ----------
    room, surplus
        What is left of each resource, and contacts of each creditor over its minimum, IN/OUT (R,) and (Q,).
    short_eur
        What a contact below a minimum costs.
    choice, gain
        Candidate of each debtor, IN/OUT, and what its best move gains at prices, -inf without one, OUT, (n,) each.
    only_look
        1: nobody is moved; 0: they are.
    """
    start, action, value, of_class, channel, cost, creditor_start, creditor = part
    fixed, rate, bonus = priced
    costly, width, moved = len(cost) > 0, len(channel), 0
    for debtor in order:
        begin, end, k, now = start[debtor], start[debtor + 1], of_class[debtor], choice[debtor]
        gain[debtor] = -np.inf
        if begin == end:
            continue
        extra, joining, leaving = 0.0, 0.0, 0.0
        for place in range(creditor_start[debtor], creditor_start[debtor + 1]):
            extra += bonus[creditor[place]]
            joining += short_eur if surplus[creditor[place]] < 0.0 else 0.0
            leaving += short_eur if surplus[creditor[place]] <= 0.0 else 0.0
        mine, net_now, a_now, paid = 0.0, 0.0, 0, 0.0
        if now >= 0:
            a_now = action[now]
            paid = cost[debtor, channel[a_now]] if costly else 0.0
            mine, net_now = value[now] + leaving, value[now] - fixed[k, a_now] - paid * rate[k, a_now] + extra
            joining = leaving
            _use(needs, k * width + a_now, needs.budget[k, a_now], paid, -1.0, room)
        at, top = -2, -np.inf
        if now >= 0 and mine < -GAIN_EUR:
            at, top = -1, -net_now
        for c in range(begin, end):
            if c == now or value[c] + joining - mine <= GAIN_EUR:
                continue
            a = action[c]
            pays = cost[debtor, channel[a]] if costly else 0.0
            one = value[c] - fixed[k, a] - pays * rate[k, a] + extra - net_now
            if one > top and _fits(needs, k * width + a, needs.budget[k, a], pays, room):
                at, top = c, one
        gain[debtor] = top
        if at > -2:
            moved += 1
        then = at if at > -2 and only_look == 0 else now
        if then >= 0:
            a = action[then]
            pays = cost[debtor, channel[a]] if costly else 0.0
            _use(needs, k * width + a, needs.budget[k, a], pays, 1.0, room)
        change = (1.0 if then >= 0 else 0.0) - (1.0 if now >= 0 else 0.0)
        for place in range(creditor_start[debtor], creditor_start[debtor + 1]):
            surplus[creditor[place]] += change
        choice[debtor] = then
    return moved


@njit(cache=True, nogil=True)
def use_of(
    part: Part, choice: IntArray, rows: IntArray, count: FloatArray, spent: FloatArray, covered: FloatArray
) -> float:
    """Value of some debtors' candidates; adds contacts and cost to IN/OUT `count`, `spent` (K, A), contacts to `covered` (Q,)."""
    _, action, value, of_class, channel, cost, creditor_start, creditor = part
    total = 0.0
    for debtor in rows:
        c = choice[debtor]
        if c >= 0:
            a, k = action[c], of_class[debtor]
            total += value[c]
            count[k, a] += 1.0
            if len(cost) > 0:
                spent[k, a] += cost[debtor, channel[a]]
            for place in range(creditor_start[debtor], creditor_start[debtor + 1]):
                covered[creditor[place]] += 1.0
    return total
