"""Idempotency keys misused: another body, fifty at once, another tenant's key. One effect, and nobody reads another's answer."""

from __future__ import annotations

import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from data.log_place import LogPlace
from serving.settings import ServiceSettings
from tests.faults.calls import Answer, Caller, decide
from tests.faults.line import Line
from tests.faults.services import keys_of, nursery
from tests.faults.world import debtor_name, write_many

AT_ONCE = 50
TENANTS = ("north", "south")


def two_tenants(folder: Path, *, debtors: int) -> ServiceSettings:
    """Two workspaces of one service, over one base portfolio."""
    settings = write_many(folder, debtors=debtors)
    root = folder / "tenants"
    root.mkdir()
    for name in TENANTS:
        with tempfile.TemporaryDirectory() as other:
            write_many(Path(other), debtors=1).workspace.rename(root / name)
    return replace(settings, workspace=root, tenants=True, access=f"sqlite:///{folder}/access.db", patience_ms=20_000)


def keys_misused(rounds: int) -> Line:
    """In each round one key: fifty times at once with one body, then with another one, then at another tenant's door."""
    with tempfile.TemporaryDirectory() as name:
        settings = two_tenants(Path(name), debtors=rounds)
        with nursery(Path(name)) as found:
            port = found.start(settings).port
            keys = [keys_of(settings, tenant=tenant)["collection_system"] for tenant in TENANTS]
            wrong, statuses = _rounds(port, keys, rounds)
        logged = [_logged(settings, tenant) for tenant in TENANTS]
    wrong += [
        f"{tenant}: {count} decisions, expected {rounds}"
        for tenant, count in zip(TENANTS, logged, strict=True)
        if count != rounds
    ]
    shown = ", ".join(f"{times} x {status}" for status, times in sorted(statuses.items()))
    return Line(
        "one Idempotency-Key: fifty at once, another body, another tenant",
        f"{rounds} keys, {sum(statuses.values())} requests",
        f"{shown}; {logged[0]} and {logged[1]} decisions for {rounds} keys",
        tuple(wrong[:10]),
    )


def _rounds(port: int, keys: list[str], rounds: int) -> tuple[list[str], Counter[str]]:
    wrong, statuses = list[str](), Counter[str]()
    callers = [Caller(port, keys[0]) for _ in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool, Caller(port, keys[1]) as other:
        for number in range(rounds):
            once, (path, body) = f"once-{number}", decide(debtor_name(number), replace=True)
            answers = [*pool.map(lambda one, p=path, b=body, k=once: one.post(p, b, once=k), callers)]
            answers_of = {one.body for one in answers if one is not None and one.status == 200}
            statuses.update(_status(one) for one in answers)
            again = callers[0].post(path, {**body, "replace": False}, once=once)
            theirs = other.post(path, body, once=once)
            statuses.update((_status(again), _status(theirs)))
            if len(answers_of) != 1 or any(_status(one) not in ("200", "409") for one in answers):
                wrong.append(f"{once}: {len(answers_of)} different answers, {Counter(map(_status, answers))}")
            if _status(again) != "422":
                wrong.append(f"{once}: {_status(again)} for another body, expected 422")
            if theirs is None or theirs.status != 200 or theirs.body in answers_of:
                wrong.append(f"{once}: the other tenant got {_status(theirs)}, or an answer that is not its own")
    for one in callers:
        one.close()
    return wrong, statuses


def _status(answer: Answer | None) -> str:
    return "nothing" if answer is None else str(answer.status)


def _logged(settings: ServiceSettings, tenant: str) -> int:
    """Decisions the tenant's log holds."""
    log = LogPlace(settings.workspace / tenant, settings.database, tenant).open()
    try:
        return len(set(log.decisions()["decision_id"].to_pylist()))
    finally:
        log.close()
