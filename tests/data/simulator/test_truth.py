"""The closed form agrees with what happens when the actions are played, again and again."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from data.config import Config
from data.simulator.contacts import ContactRows, decide, manner
from data.simulator.hazard import Hazard, Window, base_after
from data.simulator.names import claim_names, contact_numbers, debtor_names
from data.simulator.payments import Paid
from data.simulator.response import spread
from data.simulator.rounds import Log, play
from data.simulator.state import Chunk
from data.simulator.store import WorldFile, load_chunk, read_world
from data.simulator.tables import gathered
from data.times import DAY_US, NEVER
from data.vocabulary import CHANNELS
from tests.simulator_fakes import Fake

Simulated = Callable[[str], Path]
ROUNDS = 60


def chosen_rows(directory: Path, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One action at random for each debtor of the truth file, with its truth on every covered claim."""
    truth = pq.read_table(directory / "truth" / "actions.parquet").to_pandas()
    truth["slot"] = truth["channel"] + truth["send_at"].astype(str)
    options = truth.groupby("debtor_id")["slot"].unique()
    wanted = options.map(lambda slots: slots[rng.integers(len(slots))])
    rows = truth[truth["slot"] == truth["debtor_id"].map(wanted)].sort_values("claim_id")
    send = rows["send_at"].astype("datetime64[us, UTC]").astype("int64").where(rows["send_at"].notna(), NEVER)
    return {name: rows[name].to_numpy() for name in ("claim_id", "channel", "payment_probability", "expected_paid")} | {
        "send_us": send.to_numpy()
    }


@cache
def stands(directory: Path) -> tuple[WorldFile, Chunk]:
    """A portfolio as it stands at its end; not to be played on, but a copy of it."""
    world = read_world(directory)
    return world, load_chunk(directory, 0, world=world, config=Config())[0]


def as_contacts(chunk: Chunk, now_us: int, rows: dict[str, np.ndarray]) -> ContactRows:
    names = claim_names(chunk.people, chunk.claims, rows=np.arange(chunk.claims.size)).to_pylist()
    claim = np.searchsorted(names, list(rows["claim_id"]))
    channel = np.array([CHANNELS.index(name) for name in rows["channel"]], dtype=np.int16)
    option, tone, content = manner(chunk.claims, claim, channel=channel)
    debtor = chunk.claims.debtor[claim]
    return ContactRows(
        number=contact_numbers(chunk.people, 900)[debtor],
        debtor=debtor,
        claim=claim,
        decided_us=np.full(len(claim), now_us),
        channel=channel,
        send_us=rows["send_us"].astype(np.int64),
        option=option,
        tone=tone,
        content=content,
        policy=np.full(len(claim), "test", dtype=np.object_),
        action_probability=np.ones(len(claim)),
    )


def played(directory: Path, rows: dict[str, np.ndarray], *, seed: int, weekly: bool) -> tuple[np.ndarray, np.ndarray]:
    """Whether each claim was paid for good within 14 days, and how much, after its action; then `Fake` decides weekly."""
    world, kept = stands(directory)
    chunk = replace(kept, people=deepcopy(kept.people), claims=deepcopy(kept.claims))
    made, log, rng = as_contacts(chunk, world.now_us, rows), Log(), np.random.default_rng(seed)
    edges = [np.full(chunk.people.size, world.now_us + days * DAY_US) for days in ((0, 7, 14) if weekly else (0, 14))]
    play(chunk, log, decided=made, start_us=edges[0], end_us=edges[1], rng=rng)
    if weekly:
        ids = debtor_names(chunk.people.number).to_numpy(zero_copy_only=False)
        again = decide(
            chunk,
            edges[1],
            behaviour=Fake(Config()),
            numbers=contact_numbers(chunk.people, 901),
            debtor_ids=ids,
            rng=rng,
        )
        play(chunk, log, decided=again, start_us=edges[1], end_us=edges[2], rng=rng)
    paid = gathered(log.payments, Paid)
    lasts = (paid.reversed_us == NEVER) & (paid.paid_us < edges[-1][0])
    cents = np.bincount(paid.claim[lasts], weights=paid.cents[lasts], minlength=chunk.claims.size)
    return cents[made.claim] > 0, cents[made.claim] / 100


@pytest.mark.parametrize("world", ["default", "harmful", "payday_only", "overlap"])
def test_playing_an_action_many_times_gives_the_chance_in_the_truth_file(simulated: Simulated, world: str) -> None:
    directory = simulated(world)
    rows = chosen_rows(directory, np.random.default_rng(3))
    runs = [played(directory, rows, seed=seed, weekly=world == "overlap") for seed in range(ROUNDS)]
    chance = rows["payment_probability"]
    rate, money = np.mean([run[0] for run in runs], axis=0), np.mean([run[1] for run in runs], axis=0)
    # Claims of one debtor are drawn alike: the spread of the sum is taken from the runs themselves.
    error = np.std([run[0].sum() for run in runs]) / np.sqrt(ROUNDS)
    slack = 0.004 * len(chance) if world == "overlap" else 0.0
    assert abs(rate.sum() - chance.sum()) < 3.5 * error + slack
    sure = (chance > 0.02) & (chance < 0.98)
    score = (rate - chance)[sure] / np.sqrt(chance[sure] * (1 - chance[sure]) / ROUNDS)
    assert 0.8 < np.std(score) < 1.2
    scatter = np.std([run[1].sum() for run in runs]) / np.sqrt(ROUNDS)
    assert abs(money.sum() - rows["expected_paid"].sum()) < 4 * scatter + 0.02 * money.sum()


def test_the_effect_is_spread_once_over_time() -> None:
    times = np.linspace(-1, 20, 400) * DAY_US
    for quick in (0.0, 0.4, 1.0):
        share = spread(times, np.array(quick))
        assert np.all(np.diff(share) >= 0)
        assert share[0] == 0.0
        assert share[-1] == 1.0


def test_base_left_after_an_instant_equals_the_sum_of_small_steps() -> None:
    rng = np.random.default_rng(0)
    start = np.zeros(3, dtype=np.int64)
    window = Window(np.arange(3), start, start + np.array([0, 1, 5]) * DAY_US // 2, start + 14 * DAY_US)
    low, high = window.edges()
    hazard = Hazard(window, rng.random((3, 14)) * (high > low), np.zeros((3, 14, 4)))
    step = DAY_US // 48
    grid = np.arange(0, 14 * DAY_US, step)
    for at_us in (0, DAY_US // 4, 3 * DAY_US + DAY_US // 2, 13 * DAY_US, 14 * DAY_US):
        density = hazard.base / np.maximum(high - low, 1)
        inside = (grid[None, :] >= np.maximum(window.active_us, at_us)[:, None]) * step
        plain = (density[:, grid // DAY_US] * inside).sum(axis=1)
        assert base_after(hazard, np.full((3, 1), at_us))[:, 0] == pytest.approx(plain)
