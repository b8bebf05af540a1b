"""Fifty questions about one debtor at once, at several processes over one log: one new decision, whoever asks."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tests.faults.calls import Answer, Caller, decide
from tests.faults.ledger import stored_in
from tests.faults.line import Line
from tests.faults.services import keys_of, nursery
from tests.faults.world import CLAIMS, debtor_name, settings_of

AT_ONCE = 50
PATIENCE_MS = 20_000


@dataclass(frozen=True)
class Order:
    """How many rounds over which data base, at how many processes."""

    kind: str
    services: int
    rounds: int


def cap_race(order: Order) -> Line:
    """A round for each debtor: fifty ask at once, exactly one new decision comes of it, which all are told."""
    with tempfile.TemporaryDirectory() as name, settings_of(order.kind, Path(name), debtors=order.rounds) as settings:
        with nursery(Path(name)) as found:
            patient = replace(settings, patience_ms=PATIENCE_MS)
            ports = [found.start(patient).port for _ in range(order.services)]
            wrong = _rounds(ports, keys_of(settings)["collection_system"], order.rounds)
        stored = stored_in(settings)
    taken = Counter(stored.debtor_of[one] for one in stored.rows)
    wrong += [f"{one} was decided {times} times" for one, times in taken.items() if times != 1]
    wrong += [f"{rows} rows of {one}, expected {CLAIMS}" for one, rows in stored.rows.items() if rows != CLAIMS]
    return Line(
        f"{AT_ONCE} ask about one debtor at once, {order.services} processes, {order.kind}",
        f"{order.rounds} rounds, {order.rounds * AT_ONCE} questions",
        f"one new decision in {sum(times == 1 for times in taken.values())} of {order.rounds} rounds",
        tuple(wrong[:10]) + stored.faults,
    )


def _rounds(ports: Sequence[int], key: str, rounds: int) -> list[str]:
    barrier, callers = threading.Barrier(AT_ONCE), [Caller(ports[n % len(ports)], key) for n in range(AT_ONCE)]

    def ask(number: int, debtor: str) -> Answer | None:
        barrier.wait()
        return callers[number].post(*decide(debtor))

    wrong = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for debtor in map(debtor_name, range(rounds)):
            answers = [*pool.map(lambda number, one=debtor: ask(number, one), range(AT_ONCE))]
            wrong += _judged(debtor, answers)
    for one in callers:
        one.close()
    return wrong


def _judged(debtor: str, answers: Sequence[Answer | None]) -> list[str]:
    good = [one.json for one in answers if one is not None and one.status == 200]
    if len(good) < len(answers):
        return [f"{debtor}: {len(answers) - len(good)} of {len(answers)} were not answered"]
    names, new = {one["decision_id"] for one in good}, sum(not one["reused"] for one in good)
    contacts = {one["channel"] for one in good}
    if len(names) == 1 and new == 1 and "none" not in contacts:
        return []
    return [f"{debtor}: {len(names)} decisions, {new} of them told as new, by {', '.join(sorted(contacts))}"]
