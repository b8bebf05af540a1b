"""The demo: the whole chain played by the program's own commands, ending with a decision over HTTP."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console

from data.access_store import AccessStore
from data.log_place import MAIN
from serving.access.keys import KeyOrder, issue_key

STARTING_S = 180
NOT_YET = 503
DEBTORS = 5_000
MONTHS = 24
DAYS = 28
MODELS = ("chain", "lightgbm", "constant", "incumbent")


class NotStarted(ValueError):
    """The service that the demo started did not come up."""


def play_demo(workspace: Path, *, program: tuple[str, ...], console: Console) -> Iterator[str]:
    """Play every step that has not been played in this workspace; gives the lines that say where to look.

    Parameters
    ----------
    program
        The command that starts this program, without arguments.

    Raises
    ------
    subprocess.CalledProcessError
        A step failed; the next call goes on from there.
    """
    demo = Demo(workspace, program, console)
    steps = demo.all()
    for number, (title, step) in enumerate(steps, start=1):
        console.rule(f"[bold]{number} of {len(steps)}: {title}", align="left")
        demo.once(title, step)
    console.rule()
    yield from demo.where_to_look()


@dataclass(frozen=True)
class Demo:
    """The demo's steps: each is a command of this program, done once for a workspace and then kept."""

    workspace: Path
    program: tuple[str, ...]
    console: Console

    @property
    def folder(self) -> Path:
        """Where the demo keeps its portfolio and decisions."""
        return self.workspace / "demo"

    @property
    def portfolio(self) -> Path:
        """The simulated portfolio."""
        return self.folder / "portfolio"

    @property
    def as_of(self) -> str:
        """Moment of the demo's decisions: 28 days before the day of its first run, so that its end is the present."""
        kept = self.folder / "as_of.txt"
        if not kept.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            day = datetime.now(UTC).replace(hour=5, minute=0, second=0, microsecond=0) - timedelta(days=DAYS + 1)
            kept.write_text(day.isoformat(), encoding="utf-8")
        return kept.read_text(encoding="utf-8")

    def all(self) -> list[tuple[str, Callable[[], None]]]:
        """Title and action of every step, in order."""
        return [
            ("simulate a portfolio", self.simulate),
            ("check it against the contract", self.check),
            ("features of every open claim", self.features),
            (f"train {', '.join(MODELS)}", self.train),
            ("compare, and promote the best", self.promote),
            ("decide for every open claim", self.decide),
            (f"play the decisions forward {DAYS} days", self.play),
            ("report on what came of it", self.report),
            ("ask the service for one decision", self.ask),
        ]

    def once(self, title: str, step: Callable[[], None]) -> None:
        """Do a step unless it has been done; asking the service is always done anew."""
        done = self.folder / "done" / "".join(letter if letter.isalnum() else "-" for letter in title)
        if done.is_file() and step != self.ask:
            self.console.print("[dim]done before[/dim]")
            return
        step()
        done.parent.mkdir(parents=True, exist_ok=True)
        done.touch()

    def run(self, *arguments: str) -> None:
        """One command of this program in a process of its own, its output shown."""
        shown = shlex.join(["rettid", "--workspace", str(self.workspace), *arguments])
        self.console.print(f"$ {shown}", markup=False, highlight=False, soft_wrap=True)
        command = [*self.program, "--workspace", str(self.workspace), *arguments]
        subprocess.run(command, check=True)  # noqa: S603 # this program's own commands

    def simulate(self) -> None:
        """An experiment needs debtors in its arms: the demo gives control as many as the champion."""
        self.portfolio.mkdir(parents=True, exist_ok=True)
        arms = "[arms]\ncontrol = 0.45\nexplore = 0.10\nchampion = 0.45\n"
        (self.portfolio / "rettid.toml").write_text(arms, encoding="utf-8")
        size = ["--debtors", str(DEBTORS), "--months", str(MONTHS), "--seed", "1", "--truth", "500"]
        self.run("simulate", str(self.portfolio), *size, "--until", self.as_of)

    def check(self) -> None:
        """Every problem would be named; there is none."""
        self.run("check", str(self.portfolio))

    def features(self) -> None:
        """As they were knowable at the moment of decision."""
        self.run("features", str(self.portfolio), "--as-of", self.as_of, "--out", str(self.folder / "features.parquet"))

    def train(self) -> None:
        """One run of each model, all judged alike."""
        models = [word for name in MODELS for word in ("--model", name)]
        self.run("train", str(self.portfolio), "--as-of", self.as_of, *models)

    def promote(self) -> None:
        """The best of them. Its log is too small for the gate, which says so: an owner would start with a challenger."""
        self.run("compare")
        self.run("promote", "best", "--force", "a demonstration: simulated debtors, too few of them for the gate")

    def decide(self) -> None:
        """One decision for each debtor."""
        self.run("decide", str(self.portfolio), "--as-of", self.as_of, "--out", str(self.folder / "decisions.parquet"))

    def play(self) -> None:
        """What the simulated debtors do about it."""
        decisions = str(self.folder / "decisions.parquet")
        self.run("simulate", str(self.portfolio), "--continue", str(DAYS), "--decisions", decisions)

    def report(self) -> None:
        """Pages for managers, in two languages; printed are those about all creditors."""
        languages = ("--language", "en", "--language", "sv")
        self.run("report", "--out", str(self.workspace / "reports"), *languages, "--pdf", "none")

    def ask(self) -> None:
        """Start the service on loopback, ask it, tell it what happened, stop it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [*self.program, "--workspace", str(self.workspace), "serve", "--port", str(port)]
        service = subprocess.Popen(  # noqa: S603 # this program's own command
            [*command, "--portfolio", str(self.portfolio)], stderr=subprocess.DEVNULL
        )
        try:
            key = _key(self.workspace)
            self.console.print("rettid keys add --role collection_system: every call brings a key")
            debtor_id = _one_debtor(self.folder / "decisions.parquet")
            _ask_and_tell(f"http://127.0.0.1:{port}", debtor_id, key=key, console=self.console)
        finally:
            service.terminate()
            service.wait(timeout=30)

    def where_to_look(self) -> list[str]:
        """What was produced, and the commands to look further."""
        here = f"rettid --workspace {self.workspace}"
        store = f"sqlite:///{self.workspace / 'runs.db'}"
        return [
            f"report       {self.workspace / 'reports' / 'index.html'}",
            f"decisions    {self.folder / 'decisions.parquet'}",
            f"features     {self.folder / 'features.parquet'}",
            f"portfolio    {self.portfolio}  (simulated)",
            f"models       {here} compare",
            f"runs         .venv/bin/mlflow ui --backend-store-uri {store}",
            f"service      {here} serve --portfolio {self.portfolio}",
            f"             {here} managers add anna --tenant main   then RETTID_PLAIN_HTTP=1 and open /reports",
        ]


def _one_debtor(decisions: Path) -> str:
    """A debtor who was to be contacted, else the first."""
    rows = pq.read_table(decisions, columns=["debtor_id", "channel", "expected_value"]).sort_by(
        [("expected_value", "descending")]
    )
    return str(rows["debtor_id"][0].as_py())


def _key(workspace: Path) -> str:
    """A key that is good for a day."""
    store = AccessStore.open(workspace)
    try:
        now = datetime.now(UTC)
        name = f"demo-{uuid.uuid4().hex[:8]}"
        secret, _ = issue_key(store, KeyOrder(MAIN, "collection_system", name, 1, None), now=now)
    finally:
        store.close()
    return secret


def _ask_and_tell(address: str, debtor_id: str, *, key: str, console: Console) -> None:
    """One decision and one event over HTTP, shown as they went over the wire."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=2).close()  # noqa: S310 # our own loopback service
            break
        except OSError:
            time.sleep(0.2)
    decision = _post(f"{address}/v1/next-best-action", {"debtor_id": debtor_id}, key=key, console=console)
    moment = datetime.now(UTC).isoformat()
    row = {"claim_id": decision["claims"][0]["claim_id"], "at": moment, "kind": "inbound"}
    _post(
        f"{address}/v1/events",
        {"event_id": uuid.uuid4().hex, "table": "claim_events", "row": row},
        key=key,
        console=console,
    )


def _post(address: str, body: Mapping[str, object], *, key: str, console: Console) -> dict[str, Any]:
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": uuid.uuid4().hex,
        "Authorization": f"Bearer {key}",
    }
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)  # noqa: S310 # our own loopback service
    found: dict[str, Any] = _answered(request)
    console.print(f"POST {address}", json.dumps(body), markup=False, highlight=False, soft_wrap=True)
    console.print_json(json.dumps(found))
    return found


def _answered(request: urllib.request.Request) -> Any:  # noqa: ANN401 (an answer may be any JSON)
    """The answer, once the service has tried out its model and is warm: until then it says that it is starting."""
    for _ in range(STARTING_S):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 # our own loopback service
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != NOT_YET:
                raise
        time.sleep(1)
    raise NotStarted(f"the service was not ready within {STARTING_S} s: see its log")
