"""What is noted of a run beside its figures: tags, data, signature, an example of its input, pictures."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import numpy.typing as npt

from data.action_grid import dayparts_of
from data.times import from_us
from data.vocabulary import DAYPARTS
from features.catalogue import catalogue
from models.bundle import feature_fingerprint
from models.decide import Decided
from models.propensity import BoosterModel
from models.rules.mask import rules_version
from training.code_version import code_hash, code_version
from training.figures import calibration_picture, grid_picture, importance_picture, overlap_picture, qini_picture
from training.fit import Fitted
from training.gate.gather import without_contact
from training.judge import Judgement
from training.material import Material
from training.policy_value import policy_value
from training.qini import Qini, qini
from training.shap_picture import shap_picture
from training.splits import cluster_numbers
from training.tracking import DataUsed

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def tags_of(material: Material, source: str) -> dict[str, str]:
    """Where a run's data came from and which windows of it were used, and which code, features, settings and rules."""
    decided_us, split = material.rows.decided_us, material.split
    return {
        "portfolio": source,
        "as_of": from_us(material.as_of_us).isoformat(),
        "learnt_from": from_us(int(decided_us[split.learn].min())).isoformat(),
        "learnt_until": from_us(int(decided_us[split.learn].max())).isoformat(),
        "judged_from": from_us(split.later_from_us).isoformat(),
        "judged_until": from_us(int(decided_us[split.judge].max())).isoformat(),
        "data": data_digest(material),
        "features": feature_fingerprint(material.histories.channels),
        "config": material.config.fingerprint,
        "rules": rules_version(material.packs),
        "code": code_version(),
        "code_hash": code_hash(),
    }


def data_digest(material: Material) -> str:
    """First 16 hexadecimal digits of a hash of who was decided on when, how, and what was paid."""
    rows, digest = material.rows, hashlib.sha256()
    for column in (rows.decided_us, rows.debtor, rows.claim, rows.channel, rows.amount_eur):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()[:16]


def data_used(material: Material, source: str) -> DataUsed:
    """The rows a run learnt from and was judged on."""
    split = material.split
    profile = {name: int(np.sum(getattr(split, name))) for name in ("learn", "calibrate", "judge")}
    profile |= {"rows": len(material.rows), "judged_decisions": len(material.judged.debtor)}
    return DataUsed("portfolio", data_digest(material), source, profile)


def texts_of(material: Material) -> dict[str, str]:
    """Signature and input example, as JSON; the example is the usual value of each feature, no debtor's."""
    columns = catalogue(material.histories.channels)
    words = material.reference.words()
    inputs = [
        {"name": one.name, "type": "float32", "unit": one.unit, "side": one.side}
        | ({"words": words[one.name]} if one.name in words else {})
        for one in columns
    ]
    output = [{"name": "payment_probability", "type": "float64", "unit": "chance"}]
    example = {one.name: value for one, value in zip(columns, material.usual, strict=True)}
    return {
        "signature.json": json.dumps({"inputs": inputs, "outputs": output}, indent=1),
        "input_example.json": json.dumps([example], indent=1),
    }


def pictures(material: Material, fitted: Fitted, decided: Decided, judgement: Judgement) -> dict[str, str]:
    """File name to SVG of everything that is drawn of a run; what its model or the log does not bear is left out."""
    drawn = {"calibration.svg": calibration_picture(judgement.bins), "uplift_grid.svg": _grid_picture(decided)}
    if isinstance(fitted.model, BoosterModel) and isinstance(fitted.shipped, BoosterModel):
        drawn["importance.svg"] = importance_picture(fitted.shipped, material.rows.names)
        rng = np.random.default_rng(material.seed)
        drawn["shap.svg"] = shap_picture(
            fitted.model, material.rows.matrix[material.split.judge], material.rows.names, rng=rng
        )
    if len(material.judged.debtor):
        drawn["overlap.svg"] = _overlap_picture(material, decided)
    if judgement.value.dr is not None:
        drawn["qini.svg"] = qini_picture(qini_of(material, decided, judgement))
    return drawn


def qini_of(material: Material, decided: Decided, judgement: Judgement) -> Qini:
    """Curve of the policy on its judged decisions, ranked by the value it expects."""
    judged, rows = material.judged, np.arange(len(decided.choice.action))
    none = policy_value(judged, without_contact(decided))
    expected = decided.scored.value_eur[rows, decided.choice.action]
    return qini(judgement.value.per_row - none.per_row, expected, cluster_numbers(judged.debtor))


def _grid_picture(decided: Decided) -> str:
    """Mean over all claims for which a slot is lawful."""
    grid, chance = decided.prepared.grid, decided.scored.probability
    uplift = chance - chance[:, :1]
    known = np.isfinite(uplift)
    total, count = np.where(known, uplift, 0.0).sum(axis=0), known.sum(axis=0)
    table = np.full((len(grid.channels) - 1, len(grid.hours)), np.nan)
    for channel in range(1, len(grid.channels)):
        for column, hour in enumerate(grid.hours):
            here = (grid.channel == channel) & (grid.hour == hour)
            if count[here].sum():
                table[channel - 1, column] = total[here].sum() / count[here].sum()
    return grid_picture(table, grid.channels[1:], grid.hours)


def _overlap_picture(material: Material, decided: Decided) -> str:
    grid, judged = decided.prepared.grid, material.judged
    action = decided.choice.action
    offered = judged.channel >= 0  # the log may hold channels that the grid has not
    channel, part = judged.channel[offered].astype(np.int64), dayparts_of(judged.hour[offered])
    logged = _cell_shares(channel, part, len(grid.channels))
    wanted = _cell_shares(grid.channel[action].astype(np.int64), grid.daypart[action], len(grid.channels))
    return overlap_picture(logged, wanted, grid.channels, ("", *DAYPARTS))


def _cell_shares(channel: IntArray, part: IntArray, channels: int) -> FloatArray:
    """Share of decisions in each (channel, part of the day), shape (channels, 1 + parts); `none` has no part."""
    width = len(DAYPARTS) + 1
    shares: FloatArray = np.bincount(channel * width + part + 1, minlength=channels * width) / max(len(channel), 1)
    return shares.reshape(channels, width)
