"""The commands that give and take access."""

from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from data.access_store import AccessStore, BadName, NameTaken, UnknownName
from serving.access.commands import keys, managers
from serving.access.keys import FORM, BadKeyOrder
from serving.access.passwords import WeakPassword, is_password
from tests.serving.access.doors import CHEAP, PASSWORD

app = typer.Typer()
app.add_typer(keys, name="keys")
app.add_typer(managers, name="managers")


@app.callback()
def _global(context: typer.Context, workspace: Annotated[Path, typer.Option("--workspace")]) -> None:
    context.obj = workspace


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in ("RETTID_ACCESS", "RETTID_DATABASE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)

    def call(*words: str, typed: str | None = None) -> Any:
        return CliRunner().invoke(app, ["--workspace", str(tmp_path), *words], input=typed, catch_exceptions=False)

    return call


@pytest.fixture
def store(tmp_path):
    found = AccessStore.open(tmp_path)
    yield found
    found.close()


def add(run, *more: str, role: str = "collection_system", name: str = "nightly") -> str:
    return run("keys", "add", "--tenant", "north", "--role", role, "--name", name, *more).stdout.strip()


def test_a_key_is_shown_once_and_alone_on_standard_output(run, store):
    key = add(run)
    assert FORM.fullmatch(key.encode())
    (kept,) = store.all_keys()
    assert (kept.key_id, kept.tenant, kept.role, kept.name) == (key[7:15], "north", "collection_system", "nightly")
    listed = run("keys", "list").stdout
    assert kept.key_id in listed
    assert key[16:] not in listed


def test_a_key_may_run_out_and_see_some_creditors_only(run, store):
    add(run, "--days", "30", "--creditor", "k-energy", "--creditor", "k-water", role="manager")
    (kept,) = store.all_keys()
    assert (kept.expires_at - kept.created_at).days == 30
    assert kept.creditors == {"k-energy", "k-water"}
    assert "k-energy, k-water" in run("keys", "list").stdout


def test_a_key_is_rotated_and_revoked(run, store):
    old = add(run)[7:15]
    new = run("keys", "rotate", old, "--hours", "2").stdout.strip()[7:15]
    assert (store.key(old).expires_at - store.key(new).created_at).total_seconds() == 7200
    assert run("keys", "revoke", new).stdout == f"{new}: revoked\n"
    assert [line.split("│")[-2].strip() for line in run("keys", "list").stdout.splitlines() if new in line] == [
        "revoked"
    ]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("keys", "add", "--tenant", "North", "--role", "manager", "--name", "x"), BadName),
        (("keys", "add", "--tenant", "north", "--role", "boss", "--name", "x"), BadKeyOrder),
        (("keys", "revoke", "ffffffff"), UnknownName),
        (("keys", "rotate", "ffffffff"), UnknownName),
        (("managers", "disable", "bert"), UnknownName),
        (("managers", "password", "bert"), UnknownName),
    ],
)
def test_a_mistake_is_told(run, words, error):
    with pytest.raises(error, match="expected"):
        run(*words, typed=f"{PASSWORD}\n")


def test_a_manager_is_added_listed_and_disabled(run, store):
    said = run("managers", "add", "anna", "--tenant", "north", "--creditor", "k-energy", typed=f"{PASSWORD}\n")
    assert said.stdout == "anna: added\n"
    assert store.manager("anna").password.startswith("scrypt$n=32768,r=8,p=3$")
    assert "k-energy" in run("managers", "list").stdout
    run("managers", "disable", "anna")
    assert "disabled" in run("managers", "list").stdout
    with pytest.raises(NameTaken, match="anna is there already"):
        run("managers", "add", "anna", "--tenant", "north", typed=f"{PASSWORD}\n")


def test_a_password_is_changed(run, store):
    run("managers", "add", "anna", "--tenant", "north", typed=f"{PASSWORD}\n")
    before = store.manager("anna").password
    said = run("managers", "password", "anna", typed="five other words than those\n")
    assert said.stdout == "anna: password changed\n"
    assert is_password("five other words than those", store.manager("anna").password, cost=CHEAP)
    assert not is_password(PASSWORD, store.manager("anna").password, cost=CHEAP)
    assert store.manager("anna").password != before


def test_a_short_password_is_not_taken(run, store):
    with pytest.raises(WeakPassword, match="expected 12 to 256 characters, came 5"):
        run("managers", "add", "anna", "--tenant", "north", typed="short\n")
    assert store.managers() == ()


def test_a_store_elsewhere_may_be_named(run, tmp_path):
    elsewhere = str(tmp_path / "elsewhere.db")
    add(run, "--store", elsewhere)
    found = AccessStore.open(elsewhere)
    assert len(found.all_keys()) == 1
    found.close()


@pytest.mark.parametrize("name", ["RETTID_ACCESS", "RETTID_DATABASE", "RETTID_ACCESS_FILE"])
def test_the_store_is_the_one_that_the_service_takes(run, tmp_path, monkeypatch, name):
    elsewhere = str(tmp_path / "elsewhere.db")
    if name.endswith("_FILE"):
        (tmp_path / "secret").write_text(elsewhere + "\n", encoding="utf-8")
    monkeypatch.setenv(name, str(tmp_path / "secret") if name.endswith("_FILE") else elsewhere)
    add(run)
    found = AccessStore.open(elsewhere)
    assert len(found.all_keys()) == 1
    found.close()
    assert not (tmp_path / "access.db").exists()
