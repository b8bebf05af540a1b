"""Immutable model bundles: LightGBM text and JSON under `models/<version>/`, and the champion's pointer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from data.config import Config
from features.catalogue import catalogue, names
from features.reference import Reference
from models.amounts import ShareModel, load_share
from models.bundle_files import (
    GOLDEN,
    HEAD,
    MANIFEST,
    BadBundle,
    BundleFiles,
    json_object,
    read_files,
    read_small,
    replace_durably,
    sha256,
    sync_folder,
    write_durably,
)
from models.bundle_golden import golden_text
from models.bundle_head import FORMAT, feature_fingerprint, fitting_head, must_be_ready
from models.bundle_seal import seal
from models.policies.tree import PolicyTree
from models.propensity import load_model
from models.protocol import PropensityModel, Rows
from models.segments import SegmentModel, load_segments

__all__ = [
    "BadBundle",
    "Bundle",
    "Chooser",
    "NoChampion",
    "OtherConfiguration",
    "Role",
    "bundle_from",
    "champion",
    "feature_fingerprint",
    "must_fit",
    "point_to",
    "pointed",
    "pointed_version",
    "read_bundle",
    "write_bundle",
]

Chooser = Literal["value", "control", "constant", "tree"]
Role = Literal["champion", "challenger"]
VERSION = r"[a-z0-9-]{1,64}"


class NoChampion(LookupError):
    """No model has been promoted in this workspace."""


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
    digest
        SHA-256 of its manifest, and so of all its files; empty for a bundle that was not read from disk.
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
    digest: str = field(default="", compare=False)

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


def write_bundle(bundle: Bundle, directory: Path) -> Path:
    """Write a bundle's files; the manifest with their hashes comes last, so a bundle without one is not whole.

    Raises
    ------
    FileExistsError
        There is a bundle already: bundles never change.
    BadBundle
        The model says something of the golden rows that is no chance.
    """
    directory.mkdir(parents=True, exist_ok=False)
    share = bundle.share_model.dump() if bundle.share_model else {}
    segments = bundle.segments.dump() if bundle.segments else {}
    model = {**bundle.model.dump(), **share}
    golden = golden_text(
        bundle.model, bundle.share_model,
        texts=[text for name, text in sorted(model.items()) if name.endswith(".txt")],
        usual=bundle.usual, channels=bundle.reference.channels,
    )  # fmt: skip
    files = {**model, **segments, GOLDEN: golden, HEAD: json.dumps(_head(bundle), indent=1, default=str)}
    data = {name: text.encode() for name, text in files.items()}
    for name, one in data.items():
        write_durably(directory / name, one)
    hashes = {name: sha256(one) for name, one in data.items()}
    write_durably(directory / MANIFEST, json.dumps(hashes, indent=1).encode())
    sync_folder(directory)
    sync_folder(directory.parent)
    return directory


def _head(bundle: Bundle) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "lightgbm": lgb.__version__,
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


def read_bundle(directory: Path) -> Bundle:
    """A bundle from its folder, every file checked against the manifest before it is read.

    Raises
    ------
    BadBundle
        A file is missing or changed, or it is not for the features or libraries of this version of the program.
    """
    return bundle_from(read_files(directory))


def bundle_from(files: BundleFiles) -> Bundle:
    """A bundle from its files.

    Raises
    ------
    BadBundle
        The features or libraries are not those of this version of the program, or a file is not of the form expected.
    """
    head = fitting_head(files)
    try:
        return _bundle(head, files)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, lgb.basic.LightGBMError) as error:
        raise BadBundle(f"{files.directory} cannot be read ({error!r:.100}): restore or train again") from error


def _bundle(head: Mapping[str, Any], files: BundleFiles) -> Bundle:
    return Bundle(
        model_version=head["model_version"],
        recipe=head["recipe"],
        chooser=head["chooser"],
        model=load_model(files.texts),
        reference=Reference.from_dict(head["reference"]),
        mean_share=head["mean_share"],
        card=head["card"],
        constant=tuple(head["constant"]) if head["constant"] else None,
        untried=tuple(head.get("untried", ())),
        usual=tuple(head.get("usual", ())),
        tree=PolicyTree.from_dict(head["tree"]) if head.get("tree") else None,
        share_model=load_share(files.texts),
        segments=load_segments(files.texts),
        digest=files.digest,
    )


def point_to(workspace: Path, role: Role, *, model_version: str, forced: str = "") -> Path:
    """Hand a bundle of the workspace over as champion or challenger: sign it, then replace `models/<role>.json` at once.

    `forced` is the reason why it decides although the gate refused it; kept in the file where there is one.

    Raises
    ------
    BadBundle
        There is no such bundle, it has changed, or it cannot be handed over.
    models.bundle_seal.BadSigningKey
        The workspace's key cannot be used.
    """
    path = workspace / "models" / f"{role}.json"
    files = read_files(workspace / "models" / model_version)
    must_be_ready(files)
    seal(workspace, files)
    pointer = {"model_version": model_version, "directory": f"models/{model_version}"}
    replace_durably(path, json.dumps(pointer | ({"forced": forced} if forced else {})).encode())
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
        `models/<role>.json` names no version of ours, or another folder than that version's.
    """
    path = workspace / "models" / f"{role}.json"
    if not path.is_symlink() and not path.exists():
        return None
    pointer = json_object(read_small(path), what=str(path))
    version = pointer.get("model_version")
    if not isinstance(version, str) or not re.fullmatch(VERSION, version):
        raise BadBundle(f"{path}: model_version is none of ours (letters a-z, digits, dashes): promote again")
    if pointer.get("directory", f"models/{version}") != f"models/{version}":
        raise BadBundle(f"{path}: expected the folder models/{version}, came another: promote again")
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
