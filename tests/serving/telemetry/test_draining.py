"""After SIGTERM: not ready at once, new work answered for the grace, begun work finished, then the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from serving.telemetry.draining import FINISH_S, GRACE_S, Draining
from tests.documents.markdown import ROOT


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=8) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@contextmanager
def service(port: int, *, workers: int, grace_s: float) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "tests.serving.telemetry.stopping", str(port), str(workers), str(grace_s)]
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        until = time.monotonic() + 30
        while status(port, "/readyz") != 200:
            assert time.monotonic() < until
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_finishes_what_was_begun_and_answers_what_comes_in_the_meantime(workers: int) -> None:
    port = free_port()
    with service(port, workers=workers, grace_s=2.5) as process:
        slow: list[int] = []
        begun = threading.Thread(target=lambda: slow.append(status(port, "/slow")))
        begun.start()
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGTERM)  # as systemd does: to each process, and the parent then tells its own
        asked = time.monotonic()
        until = asked + 2.0  # each worker hears of it, the one that is asked maybe last
        while status(port, "/readyz") == 200 and time.monotonic() < until:
            time.sleep(0.02)
        assert status(port, "/readyz") == 503
        assert status(port, "/healthz") == 200
        late = threading.Thread(target=lambda: slow.append(status(port, "/slow")))
        late.start()
        for thread in (begun, late):
            thread.join()
        process.wait(20)
        assert slow == [200, 200]
        assert 2.0 < time.monotonic() - asked < 10
        assert status(port, "/healthz") == 0
        events = [json.loads(line)["event"] for line in process.stderr or ()]
        assert "worker_started" in events
        assert "service_stopped" in events


def test_the_whole_stop_takes_less_than_ten_seconds() -> None:
    assert GRACE_S + FINISH_S < 10


def test_the_server_s_handler_is_called_when_the_grace_is_over_and_a_second_term_changes_nothing() -> None:
    called: list[int] = []
    draining = Draining(grace_s=0.1)

    async def run() -> None:
        with draining.on_stop_signals(asyncio.get_running_loop()):
            signal.raise_signal(signal.SIGTERM)
            assert draining.active
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.02)
            assert called == []
            await asyncio.sleep(0.2)

    with handled(lambda number, _: called.append(number)):
        asyncio.run(run())
    assert called == [signal.SIGTERM]


def test_a_second_interrupt_ends_the_grace() -> None:
    called: list[int] = []

    async def run() -> None:
        with Draining(grace_s=60).on_stop_signals(asyncio.get_running_loop()):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with handled(lambda number, _: called.append(number)):
        asyncio.run(run())
    assert called == [signal.SIGINT]


def test_where_no_server_listens_to_signals_nothing_is_changed() -> None:
    before = signal.getsignal(signal.SIGINT)

    async def run() -> None:
        with Draining().on_stop_signals(asyncio.get_running_loop()):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    with handled(signal.SIG_DFL):
        asyncio.run(run())
        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        thread.join()
    assert signal.getsignal(signal.SIGINT) is before


@contextmanager
def handled(handler: object) -> Iterator[None]:
    """The handler a server would have set."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGTERM, signal.SIGINT)}  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
