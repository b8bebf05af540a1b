"""What a behaviour sees of debtors, against what the tables say of the same debtors at the same moments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.config import Config
from data.portfolio import read_portfolio
from data.simulator.settings import SimulationSettings
from data.simulator.simulate import simulate
from data.situation import BoolArray, Situation
from data.times import NEVER
from features.histories import histories_of
from features.pipeline import build, open_targets
from features.reference import learn_reference
from features.situation import situation_of
from tests.simulator_fakes import Fake

CONFIG = Config()
Pair = tuple[Situation, Situation]


class Watching(Fake):
    """Keeps every situation it was shown."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.seen: list[Situation] = []

    def options(self, situation: Situation) -> BoolArray:
        self.seen.append(situation)
        return super().options(situation)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """Situations as a behaviour was shown them, and as the tables that came of it tell them."""
    folder: Path = tmp_path_factory.mktemp("watched")
    watching = Watching(CONFIG)
    settings = SimulationSettings(debtors=150, months=6, seed=3, truth=1)
    simulate(folder, settings=settings, behaviour=watching, config=CONFIG, progress=lambda label, done: None)
    channels = CONFIG.grid.channels
    histories = histories_of(read_portfolio(folder, channels=channels), channels=channels)
    row = {name: number for number, name in enumerate(histories.debtor_id.tolist())}
    latest = max(int(seen.as_of_us.max()) for seen in watching.seen if seen.size)
    reference = learn_reference(histories, until_us=latest, config=CONFIG)
    found = []
    for seen in [seen for seen in watching.seen if seen.size]:
        debtors = np.array([row[name] for name in seen.debtor_id.tolist()])
        targets = open_targets(histories, debtors, as_of_us=seen.as_of_us)
        rows = build(histories, targets, reference=reference, rates=CONFIG.rates)
        found.append((seen, situation_of(histories, targets, rows=rows)))
    return found


def test_the_same_claims_were_paid_and_the_same_of_them_late(pairs: list[Pair]) -> None:
    for seen, told in pairs:
        assert seen.paid_claims.tolist() == told.paid_claims.tolist()
        assert seen.paid_late.tolist() == told.paid_late.tolist()
    assert sum(int(told.paid_late.sum()) for _, told in pairs) > 0


def test_stages_began_and_run_until_when_the_tables_say_unless_something_put_them_off(pairs: list[Pair]) -> None:
    same, all_of_them = 0, 0
    for seen, told in pairs:
        assert seen.claims.debtor.tolist() == told.claims.debtor.tolist()
        alike = (seen.claims.stage_us == told.claims.stage_us) & (seen.claims.next_due_day == told.claims.next_due_day)
        same, all_of_them = same + int(alike.sum()), all_of_them + len(alike)
    assert all_of_them > 500
    assert same / all_of_them > 0.97


def test_a_claim_was_written_about_in_the_view_where_it_was_in_the_tables(pairs: list[Pair]) -> None:
    same, all_of_them = 0, 0
    for seen, told in pairs:
        in_view, in_tables = seen.claims.first_sent_us < NEVER, told.claims.first_sent_us < NEVER
        few = ~in_view.all(axis=1)  # the state keeps four contacts; with more, every channel counts as used
        # The state keeps no bounces: in the tables, a text that is known to have come back is none.
        assert (in_view[few] >= in_tables[few]).all()
        same, all_of_them = same + int((in_view[few] == in_tables[few]).all(axis=1).sum()), all_of_them + int(few.sum())
    assert same / all_of_them > 0.97
