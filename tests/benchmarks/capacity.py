"""The portfolio decided under limits: how near to the best, how long, how much memory; and beside it, who comes first is served.

    make bench-capacity        small, then 10,000, 100,000 and 1,300,000 debtors (20 minutes), processor seconds

Portfolios and limits are drawn by `tests/models/capacity/limited_world.py`: four kinds of values (heavy tailed amounts, many equal
debtors, channels that go together, nothing that does), ten kinds of limits. No setting of the method was fitted to them.

small
    Against the best whole choice over every action of the grid, as HiGHS proves it: value over the bound that it proved. `over`
    counts limits exceeded, `short` instances with more contacts below a creditor's minimum than must be.
medium
    Some hundred debtors on a grid of 151 actions against the linear relaxation by HiGHS, which no whole choice exceeds.
large
    295 actions and limits by day, hour, budget and inbound with minimums together, against the bound of our own prices. `top score
    first` gives the debtor with the most valuable action its best that fits, then the next; `first come` goes by row.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from data.action_grid import ActionGrid
from data.capacity_settings import CapacitySettings
from models.capacity import Candidates, reduce, solve
from models.capacity._kernels import place_all
from models.capacity.problem import Problem, problem_of, slack
from models.capacity.shards import joined
from tests.models.capacity.limited_world import (
    CREDITORS,
    LIMITS,
    SMALL,
    VALUES,
    World,
    best,
    missing,
    usage_of,
    values_of,
    violations,
    world,
)

MIDDLE = ActionGrid(("none", "sms", "digital_mailbox", "letter", "phone", "email"), 5, (8, 10, 12, 14, 16, 18))
WHOLE = ActionGrid(
    ("none", "sms", "email", "digital_mailbox", "letter", "phone", "portal"), 7, (8, 10, 12, 14, 16, 18, 20)
)
SHARD = 6_000


@dataclass(frozen=True)
class Held:
    """One instance held against the best there is."""

    share: float
    seconds: float
    over: int
    short: bool


def candidates_of(given: World) -> Candidates:
    """Reduced candidates of a world."""
    return reduce(
        given.value, grid=given.grid, slots=given.slots, settings=given.settings, cost_eur=given.cost,
        coverage=given.coverage,
    )  # fmt: skip


def held(given: World, *, whole: bool) -> Held:
    """Ours against HiGHS on one instance."""
    begin = time.process_time()
    found = solve([candidates_of(given)], settings=given.settings)
    seconds = time.process_time() - begin
    action = found.action.astype(np.int64)
    top = best(given, whole=whole, seconds=30.0)
    value = float(given.value[np.arange(given.size), action].sum())
    share = value / top.bound if top.bound > 1e-9 else 1.0
    short = missing(given, usage_of(given, action)) > np.ceil(top.short - 1e-6) + 1e-6
    return Held(share, seconds, len(violations(given, action)), short)


def print_small(title: str, sizes: Sequence[int], seeds: int, *, grid: ActionGrid, whole: bool) -> None:
    """One row for each kind of limits, over values, sizes and seeds."""
    print(f"\n{title}")
    print("| limits | instances | least | median | over | short | median s | longest s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for limits in LIMITS:
        asked = product(VALUES, sizes, range(seeds))
        every = [
            held(world(values, limits, 1_000 + seed, size=size, grid=grid), whole=whole) for values, size, seed in asked
        ]
        share, seconds = np.array([one.share for one in every]), np.array([one.seconds for one in every])
        over, short = sum(one.over for one in every), sum(one.short for one in every)
        print(
            f"| {limits} | {len(every)} | {share.min():.4f} | {np.median(share):.4f} | {over} | {short} "
            f"| {np.median(seconds):.3f} | {seconds.max():.2f} |",
            flush=True,
        )


def night_settings(size: int, *, tightness: float) -> CapacitySettings:
    """Limits of every kind, in proportion to the debtors."""
    part = tightness * size
    return CapacitySettings(
        per_day={"phone": int(0.02 * part), "letter": int(0.03 * part), "sms": int(0.1 * part)},
        per_hour={"phone": int(0.004 * part), "sms": int(0.03 * part)},
        budget_eur_per_day=0.06 * part,
        inbound_per_hour=0.004 * part,
        inbound_per_day=0.02 * part,
        creditor_minimum={CREDITORS[0]: int(0.1 * part), CREDITORS[1]: int(0.01 * part)},
        time_zone="Europe/Stockholm",
    )


def night(values: str, size: int, settings: CapacitySettings) -> tuple[list[Candidates], float]:
    """Shards of candidates, and the seconds it took to reduce them; values are made and forgotten shard by shard."""
    shards, seconds = [], 0.0
    for number, low in enumerate(range(0, size, SHARD)):
        one = world(values, "day", number, size=min(SHARD, size - low), grid=WHOLE)
        mine = values_of(values, np.random.default_rng([7, number]), size=one.size, grid=WHOLE)
        begin = time.process_time()
        shards.append(candidates_of(replace(one, value=mine, settings=settings)))
        seconds += time.process_time() - begin
    return shards, seconds


def served(problem: Problem, order: np.ndarray) -> float:
    """Value where each debtor in order takes the best that fits, without prices."""
    choice, ask = np.full(len(order), -1, dtype=np.int64), np.full(len(order), -2, dtype=np.int64)
    free = problem.priced(np.zeros(len(problem.room) + len(problem.wanted)))
    place_all(problem.candidates.part, free, problem.needs, order, slack(problem.room), choice, ask)
    return problem.standing(choice)[1]


def print_large(values: str, size: int, tightness: float, *, rounds: int) -> None:
    """One row: ours against its bound, the naive ways beside it."""
    settings = night_settings(size, tightness=tightness)
    shards, reducing = night(values, size, settings)
    count, memory = sum(len(one.action) for one in shards), sum(one.size_bytes for one in shards)
    solving = []
    for _ in range(rounds):
        begin = time.process_time()
        found = solve(shards, settings=settings)
        solving.append(time.process_time() - begin)
    over = sum(
        one.used > one.limit * (1 + 1e-8) + 1e-8 for one in found.resources if not one.name.startswith("creditor:")
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    problem = problem_of(joined(shards)[0], settings=settings, taken={})
    top = np.zeros(size)
    np.maximum.at(top, np.repeat(np.arange(size), np.diff(problem.candidates.start)), problem.candidates.value)
    naive = [served(problem, order) / found.bound_eur for order in (np.argsort(-top, kind="stable"), np.arange(size))]
    short = sum(one.short for one in found.resources)
    bound = sum(one.binding for one in found.resources)
    print(
        f"| {size:,} | {values} | {tightness:g} | {count / size:.0f} | {memory / 2**20:,.0f} | {reducing:.1f} "
        f"| {np.median(solving):.1f} | {found.share:.5f} | {over} | {short:.0f} | {bound} of {len(found.resources)} "
        f"| {found.displaced.mean():.4f} | {naive[0]:.3f} | {naive[1]:.3f} | {peak:.1f} |",
        flush=True,
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="instances of each kind")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000, 1_300_000])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, one thread")
    candidates_of(world("heavy", "day", 1))
    solve([candidates_of(world("heavy", "together", 1))], settings=world("heavy", "together", 1).settings)
    if given.seeds:
        print_small("small: 10, 50 and 120 debtors", (10, 50, 120), given.seeds, grid=SMALL, whole=True)
        print_small("medium: 400 debtors", (400,), max(given.seeds // 5, 1), grid=MIDDLE, whole=False)
    print("\nlarge: 295 actions, limits of every kind")
    print(
        "| debtors | values | tightness | candidates each | MB | reducing s | solving s | value / bound | over | short "
        "| limits with a price | displaced | top score first | first come | peak GB |"
    )
    print("|" + " --- |" * 15)
    for size in given.sizes:
        kinds = product(VALUES, (1.0, 0.1)) if size < 1_000_000 else [("heavy", 1.0)]
        for values, tightness in kinds:
            print_large(values, size, tightness, rounds=given.rounds if size < 1_000_000 else 1)


if __name__ == "__main__":
    main()
