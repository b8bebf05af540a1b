"""Small randomised logs of a world in which a text message helps some and harms others, and e-mail helps all a little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from data.outcomes import Waits
from data.times import DAY_US
from features.reference import Reference, learn_reference
from tests.deciding import COLUMNS
from tests.portfolios import CONFIG, histories
from tests.strategies import random_tables
from tests.training.made_rows import rows_with
from training.rows import TrainingRows
from training.splits import Split, split_rows

FloatArray = npt.NDArray[np.float64]

NONE, SMS, EMAIL = 0, 1, 2
DRIVER = COLUMNS.index("known_days")
CHANNEL = COLUMNS.index("channel")
BASE, HELPS, HARMS, EMAIL_HELPS = 0.25, 0.30, -0.15, 0.12
HORIZON_DAYS = 14


def reference() -> Reference:
    """Any reference: the rows here are made by hand."""
    return learn_reference(histories(random_tables(1)), until_us=2**62, config=CONFIG)


def true_effect(driver: FloatArray, channel: npt.NDArray[np.integer]) -> FloatArray:
    """What a contact adds to the chance of payment."""
    sms = np.where(driver > 0, HELPS, HARMS)
    effect: FloatArray = np.where(channel == SMS, sms, np.where(channel == EMAIL, EMAIL_HELPS, 0.0))
    return effect


def randomised_log(
    *, seed: int, size: int = 6_000, channels: tuple[int, ...] = (NONE, SMS, EMAIL)
) -> tuple[TrainingRows, Split]:
    """Rows whose channel and hour were drawn evenly, and their parts."""
    rng = np.random.default_rng(seed)
    channel = rng.choice(channels, size).astype(np.int16)
    hour = np.where(channel > 0, rng.choice([8, 12, 18], size), -1)
    driver = rng.normal(size=size)
    paid = rng.random(size) < BASE + true_effect(driver, channel)
    debtor = np.sort(rng.integers(0, size // 3, size))
    chance = np.where(channel > 0, 1 / 3, 1.0) / len(channels)
    paid_days = np.where(paid, rng.uniform(0, HORIZON_DAYS, size), np.inf)
    rows = rows_with(
        channel=channel, hour=hour, paid=paid, debtor=debtor, action_probability=chance,
        decided_us=rng.integers(0, 300 * DAY_US, size), responded=(channel > 0) & (rng.random(size) < 0.5),
        waits=Waits(paid_days, np.full(size, 20.0)),
    )  # fmt: skip
    matrix = rows.matrix.copy()
    matrix[:, DRIVER] = driver
    matrix[:, COLUMNS.index("outstanding_log")] = np.log1p(200.0)
    matrix[np.ix_(channel == NONE, range(CHANNEL + 1, len(COLUMNS)))] = np.nan
    rows = replace(rows, matrix=matrix.astype(np.float32))
    return rows, parts_of(rows)


def parts_of(rows: TrainingRows) -> Split:
    """Every fifth debtor is judged; the last third of the time is later."""
    judged = np.arange(int(rows.debtor.max()) + 1) % 5 == 0
    return split_rows(rows, judged, later_from_us=200 * DAY_US, horizon_days=HORIZON_DAYS)


def under(rows: TrainingRows, channel: int, *, hour: float = 12.0) -> npt.NDArray[np.float32]:
    """The same debtors under one channel."""
    matrix = rows.matrix.copy()
    matrix[:, CHANNEL:] = np.nan if channel == NONE else 0.0
    matrix[:, CHANNEL] = channel
    if channel:
        matrix[:, COLUMNS.index("hour")] = hour
    return matrix
