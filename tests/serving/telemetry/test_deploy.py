"""Files of deploy/: read as what they are, hardened as they say, and without any password or registry's address."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.settings import settings_from
from serving.telemetry.exposition import FOLDER
from serving.telemetry.settings import LEVEL, SAMPLE, BadSample, log_settings
from tests.documents.markdown import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
CONTAINERFILE = re.sub(r"\\\n\s*", " ", (DEPLOY / "Containerfile").read_text())
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
SERVE = ["serve", "--host", "0.0.0.0", "--port", "8000", "--workers", "4"]
ROOMS = ("data", "features", "models", "training", "serving")


def unit() -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string((DEPLOY / "rettid.service").read_text())
    return found


def instructions(word: str) -> list[str]:
    return [line.partition(" ")[2] for line in CONTAINERFILE.splitlines() if line.startswith(word + " ")]


def test_the_image_is_of_locked_hashed_libraries_and_runs_as_nobody_in_particular() -> None:
    runs = " ".join(instructions("RUN"))
    assert "--require-hashes -r requirements.lock" in runs
    assert "--no-index --no-deps --no-build-isolation ." in runs
    assert instructions("USER") == ["10001:10001"]
    assert instructions("FROM") == ["python:3.11-slim-bookworm AS build", "python:3.11-slim-bookworm"]
    assert yaml.safe_load(instructions("ENTRYPOINT")[0]) == ["rettid", "--workspace", "/var/lib/rettid"]
    assert yaml.safe_load(instructions("CMD")[0]) == SERVE
    assert "/healthz" in instructions("HEALTHCHECK")[0]


def test_the_image_holds_each_room_and_the_builder_gets_nothing_else() -> None:
    copied = {
        words.split()[0].rstrip("/") for words in instructions("COPY") if not words.startswith(("--", "req", "pyp"))
    }
    assert copied == set(ROOMS)
    lines = (DEPLOY / "Containerfile.dockerignore").read_text().splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    for room in ROOMS:
        assert f"!{room}" in lines


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_each_container_can_do_little(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] in ("10001:10001", "postgres")
    assert "mem_limit" in service
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "privileged" not in service


def test_the_service_runs_several_workers_against_postgresql_by_a_secret_file() -> None:
    service, store = COMPOSE["services"]["service"], COMPOSE["services"]["postgres"]
    assert service["command"] == SERVE
    assert service["environment"]["RETTID_DATABASE_FILE"] == "/run/secrets/rettid_database"
    assert service["secrets"] == ["rettid_database"]
    assert store["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/postgres_password"
    assert {"fsync=on", "synchronous_commit=on", "full_page_writes=on"} <= set(store["command"])
    assert store["volumes"] == ["postgres:/var/lib/postgresql/data"]
    assert "ports" not in store
    assert COMPOSE["networks"]["store"] == {"internal": True}
    assert store["networks"] == ["store"]
    assert int(service["stop_grace_period"].rstrip("s")) >= 15


def test_the_service_believes_the_gateway_of_its_own_network_and_nobody_else_on_where_callers_are() -> None:
    believed = COMPOSE["services"]["service"]["environment"]["RETTID_FORWARDED_ALLOW_IPS"]
    (front,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert believed == front["gateway"]
    assert ip_address(believed) in ip_network(front["subnet"])
    told = {"host": "", "port": 0, "workers": 1, "tenants": False}
    given = {"RETTID_FORWARDED_ALLOW_IPS": believed}
    assert settings_from(given, ROOT, None, **told).forwarded_allow_ips == believed


def test_every_volume_network_and_secret_that_is_used_is_declared() -> None:
    services = COMPOSE["services"].values()
    assert {volume.split(":")[0] for one in services for volume in one.get("volumes", [])} == set(COMPOSE["volumes"])
    assert {network for one in services for network in one["networks"]} == set(COMPOSE["networks"])
    assert {secret for one in services for secret in one.get("secrets", [])} == set(COMPOSE["secrets"])
    assert all(secret["file"].startswith("secrets/") for secret in COMPOSE["secrets"].values())
    assert "/secrets/" in (DEPLOY / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_holds_a_password_or_the_address_of_a_registry(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"(?i)password[ \t]*[:=][ \t]*[^\s/{]", text)
    assert not re.search(r"://[^\s/]+:[^\s/@]+@", text)
    assert not re.search(r"(?i)docker\.io|ghcr\.io|quay\.io|https?://(?!127\.0\.0\.1)", text)


def test_the_unit_is_hardened_and_stops_in_time() -> None:
    service = unit()["Service"]
    wanted = {
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ReadWritePaths": "/var/lib/rettid",
        "Restart": "on-failure",
        "TimeoutStopSec": "15",
        "KillMode": "mixed",
        "CapabilityBoundingSet": "",
        "User": "rettid",
    }
    assert {name: service[name] for name in wanted} == wanted
    assert "MemoryMax" in service
    words = shlex.split(service["ExecStart"])
    assert words[:3] == ["/opt/rettid/bin/rettid", "--workspace", "/var/lib/rettid"]
    assert words[3] == "serve"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "rettid.service"
    copy.write_text((DEPLOY / "rettid.service").read_text().replace("/opt/rettid/bin/rettid", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "rettid.service" in line] == []
    assert done.returncode == 0


def test_the_example_names_variables_that_are_read_and_no_secret() -> None:
    lines = (DEPLOY / "environment.example").read_text().splitlines()
    variables = {found[1] for line in lines if (found := re.match(r"# ([A-Z_]+)=", line))}
    read = {"RETTID_DATABASE_FILE", "RETTID_ACCESS_FILE", "RETTID_PATIENCE_MS", "RETTID_FORWARDED_ALLOW_IPS"}
    assert variables == {*read, LEVEL, SAMPLE, FOLDER}
    settings = (ROOT / "serving" / "settings.py").read_text()
    assert [name for name in read if f'"{name.removesuffix("_FILE")}"' not in settings] == []
    assert all(line.startswith("#") or not line for line in lines)


@pytest.mark.parametrize("sample", ["0", "-1", "1.5", "", "many", "²", "9" * 30])
def test_a_sample_that_is_no_whole_number_is_refused(sample: str) -> None:
    with pytest.raises(BadSample, match="expected a whole number from 1"):
        log_settings({SAMPLE: sample})


def test_the_alert_on_refused_packs_does_not_wait_for_a_rise_since_they_are_counted_before_anybody_looks() -> None:
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"][0]["rules"]
    (expression,) = [one["expr"] for one in rules if one["alert"] == "RettidPackFellBack"]
    assert expression == 'sum(rettid_fallbacks_total{kind=~"last_good_pack|no_pack"}) > 0'
