"""Amounts in a decision: the learnt share of each claim and action stands in for the mean one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from models.decide import Decided
from models.value import expected_paid, value_grid
from tests.deciding import COLUMNS, bundle_of, decided, rate_model
from tests.portfolios import histories
from tests.strategies import START, random_tables

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ShareByChannel:
    """A payer pays a tenth more of the sum for each channel code."""

    def share(self, rows: FloatArray) -> FloatArray:
        return 0.3 + 0.1 * rows[:, COLUMNS.index("channel")].astype(np.float64)

    def dump(self) -> dict[str, str]:
        return {}


def both() -> tuple[Decided, Decided]:
    found = histories(random_tables(3, debtors=40))
    bundle = bundle_of(found, rate_model())
    as_of = START + timedelta(days=177, hours=5)
    learnt = replace(bundle, share_model=ShareByChannel())  # type: ignore[arg-type] # a fake of ten lines
    return decided(found, as_of, bundle=bundle), decided(found, as_of, bundle=learnt)


def test_the_value_reckons_with_the_share_of_each_action() -> None:
    plain, learnt = both()
    prepared, scored = learnt.prepared, learnt.scored
    share = 0.3 + 0.1 * prepared.grid.channel.astype(float)
    owed = prepared.rows.outstanding_eur
    lift = (scored.probability * share - scored.probability[:, :1] * share[0]) * owed[:, None]
    np.testing.assert_allclose(scored.lift_eur, lift, atol=1e-6)
    value = value_grid(
        lift, debtor=prepared.targets.moment, covered=prepared.covered, price=learnt.price, grid=prepared.grid,
        allowed=prepared.allowed,
    )  # fmt: skip
    np.testing.assert_allclose(scored.value_eur, value, atol=1e-6)
    np.testing.assert_array_equal(scored.probability, plain.scored.probability)
    assert (scored.value_eur > plain.scored.value_eur + 1.0).any()


def test_what_is_paid_without_contact_reckons_with_the_share_under_none() -> None:
    plain, learnt = both()
    owed, chance = plain.prepared.rows.outstanding_eur, plain.scored.probability
    usual = expected_paid(chance, outstanding_eur=owed, mean_share=plain.champion.mean_share)[:, 0]
    np.testing.assert_array_equal(plain.scored.without_eur, usual)
    np.testing.assert_allclose(learnt.scored.without_eur, chance[:, 0] * 0.3 * owed)
