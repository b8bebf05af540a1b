"""Bundles of earlier decisions: none is loaded that was edited, that nobody signed, or that its trial does not survive."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.bundle import BadBundle, Bundle, point_to
from models.bundle_files import MANIFEST, SIGNATURE, BundleFiles, read_files
from serving.bundles_again import KEPT, BundlesAgain
from serving.models_in_use import ModelsInUse
from tests.serving.bad_artifacts import BAD
from tests.serving.test_hand_over import a_bundle, add, another_bundle, not_tried


class Trial:
    """Counts the bundles that are tried out; refuses those named."""

    def __init__(self, *bad: str) -> None:
        self.tried: list[str] = []
        self._bad = bad

    def __call__(self, files: BundleFiles) -> None:
        self.tried.append(files.directory.name)
        if files.directory.name in self._bad:
            raise BadBundle(f"{files.directory.name} died of SIGABRT")


def not_there(_digest: str) -> Bundle | None:
    return None


def told_of(workspace: Path, version: str) -> str:
    """How a decision names a bundle."""
    return f"{version} {read_files(workspace / 'models' / version).digest}"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Bundles that were handed over once."""
    for number in range(KEPT + 1):
        point_to(tmp_path, "champion", model_version=add(tmp_path, f"m{number}", another_bundle()))
    return tmp_path


def test_a_bundle_that_is_another_one_now_is_refused_before_anything_of_it_is_loaded(workspace: Path) -> None:
    told, trial = told_of(workspace, "m0"), Trial()
    manifest = workspace / "models" / "m0" / MANIFEST
    manifest.write_bytes(manifest.read_bytes() + b" ")
    (workspace / "models" / "m0" / SIGNATURE).unlink()
    with pytest.raises(BadBundle, match="the bundle m0 is not the one that decided"):
        BundlesAgain(workspace, in_memory=not_there, trial=trial).of(told)
    assert trial.tried == []


def test_an_edited_file_or_one_that_nobody_signed_is_refused_untried(workspace: Path) -> None:
    told, trial = {version: told_of(workspace, version) for version in ("m0", "m1")}, Trial()
    (workspace / "models" / "m0" / "rates.json").write_text("{}", encoding="utf-8")
    (workspace / "models" / "m1" / SIGNATURE).unlink()
    again = BundlesAgain(workspace, in_memory=not_there, trial=trial)
    for one in told.values():
        with pytest.raises(BadBundle):
            again.of(one)
    assert trial.tried == []


def test_a_model_that_would_end_the_process_ends_a_child_instead(tmp_path: Path) -> None:
    point_to(tmp_path, "champion", model_version=add(tmp_path, "good", a_bundle()))
    (deadly,) = (one for one in BAD if one.name == "tree that goes in a circle")
    version = deadly.make(tmp_path, "good")
    with pytest.raises(BadBundle, match=deadly.words):
        BundlesAgain(tmp_path, in_memory=not_there).of(told_of(tmp_path, version))


def test_each_bundle_is_tried_out_once_whether_it_is_good_or_not_and_however_many_ask(workspace: Path) -> None:
    trial = Trial("m1")
    again = BundlesAgain(workspace, in_memory=not_there, trial=trial)
    good, bad = told_of(workspace, "m0"), told_of(workspace, "m1")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(again.of, [good] * 16))
    assert {id(one) for one in found} == {id(found[0])}
    for _ in range(3):
        with pytest.raises(BadBundle, match="m1 died of SIGABRT"):
            again.of(bad)
    assert trial.tried == ["m0", "m1"]


def test_a_bundle_in_use_is_handed_out_from_memory(workspace: Path) -> None:
    in_use, trial = ModelsInUse(workspace, trial=not_tried), Trial()
    champion = in_use.current().champion
    told = told_of(workspace, champion.model_version)
    (workspace / "models" / champion.model_version / "rates.json").unlink()
    assert BundlesAgain(workspace, in_memory=in_use.kept, trial=trial).of(told) is champion
    assert in_use.kept("another") is None
    assert trial.tried == []


def test_only_so_many_are_kept(workspace: Path) -> None:
    trial = Trial()
    again = BundlesAgain(workspace, in_memory=not_there, trial=trial)
    told = [told_of(workspace, f"m{number}") for number in range(KEPT + 1)]
    first = again.of(told[0])
    for one in told[1:]:
        again.of(one)
    assert again.of(told[-1]) is again.of(told[-1])
    assert again.of(told[0]) is not first
