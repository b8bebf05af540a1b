"""How much a payer pays: learnt where it can be told, the mean where it cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.amounts import claim_side
from models.bundle import Bundle, read_bundle, write_bundle
from tests.deciding import rate_model
from tests.training.recipes.randomised_logs import DRIVER, randomised_log, reference
from training.recipes.amounts import Amounts, bands_of, learn_amounts
from training.rows import TrainingRows
from training.splits import Split


def log_of_shares(*, told: bool, seed: int = 1) -> tuple[TrainingRows, Split]:
    """Payers pay all or a third: which, the driver tells or nothing does."""
    rows, split = randomised_log(seed=seed, size=8_000)
    rng = np.random.default_rng(seed)
    driver = rows.matrix[:, DRIVER] if told else rng.normal(size=len(rows))
    whole = rng.random(len(rows)) < np.where(driver > 0, 0.9, 0.2)
    return replace(rows, share=np.where(rows.paid, np.where(whole, 1.0, 1 / 3), 0.0)), split


def learnt(rows: TrainingRows, split: Split) -> Amounts:
    return learn_amounts(rows, split, reference=reference(), seed=1, threads=1)


def test_a_share_that_can_be_told_is_learnt_and_its_mean_matches_in_every_band() -> None:
    rows, split = log_of_shares(told=True)
    found = learnt(rows, split)
    assert found.model is not None
    assert found.difference is not None
    assert found.difference.high < 0
    judged = split.judge & rows.paid
    share = found.model.share(claim_side(rows.matrix[judged]))
    assert ((share >= 0) & (share <= 1)).all()
    order = np.argsort(share, kind="stable")
    for band in np.array_split(order, 3):
        assert share[band].mean() == pytest.approx(rows.share[judged][band].mean(), abs=0.1)


def test_a_share_that_only_the_channel_tells_is_not_learnt() -> None:
    rows, split = log_of_shares(told=False)
    share = np.where(rows.paid, np.where(rows.channel > 0, 1.0, 1 / 3), 0.0)
    found = learnt(replace(rows, share=share), split)
    assert found.model is None
    assert found.difference is not None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_share_that_nothing_tells_stays_the_mean(seed: int) -> None:
    rows, split = log_of_shares(told=False, seed=seed)
    found = learnt(rows, split)
    assert found.model is None
    assert "not shown" in found.why
    assert found.mean_share == pytest.approx(rows.share[split.learn & rows.paid].mean())


def test_few_payers_leave_the_mean_and_say_so() -> None:
    rows, split = randomised_log(seed=1, size=900)
    found = learnt(rows, split)
    assert found.model is None
    assert found.difference is None
    assert "too few" in found.why


def test_judged_debtors_have_no_part_in_the_share() -> None:
    rows, split = log_of_shares(told=True)
    other = replace(rows, share=np.where(split.judge, 1 - rows.share, rows.share))
    one, two = learnt(rows, split).model, learnt(other, split).model
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.share(claim_side(rows.matrix)), two.share(claim_side(rows.matrix)))


def test_a_bundle_keeps_the_share_to_the_bit_and_one_without_has_none(tmp_path: Path) -> None:
    rows, split = log_of_shares(told=True)
    model = learnt(rows, split).model
    assert model is not None
    before = Bundle("m1", "fake", "value", rate_model(), reference(), 0.5, {}, share_model=model)
    after = read_bundle(write_bundle(before, tmp_path / "m1"))
    assert after.share_model is not None
    np.testing.assert_array_equal(
        after.share_model.share(claim_side(rows.matrix)), model.share(claim_side(rows.matrix))
    )
    plain = read_bundle(write_bundle(replace(before, share_model=None), tmp_path / "m2"))
    assert plain.share_model is None


def test_bands_rise_and_keep_the_mean() -> None:
    rng = np.random.default_rng(1)
    raw = rng.uniform(size=2_000)
    share = (rng.uniform(size=2_000) < 0.3 + 0.4 * raw).astype(float)
    predicted, observed = np.array(bands_of(raw, share)).T
    assert len(predicted) == 10
    assert (np.diff(predicted) > 0).all()
    assert (np.diff(observed) >= 0).all()
    assert observed.mean() == pytest.approx(share.mean())
