"""What a workspace holds of the models that decide: their bundles' cards, what they look at most, the gate's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb

from features.catalogue import SENSITIVE, catalogue
from models.bundle import Role, pointed_version
from models.bundle_files import HEAD, BadBundle, BundleFiles, json_object, read_files, read_small
from training.gate.contributions import CONTROL, Contributions, Difference, OtherDecisions, difference
from training.gate.evidence import Evidence

GATE = Path("artifacts") / "gate"
"""Folder of a run's files in which its evidence stands, under `mlruns/RUN`."""


@dataclass(frozen=True)
class Weight:
    """A family of features and the share of what all splits gained that fell to it; `group` is its subject."""

    family: str
    group: str
    share: float


@dataclass(frozen=True)
class Card:
    """A promoted model as its bundle and its run tell of it.

    Attributes
    ----------
    head
        `bundle.json` as it stands, its `card` among it.
    promoted_us
        When the pointer was last written; who did it is not kept.
    forced
        Why it decides although the gate refused it; empty where the gate did not.
    weights
        Families of features by gain, largest first; empty for a model without trees.
    evidence, gain
        What the gate looked at, and what the run earned over the present rules; None where it was not kept or cannot be told.
    """

    role: Role
    version: str
    digest: str
    head: Mapping[str, Any]
    promoted_us: int
    forced: str
    weights: tuple[Weight, ...]
    evidence: Evidence | None
    gain: Difference | None

    @property
    def card(self) -> Mapping[str, Any]:
        """What training wrote down of the run."""
        found: Mapping[str, Any] = self.head["card"]
        return found

    @property
    def sensitive(self) -> tuple[str, ...]:
        """Sensitive features that its trees split on: none unless the tenant declared them lawful."""
        used = {one.family for one in self.weights if one.share > 0}
        return tuple(name for name in SENSITIVE if name in used)


def card_of(workspace: Path, role: Role) -> Card | None:
    """The card of the champion or challenger, None where there is none.

    Raises
    ------
    BadBundle
        What is pointed to cannot be read.
    """
    version = pointed_version(workspace, role)
    if version is None:
        return None
    pointer = workspace / "models" / f"{role}.json"
    files = read_files(workspace / "models" / version)
    run = workspace / "mlruns" / version / GATE
    evidence = run / "evidence.json"
    return Card(
        role=role,
        version=version,
        digest=files.digest,
        head=files.part(HEAD),
        promoted_us=pointer.stat().st_mtime_ns // 1000,
        forced=str(json_object(read_small(pointer), what=str(pointer)).get("forced", "")),
        weights=weights(files),
        evidence=Evidence.read(evidence) if evidence.is_file() else None,
        gain=_gain(run / "contributions.parquet"),
    )


def _gain(path: Path) -> Difference | None:
    """What the run's policy earned over the present rules on the judged decisions, EUR a decision."""
    if not path.is_file():
        return None
    own = Contributions.read(path)
    try:
        return difference(own, own, others=CONTROL)
    except OtherDecisions:
        return None


def weights(files: BundleFiles) -> tuple[Weight, ...]:
    """Share of each family of features in the gain of a bundle's boosters, each booster counting alike, largest first."""
    channels = tuple(files.part(HEAD)["reference"]["channels"])
    columns = catalogue(channels)
    found: Counter[str] = Counter()
    for name, text in files.texts.items():
        if name.endswith(".txt") and text:
            gain = lgb.Booster(model_str=text).feature_importance("gain")
            if len(gain) == len(columns) and gain.sum() > 0:
                found.update(
                    {
                        one: float(gain[[column.family == one for column in columns]].sum() / gain.sum())
                        for one in {column.family for column in columns}
                    }
                )
    total = sum(found.values())
    group = {column.family: column.group for column in columns}
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Weight(family, group[family], share / total) for family, share in ordered if share > 0)


def mean_shares(workspace: Path, versions: Iterable[str]) -> dict[str, float]:
    """Mean share of what is owed that a payer pays, by version, of the bundles that the workspace still holds."""
    found = {}
    for version in sorted(set(versions)):
        folder = workspace / "models" / version
        try:
            found[version] = float(read_files(folder).part(HEAD)["mean_share"])
        except (BadBundle, KeyError, TypeError, ValueError):
            continue  # a bundle that is gone or changed has no share that could be relied on
    return found
