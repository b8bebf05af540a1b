"""Time to the first payment: against a plain loop."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data.outcomes import Payments, first_payments, paid_within
from data.times import DAY_US, NEVER

HOUR = DAY_US // 24


@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(1, 90))
def test_the_first_payment_is_the_first_that_a_loop_finds(seed: int, size: int, longest: int) -> None:
    rng = np.random.default_rng(seed)
    paid = rng.integers(0, 2_400, size) * HOUR
    known = paid + rng.integers(0, 200, size) * HOUR
    undone = np.where(rng.random(size) < 0.3, known + rng.integers(1, 500, size) * HOUR, NEVER)
    claim, money = rng.integers(-1, 3, size), np.ones(size)
    payments = Payments(claim, paid, known, undone, money, money)
    decided, of_claim, until = rng.integers(0, 2_400, 8) * HOUR, rng.integers(-1, 3, 8), 2_000 * HOUR
    found = first_payments(decided, of_claim, payments=payments, known_until_us=until, longest_days=longest)
    for row in range(8):
        waits = [
            (paid[k] - decided[row]) / DAY_US
            for k in range(size)
            if claim[k] == of_claim[row] >= 0 and known[k] <= until and paid[k] <= until < undone[k]
            and decided[row] <= paid[k] < decided[row] + longest * DAY_US
        ]  # fmt: skip
        assert found.paid_days[row] == min(waits, default=np.inf)
        assert found.followed_days[row] == min((until - decided[row]) / DAY_US, longest)


@given(st.integers(0, 2**32 - 1), st.integers(1, 90))
def test_it_says_the_same_of_a_horizon_as_the_outcome_within_it(seed: int, horizon: int) -> None:
    rng = np.random.default_rng(seed)
    paid, claim, money = rng.integers(0, 2_400, 20) * HOUR, rng.integers(0, 3, 20), np.ones(20)
    payments = Payments(claim, paid, paid, np.full(20, NEVER), money, money)
    decided, of_claim, until = rng.integers(0, 2_400, 30) * HOUR, rng.integers(0, 3, 30), 2_000 * HOUR
    waits = first_payments(decided, of_claim, payments=payments, known_until_us=until)
    outcome = paid_within(decided, of_claim, payments=payments, horizon_days=horizon, known_until_us=until)
    np.testing.assert_array_equal(waits.paid_days < horizon, outcome.paid)
    np.testing.assert_array_equal(waits.followed_days >= horizon, outcome.mature)
