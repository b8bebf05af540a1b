"""Learning and judging on decision log frames: drawn ones with known truth, and the three public sets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.decision_frame import read_frame
from data.frame_spec import read_spec
from tests.training.made_frames import drawn, framed, spec_of
from training.frames import run_check, run_evaluate, run_learn
from training.frames.evaluate import evaluate_frame
from training.frames.evaluation import EvaluateResult
from training.frames.learn import last_by_time, learn_frame
from training.frames.outcome import TooSmall, unit_folds
from training.frames.policy import arm_levels, choose, deviation, trust_in
from training.frames.quality import auc, auc_error, quality

ROOT = Path(__file__).parents[2]
SETS = ROOT.parent / "shared" / "data"
SPECS = ROOT / "data" / "frames"
real = pytest.mark.skipif(not SETS.is_dir(), reason="the public data sets are not beside this repository")

SPEC = """
unit = "person"
time = "@order"
action = "arm"
action_probability = "p"

[reward]
column = "paid"
kind = "0/1"

[context]
all = true
leave_out = []
"""


def test_a_policy_that_helps_is_found_and_said(tmp_path: Path) -> None:
    frame = framed(tmp_path, drawn(1, rows=3000, split=0.25), spec_of())
    found = evaluate_frame(frame, seed=1)
    assert found.gain is not None
    assert found.gain.shown
    assert found.gain.difference.low <= 0.125 <= found.gain.difference.high + 0.03
    assert any(line.strip().startswith("gain shown over") for line in found.lines())
    json.dumps(found.as_dict())


def test_where_nothing_differs_no_gain_is_claimed(tmp_path: Path) -> None:
    for seed in range(3):
        found = evaluate_frame(framed(tmp_path, drawn(seed, rows=1500, split=0.0), spec_of()), seed=seed)
        assert found.gain is not None
        assert not found.gain.shown
        assert any("no gain shown over" in line for line in found.lines())


def test_results_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    frame = framed(tmp_path, drawn(2, rows=600, split=0.1), spec_of())
    assert evaluate_frame(frame, seed=3).as_dict() == evaluate_frame(frame, seed=3).as_dict()
    assert learn_frame(frame, seed=3).as_dict() == learn_frame(frame, seed=3).as_dict()


def test_without_action_probability_no_causal_number_is_given(tmp_path: Path) -> None:
    frame = framed(tmp_path, drawn(1, rows=300, split=0.0), spec_of(action_probability=None))
    found = evaluate_frame(frame, seed=1)
    assert not found.identified
    assert found.exit_code == 0
    assert found.arms == ()
    text = "\n".join(found.lines())
    assert "identifies no causal number" in text
    assert "needed: the probability with which each action was chosen" in text
    assert "naive means, NOT effects" in text


def test_rows_without_probability_are_left_out_and_counted(tmp_path: Path) -> None:
    table = drawn(1, rows=900, split=0.0)
    given = [None if i < 100 else p for i, p in enumerate(table["p"].to_pylist())]
    found = evaluate_frame(framed(tmp_path, table.set_column(2, "p", pa.array(given)), spec_of()), seed=1)
    assert found.rows == 800
    assert any("100 rows without action_probability" in notice for notice in found.notices)


def test_probabilities_that_do_not_fit_the_actions_give_no_number(tmp_path: Path) -> None:
    table = drawn(1, rows=900, split=0.0)
    frame = framed(tmp_path, table, spec_of(action_probability=0.9))
    assert all("weights average" in arm.refused for arm in evaluate_frame(frame, seed=1).arms)
    (tmp_path / "spec.toml").write_text(SPEC.replace('"p"', "0.9").replace("[]", '["p"]'))
    checked = run_check(tmp_path / "log.parquet", tmp_path / "spec.toml", seed=1)
    assert any("does not fit how often" in notice for notice in checked.notices)


def test_probabilities_per_action_equal_those_per_row(tmp_path: Path) -> None:
    table = drawn(1, rows=900, split=0.0)
    by_action: dict[str, object] = {"none": 0.2, "sms": 0.3, "letter": 0.5}
    given = framed(tmp_path, table.drop_columns(["p"]), spec_of(action_probability=by_action))
    logged = framed(tmp_path, table, spec_of())
    assert given.action_probability == pytest.approx(logged.action_probability)


def test_a_feature_from_after_the_reward_is_named_and_stops_the_model(tmp_path: Path) -> None:
    table = drawn(1, rows=2000, split=0.0)
    after = table["paid"].to_numpy() * 7.0 + np.random.default_rng(0).normal(size=2000)
    frame = framed(
        tmp_path, table.append_column("minutes", pa.array(after)), spec_of(target_policy={"constant": "sms"})
    )
    learnt = learn_frame(frame, seed=1)
    assert [flag.feature for flag in learnt.leakage] == ["x_minutes"]
    assert any(line.strip().startswith("leakage? x_minutes") for line in learnt.lines())
    judged = evaluate_frame(frame, seed=1)
    assert judged.learned is None
    assert "x_minutes alone all but tell the reward" in judged.why_no_policy
    assert judged.target is not None
    assert [estimate.name for estimate in judged.target.estimates] == ["IPS", "SNIPS"]


def test_a_strong_feature_from_before_the_decision_does_not_stop_the_model(tmp_path: Path) -> None:
    table = drawn(1, rows=2000, split=0.0)
    strong = table["paid"].to_numpy() * 1.2 + np.random.default_rng(0).normal(size=2000)
    frame = framed(tmp_path, table.append_column("strong", pa.array(strong)), spec_of())
    assert [flag.feature for flag in learn_frame(frame, seed=1).leakage] == ["x_strong"]
    assert evaluate_frame(frame, seed=1).gain is not None


def test_a_feature_that_actions_move_stops_the_model(tmp_path: Path) -> None:
    table = drawn(1, rows=2000, split=0.0)
    sms = np.array(table["arm"].to_pylist()) == "sms"
    paid = np.where(sms, np.random.default_rng(0).random(2000) < 0.7, table["paid"].to_numpy())
    after = paid * 1.5 + np.random.default_rng(1).normal(size=2000)
    table = table.set_column(5, "paid", pa.array(paid.astype(np.int64))).append_column("after", pa.array(after))
    assert "x_after alone" in evaluate_frame(framed(tmp_path, table, spec_of()), seed=1).why_no_policy


def test_a_feature_declared_known_before_is_not_flagged_for_standing_alone(tmp_path: Path) -> None:
    table = drawn(1, rows=1000, split=0.0)
    first = table["paid"].to_numpy() * 7.0 + np.random.default_rng(0).normal(size=1000)
    both = table.append_column("minutes", pa.array(first)).append_column("seconds", pa.array(first * 60))
    declared: dict[str, object] = {"all": True, "known_before": ["minutes"]}
    learnt = learn_frame(framed(tmp_path, both, spec_of(context=declared)), seed=1)
    assert [flag.feature for flag in learnt.leakage] == ["x_seconds"]


def test_noise_is_not_flagged_on_a_short_log(tmp_path: Path) -> None:
    table = drawn(1, rows=160, split=0.0)
    for column in range(40):
        noise = np.random.default_rng(column).normal(size=160)
        table = table.append_column(f"noise_{column}", pa.array(noise))
    assert learn_frame(framed(tmp_path, table, spec_of()), seed=1).leakage == ()


def test_without_time_the_split_by_time_is_refused_in_words(tmp_path: Path) -> None:
    learnt = learn_frame(framed(tmp_path, drawn(1, rows=300, split=0.0), spec_of(time=None)), seed=1)
    assert learnt.last_by_time is None
    assert "a split by time needs a time" in "\n".join(learnt.lines())


def test_amounts_are_learnt_and_judged(tmp_path: Path) -> None:
    table = drawn(1, rows=2000, split=0.25)
    amount = table["paid"].to_numpy() * np.random.default_rng(0).gamma(2.0, 50.0, 2000)
    spec = spec_of(reward={"column": "paid", "kind": "amount"})
    frame = framed(tmp_path, table.set_column(5, "paid", pa.array(amount)), spec)
    learnt, judged = learn_frame(frame, seed=1), evaluate_frame(frame, seed=1)
    assert learnt.random_folds.r_squared is not None
    assert learnt.random_folds.log_loss is None
    assert judged.logging.value == pytest.approx(amount.mean())


def test_too_little_to_learn_from_is_said(tmp_path: Path) -> None:
    small = framed(tmp_path, drawn(1, rows=40, split=0.0), spec_of())
    with pytest.raises(TooSmall, match="expected at least 50 rows and 4 units"):
        learn_frame(small, seed=1)
    assert "expected at least 50 rows" in evaluate_frame(small, seed=1).why_no_policy
    alike = replace(small, reward=np.ones(40))
    with pytest.raises(TooSmall, match="expected rewards that differ; all 40 are 1"):
        learn_frame(alike, seed=1)


def test_hundreds_of_actions_are_shown_in_part(tmp_path: Path) -> None:
    table = drawn(1, rows=1500, split=0.0)
    arm = [f"a{i}" for i in np.random.default_rng(0).permutation(1500) % 300]
    frame = framed(tmp_path, table.set_column(1, "arm", pa.array(arm)), spec_of(action_probability=1 / 300))
    found = evaluate_frame(frame, seed=1)
    assert len(found.arms) == 300
    assert any("and 280 more actions" in line for line in found.lines())


def test_units_never_stand_on_both_sides_of_a_fold() -> None:
    unit = np.random.default_rng(0).integers(0, 50, 500)
    fold = unit_folds(unit, 5, seed=1)
    assert all(len(set(fold[unit == each])) == 1 for each in range(50))
    assert np.bincount(fold).min() > 0


def test_rows_of_one_instant_stand_on_one_side_of_the_cut() -> None:
    later = last_by_time(np.repeat(np.arange(5), 7))
    assert later.sum() == 7


def test_levels_are_shrunk_only_as_far_as_chance_explains_them() -> None:
    rng = np.random.default_rng(0)
    action = np.repeat([0, 1], 5000)
    apart = arm_levels(action, (rng.random(10_000) < 0.1 + 0.2 * action).astype(float), np.ones(10_000), actions=3)
    assert apart[1] - apart[0] == pytest.approx(0.2, abs=0.02)
    assert apart[2] == pytest.approx(apart[:2].mean(), abs=0.01)


def test_deviations_that_are_noise_are_not_trusted() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.normal(size=(4000, 2))
    action = rng.integers(0, 2, 4000)
    noise = 2 * (rng.normal(size=4000) - predicted[np.arange(4000), action])
    told = 2 * rng.normal(size=4000)
    assert trust_in(predicted, action, noise) < 0.1
    assert trust_in(predicted, action, told) > 0.8
    assert choose(predicted, np.array([0.0, 1.0]), trust=0.0).tolist() == [1] * 4000
    assert deviation(predicted).mean(axis=0) == pytest.approx([0, 0])


def test_quality_by_hand() -> None:
    found = quality(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.6, 0.4, 0.9]), binary=True)
    assert found.auc == pytest.approx(0.75)
    assert found.log_loss == pytest.approx(-np.log([0.9, 0.4, 0.4, 0.9]).mean())
    assert auc(np.ones(3, dtype=np.bool_), np.ones(3)) is None
    assert auc_error(1.0, np.array([True, False])) == 0.0


def evaluated(file: Path, name: str) -> EvaluateResult:
    return run_evaluate(file, SPECS / f"{name}.toml", seed=1)


@real
@pytest.mark.parametrize("spec", sorted(SPECS.glob("*.toml")), ids=lambda file: file.stem)
def test_shipped_specs_fit_their_set(spec: Path) -> None:
    kind, _, rest = spec.stem.partition("_")
    campaign, _, log = rest.partition("_")
    file = {
        "hillstrom": SETS / "hillstrom" / "hillstrom.parquet",
        "obd": SETS / "obd_small" / f"{log}_{campaign}.parquet",
        "bank": SETS / "bank_marketing" / ("bank_full.parquet" if log == "2011" else "bank_additional_full.parquet"),
    }[kind]
    assert run_check(file, spec, seed=1).exit_code == 0


@real
def test_hillstrom_visits_are_as_published() -> None:
    found = evaluated(SETS / "hillstrom" / "hillstrom.parquet", "hillstrom")
    values = {arm.name: arm.of("SNIPS") for arm in found.arms}
    for name, mean in {"No E-Mail": 0.1062, "Mens E-Mail": 0.1828, "Womens E-Mail": 0.1514}.items():
        interval = values[name]
        assert interval is not None
        assert interval.value == pytest.approx(mean, abs=5e-5)
        assert interval.half_width < 0.006
    assert found.learned is not None
    value = found.learned.of("DR")
    assert value is not None
    assert value.low <= 0.184 <= value.high
    assert value.half_width <= 0.006


@real
def test_on_hillstrom_spend_no_gain_is_claimed() -> None:
    found = evaluated(SETS / "hillstrom" / "hillstrom.parquet", "hillstrom_spend")
    assert found.gain is not None
    assert found.gain.best == "Mens E-Mail"
    assert not found.gain.shown
    means = {arm.name: arm.naive for arm in found.arms}
    assert means == pytest.approx({"No E-Mail": 0.653, "Mens E-Mail": 1.423, "Womens E-Mail": 1.077}, abs=5e-4)


@real
def test_bank_marketing_is_learnt_without_leakage() -> None:
    file = SETS / "bank_marketing" / "bank_additional_full.parquet"
    learnt = run_learn(file, SPECS / "bank_marketing.toml", seed=1)
    assert learnt.random_folds.auc is not None
    assert learnt.random_folds.auc >= 0.80
    assert learnt.last_by_time is not None
    assert learnt.last_by_time.auc is not None
    assert learnt.last_by_time.auc >= 0.64
    assert learnt.leakage == ()


@real
def test_bank_marketing_duration_is_flagged_and_nothing_else() -> None:
    frame = read_frame(
        SETS / "bank_marketing" / "bank_additional_full.parquet", read_spec(SPECS / "bank_marketing_leak.toml")
    )
    third = frame.rows(np.arange(len(frame)) % 3 == 0)
    assert [flag.feature for flag in learn_frame(third, seed=1).leakage] == ["x_duration"]


@real
def test_bank_marketing_identifies_no_causal_number() -> None:
    found = evaluated(SETS / "bank_marketing" / "bank_additional_full.parquet", "bank_marketing")
    assert not found.identified
    assert len(found.naive) == 10


@real
@pytest.mark.parametrize("campaign", ["all", "men"])
@pytest.mark.parametrize("log", ["random", "bts"])
def test_open_bandit_values_agree_with_the_policys_own_log(campaign: str, log: str) -> None:
    found = evaluated(SETS / "obd_small" / f"{log}_{campaign}.parquet", f"obd_{campaign}_{log}")
    assert found.on_policy is not None
    assert found.target is not None
    assert found.target.thin == (log == "bts")
    for name in ("IPS", "SNIPS", "DR", "SN-DR"):
        value = found.target.of(name)
        assert value is not None
        together = np.hypot(value.half_width, found.on_policy.half_width)
        assert abs(value.value - found.on_policy.value) <= together
    names = [estimate.name for estimate in found.target.estimates]
    assert names[-3:] == ["DM", "Switch-DR", "shrunk DR"]
    assert ("marginalised DR" in names) == (log == "random")  # of bts the log shows no whole policy
    assert any("target on its own log" in line for line in found.lines())
