"""Models promoted and rolled back while the service answers: no request fails, each decision names one that was promoted."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from data.log_place import LogPlace
from data.portfolio import Portfolio
from models.bundle import point_to, write_bundle
from serving.settings import ServiceSettings
from tests.faults.asker import Asker, Call, Said, asking
from tests.faults.calls import decide
from tests.faults.line import Line, percentile
from tests.faults.services import keys_of, nursery
from tests.faults.world import debtor_name, many_tables, write_many
from tests.small_service import small_bundle

CALLERS = 10
DEBTORS = 200
VERSIONS = ("rates-1", "rates-2", "rates-3")
SLOWER = 2.0
"""p99 while models are swapped, at most so many times that of a steady run."""


def hot_swap(swaps: int, *, seconds: float, per_second: float = 100.0) -> Line:
    """Promotions and rollbacks, evenly over the time, under an even load."""
    with tempfile.TemporaryDirectory() as name:
        settings = write_many(Path(name), debtors=DEBTORS)
        for version in VERSIONS[1:]:
            bundle = small_bundle(Portfolio.from_tables(many_tables(4)), version)
            write_bundle(bundle, settings.workspace / "models" / version)
        with nursery(Path(name)) as found:
            port = found.start(replace(settings, patience_ms=2_000)).port
            key = keys_of(settings)["collection_system"]
            steady = _asked(port, key, settings, 0, seconds / 4, per_second)
            swapped = _asked(port, key, settings, swaps, seconds, per_second)
        mixed = _several_models(settings)
    ms, before = ([one.ms for one in of] for of in (swapped, steady))
    versions = Counter(_version(one) for one in swapped if not _failed(one))
    failed = [text for one in swapped if (text := _failed(one))]
    wrong = [text for one in steady if (text := _failed(one))] + failed + mixed
    wrong += [f"{name} was never promoted" for name in versions.keys() - {*VERSIONS, "caution"}]
    if len(versions.keys() & set(VERSIONS)) < 2:
        wrong.append(f"expected decisions of several models, came {dict(versions)}")
    if percentile(ms, 0.99) > SLOWER * max(percentile(before, 0.99), 20.0):
        wrong.append(f"p99 {percentile(ms, 0.99):.0f} ms against {percentile(before, 0.99):.0f} ms in a steady run")
    shown = ", ".join(f"{times} by {name}" for name, times in sorted(versions.items()))
    return Line(
        f"{swaps} promotions and rollbacks in {seconds:g} s under {per_second:g} requests a second",
        f"{len(ms)} requests",
        f"{len(failed)} failed; {shown}; p99 {percentile(ms, 0.99):.0f} ms, {percentile(before, 0.99):.0f} ms before",
        tuple(wrong[:10]),
    )


def _asked(port: int, key: str, settings: ServiceSettings, swaps: int, seconds: float, per_second: float) -> list[Said]:
    askers = [Asker(port, key, _new, CALLERS / per_second, seed=number) for number in range(CALLERS)]
    begin = time.monotonic()
    with asking(askers, threading.Event()):
        for number in range(swaps):
            time.sleep(max(0.0, begin + number * seconds / swaps - time.monotonic()))
            point_to(settings.workspace, "champion", model_version=VERSIONS[number % 3 if number % 5 else 0])
        time.sleep(max(0.0, begin + seconds - time.monotonic()))
    return [said for one in askers for said in one.said]


def _new(_number: int, rng: random.Random) -> Call:
    """A decision that is always a new one."""
    return decide(debtor_name(rng.randrange(DEBTORS)), replace=True)


def _failed(said: Said) -> str:
    """What is wrong with an answer; nothing where it is a decision, or caution."""
    if said.answer is None:
        return "nothing came"
    return "" if said.answer.status == 200 else f"{said.answer.status} {said.answer.body[:150]!r}"


def _version(said: Said) -> str:
    assert said.answer is not None
    told = said.answer.json
    return "caution" if told["decision_id"] is None else str(told["model_version"])


def _several_models(settings: ServiceSettings) -> list[str]:
    """Answers in the log whose rows name more than one model."""
    log = LogPlace(settings.workspace).open()
    try:
        rows = log.decisions().select(["debtor_id", "decided_at", "model_version"]).to_pylist()
    finally:
        log.close()
    named: dict[tuple[str, object], set[str]] = {}
    for row in rows:
        named.setdefault((row["debtor_id"], row["decided_at"]), set()).add(row["model_version"])
    return [f"{debtor}: one answer by {sorted(models)}" for (debtor, _), models in named.items() if len(models) != 1]
