"""The command line and the documents agree."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

import rettid
from tests.documents.markdown import ROOT, documents, shell_lines

APP: Any = typer.main.get_command(rettid.app)
CONTRACT = {
    "simulate", "check", "features", "train", "compare", "promote", "decide", "config",
    "frame check", "frame learn", "frame evaluate", "report", "serve", "demo",
}  # fmt: skip
DOCUMENTS = [str(path.relative_to(ROOT)) for path in documents()]


def walk(command: Any, *, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each command that does something, by the words that call it."""
    for word, below in getattr(command, "commands", {}).items():
        path = f"{name} {word}".strip()
        if hasattr(below, "commands"):
            yield from walk(below, name=path)
        else:
            yield path, below


COMMANDS = dict(walk(APP))


def faults(line: str) -> list[str]:
    """What in a shell line that calls `rettid` or `make` the program does not know."""
    words = shlex.split(line)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if not words:
        return []
    if words[0] == "make":
        known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        return [f"make {word}" for word in words[1:] if re.fullmatch("[a-z]+", word) and word not in known]
    return unknown(words[1:]) if words[0].split("/")[-1] == "rettid" else []


def unknown(words: list[str]) -> list[str]:
    """The first word that is no command, or every option that its command lacks."""
    command, path = APP, "rettid"
    while hasattr(command, "commands"):
        given = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        while words and words[0].startswith("--"):
            if words[0].split("=")[0] not in given:
                return [f"{path} {words[0]}"]
            words = words[1 if "=" in words[0] or words[0] in {"--help", "--version"} else 2 :]
        if not words:
            return []
        if words[0] not in command.commands:
            return [f"{path} {words[0]}"]
        command, path, words = command.commands[words[0]], f"{path} {words[0]}", words[1:]
    given = {o for parameter in command.params for o in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    return [f"{path} {word}" for word in words if word.startswith("--") and word.split("=")[0] not in given]


def test_every_command_of_the_contract_exists() -> None:
    assert set(COMMANDS) >= CONTRACT


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_and_each_of_its_options_has_help(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert [p.name for p in command.params if p.opts[0].startswith("-") and not p.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_stands_in_the_readme(name: str) -> None:
    assert re.search(rf"\brettid {name}\b", (ROOT / "README.md").read_text())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_calls_only_commands_options_and_targets_that_exist(document: str) -> None:
    lines = list(shell_lines((ROOT / document).read_text()))
    assert [fault for line in lines for fault in faults(line)] == []


def test_a_command_an_option_and_a_target_that_do_not_exist_are_found() -> None:
    assert faults("rettid --workspace here check DIR") == []
    assert faults(".venv/bin/rettid --workspace here chekc DIR") == ["rettid chekc"]
    assert faults("rettid decide DIR --as-of T --greddy") == ["rettid decide --greddy"]
    assert faults("CI=true make demonstration") == ["make demonstration"]
