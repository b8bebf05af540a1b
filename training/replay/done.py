"""What was done: contacts, their cost and rhythm, what followed them, and how much money came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.config import Config
from data.outcomes import Payments, paid_pairs
from data.times import DAY_US, IntArray
from features.columns import BoolArray, FloatArray
from features.tables import Histories
from training.logged.loggers import Logger, tell_loggers
from training.replay.latest import stages_at
from training.replay.ledger import LONG_AFTER, WITHOUT, Ledger, ledger_of
from training.replay.made import Made, gaps_days
from training.reports.evidence import amounts_eur
from training.trials.intervals import Interval, mean_interval, share_interval

PER_DEBTOR = (1, 2, 4, 7, 13, 25)
GAPS_DAYS = (1, 4, 8, 15, 31, 61)
PER_CLAIM = (1, 2, 3, 6)
"""Where the bands of contacts per debtor, of days between contacts, and of payments per claim begin; below the first lies one more."""


@dataclass(frozen=True)
class Group:
    """Contacts that share something.

    Parameters
    ----------
    mature
        Those whose horizon is over: the shares are of these, None where there are none.
    answered, followed
        Share that the person answered; share followed by a payment on a covered claim within the horizon: a response, never
        what the contact brought.
    credited_eur
        Payments of which one of these was the last contact before.
    """

    name: int
    contacts: int
    debtors: int
    cost_eur: float
    mature: int
    answered: Interval | None
    followed: Interval | None
    credited_eur: float


@dataclass(frozen=True)
class Band:
    """How many things, and of how many debtors, lie from `begin` on up to the next band."""

    begin: int
    count: int
    debtors: int


@dataclass(frozen=True)
class Money:
    """Payments that stand under a channel's contacts, `LONG_AFTER` the last contact, or `WITHOUT` one."""

    under: int
    payments: int
    debtors: int
    eur: float


@dataclass(frozen=True)
class Done:
    """What was done up to a moment, and what came.

    Parameters
    ----------
    eras, era_debtors
        Old policies, and the debtors behind each, shape (eras,).
    months, month_contacts, month_debtors
        Month numbers since 1970; contacts and their debtors by month and channel, shape (M, C).
    stage_contacts, stage_debtors
        Contacts and their debtors by stage (the last row: not known) and channel, shape (stages + 1, C).
    silent
        Share of mature contacts after which nothing else happened: no event, no payment on a covered claim in the horizon.
    """

    contacts: int
    debtors: int
    all_debtors: int
    claims: int
    nones: int
    statutory: int
    begin_us: int
    end_us: int
    cost_eur: float
    per_debtor: Interval
    channels: tuple[Group, ...]
    eras: tuple[Logger, ...]
    era_debtors: IntArray
    months: IntArray
    month_contacts: IntArray
    month_debtors: IntArray
    stage_contacts: IntArray
    stage_debtors: IntArray
    debtor_bands: tuple[Band, ...]
    gap_bands: tuple[Band, ...]
    claim_bands: tuple[Band, ...]
    silent: Interval | None
    money: tuple[Money, ...]
    taken_back: int

    @property
    def paid_eur(self) -> float:
        """What came in all."""
        return sum(one.eur for one in self.money)


def what_was_done(made: Made, histories: Histories, payments: Payments, *, known_us: int, config: Config) -> Done:
    """Figures of all contacts up to a moment."""
    ledger = ledger_of(made, payments, known_us=known_us, days=config.horizon.also_days)
    cost = costs_eur(made, config)
    mature = made.decided_us + config.horizon.days * DAY_US <= known_us
    followed = paid_after(made, payments, known_us=known_us, days=config.horizon.days)
    months, month_contacts, month_debtors = _by_month(made)
    eras, era_debtors = _eras(made)
    stage_contacts, stage_debtors = _by_stage(made, histories)
    quiet = ~made.stirred & ~made.answered & ~followed
    return Done(
        contacts=len(made),
        debtors=len(np.unique(made.debtor)),
        all_debtors=histories.size,
        claims=len(np.unique(made.claim)),
        nones=made.nones,
        statutory=int(made.statutory.sum()),
        begin_us=int(made.decided_us.min()),
        end_us=int(made.decided_us.max()),
        cost_eur=float(cost.sum()),
        per_debtor=mean_interval(np.bincount(made.debtor, minlength=histories.size).astype(np.float64)),
        channels=_groups(made, ledger, cost=cost, mature=mature, followed=followed),
        eras=eras,
        era_debtors=era_debtors,
        months=months,
        month_contacts=month_contacts,
        month_debtors=month_debtors,
        stage_contacts=stage_contacts,
        stage_debtors=stage_debtors,
        debtor_bands=_per_debtor(made, histories.size),
        gap_bands=_gap_bands(made),
        claim_bands=_per_claim(ledger, histories),
        silent=share_interval(quiet[mature], made.debtor[mature]) if mature.any() else None,
        money=_money(ledger, histories, channels=len(made.channels)),
        taken_back=ledger.taken_back,
    )


def costs_eur(made: Made, config: Config) -> FloatArray:
    """EUR of each contact by the dated row that held on its day, and once more where somebody took the call, shape (n,)."""
    flat, per_answer = amounts_eur(made.channel.astype(np.int64), made.decided_us, made.channels, config.costs)
    cost: FloatArray = flat + per_answer * made.picked_up
    return cost


def paid_after(made: Made, payments: Payments, *, known_us: int, days: int) -> BoolArray:
    """Whether anything was paid on a covered claim within so many days, shape (n,)."""
    decided = made.decided_us[made.cover]
    pairs = paid_pairs(decided, made.claim, payments=payments, horizon_days=days, known_until_us=known_us)
    found = np.zeros(len(made), dtype=np.bool_)
    found[made.cover[pairs.decision]] = True
    return found


def _groups(
    made: Made, ledger: Ledger, *, cost: FloatArray, mature: BoolArray, followed: BoolArray
) -> tuple[Group, ...]:
    credited = np.bincount(ledger.contact[ledger.contact >= 0], ledger.eur[ledger.contact >= 0], len(made))
    found = []
    for channel in np.unique(made.channel).tolist():
        here = made.channel == channel
        ripe = here & mature
        answered, paid = (
            share_interval(one[ripe], made.debtor[ripe]) if ripe.any() else None for one in (made.answered, followed)
        )
        found.append(
            Group(
                name=channel,
                contacts=int(here.sum()),
                debtors=len(np.unique(made.debtor[here])),
                cost_eur=float(cost[here].sum()),
                mature=int(ripe.sum()),
                answered=answered,
                followed=paid,
                credited_eur=float(credited[here].sum()),
            )
        )
    return tuple(found)


def _eras(made: Made) -> tuple[tuple[Logger, ...], IntArray]:
    """Old policies told apart over their contacts, and how many debtors are behind each."""
    found = tell_loggers(
        made.policy, made.channel, decided_us=made.decided_us, action_probability=made.action_probability,
        channels=len(made.channels),
    )  # fmt: skip
    pair = np.unique(np.stack([made.debtor, found.of_row]), axis=1)
    return found.every, np.bincount(pair[1], minlength=len(found.every)).astype(np.int64)


def _by_month(made: Made) -> tuple[IntArray, IntArray, IntArray]:
    """Months since 1970, contacts and their debtors by month and channel."""
    months, month = np.unique(made.decided_us.astype("datetime64[us]").astype("datetime64[M]"), return_inverse=True)
    return months.astype(np.int64), *_counted(made, month.astype(np.int64), len(months))


def _by_stage(made: Made, histories: Histories) -> tuple[IntArray, IntArray]:
    """Contacts, and their debtors, by the stage of the claim furthest on, and channel."""
    of_row = stages_at(histories.claim_events, claim=made.claim, at_us=made.decided_us[made.cover])
    stage = np.full(len(made), -1, dtype=np.int64)
    np.maximum.at(stage, made.cover, of_row)
    stages = int(max(histories.claim_events.stage.max(initial=0), of_row.max(initial=0))) + 1
    stage[stage < 0] = stages
    return _counted(made, stage, stages + 1)


def _counted(made: Made, down: IntArray, rows: int) -> tuple[IntArray, IntArray]:
    """Contacts, and their debtors, by row and channel, shape (rows, C) each."""
    size, channel = (rows, len(made.channels)), made.channel.astype(np.int64)
    pair = np.unique(np.stack([made.debtor, down, channel]), axis=1)
    return _table(down, channel, size), _table(pair[1], pair[2], size)


def _table(down: IntArray, across: IntArray, size: tuple[int, int]) -> IntArray:
    counts = np.bincount(down * size[1] + across, minlength=size[0] * size[1])
    return counts.reshape(size).astype(np.int64)


def _per_debtor(made: Made, debtors: int) -> tuple[Band, ...]:
    count = np.bincount(made.debtor, minlength=debtors)
    return _bands(count.astype(np.float64), np.arange(debtors), PER_DEBTOR)


def _gap_bands(made: Made) -> tuple[Band, ...]:
    gap = gaps_days(made)
    known = np.isfinite(gap)
    return _bands(gap[known], made.debtor[known], GAPS_DAYS)


def _per_claim(ledger: Ledger, histories: Histories) -> tuple[Band, ...]:
    claims = len(histories.claim_id)
    return _bands(
        np.bincount(ledger.claim, minlength=claims).astype(np.float64), histories.claims.debtor[:claims], PER_CLAIM
    )


def _bands(value: FloatArray, debtor: IntArray, begins: tuple[int, ...]) -> tuple[Band, ...]:
    """Bands from 0 on, shape (n,) each."""
    place = np.digitize(value, begins)
    return tuple(
        Band(begin, int((place == number).sum()), len(np.unique(debtor[place == number])))
        for number, begin in enumerate((0, *begins))
    )


def _money(ledger: Ledger, histories: Histories, *, channels: int) -> tuple[Money, ...]:
    """Every payment of the ledger in one group."""
    debtor = histories.claims.debtor[ledger.claim]
    found = []
    for under in (*range(1, channels), LONG_AFTER, WITHOUT):
        here = ledger.under == under
        if here.any():
            found.append(Money(under, int(here.sum()), len(np.unique(debtor[here])), float(ledger.eur[here].sum())))
    return tuple(found)
