"""An old log looked at again, from its tables to what it can say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from data.config import Config
from data.outcomes import payments_of
from data.portfolio import Portfolio
from data.progress import Progress
from data.times import DAY_US, IntArray
from features.columns import FloatArray
from features.histories import histories_of
from features.tables import Histories
from training.logged.chances import ActionChances, ChanceSettings, Decisions, action_chances
from training.logged.effect import EffectSettings
from training.logged.multinomial import FitSettings
from training.logged.support_map import Cell, Taken, support_map
from training.replay.arms import Arms, Expected, expected_under
from training.replay.between import Compared, channels_compared, parts_compared
from training.replay.done import Done, paid_after, what_was_done
from training.replay.log import ReplayLog, cells_of, replay_log
from training.replay.made import Made, contacts_made
from training.replay.over_none import ODDS_RATIOS, OverNone, over_none
from training.replay.risk_sets import RiskSets, RiskSettings, risk_sets
from training.replay.safe_test import SafeTest, safe_tests, traffic_of
from training.replay.share import Bounds, looked_at
from training.replay.sparing import Asked, Spare, sparing
from training.replay.targeting import Offer, Targeting, targeting
from training.rows import known_until, last_fact_us

FAMILIES = ("days past due", "EUR outstanding")
"""Families of segments whose cells choose a channel, and are asked whether contacts could be spared."""


@dataclass(frozen=True)
class ReplaySettings:
    """How an old log is looked at."""

    bounds: Bounds = field(default_factory=Bounds)
    risk: RiskSettings = field(default_factory=RiskSettings)
    chances: ChanceSettings = field(default_factory=lambda: ChanceSettings(FitSettings(threads=1)))
    effect: EffectSettings = field(
        default_factory=lambda: EffectSettings(
            fit=FitSettings(folds=3, column_share=0.3, threads=1), outcome_rounds=60, odds_ratios=ODDS_RATIOS
        )
    )
    most_by_part: int = 20_000
    """Contacts of a channel on which parts of the day are compared, at most."""


@dataclass(frozen=True)
class Replay:
    """What an old log says.

    Parameters
    ----------
    known_us
        Facts are known up to here.
    looked_at
        Debtors that comparisons rest on, of all that were contacted.
    rows, contacts
        Rows worked out, and contacts that may be compared with them; none where the log holds its own decisions for none.
    waited_days
        Days until the next contact of the rows worked out: quartiles, infinite where none came.
    cells
        Overlap map of contacts.
    probabilities
        Whether any contact has a logged probability.
    """

    known_us: int
    horizon_days: tuple[int, int]
    channels: tuple[str, ...]
    done: Done
    looked_at: int
    decisions: int
    rows: int
    contacts: int
    waited_days: tuple[float, float, float]
    rhythm_days: tuple[int, ...]
    probabilities: bool
    cells: tuple[Cell, ...]
    compared: tuple[Compared, ...]
    over_none: tuple[OverNone, ...]
    targeting: Targeting
    spares: tuple[Spare, ...]
    tests: tuple[SafeTest, ...]


@dataclass(frozen=True)
class _Read:
    """The log read: contacts made, rows beside them, decisions with features and outcomes."""

    made: Made
    risk: RiskSets | None
    log: ReplayLog
    done: Done
    tests: tuple[SafeTest, ...]


def replay(
    portfolio: Portfolio,
    *,
    as_of_us: int,
    config: Config,
    seed: int,
    settings: ReplaySettings | None = None,
    progress: Progress = lambda what, share: None,
) -> Replay:
    """What was done up to a moment, what the log says of it, and what it would take to know.

    Raises
    ------
    NothingDone
        There is no contact.
    NoTrainingRows
        No contact's longer horizon was over.
    """
    chosen, rng = settings or ReplaySettings(), np.random.default_rng(seed)
    with _step("reading the log", progress):
        histories = histories_of(portfolio, channels=config.grid.channels)
        known_us = known_until(last_fact_us([histories], as_of_us=as_of_us), as_of_us=as_of_us)
        read = _read(portfolio, histories, known_us=known_us, config=config, seed=seed, settings=chosen)
    at_hand = _weighed(read, config=config, settings=chosen, rng=rng, progress=progress)
    with _step("comparing actions", progress):
        found = _compared(at_hand, settings=chosen, rng=rng)
    with _step("bounds", progress):
        return _told(at_hand, found, known_us=known_us, settings=chosen, rng=rng)


@contextmanager
def _step(what: str, progress: Progress) -> Iterator[None]:
    progress(what, 0.0)
    yield
    progress(what, 1.0)


@dataclass(frozen=True)
class _AtHand:
    """What comparisons are made of.

    Parameters
    ----------
    contacts, beside
        Rows of the log that are contacts, and those that may be compared with none.
    arms, with_none
        Channels among contacts; channels and none, None where nobody was left without a contact.
    map
        Overlap map.
    """

    read: _Read
    config: Config
    contacts: IntArray
    beside: IntArray
    arms: Arms
    with_none: Arms | None
    map: tuple[Cell, ...]

    @property
    def days(self) -> tuple[int, int]:
        """Both horizons."""
        return self.config.horizon.days, self.config.horizon.also_days

    @property
    def whats(self) -> tuple[str, ...]:
        """Names of the outcomes."""
        return tuple(f"{what} {days}" for what in ("paid", "eur") for days in self.days)


def _weighed(
    read: _Read, *, config: Config, settings: ReplaySettings, rng: np.random.Generator, progress: Progress
) -> _AtHand:
    """Chances and expected outcomes of every action."""
    contacts, beside = np.flatnonzero(read.log.contact), np.flatnonzero(read.log.comparable)
    with _step("chances of every action", progress):
        between = action_chances(_only(read.log.decisions, contacts), settings=settings.chances, rng=rng)
        none = _beside(read, beside, settings=settings, rng=rng)
    with _step("what to expect of every action", progress):
        expected = _expected(read.log, settings=settings, rng=rng)
    return _AtHand(
        read=read,
        config=config,
        contacts=contacts,
        beside=beside,
        arms=_arms(read.log, contacts, between, expected),
        with_none=None if none is None else _arms(read.log, beside, none, expected),
        map=_map(read.log, contacts, between, days=config.horizon.days),
    )


def _compared(at_hand: _AtHand, *, settings: ReplaySettings, rng: np.random.Generator) -> tuple[Compared, ...]:
    """Channels against each other, then parts of the day."""
    parts = parts_compared(
        at_hand.read.log,
        at_hand.contacts,
        days=at_hand.days[0],
        most=settings.most_by_part,
        settings=settings.effect,
        rng=rng,
    )
    return (*channels_compared(at_hand.arms, days=at_hand.days, settings=settings.effect), *parts)


def _told(
    at_hand: _AtHand,
    compared: tuple[Compared, ...],
    *,
    known_us: int,
    settings: ReplaySettings,
    rng: np.random.Generator,
) -> Replay:
    read, log, channels = at_hand.read, at_hand.read.log, at_hand.config.grid.channels
    cost = _cost_eur(read.done, len(channels))
    code, names = cells_of(log.segments, FAMILIES)
    offer = Offer(at_hand.arms, code[at_hand.contacts], names, cost, settings.effect.least_chance)
    over, spares = _over_none(at_hand, code[at_hand.beside], names, cost, settings.effect)
    return Replay(
        known_us=known_us,
        horizon_days=at_hand.days,
        channels=channels,
        done=read.done,
        looked_at=len(np.unique(log.decisions.unit)),
        decisions=len(at_hand.contacts),
        rows=int(log.reconstructed.sum()),
        contacts=int((log.comparable & log.contact).sum()),
        waited_days=_waited(read.risk),
        rhythm_days=read.risk.rhythm_days if read.risk is not None else (),
        probabilities=bool(np.isfinite(read.made.action_probability).any()),
        cells=at_hand.map,
        compared=compared,
        over_none=over,
        targeting=targeting(
            offer, whats=at_hand.whats, chosen_on=f"eur {at_hand.days[0]}", odds_ratios=ODDS_RATIOS, rng=rng
        ),
        spares=spares,
        tests=read.tests,
    )


def _over_none(
    at_hand: _AtHand, cell: IntArray, names: tuple[tuple[str, ...], ...], cost: FloatArray, settings: EffectSettings
) -> tuple[tuple[OverNone, ...], tuple[Spare, ...]]:
    """Bounds over none and contacts to spare; empty where nobody was left without a contact."""
    if at_hand.with_none is None:
        return (), ()
    every = np.ones(len(at_hand.beside), dtype=np.bool_)
    asked = Asked(at_hand.with_none, every, cell, names, cost)
    return (
        over_none(at_hand.with_none, whats=at_hand.whats, rows=every, settings=settings),
        sparing(asked, what=f"eur {at_hand.days[0]}", settings=settings),
    )


def _read(
    portfolio: Portfolio, histories: Histories, *, known_us: int, config: Config, seed: int, settings: ReplaySettings
) -> _Read:
    made = contacts_made(portfolio, histories, known_us=known_us, horizon_days=config.horizon.days)
    payments = payments_of(portfolio["payments"], pa.array(histories.claim_id, pa.string()), rates=config.rates)
    debtors = looked_at(made, histories, bounds=settings.bounds, seed=seed)
    until_us = known_us - config.horizon.also_days * DAY_US
    risk = None
    if not made.nones:
        risk = risk_sets(made, histories, debtors=debtors, until_us=until_us, settings=settings.risk, seed=seed)
    log = replay_log(
        portfolio, histories, made, risk=risk, debtors=debtors, payments=payments, known_us=known_us, config=config
    )
    done = what_was_done(made, histories, payments, known_us=known_us, config=config)
    followed = paid_after(made, payments, known_us=known_us, days=config.horizon.days)
    tests = safe_tests(traffic_of(made, followed, known_us=known_us, horizon_days=config.horizon.days))
    return _Read(made, risk, log, done, tests)


def _only(decisions: Decisions, rows: IntArray, *, logged: bool = True) -> Decisions:
    """Some decisions; `logged` False forgets their probabilities: they were those of another set of actions."""
    chance = decisions.action_probability[rows]
    return Decisions(
        features=decisions.features[rows],
        channel=decisions.channel[rows],
        part=decisions.part[rows],
        policy=decisions.policy[rows],
        decided_us=decisions.decided_us[rows],
        unit=decisions.unit[rows],
        group=decisions.group[rows],
        action_probability=chance if logged else np.full(len(rows), np.nan),
        channels=decisions.channels,
    )


def _beside(read: _Read, rows: IntArray, *, settings: ReplaySettings, rng: np.random.Generator) -> ActionChances | None:
    """Chances of every action and of none, None where nothing stands beside the contacts."""
    if not (read.log.decisions.channel[rows] == 0).any():
        return None
    return action_chances(_only(read.log.decisions, rows, logged=read.risk is None), settings=settings.chances, rng=rng)


def _expected(log: ReplayLog, *, settings: ReplaySettings, rng: np.random.Generator) -> dict[str, Expected]:
    """Expected outcomes of all rows under every action."""
    outcomes: dict[str, tuple[FloatArray, float]] = {}
    for days, one in log.outcomes.items():
        outcomes[f"paid {days}"] = (one.paid, 1.0)
        outcomes[f"eur {days}"] = (one.eur, one.most_eur)
    one_log = log.decisions
    return expected_under(
        one_log.features, one_log.channel.astype(np.int64), one_log.unit, outcomes=outcomes,
        actions=one_log.channels, settings=settings.effect, rng=rng,
    )  # fmt: skip


def _arms(log: ReplayLog, rows: IntArray, chances: ActionChances, expected: dict[str, Expected]) -> Arms:
    some = {name: Expected(one.outcome[rows], one.under[rows], one.scale) for name, one in expected.items()}
    return Arms(
        log.decisions.channel[rows].astype(np.int64), log.decisions.unit[rows], chances.channel, some, chances.drawn
    )


def _cost_eur(done: Done, channels: int) -> FloatArray:
    """EUR that a contact cost, by channel code; 0 for none and what was never used."""
    cost = np.zeros(channels)
    for one in done.channels:
        cost[one.name] = one.cost_eur / one.contacts
    return cost


def _map(log: ReplayLog, contacts: IntArray, chances: ActionChances, *, days: int) -> tuple[Cell, ...]:
    """Overlap map of the contacts: channels and parts of the day in every segment."""
    one = log.decisions
    taken = Taken(
        one.channel[contacts].astype(np.int64), one.part[contacts], log.outcomes[days].paid[contacts],
        one.unit[contacts],
    )  # fmt: skip
    segments = tuple(type(each)(each.family, each.name, each.here[contacts]) for each in log.segments)
    cells = support_map(taken, chances, tuple(each for each in segments if each.here.any()))
    return tuple(cell for cell in cells if cell.channel > 0)


def _waited(risk: RiskSets | None) -> tuple[float, float, float]:
    """Quartiles of the days until the next contact; infinite ones lie at the end."""
    if risk is None or not len(risk):
        return float("nan"), float("nan"), float("nan")
    low, middle, high = np.quantile(risk.waited_days, (0.25, 0.5, 0.75), method="higher").tolist()
    return low, middle, high
