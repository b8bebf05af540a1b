"""All faults, one after the other, with a table: `python -m tests.faults.fault_run`, about an hour on an idle machine.

`--only NAME ...` runs some parts, `--after NAME` those behind one, to go on with a run that was broken off; `--share 0.1` a
tenth of each count, `--seed` other draws. Ends with 1 if anything that was promised does not hold. PostgreSQL is that of the
tests (`RETTID_TEST_POSTGRESQL`), on this machine; two parts trace system calls and need `strace`.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence

from tests.faults import kills
from tests.faults.cap_race import Order as RaceOrder
from tests.faults.cap_race import cap_race
from tests.faults.disk_full import disk_full
from tests.faults.durability import durability
from tests.faults.erased import erased
from tests.faults.fuzz import fuzz
from tests.faults.hot_swap import hot_swap
from tests.faults.injected import PAYLOADS, injected
from tests.faults.keys_misused import keys_misused
from tests.faults.line import Line, show, timed
from tests.faults.outage import over_postgresql, sqlite_locked
from tests.faults.outside import outside
from tests.faults.poison_sent import poison_sent
from tests.faults.shuffled import shuffled
from tests.faults.shuffled_http import shuffled_over_http
from tests.faults.spooled import spooled
from tests.faults.stop_groups import stop_race
from tests.faults.stop_race import stop_race_over_http
from tests.faults.stopping import graceful_stop
from tests.faults.tampered import tampered
from tests.faults.tenants_apart import tenants_apart

KINDS = ("sqlite", "postgresql")
Of = Callable[[int], int]
"""How a count shrinks."""

Part = Callable[[Of, int], Sequence[Line]]
"""A part of the run: given how counts shrink, and the seed."""


def _kills(of: Of, seed: int) -> list[Line]:
    orders = (
        kills.Order("sqlite", of(200), of(10_000)),
        kills.Order("postgresql", of(40), of(1_000)),
        kills.Order("postgresql", of(40), of(1_000), services=2),
        kills.Order("postgresql", of(30), of(800), services=2, connections=True),
    )
    return [kills.kills(one, seed=seed) for one in orders]


def _caps(of: Of, _seed: int) -> list[Line]:
    return [
        cap_race(RaceOrder("postgresql", services=4, rounds=of(200))),
        cap_race(RaceOrder("sqlite", services=2, rounds=of(100))),
    ]


def _stops(of: Of, seed: int) -> list[Line]:
    return [
        stop_race(of(2_500), seed=seed),
        stop_race_over_http("sqlite", 2, of(300), seed=seed),
        stop_race_over_http("postgresql", 4, of(300), seed=seed),
    ]


FUZZED: Mapping[str | None, int] = {"collection_system": 1_000, None: 1_000} | dict.fromkeys(
    ("data_scientist", "manager", "operations", "data_protection"), 200
)
"""Examples for each operation, by role; None is a caller without a key."""

PARTS: Mapping[str, Part] = {
    "durability": lambda of, _: [durability(kind, of(200)) for kind in KINDS],
    "poison": lambda of, _: [poison_sent(of(30))],
    "tenants": lambda of, _: [tenants_apart(max(20, of(200)))],
    "injection": lambda of, _: [injected(kind, of(len(PAYLOADS))) for kind in KINDS],
    "outside": lambda of, _: [outside(of(3))],
    "erasure": lambda of, _: [erased(kind, of(100)) for kind in KINDS],
    "keys": lambda of, _: [keys_misused(of(100))],
    "disk-full": lambda of, _: [disk_full(of(200))],
    "sqlite-locked": lambda of, _: [sqlite_locked(max(10, of(30)))],
    "postgresql-down": lambda of, _: over_postgresql(max(10, of(60))),
    "hot-swap": lambda of, _: [hot_swap(of(50), seconds=max(10, of(60)))],
    "stopping": lambda of, _: [graceful_stop(of(5)), graceful_stop(of(3), workers=2)],
    "caps": _caps,
    "stops": _stops,
    "tampering": lambda of, _: [tampered("sqlite", max(3, of(6))), tampered("postgresql", max(3, of(4)))],
    "kills": _kills,
    "spool": lambda of, seed: [spooled(kind, of(10_000), kills=of(10), seed=seed) for kind in KINDS],
    "fuzz": lambda of, seed: fuzz({role: of(most) for role, most in FUZZED.items()}, seed=seed),
    "shuffled": lambda of, seed: [
        shuffled(of(10_000), seed=seed),
        *(shuffled_over_http(kind, of(300), seed=seed) for kind in KINDS),
    ],
}


def main() -> None:
    """Runs, prints each part as it ends and all of them together, and ends with 1 if anything is wrong."""
    given = _parsed()
    found: list[tuple[Line, float]] = []
    for name in _chosen(given.only, given.after):
        lines, seconds = timed(lambda name=name: _part(name, given.share, given.seed))
        found += [(line, seconds / len(lines)) for line in lines]
        show(found[-len(lines) :], title=name)
        sys.stdout.flush()
    show(found, title=f"faults, seed {given.seed}, share {given.share:g}")
    sys.exit(1 if any(line.wrong for line, _ in found) else 0)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[*PARTS])
    parser.add_argument("--after", choices=PARTS)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _chosen(only: Sequence[str], after: str | None) -> list[str]:
    names = [*PARTS]
    first = 0 if after is None else names.index(after) + 1
    return [name for name in names[first:] if name in only]


def _part(name: str, share: float, seed: int) -> Sequence[Line]:
    """The lines of a part; one that broke off is told, and the others run all the same."""
    try:
        return PARTS[name](lambda count: max(1, round(count * share)), seed)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is told as what is wrong)
        return [Line(name, "broken off", type(error).__name__, (traceback.format_exc(limit=-4),))]


if __name__ == "__main__":
    main()
