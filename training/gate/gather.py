"""Gathers in training what the gate looks at when a run is promoted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from data.times import from_us
from models.bundle import feature_fingerprint
from models.decide import Decided, chosen_again
from training.gate.contributions import CHAMPION, CONTROL, OWN, Contributions, Part
from training.gate.evidence import Evidence, barred_of, calibration_of, groups_of, pressure_of
from training.gate.rivals import Rival
from training.judge import Judgement
from training.material import Material
from training.policy_value import PolicyValue, policy_value
from training.splits import cluster_numbers


@dataclass(frozen=True)
class Gathered:
    """Evidence of a run and the contributions it rests on."""

    evidence: Evidence
    contributions: Contributions


def gather_evidence(
    material: Material,
    recipe: str,
    *,
    settings: Mapping[str, Any],
    decided: Decided,
    judgement: Judgement,
    rival: Rival,
) -> Gathered:
    """Everything the gate needs of one run.

    Parameters
    ----------
    decided
        The judged decisions, taken again by the run's judged model.
    rival
        The present champion on the same decisions.
    """
    rows, found = material.rows, judgement.value
    names = (
        np.array(material.histories.channels, dtype=np.object_),
        np.array(material.histories.countries, dtype=np.object_),
    )
    channels, countries = names[0][rows.channel], names[1][material.histories.country[rows.debtor]]
    evidence = Evidence(
        recipe=recipe,
        settings=dict(settings),
        features=feature_fingerprint(material.histories.channels),
        as_of=from_us(material.as_of_us).isoformat(),
        champion=rival.version,
        champion_note=rival.note,
        value_refused=found.refusal if found.dr is None else "",
        auc=judgement.auc,
        telling=material.telling,
        calibration=calibration_of(
            judgement, rows, split=material.split, channels=channels, countries=countries, seed=material.seed
        ),
        pressure=pressure_of(decided, groups_of(decided, material.sex)),
        barred=barred_of(decided),
        decisions=len(decided.choice.action),
    )
    return Gathered(evidence, _contributions(material, decided, found, rival))


def _contributions(material: Material, decided: Decided, own: PolicyValue, rival: Rival) -> Contributions:
    judged, action = material.judged, decided.choice.action
    if not len(judged.debtor):
        return Contributions(judged.contact_id, judged.decided_us, judged.debtor, judged.paid_eur, action, {})
    parts = {OWN: Part.of(own, judged.paid_eur)}
    parts[CONTROL] = Part.of(policy_value(judged, present_rules(decided)), judged.paid_eur)
    if rival.part is not None:
        parts[CHAMPION] = rival.part
    unit = cluster_numbers(judged.debtor)
    return Contributions(judged.contact_id, judged.decided_us, unit, judged.paid_eur, action, parts)


def present_rules(decided: Decided) -> Decided:
    """The same decisions as the tenant's present rules take them."""
    return chosen_again(decided, policy=decided.prepared.config.policy, chooser="control")


def without_contact(decided: Decided) -> Decided:
    """The same decisions, each of them `none`."""
    return replace(decided, choice=replace(decided.choice, action=np.zeros_like(decided.choice.action)))


def write_evidence(gathered: Gathered, folder: Path, *, names: tuple[str, str]) -> None:
    """Evidence and contributions as files of these names."""
    folder.mkdir(parents=True, exist_ok=True)
    gathered.evidence.write(folder / names[0])
    gathered.contributions.write(folder / names[1])
