"""The gate: a run that meets every check passes, and each check alone keeps one out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.deciding import bundle_of, rate_model
from tests.portfolios import histories
from tests.strategies import random_tables
from tests.training.gate.made_evidence import ABOVE, AS_OF, BELOW, EQUAL, GOOD, contributions, evidence
from training.gate.calibration import CalibrationSlice
from training.gate.fairness import Pressure
from training.gate.leakage import Telling
from training.gate.verdict import Standing, Verdict, same_recipe, verdict

UNFAIR = Pressure("sex", {"female": 0.3, "male": 0.6}, {"female": 900, "male": 900}, 2.0, certain=True)
PLANTED: dict[str, dict[str, Any]] = {
    "calibration error": {"calibration": (CalibrationSlice("all", 5_000, 0.021, 0.005),)},
    "calibration error, sms AT": {
        "calibration": (GOOD.calibration[0], CalibrationSlice("sms AT", 2_500, 0.041, 0.01))
    },
    "leakage: all features": {"auc": 0.96},
    "leakage: one feature": {"telling": Telling("paid_log_7", 0.99)},
    "contacts at equal need by sex": {"pressure": (UNFAIR,)},
    "contact rules": {"barred": 1},
    "value against the present rules": {"value_refused": "effective rows 3.0 of 9 that count, expected at least 30"},
}  # fmt: skip


def standing(*, recipe: str = "lightgbm", rounds: int = 20, as_of: str = AS_OF, version: str = "m1") -> Standing:
    card = {"settings": {"rounds": rounds}, "as_of": as_of}
    bundle = bundle_of(histories(random_tables(1)), rate_model(), model_version=version, recipe=recipe, card=card)
    return Standing(bundle, None)


def against_champion(gain: dict[str, float], champion: Standing) -> Verdict:
    return verdict(evidence(champion="m1"), contributions(**gain), champion=champion, role="champion")


def test_a_run_that_meets_every_check_passes() -> None:
    found = verdict(GOOD, contributions(**ABOVE), champion=None, role="champion")
    assert found.ok
    assert found.failed == ()


@pytest.mark.parametrize("name", PLANTED)
def test_each_check_alone_keeps_a_run_out_with_its_figure_and_what_to_do(name: str) -> None:
    found = verdict(evidence(**PLANTED[name]), contributions(**ABOVE), champion=None, role="champion")
    assert found.failed == (name,)
    lines = found.lines()
    assert next(line for line in lines if line.startswith("FAILED")).split("  ")[1] == name
    assert lines[-1].startswith(f"{name}: ")
    assert len(lines[-1]) > len(name) + 10


@pytest.mark.parametrize(
    ("gain", "ok"), [(ABOVE, True), (BELOW, False), ({"control": 0.0}, True), ({"control": -0.2}, False)]
)
def test_without_a_champion_a_run_may_not_lose_a_hundredth_against_the_present_rules(
    gain: dict[str, float], ok: bool
) -> None:
    assert verdict(GOOD, contributions(**gain), champion=None, role="champion").ok is ok


@pytest.mark.parametrize(("gain", "ok"), [(ABOVE, True), (EQUAL, False), (BELOW, False)])
def test_another_recipe_must_earn_more_than_the_champion(gain: dict[str, float], ok: bool) -> None:
    assert against_champion(gain, standing(recipe="logistic")).ok is ok
    assert against_champion(gain, standing(rounds=30)).ok is ok


@pytest.mark.parametrize(("gain", "ok"), [(ABOVE, True), (EQUAL, True), (BELOW, False)])
def test_the_same_recipe_on_newer_data_may_not_lose_a_hundredth(gain: dict[str, float], ok: bool) -> None:
    assert against_champion(gain, standing(as_of="2026-01-02T05:00:00+00:00")).ok is ok


def test_the_same_recipe_on_older_data_is_another_recipe() -> None:
    assert same_recipe(GOOD, "lightgbm", {"settings": {"rounds": 20}, "as_of": AS_OF})
    assert not same_recipe(GOOD, "lightgbm", {"settings": {"rounds": 20}, "as_of": "2026-04-02T05:00:00+00:00"})


def test_a_champion_promoted_since_is_compared_by_what_was_kept_with_its_own_run() -> None:
    later, worse = standing(recipe="logistic", version="m2"), contributions(control=-5.0)
    kept = replace(worse, parts={"own": worse.parts["control"]})
    run = contributions(**ABOVE)
    assert not verdict(evidence(champion="m1"), run, champion=replace(later, kept=kept), role="champion").ok
    unknown = verdict(
        evidence(champion="m1"),
        run,
        champion=replace(later, kept=replace(kept, contact_id=kept.contact_id + "x")),
        role="champion",
    )
    assert "judged on different decisions" in " ".join(unknown.lines())


def test_a_thin_log_is_refused_and_a_challenger_offered() -> None:
    found = verdict(evidence(value_refused="effective rows 3.0"), contributions(), champion=None, role="champion")
    assert "--challenger" in found.lines()[-1]
    assert "challenger = 0.05" in found.lines()[-1]


def test_a_challenger_need_not_have_shown_its_value_but_all_else() -> None:
    thin = evidence(value_refused="effective rows 3.0")
    assert verdict(thin, contributions(), champion=None, role="challenger").ok
    assert not verdict(replace(thin, barred=1), contributions(), champion=None, role="challenger").ok


def test_a_difference_of_groups_within_chance_does_not_count() -> None:
    chance = replace(UNFAIR, certain=False)
    found = verdict(evidence(pressure=(chance,)), contributions(**ABOVE), champion=None, role="champion")
    assert found.ok
    assert "within chance" in " ".join(found.lines())


def test_evidence_is_the_same_after_a_round_trip(tmp_path: Any) -> None:
    made = evidence(pressure=(UNFAIR,))
    assert type(made).read(made.write(tmp_path / "e.json")) == made
    assert np.isfinite(list(made.metrics().values())).all()
