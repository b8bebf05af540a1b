"""Requests made to hurt, over a real connection: problems of the caller's, quickly, and no memory kept of them."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.faults.calls import Answer, Caller, decide
from tests.faults.line import Line, percentile
from tests.faults.services import Running, keys_of, nursery
from tests.faults.world import debtor_name, write_many
from tests.serving.poison import BODIES, DECIDE, SECRET, as_sent, asked

DEBTORS = 20
SLOWEST_MS = 100.0
MEMORY_KB = 20_000
LIMIT = 1_000_000
LONG = 10_000_000
CHUNK = 65_536
JSON = "application/json"
PROBLEM = "application/problem+json"
WARM = 2
"""Rounds before memory is looked at."""

Send = Callable[[Running, str], Answer | None]


@dataclass(frozen=True)
class Poison:
    """One request, and the statuses that may answer it."""

    name: str
    send: Send
    lawful: tuple[int, ...]


@dataclass
class Seen:
    """What came of all requests; times of those alone that are no longer than a body may be."""

    ms: list[float] = field(default_factory=list)
    cut_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def poison_sent(rounds: int, *, slowest_ms: float = SLOWEST_MS) -> Line:
    """All of them, round after round, on a service that answers as usual in between and afterwards."""
    with tempfile.TemporaryDirectory() as name:
        settings = replace(write_many(Path(name), debtors=DEBTORS), patience_ms=20_000)
        key = keys_of(settings)["collection_system"]
        with nursery(Path(name)) as found:
            running, seen = found.start(settings), Seen()
            for _ in range(WARM):
                _round(running, key, Seen())
            before_kb, opened = running.memory_kb(), _files(running)
            for _ in range(rounds):
                _round(running, key, seen)
            grown_kb, more = running.memory_kb() - before_kb, _files(running) - opened
    if grown_kb > MEMORY_KB:
        seen.wrong.append(f"expected at most {MEMORY_KB} KB more memory, came {grown_kb} KB")
    if percentile(seen.ms, 0.99) > slowest_ms:
        seen.wrong.append(f"expected p99 within {slowest_ms:g} ms, came {percentile(seen.ms, 0.99):.0f} ms")
    if more > 2:
        seen.wrong.append(f"expected no file or connection kept, came {more} more")
    shown = ", ".join(f"{times} x {status}" for status, times in sorted(seen.statuses.items()))
    return Line(
        "poison over HTTP (NaN, depth, surrogates, 10 MB, gzip, endless chunks, paths)",
        f"{rounds} rounds of {len(list(poisons()))}, {sum(seen.statuses.values())} requests",
        f"{shown}; p99 {percentile(seen.ms, 0.99):.0f} ms, longest {percentile(seen.ms, 1.0):.0f} ms "
        f"(10 MB and more: {percentile(seen.cut_ms, 1.0):.0f} ms); memory {grown_kb / 1_000:+.1f} MB",
        tuple(seen.wrong[:10]),
    )


def poisons() -> Iterator[Poison]:
    """Every request."""
    refused = (400, 404, 413, 422)
    for name, (path, body) in BODIES.items():
        yield Poison(name, _posted(path, as_sent(body)), refused)
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/x-python-pickle", ""):
        yield Poison(f"type {kind}", _posted(DECIDE, asked().encode(), {"Content-Type": kind}), (415,))
    bomb = gzip.compress(b" " * 100_000_000)
    yield Poison("gzip bomb", _posted(DECIDE, bomb, {"Content-Encoding": "gzip"}), (415,))
    yield Poison("10 MB", _posted(DECIDE, b" " * LONG), (413,))
    yield Poison("chunks without end", _chunked, (413,))
    yield Poison("length that is a lie", _posted(DECIDE, asked().encode(), {"Content-Length": "9" * 30}), (400, 413))
    for key in ("", "x" * 256, "\u00e5", "a\tb"):
        yield Poison("key that is none", _posted(DECIDE, asked().encode(), {"Idempotency-Key": key}), (422,))
    for path in ("%00", "a%00b", "%C2%85", "a" * 129, "%FF%FE", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a" * 20_000):
        yield Poison(f"GET {path[:40]}", _got(f"/v1/decisions/{path}"), (400, 404, 414, 422))
        yield Poison(f"confirm {path[:40]}", _posted(f"/v1/decisions/{path}/confirm", b""), (400, 404, 414, 422))
    yield Poison("query", _got("/v1/decisions/x?explain=%00%FF&explain=maybe"), (404, 422))


def _posted(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Send:
    return lambda running, key: _sent(
        running, "POST", path, {"Content-Type": JSON, **_signed(key), **(headers or {})}, body
    )


def _got(path: str) -> Send:
    return lambda running, key: _sent(running, "GET", path, _signed(key), b"")


def _signed(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _chunked(running: Running, key: str) -> Answer | None:
    """Pieces for as long as anybody takes them."""
    headers = {"Content-Type": JSON, "Transfer-Encoding": "chunked", **_signed(key)}
    piece = f"{CHUNK:x}\r\n".encode() + b" " * CHUNK + b"\r\n"
    return _sent(running, "POST", DECIDE, headers, piece * (LONG // CHUNK))


def _sent(running: Running, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
    """The answer to bytes sent as they are; one that comes before all of them went is an answer as well."""
    length = {} if "Transfer-Encoding" in headers or method == "GET" else {"Content-Length": str(len(body))}
    told = {"Host": "127.0.0.1", "Connection": "close", **length, **headers}
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items()) + "\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as line:
        with suppress(OSError):  # the service may have answered and closed: what it said is read below
            line.sendall(head.encode("latin-1") + body)
        return _read(line)


def _read(line: socket.socket) -> Answer | None:
    answer = http.client.HTTPResponse(line)
    try:
        answer.begin()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        answer.close()


def _round(running: Running, key: str, seen: Seen) -> None:
    for number, one in enumerate(poisons()):
        begun = time.perf_counter()
        answer = one.send(running, key)
        ms = (time.perf_counter() - begun) * 1_000
        (seen.cut_ms if one.name in ("10 MB", "chunks without end") else seen.ms).append(ms)
        seen.statuses[0 if answer is None else answer.status] += 1
        if fault := _fault(answer, one.lawful):
            seen.wrong.append(f"{one.name}: {fault}")
        if number % 10 == 0:
            _must_answer(running, key, seen)


def _fault(answer: Answer | None, lawful: tuple[int, ...]) -> str:
    """What is wrong with an answer; nothing where all is well."""
    if answer is None:
        return "no answer"
    if answer.status not in lawful:
        return f"{answer.status} {answer.body[:150]!r}"
    if SECRET.encode() in answer.body or b"DROP TABLE" in answer.body or len(answer.body) > 8_000:
        return "an echo of what was sent"
    if answer.headers.get("content-type") != PROBLEM:
        return _of_the_line(answer)
    problem = json.loads(answer.body)
    return "" if problem["status"] == answer.status and problem["detail"] else "a problem that says nothing"


def _of_the_line(answer: Answer) -> str:
    """What HTTP's own reader refuses never reaches the service: it answers 400 in a line of plain text."""
    plain = answer.status == 400 and answer.headers.get("content-type", "").startswith("text/plain")
    return "" if plain and len(answer.body) < 100 else f"expected a problem, came {answer.headers.get('content-type')}"


def _must_answer(running: Running, key: str, seen: Seen) -> None:
    with Caller(running.port, key) as caller:
        answer = caller.post(*decide(debtor_name(0)))
    if answer is None or answer.status != 200 or answer.json["channel"] == "none":
        seen.wrong.append("a question in between was not answered as usual")


def _files(running: Running) -> int:
    return len(list(Path(f"/proc/{running.pid}/fd").iterdir()))
