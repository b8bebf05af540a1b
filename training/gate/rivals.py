"""The other policies that a run is held against on the same judged decisions: the present rules, and the champion."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data.config import Config
from data.times import read_moment, to_us
from models.bundle import BadBundle, Bundle, OtherConfiguration, must_fit, pointed
from models.decide import Decided
from training.gate.contributions import Contributions, Part
from training.material import Material
from training.policy_value import Judged, decide_again, policy_value

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rival:
    """The present champion on the judged decisions; `version` is empty and `note` says why where there is none."""

    version: str
    note: str
    part: Part | None


def present_champion(workspace: Path, config: Config) -> tuple[Bundle | None, str]:
    """The champion, if it could decide under the configuration; else why not."""
    try:
        found = pointed(workspace, "champion")
        if found is not None:
            must_fit(found, config)
    except (BadBundle, OtherConfiguration) as error:
        return None, str(error)
    return found, ""


def champion_part(champion: Bundle, stored: Contributions | None, *, material: Material, again: Decided) -> Rival:
    """The champion's contributions on the judged decisions.

    It was fitted on all rows that were mature when it was trained and has seen their outcomes. On decisions from before
    that moment, what counts is therefore what is `stored` with its own run: what its judged model did, which had not. On
    later ones it decides again. On what is left, and where its action is not lawful now, it is not judged.

    Parameters
    ----------
    again
        The judged decisions as the run decides them: both policies are valued with its predictions, so that they earn
        exactly the same where they do the same.
    """
    judged = material.judged
    unseen = judged.decided_us >= to_us(read_moment(str(champion.card["as_of"])))
    action = np.full(len(judged.debtor), -1, dtype=np.int64)
    if unseen.any():
        mine = _only(judged, unseen)
        decided = decide_again(material.histories, mine, bundle=champion, config=material.config, packs=material.packs)
        action[unseen] = decided.choice.action
    if stored is not None and champion.card.get("config") == material.config.fingerprint:
        action = np.where(unseen, action, _stored_action(stored, judged))
    known = (action >= 0) & again.prepared.allowed[np.arange(len(action)), np.maximum(action, 0)]
    theirs = replace(again, choice=replace(again.choice, action=np.where(known, action, 0)))
    part = Part.of(policy_value(judged, theirs), judged.paid_eur)
    seen = f"judged on {int(known.sum()):,} of {len(known):,} decisions: it has seen others"
    part = Part(np.where(known, part.weight, np.nan), np.where(known, part.rest_eur, np.nan), part.cell)
    return Rival(champion.model_version, "" if known.all() else seen, part)


def _stored_action(stored: Contributions, judged: Judged) -> IntArray:
    """What a run's own policy did on each judged decision, -1 where it was not judged on it, shape (n,)."""
    kept = zip(stored.contact_id.tolist(), stored.decided_us.tolist(), strict=True)
    place = {decision: row for row, decision in enumerate(kept)}
    wanted = zip(judged.contact_id.tolist(), judged.decided_us.tolist(), strict=True)
    rows = np.array([place.get(decision, -1) for decision in wanted], dtype=np.int64)
    found: IntArray = np.where(rows >= 0, stored.action[rows], -1) if len(stored.action) else rows
    return found


def _only(judged: Judged, rows: BoolArray) -> Judged:
    return Judged(**{one.name: getattr(judged, one.name)[rows] for one in fields(Judged)})
