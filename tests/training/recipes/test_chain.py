"""The chain: what a hazard's derivatives are, that lifts and links are found, and which columns a link may look at."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from features.catalogue import action_features, names
from models.chain import ChainModel, load_chain
from tests.deciding import COLUMNS
from tests.training.made_rows import rows_with
from tests.training.recipes.randomised_logs import reference
from training.recipes.chain.hazard import Known
from training.recipes.chain.lift import Observed, measure_level, measure_lift
from training.recipes.chain.recipe import NothingCompared, fit_chain
from training.rows import TrainingRows
from training.splits import Split

NONE, SMS, LETTER, PHONE = 0, 1, 4, 5
NEAR = [COLUMNS.index(f"paid_near_{hour:02d}") for hour in range(24)]
QUICK = {"num_threads": 1, "reach_rounds": 40, "conversion_rounds": 30, "own_rounds": 60, "min_data_in_leaf": 20}


def evening_world(seed: int, *, effect: float, size: int = 12_000) -> tuple[TrainingRows, Split, np.ndarray]:
    """A randomised log of people who can be reached at their own hour only; whether each row's hour was the person's own.

    Who is reached by SMS or phone answers; of those `effect` pay who would not have paid. One in five pays anyway, half of
    these through the message, reached or not.
    """
    rng = np.random.default_rng(seed)
    debtor = np.sort(rng.integers(0, size // 4, size))
    evening = (rng.random(size // 4) < 0.5)[debtor]
    channel = rng.choice([NONE, SMS, LETTER, PHONE], size)
    hour = np.where(channel > 0, rng.choice([8, 20], size), -1)
    own = np.where(hour == 20, evening, ~evening) & (channel > 0)
    reached = (rng.random(size) < np.where(own, 0.5, 0.05)) & (channel > 0)
    moved, anyway = reached & (rng.random(size) < effect), rng.random(size) < 0.2
    rows = rows_with(
        channel=channel.astype(np.int16), hour=hour, paid=moved | anyway, debtor=debtor,
        decided_us=np.arange(size, dtype=np.int64), action_probability=np.full(size, 1 / 7),
        responded=reached & (channel != LETTER),
        paid_through=moved | (anyway & (channel > 0) & (rng.random(size) < 0.5)),
    )  # fmt: skip
    matrix = rows.matrix.astype(np.float32)
    bell = np.exp(-0.5 * (((np.arange(24)[None, :] - np.where(evening, 20, 8)[:, None] + 12) % 24 - 12) / 3.0) ** 2)
    matrix[:, NEAR] = np.log(0.3 + 2 * bell)
    part = (debtor % 10).astype(np.int64)
    return replace(rows, matrix=matrix), Split(part < 6, (part >= 6) & (part < 8), part >= 8, 0), own


@cache
def fitted(effect: float, *, attribution: bool = True) -> ChainModel:
    rows, split, _ = evening_world(1, effect=effect)
    model = fit_chain(rows, split, reference(), {**QUICK, "attribution": attribution}, 1).model
    assert isinstance(model, ChainModel)
    return model


def uplift(model: ChainModel, rows: TrainingRows, *, channel: int, hour: int) -> np.ndarray:
    """Chance of payment under an action less that under `none`, shape (n,)."""
    made, none = rows.matrix.copy(), rows.matrix.copy()
    made[:, COLUMNS.index("channel")], made[:, COLUMNS.index("hour")] = channel, hour
    none[:, COLUMNS.index("channel")], none[:, COLUMNS.index("hour")] = NONE, np.nan
    return model.probability(made) - model.probability(none)


def test_derivatives_of_the_hazards_deviance_are_those_of_small_steps() -> None:
    rng = np.random.default_rng(3)
    known = Known(rng.random(50) < 0.3, rng.uniform(0.01, 0.3, 50), rng.uniform(0.1, 1.0, 50))
    raw, step = rng.normal(-1.0, 1.0, 50), 1e-6
    first, second = known.gradients(raw)
    slopes = [known.deviance(raw + step * one) - known.deviance(raw - step * one) for one in np.eye(50)]
    np.testing.assert_allclose(first, np.array(slopes) * 50 / (2 * step), rtol=1e-4, atol=1e-6)
    assert (second > 0).all()


def test_the_constant_that_fits_best_has_no_slope_left() -> None:
    known = Known(np.arange(100) < 30, np.full(100, 0.1), np.full(100, 0.5))
    assert known.gradients(np.full(100, known.start()))[0].sum() == pytest.approx(0.0, abs=1e-6)


def test_lifts_of_channels_are_found_and_what_would_have_been_paid_anyway_is_not_counted_for_them() -> None:
    rng = np.random.default_rng(4)
    size = 200_000
    code, own = rng.integers(0, 3, size), rng.uniform(0.05, 0.3, size)
    effect = rng.uniform(0.0, 0.3, size) * (code > 0)
    hazard = own * np.where(code == 1, 0.9, 1.0) + np.array([0.0, 0.8, 0.0])[code] * effect
    found = measure_lift(Observed(rng.random(size) < -np.expm1(-hazard), own, effect, code), channels=3)
    assert found.lift[1] == pytest.approx(0.8, abs=0.08)
    assert found.lift[2] == pytest.approx(0.0, abs=0.08)
    assert found.own == pytest.approx(1.0, abs=0.05)


def test_a_channels_change_of_payment_by_itself_is_told_on_the_scale_of_the_model() -> None:
    rng = np.random.default_rng(7)
    size = 400_000
    code, own = rng.integers(0, 2, size), rng.uniform(0.05, 0.2, size)
    hazard = 2.0 * own * np.where(code == 1, 0.7, 1.0)
    found = measure_lift(Observed(rng.random(size) < -np.expm1(-hazard), own, np.zeros(size), code), channels=2)
    assert found.own == pytest.approx(2.0, abs=0.05)
    assert found.change[1] == pytest.approx(-0.3, abs=0.03)


def test_what_was_not_drawn_is_said_to_rest_on_trust() -> None:
    rows, split, _ = evening_world(1, effect=0.6, size=4_000)
    unlogged = replace(rows, action_probability=np.full(len(rows), np.nan))
    drawn, trusted = (fit_chain(one, split, reference(), QUICK, 1).notes[0] for one in (rows, unlogged))
    assert "measured on 4,000 rows of decisions drawn at random" in drawn
    assert "on trust" in trusted


def test_a_channel_never_tried_keeps_to_the_others() -> None:
    rows, split, _ = evening_world(1, effect=0.6)
    email = uplift(fitted(0.6), rows, channel=2, hour=20).mean()
    others = [uplift(fitted(0.6), rows, channel=code, hour=20).mean() for code in (SMS, LETTER, PHONE)]
    assert split.learn.any()
    assert email < 1.5 * max(others)


def test_a_channel_with_few_decisions_keeps_to_the_others_lift() -> None:
    rng = np.random.default_rng(5)
    size = 100_000
    code = np.where(np.arange(size) < 20, 2, rng.integers(0, 2, size))
    own, effect = np.full(size, 0.1), np.where(code > 0, 0.2, 0.0)
    found = measure_lift(Observed(rng.random(size) < -np.expm1(-(own + effect * 1.5)), own, effect, code), channels=3)
    assert found.lift[2] == pytest.approx(found.lift[1], rel=0.3)


def test_the_level_of_later_payments_is_found() -> None:
    rng = np.random.default_rng(6)
    hazard = rng.uniform(0.05, 0.5, 100_000)
    paid = rng.random(100_000) < -np.expm1(-1.3 * hazard)
    assert measure_level(hazard, paid) == pytest.approx(1.3, abs=0.03)


def test_people_are_contacted_at_the_hour_at_which_they_pay() -> None:
    rows, _, own = evening_world(2, effect=0.6)
    model, phone = fitted(0.6), rows.channel == PHONE
    assert model.links.hour_slope[PHONE] > 0.3
    evening = np.exp(rows.matrix[:, NEAR[20]]) > 1.0
    at_eight, at_twenty = (uplift(model, rows, channel=PHONE, hour=hour) for hour in (8, 20))
    assert at_twenty[evening].mean() > 3 * at_eight[evening].mean()
    assert at_eight[~evening].mean() > 3 * at_twenty[~evening].mean()
    truth = 0.8 * 0.6 * np.where(own, 0.5, 0.05)[phone].mean()
    seen = uplift(model, rows, channel=PHONE, hour=20)[phone] * evening[phone]
    seen += uplift(model, rows, channel=PHONE, hour=8)[phone] * ~evening[phone]
    assert seen.mean() == pytest.approx(0.8 * 0.6 * 0.5, abs=0.06)
    assert truth < seen.mean()


@pytest.mark.parametrize("attribution", [True, False])
def test_payments_through_a_message_that_would_have_come_anyway_are_no_uplift(attribution: bool) -> None:
    rows, _, _ = evening_world(2, effect=0.0)
    found = uplift(fitted(0.0, attribution=attribution), rows, channel=SMS, hour=20)
    assert rows.paid_through[rows.channel == SMS].mean() > 0.08
    assert abs(found.mean()) < 0.02


def test_without_attribution_the_effect_is_found_from_payments_in_total() -> None:
    rows, _, _ = evening_world(2, effect=0.6)
    sms = uplift(fitted(0.6, attribution=False), rows, channel=SMS, hour=20)
    assert sms[rows.matrix[:, NEAR[20]] > 0].mean() > 0.1


def test_payment_by_itself_never_looks_at_the_action_and_conversion_never_at_the_hour() -> None:
    model = fitted(0.6)
    own = dict(zip(COLUMNS, model.own.feature_importance(), strict=True))
    assert not any(own[name] for name in names(action_features()))
    for fold in model.folds:
        assert fold.conversion is not None
        conversion = dict(zip(COLUMNS, fold.conversion.feature_importance(), strict=True))
        assert conversion["hour"] == conversion["weekday"] == 0


def test_a_channel_that_leaves_no_answers_has_no_reach() -> None:
    links = fitted(0.6).links
    assert [links.answers[code] for code in (NONE, SMS, LETTER, PHONE)] == [False, True, False, True]
    assert links.answer_rate[LETTER] == links.hour_slope[LETTER] == 0.0


def test_members_are_the_folds_and_their_mean_lies_between_them() -> None:
    rows, _, _ = evening_world(2, effect=0.6)
    model = fitted(0.6)
    chances = np.stack([one.probability(rows.matrix) for one in model.members])
    whole = model.probability(rows.matrix)
    assert len(model.members) == 2
    assert ((whole >= chances.min(axis=0) - 1e-12) & (whole <= chances.max(axis=0) + 1e-12)).all()


def test_what_is_dumped_loads_to_the_same_bits() -> None:
    rows, _, _ = evening_world(2, effect=0.6)
    model = fitted(0.6)
    np.testing.assert_array_equal(load_chain(model.dump()).probability(rows.matrix), model.probability(rows.matrix))


def test_what_columns_add_points_where_the_chance_goes() -> None:
    rows, _, _ = evening_world(2, effect=0.6)
    model, hour = fitted(0.6), COLUMNS.index("hour")
    made = rows.matrix[rows.channel == PHONE]
    parts = model.contributions(made)[:, hour]
    own = np.where(made[:, hour] == 20, made[:, NEAR[20]] > 0, made[:, NEAR[20]] <= 0)
    assert parts[own].mean() > parts[~own].mean()


def test_a_log_in_which_every_decision_was_certain_is_refused() -> None:
    rows, split, _ = evening_world(1, effect=0.1, size=1_200)
    certain = replace(rows, action_probability=np.ones(len(rows)))
    with pytest.raises(NothingCompared, match="nothing in the log says what contact changes"):
        fit_chain(certain, split, reference(), QUICK, 1)


def test_a_log_without_contacts_is_refused() -> None:
    rows, split, _ = evening_world(1, effect=0.1, size=1_200)
    none = replace(rows, channel=np.zeros_like(rows.channel))
    with pytest.raises(NothingCompared, match="at least 50 contacts to learn from, came 0"):
        fit_chain(none, split, reference(), QUICK, 1)
