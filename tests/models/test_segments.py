"""Segments: what a history says of a debtor, when nothing is said, and that only what may be looked at is looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.vocabulary import SEGMENTS
from features.catalogue import SENSITIVE, claim_features, debtor_features, names
from models import _segment_kernels
from models.bundle import read_bundle, write_bundle
from models.segments import FORGOT, SHORT_OF_MONEY, SURE, UNKNOWN, UNWILLING, SegmentModel, Segments, segments_of
from models.segments_indicators import INDICATORS, NEEDED, columns_by_debtor, indicator_values, needed
from tests.deciding import bundle_of, rate_model
from tests.portfolios import CHANNELS, histories
from tests.strategies import random_tables
from training.segments import stated_model

CUTS = {one.name: one.cuts or (10.0, 40.0) for one in INDICATORS}
MODEL = stated_model(CUTS)

PAYS_WHEN_REMINDED = {
    "claims_paid": 4, "claims_unpaid": 0, "paid_claim_days": 6, "payments_ever": 4, "contacts_ever": 4, "since_payment": 5,
    "since_response": 6, "promises_kept": 0, "promises_broken": 0, "plan_claims": 0, "plans_broken": 0, "disputes": 0,
    "disputed_claims": 0, "complained": 0, "opted_out": 0, "other_debts": 0, "income_band": 4, "open_claims": 1,
}  # fmt: skip
PAYS_IN_PARTS = PAYS_WHEN_REMINDED | {
    "claims_paid": 1, "claims_unpaid": 1, "paid_claim_days": 60, "payments_ever": 6, "contacts_ever": 5, "promises_kept": 2,
    "promises_broken": 2, "pay_day_learned": 1, "pay_day_share": 0.8, "plan_claims": 1, "other_debts": 3, "income_band": 1,
    "open_claims": 3,
}  # fmt: skip
REACHED_AND_UNPAID = PAYS_WHEN_REMINDED | {
    "claims_paid": 0, "claims_unpaid": 3, "paid_claim_days": np.nan, "payments_ever": 0, "contacts_ever": 14,
    "since_payment": np.nan, "since_response": 40, "promises_broken": 2, "disputes": 2, "complained": 1,
}  # fmt: skip


def columns_of(*debtors: dict[str, float]) -> dict[str, np.ndarray]:
    found = sorted({name for one in debtors for name in one})
    return {name: np.array([one.get(name, np.nan) for one in debtors], dtype=np.float64) for name in found}


def segments_by_name(model: SegmentModel | None, columns: dict[str, np.ndarray], *, size: int) -> Segments:
    return segments_of(model, needed(columns, size=size))


@pytest.mark.parametrize(
    ("debtor", "segment", "said"),
    [
        (PAYS_WHEN_REMINDED, FORGOT, "nearly every closed claim was paid"),
        (PAYS_IN_PARTS, SHORT_OF_MONEY, "pays in parts"),
        (REACHED_AND_UNPAID, UNWILLING, "few closed claims were paid"),
    ],
)
def test_a_plain_case_of_each_segment_is_told_with_its_reasons(
    debtor: dict[str, float], segment: int, said: str
) -> None:
    found = segments_by_name(MODEL, columns_of(debtor), size=1)
    assert SEGMENTS[found.code[0]] == SEGMENTS[segment]
    assert found.chance[0].sum() == pytest.approx(1.0)
    level = found.level[0].tolist()
    words = [one.words[at - 1] for one, at in zip(INDICATORS, level, strict=True) if at]
    assert said in words
    assert len(found.why(0)) == 2
    assert set(found.why(0)) <= set(words)


def test_the_reasons_are_the_two_largest_ratios_over_the_next_segment() -> None:
    found = segments_by_name(MODEL, columns_of(PAYS_IN_PARTS), size=1)
    first, second = np.argsort(-found.chance[0])[:2]
    ratio = {
        one.words[at - 1]: one.meaning[first][at - 1] / one.meaning[second][at - 1]
        for one, at in zip(INDICATORS, found.level[0].tolist(), strict=True)
        if at
    }
    assert list(found.why(0)) == sorted(ratio, key=lambda word: -ratio[word])[:2]


def test_without_history_or_model_the_segment_is_unknown() -> None:
    stands_badly = {"open_claims": 5, "other_debts": 4, "income_band": 0, "plan_claims": 1, "contacts_ever": 1}
    for model, columns in ((MODEL, columns_of(stands_badly)), (MODEL, {}), (None, columns_of(PAYS_IN_PARTS))):
        found = segments_by_name(model, columns, size=1)
        assert found.code.tolist() == [UNKNOWN]
        assert found.why(0) == ()


def test_below_a_chance_of_sixty_in_a_hundred_the_segment_is_unknown() -> None:
    even = ((0.5, 0.5),) * 3
    blind = replace(
        MODEL, share=(0.59, 0.21, 0.20), levels={one.name: even for one in INDICATORS if len(one.words) == 2}
    )
    assert segments_by_name(blind, columns_of(PAYS_WHEN_REMINDED), size=1).code.tolist() == [UNKNOWN]
    surer = replace(blind, share=(0.61, 0.20, 0.19))
    assert segments_by_name(surer, columns_of(PAYS_WHEN_REMINDED), size=1).code.tolist() == [FORGOT]


def test_an_indicator_that_the_model_does_not_know_or_knows_otherwise_says_nothing() -> None:
    without = replace(MODEL, levels={name: table for name, table in MODEL.levels.items() if name != "plan"})
    other = replace(MODEL, levels=MODEL.levels | {"plan": ((0.9, 0.1), (0.1, 0.9), (0.5, 0.5))})
    columns = columns_of(PAYS_IN_PARTS)
    chance = segments_by_name(without, columns, size=1).chance
    np.testing.assert_array_equal(chance, segments_by_name(other, columns, size=1).chance)
    assert chance[0, SHORT_OF_MONEY] < segments_by_name(MODEL, columns, size=1).chance[0, SHORT_OF_MONEY]


def test_only_features_that_exist_are_asked_for_and_none_that_is_sensitive() -> None:
    known = names((*debtor_features(CHANNELS), *claim_features()))
    assert set(NEEDED) <= set(known)
    assert not set(NEEDED) & set(SENSITIVE)
    assert not [name for name in NEEDED if name.startswith("audit_")]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_every_column_that_is_looked_at_is_among_those_needed_and_none_of_them_is_needed_for_an_answer(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    whole = {name: np.where(rng.random(30) < 0.2, np.nan, rng.integers(0, 6, 30)) for name in NEEDED}
    asked: set[str] = set()

    class Watched(dict[str, np.ndarray]):
        def get(self, name: str, default: object = None) -> object:
            asked.add(name)
            return super().get(name, default)

    indicator_values(Watched(whole), size=30)
    assert asked == set(NEEDED)
    some = {name: values for name, values in whole.items() if rng.random() < 0.5}
    found = segments_by_name(MODEL, some, size=30)
    np.testing.assert_allclose(found.chance.sum(axis=1), 1.0)
    sure = found.chance.max(axis=1) >= SURE
    assert not (~sure & (found.code != UNKNOWN)).any()
    for row in range(30):
        alone = segments_by_name(MODEL, {name: values[row : row + 1] for name, values in some.items()}, size=1)
        assert alone.code[0] == found.code[row]
        assert alone.why(0) == found.why(row)


def test_what_was_not_seen_speaks_for_nobody() -> None:
    found = segments_by_name(MODEL, {}, size=2)
    np.testing.assert_allclose(found.chance, [MODEL.share, MODEL.share])
    assert not found.level.any()


def test_of_several_claims_the_highest_value_counts_and_a_debtor_without_one_is_not_seen() -> None:
    matrix = np.array([[1.0, 0.0, 9.0], [1.0, 2.0, 8.0], [np.nan, np.nan, 7.0]], dtype=np.float32)
    found = columns_by_debtor(matrix, np.array([0, 0, 2]), names=("claims_paid", "plans_broken", "age"), size=3)
    assert set(found) == {"claims_paid", "plans_broken"}
    np.testing.assert_array_equal(found["plans_broken"], [2.0, np.nan, np.nan])
    np.testing.assert_array_equal(found["claims_paid"], [1.0, np.nan, np.nan])
    assert not np.isfinite(
        columns_by_debtor(matrix[:0], np.zeros(0, np.int64), names=("age",), size=2).get("x", np.nan)
    )


def test_the_segments_are_in_the_bundle_and_one_without_them_is_read_too(tmp_path: Path) -> None:
    before = bundle_of(histories(random_tables(3)), rate_model(), segments=MODEL)
    after = read_bundle(write_bundle(before, tmp_path / "m1"))
    assert isinstance(after.segments, SegmentModel)
    assert after.segments == MODEL
    assert (tmp_path / "m1" / "segments.json").is_file()
    old = read_bundle(write_bundle(replace(before, segments=None), tmp_path / "m2"))
    assert old.segments is None
    assert not (tmp_path / "m2" / "segments.json").exists()


def test_the_page_states_every_indicators_meaning() -> None:
    page = (Path(__file__).parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")
    for one in INDICATORS:
        stated = " | ".join(" ".join(f"{100 * share:.0f}" for share in row) for row in one.meaning)
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{one.name}` |")]
        assert line.endswith(f"| {stated} |")
        np.testing.assert_allclose(np.sum(one.meaning, axis=1), 1.0)


def naive_values(told: dict[str, float]) -> list[float]:
    """Each indicator's value for one debtor, as its definition says."""

    def over(part: float, whole: float) -> float:
        return part / whole if whole else np.inf if part > 0 else np.nan

    paid, contacts, payments = told["claims_paid"], told["contacts_ever"], told["payments_ever"]
    near = told["pay_day_share"] if told["pay_day_learned"] > 0 else 0.0
    made, answered = told["promises_kept"] + told["promises_broken"], told["since_response"]
    disputes = [one for one in (told["disputes"], told["disputed_claims"]) if one == one]
    return [
        told["paid_claim_days"],
        over(paid, paid + told["claims_unpaid"]),
        over(contacts, paid) if paid > 0 or contacts >= 3 else np.nan,
        np.maximum(payments - paid, 0.0) if payments > 0 else np.nan,
        near if payments >= 3 else np.nan,
        made + (told["promise_due_days"] == told["promise_due_days"]) if answered == answered else np.nan,
        over(told["promises_kept"], made),
        -1.0 if told["since_payment"] <= answered else answered,
        2.0 if told["plans_broken"] > 0 else np.minimum(told["plan_claims"], 1.0),
        max(disputes, default=np.nan),
        told["complained"] + told["opted_out"] if contacts > 0 else np.nan,
        *(told[name] for name in ("other_debts", "income_band", "open_claims")),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_values_and_levels_are_those_of_the_definitions_debtor_by_debtor(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = {name: np.where(rng.random(200) < 0.2, np.nan, rng.integers(0, 5, 200)) for name in NEEDED}
    found, level = indicator_values(columns, size=200), MODEL.level(columns, size=200)
    for row in range(200):
        expected = naive_values({name: float(values[row]) for name, values in columns.items()})
        np.testing.assert_array_equal([found[one.name][row] for one in INDICATORS], expected)
        reached = [
            0 if value != value else min(1 + sum(cut < value for cut in CUTS[one.name]), len(one.words))
            for one, value in zip(INDICATORS, expected, strict=True)
        ]
        assert level[row].tolist() == reached


def test_the_kernel_finds_each_feature_at_its_place() -> None:
    assert [getattr(_segment_kernels, name.upper()) for name in NEEDED] == list(range(len(NEEDED)))
