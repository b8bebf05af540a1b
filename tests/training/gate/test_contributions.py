"""Differences of two policies: paired, on decisions judged by both, refused where there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.training.gate.made_evidence import contributions
from training.gate.contributions import CONTROL, OWN, Contributions, OtherDecisions, Part, difference
from training.ope.intervals import skewed_interval
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
        np.testing.assert_array_equal(after.parts[name].cell, before.parts[name].cell)
    np.testing.assert_array_equal(after.decided_us, before.decided_us)


def test_a_part_and_the_payments_give_back_the_contributions_of_the_estimate() -> None:
    rng = np.random.default_rng(2)
    paid = np.where(rng.random(300) < 0.3, rng.exponential(100, 300), 0.0)
    value = PolicyValue(None, None, None, "", rng.normal(5, 1, 300), 0.5, rng.exponential(1, 300), np.arange(300))
    part = Part.of(value, paid)
    np.testing.assert_allclose(part.rest_eur + part.weight * winsorised(paid), value.per_row)


def test_a_difference_is_that_of_the_two_contributions_clustered_by_debtor() -> None:
    found, made = (
        difference(contributions(control=1.0), contributions(control=1.0), others=CONTROL),
        contributions(control=1.0),
    )
    own, rules = made.parts[OWN], made.parts[CONTROL]
    per_row = own.rest_eur - rules.rest_eur + (own.weight - rules.weight) * made.paid_eur
    assert found.gain == skewed_interval(per_row, made.unit)
    assert found.gain.low > 0.9
    assert found.decisions == 2_000


def test_the_order_of_the_decisions_in_either_run_does_not_matter() -> None:
    made = contributions(control=1.0)
    order = np.random.default_rng(1).permutation(len(made.contact_id))
    parts = {name: part.at(order) for name, part in made.parts.items()}
    names = ("contact_id", "decided_us", "unit", "paid_eur", "action")
    mixed = replace(made, parts=parts, **{name: getattr(made, name)[order] for name in names})
    one, two = difference(made, made, others=CONTROL).gain, difference(made, mixed, others=CONTROL).gain
    assert (one.value, one.low, one.high) == pytest.approx((two.value, two.low, two.high))


def test_only_decisions_judged_by_both_count() -> None:
    made = contributions(control=1.0)
    rest = made.parts[CONTROL].rest_eur.copy()
    rest[1_000:] = np.nan
    half = replace(made, parts={**made.parts, CONTROL: replace(made.parts[CONTROL], rest_eur=rest)})
    assert difference(made, half, others=CONTROL).decisions == 1_000


def test_a_large_payment_is_cut_alike_for_both() -> None:
    made = contributions(control=0.0)
    paid = np.zeros(2_000)
    paid[:200] = 100.0
    paid[0] = 1e9
    parts = {name: replace(part, rest_eur=np.zeros(2_000)) for name, part in made.parts.items()}
    large = replace(made, paid_eur=paid, parts=parts)
    sign = parts[OWN].weight - parts[CONTROL].weight
    found = difference(large, large, others=CONTROL)
    assert found.gain.value == pytest.approx((sign * winsorised(paid)).mean())


def test_runs_judged_on_other_decisions_are_not_compared() -> None:
    made = contributions()
    other = replace(made, contact_id=np.array([f"x{row}" for row in range(2_000)], dtype=object))
    with pytest.raises(OtherDecisions, match=r"judged on different decisions: 0 of 2,000 and 2,000 are the same"):
        difference(made, other)


def test_a_policy_that_was_not_judged_is_not_compared() -> None:
    with pytest.raises(OtherDecisions, match="no contributions of policy 'control' were kept: train again"):
        difference(contributions(), contributions(), others=CONTROL)


def paying(made: Contributions, speaks: dict[str, int]) -> Contributions:
    """The same with so many payments where the log did what each policy does, and none elsewhere."""
    paid = np.zeros(len(made.contact_id))
    for name, count in speaks.items():
        paid[np.flatnonzero(made.parts[name].weight > 0)[:count]] = 50.0
    return replace(made, paid_eur=paid)


@pytest.mark.parametrize(
    ("speaks", "words"),
    [
        ({OWN: 9, CONTROL: 90}, "9 decisions with a payment speak for the one and 90 for the other"),
        ({OWN: 90, CONTROL: 9}, "90 decisions with a payment speak for the one and 9 for the other"),
        ({OWN: 90, CONTROL: 0}, "0 of .* rows that count differ from 0"),
        ({}, "0 of .* rows that count differ from 0"),
    ],
)
def test_policies_for_which_few_payments_speak_are_not_told_apart(speaks: dict[str, int], words: str) -> None:
    thin = paying(contributions(control=1.0), speaks)
    with pytest.raises(OtherDecisions, match=words):
        difference(thin, thin, others=CONTROL)


def test_ten_payments_for_each_are_enough() -> None:
    enough = paying(contributions(control=1.0), {OWN: 10, CONTROL: 10})
    assert difference(enough, enough, others=CONTROL).decisions == 2_000


def test_predictions_alone_are_no_difference_where_few_payments_speak_for_it() -> None:
    """Three decisions differ and nobody paid on them: only the model says that they are worth more."""
    made = contributions()
    own = made.parts[OWN]
    cell, rest = own.cell.copy(), own.rest_eur - 1.0
    cell[:3] = 0
    some = replace(made, parts={OWN: own, CONTROL: Part(own.weight, rest, cell)})
    with pytest.raises(OtherDecisions, match="hardly tells them apart: 0 decisions"):
        difference(some, some, others=CONTROL)


def test_policies_that_do_the_same_differ_by_nothing_whatever_their_models_expect() -> None:
    made = contributions()
    own = made.parts[OWN]
    same = replace(made, parts={OWN: own, CONTROL: replace(own, rest_eur=own.rest_eur - 3.0)})
    gain = difference(same, same, others=CONTROL).gain
    assert (gain.value, gain.low, gain.high) == (0.0, 0.0, 0.0)


def test_a_rival_that_the_log_does_not_bear_is_no_measure() -> None:
    made = contributions(control=1.0)
    weight = np.zeros(2_000)
    weight[:20] = 100.0
    thin = replace(made, parts={**made.parts, CONTROL: replace(made.parts[CONTROL], weight=weight)})
    with pytest.raises(OtherDecisions, match=r"does not bear one of them .* effective rows 20\.0 of 20 that count"):
        difference(thin, thin, others=CONTROL)


def test_contacts_of_the_same_name_at_another_moment_are_other_decisions() -> None:
    made = contributions(control=1.0)
    with pytest.raises(OtherDecisions, match="0 of 2,000 and 2,000 are the same"):
        difference(made, replace(made, decided_us=made.decided_us + 1), others=CONTROL)


def test_a_file_from_before_cells_were_kept_asks_for_training_again(tmp_path: Path) -> None:
    path = contributions(control=1.0).write(tmp_path / "c.parquet")
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["decided_us", "own_cell", "control_cell"]), path)
    older = Contributions.read(path)
    with pytest.raises(OtherDecisions, match="train again"):
        difference(older, older, others=CONTROL)
