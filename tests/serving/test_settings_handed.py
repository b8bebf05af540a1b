"""Secrets reach the workers without standing in an environment, and a bundle's trial is given none at all."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serving import bundle_check
from serving.bundle_check import tried_in_child
from serving.run import serve
from serving.settings import BadServiceSettings, ServiceSettings, from_environment, settings_from
from serving.settings_handed import handed_over
from tests.serving.test_hand_over import a_bundle, add

URL = "postgresql+psycopg://rettid:four-words@127.0.0.1/rettid"
SETTINGS = ServiceSettings(Path("w"), portfolio=Path("p"), database=URL, access=f"{URL}-keys", workers=2)


def named_files(variables: dict[str, str]) -> dict[str, Path]:
    found = json.loads(variables["RETTID_SERVICE"])
    return {name: Path(path) for name, path in found["files"].items()}


def test_workers_read_the_very_settings_and_no_secret_stands_in_their_environment() -> None:
    with handed_over(SETTINGS, {}) as variables:
        assert "four-words" not in str(variables)
        assert from_environment(variables) == SETTINGS
        assert from_environment(variables) == SETTINGS  # a worker that is started in another's place reads them again


def test_nobody_else_may_read_the_files_and_they_are_gone_at_the_end() -> None:
    with handed_over(SETTINGS, {}) as variables:
        files = named_files(variables)
        assert set(files) == {"database", "access"}
        for path in files.values():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not any(path.parent.exists() for path in files.values())


def test_a_secret_that_the_operator_keeps_in_a_file_is_read_there(tmp_path: Path) -> None:
    mine = tmp_path / "database"
    mine.write_text(f"{URL}\n", encoding="utf-8")
    environment = {"RETTID_DATABASE_FILE": str(mine)}
    with handed_over(replace(SETTINGS, access=None), environment) as variables:
        assert named_files(variables) == {"database": mine}
        assert from_environment(variables).database == URL
    with handed_over(replace(SETTINGS, database="sqlite://other"), environment) as variables:
        assert named_files(variables)["database"] != mine


def test_without_a_secret_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    with handed_over(ServiceSettings(Path("w")), {}) as variables:
        assert from_environment(variables) == ServiceSettings(Path("w"))
        assert "files" not in json.loads(variables["RETTID_SERVICE"])


@pytest.mark.parametrize("files", [[], {"host": "x"}, {"database": "/nowhere/database"}, {"database": 7}])
def test_files_that_are_none_of_ours_or_not_there_are_refused(files: Any) -> None:
    with pytest.raises(BadServiceSettings, match="RETTID_SERVICE"):
        from_environment({"RETTID_SERVICE": json.dumps({"workspace": "w", "files": files})})


def served(settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What the server of several workers is started with, and the environment they inherit."""
    found: dict[str, Any] = {}

    def run(_app: str, **keywords: Any) -> None:
        found.update(keywords, environment=dict(os.environ), read=from_environment(os.environ))

    monkeypatch.setattr("serving.run.uvicorn.run", run)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setenv("RETTID_SERVICE", "")  # so that it is taken back at the end
    serve(settings)
    return found


def test_a_service_of_several_workers_puts_no_password_into_their_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = served(SETTINGS, monkeypatch, tmp_path)
    assert found["read"] == SETTINGS
    assert "four-words" not in str(found["environment"])


def test_a_proxys_word_on_addresses_is_believed_only_of_those_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = {"host": "127.0.0.1", "port": 8000, "workers": 2, "tenants": False}
    assert settings_from({}, Path("w"), None, **told).forwarded_allow_ips == "127.0.0.1,::1"
    named = {"RETTID_FORWARDED_ALLOW_IPS": "172.31.77.1, 10.0.0.0/24"}
    settings = settings_from(named, Path("w"), None, **told)
    found = served(settings, monkeypatch, tmp_path)
    assert found["proxy_headers"] is True
    assert found["forwarded_allow_ips"] == "172.31.77.1,10.0.0.0/24"
    for bad in ("*", "proxy", "10.0.0.7,", "10.0.0.7/8"):
        with pytest.raises(BadServiceSettings, match="RETTID_FORWARDED_ALLOW_IPS"):
            settings_from({"RETTID_FORWARDED_ALLOW_IPS": bad}, Path("w"), None, **told)


def test_a_bundle_is_tried_out_by_a_child_that_is_given_no_setting_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[dict[str, str]] = []

    def run(_command: list[str], *, env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        given.append(env)
        return subprocess.CompletedProcess([], 0, stdout=b'{"reason": ""}')

    monkeypatch.setenv("RETTID_DATABASE", URL)
    monkeypatch.setenv("PGPASSWORD", "four-words")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(bundle_check.subprocess, "run", run)
    add(tmp_path, "good", a_bundle())
    files = bundle_check.read_files(tmp_path / "models" / "good")
    bundle_check._passed.discard(files.digest)
    try:
        tried_in_child(files)
    finally:
        bundle_check._passed.discard(files.digest)
    (env,) = given
    assert "four-words" not in str(env)
    assert not [name for name in env if name.startswith("RETTID_")]
    assert env["NUMBA_CACHE_DIR"] == str(tmp_path)
    assert env["PATH"] == os.environ["PATH"]
