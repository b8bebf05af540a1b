"""Real services that start in a moment: a process that has read all libraries forks one for each order.

Run as a program, `python -m tests.faults.nursery`: an order is a line of JSON on standard input, the process it started is
told as a line on standard output. What is forked is the service itself, on its own port, with its own connections; only
the five seconds of reading libraries, and of kernels that are compiled, are left out.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from models.bundle import NoChampion
from serving import run
from serving.app import Watched, create_app
from serving.group_told import Told
from serving.models_in_use import ModelsInUse
from serving.settings import ServiceSettings, from_environment
from serving.telemetry.library_logs import take_over
from serving.telemetry.settings import log_settings
from serving.tenants import open_tenants
from tests.small_service import NOW, write_world

DIE_WITH_PARENT = 1
"""Linux' PR_SET_PDEATHSIG: no service outlives its nursery."""

BEGAN = "RETTID_FAULTS_BEGAN"
"""Seconds of the real clock at which the shown one stood at `NOW`."""


def shown_clock() -> datetime:
    """A Tuesday morning, going on as fast as the real clock."""
    return NOW + (datetime.now(UTC) - datetime.fromtimestamp(float(os.environ[BEGAN]), UTC))


def main() -> None:
    """Takes orders until there are no more."""
    _warm_up()
    _say("ready")
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        _try_model(from_environment(order["environment"]))
        pid = os.fork()
        if pid == 0:
            _serve(order)
            os._exit(0)
        _say(str(pid))
        _forget_ended()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _forget_ended() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _warm_up() -> None:
    """Decides once, in a world that nobody sees, without a loop or a thread that would not survive the fork."""
    with tempfile.TemporaryDirectory() as folder:
        (tenant,) = open_tenants(write_world(Path(folder)), lambda: NOW, told=Told()).values()
        tenant.counter.warm_up()
        tenant.counter.close()


def _try_model(settings: ServiceSettings) -> None:
    """Has the champion tried out here, once: each service would do it again with its first decision."""
    try:
        ModelsInUse(settings.workspace).current()
    except (NoChampion, OSError):
        return  # the service will say so itself


def _serve(order: Mapping[str, object]) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number, file in ((0, nothing), (1, log), (2, log)):
        os.dup2(file, number)
    environment = order["environment"]
    assert isinstance(environment, dict)
    os.environ.update(environment)
    if order["file_limit"] is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(str(order["file_limit"])), resource.RLIM_INFINITY))
    try:
        settings = from_environment(os.environ)
        run.run(_application(settings), settings)
    except BaseException:  # noqa: BLE001 (a fork must never go on as if it were the nursery)
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(1)


def _application(settings: ServiceSettings) -> object:
    app = create_app(settings, clock=shown_clock, watched=Watched(log=log_settings(os.environ)))
    take_over(app.state.log)
    return app


if __name__ == "__main__":
    main()
