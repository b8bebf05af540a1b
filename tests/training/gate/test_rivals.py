"""The champion on the judged decisions: what it has seen is taken from its own run, what came later it decides again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.times import from_us
from models.bundle import Bundle, point_to, write_bundle
from models.decide import Decided
from tests.deciding import PACKS, bundle_of, rate_model
from tests.portfolios import CONFIG
from training.gate.contributions import CONTROL, OWN, Contributions, Part, difference
from training.gate.gather import present_rules, without_contact
from training.gate.rivals import champion_part, present_champion
from training.material import Material
from training.policy_value import decide_again, policy_value


def a_champion(material: Material, as_of_us: int) -> Bundle:
    card = {
        "as_of": from_us(as_of_us).isoformat(), "horizon_days": CONFIG.horizon.days, "config": CONFIG.fingerprint,
    }  # fmt: skip
    return replace(bundle_of(material.histories, rate_model()), card=card, reference=material.reference)


def a_run(material: Material) -> Decided:
    """The judged decisions by a run that knows other rates: it writes letters where the champion calls."""
    rates = (0.10, 0.15, 0.15, 0.15, 0.60, 0.15, 0.15)
    bundle = replace(a_champion(material, material.as_of_us), model=rate_model(rates))
    return decide_again(material.histories, material.judged, bundle=bundle, config=CONFIG, packs=PACKS)


def by_champion(material: Material) -> Decided:
    bundle = a_champion(material, material.as_of_us)
    return decide_again(material.histories, material.judged, bundle=bundle, config=CONFIG, packs=PACKS)


def kept(material: Material, action: np.ndarray) -> Contributions:
    judged, size = material.judged, len(material.judged.debtor)
    part = Part(np.ones(size), np.full(size, 7.0), np.ones(size, dtype=np.int64))
    return Contributions(judged.contact_id, judged.decided_us, judged.debtor, judged.paid_eur, action, {OWN: part})


def valued(material: Material, again: Decided, action: np.ndarray) -> Part:
    """The actions of one policy with the predictions of another."""
    theirs = replace(again, choice=replace(again.choice, action=action))
    return Part.of(policy_value(material.judged, theirs), material.judged.paid_eur)


def test_a_champion_that_has_seen_no_judged_outcome_decides_all_of_them_again(material: Material) -> None:
    champion, again = a_champion(material, int(material.judged.decided_us.min())), a_run(material)
    found = champion_part(champion, kept(material, 0 * again.choice.action), material=material, again=again)
    expected = valued(material, again, by_champion(material).choice.action)
    assert found.part is not None
    np.testing.assert_allclose(found.part.rest_eur, expected.rest_eur)
    np.testing.assert_allclose(found.part.weight, expected.weight)
    assert found.note == ""


def test_a_champion_that_has_seen_the_outcomes_is_judged_by_what_its_own_run_kept(material: Material) -> None:
    champion, again = a_champion(material, material.as_of_us), a_run(material)
    found = champion_part(champion, kept(material, 0 * again.choice.action), material=material, again=again)
    assert found.part is not None
    np.testing.assert_allclose(found.part.rest_eur, valued(material, again, 0 * again.choice.action).rest_eur)


def test_two_policies_earn_exactly_the_same_where_they_do_the_same(material: Material) -> None:
    champion, again = a_champion(material, material.as_of_us), a_run(material)
    found = champion_part(champion, kept(material, again.choice.action), material=material, again=again)
    own = valued(material, again, again.choice.action)
    assert found.part is not None
    np.testing.assert_array_equal(found.part.rest_eur, own.rest_eur)
    np.testing.assert_array_equal(found.part.weight, own.weight)


def test_what_it_has_seen_and_no_run_has_kept_is_not_judged(material: Material) -> None:
    middle = int(np.median(material.judged.decided_us))
    found = champion_part(a_champion(material, middle), None, material=material, again=a_run(material))
    assert found.part is not None
    np.testing.assert_array_equal(np.isfinite(found.part.rest_eur), material.judged.decided_us >= middle)
    assert "it has seen others" in found.note
    assert found.version == "m1"


def test_what_its_run_kept_under_another_configuration_does_not_count(material: Material) -> None:
    champion, again = a_champion(material, material.as_of_us), a_run(material)
    other = replace(champion, card={**champion.card, "config": "other"})
    found = champion_part(other, kept(material, again.choice.action), material=material, again=again)
    assert found.part is not None
    assert not np.isfinite(found.part.rest_eur).any()


def test_what_its_run_kept_of_a_contact_at_another_moment_does_not_count(material: Material) -> None:
    champion, again = a_champion(material, material.as_of_us), a_run(material)
    stored = kept(material, again.choice.action)
    other = replace(stored, decided_us=stored.decided_us + 1)
    found = champion_part(champion, other, material=material, again=again)
    assert found.part is not None
    assert not np.isfinite(found.part.rest_eur).any()


def test_a_champion_of_other_channels_is_none_and_says_why(material: Material, tmp_path: Path) -> None:
    assert present_champion(tmp_path, CONFIG) == (None, "")
    write_bundle(a_champion(material, material.as_of_us), tmp_path / "models" / "m1")
    point_to(tmp_path, "champion", model_version="m1")
    found, why = present_champion(tmp_path, CONFIG)
    assert found is not None
    assert why == ""
    other = replace(CONFIG, horizon=replace(CONFIG.horizon, days=CONFIG.horizon.days + 1))
    found, why = present_champion(tmp_path, other)
    assert found is None
    assert "train and promote again" in why


def test_the_present_rules_and_no_contact_are_the_same_decisions_taken_otherwise(material: Material) -> None:
    bundle, again = a_champion(material, material.as_of_us), by_champion(material)
    control = decide_again(
        material.histories, material.judged, bundle=replace(bundle, chooser="control"), config=CONFIG, packs=PACKS
    )
    np.testing.assert_array_equal(present_rules(again).choice.action, control.choice.action)
    assert (without_contact(again).choice.action == 0).all()
    assert again.choice.action.any()


def test_a_policy_held_against_itself_differs_by_nothing(material: Material) -> None:
    made = kept(material, np.zeros(len(material.judged.debtor), dtype=np.int64))
    both = replace(made, parts={OWN: made.parts[OWN], CONTROL: made.parts[OWN]})
    gain = difference(both, both, others=CONTROL).gain
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.0, 0.0, 0.0))
