"""All faults, one after the other, with a table: `python -m tests.faults.fault_run`.

`--only NAME ...` runs some parts, `--share 0.1` a tenth of each count, `--seed` other draws. Ends with 1 if anything that was
promised does not hold. PostgreSQL is that of the tests (`RETTID_TEST_POSTGRESQL`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from tests.faults import kills
from tests.faults.cap_race import Order as RaceOrder
from tests.faults.cap_race import cap_race
from tests.faults.disk_full import disk_full
from tests.faults.fuzz import fuzz
from tests.faults.hot_swap import hot_swap
from tests.faults.keys_misused import keys_misused
from tests.faults.line import Line, show, timed
from tests.faults.outage import over_postgresql, sqlite_locked
from tests.faults.shuffled import shuffled
from tests.faults.stop_race import stop_race, stop_race_over_http
from tests.faults.stopping import graceful_stop

Part = Callable[[Callable[[int], int], int], Sequence[Line]]
"""A part of the run: given how a count shrinks, and the seed."""


def _kills(of: Callable[[int], int], seed: int) -> list[Line]:
    orders = (
        kills.Order("sqlite", of(200), of(10_000)),
        kills.Order("postgresql", of(40), of(1_000)),
        kills.Order("postgresql", of(40), of(1_000), services=2),
        kills.Order("postgresql", of(30), of(800), services=2, connections=True),
    )
    return [kills.kills(one, seed=seed) for one in orders]


def _races(of: Callable[[int], int], seed: int) -> list[Line]:
    return [
        cap_race(RaceOrder("postgresql", services=4, rounds=of(200))),
        cap_race(RaceOrder("sqlite", services=2, rounds=of(200))),
        stop_race(of(2_000), seed=seed),
        stop_race_over_http("sqlite", 2, of(200), seed=seed),
        stop_race_over_http("postgresql", 4, of(200), seed=seed),
    ]


PARTS: Mapping[str, Part] = {
    "kills": _kills,
    "races": _races,
    "postgresql-down": lambda of, _: over_postgresql(max(10, of(60))),
    "sqlite-locked": lambda of, _: [sqlite_locked(max(10, of(30)))],
    "disk-full": lambda of, _: [disk_full(of(200))],
    "shuffled": lambda of, seed: [shuffled(of(1_000), seed=seed)],
    "keys": lambda of, _: [keys_misused(of(100))],
    "hot-swap": lambda of, _: [hot_swap(of(50), seconds=max(10, of(60)))],
    "fuzz": lambda of, seed: fuzz(of(200), seed=seed),
    "stop": lambda of, _: [graceful_stop(of(5)), graceful_stop(of(3), workers=2)],
}


def main() -> None:
    """Runs, prints, and ends with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[*PARTS])
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = []
    for name in given.only:
        part = PARTS[name]
        lines, seconds = timed(lambda part=part: part(lambda count: max(1, round(count * given.share)), given.seed))
        found += [(line, seconds / len(lines)) for line in lines]
        show(found[-len(lines) :], title=name)
    show(found, title=f"faults, seed {given.seed}, share {given.share:g}")
    sys.exit(1 if any(line.wrong for line, _ in found) else 0)


if __name__ == "__main__":
    main()
