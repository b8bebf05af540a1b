"""Bundles: the same after a round trip, refused when anything in them changed."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from data.config import Config, GridSettings, HorizonSettings
from models.bundle import (
    BadBundle,
    Bundle,
    NoChampion,
    OtherConfiguration,
    champion,
    must_fit,
    point_to,
    pointed,
    read_bundle,
    write_bundle,
)
from models.calibration import Calibration
from models.propensity import LogisticModel
from tests.deciding import COLUMNS, bundle_of, decided, rate_model, rows_of
from tests.portfolios import histories
from tests.strategies import START, random_tables

ROWS = np.random.default_rng(1).integers(0, 6, (40, len(COLUMNS))).astype(np.float64)


def logistic(seed: int) -> LogisticModel:
    rng = np.random.default_rng(seed)
    width = len(COLUMNS)
    numbers = [tuple(rng.normal(0, 0.1, width).tolist()) for _ in range(3)]
    scale = tuple(rng.uniform(0.5, 2, width).tolist())
    return LogisticModel(-1.0, numbers[0], scale, numbers[1], numbers[2], {0: (0.3, -0.2)}, Calibration(0.1, 0.9))


def a_bundle(**changes: object) -> Bundle:
    return replace(bundle_of(histories(random_tables(3)), rate_model()), **changes)  # type: ignore[arg-type] # fields by name


def written(folder: Path, **changes: object) -> Path:
    return write_bundle(a_bundle(**changes), folder / "models" / "m1")


@pytest.mark.parametrize("model", [rate_model(), logistic(2)], ids=["rates", "logistic"])
def test_a_bundle_is_the_same_after_a_round_trip(tmp_path: Path, model: LogisticModel) -> None:
    card = {"auc": 0.7, "rows": {"learn": 5}}
    before = a_bundle(model=model, constant=("sms", "evening"), untried=("portal",), card=card)
    after = read_bundle(write_bundle(before, tmp_path / "m1"))
    assert replace(after, model=before.model) == before
    np.testing.assert_array_equal(after.model.probability(ROWS), before.model.probability(ROWS))


def test_a_bundle_decides_as_it_did_before_it_was_written(tmp_path: Path) -> None:
    found = histories(random_tables(3))
    before = bundle_of(found, logistic(4))
    after = read_bundle(write_bundle(before, tmp_path / "m1"))
    as_of = START + timedelta(days=250)
    assert rows_of(decided(found, as_of, bundle=after)) == rows_of(decided(found, as_of, bundle=before))


def test_nothing_in_a_bundle_is_a_pickle(tmp_path: Path) -> None:
    for path in written(tmp_path).iterdir():
        assert path.suffix in (".json", ".txt")
        path.read_text(encoding="utf-8")


def test_a_bundle_never_changes_once_written(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(FileExistsError):
        written(tmp_path)


@pytest.mark.parametrize("name", ["rates.json", "bundle.json"])
def test_one_changed_byte_is_refused(tmp_path: Path, name: str) -> None:
    directory = written(tmp_path)
    whole = bytearray((directory / name).read_bytes())
    whole[len(whole) // 2] ^= 1
    (directory / name).write_bytes(bytes(whole))
    with pytest.raises(BadBundle, match=f"{name} missing or changed"):
        read_bundle(directory)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    directory = written(tmp_path)
    (directory / "rates.json").unlink()
    with pytest.raises(BadBundle, match=r"rates\.json missing or changed"):
        read_bundle(directory)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    directory = written(tmp_path)
    (directory / "manifest.json").unlink()
    with pytest.raises(BadBundle, match=r"expected manifest\.json there"):
        read_bundle(directory)


@pytest.mark.parametrize("text", ["", '{"bundle.json": "12', "[]", "{}"])
def test_a_manifest_that_is_no_list_of_hashes_is_refused(tmp_path: Path, text: str) -> None:
    directory = written(tmp_path)
    (directory / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadBundle, match=r"manifest\.json|bundle\.json"):
        read_bundle(directory)


def test_a_bundle_for_other_features_is_refused(tmp_path: Path) -> None:
    directory = written(tmp_path)
    head = json.loads((directory / "bundle.json").read_text(encoding="utf-8"))
    sealed_again(directory, head | {"feature_fingerprint": "0" * 16})
    with pytest.raises(BadBundle, match="came 1 and 0000000000000000: train again"):
        read_bundle(directory)


def sealed_again(directory: Path, head: dict[str, object]) -> None:
    """Another head, with its right hash: what another version of the program would have written."""
    (directory / "bundle.json").write_text(json.dumps(head), encoding="utf-8")
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    manifest["bundle.json"] = hashlib.sha256((directory / "bundle.json").read_bytes()).hexdigest()
    (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_without_a_champion_the_way_to_one_is_said(tmp_path: Path) -> None:
    assert pointed(tmp_path, "champion") is None
    with pytest.raises(NoChampion, match="rettid promote RUN"):
        champion(tmp_path)


def test_the_champion_is_the_bundle_last_pointed_to(tmp_path: Path) -> None:
    written(tmp_path)
    write_bundle(a_bundle(model_version="m2"), tmp_path / "models" / "m2")
    for version in ("m1", "m2", "m1"):
        point_to(tmp_path, "champion", model_version=version)
        assert champion(tmp_path).model_version == version
    assert pointed(tmp_path, "challenger") is None


def test_pointing_replaces_the_pointer_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    written(tmp_path)
    write_bundle(a_bundle(model_version="m2"), tmp_path / "models" / "m2")
    path = point_to(tmp_path, "champion", model_version="m1")
    with path.open(encoding="utf-8") as held:  # a reader that opened it before sees it whole
        point_to(tmp_path, "champion", model_version="m2")
        assert json.load(held) == {"model_version": "m1", "directory": "models/m1"}
    assert json.loads(path.read_text(encoding="utf-8"))["model_version"] == "m2"
    assert sorted(one.name for one in path.parent.iterdir()) == ["champion.json", "m1", "m2"]


def test_a_pointer_to_a_bundle_that_is_gone_is_refused(tmp_path: Path) -> None:
    point_to(tmp_path, "champion", model_version=written(tmp_path).name)
    shutil.rmtree(tmp_path / "models" / "m1")
    with pytest.raises(BadBundle, match=r"expected manifest\.json there"):
        champion(tmp_path)


def test_nothing_is_pointed_to_that_is_not_there_or_has_changed(tmp_path: Path) -> None:
    directory = written(tmp_path)
    with pytest.raises(BadBundle, match=r"expected manifest\.json there"):
        point_to(tmp_path, "champion", model_version="gone")
    (directory / "rates.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadBundle, match=r"rates\.json missing or changed"):
        point_to(tmp_path, "champion", model_version="m1")
    assert pointed(tmp_path, "champion") is None


@pytest.mark.parametrize(
    ("config", "differs"),
    [
        (
            Config(grid=GridSettings(("none", "sms", "email", "letter", "phone", "portal", "chat"))),
            "portal, chat and 14",
        ),
        (Config(horizon=HorizonSettings(21)), "14 days, the configuration has .* 21 days"),
    ],
    ids=["as many channels, another one among them", "horizon"],
)
def test_a_bundle_trained_for_another_configuration_is_refused(config: Config, differs: str) -> None:
    subject = a_bundle(card={"horizon_days": 14})
    must_fit(subject, Config())
    with pytest.raises(OtherConfiguration, match=differs):
        must_fit(subject, config)
