"""What a bundle was made for, looked at before anything of its model is: form, features, LightGBM."""

from __future__ import annotations

import hashlib
from typing import Any

import lightgbm as lgb

from features.catalogue import catalogue, names
from models.bundle_files import GOLDEN, HEAD, BadBundle, BundleFiles

FORMAT = 1


def feature_fingerprint(channels: tuple[str, ...]) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the feature names in order."""
    return hashlib.sha256("\n".join(names(catalogue(channels))).encode()).hexdigest()[:16]


def fitting_head(files: BundleFiles) -> dict[str, Any]:
    """`bundle.json`, which says what the model was made for; nothing of the model is read.

    Raises
    ------
    BadBundle
        It was made in another form, for other features, or with another major version of LightGBM.
    """
    head = files.part(HEAD)
    try:
        expected = feature_fingerprint(tuple(head["reference"]["channels"]))
        came, form = head["feature_fingerprint"], head["format"]
        library = str(head.get("lightgbm", lgb.__version__)).partition(".")[0]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadBundle(f"{files.directory / HEAD} cannot be read ({error!r:.100}): restore or train again") from error
    if form != FORMAT or came != expected:
        raise BadBundle(
            f"{files.directory}: expected format {FORMAT} and features {expected}, came {form} and {came}: "
            "train again with this version"
        )
    if library != lgb.__version__.partition(".")[0]:
        raise BadBundle(
            f"{files.directory}: written with LightGBM {library}, here is {lgb.__version__}: train again with this one"
        )
    return head


def must_be_ready(files: BundleFiles) -> None:
    """Refuses a bundle that may not be handed over.

    It is made for another version of the program, calls itself otherwise than its folder, or holds no golden predictions.

    Raises
    ------
    BadBundle
        What is amiss.
    """
    inside = fitting_head(files).get("model_version")
    if inside != files.directory.name:
        raise BadBundle(
            f"{files.directory}: expected that version inside, came {inside!r:.80}: train again, then promote"
        )
    if GOLDEN not in files.texts:
        raise BadBundle(
            f"{files.directory}: expected {GOLDEN} in its manifest: train again with this version, then promote"
        )
