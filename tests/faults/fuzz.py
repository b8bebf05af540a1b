"""Schemathesis with all its checks against the service over a real connection, with a key of each role and without."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.faults.calls import Caller
from tests.faults.line import Line
from tests.faults.services import ROOT, Running, keys_of, nursery
from tests.faults.world import write_many

COUNTS = re.compile(r"(\d[\d,]*) generated")
PHASES = "examples,coverage,fuzzing,stateful"
WITHOUT = ("positive_data_acceptance",)
"""The check that `fuzz_hooks` makes in a stricter form."""


def fuzz(examples: Mapping[str | None, int], *, seed: int, phases: str = PHASES) -> list[Line]:
    """A line for each role, with so many examples for each operation; None is a caller without a key."""
    found = []
    for role, most in examples.items():
        with tempfile.TemporaryDirectory() as name:
            settings = write_many(Path(name), debtors=20)
            keys = keys_of(settings)
            with nursery(Path(name)) as started:
                running = started.start(settings)
                document = Path(name) / "openapi.json"
                document.write_bytes(_document(running, keys["operations"]))
                command = _command(running, document, most, seed=seed, phases=phases)
                found.append(_run(running, [*command, *_signed(role, keys)], role, most))
    return found


def _document(running: Running, key: str) -> bytes:
    with Caller(running.port, key) as caller:
        answer = caller.get("/openapi.json")
    assert answer is not None
    assert answer.status == 200, answer.body
    return answer.body


def _command(running: Running, document: Path, examples: int, *, seed: int, phases: str) -> list[str]:
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", str(document)]
    command += ["--url", f"http://127.0.0.1:{running.port}", "--checks", "all", "--phases", phases]
    command += ["--max-examples", str(examples), "--seed", str(seed), "--request-timeout", "60"]
    return [
        *command,
        "--no-color",
        "--continue-on-failure",
        "--suppress-health-check",
        "all",
        "--generation-database",
        "none",
    ]


def _signed(role: str | None, keys: Mapping[str, str]) -> list[str]:
    """The header is put on every request, also on those that should lack it."""
    if role is None:
        return ["--exclude-checks", ",".join(WITHOUT)]
    left_out = ",".join((*WITHOUT, "missing_required_header"))
    return ["--header", f"Authorization: Bearer {keys[role]}", "--exclude-checks", left_out]


def _run(running: Running, command: list[str], role: str | None, examples: int) -> Line:
    begin = time.monotonic()
    hooks = {"SCHEMATHESIS_HOOKS": "tests.faults.fuzz_hooks", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=running.log.parent, env={**os.environ, **hooks}, capture_output=True, text=True, check=False
    )
    wrong = [] if done.returncode == 0 else [_shortened(done.stdout) or done.stderr[-3_000:]]
    wrong += [] if running.alive else ["the service has ended"]
    counts = COUNTS.search(done.stdout)
    return Line(
        f"Schemathesis, all checks, {role or 'without a key'}",
        f"{counts.group(1) if counts else '?'} requests, up to {examples} examples for each operation",
        f"{'no failure' if not wrong else 'failures'}, {time.monotonic() - begin:.0f} s",
        tuple(wrong),
    )


def _shortened(text: str) -> str:
    """What failed, without the long bodies that it failed with."""
    from_failures = text[max(0, text.find("= FAILURES")) :]
    return "\n".join(line[:300] for line in from_failures.splitlines())[:6_000]
