"""A model reaches the service whole, signed and tried out, or not at all; what was good goes on answering."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

from models.bundle import BadBundle, Bundle, NoChampion, point_to, write_bundle
from models.bundle_files import MANIFEST, SIGNATURE, BundleFiles, read_files
from models.bundle_seal import PRIVATE, PUBLIC
from models.calibration import Calibration
from models.propensity import BoosterModel
from serving import bundle_check
from serving.bundle_check import Limits, checked, tried_in_child
from serving.models_in_use import Models, ModelsInUse
from tests.deciding import COLUMNS, bundle_of, rate_model
from tests.portfolios import histories
from tests.serving.bad_artifacts import BAD, CANARY, TEXT, BadArtifact, copied, point, rewritten
from tests.strategies import random_tables

ROOT = Path(__file__).resolve().parents[2]
EVERY = os.environ.get("RETTID_FAULTS") == "all"
"""Whether every position is tried, as in `make test-faults`, or a sample."""


@cache
def a_bundle() -> Bundle:
    """A small LightGBM model that asks for some ten columns."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(2_000, len(COLUMNS))).astype(np.float32)
    paid = rows[:, :10].sum(axis=1) + rng.normal(size=len(rows)) > 0
    settings = {"objective": "binary", "num_leaves": 8, "num_threads": 1, "verbose": -1, "seed": 1}
    booster = lgb.train(settings, lgb.Dataset(rows, paid.astype(float)), 5)
    return bundle_of(histories(random_tables(3)), BoosterModel(booster, Calibration(0.0, 1.0)))


@cache
def another_bundle() -> Bundle:
    return bundle_of(histories(random_tables(3)), rate_model())


def add(workspace: Path, version: str, bundle: Bundle) -> str:
    write_bundle(replace(bundle, model_version=version), workspace / "models" / version)
    return version


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good champion that was handed over; the current folder is where a canary would be found."""
    monkeypatch.chdir(tmp_path)
    point_to(tmp_path, "champion", model_version=add(tmp_path, "good", a_bundle()))
    return tmp_path


def not_tried(_files: BundleFiles) -> None:
    """A trial that lets everything pass."""


def must_not_be_tried(files: BundleFiles) -> None:
    raise AssertionError(f"{files.directory} should have been refused before it was tried out")


class Told(list[tuple[str, str]]):
    def __call__(self, role: str, reason: str) -> None:
        self.append((role, reason))


@pytest.mark.parametrize("bad", [one for one in BAD if not one.tried], ids=lambda one: one.name)
def test_a_bad_artifact_is_refused_before_it_is_tried_out(workspace: Path, bad: BadArtifact) -> None:
    told = Told()
    in_use = ModelsInUse(workspace, trial=not_tried, on_refused=told)
    before = in_use.current()
    bad.make(workspace, "good")
    in_use._trial = must_not_be_tried
    began = time.perf_counter()
    assert in_use.check_now().champion is before.champion
    assert time.perf_counter() - began < 2
    ((role, reason),) = told
    assert role == "champion"
    assert bad.words in reason
    assert not CANARY.exists()


@pytest.mark.parametrize("bad", [one for one in BAD if one.tried], ids=lambda one: one.name)
def test_a_bad_artifact_with_right_hashes_and_signature_is_found_by_the_child(
    workspace: Path, bad: BadArtifact
) -> None:
    bad.make(workspace, "good")
    with pytest.raises(BadBundle, match=bad.words):
        checked(workspace, "champion")
    assert not CANARY.exists()


def test_a_good_bundle_passes_the_child_and_is_not_tried_twice(workspace: Path) -> None:
    files = read_files(workspace / "models" / "good")
    bundle_check._passed.discard(files.digest)
    tried_in_child(files)
    began = time.perf_counter()
    tried_in_child(files)
    assert time.perf_counter() - began < 0.01
    in_use = ModelsInUse(workspace)
    assert in_use.current().champion.digest == files.digest
    assert in_use.refused == ()


def test_a_bundle_that_changes_between_check_and_trial_is_refused(workspace: Path) -> None:
    files = read_files(workspace / "models" / "good")
    copied(workspace, "good", "good-2")
    with pytest.raises(BadBundle, match="has changed while it was looked at"):
        tried_in_child(replace(files, directory=workspace / "models" / "good-2", manifest=files.manifest + b" "))


def without_structure(files: BundleFiles, *, seconds: float) -> int:
    """How the child ends when it does not look whether trees hang together."""
    program = "import serving.bundle_child as c; c.must_hang_together = lambda texts: None; c.main()"
    arguments = [str(files.directory), files.digest, str(seconds), str(4 * 2**30)]
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, check=False, timeout=60)
    return done.returncode


def test_a_prediction_that_never_ends_is_ended(workspace: Path) -> None:
    (circle,) = (one for one in BAD if one.name == "tree that goes in a circle")
    files = read_files(workspace / "models" / circle.make(workspace, "good"))
    assert without_structure(files, seconds=1.0) == -signal.SIGPROF


def test_a_child_that_is_too_slow_or_too_hungry_says_so(workspace: Path) -> None:
    files = read_files(copied(workspace, "good", "slow"))
    with pytest.raises(BadBundle, match=r"took longer than 0\.0001 s over its predictions"):
        tried_in_child(files, limits=Limits(seconds=0.0001))
    with pytest.raises(BadBundle, match=r"took longer than 0\.2 s: train again"):
        tried_in_child(files, limits=Limits(in_all_seconds=0.2))
    with pytest.raises(BadBundle, match=r"memory|died|ended"):
        tried_in_child(files, limits=Limits(bytes=2**20))


def test_every_flipped_byte_is_refused(workspace: Path) -> None:
    folder = workspace / "models" / "good"
    rng = np.random.default_rng(3)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        places = np.arange(len(whole))
        if not EVERY or len(whole) > 2_000:
            places = rng.choice(places, min(len(whole), 2_000 if EVERY else 40), replace=False)
        for place in places.tolist():
            flipped = bytearray(whole)
            flipped[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(bytes(flipped))
            with pytest.raises(BadBundle):
                checked(workspace, "champion", trial=must_not_be_tried)
        path.write_bytes(whole)
    assert checked(workspace, "champion", trial=not_tried) is not None


def test_every_truncation_is_refused(workspace: Path) -> None:
    folder = workspace / "models" / "good"
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for size in np.linspace(0, len(whole) - 1, 200 if EVERY else 20).astype(int).tolist():
            path.write_bytes(whole[:size])
            with pytest.raises(BadBundle):
                checked(workspace, "champion", trial=must_not_be_tried)
        path.write_bytes(whole)


def test_a_file_that_the_manifest_does_not_name_is_never_opened(workspace: Path) -> None:
    folder = workspace / "models" / "good"
    os.mkfifo(folder / "extra.json")  # opening it would wait for ever
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n(S'mkdir canary-was-run'\ntR.")
    files = checked(workspace, "champion", trial=not_tried)
    assert files is not None
    assert not {"extra.json", "model.pkl"} & set(files.texts)
    assert not CANARY.exists()


def test_the_service_needs_the_public_key_alone(workspace: Path) -> None:
    (workspace / PRIVATE).unlink()
    (workspace / PRIVATE).parent.joinpath(".gitignore").unlink()
    (workspace / PRIVATE).parent.rmdir()
    assert checked(workspace, "champion", trial=not_tried) is not None


@pytest.mark.parametrize("key", [None, b"", b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"])
def test_without_a_public_key_nothing_is_trusted(workspace: Path, key: bytes | None) -> None:
    if key is None:
        (workspace / PUBLIC).unlink()
    else:
        (workspace / PUBLIC).write_bytes(key)
    with pytest.raises(BadBundle, match="public key"):
        checked(workspace, "champion", trial=must_not_be_tried)


def test_an_unsigned_bundle_is_used_once_it_is_promoted_again(workspace: Path) -> None:
    (workspace / "models" / "good" / SIGNATURE).unlink()
    with pytest.raises(NoChampion, match="expected a signature"):
        ModelsInUse(workspace, trial=not_tried).current()
    point_to(workspace, "champion", model_version="good")
    assert ModelsInUse(workspace, trial=not_tried).current().champion.model_version == "good"


def test_a_refusal_is_told_once_for_each_change(workspace: Path) -> None:
    told = Told()
    in_use = ModelsInUse(workspace, trial=not_tried, on_refused=told, background=False)
    in_use.current()
    for _ in range(3):
        point(workspace, "gone", "challenger")
        for _ in range(5):
            assert in_use.current().challenger is None
    assert [role for role, _ in told] == ["challenger"] * 3
    assert [one.role for one in in_use.refused] == ["challenger"]
    point_to(workspace, "champion", model_version=add(workspace, "second", another_bundle()))
    assert in_use.current().champion.model_version == "second"
    assert len(told) == 3  # the challenger's pointer has not changed, so it is neither looked at nor told of again
    point_to(workspace, "challenger", model_version="good")
    assert in_use.current().challenger is not None
    assert in_use.refused == ()


def test_a_champion_pointer_that_is_gone_leaves_the_last_good_one(workspace: Path) -> None:
    in_use = ModelsInUse(workspace, trial=not_tried, background=False)
    before = in_use.current()
    (workspace / "models" / "champion.json").unlink()
    assert in_use.current().champion is before.champion
    assert "champion.json is gone" in in_use.refused[0].reason


def test_a_challenger_that_was_good_first_is_there_when_the_champion_comes(workspace: Path) -> None:
    point_to(workspace, "challenger", model_version=add(workspace, "second", another_bundle()))
    point(workspace, "gone")
    in_use = ModelsInUse(workspace, trial=not_tried)
    with pytest.raises(NoChampion, match="no bundle in"):
        in_use.current()
    point(workspace, "good")
    challenger = in_use.current().challenger
    assert challenger is not None
    assert challenger.model_version == "second"


class Gate:
    """A trial that waits until it is let through."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()
        self.tried: list[str] = []

    def __call__(self, files: BundleFiles) -> None:
        self.tried.append(files.directory.name)
        self.begun.set()
        assert self.open.wait(10)


def settled(in_use: ModelsInUse, version: str) -> Models:
    """The models once a version is champion."""
    ends = time.monotonic() + 10
    while (found := in_use.current()).champion.model_version != version:
        assert time.monotonic() < ends
        time.sleep(0.005)
    return found


def test_no_request_waits_for_a_check_and_a_change_meanwhile_comes_next(workspace: Path) -> None:
    gate = Gate()
    in_use = ModelsInUse(workspace, trial=not_tried)
    in_use.current()
    in_use._trial = gate
    point_to(workspace, "champion", model_version=add(workspace, "second", another_bundle()))
    in_use.current()
    assert gate.begun.wait(5)
    point_to(workspace, "champion", model_version=add(workspace, "third", a_bundle()))
    began = time.perf_counter()
    assert {in_use.current().champion.model_version for _ in range(1_000)} == {"good"}
    assert time.perf_counter() - began < 1
    gate.open.set()
    settled(in_use, "third")
    assert gate.tried == ["second", "third"]


def test_the_first_to_ask_waits_and_all_get_the_same(workspace: Path) -> None:
    gate = Gate()
    in_use = ModelsInUse(workspace, trial=gate)
    found: list[Models] = []
    threads = [threading.Thread(target=lambda: found.append(in_use.current())) for _ in range(8)]
    for one in threads:
        one.start()
    assert gate.begun.wait(5)
    assert found == []
    gate.open.set()
    for one in threads:
        one.join(10)
    assert len(found) == 8
    assert len({id(one) for one in found}) == 1
    assert gate.tried == ["good"]


def test_fifty_swaps_under_load_never_fail_and_never_mix(workspace: Path) -> None:
    add(workspace, "second", another_bundle())
    in_use = ModelsInUse(workspace, trial=not_tried)
    in_use.current()
    stop = threading.Event()

    def ask() -> set[tuple[str, str]]:
        seen = set()
        while not stop.is_set():
            models = in_use.current()
            seen.add((models.champion.model_version, models.champion.digest))
            time.sleep(0.0002)
        return seen

    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask) for _ in range(8)]
        for number in range(50):
            version = ("second", "good")[number % 2]
            point_to(workspace, "champion", model_version=version)
            settled(in_use, version)
        stop.set()
        seen = set().union(*(one.result() for one in asking))
    assert sorted(version for version, _ in seen) == ["good", "second"]


def test_going_back_takes_the_bundle_that_was_loaded(workspace: Path) -> None:
    add(workspace, "second", another_bundle())
    in_use = ModelsInUse(workspace, trial=not_tried, background=False)
    found = []
    for version in ("good", "second", "good", "second"):
        point_to(workspace, "champion", model_version=version)
        found.append(in_use.current().champion)
    assert found[0] is found[2]
    assert found[1] is found[3]


def changing(workspace: Path) -> Iterator[Path]:
    yield from (workspace / "models" / "good").iterdir()


def test_handing_over_changes_nothing_in_a_bundle_but_its_signature(workspace: Path) -> None:
    before = {path: path.read_bytes() for path in changing(workspace)}
    point_to(workspace, "challenger", model_version="good")
    after = {path: path.read_bytes() for path in changing(workspace)}
    assert before == after  # the same key signs the same words the same way
    assert {MANIFEST, SIGNATURE, TEXT} <= {path.name for path in after}


def test_asking_costs_microseconds(workspace: Path) -> None:
    in_use = ModelsInUse(workspace, trial=not_tried)
    in_use.current()
    marks = []
    for _ in range(200):
        marks.append(time.perf_counter())
        in_use.current()
    assert np.median([end - begin for begin, end in pairwise(marks)]) < 0.001


def test_a_changed_text_under_a_right_signature_is_another_digest(workspace: Path) -> None:
    folder = copied(workspace, "good", "again")
    before = read_files(folder).digest
    rewritten(workspace, folder, TEXT, (folder / TEXT).read_text(encoding="utf-8") + "\n")
    assert read_files(folder).digest != before
