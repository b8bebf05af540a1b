"""Each loop of the capacity kernels does what a plain loop does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.capacity import reduce
from models.capacity._kernels import move_all, place_all, spread_at
from models.capacity.candidates import _kinds
from models.capacity.problem import Problem, problem_of, slack
from models.capacity.usage import grid_usage
from tests.models.capacity import naive_capacity as naive
from tests.models.capacity.limited_world import LIMITS, VALUES, world

KINDS = [
    ("heavy", "together"),
    ("ties", "minimum"),
    ("correlated", "infeasible"),
    ("unrelated", "inbound"),
    ("ties", "budget"),
]


def made(values: str, limits: str, *, size: int = 40, seed: int = 3) -> tuple[Problem, np.ndarray]:
    """A problem and prices of about the right size."""
    given = world(values, limits, seed, size=size)
    candidates = reduce(
        given.value,
        grid=given.grid,
        slots=given.slots,
        settings=given.settings,
        cost_eur=given.cost,
        coverage=given.coverage,
    )
    problem = problem_of(candidates, settings=given.settings, taken={})
    rng = np.random.default_rng(seed)
    return problem, rng.uniform(0, 3, len(problem.room) + len(problem.wanted))


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("limits", LIMITS)
def test_kept_are_the_best_of_each_kind_that_beat_what_uses_nothing(values: str, limits: str) -> None:
    given = world(values, limits, 1, size=30)
    found = reduce(
        given.value,
        grid=given.grid,
        slots=given.slots,
        settings=given.settings,
        cost_eur=given.cost,
        coverage=given.coverage,
    )
    usage = grid_usage(given.grid.channels, given.grid.channel, send_us=given.slots.send_us, settings=given.settings)
    kind = _kinds(usage, given.grid.channel)
    for debtor, here in enumerate(naive.consecutive(found.start)):
        wanted = bool(naive_reached(found, debtor))
        expected = naive.kept(given.value[debtor], kind[given.slots.of_debtor[debtor]], even_losses=wanted)
        assert found.action[list(here)].tolist() == expected
        np.testing.assert_array_equal(found.value[list(here)], given.value[debtor, expected].astype(np.float32))


def naive_reached(found: object, debtor: int) -> list[int]:
    start, creditor = found.creditor_start, found.creditor  # type: ignore[attr-defined]
    return creditor[start[debtor] : start[debtor + 1]].tolist()


@pytest.mark.parametrize(("values", "limits"), KINDS)
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_the_bound_and_its_slope_are_those_of_a_plain_loop(values: str, limits: str, temperature: float) -> None:
    problem, prices = made(values, limits)
    value, slope = problem.dual(prices, temperature=temperature)
    plain, plain_slope = naive.dual(problem, prices, temperature)
    assert value == pytest.approx(plain, rel=1e-12, abs=1e-9)
    np.testing.assert_allclose(slope, plain_slope, rtol=1e-10, atol=1e-9)


def test_the_slope_is_how_the_smoothed_bound_changes() -> None:
    problem, prices = made("heavy", "together")
    _, slope = problem.dual(prices, temperature=0.5)
    for place in range(0, len(prices), 5):
        step = np.zeros(len(prices))
        step[place] = 1e-5
        up, down = (problem.dual(prices + sign * step, temperature=0.5)[0] for sign in (1, -1))
        assert slope[place] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(("values", "limits"), KINDS)
def test_best_actions_and_their_lead_are_those_of_a_plain_loop(values: str, limits: str) -> None:
    problem, prices = made(values, limits)
    choice, margin = problem.best(prices)
    for debtor in range(len(choice)):
        expected, lead = naive.best(problem, prices, debtor)
        assert choice[debtor] == expected
        assert margin[debtor] == pytest.approx(lead, abs=1e-9)


@pytest.mark.parametrize(("values", "limits"), KINDS)
def test_debtors_are_spread_as_a_plain_loop_spreads_them(values: str, limits: str) -> None:
    problem, prices = made(values, limits)
    uniform = np.random.default_rng(0).random(len(problem.candidates))
    choice = np.empty(len(uniform), dtype=np.int64)
    spread_at(problem.candidates.part, problem.priced(prices), 2.0, uniform, choice)
    for debtor, one in enumerate(uniform.tolist()):
        assert choice[debtor] == naive.spread(problem, prices, debtor, temperature=2.0, uniform=one)
    assert len(set(choice.tolist())) > 2


@pytest.mark.parametrize(("values", "limits"), KINDS)
def test_placing_is_that_of_a_plain_loop(values: str, limits: str) -> None:
    problem, prices = made(values, limits)
    rng = np.random.default_rng(1)
    order = rng.permutation(len(problem.candidates))
    wish = np.full(len(order), -2)
    count = np.diff(problem.candidates.start)
    some = np.flatnonzero((count > 0) & (rng.random(len(order)) < 0.5))
    wish[some] = problem.candidates.start[some] + rng.integers(0, count[some])
    wish[rng.random(len(order)) < 0.1] = -1
    room, plain_room = slack(problem.room), slack(problem.room)
    choice = np.full(len(order), -1)
    place_all(problem.candidates.part, problem.priced(prices), problem.needs, order, room, choice, wish)
    np.testing.assert_array_equal(choice, naive.placed(problem, prices, order, plain_room, wish))
    np.testing.assert_allclose(room, plain_room, atol=1e-9)


@pytest.mark.parametrize(("values", "limits"), KINDS)
def test_each_move_is_that_of_a_plain_loop_and_leaves_the_books_right(values: str, limits: str) -> None:
    problem, prices = made(values, limits)
    problem = replace(problem, room=problem.room * 0.5)
    size, everyone = len(problem.names), np.arange(len(problem.candidates))
    choice = np.full(len(everyone), -1)
    some = np.flatnonzero(np.diff(problem.candidates.start) > 0)[::4]
    choice[some] = problem.candidates.start[some]
    _, used = problem.used(choice)
    room, surplus = slack(problem.room) - used[:size], used[size:] - problem.wanted
    gain, moved = np.empty(len(choice)), 0
    for debtor in everyone.tolist():
        then = naive.move(problem, prices, choice, debtor, (room, surplus))
        expected = choice[debtor] if then is None else then
        one = np.array([debtor])
        moved += move_all(
            problem.candidates.part,
            problem.priced(prices),
            problem.needs,
            one,
            room,
            surplus,
            problem.short_eur,
            choice,
            gain,
            0,
        )
        assert choice[debtor] == expected
        assert np.isfinite(gain[debtor]) == (then is not None)
    assert moved > 3
    _, used = problem.used(choice)
    np.testing.assert_allclose(room, slack(problem.room) - used[:size], atol=1e-9)
    np.testing.assert_allclose(surplus, used[size:] - problem.wanted, atol=1e-9)


def test_looking_for_moves_moves_nobody() -> None:
    problem, prices = made("heavy", "together")
    choice, gain = np.full(len(problem.candidates), -1), np.empty(len(problem.candidates))
    room, surplus = slack(problem.room), np.zeros(0)
    could = move_all(
        problem.candidates.part,
        problem.priced(prices),
        problem.needs,
        np.arange(len(choice)),
        room,
        surplus,
        1.0,
        choice,
        gain,
        1,
    )
    assert could == np.isfinite(gain).sum() > 0
    assert (choice == -1).all()
    np.testing.assert_allclose(room, slack(problem.room))
