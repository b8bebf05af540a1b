"""Nothing acknowledged is lost when the process is killed in the middle of writing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data.decision_log import DecisionLog
from data.event_log import events_of_debtor
from serving.settings import ServiceSettings
from tests.small_service import Keys, write_world

ROOT = Path(__file__).resolve().parents[2]
KILLS = 3
WRITERS = 4


def start(settings, port):
    script = "import serving.run, uvicorn, sys; "
    script += "uvicorn.run(serving.run.app_from_environment(), port=int(sys.argv[1]), log_level='critical')"
    environment = {**os.environ, **settings.to_environment()}
    return subprocess.Popen([sys.executable, "-c", script, str(port)], cwd=ROOT, env=environment)


def wait_until_alive(port):
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the service did not come up within 30 s")


def send(port, name, key):
    """True where the event was acknowledged."""
    row = {"claim_id": "k1", "at": "2026-03-01T00:00:00Z", "kind": "inbound", "event_id": name}
    payment = {"payment_id": name, "claim_id": "k1", "debtor_id": "s1", "paid_at": row["at"], "amount": "1.00"}
    body = json.dumps({"event_id": name, "table": "payments", "row": {**payment, "currency": "SEK"}}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/events",
        body,
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.HTTPError):
        return False


def write_until_it_dies(port, writer, round_, key):
    ledger, number = [], 0
    while True:
        name = f"{round_}-{writer}-{number}"
        if not send(port, name, key):
            return ledger
        ledger.append(name)
        number += 1


def test_every_acknowledged_event_is_there_after_being_killed(tmp_path):
    settings: ServiceSettings = write_world(tmp_path)
    acknowledged = []
    key = Keys(settings.workspace).of["collection_system"]
    for round_ in range(KILLS):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = start(settings, port)
        try:
            wait_until_alive(port)
            with ThreadPoolExecutor(WRITERS) as pool:
                ledgers = [pool.submit(write_until_it_dies, port, writer, round_, key) for writer in range(WRITERS)]
                time.sleep(1.0)
                process.send_signal(signal.SIGKILL)
                acknowledged += [name for ledger in ledgers for name in ledger.result()]
        finally:
            process.kill()
            process.wait()
    log = DecisionLog.open(settings.workspace)
    with log.reading() as connection:
        stored = [event.event_id for event in events_of_debtor(connection, "s1")]
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    log.close()
    assert len(acknowledged) >= 50
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
