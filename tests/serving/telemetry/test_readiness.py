"""Ready means that the work can be done; a check that hangs or breaks is not well, and says nothing it should not."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from serving.telemetry.checks import (
    champion_loaded,
    configuration_fits,
    disk_space,
    not_draining,
    packs_read,
    store_writable,
    warm,
)
from serving.telemetry.draining import Draining
from serving.telemetry.readiness import Check, Probe, look
from serving.telemetry.vocabulary import CHECKS
from tests.serving.telemetry.watched import CANARIES, telemetry


def all_well(folder: Path, draining: Draining) -> list[Probe]:
    return [
        store_writable(lambda: None),
        champion_loaded(lambda: None),
        configuration_fits(lambda: None),
        packs_read(lambda: 9, list),
        disk_space(folder, told=lambda _: None, at_least_bytes=1),
        warm(lambda: True),
        not_draining(draining),
    ]


def breaks() -> None:
    raise RuntimeError(CANARIES[0])


def test_all_well_is_200_and_names_every_check(tmp_path: Path) -> None:
    found = look(all_well(tmp_path, Draining()))
    assert found.status == 200
    assert found.as_json()["status"] == "ready"
    assert set(found.by_name()) == CHECKS
    told = telemetry()
    told.checks(found.by_name())
    for name in CHECKS:
        assert f'rettid_check_ok{{check="{name}"}} 1.0' in told.text().decode()


@pytest.mark.parametrize(
    "probe",
    [
        store_writable(breaks),
        champion_loaded(breaks),
        configuration_fits(breaks),
        packs_read(lambda: 0, list),
        disk_space(Path("/"), told=lambda _: None, at_least_bytes=10**18),
        disk_space(Path("/not/there"), told=lambda _: None),
        warm(lambda: False),
    ],
)
def test_one_that_is_not_well_is_503_and_says_what_to_do(probe: Probe, tmp_path: Path) -> None:
    found = look([*all_well(tmp_path, Draining()), probe])
    assert found.status == 503
    assert found.as_json()["status"] == "not ready"
    bad = [check for check in found.checks if not check.ok]
    assert len(bad) == 1
    assert len(bad[0].detail) > 10
    assert "Canary" not in bad[0].detail


def test_a_refused_pack_is_told_and_leaves_the_others_at_work() -> None:
    assert packs_read(lambda: 8, lambda: ["SE: refused"])() == Check(
        "packs_read", ok=True, detail="1 to look at: rettid rules check"
    )


def test_a_store_that_hangs_is_told_in_time_and_not_asked_again_before_it_comes_back() -> None:
    goes_on, asked = threading.Event(), []

    def hangs() -> None:
        asked.append(1)
        goes_on.wait(10)

    probe = store_writable(hangs, limit_s=0.05)
    begun = time.perf_counter()
    assert "longer than 0.05 s" in probe().detail
    assert "has not come back" in probe().detail
    assert time.perf_counter() - begun < 1
    assert len(asked) == 1
    goes_on.set()
    time.sleep(0.05)
    assert probe().ok
    assert len(asked) == 2


def test_the_room_left_is_told(tmp_path: Path) -> None:
    told: list[int] = []
    disk_space(tmp_path, told=told.append)()
    assert told[0] > 0


def test_from_the_moment_a_stop_is_asked_for_it_is_not_ready(tmp_path: Path) -> None:
    draining = Draining()
    probes = all_well(tmp_path, draining)
    assert look(probes).status == 200
    draining.begin()
    found = look(probes)
    assert found.status == 503
    assert [check.name for check in found.checks if not check.ok] == ["not_draining"]
