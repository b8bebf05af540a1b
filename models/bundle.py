"""Immutable model bundles: LightGBM text and JSON under `models/<version>/`, and the champion's pointer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from data.config import Config
from features.catalogue import catalogue, names
from features.reference import Reference
from models.amounts import ShareModel, load_share
from models.policies.tree import PolicyTree
from models.propensity import load_model
from models.protocol import PropensityModel, Rows
from models.segments import SegmentModel, load_segments

Chooser = Literal["value", "control", "constant", "tree"]
Role = Literal["champion", "challenger"]
FORMAT = 1
VERSION = r"[a-z0-9-]{1,64}"


class NoChampion(LookupError):
    """No model has been promoted in this workspace."""


class BadBundle(ValueError):
    """A bundle's files are missing, changed, or made for other features."""


class OtherConfiguration(ValueError):
    """A bundle was trained for other channels or another horizon than the configuration in force."""


@dataclass(frozen=True)
class Bundle:
    """A model with all that a decision needs of it.

    Attributes
    ----------
    model_version
        Identifier of the run that made it.
    recipe, chooser
        Name of the recipe, and how it turns values into an action: the highest value, the tenant's rules,
        `constant`: always the same channel and part of the day, or `tree`: those of the debtor's leaf.
    mean_share
        Mean share of the outstanding sum that a paying debtor pays within the horizon, 0 to 1.
    constant
        Channel name and part of the day of the constant action, for that chooser only.
    card
        Metrics, training window, settings: for people.
    untried
        Channels the log hardly holds: what the model says of them is what it says of others, so that it never chooses
        them; the control's rules and exploration may. With `none` among them nothing over `none` is identified: the
        control's rules then say whether, the model how and when.
    usual
        Value of each feature that reasons compare with, None for missing; empty for a bundle from before it was kept.
    tree
        The policy tree, for that chooser only.
    share_model
        Mean share paid by debtor and claim, whatever the action, used in place of `mean_share` where there is one.
    segments
        What tells a debtor's segment; None in a bundle from before there was one: every segment is then `unknown`.
    """

    model_version: str
    recipe: str
    chooser: Chooser
    model: PropensityModel
    reference: Reference
    mean_share: float
    card: Mapping[str, Any]
    constant: tuple[str, str] | None = None
    untried: tuple[str, ...] = ()
    usual: tuple[float | None, ...] = ()
    tree: PolicyTree | None = None
    share_model: ShareModel | None = None
    segments: SegmentModel | None = None

    def share(self, rows: Rows) -> float | npt.NDArray[np.float64]:
        """Mean share of what is outstanding that is paid where anything is: one number, or one a claim, shape (m,).

        `rows` holds the columns of debtor and claim, shape (m, F - columns of the action).
        """
        return self.mean_share if self.share_model is None else self.share_model.share(rows)

    def usual_values(self, width: int) -> npt.NDArray[np.float64]:
        """`usual` as numbers, NaN for missing, shape (width,); all missing where the bundle holds none."""
        return np.array(self.usual or (None,) * width, dtype=np.float64)


def must_fit(bundle: Bundle, config: Config) -> None:
    """Refuses a bundle whose channel codes or horizon are not those of the configuration: it would decide by mistake.

    Raises
    ------
    OtherConfiguration
        The channels, their order, or the horizon differ.
    """
    learnt, now = bundle.reference.channels, config.grid.channels
    days = bundle.card.get("horizon_days", config.horizon.days)
    if learnt == now and days == config.horizon.days:
        return
    raise OtherConfiguration(
        f"model {bundle.model_version} was trained for channels {', '.join(learnt)} and {days} days, the configuration "
        f"has {', '.join(now)} and {config.horizon.days} days: train and promote again, or set rettid.toml back"
    )


def feature_fingerprint(channels: tuple[str, ...]) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the feature names in order."""
    return hashlib.sha256("\n".join(names(catalogue(channels))).encode()).hexdigest()[:16]


def write_bundle(bundle: Bundle, directory: Path) -> Path:
    """Write a bundle's files; the manifest with their hashes comes last, so a bundle without one is not whole.

    Raises
    ------
    FileExistsError
        There is a bundle already: bundles never change.
    """
    directory.mkdir(parents=True, exist_ok=False)
    head = {
        "format": FORMAT,
        "model_version": bundle.model_version,
        "recipe": bundle.recipe,
        "chooser": bundle.chooser,
        "mean_share": bundle.mean_share,
        "constant": bundle.constant,
        "untried": bundle.untried,
        "tree": bundle.tree.as_dict() if bundle.tree else None,
        "usual": bundle.usual,
        "reference": bundle.reference.as_dict(),
        "features": names(catalogue(bundle.reference.channels)),
        "feature_fingerprint": feature_fingerprint(bundle.reference.channels),
        "card": bundle.card,
    }
    share = bundle.share_model.dump() if bundle.share_model else {}
    segments = bundle.segments.dump() if bundle.segments else {}
    files = {**bundle.model.dump(), **share, **segments, "bundle.json": json.dumps(head, indent=1, default=str)}
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    hashes = {name: _sha256(directory / name) for name in files}
    (directory / "manifest.json").write_text(json.dumps(hashes, indent=1), encoding="utf-8")
    return directory


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_bundle(directory: Path) -> Bundle:
    """A bundle from its folder, every file checked against the manifest before it is read.

    Raises
    ------
    BadBundle
        A file is missing or changed, or the features are not those of this version of the program.
    """
    files = _checked_files(directory)
    head = json.loads(files["bundle.json"])
    reference = Reference.from_dict(head["reference"])
    expected = feature_fingerprint(reference.channels)
    if head["format"] != FORMAT or head["feature_fingerprint"] != expected:
        raise BadBundle(
            f"{directory}: expected format {FORMAT} and features {expected}, came {head['format']} and "
            f"{head['feature_fingerprint']}: train again with this version"
        )
    return Bundle(
        model_version=head["model_version"],
        recipe=head["recipe"],
        chooser=head["chooser"],
        model=load_model(files),
        reference=reference,
        mean_share=head["mean_share"],
        card=head["card"],
        constant=tuple(head["constant"]) if head["constant"] else None,
        untried=tuple(head.get("untried", ())),
        usual=tuple(head.get("usual", ())),
        tree=PolicyTree.from_dict(head["tree"]) if head.get("tree") else None,
        share_model=load_share(files),
        segments=load_segments(files),
    )


def _checked_files(directory: Path) -> dict[str, str]:
    manifest = directory / "manifest.json"
    if not manifest.is_file():
        raise BadBundle(f"no bundle in {directory}: expected manifest.json there")
    hashes = _hashes(manifest)
    wrong = [
        name for name, sha in hashes.items() if not (directory / name).is_file() or _sha256(directory / name) != sha
    ]
    if wrong or "bundle.json" not in hashes:
        raise BadBundle(
            f"{directory}: {', '.join(wrong) or 'bundle.json'} missing or changed since it was written: restore or retrain"
        )
    return {name: (directory / name).read_text(encoding="utf-8") for name in hashes}


def _hashes(manifest: Path) -> dict[str, str]:
    try:
        hashes = json.loads(manifest.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadBundle(f"{manifest} is not JSON: {error}: restore or retrain") from error
    if not isinstance(hashes, dict):
        raise BadBundle(f"{manifest}: expected file names with their hashes, came {hashes!r:.40}: restore or retrain")
    return hashes


def point_to(workspace: Path, role: Role, *, model_version: str, forced: str = "") -> Path:
    """Make a bundle of the workspace champion or challenger: one atomic replacement of `models/<role>.json`.

    `forced` is the reason why it decides although the gate refused it; kept in the file where there is one.
    """
    path = workspace / "models" / f"{role}.json"
    fresh = path.with_suffix(".json.new")
    pointer = {"model_version": model_version, "directory": f"models/{model_version}"}
    fresh.write_text(json.dumps(pointer | ({"forced": forced} if forced else {})), encoding="utf-8")
    fresh.replace(path)
    return path


def pointed(workspace: Path, role: Role) -> Bundle | None:
    """The champion or challenger of a workspace, None where there is none."""
    version = pointed_version(workspace, role)
    return None if version is None else read_bundle(workspace / "models" / version)


def pointed_version(workspace: Path, role: Role) -> str | None:
    """Version of the champion or challenger, None where there is none.

    Raises
    ------
    BadBundle
        `models/<role>.json` names no version of ours.
    """
    path = workspace / "models" / f"{role}.json"
    if not path.is_file():
        return None
    try:
        version = json.loads(path.read_text(encoding="utf-8"))["model_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadBundle(f"{path}: expected JSON with model_version: promote again") from error
    if not isinstance(version, str) or not re.fullmatch(VERSION, version):
        raise BadBundle(f"{path}: model_version is none of ours (letters a-z, digits, dashes): promote again")
    return version


def champion(workspace: Path) -> Bundle:
    """The promoted model.

    Raises
    ------
    NoChampion
        Nothing has been promoted.
    """
    found = pointed(workspace, "champion")
    if found is None:
        raise NoChampion(f"no champion in {workspace}: run `rettid train` and `rettid promote RUN` first")
    return found
