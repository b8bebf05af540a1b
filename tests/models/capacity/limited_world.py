"""Made-up portfolios under limits, and the best that can be done with them, by HiGHS over every action of the grid.

Nothing of how `models.capacity` counts stands here: limits are written down a second time, action by action.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from scipy import optimize, sparse

from data.action_grid import ActionGrid, Slots
from data.capacity_settings import CapacitySettings
from data.times import HOUR_US, from_us
from models.capacity.quiet import quiet
from models.capacity.usage import Coverage

SMALL = ActionGrid(("none", "sms", "letter", "phone"), 2, (8, 12, 16))
DAY = 20_514  # 2026-03-02
CREDITORS = ("c1", "c2", "c3")
VALUES = ("heavy", "ties", "correlated", "unrelated")
LIMITS = ("day", "hour", "budget", "inbound", "together", "minimum", "infeasible", "zero", "loose", "tight")


@dataclass(frozen=True)
class World:
    """Debtors, what every action is worth to them, and the limits."""

    value: np.ndarray
    cost: np.ndarray
    grid: ActionGrid
    slots: Slots
    coverage: Coverage
    settings: CapacitySettings
    taken: dict[str, float] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.value)


def slots_of(grid: ActionGrid, of_class: np.ndarray, *, classes: int = 2) -> Slots:
    """Classes whose clocks are an hour apart each."""
    one = np.where(grid.day < 0, 0, (DAY + grid.day.astype(np.int64)) * 24 + grid.hour) * HOUR_US
    send = np.stack([one - number * HOUR_US for number in range(classes)])
    send[:, 0] = -1
    return Slots(of_class, tuple(f"zone{number}" for number in range(classes)), np.full(classes, DAY), send)


def values_of(kind: str, rng: np.random.Generator, *, size: int, grid: ActionGrid) -> np.ndarray:
    """What each action is worth over `none`, (n, A); a tenth is barred."""
    channels = len(grid.channels)
    worth = rng.lognormal(4.0, 1.6, size) if kind == "heavy" else rng.uniform(20, 400, size)
    if kind == "ties":
        kinds = rng.integers(0, 3, size)
        table = np.round(rng.uniform(-2, 12, (3, grid.size)))
        table[:, 0] = 0
        return table[kinds]
    if kind == "unrelated":
        value = rng.normal(1.0, 4.0, (size, grid.size))
    else:
        lift = rng.gamma(1.5, 0.01, (size, 1)) * rng.uniform(0.3, 2.0, channels)[None, :]
        lift *= rng.uniform(0.2 if kind == "heavy" else 0.8, 1.2, (size, channels))
        hour = 1 + 0.2 * np.sin(grid.hour / 4 + rng.uniform(0, 6, (size, 1))) - 0.03 * grid.day
        value = worth[:, None] * lift[:, grid.channel] * hour - 0.2 * grid.channel
    value[rng.random(value.shape) < 0.1] = -np.inf
    value[:, 0] = 0
    return value


def settings_of(kind: str, rng: np.random.Generator, *, size: int, grid: ActionGrid) -> CapacitySettings:
    """Limits in proportion to the number of debtors alone."""
    share = {"loose": 2.0, "tight": 0.01, "zero": 0.0}.get(kind, float(rng.uniform(0.05, 0.4)))
    through = [name for name in grid.channels[1:] if rng.random() < 0.8] or [grid.channels[1]]
    count = max(0 if kind == "zero" else 1, round(share * size))
    day = dict.fromkeys(through, count)
    hour = {name: max(1, count // 2) for name in through}
    inbound = {"inbound_per_hour": max(0.5, 0.03 * share * size), "inbound_per_day": 0.1 * share * size + 0.5}
    if kind in ("day", "loose", "tight", "zero"):
        return CapacitySettings(per_day=day)
    if kind == "hour":
        return CapacitySettings(per_hour=hour)
    if kind == "budget":
        return CapacitySettings(budget_eur_per_day=0.3 * share * size + 1)
    if kind == "inbound":
        return CapacitySettings(**inbound)
    if kind == "together":
        return CapacitySettings(day, hour, 0.5 * share * size + 1, **inbound)
    wanted = {name: int(size * (2.0 if kind == "infeasible" else rng.uniform(0.02, 0.1))) for name in CREDITORS[:2]}
    return CapacitySettings(per_day=dict.fromkeys(grid.channels[1:], count), creditor_minimum=wanted)


def world(values: str, limits: str, seed: int, *, size: int = 50, grid: ActionGrid = SMALL, zone: str = "UTC") -> World:
    """A portfolio of so many debtors; the same for the same arguments."""
    rng = np.random.default_rng([VALUES.index(values), LIMITS.index(limits), seed, size])
    of_class = rng.integers(0, 2, size)
    unit = np.array([0.0, 0.07, 0.35, 1.75, 2.5, 0.5, 0.1])[: len(grid.channels)]
    cost = np.tile(unit, (size, 1))
    cost[:, -1] *= rng.uniform(0.5, 1.5, size)
    claims = rng.integers(0, size, 2 * size)
    coverage = Coverage(claims, np.array(rng.choice(CREDITORS, 2 * size), dtype=object))
    settings = replace(settings_of(limits, rng, size=size, grid=grid), time_zone=zone)
    value = values_of(values, rng, size=size, grid=grid)
    return World(value, cost, grid, slots_of(grid, of_class), coverage, settings)


def amounts(given: World, debtor: int, action: int) -> dict[str, float]:
    """What one contact uses, by name, from the settings' words."""
    settings, name = given.settings, given.grid.channels[given.grid.channel[action]]
    sent = from_us(int(given.slots.send_us[given.slots.of_debtor[debtor], action]))
    found: dict[str, float] = defaultdict(float)

    def clock(moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(settings.time_zone))

    if name in settings.per_day:
        found[f"{name}@{clock(sent):%Y-%m-%d}"] = 1
    if name in settings.per_hour:
        found[f"{name}@{clock(sent):%Y-%m-%dT%H}"] = 1
    if settings.budget_eur_per_day:
        found[f"budget@{clock(sent):%Y-%m-%d}"] = given.cost[debtor, given.grid.channel[action]]
    for later in range(settings.inbound_hours):
        share = settings.inbound_share.get(name, 0) / settings.inbound_hours
        then = clock(sent + timedelta(hours=later))
        if share and settings.inbound_per_hour:
            found[f"inbound@{then:%Y-%m-%dT%H}"] += share
        if share and settings.inbound_per_day:
            found[f"inbound@{then:%Y-%m-%d}"] += share
    return found


def left_of(given: World, name: str) -> float:
    """What is left of a limit."""
    settings, (kind, _, when) = given.settings, name.partition("@")
    hourly = "T" in when
    table = settings.per_hour if hourly else settings.per_day
    inbound = settings.inbound_per_hour if hourly else settings.inbound_per_day
    limit = {"budget": settings.budget_eur_per_day, "inbound": inbound}.get(kind, table.get(kind, 0))
    return max(limit - given.taken.get(name, 0.0), 0.0)


def usage_of(given: World, action: np.ndarray) -> dict[str, float]:
    """What actions use in sum, creditors reached included."""
    total: dict[str, float] = defaultdict(float)
    for debtor in np.flatnonzero(action):
        for name, amount in amounts(given, int(debtor), int(action[debtor])).items():
            total[name] += amount
    pairs = set(zip(given.coverage.debtor.tolist(), given.coverage.creditor_id.tolist(), strict=True))
    for debtor, creditor in pairs:
        if action[debtor]:
            total[f"creditor:{creditor}"] += 1
    return total


def missing(given: World, used: dict[str, float]) -> float:
    """Contacts below minimums."""
    wanted = given.settings.creditor_minimum.items()
    return sum(max(count - used.get(f"creditor:{name}", 0.0), 0.0) for name, count in wanted)


def violations(given: World, action: np.ndarray) -> list[str]:
    """Limits that actions exceed, and actions that are barred."""
    used = usage_of(given, action)
    barred = [f"action {a} of {i}" for i, a in enumerate(action) if not np.isfinite(given.value[i, a])]
    limits = [name for name in used if not name.startswith("creditor:")]
    return barred + [name for name in limits if used[name] > left_of(given, name) * (1 + 1e-8) + 1e-8]


@dataclass(frozen=True)
class Best:
    """The best there is: contacts below minimums, value, the bound HiGHS proved, and prices of limits (not whole only)."""

    short: float
    value: float
    bound: float
    price: dict[str, float]


def best(given: World, *, whole: bool = True, seconds: float = 60.0) -> Best:
    """Fewest below minimums first, then most value; by HiGHS, over all actions."""
    cells = [(i, a) for i in range(given.size) for a in range(1, given.grid.size) if np.isfinite(given.value[i, a])]
    names: dict[str, int] = {}
    entries: list[tuple[int, int, float]] = []
    for column, (debtor, action) in enumerate(cells):
        for name, amount in amounts(given, debtor, action).items():
            entries.append((names.setdefault(name, len(names)), column, amount))
    minimums = dict(sorted(given.settings.creditor_minimum.items()))
    pairs = set(zip(given.coverage.debtor.tolist(), given.coverage.creditor_id.tolist(), strict=True))
    limits, debtors = len(names), given.size
    for column, (debtor, _) in enumerate(cells):
        entries.append((limits + debtor, column, 1.0))
        for number, creditor in enumerate(minimums):
            if (debtor, creditor) in pairs:
                entries.append((limits + debtors + number, column, -1.0))
    entries += [(limits + debtors + number, len(cells) + number, -1.0) for number in range(len(minimums))]
    row, column, amount = (np.array(one) for one in zip(*entries, strict=True))
    matrix = sparse.csr_array(
        (amount, (row, column)), shape=(limits + debtors + len(minimums), len(cells) + len(minimums))
    )
    wanted = [max(count - given.taken.get(f"creditor:{name}", 0.0), 0.0) for name, count in minimums.items()]
    side = np.array([*(left_of(given, name) for name in names), *np.ones(debtors), *(-one for one in wanted)])
    value = np.array([given.value[cell] for cell in cells])
    # Only limits per day stand beside minimums here: one contact displaces one other, which is worth less than this.
    dear = 4.0 * float(np.abs(value).max() + 1.0)
    cost = np.concatenate([-value, np.full(len(minimums), dear)])
    found = _solved(cost, matrix, side, whole=len(cells) if whole else 0, seconds=seconds)
    short = float(found.x[len(cells) :].sum())
    bound = -found.mip_dual_bound if whole else -found.fun
    price = {} if whole else {name: -found.ineqlin.marginals[number] for name, number in names.items()}
    return Best(short, -found.fun + dear * short, bound + dear * short, price)


def _solved(
    cost: np.ndarray, matrix: sparse.csr_array, side: np.ndarray, *, whole: int, seconds: float
) -> optimize.OptimizeResult:
    most = np.ones(len(cost))
    most[whole or len(cost) :] = np.inf
    if not whole:
        return optimize.linprog(cost, A_ub=matrix, b_ub=side, bounds=(0, None), method="highs")
    kinds = np.array([1] * whole + [0] * (len(cost) - whole))
    with quiet():
        return optimize.milp(
            cost,
            constraints=optimize.LinearConstraint(matrix, -np.inf, side),
            integrality=kinds,
            bounds=optimize.Bounds(0, most),
            options={"time_limit": seconds, "mip_rel_gap": 1e-5},
        )
