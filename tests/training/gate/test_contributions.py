"""Differences of two policies: paired, on decisions judged by both, refused where there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.gate.made_evidence import contributions
from training.gate.contributions import CONTROL, OWN, Contributions, OtherDecisions, Part, difference
from training.ope.intervals import normal_interval
from training.policy_value import PolicyValue, winsorised


def test_contributions_are_the_same_after_a_round_trip(tmp_path: Path) -> None:
    before = contributions(control=1.0)
    after = Contributions.read(before.write(tmp_path / "c.parquet"))
    assert after.contact_id.tolist() == before.contact_id.tolist()
    np.testing.assert_array_equal(after.unit, before.unit)
    np.testing.assert_array_equal(after.action, before.action)
    for name in (OWN, CONTROL):
        np.testing.assert_array_equal(after.parts[name].rest_eur, before.parts[name].rest_eur)
        np.testing.assert_array_equal(after.parts[name].weight, before.parts[name].weight)


def test_a_part_and_the_payments_give_back_the_contributions_of_the_estimate() -> None:
    rng = np.random.default_rng(2)
    paid = np.where(rng.random(300) < 0.3, rng.exponential(100, 300), 0.0)
    value = PolicyValue(None, None, None, "", rng.normal(5, 1, 300), 0.5, rng.exponential(1, 300))
    part = Part.of(value, paid)
    np.testing.assert_allclose(part.rest_eur + part.weight * winsorised(paid), value.per_row)


def test_a_difference_is_that_of_the_two_contributions_clustered_by_debtor() -> None:
    found, made = (
        difference(contributions(control=1.0), contributions(control=1.0), others=CONTROL),
        contributions(control=1.0),
    )
    per_row = made.parts[OWN].rest_eur - made.parts[CONTROL].rest_eur
    assert found.gain == normal_interval(per_row, made.unit)
    assert found.gain.low > 0.9
    assert found.decisions == 2_000


def test_the_order_of_the_decisions_in_either_run_does_not_matter() -> None:
    made = contributions(control=1.0)
    order = np.random.default_rng(1).permutation(len(made.contact_id))
    parts = {name: part.at(order) for name, part in made.parts.items()}
    mixed = Contributions(made.contact_id[order], made.unit[order], made.paid_eur[order], made.action[order], parts)
    one, two = difference(made, made, others=CONTROL).gain, difference(made, mixed, others=CONTROL).gain
    assert (one.value, one.low, one.high) == pytest.approx((two.value, two.low, two.high))


def test_only_decisions_judged_by_both_count() -> None:
    made = contributions(control=1.0)
    rest = made.parts[CONTROL].rest_eur.copy()
    rest[1_000:] = np.nan
    half = replace(made, parts={**made.parts, CONTROL: Part(made.parts[CONTROL].weight, rest)})
    assert difference(made, half, others=CONTROL).decisions == 1_000


def test_a_large_payment_is_cut_alike_for_both() -> None:
    made = contributions(control=0.0)
    paid = np.zeros(2_000)
    paid[:200] = 100.0
    paid[0] = 1e9
    weights = {OWN: 2.0, CONTROL: 1.0}
    parts = {name: Part(np.full(2_000, weight), np.zeros(2_000)) for name, weight in weights.items()}
    found = difference(
        replace(made, paid_eur=paid, parts=parts), replace(made, paid_eur=paid, parts=parts), others=CONTROL
    )
    assert found.gain.value == pytest.approx(winsorised(paid).sum() / 2_000)


def test_runs_judged_on_other_decisions_are_not_compared() -> None:
    made = contributions()
    other = replace(made, contact_id=np.array([f"x{row}" for row in range(2_000)], dtype=object))
    with pytest.raises(OtherDecisions, match=r"judged on different decisions: 0 of 2,000 and 2,000 are the same"):
        difference(made, other)


def test_a_policy_that_was_not_judged_is_not_compared() -> None:
    with pytest.raises(OtherDecisions, match="no contributions of policy 'control' were kept: train again"):
        difference(contributions(), contributions(), others=CONTROL)


def test_policies_that_hardly_differ_where_something_was_paid_are_not_told_apart() -> None:
    made = contributions(control=0.0)
    paid, weight = np.zeros(2_000), np.ones(2_000)
    paid[:3], weight[:3] = 50.0, 0.0
    parts = {**made.parts, CONTROL: Part(weight, made.parts[CONTROL].rest_eur)}
    thin = replace(made, paid_eur=paid, parts=parts)
    with pytest.raises(OtherDecisions, match="hardly tells them apart: 3 decisions"):
        difference(thin, thin, others=CONTROL)
