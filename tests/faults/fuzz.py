"""Schemathesis with all its checks against the service over a real connection, with a key of each role and without."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.calls import Caller
from tests.faults.line import Line
from tests.faults.services import ROOT, Running, keys_of, nursery
from tests.faults.world import write_many

SLOWEST_S = 1
COUNTS = re.compile(r"(\d[\d,]*) generated")


PHASES = "examples,coverage,fuzzing,stateful"
ROLES = ("collection_system", "data_scientist", "manager", "operations", "data_protection", None)
"""None is a caller without a key."""


def fuzz(examples: int, *, seed: int, roles: tuple[str | None, ...] = ROLES, phases: str = PHASES) -> list[Line]:
    """A line for each role."""
    found = []
    for role in roles:
        with tempfile.TemporaryDirectory() as name:
            settings = write_many(Path(name), debtors=20)
            keys = keys_of(settings)
            with nursery(Path(name)) as started:
                running = started.start(settings)
                document = Path(name) / "openapi.json"
                document.write_bytes(_document(running, keys["operations"]))
                found.append(_run(running, document, role, keys, examples=examples, seed=seed, phases=phases))
    return found


def _document(running: Running, key: str) -> bytes:
    with Caller(running.port, key) as caller:
        answer = caller.get("/openapi.json")
    assert answer is not None
    assert answer.status == 200, answer.body
    return answer.body


def _run(
    running: Running, document: Path, role: str | None, keys: dict[str, str], *, examples: int, seed: int, phases: str
) -> Line:
    begin = time.monotonic()
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", str(document)]
    command += ["--url", f"http://127.0.0.1:{running.port}", "--checks", "all", "--phases", phases]
    command += ["--max-examples", str(examples), "--seed", str(seed), "--max-response-time", str(SLOWEST_S)]
    command += [
        "--no-color",
        "--continue-on-failure",
        "--suppress-health-check",
        "all",
        "--generation-database",
        "none",
    ]
    if role is not None:  # the header is put on every request, also on those that should lack it
        command += ["--header", f"Authorization: Bearer {keys[role]}", "--exclude-checks", "missing_required_header"]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.faults.fuzz_hooks", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=document.parent, env={**os.environ, **hooks}, capture_output=True, text=True, check=False
    )
    shown = done.stdout[-6_000:]
    wrong = [] if done.returncode == 0 else [shown or done.stderr[-3_000:]]
    wrong += [] if running.alive else ["the service has ended"]
    counts = COUNTS.search(done.stdout)
    return Line(
        f"Schemathesis, all checks, {role or 'without a key'}",
        f"{counts.group(1) if counts else '?'} requests, up to {examples} examples for each operation",
        f"{'no failure' if not wrong else 'failures'}, {time.monotonic() - begin:.0f} s",
        tuple(wrong),
    )
