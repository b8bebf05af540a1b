"""The date until which a stage runs, west of Greenwich, late in the evening: it is tomorrow there in UTC, and today where it counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.times import DAY_US, to_day, to_us
from data.vocabulary import CHANNELS, STAGES
from models.rules.mask import contact_mask
from tests.dense_packs import plain_packs, wait
from tests.situations import claims, one_debtor

GRID = ActionGrid(CHANNELS, days=2, hours=(10, 18))
EVENING = datetime(2026, 3, 11, 3, 30, tzinfo=UTC)  # 10 March, half past four in the afternoon in Pago Pago
TODAY = to_day(date(2026, 3, 10))


@pytest.mark.parametrize(("ends", "open_slots"), [(TODAY, ["1T10", "1T18"]), (TODAY - 1, ["0T18", "1T10", "1T18"])])
def test_the_date_is_closed_to_its_last_evening(ends: int, open_slots: list[str]) -> None:
    packs = plain_packs()
    us = replace(packs["US"], waits=(replace(wait("stage", 3), stages=("notice",), channels=("letter",)),))
    long_ago = [to_us(EVENING) - 40 * DAY_US]
    claim = claims(
        (0, 50.0, 20_400),
        stage=[STAGES.index("notice")],
        stage_us=long_ago,
        next_due_day=np.array([ends], dtype=np.int32),
    )
    someone = one_debtor(EVENING, place=("US", None, "Pacific/Pago_Pago"), claims=claim)
    allowed = contact_mask(someone, grid=GRID, packs={**packs, "US": us}).allowed[0]
    letters = np.flatnonzero(allowed & (GRID.channel == CHANNELS.index("letter")))
    assert [GRID.label(one).removeprefix("letter@") for one in letters.tolist()] == open_slots
