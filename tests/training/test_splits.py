"""Parts of the log: by debtor and by time, with the horizon between."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.times import DAY_US, to_us
from tests.portfolios import portfolio_of
from tests.strategies import START, random_tables
from tests.training.made_rows import made_rows
from training.splits import JUDGED_DEBTORS, TooShort, cluster_numbers, judged_debtors, later_from, split_rows

HORIZON = 14
NAMES = np.array([f"d{number}" for number in range(5_000)], dtype=object)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), later_day=st.integers(40, 170))
def test_no_debtor_and_no_day_of_outcome_is_both_learnt_from_and_judged_on(seed: int, later_day: int) -> None:
    rows = made_rows(np.random.default_rng(seed))
    judged = judged_debtors(NAMES[:60], seed=seed)
    assume(judged.any() and not judged.all())
    split = split_rows(rows, judged, later_from_us=later_day * DAY_US, horizon_days=HORIZON)
    assert not set(rows.debtor[split.learn]) & set(rows.debtor[split.judge])
    assert rows.decided_us[split.learn].max() + HORIZON * DAY_US < rows.decided_us[split.judge].min()
    assert rows.decided_us[split.learn].max() + HORIZON * DAY_US < rows.decided_us[split.calibrate].min()
    assert not set(rows.debtor[split.calibrate]) & set(rows.debtor[split.judge])
    assert not (split.learn & split.calibrate).any()


def test_the_parts_of_a_real_log_are_apart_as_well(material: object) -> None:
    rows, split = material.rows, material.split  # type: ignore[attr-defined] # a Material
    horizon_us = material.config.horizon.days * DAY_US  # type: ignore[attr-defined] # a Material
    assert not set(rows.debtor[split.learn]) & set(rows.debtor[split.judge])
    assert rows.decided_us[split.learn].max() + horizon_us < split.later_from_us
    assert rows.decided_us[split.judge].min() >= split.later_from_us
    assert material.reference.until_us == split.later_from_us  # type: ignore[attr-defined] # a Material


@pytest.mark.parametrize("seed", [1, 2])
def test_judged_debtors_are_a_fixed_share_and_the_same_for_a_seed(seed: int) -> None:
    chosen = judged_debtors(NAMES, seed=seed)
    error = np.sqrt(JUDGED_DEBTORS * (1 - JUDGED_DEBTORS) / len(NAMES))
    assert abs(chosen.mean() - JUDGED_DEBTORS) <= 3 * error
    assert (judged_debtors(NAMES[::-1], seed=seed)[::-1] == chosen).all()
    assert (judged_debtors(NAMES, seed=seed + 10) != chosen).any()


def test_three_tenths_of_the_mature_decisions_are_later() -> None:
    tables, as_of = random_tables(5, debtors=40), START + timedelta(days=300)
    begin = later_from(portfolio_of(tables), as_of_us=to_us(as_of), horizon_days=HORIZON)
    decided = [to_us(row["decided_at"]) for row in tables["contacts"].to_pylist()]
    mature = np.array([one for one in decided if one + HORIZON * DAY_US <= to_us(as_of)])
    assert abs((mature >= begin).mean() - 0.3) < 0.03
    assert later_from(portfolio_of(tables), as_of_us=0, horizon_days=HORIZON) == 0


@pytest.mark.parametrize(
    ("later_day", "part"), [(5, "learn"), (400, "calibrate")], ids=["nothing earlier", "nothing later"]
)
def test_a_log_too_short_for_a_part_says_which(later_day: int, part: str) -> None:
    rows = made_rows(np.random.default_rng(1))
    judged = judged_debtors(NAMES[:60], seed=1)
    with pytest.raises(TooShort, match=f"the {part} part has .* expected both outcomes"):
        split_rows(rows, judged, later_from_us=later_day * DAY_US, horizon_days=HORIZON)


def test_a_log_in_which_nobody_is_judged_says_so() -> None:
    rows = made_rows(np.random.default_rng(1))
    with pytest.raises(TooShort, match="the judge part has 0 rows of 400"):
        split_rows(rows, np.zeros(60, dtype=bool), later_from_us=100 * DAY_US, horizon_days=HORIZON)


@given(st.lists(st.integers(0, 10**12), max_size=30))
def test_clusters_are_numbered_without_gaps(debtor: list[int]) -> None:
    numbers = cluster_numbers(np.array(debtor, dtype=np.int64))
    assert set(numbers.tolist()) == set(range(len(set(debtor))))
    pairs = set(zip(debtor, numbers.tolist(), strict=True))
    assert len(pairs) == len(set(debtor))
