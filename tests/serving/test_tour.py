"""The tour in docs/service.md: each request is sent, each answer shown is given, its Python is run over a real connection."""

import doctest
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from time import sleep

import uvicorn
from typer.testing import CliRunner

import rettid
from serving.access.matrix import MATRIX
from serving.counter import Counter
from serving.problems import KINDS
from tests.serving.test_operations import FullDisk

PAGE = Path(__file__).resolve().parents[2] / "docs" / "service.md"
STEP = re.compile(
    r"```http\n(?P<method>[A-Z]+) (?P<path>\S+)\n(?P<headers>(?:[A-Z][A-Za-z-]+: [^\n]+\n)*)(?P<body>.*?)```"
    r"\s+```json (?P<status>\d+)\n(?P<answer>.*?)```"
    r"|<!-- tour: (?P<happens>[^\n]+) -->"
    r"|```sh\n(?P<commands>rettid keys .*?)```"
    r"|```pycon\n(?P<session>.*?)```",
    re.DOTALL,
)
LATER = re.compile(r"(?P<count>\d+) (?P<unit>second|hour)s? later")


def shows(shown, given):
    """True where everything shown is given; `"..."` at the end of a list stands for more."""
    if isinstance(shown, dict):
        return isinstance(given, dict) and all(name in given and shows(shown[name], given[name]) for name in shown)
    if not isinstance(shown, list):
        return shown == given
    more = shown[-1:] == ["..."]
    shown = shown[:-1] if more else shown
    return (len(given) >= len(shown) if more else len(given) == len(shown)) and all(map(shows, shown, given))


@contextmanager
def listening(app) -> Iterator[str]:
    """The address of the application on a port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, ws="none"))
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class Tour:
    """Somebody who does what the page says."""

    service: object
    url: str
    keys: dict[str, str] = field(default_factory=dict)
    names: dict[str, object] = field(default_factory=dict)

    def take(self, step: re.Match) -> None:
        if step["happens"]:
            self.see(step["happens"])
        elif step["commands"]:
            for line in step["commands"].splitlines():
                self.issue(shlex.split(line)[1:])
        elif step["session"]:
            self.run(step["session"])
        else:
            self.send(step)

    def see(self, happens: str) -> None:
        tenants = self.service.client.app.state.tenants
        if later := LATER.fullmatch(happens):
            self.service.clock.advance(**{f"{later['unit']}s": int(later["count"])})
        elif happens == "the log is gone":
            self.working = tenants["main"]
            broken = replace(self.working.service, log=FullDisk())
            tenants["main"] = replace(self.working, counter=Counter(broken, patience_s=60))
        else:
            assert happens == "the log is back"
            tenants["main"] = self.working

    def issue(self, words: list[str]) -> None:
        done = CliRunner().invoke(rettid.app, ["--workspace", str(self.service.workspace), *words])
        assert done.exit_code == 0, done.output
        self.keys[words[words.index("--role") + 1]] = done.stdout.split()[-1]

    def key_for(self, method: str, path: str) -> str:
        if method == "DELETE":
            return self.keys["data_protection"]
        return self.keys["operations" if path == "/readyz" else "collection_system"]

    def send(self, step: re.Match) -> None:
        headers = dict(line.split(": ", 1) for line in step["headers"].splitlines())
        headers["Authorization"] = f"Bearer {self.key_for(step['method'], step['path'])}"
        headers |= {"Content-Type": "application/json"} if step["body"] else {}
        body = step["body"].encode()
        answer = self.service.client.request(step["method"], step["path"], content=body, headers=headers)
        assert answer.status_code == int(step["status"]), (step["path"], step["body"], answer.text)
        assert shows(json.loads(step["answer"]), answer.json()), (step["path"], step["body"], answer.text)

    def run(self, session: str) -> None:
        self.names |= {"url": self.url, "key": self.keys["collection_system"], "folder": self.service.workspace}
        told = []
        test = doctest.DocTestParser().get_doctest(session, self.names, "the tour", None, None)
        failed = doctest.DocTestRunner().run(test, out=told.append, clear_globs=False).failed
        self.names.update(test.globs)
        assert not failed, "".join(told)


def test_every_request_of_the_tour_is_answered_as_shown(service):
    text = PAGE.read_text()
    steps = list(STEP.finditer(text))
    assert sum(step["method"] is not None for step in steps) == text.count("```http") == text.count("```json")
    assert sum(step["session"] is not None for step in steps) == text.count("```pycon") > 0
    assert sum(step["commands"] is not None for step in steps) == text.count("```sh") > 0
    with listening(service.client.app) as url:
        tour = Tour(service, url)
        for step in steps:
            tour.take(step)


def test_the_tour_tells_a_row_of_every_table_and_makes_every_call_of_the_api():
    text = PAGE.read_text()
    for table in (
        "debtors",
        "debtor_profiles",
        "contact_points",
        "claims",
        "claim_events",
        "contacts",
        "contact_events",
    ):
        assert f'"table": "{table}"' in text
    asked = {(step["method"], step["path"]) for step in STEP.finditer(text) if step["method"]}
    for method, path in (call for call in MATRIX if "/v1/" in call[1]):
        shape = re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
        assert any(verb == method and shape.fullmatch(real) for verb, real in asked), (method, path)


def test_every_kind_of_problem_stands_on_the_page():
    pages = {"csrf", "not-found", "method-not-allowed"}
    assert [kind for kind in KINDS if f"`{kind}`" not in PAGE.read_text() and kind not in pages] == []


def test_what_is_not_given_is_not_shown():
    assert shows({"a": [1, "..."]}, {"a": [1, 2], "b": 3})
    assert not shows({"a": 1}, {})
    assert not shows([1], [1, 2])
    assert not shows({"a": [2, "..."]}, {"a": [1, 2]})
