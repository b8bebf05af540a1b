"""The model's card: what the bundle and its run say, why it was forced, and that the page holds without any model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from data.config import Config
from data.times import to_us
from features.catalogue import catalogue
from models.bundle import Bundle, point_to, write_bundle
from models.bundle_files import read_files
from models.calibration import Calibration
from models.propensity import BoosterModel
from tests.deciding import bundle_of, rate_model
from tests.portfolios import histories
from tests.strategies import random_tables
from tests.training.gate.made_evidence import contributions, evidence
from tests.training.reports.long_world import long_world
from tests.training.reports.pages.page_parts import cell, number, read_in_all_languages, table
from tests.training.reports.worlds import at, decision, log_of, payment, portfolio_of
from training.fit import RECIPES as KNOWN
from training.gate.fairness import Pressure
from training.reports.blocks import Name, Note, Page, Text
from training.reports.facts import Facts, facts_of, of_creditor
from training.reports.model_card import card_of, mean_shares, weights
from training.reports.pages.model import LEARNERS, RECIPES, feature_title, model
from training.reports.site.catalogue import the_catalogue

CARD = {
    "recipe": "chain",
    "settings": {"rounds": 20},
    "as_of": "2026-03-01T05:00:00+00:00",
    "learnt_from": "2025-03-01T05:00:00+00:00",
    "learnt_until": "2025-11-01T05:00:00+00:00",
    "judged_from": "2025-12-01T05:00:00+00:00",
    "rows": {"learn": 900, "calibrate": 200, "judge": 300},
    "horizon_days": 14,
    "config": "abc",
    "none_rows_in_log": False,
    "metrics": {"auc": 0.71, "value_eur": 9.0, "value_low_eur": 8.0, "value_high_eur": 10.0, "calibration_error": 0.01},
    "policy_value_refused": "",
    "amounts": {"learnt": False},
}


def made(workspace: Path, *, versions: tuple[str, ...] = ("m1", "m1", "m2")) -> Facts:
    rows = [decision(f"d{place}", f"d{place}/0", model_version=one) for place, one in enumerate(versions)]
    log = log_of(rows)
    portfolio = portfolio_of(log, payments=[payment("d0/0", 20, 5)])
    return facts_of(log, portfolio, config=Config(), workspace=workspace, known_until_us=to_us(at(20)))


def promoted(workspace: Path, *, forced: str = "", **changes: Any) -> Bundle:
    whole = replace(bundle_of(histories(random_tables(3)), rate_model()), model_version="m1", card=CARD, **changes)
    write_bundle(whole, workspace / "models" / "m1")
    point_to(workspace, "champion", model_version="m1", forced=forced)
    return whole


def page_of(workspace: Path) -> Page:
    page = model(made(workspace))
    assert page is not None
    assert read_in_all_languages(page) > 50
    return page


def judged(workspace: Path, *, gain: float, **changes: Any) -> None:
    folder = workspace / "mlruns" / "m1" / "artifacts" / "gate"
    folder.mkdir(parents=True)
    evidence(**changes).write(folder / "evidence.json")
    contributions(control=gain).write(folder / "contributions.parquet")


def test_without_a_model_the_page_says_so(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert page.verdict is not None
    assert page.verdict.code == "no_model"
    assert [one.key for one in page.sections] == ["purpose", "in-use"]


def test_the_card_tells_what_the_bundle_says(tmp_path: Path) -> None:
    whole = promoted(tmp_path, untried=("portal",))
    page = page_of(tmp_path)
    assert page.verdict is not None
    assert page.verdict.code == "unmeasured"
    assert cell(table(page, "identity"), "version", "value") == Name("m1")
    assert cell(table(page, "identity"), "digest", "value") == Name(read_files(tmp_path / "models" / "m1").digest)
    assert number(table(page, "data"), "rows_learn", "value").value == 900
    assert number(table(page, "judged"), "value", "value").low == 8.0
    notes = {one.text.key for s in page.sections for one in s.blocks if isinstance(one, Note)}
    assert {"model.untried", "model.no_none_rows", "model.share_mean", "model.no_evidence"} <= notes
    assert mean_shares(tmp_path, ["m1", "gone"]) == {"m1": whole.mean_share}


@pytest.mark.parametrize(("gain", "code"), [(1.0, "better"), (0.0, "not_worse")])
def test_the_gates_figures_stand_on_the_card_with_what_was_asked(tmp_path: Path, gain: float, code: str) -> None:
    promoted(tmp_path)
    unfair = Pressure("sex", {"female": 0.3, "male": 0.6}, {"female": 900, "male": 900}, 2.0, certain=True)
    judged(tmp_path, gain=gain, pressure=(unfair,))
    page = page_of(tmp_path)
    assert page.verdict is not None
    assert page.verdict.code == code
    gate = table(page, "gate")
    assert cell(gate, "pressure sex", "state") == Text("model.gate.failed")
    assert cell(gate, "calibration all", "state") == Text("model.gate.met")
    assert number(gate, "worth", "found").value == pytest.approx(gain, abs=0.1)


def test_a_reason_to_force_it_comes_first(tmp_path: Path) -> None:
    promoted(tmp_path, forced="a pilot of four weeks")
    page = page_of(tmp_path)
    assert page.verdict is not None
    assert page.verdict.code == "forced"
    assert page.verdict.sentence.values["reason"] == Name("a pilot of four weeks")


def test_a_bundle_that_has_changed_is_told_of_and_its_share_is_not_relied_on(tmp_path: Path) -> None:
    promoted(tmp_path)
    path = tmp_path / "models" / "m1" / "bundle.json"
    path.write_text(path.read_text().replace("chain", "chaos"))
    page = page_of(tmp_path)
    assert page.verdict is not None
    assert page.verdict.code == "unreadable"
    assert mean_shares(tmp_path, ["m1"]) == {}


def test_the_features_that_trees_gain_by_are_named_in_words(tmp_path: Path) -> None:
    whole = bundle_of(histories(random_tables(3)), rate_model())
    columns = catalogue(whole.reference.channels)
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(400, len(columns)))
    strong = next(place for place, one in enumerate(columns) if one.name == "days_past_due")
    data = lgb.Dataset(rows, rows[:, strong] > 0, free_raw_data=False)
    booster = lgb.train({"verbose": -1, "num_leaves": 4, "objective": "binary", "seed": 1}, data, 3)
    promoted(tmp_path, model=BoosterModel(booster, Calibration(0.0, 1.0)))
    card = card_of(tmp_path, "champion")
    assert card is not None
    assert card.weights[0].family == "days_past_due"
    assert card.weights[0].share > 0.9
    assert sum(one.share for one in card.weights) == pytest.approx(1)
    assert card.sensitive == ()
    assert table(page_of(tmp_path), "features").rows[0].title == Text("feature.days_past_due")
    assert weights(read_files(tmp_path / "models" / "m1")) == card.weights


def test_versions_in_use_are_counted(tmp_path: Path) -> None:
    found = table(page_of(tmp_path), "in_use")
    assert [(one.title, number(found, one.key, "decisions").value) for one in found.rows] == [
        (Name("m1"), 2),
        (Name("m2"), 1),
    ]


def test_every_family_of_features_subject_and_recipe_has_words() -> None:
    words = the_catalogue()
    for one in catalogue(("none", "sms", "phone")):
        assert feature_title(one.family).key in words
        assert f"model.group.{one.group.replace(' ', '_')}" in words
    assert set(KNOWN) <= {*RECIPES, *LEARNERS}


def test_there_is_no_page_for_one_creditor() -> None:
    facts = long_world(debtors=60, rng=np.random.default_rng(1))
    assert model(of_creditor(facts, "big")) is None
