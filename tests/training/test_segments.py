"""Learning the segments: what was stated holds them in place, whatever the data, and the data moves them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.vocabulary import SEGMENTS
from models.bundle import read_bundle
from models.segments import SegmentModel, chances
from models.segments_indicators import INDICATORS, NEEDED
from tests.training.made_rows import rows_with
from training import segments as subject
from training.material import Material
from training.rows import TrainingRows
from training.segments import STATED_SHARE, fit_segments, learn_segments, stated_model
from training.train import Order, train

STATED = stated_model({one.name: one.cuts or (10.0, 40.0) for one in INDICATORS})
seeds = st.integers(0, 10_000)


def other_world(rng: np.random.Generator) -> SegmentModel:
    """Shares as another population might have them: stated ones, each moved by up to a factor of two either way."""
    levels = {}
    for one in INDICATORS:
        table = np.array(one.meaning) * np.exp(rng.uniform(-0.7, 0.7, np.shape(one.meaning)))
        levels[one.name] = tuple(map(tuple, (table / table.sum(axis=1, keepdims=True)).tolist()))
    return SegmentModel(tuple(rng.dirichlet((6, 5, 4)).tolist()), STATED.cuts, levels)


def strange_world(rng: np.random.Generator) -> SegmentModel:
    """Shares that have nothing to do with what was stated."""
    levels = {one.name: rng.dirichlet(np.ones(len(one.words)), 3).tolist() for one in INDICATORS}
    return SegmentModel((0.4, 0.3, 0.3), STATED.cuts, {name: tuple(map(tuple, one)) for name, one in levels.items()})


def drawn(world: SegmentModel, rng: np.random.Generator, *, size: int) -> tuple[np.ndarray, np.ndarray]:
    """True segment (n,) and levels (n, indicators) of debtors of a world, a fifth of the levels not seen."""
    true = rng.choice(3, size, p=np.array(world.share))
    level = np.zeros((size, len(INDICATORS)), dtype=np.int8)
    for number, one in enumerate(INDICATORS):
        ends = np.array(world.levels[one.name]).cumsum(axis=1)[true]
        level[:, number] = np.minimum((rng.random(size)[:, None] > ends).sum(axis=1), len(one.words) - 1) + 1
    level[rng.random(level.shape) < 0.2] = 0
    return true, level


def nearest_meaning(model: SegmentModel) -> list[int]:
    """For each segment the one whose stated shares its own are least far from (Kullback and Leibler's distance)."""
    far = np.zeros((3, 3))
    for one in INDICATORS:
        now, stated = np.array(model.levels[one.name]), np.array(one.meaning)
        far += (now[:, None, :] * np.log(now[:, None, :] / stated[None, :, :])).sum(axis=2)
    return [int(place) for place in far.argmin(axis=1)]


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_every_round_makes_the_model_more_likely(seed: int) -> None:
    rng = np.random.default_rng(seed)
    _, level = drawn(other_world(rng), rng, size=400)
    course = np.array(fit_segments(STATED, level).course)
    assert len(course) > 2
    assert (np.diff(course) >= -1e-7).all()


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_a_segment_keeps_its_meaning_whatever_the_data(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = np.stack([rng.integers(0, len(one.words) + 1, 3000) for one in INDICATORS], axis=1).astype(np.int8)
    everybody_alike = np.tile(noise[:1], (3000, 1))
    _, strange = drawn(strange_world(rng), rng, size=3000)
    for level in (noise, everybody_alike, strange):
        model = fit_segments(STATED, level).model
        assert nearest_meaning(model) == [0, 1, 2]
        assert sum(model.share) == pytest.approx(1.0)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_the_data_moves_the_shares_towards_the_truth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    world = other_world(rng)
    true, level = drawn(world, rng, size=6000)
    model = fit_segments(STATED, level).model
    right, before, best = ((chances(one, level).argmax(axis=1) == true).mean() for one in (model, STATED, world))
    assert right >= before - 0.01
    assert right >= best - 0.05
    assert (
        np.abs(np.subtract(model.share, world.share)).sum() < np.abs(np.subtract(STATED_SHARE, world.share)).sum() + 0.1
    )


def test_neither_the_order_of_debtors_nor_another_run_changes_a_number() -> None:
    rng = np.random.default_rng(5)
    _, level = drawn(STATED, rng, size=500)
    first = fit_segments(STATED, level).model
    assert fit_segments(STATED, level).model == first
    assert fit_segments(STATED, level[rng.permutation(500)]).model == first


def test_with_nobody_to_learn_from_the_segments_are_those_stated() -> None:
    nobody = np.zeros((40, len(INDICATORS)), dtype=np.int8)
    for level in (nobody, nobody[:0]):
        model = fit_segments(STATED, level).model
        assert model.share == pytest.approx(STATED_SHARE)
        for one in INDICATORS:
            np.testing.assert_allclose(model.levels[one.name], one.meaning)


def rows_of_last_decisions(rng: np.random.Generator, *, debtors: int) -> tuple[TrainingRows, np.ndarray]:
    """Three decisions a debtor of two claims each; only the second is the last one learnt from."""
    size = debtors * 6
    debtor = np.repeat(np.arange(debtors), 6)
    when = np.tile([1, 1, 2, 2, 3, 3], debtors)
    rows = rows_with(
        channel=np.ones(size), hour=np.full(size, 8), paid=np.zeros(size, bool), debtor=debtor, decided_us=when
    )
    for name in NEEDED:
        rows.matrix[:, rows.names.index(name)] = rng.integers(0, 5, size)
    return rows, when < 3


def test_debtors_are_learnt_from_as_they_were_at_their_last_decision_in_the_rows() -> None:
    rng = np.random.default_rng(1)
    rows, learn = rows_of_last_decisions(rng, debtors=200)
    first = learn_segments(rows, learn)
    unlike = rng.permutation(np.flatnonzero(rows.decided_us != 2))
    rows.matrix[unlike] = rng.integers(0, 9, (len(unlike), rows.matrix.shape[1]))
    assert learn_segments(rows, learn) == first
    mixed = rng.permutation(len(rows.debtor))
    again = {name: getattr(rows, name)[mixed] for name in ("debtor", "decided_us", "matrix")}
    assert learn_segments(replace(rows, **again), learn[mixed]) == first
    rows.matrix[rows.decided_us == 2] += 3
    assert learn_segments(rows, learn) != first


def test_of_too_many_debtors_an_even_selection_is_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, learn = rows_of_last_decisions(np.random.default_rng(1), debtors=200)
    monkeypatch.setattr(subject, "MOST_DEBTORS", 70)
    some = learn_segments(rows, learn)
    kept = learn & (rows.debtor % 3 == 0)
    monkeypatch.setattr(subject, "MOST_DEBTORS", 200)
    assert some == learn_segments(rows, kept)


def test_training_writes_the_segments_into_the_bundle(material: Material, tmp_path: Path) -> None:
    run = train(material, Order("constant"), workspace=tmp_path, progress=lambda what: None)
    model = read_bundle(run.directory).segments
    assert model == learn_segments(material.rows, material.split.learn)
    assert model is not None
    assert len(model.share) == len(SEGMENTS) - 1
    assert nearest_meaning(model) == [0, 1, 2]
