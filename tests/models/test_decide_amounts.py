"""Amounts in a decision: the learnt share of each claim stands in for the mean one, and makes no value of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.catalogue import catalogue, debtor_features, names
from models.amounts import ShareModel, claim_side, without_action
from models.decide import Decided
from models.protocol import PropensityModel
from models.value import value_grid
from tests.deciding import COLUMNS, arms, bundle_of, decided, rate_model
from tests.portfolios import CHANNELS, histories
from tests.strategies import START, random_tables

FloatArray = npt.NDArray[np.float64]
AGE = COLUMNS.index("known_days")


@dataclass(frozen=True)
class ShareByAge:
    """A payer who has been known for longer pays more of the sum."""

    def share(self, rows: FloatArray) -> FloatArray:
        return share_of(rows)

    def dump(self) -> dict[str, str]:
        return {}


def share_of(rows: FloatArray) -> FloatArray:
    share: FloatArray = 0.3 + 0.6 * (np.nan_to_num(rows[:, AGE]) % 10) / 10
    return share


def both(share: object, model: PropensityModel) -> tuple[Decided, Decided]:
    found = histories(random_tables(3, debtors=40))
    bundle = bundle_of(found, model)
    as_of, config = START + timedelta(days=177, hours=5), arms(champion=1.0)
    learnt = replace(bundle, share_model=share)  # type: ignore[arg-type] # also a fake of ten lines
    return decided(found, as_of, bundle=bundle, config=config), decided(found, as_of, bundle=learnt, config=config)


def test_the_value_reckons_with_the_share_of_each_claim() -> None:
    plain, learnt = both(ShareByAge(), rate_model())
    prepared, scored = learnt.prepared, learnt.scored
    worth = share_of(prepared.rows.matrix) * prepared.rows.outstanding_eur
    np.testing.assert_allclose(scored.worth_eur, worth, atol=1e-6)
    value = value_grid(
        scored.probability, worth_eur=worth, debtor=prepared.targets.moment, covered=prepared.covered, price=learnt.price,
        grid=prepared.grid, allowed=prepared.allowed,
    )  # fmt: skip
    np.testing.assert_allclose(scored.value_eur, value, atol=1e-6)
    np.testing.assert_array_equal(scored.probability, plain.scored.probability)
    assert (scored.value_eur > plain.scored.value_eur + 1.0).any()


def test_what_is_paid_without_contact_reckons_with_the_share_of_each_claim() -> None:
    plain, learnt = both(ShareByAge(), rate_model())
    owed, chance = plain.prepared.rows.outstanding_eur, plain.scored.probability
    np.testing.assert_allclose(plain.scored.without_eur, chance[:, 0] * plain.champion.mean_share * owed)
    np.testing.assert_allclose(learnt.scored.without_eur, chance[:, 0] * share_of(plain.prepared.rows.matrix) * owed)


def share_with_channel() -> ShareModel:
    """A booster of before, which took the channel for a cause: contacted payers paid all, the others a tenth."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(2_000, len(COLUMNS)))
    channel = COLUMNS.index("channel")
    rows[:, channel] = rng.integers(0, len(CHANNELS), 2_000)
    share = np.where(rows[:, channel] > 0, 1.0, 0.1)
    params = {"objective": "regression", "verbosity": -1, "num_threads": 1, "seed": 1}
    booster = lgb.train(params, lgb.Dataset(rows, share, params=params), num_boost_round=50)
    assert np.ptp(booster.predict(rows, num_threads=1)) > 0.8
    return ShareModel(booster, ((0.1, 0.1), (1.0, 1.0)))


def test_nobody_is_contacted_where_every_action_has_the_same_chance_whatever_the_share_learnt() -> None:
    same = rate_model((0.2,) * len(CHANNELS))
    plain, learnt = both(share_with_channel(), same)
    assert (learnt.prepared.allowed[:, 1:].any(axis=1)).sum() > 10
    assert (learnt.choice.action == 0).all()
    contacted = both(share_with_channel(), rate_model())[1].choice.action > 0
    assert contacted.any()
    assert (plain.choice.action == 0).all()


def test_the_columns_of_the_action_are_the_last_and_are_emptied() -> None:
    side = names(catalogue(CHANNELS))[: claim_side(np.zeros((1, len(COLUMNS)))).shape[1]]
    assert side[: len(debtor_features(CHANNELS))] == names(debtor_features(CHANNELS))
    assert COLUMNS[len(side)] == "channel"
    emptied = without_action(claim_side(np.ones((2, len(COLUMNS)))))
    assert emptied.shape == (2, len(COLUMNS))
    assert (np.isnan(emptied) == (np.arange(len(COLUMNS)) >= len(side))).all()
