"""Golden predictions: made up, the same each time, and telling when a model says something else."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from models.bundle import BadBundle, read_bundle, write_bundle
from models.bundle_files import GOLDEN, read_files
from models.bundle_golden import (
    FEWEST,
    LARGE,
    ROWS,
    Answers,
    asked_by_grid,
    asked_by_row,
    golden_text,
    must_agree,
    must_be_chances,
    read_golden,
)
from models.bundle_trees import must_hang_together
from models.propensity import RateModel
from tests.deciding import COLUMNS, RATES, FormulaModel, bundle_of, by_everything, rate_model
from tests.portfolios import CHANNELS, histories
from tests.strategies import random_tables


def text_of(model, usual=(), texts=()):
    return golden_text(model, None, texts=texts, usual=usual, channels=CHANNELS)


def test_golden_predictions_are_those_of_the_model_by_row_and_by_grid(tmp_path: Path) -> None:
    before = bundle_of(histories(random_tables(3)), rate_model())
    directory = write_bundle(before, tmp_path / "m1")
    cases, answers = read_golden(read_files(directory).part(GOLDEN))
    model = read_bundle(directory).model
    assert cases.rows.shape == (ROWS, len(COLUMNS))
    must_agree(asked_by_row(model, None, cases).chance, answers.chance, what="chance")
    must_agree(asked_by_grid(model, cases), answers.chance, what="chance")


def test_the_same_model_gives_the_same_text() -> None:
    assert text_of(rate_model()) == text_of(rate_model())


def test_rows_hold_missing_and_usual_values_thresholds_and_every_channel() -> None:
    usual = [None, 42.5, *[None] * (len(COLUMNS) - 2)]
    text = "Tree=0\nsplit_feature=2 2 0\nthreshold=7.25 8.5 1e300\n"
    cases, _ = read_golden(json.loads(text_of(rate_model(), usual, [text])))
    assert 42.5 in cases.context[:, 1]
    assert {7.25, 8.5} <= set(cases.context[:, 2].tolist())
    assert np.isnan(cases.context).any(axis=0).all()
    assert set(cases.rows[:, COLUMNS.index("channel")].astype(int).tolist()) == set(range(len(CHANNELS)))
    assert np.isnan(cases.rows[cases.action == 0][:, COLUMNS.index("channel") + 1 :]).all()


def test_a_large_model_is_asked_fewer_rows() -> None:
    cases, _ = read_golden(json.loads(text_of(rate_model(), texts=["x" * (LARGE * 2)])))
    assert len(cases.rows) == ROWS // 2
    cases, _ = read_golden(json.loads(text_of(rate_model(), texts=["x" * LARGE] * 100)))
    assert len(cases.rows) == FEWEST


def test_a_model_that_moves_with_every_column_is_seen_to_have_changed() -> None:
    cases, answers = read_golden(json.loads(text_of(FormulaModel(by_everything))))
    moved = FormulaModel(lambda rows: by_everything(rows) + 2e-9)
    with pytest.raises(BadBundle, match=f"{ROWS} of {ROWS} rows differ, by up to 2e-09"):
        must_agree(asked_by_row(moved, None, cases).chance, answers.chance, what="chance")
    must_agree(answers.chance + 5e-10, answers.chance, what="chance")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1e-12, 1.0 + 1e-12])
def test_what_is_no_chance_is_refused_when_the_bundle_is_written(tmp_path: Path, bad: float) -> None:
    model = RateModel((bad, *RATES[1:]), COLUMNS.index("channel"))
    bundle = replace(bundle_of(histories(random_tables(3)), rate_model()), model=model)
    with pytest.raises(BadBundle, match=r"expected every chance of payment in \[0, 1\]"):
        write_bundle(bundle, tmp_path / "m1")
    with pytest.raises(BadBundle, match="share paid"):
        must_be_chances(Answers(np.zeros(1), np.array([bad])))


def test_not_a_number_agrees_with_nothing() -> None:
    with pytest.raises(BadBundle, match="1 of 1 rows differ"):
        must_agree(np.array([np.nan]), np.array([np.nan]), what="chance")
    with pytest.raises(BadBundle, match="whether there is a share"):
        must_agree(None, np.zeros(1), what="share")
    with pytest.raises(BadBundle, match="rows, came"):
        must_agree(np.zeros(2), np.zeros(1), what="chance")


@pytest.mark.parametrize("plain", [{}, {"picks": 1}, {"picks": ["g"]}])
def test_golden_predictions_of_another_form_are_refused(plain: dict[str, object]) -> None:
    with pytest.raises(BadBundle, match="golden predictions cannot be read"):
        read_golden(plain)


@dataclass(frozen=True)
class OneTree:
    """A text of one tree of three splits."""

    left: str = "1 -1 -3"
    right: str = "2 -2 -4"
    feature: str = "0 1 4"
    leaf: str = "0.1 0.2 0.3 0.4"

    def text(self) -> str:
        lines = {
            "split_feature": self.feature,
            "left_child": self.left,
            "right_child": self.right,
            "leaf_value": self.leaf,
        }
        tree = "\n".join(f"{name}={value}" for name, value in lines.items())
        return f"tree\nmax_feature_idx=4\n\nTree=0\n{tree}\n\nend of trees\n"


def test_a_tree_whose_nodes_hang_together_passes_and_so_does_one_of_a_single_leaf() -> None:
    alone = OneTree("", "", "", "0.5").text()
    must_hang_together({"booster.txt": OneTree().text(), "empty.txt": "", "one.txt": alone, "bundle.json": "Tree=0"})


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (OneTree(left="0 -1 -3"), "does not hang together"),
        (OneTree(left="1 1 -3"), "does not hang together"),
        (OneTree(left="1 -2 -3"), "does not hang together"),
        (OneTree(left="1 -1 -9"), "does not hang together"),
        (OneTree(right="2 -2"), "does not hang together"),
        (OneTree(leaf="0.1 0.2 0.3"), "does not hang together"),
        (OneTree(leaf="0.1 nan 0.3 0.4"), "no finite number"),
        (OneTree(leaf="0.1 0.2 1e999 0.4"), "no finite number"),
        (OneTree(feature="0 1 5"), "none of 5"),
        (OneTree(feature="0 -1 4"), "none of 5"),
    ],
)
def test_a_tree_that_does_not_hang_together_is_refused(tree: OneTree, words: str) -> None:
    with pytest.raises(BadBundle, match=rf"booster\.txt: tree 0 .*{words}"):
        must_hang_together({"booster.txt": tree.text()})
