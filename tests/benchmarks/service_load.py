"""A load on one endpoint over keep-alive connections, in a process of its own: reads an order from standard input, prints what it met.

Closed loop: every connection asks again as soon as it is answered. Open loop: requests are due at moments that do not depend on
the answers, exponentially apart; one that finds no free connection waits, and its latency counts from when it was due.
Plain sockets and `select`: an event loop's timers round to a millisecond, which is more than an empty endpoint takes.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field

import numpy as np

SAMPLE_EACH, SAMPLES = 97, 24
PATIENCE_S = 60.0


class NoAnswer(RuntimeError):
    """The server closed a connection, or took longer than anybody would wait."""


@dataclass(frozen=True)
class Order:
    """What to ask: bodies in turn from `first` on; `rate` is requests a second of the open loop, None for the closed one."""

    port: int
    path: str
    bodies: list[str]
    seconds: float
    warm_s: float = 0.0
    connections: int = 16
    rate: float | None = None
    first: int = 0
    seed: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    keyed: bool = False


@dataclass(frozen=True)
class Met:
    """What was met: answers a second and latencies after warming up; all else from the first request to the last.

    An answer with caution (`degraded`) is none of the answers a second, and its latency is among the latencies.

    `own_share` is this process's share of a processor, `own_us` what a request took of it.
    """

    per_s: float
    counted: int
    p50_us: float
    p99_us: float
    answered: int
    failed: int
    reused: int
    degraded: int
    own_share: float
    own_us: float
    sample: list[str]


class Load:
    """Connections and what they met."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._requests = [_request(order, body) for body in order.bodies]
        self._next = order.first
        self._free = deque(_Connection(order.port) for _ in range(order.connections))
        self._busy: dict[socket.socket, _Connection] = {}
        self._latency: list[float] = []
        self._done: list[float] = []
        self._counts: list[bool] = []
        self._statuses: dict[int, int] = {}
        self._reused = self._degraded = 0
        self._sample: list[str] = []

    def run(self) -> Met:
        """Loads the endpoint until the time is over and every request is answered."""
        own, begin = time.process_time(), time.perf_counter()
        end = begin + self._order.warm_s + self._order.seconds
        due = _due(self._order, begin)
        while True:
            now = time.perf_counter()
            if self._order.rate is None and now >= end:
                due[0] = float("inf")
            while self._free and due[0] <= now:
                self._ask(due.popleft() if self._order.rate else now)
            if due[0] == float("inf") and not self._busy:
                break
            if now > end + PATIENCE_S:
                raise NoAnswer(f"{len(self._busy)} requests are without an answer after {PATIENCE_S:.0f} s")
            wait = min(due[0] - now, 1.0) if self._free else 1.0
            for ready in select.select([*self._busy], [], [], wait)[0]:
                self._read(ready)
        spent, took = time.process_time() - own, time.perf_counter() - begin
        return self._met(begin + self._order.warm_s, end, own_s=spent, took_s=took)

    def _ask(self, due: float) -> None:
        connection = self._free.popleft()
        request = self._requests[self._next % len(self._requests)]
        if self._order.keyed:
            request = request.replace(b"\r\n\r\n", f"\r\nIdempotency-Key: {self._next}\r\n\r\n".encode(), 1)
        self._next += 1
        connection.send(request, due=due)
        self._busy[connection.socket] = connection

    def _read(self, ready: socket.socket) -> None:
        connection = self._busy[ready]
        found = connection.read()
        if found is None:
            return
        status, body = found
        now = time.perf_counter()
        self._latency.append(now - connection.due)
        self._done.append(now)
        self._statuses[status] = self._statuses.get(status, 0) + 1
        degraded = b'"degraded":true' in body
        self._reused += b'"reused":true' in body
        self._degraded += degraded
        self._counts.append(status == 200 and not degraded)
        if (len(self._done) % SAMPLE_EACH == 1 and len(self._sample) < SAMPLES) or status != 200:
            self._sample[:] = [*self._sample, body[:20_000].decode()][-SAMPLES:]
        del self._busy[ready]
        self._free.append(connection)

    def _met(self, begin: float, end: float, *, own_s: float, took_s: float) -> Met:
        done, latency_us = np.array(self._done), np.array(self._latency) * 1e6
        counted = (done >= begin) & ((done <= end) if self._order.rate is None else True)
        p50, p99 = np.percentile(latency_us[counted], [50, 99]).tolist() if counted.any() else (np.nan, np.nan)
        per_s = float((counted & np.array(self._counts, dtype=bool)).sum()) / self._order.seconds
        good = self._statuses.get(200, 0)
        failed = len(done) - good
        return Met(
            per_s=per_s,
            counted=int(counted.sum()),
            p50_us=p50,
            p99_us=p99,
            answered=good,
            failed=failed,
            reused=self._reused,
            degraded=self._degraded,
            own_share=own_s / took_s,
            own_us=own_s / max(len(done), 1) * 1e6,
            sample=self._sample,
        )


class _Connection:
    """One connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._buffer = b""
        self._body, self._end = 0, -1

    def send(self, request: bytes, *, due: float) -> None:
        self.due, self._buffer, self._end = due, b"", -1
        self.socket.sendall(request)

    def read(self) -> tuple[int, bytes] | None:
        """Status and body, once all of the answer is there."""
        came = self.socket.recv(1 << 18)
        if not came:
            raise NoAnswer(f"the server closed a connection after {self._buffer[:200]!r}")
        self._buffer += came
        if self._end < 0:
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return None
            self._body = head + 4
            self._end = self._body + _content_length(self._buffer[:head])
        if len(self._buffer) < self._end:
            return None
        return int(self._buffer[9:12]), self._buffer[self._body : self._end]


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise NoAnswer(f"an answer without content-length: {head[:200]!r}")


def _request(order: Order, body: str) -> bytes:
    said = body.encode()
    lines = [f"POST {order.path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in order.headers.items()] + [f"Content-Length: {len(said)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + said


def _due(order: Order, begin: float) -> deque[float]:
    """When requests are due; in the closed loop always."""
    if order.rate is None:
        return deque([-1.0])
    length = order.warm_s + order.seconds
    count = int(length * order.rate * 1.2) + 50
    apart = np.random.default_rng(order.seed).exponential(1 / order.rate, count)
    moments = begin + np.cumsum(apart)
    return deque([*moments[moments < begin + length].tolist(), float("inf")])


def main() -> None:
    """Follow the order on standard input."""
    order = Order(**json.load(sys.stdin))
    json.dump(asdict(Load(order).run()), sys.stdout)


if __name__ == "__main__":
    main()
