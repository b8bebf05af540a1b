"""What promotion needs to know of a run: gathered when it is trained, kept with it, so that no portfolio is needed later."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.times import DAY_US, NO_DAY
from models.decide import Decided
from training.gate.calibration import CalibrationSlice, calibration_slices
from training.gate.fairness import Pressure, age_bands, need_strata, pressure
from training.gate.leakage import Telling
from training.judge import Judgement
from training.rows import TrainingRows
from training.splits import Split

IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class Evidence:
    """Figures of a run that the gate holds against its limits.

    Attributes
    ----------
    recipe, settings, features, as_of
        Which model of which data; `features` is the fingerprint of the columns.
    champion, champion_note
        Version whose contributions stand beside the run's own, and why there are none or fewer; empty where there was
        no champion.
    value_refused
        Why the log bears no policy value; empty where it does.
    barred, decisions
        Judged decisions of the policy that a contact rule bars, and how many were judged.
    """

    recipe: str
    settings: dict[str, Any]
    features: str
    as_of: str
    champion: str
    champion_note: str
    value_refused: str
    auc: float
    telling: Telling
    calibration: tuple[CalibrationSlice, ...]
    pressure: tuple[Pressure, ...]
    barred: int
    decisions: int

    def write(self, path: Path) -> Path:
        """One JSON file."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> Evidence:
        """The inverse of `write`."""
        plain = json.loads(path.read_text(encoding="utf-8"))
        plain["telling"] = Telling(**plain["telling"])
        plain["calibration"] = tuple(CalibrationSlice(**one) for one in plain["calibration"])
        plain["pressure"] = tuple(Pressure(**one) for one in plain["pressure"])
        return cls(**plain)

    def metrics(self) -> dict[str, float]:
        """Figures for the comparison of runs."""
        numbers = {f"pressure_ratio_{one.by}": one.ratio for one in self.pressure}
        slices = [one.error for one in self.calibration[1:]]
        if slices:
            numbers["worst_slice_calibration_error"] = max(slices)
        return {"barred_decisions": float(self.barred), "most_telling_auc": self.telling.auc, **numbers}


def calibration_of(
    judgement: Judgement, rows: TrainingRows, *, split: Split, channels: TextArray, countries: TextArray, seed: int
) -> tuple[CalibrationSlice, ...]:
    """Calibration of the judged rows, overall and by channel and country of each row, both of shape (r,)."""
    here = split.judge
    group = np.array(
        [f"{one} {two}" for one, two in zip(channels[here], countries[here], strict=True)], dtype=np.object_
    )
    rng = np.random.default_rng(seed)
    return calibration_slices(judgement.chance, rows.paid[here], group=group, rng=rng)


def barred_of(decided: Decided) -> int:
    """Decisions that a contact rule bars."""
    rows = np.arange(len(decided.choice.action))
    return int((~decided.prepared.mask.allowed[rows, decided.choice.action]).sum())


def pressure_of(decided: Decided, groups: dict[str, TextArray]) -> tuple[Pressure, ...]:
    """Contact pressure at equal need by each way to group debtors, names of shape (n,); of whom some contact is lawful."""
    prepared = decided.prepared
    reachable = prepared.allowed[:, 1:].any(axis=1)
    moment, size = prepared.targets.moment, prepared.situation.size
    not_paid = np.ones(size)
    np.multiply.at(not_paid, moment, 1.0 - decided.scored.probability[:, 0])
    owed = np.bincount(moment, prepared.rows.outstanding_eur * prepared.covered, minlength=size).astype(np.float64)
    if not reachable.any():
        return ()
    need = need_strata(1.0 - not_paid[reachable], owed[reachable])
    contacted = decided.choice.action[reachable] > 0
    unit = prepared.asks.debtor[reachable]
    return tuple(pressure(by, contacted, group=names[reachable], need=need, unit=unit) for by, names in groups.items())


def groups_of(decided: Decided, sex: TextArray) -> dict[str, TextArray]:
    """Age band, sex and area of each debtor decided on, "" for not known; `sex` stands by row in the histories."""
    situation, asks = decided.prepared.situation, decided.prepared.asks
    born = decided.prepared.histories.birth_day[asks.debtor].astype(np.float64)
    age = np.where(born > NO_DAY, asks.as_of_us / DAY_US - born, np.nan) / DAYS_A_YEAR
    area = [f"{place.country} {place.region}" if place.region else "" for place in situation.places]
    return {
        "age": age_bands(age),
        "sex": sex[asks.debtor],
        "area": np.array(area, dtype=np.object_)[situation.place],
    }
