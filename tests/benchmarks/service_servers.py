"""Servers of the service's benchmark, each in a process of its own: started, asked for its processor time, stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from service_contenders import PATH
from service_load import Met, Order
from service_world import champion_in, prepared_in

from features.action import grid_actions
from features.catalogue import catalogue, names
from models.propensity import BoosterModel

HERE = Path(__file__).parent
READY_S = 180.0


class NotStarted(RuntimeError):
    """A server that does not answer; the message holds the end of what it wrote."""


@dataclass(frozen=True)
class Server:
    """A process that serves at a port, what it wrote, and how it is asked."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    path: str
    headers: dict[str, str] = field(default_factory=dict)

    def cpu_s(self) -> float:
        """Seconds of processor so far, children included."""
        return _cpu_s(self.process.pid)

    def ask(self, bodies: list[str], seconds: float, **more: Any) -> tuple[Met, float]:
        """Loads the server from another process: what was met, and seconds of the server's processor for each answer."""
        order = Order(self.port, self.path, bodies, seconds, headers=self.headers, **more)
        before = self.cpu_s()
        command = [sys.executable, str(HERE / "service_load.py")]
        done = subprocess.run(command, input=json.dumps(asdict(order)).encode(), check=True, stdout=subprocess.PIPE)
        met = Met(**json.loads(done.stdout))
        return met, (self.cpu_s() - before) / max(met.answered, 1)

    def stop(self) -> None:
        """Ends the process and those that it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def start(name: str, folder: Path) -> Server:
    """One of `service_contenders.APPS`, asked with the key that it wrote."""
    port = _free_port()
    command = [sys.executable, str(HERE / "service_contenders.py"), name, "--folder", str(folder), "--port", str(port)]
    server = _started(name, command, port, folder, path=PATH)
    key = (folder / f"{name}.key").read_text(encoding="utf-8")
    return replace(server, headers={"Authorization": f"Bearer {key}"})


def start_mlflow(folder: Path) -> Server:
    """`mlflow models serve` with the champion's booster: this environment, one worker, nothing fetched."""
    model, port = folder / "mlflow-model", _free_port()
    if not (model / "MLmodel").is_file():
        import mlflow.lightgbm  # seconds to import, and for this contender only

        bundle = champion_in(folder)
        assert isinstance(bundle.model, BoosterModel)
        mlflow.lightgbm.save_model(bundle.model.booster, str(model), pip_requirements=["lightgbm"])
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(model), "--env-manager", "local"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    return _started("mlflow", command, port, folder, path="/invocations")


def mlflow_body(folder: Path, debtor_id: str) -> str:
    """The whole grid of a debtor's seven claims, as `dataframe_split`.

    A column without any value is filled with 0: it would come in as text, and be refused.
    """
    prepared = prepared_in(folder, [debtor_id])
    actions = grid_actions(prepared.grid, prepared.mask.slots, of=prepared.calendar)
    mine, cells = prepared.rows.matrix, actions.matrix[actions.of_debtor[0]]
    rows = np.hstack([np.repeat(mine, len(cells), axis=0), np.tile(cells, (len(mine), 1))])
    rows[:, np.isnan(rows).all(axis=0)] = 0.0
    data = [[None if value != value else float(f"{value:.9g}") for value in row] for row in rows.tolist()]
    columns = list(names(catalogue(prepared.grid.channels)))
    return json.dumps({"dataframe_split": {"columns": columns, "data": data}}, separators=(",", ":"))


def _started(name: str, command: list[str], port: int, folder: Path, *, path: str) -> Server:
    log = folder / f"{name}.log"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([".", os.environ.get("PYTHONPATH", "")]),
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=HERE.parents[1], start_new_session=True
        )
    server = Server(name, port, process, log, path)
    begin = time.perf_counter()
    while time.perf_counter() - begin < READY_S and process.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.2)
    server.stop()
    raise NotStarted(f"{name} does not answer at port {port}: {log.read_text(errors='replace')[-2_000:]}")


def _cpu_s(pid: int) -> float:
    """Seconds of processor of a process and its children, as Linux tells them."""
    told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    own = (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(_cpu_s(int(child)) for child in children)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
