"""What the kernels do, once more as plain loops."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from models.capacity.problem import Problem


def kept(value: np.ndarray, kinds: np.ndarray, *, even_losses: bool) -> list[int]:
    """Actions of one debtor that `keep_best` keeps; `kinds` (A,)."""
    best: dict[int, int] = {}
    for action in range(1, len(value)):
        kind = int(kinds[action])
        if value[action] > -math.inf and (kind not in best or value[action] > value[best[kind]]):
            best[kind] = action
    free = value[best[0]] if 0 in best else -math.inf
    least = -math.inf if even_losses else 0.0
    return sorted(
        action for kind, action in best.items() if (value[action] > max(free, least) if kind else value[action] > least)
    )


def uses(problem: Problem, debtor: int, candidate: int) -> dict[int, float]:
    """What a candidate uses, by place of the resource."""
    given, usage = problem.candidates, problem.usage
    action, k = int(given.action[candidate]), int(given.of_class[debtor])
    row = usage.amount[[k * usage.budget.shape[1] + action]].toarray()[0]
    found = {place: float(amount) for place, amount in enumerate(row) if amount}
    if usage.budget[k, action] >= 0:
        budget = int(usage.budget[k, action])
        found[budget] = found.get(budget, 0.0) + float(given.cost[debtor, given.channel[action]])
    return found


def reaches(problem: Problem, debtor: int) -> list[int]:
    """Creditors that a contact of a debtor covers."""
    given = problem.candidates
    return given.creditor[given.creditor_start[debtor] : given.creditor_start[debtor + 1]].tolist()


def nets(problem: Problem, prices: np.ndarray, debtor: int) -> dict[int, float]:
    """What each candidate of a debtor is worth after prices; -1 is `none`."""
    given, found = problem.candidates, {-1: 0.0}
    for candidate in range(given.start[debtor], given.start[debtor + 1]):
        paid = sum(prices[place] * amount for place, amount in uses(problem, debtor, candidate).items())
        bonus = sum(prices[len(problem.names) + creditor] for creditor in reaches(problem, debtor))
        found[candidate] = float(given.value[candidate]) - paid + bonus
    return found


def dual(problem: Problem, prices: np.ndarray, temperature: float) -> tuple[float, np.ndarray]:
    """The bound and its slope."""
    offered = np.concatenate([problem.room, -problem.wanted])
    value, slope = float(offered @ prices), offered.copy()
    for debtor in range(len(problem.candidates)):
        net = nets(problem, prices, debtor)
        top = max(net.values())
        if temperature:
            weight = {one: math.exp((amount - top) / temperature) for one, amount in net.items()}
            whole = sum(weight.values())
            value += top + temperature * math.log(whole)
            share = {one: part / whole for one, part in weight.items()}
        else:
            value += top
            share = {next(one for one in net if net[one] == top): 1.0}
        for one, part in share.items():
            if one >= 0:
                for place, amount in uses(problem, debtor, one).items():
                    slope[place] -= part * amount
                for creditor in reaches(problem, debtor):
                    slope[len(problem.names) + creditor] += part
    return value, slope


def best(problem: Problem, prices: np.ndarray, debtor: int) -> tuple[int, float]:
    """Best candidate of a debtor and its lead."""
    net = nets(problem, prices, debtor)
    order = sorted(net, key=lambda one: -net[one])
    return order[0], net[order[0]] - net[order[1]] if len(order) > 1 else math.inf


def spread(problem: Problem, prices: np.ndarray, debtor: int, *, temperature: float, uniform: float) -> int:
    """The candidate at a place of the smoothed chances, `none` first."""
    net = nets(problem, prices, debtor)
    top = max(net.values())
    weight = [math.exp((amount - top) / temperature) for amount in net.values()]
    reached = np.cumsum(weight)
    return list(net)[int(np.searchsorted(reached, uniform * sum(weight), side="right"))]


def placed(
    problem: Problem, prices: np.ndarray, order: np.ndarray, room: np.ndarray, start_with: np.ndarray
) -> np.ndarray:
    """`place_all`; takes out of `room`."""
    choice = np.full(len(problem.candidates), -1)
    for debtor in order.tolist():
        net = nets(problem, prices, debtor)
        asked = int(start_with[debtor])
        ranked = sorted((one for one in net if one >= 0 and net[one] > 0), key=lambda one: -net[one])
        if asked >= 0:
            ranked = [asked, *(one for one in ranked if one != asked)]
        for one in ranked if asked != -1 else []:
            wants = uses(problem, debtor, one)
            if all(amount <= room[place] for place, amount in wants.items()):
                for place, amount in wants.items():
                    room[place] -= amount
                choice[debtor] = one
                break
    return choice


def move(
    problem: Problem, prices: np.ndarray, choice: np.ndarray, debtor: int, left: tuple[np.ndarray, np.ndarray]
) -> int | None:
    """Where `move_all` would move one debtor; None where it stays. `left`: room and surplus."""
    room, surplus = left[0].copy(), left[1]
    net, now = nets(problem, prices, debtor), int(choice[debtor])
    given = problem.candidates

    def worth(one: int) -> float:
        """Value, with what the minimums of the debtor's creditors put on any contact."""
        if one < 0:
            return 0.0
        edge = 0.0 if now >= 0 else -0.5
        below = sum(surplus[creditor] <= edge for creditor in reaches(problem, debtor))
        return float(given.value[one]) + problem.short_eur * below

    if now >= 0:
        for place, amount in uses(problem, debtor, now).items():
            room[place] += amount
    better = [
        one
        for one in net
        if one != now
        and worth(one) - worth(now) > 1e-9
        and (one < 0 or all(amount <= room[place] for place, amount in uses(problem, debtor, one).items()))
    ]
    return max(better, key=lambda one: net[one]) if better else None


def consecutive(start: np.ndarray) -> list[range]:
    """Ranges between starts."""
    return [range(low, high) for low, high in pairwise(start.tolist())]
