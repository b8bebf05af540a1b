"""Alternatives of all debtors at once are those of a plain loop over debtors and claims."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from data.times import from_us
from models.alternatives import Alternative, alternatives_of_all
from models.decide import Decided, decide
from models.grid import best_of_each
from tests.deciding import PACKS, FormulaModel, arms, asks_of, bundle_of, by_everything, rate_model
from tests.portfolios import histories
from tests.strategies import START, random_tables

MOMENT = START + timedelta(days=200, hours=6)


def naive(decided: Decided, row: int) -> tuple[Alternative, ...]:
    """One debtor, claim by claim."""
    prepared, scored = decided.prepared, decided.opinion(row).scored
    grid, allowed = prepared.grid, prepared.allowed[row][None]
    of_channel = best_of_each(scored.value_eur[row][None], grid.channel.astype(np.int64), allowed=allowed)[0, :, 0]
    found = []
    for code, best in enumerate(of_channel.tolist()):
        if code not in (0, grid.channel[decided.choice.action[row]]) and best >= 0:
            unpaid = 1.0
            for claim in np.flatnonzero((prepared.targets.moment == row) & prepared.covered).tolist():
                unpaid *= 1.0 - float(scored.probability[claim, best])
            when, value = from_us(decided.send_us(row, best)), float(scored.value_eur[row, best])
            found.append(Alternative(grid.channels[code], when, 1.0 - unpaid, value))
    return tuple(sorted(found, key=lambda one: -one.expected_value))


@pytest.mark.parametrize("seed", range(6))
def test_all_at_once_are_each_alone_under_the_model_of_its_arm(seed: int) -> None:
    found = histories(random_tables(seed, debtors=40))
    first = bundle_of(found, FormulaModel(by_everything))
    second = bundle_of(found, rate_model(), model_version="m2")
    config = arms(control=0.2, explore=0.2, champion=0.3, challenger=0.3)
    both = decide(found, asks_of(found, MOMENT), champion=first, challenger=second, config=config, packs=PACKS)
    told = alternatives_of_all(both)
    assert told == [naive(both, row) for row in range(both.prepared.situation.size)]
    assert any(told)


def test_equal_values_go_to_the_first_slot_and_a_debtor_without_claims_has_none() -> None:
    found = histories(random_tables(3, debtors=40))
    bundle = bundle_of(found, rate_model())
    flat = decide(found, asks_of(found, MOMENT), champion=bundle, config=arms(champion=1.0), packs=PACKS)
    told = alternatives_of_all(flat)
    assert told == [naive(flat, row) for row in range(len(told))]
    nobody = ~flat.prepared.allowed[:, 1:].any(axis=1)
    assert all(not told[row] for row in np.flatnonzero(nobody).tolist())
