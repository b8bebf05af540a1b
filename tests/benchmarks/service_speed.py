"""Decisions a second over HTTP, against an empty FastAPI endpoint, the same service on LightGBM's own prediction, and MLflow's server.

    make bench-service        simulates 10,000 debtors and learns the champion the first time (10 minutes), then half an hour

A decision is a new one each time (`replace`), for a debtor with seven open claims: the whole grid of six channels, a week and seven
hours, 200 trees with 31 leaves, features from live state, rules, and a durable log (SQLite, synchronous FULL). The empty endpoint is
FastAPI as its manual has it, with the same request model, the same question who is calling and the same server. All servers run side
by side and are asked in turns, each round: 16 connections in closed loop for the most that it answers, then requests at random moments
at half of that for latencies, counted from when each was due. Ratios are medians of the rounds' ratios. The load comes from a process
of its own, whose share of a processor is told. `booster` is the same service, its grid expanded and scored by `Booster.predict`;
`mlflow` is `mlflow models serve` asked for the same grid of one debtor, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import service_parts
from service_load import Met
from service_servers import NotStarted, Server, mlflow_body, start, start_mlflow
from service_world import CLAIMS, LEAVES, TREES, NotAsAsked, asked_in, make_world

CONNECTIONS, MLFLOW_CONNECTIONS = 16, 4
ASKED = {"empty": 0.20, "p99": 4.0, "booster": 6.0, "mlflow": 10.0}
"""Asked: a share of the empty endpoint's throughput at least, its p99 at most, times the others' at least."""


@dataclass(frozen=True)
class Way:
    """A contender: which server is asked, and how; `most_only` where latencies at half the load are not asked for."""

    name: str
    server: Server
    bodies: list[str]
    keyed: bool = False
    new: bool = False
    most_only: bool = False
    connections: int = CONNECTIONS


@dataclass(frozen=True)
class Round:
    """One contender in one round: a second's answers, latencies at half of it, the server's processor for each answer.

    `group` is how many decisions a transaction of the log held, under full load and at half.
    """

    per_s: float
    p50_us: float
    p99_us: float
    cpu_us: float
    own_share: float
    own_us: float
    group: tuple[float, float] = (np.nan, np.nan)


class Bench:
    """Servers that are asked in turns, and how many decisions each of them has acknowledged."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds
        self._first = 0
        self.acknowledged: dict[str, int] = {}
        self.degraded: dict[str, int] = {}

    def ask(self, way: Way, seconds: float, *, strict: bool = True, **more: float | None) -> tuple[Met, float]:
        """A load on a server; `strict`: what is not as it should be is an error.

        Raises
        ------
        NotAsAsked
            A request was refused, or answered with an earlier decision where a new one was asked for.
        """
        self._first += 1_000_003  # a key is never used twice, and debtors come in another order
        load = {"connections": way.connections, "first": self._first, "seed": self._first, "keyed": way.keyed, **more}
        met, cpu_s = way.server.ask(way.bodies, seconds, **load)
        name = way.server.name
        self.acknowledged[name] = self.acknowledged.get(name, 0) + met.answered - met.reused - met.degraded
        self.degraded[name] = self.degraded.get(name, 0) + met.degraded
        if strict and (met.failed or (way.new and met.reused)):
            raise NotAsAsked(f"{way.name}: {met.failed} refused, {met.reused} reused: {met.sample[-1][:300]}")
        if strict and way.new:
            check_sample(way, met)
        return met, cpu_s

    def warm(self, way: Way) -> None:
        """Asks until everything is compiled and known: until nothing is refused or answered with caution."""
        for _ in range(10):
            met, _ = self.ask(way, 1.0 if way.most_only else self._seconds, strict=False)
            if not met.failed and not met.degraded:
                return
        print(f"{way.name} is not warm: {met.failed} refused, {met.degraded} answered with caution", file=sys.stderr)

    def round(self, way: Way) -> Round:
        """Closed loop for the most there is, open loop at half of it."""
        at_first = self._transactions(way)
        most, cpu_s = self.ask(way, self._seconds, warm_s=self._seconds / 4)
        if way.most_only:
            return Round(most.per_s, np.nan, np.nan, cpu_s * 1e6, most.own_share, most.own_us)
        then = self._transactions(way)
        half, _ = self.ask(way, self._seconds, warm_s=self._seconds / 4, rate=most.per_s / 2)
        groups = tuple(np.divide(*(b - a)) for a, b in pairwise([at_first, then, self._transactions(way)]))
        return Round(most.per_s, half.p50_us, half.p99_us, cpu_s * 1e6, most.own_share, most.own_us, groups)

    def _transactions(self, way: Way) -> np.ndarray:
        """Decisions in the log, and transactions that hold them: decisions of one have their moment in common."""
        if not way.new:
            return np.full(2, np.nan)
        with sqlite3.connect(self._log(way.server.name), uri=True) as log:
            return np.array(log.execute("SELECT count(*), count(DISTINCT decided_at) FROM answers").fetchone(), float)

    def _log(self, name: str) -> str:
        return f"file:{self._folder / f'workspace-{name}' / 'decisions.db'}?mode=ro"

    def check_log(self, name: str) -> str:
        """One line on whether every acknowledged decision is in the log, and nothing else.

        Raises
        ------
        NotAsAsked
            One is missing, or one is there that nobody was told of.
        """
        with sqlite3.connect(self._log(name), uri=True) as log:
            found = int(log.execute("SELECT count(*) FROM answers").fetchone()[0])
        told, without = self.acknowledged[name], self.degraded[name]
        if not told <= found <= told + without:
            raise NotAsAsked(
                f"{name}: {told} decisions were acknowledged, {without} answers without, the log holds {found}"
            )
        return f"{name}: {told:,} decisions acknowledged, {found:,} in the log; {without:,} answers with caution, without it"


def check_sample(way: Way, met: Met) -> None:
    """Some answers are looked at: new decisions on seven claims.

    Raises
    ------
    NotAsAsked
        One is not.
    """
    for body in met.sample:
        told = json.loads(body)
        good = told["degraded"] or (told["decision_id"] and not told["reused"] and len(told["claims"]) == CLAIMS)
        if not good:
            raise NotAsAsked(f"{way.name}: expected a new decision on {CLAIMS} claims, came {body[:300]}")


def bodies_of(asked: Sequence[str], *, replace: bool) -> list[str]:
    """A request about each debtor."""
    return [json.dumps({"debtor_id": name, "replace": replace}) for name in asked]


def ways_of(folder: Path, servers: dict[str, Server]) -> list[Way]:
    """The contenders; the last two are asked of the service too."""
    asked = asked_in(folder)
    new, live = bodies_of(asked, replace=True), bodies_of(asked, replace=False)
    ways = [
        Way("empty", servers["empty"], new),
        Way("decide", servers["decide"], new, new=True),
        Way("booster", servers["booster"], new, new=True, most_only=True),
        Way("decide with a key", servers["decide"], new, new=True, keyed=True),
        Way("the live decision again", servers["decide"], live),
    ]
    if "mlflow" in servers:
        bodies = [mlflow_body(folder, asked[0])]
        ways.append(Way("mlflow", servers["mlflow"], bodies, most_only=True, connections=MLFLOW_CONNECTIONS))
    return ways


def started(folder: Path) -> dict[str, Server]:
    """All servers; MLflow's only where it can be started."""
    servers: dict[str, Server] = {}
    try:
        for name in ("empty", "decide", "booster"):
            servers[name] = start(name, folder)
    except NotStarted:
        stop(servers)
        raise
    try:
        servers["mlflow"] = start_mlflow(folder)
    except NotStarted as error:
        print(f"mlflow models serve cannot be started here: {error}", file=sys.stderr)
    return servers


def stop(servers: dict[str, Server]) -> None:
    """Ends what was started."""
    for one in servers.values():
        one.stop()


def show_machine(rounds: int, seconds: float) -> None:
    """What it ran on."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, load {load}, Python {platform.python_version()}"
    )
    print(
        f"{TREES} trees x {LEAVES} leaves, {CLAIMS} open claims, {CONNECTIONS} connections, {rounds} rounds of {seconds:.0f} s"
    )


def show_rounds(found: dict[str, list[Round]]) -> None:
    """The table of contenders."""
    print(
        "| contender | requests/s | of empty | p50 at half, ms | p99 at half, ms | p99 of empty's | server us a request | load's share |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, rounds in found.items():
        share, tail = ratio(found, name, "empty", "per_s"), ratio(found, name, "empty", "p99_us")
        cells = [f"{middle(rounds, 'per_s'):,.0f}", f"{share:.3f}", f"{middle(rounds, 'p50_us') / 1e3:.2f}"]
        cells += [f"{middle(rounds, 'p99_us') / 1e3:.2f}", f"{tail:.1f}", f"{middle(rounds, 'cpu_us'):,.0f}"]
        line = " | ".join([*cells, f"{middle(rounds, 'own_share'):.0%}"])
        print(f"| {name} | {line} |".replace("nan", "-"))


def show_load(found: dict[str, list[Round]]) -> None:
    """Whether the load itself could be the limit."""
    own_us = middle(found["empty"], "own_us")
    print(f"the load takes {own_us:.0f} us of a processor a request: it could ask for {1e6 / own_us:,.0f} a second")


def show_asked(found: dict[str, list[Round]]) -> None:
    """What is asked, and what there is."""
    print("| asked | at | found |")
    print("| --- | ---: | ---: |")
    print(
        f"| of the empty endpoint's throughput, at least (stretch .35) | {ASKED['empty']} | **{ratio(found, 'decide', 'empty', 'per_s'):.3f}** |"
    )
    print(
        f"| p99 of the empty endpoint's, each at half, at most | {ASKED['p99']} | **{ratio(found, 'decide', 'empty', 'p99_us'):.1f}** |"
    )
    for name in ("booster", "mlflow"):
        told = f"{ratio(found, 'decide', name, 'per_s'):.1f}" if name in found else "not measured"
        print(f"| times the throughput of {name}, at least | {ASKED[name]} | **{told}** |")


def middle(rounds: Sequence[Round], what: str) -> float:
    """The median over rounds."""
    return float(np.median([getattr(one, what) for one in rounds]))


def ratio(found: dict[str, list[Round]], name: str, other: str, what: str) -> float:
    """The median over the rounds' ratios."""
    pairs = zip(found[name], found[other], strict=True)
    return float(np.median([getattr(mine, what) / getattr(theirs, what) for mine, theirs in pairs]))


def show_groups(found: dict[str, list[Round]]) -> None:
    """How many decisions share a transaction."""
    for name in ("decide", "decide with a key"):
        full, half = np.median([one.group for one in found[name]], axis=0)
        print(f"{name}: {full:.1f} decisions a transaction of the log under full load, {half:.1f} at half of it")


def show_alone(bench: Bench, ways: Sequence[Way], seconds: float) -> None:
    """Latencies of one connection that asks again and again."""
    for way in ways:
        if not way.most_only:
            met, _ = bench.ask(way, seconds, warm_s=0.5, connections=1)
            print(f"{way.name}, one connection: p50 {met.p50_us / 1e3:.2f} ms, p99 {met.p99_us / 1e3:.2f} ms")


def compare(folder: Path, *, rounds: int, seconds: float) -> dict[str, list[Round]]:
    """All contenders in turns, then the tables."""
    servers = started(folder)
    try:
        bench, ways = Bench(folder, seconds), ways_of(folder, servers)
        for way in ways:
            bench.warm(way)
        found: dict[str, list[Round]] = {way.name: [] for way in ways}
        for number in range(rounds):
            for way in [*ways[number % len(ways) :], *ways[: number % len(ways)]]:
                found[way.name].append(bench.round(way))
                print(f"round {number + 1}, {way.name}: {found[way.name][-1]}", file=sys.stderr)
        show_rounds(found)
        show_load(found)
        show_asked(found)
        show_groups(found)
        show_alone(bench, ways, seconds)
    finally:
        stop(servers)
    for name in ("decide", "booster"):
        print(bench.check_log(name))
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-service"))
    parser.add_argument("--debtors", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each load")
    parser.add_argument("--decisions", type=int, default=2_000, help="for the parts, by size of group")
    given = parser.parse_args()
    folder = given.folder.resolve()
    make_world(folder, debtors=given.debtors)
    show_machine(given.rounds, given.seconds)
    found = compare(folder, rounds=given.rounds, seconds=given.seconds)
    door, parts, explained = service_parts.measure(folder, decisions=given.decisions)
    service_parts.show(door, parts, explained)
    print(f"the server's processor for a decision under full load: {middle(found['decide'], 'cpu_us'):,.0f} us")


if __name__ == "__main__":
    main()
