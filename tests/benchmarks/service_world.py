"""The world of the service's benchmark: a simulated portfolio, a champion of 200 trees with 31 leaves, and whom to ask about.

Made once in a folder and found there again. The service's clock starts at the portfolio's end, a Monday before the first slot,
whatever day it is: the grid is whole, and the same in every run.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lightgbm as lgb
import numpy as np
from learnt_bundle import learnt, material_of
from share_of_best import AS_OF, rettid

from data.config import read_config
from data.portfolio import read_portfolio
from data.times import read_moment, to_us
from features.histories import histories_of
from features.tables import Histories
from models.bundle import Bundle, champion, point_to, write_bundle
from models.prepare import Asks, Prepared, prepare
from models.propensity import BoosterModel
from models.rules.pack import read_packs
from training.fit import SETTINGS
from training.material import Material
from training.recipes.boosting import Lesson, School, lightgbm_params
from training.recipes.lightgbm import category_columns
from training.segments import learn_segments

CLAIMS, TREES, LEAVES = 7, 200, 31
FEW = 20
"""Trees of the model whose calibration is taken: how fast a decision is does not depend on it."""

START = read_moment(AS_OF)


class NotAsAsked(ValueError):
    """What was made is not what the benchmark is about."""


class ShiftedClock:
    """The present moment, set back so that it was `START` when the clock was made; it goes on from there."""

    def __init__(self) -> None:
        self._back: timedelta = datetime.now(UTC) - START

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self._back


def portfolio_in(folder: Path) -> Path:
    """The portfolio's folder."""
    return folder / "portfolio"


def workspace_in(folder: Path, name: str) -> Path:
    """A fresh workspace with the champion and without a log, for one contender."""
    place = folder / f"workspace-{name}"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / "champion", place)
    return place


def asked_in(folder: Path) -> list[str]:
    """The debtors to ask about."""
    names: list[str] = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    return names


def make_world(folder: Path, *, debtors: int) -> None:
    """Makes what is not there yet: minutes the first time."""
    if not (portfolio_in(folder) / "claims.parquet").is_file():
        size = ("--debtors", str(debtors), "--months", "12", "--claims", "10", "--truth", "0", "--seed", "3")
        rettid(folder / "simulated", "simulate", str(portfolio_in(folder)), *size)
    if not (folder / "champion" / "models" / "champion.json").is_file():
        _learn(folder)
    if not (folder / "asked.json").is_file():
        names = _with_seven_claims(folder)
        (folder / "asked.json").write_text(json.dumps(names), encoding="utf-8")


def _learn(folder: Path) -> None:
    """The champion: a `lightgbm` bundle with the trees asked for, though fewer might judge better."""
    material = material_of(portfolio_in(folder))
    bundle = learnt(material, "lightgbm", settings={"rounds": FEW}).judged
    assert isinstance(bundle.model, BoosterModel)
    model = replace(bundle.model, booster=_booster(material))
    bundle = replace(bundle, model=model, segments=learn_segments(material.rows, material.split.learn))
    write_bundle(bundle, folder / "champion" / "models" / bundle.model_version)
    point_to(folder / "champion", "champion", model_version=bundle.model_version)


def _booster(material: Material) -> lgb.Booster:
    rows = material.rows
    params = lightgbm_params(SETTINGS["lightgbm"], own=("rounds", "patience"), seed=material.seed)
    falling = [-1 if name == "days_ahead" else 0 for name in rows.names]  # as the recipe has it
    school = School(
        {**params, "num_leaves": LEAVES, "monotone_constraints": falling},
        rounds=TREES,
        patience=0,
        categories=tuple(category_columns(material.reference.channels)),
    )
    return school.exactly(Lesson(rows.matrix, rows.paid.astype(np.float64)), TREES)


def champion_in(folder: Path) -> Bundle:
    """The champion.

    Raises
    ------
    NotAsAsked
        It has other trees than the benchmark is about.
    """
    bundle = champion(folder / "champion")
    assert isinstance(bundle.model, BoosterModel)
    trees = bundle.model.booster.num_trees()
    if trees != TREES:
        raise NotAsAsked(f"expected a champion of {TREES} trees, came {trees}: remove {folder / 'champion'}")
    return bundle


def prepared_in(folder: Path, debtors: list[str] | None = None) -> Prepared:
    """Features and rules at `START` of some debtors; None: of all who owe exactly seven open claims."""
    config = read_config(portfolio_in(folder))
    portfolio = read_portfolio(portfolio_in(folder), channels=config.grid.channels)
    histories = histories_of(portfolio, channels=config.grid.channels)
    rows = _owing_seven(histories) if debtors is None else np.flatnonzero(np.isin(histories.debtor_id, debtors))
    asks = Asks(rows, np.full(len(rows), to_us(START)))
    packs = read_packs(channels=config.grid.channels[1:])
    return prepare(histories, asks, config=config, packs=packs, bundle=champion_in(folder))


def _owing_seven(histories: Histories) -> np.ndarray:
    claims, now = histories.claims, to_us(START)
    is_open = (claims.registered_us <= now) & (claims.closed_us > now)
    count = np.bincount(claims.debtor[is_open], minlength=len(histories.debtor_id))
    return np.flatnonzero(count == CLAIMS)


def _with_seven_claims(folder: Path) -> list[str]:
    """Debtors with seven open claims whom the rules let contact at all: for the others no grid would be scored."""
    prepared = prepared_in(folder)
    contact = np.any(prepared.allowed[:, 1:], axis=1)
    names: list[str] = prepared.histories.debtor_id[prepared.asks.debtor[contact]].tolist()
    return names
