"""Services of a run: started by the nursery, looked after, killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from serving.settings import ServiceSettings
from tests.faults.calls import Caller
from tests.faults.nursery import BEGAN
from tests.small_service import Keys

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0


class DidNotStart(RuntimeError):
    """A service did not answer within a minute."""


@dataclass
class Running:
    """One service: its process, its port, what it writes on its standard error."""

    pid: int
    port: int
    log: Path

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, if there is anybody to take it."""
        if self.alive:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once, and waits until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait(10)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within this time."""
        end = time.monotonic() + seconds
        while self.alive and time.monotonic() < end:
            time.sleep(0.005)
        return not self.alive

    def memory_kb(self) -> int:
        """Memory it holds."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(text.partition("VmRSS:")[2].split()[0])

    def threads(self) -> int:
        """Threads it has."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))


@dataclass
class Nursery:
    """The process that starts services, and all that it started."""

    process: subprocess.Popen[str]
    folder: Path
    began: float = field(default_factory=time.time)
    started: list[Running] = field(default_factory=list)

    def start(
        self, settings: ServiceSettings, *, port: int | None = None, file_limit: int | None = None, wait: bool = True
    ) -> Running:
        """A service that answers; its standard error goes on in one file for each port."""
        port = free_port() if port is None else port
        log = self.folder / f"service-{port}.log"
        environment = {**replace(settings, port=port).to_environment(), BEGAN: str(self.began)}
        order = {"environment": environment, "log": str(log), "file_limit": file_limit}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        running = Running(int(self.process.stdout.readline()), port, log)
        self.started.append(running)
        if wait:
            wait_until_alive(running)
        return running


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """A nursery; what it started and is still there is killed at the end."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nursery"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise DidNotStart("expected the nursery to be ready: see its standard error")
        found = Nursery(process, folder)
        try:
            yield found
        finally:
            for one in found.started:
                one.kill()
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_alive(running: Running) -> float:
    """Seconds until `/healthz` answers."""
    begin = time.monotonic()
    caller = Caller(running.port, None, timeout_s=1)
    while time.monotonic() - begin < PATIENCE_S:
        if (answer := caller.get("/healthz")) is not None and answer.status == 200:
            caller.close()
            return time.monotonic() - begin
        if not running.alive:
            break
        time.sleep(0.01)
    raise DidNotStart(f"expected /healthz on port {running.port}: see {running.log}")


def keys_of(settings: ServiceSettings, *, tenant: str = "main") -> dict[str, str]:
    """A key of each role, where the service looks for keys."""
    return Keys(settings.access or settings.database or settings.workspace, tenant=tenant).of
