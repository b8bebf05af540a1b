"""Names that lead out of a folder, in every place that takes one: no file is opened but the service's own."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from urllib.parse import quote

from serving.settings import ServiceSettings
from tests.faults.calls import Answer, Caller, decide
from tests.faults.line import Line
from tests.faults.services import keys_of, nursery
from tests.faults.strace import traced
from tests.faults.world import debtor_name, write_many

SECRET = "7d1f-not-to-be-read"
OPENINGS = ("-s", "500", "-e", "trace=open,openat,openat2,creat")
OPENED = re.compile(r'open(?:at)?\((?:AT_FDCWD[^,]*|\d+[^,]*)?,? ?"(?P<path>[^"]*)".*\) += (?P<file>\d+)')
UPS = ("../", "..\\", "....//", "..;/", "/", "//", "\u2025/", "\uff0e\uff0e/", "..\u2215", "./../", "a/../../")
TARGETS = ("secret", "secret.html", "etc/passwd", "workspace/secret", "rettid.toml", "decisions.db")
WHOLE = (
    "link", "link.html", "folder", ".", "..", "~", "file:///etc/passwd", "file:secret", "C:\\secret", "secret\x00",
    "uplift\x00.html", "uplift#", "uplift?", "uplift;", "uplift\n", "uplift%", "\x2e\x2e", "x" * 300, "-", "", "CON", "uplift.html.html",
)  # fmt: skip
PROCFS = ("/proc/", "/sys/", "/dev/")
"""Where the figures of the process itself are read."""


def names() -> list[str]:
    """Names that are none."""
    return [*map("".join, product(UPS, TARGETS)), *WHOLE]


def outside(rounds: int) -> Line:
    """Each name as it is, percent-encoded, and encoded twice, in paths, bodies and queries."""
    if shutil.which("strace") is None:
        return Line("names that lead out of a folder", "0", "not traced", ("expected strace: apt install strace",))
    with tempfile.TemporaryDirectory() as folder:
        settings = write_many(Path(folder), debtors=2)
        _plant(settings)
        keys, wrong, statuses = keys_of(settings), list[str](), Counter[int]()
        with nursery(Path(folder)) as found:
            running = found.start(replace(settings, patience_ms=20_000))
            _ask(running.port, keys, ["uplift"], wrong, Counter())  # what is opened once is open by now
            with traced([running.pid], Path(folder) / "opened", options=OPENINGS) as trace:
                for _ in range(rounds):
                    _ask(running.port, keys, names(), wrong, statuses)
                _ask(running.port, keys, ["uplift"], wrong, Counter())
        files = paths_in(trace)
        wrong += [f"{path} was opened" for path in files if _is_outside(path, Path(folder), settings)]
    if not any(path.endswith("reports/uplift.html") for path in files):
        wrong.append("expected the page that there is among the files opened: the trace shows nothing")
    shown = ", ".join(f"{times} x {status}" for status, times in sorted(statuses.items()))
    return Line(
        "names that lead out of a folder, each file opened traced (strace)",
        f"{len(names())} names in 3 spellings, {sum(statuses.values())} requests",
        f"{shown}; {len(files)} files opened, {len(wrong)} of them or of the answers not the service's own",
        tuple(wrong[:10]),
    )


def _plant(settings: ServiceSettings) -> None:
    """Files that must not be read, and ways to them."""
    reports = settings.workspace / "reports"
    reports.mkdir()
    (reports / "uplift.html").write_text("<p>a page</p>", encoding="utf-8")
    for folder in (settings.workspace, settings.workspace.parent):
        for name in ("secret", "secret.html"):
            (folder / name).write_text(SECRET, encoding="utf-8")
    (reports / "link.html").symlink_to(settings.workspace / "secret.html")
    (reports / "folder.html").mkdir()


def paths_in(trace: Path) -> list[str]:
    """Files that were opened, in their order."""
    text = trace.read_text(encoding="utf-8", errors="replace")
    return [found["path"] for line in text.splitlines() if (found := OPENED.search(line))]


def _is_outside(path: str, folder: Path, settings: ServiceSettings) -> bool:
    """Whether a file is none of the service's, or one that was planted."""
    if path.startswith(PROCFS):
        return False
    within = Path(path).resolve().is_relative_to(settings.workspace) and "secret" not in path
    return not (within or Path(path).resolve().is_relative_to(folder / "portfolio")) or path.endswith("link.html")


def _ask(port: int, keys: dict[str, str], found: list[str], wrong: list[str], statuses: Counter[int]) -> None:
    callers = {role: Caller(port, keys[role]) for role in ("manager", "collection_system", "data_protection")}
    for name in found:
        for spelt in {quote(name, safe="/;:~"), quote(name, safe=""), quote(quote(name, safe=""), safe="")}:
            for answer in _sent(callers, name, spelt):
                statuses[0 if answer is None else answer.status] += 1
                wrong += [f"{name[:40]!r} as {spelt[:40]}: {fault}" for fault in _faults(answer)]
    for one in callers.values():
        one.close()


def _sent(callers: dict[str, Caller], name: str, spelt: str) -> Iterator[Answer | None]:
    system, manager = callers["collection_system"], callers["manager"]
    yield manager.get(f"/reports/{spelt}")
    yield manager.get(f"/reports?name={spelt}")
    yield system.get(f"/v1/decisions/{spelt}")
    yield system.post(f"/v1/decisions/{spelt}/confirm")
    yield callers["data_protection"].send("DELETE", f"/v1/debtors/{spelt}", None, {})
    yield system.post("/v1/events", {"event_id": "e", "table": name, "row": {}})
    yield system.post(*decide(debtor_name(0), channels=[name]))
    yield system.post(*decide(name))


def _faults(answer: Answer | None) -> Iterator[str]:
    if answer is None or answer.status >= 500:
        yield "no answer" if answer is None else str(answer.status)
    elif SECRET.encode() in answer.body or b"root:" in answer.body:
        yield "a file outside was told"
