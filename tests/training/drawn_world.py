"""Logs drawn by exploration from a world whose chances of payment under every action are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from data.config import Config
from data.times import to_us
from models.arms import decision_ids
from models.decide import Decided, decide
from models.explore import draw, explore_probabilities
from models.policies.cells import cell_of_action
from models.prepare import Asks, debtors_with_open_claims
from models.protocol import PropensityModel
from tests.deciding import GRID, PACKS, FloatArray, bundle_of
from tests.portfolios import CONFIG, histories
from tests.strategies import START, random_tables
from training.policy_value import Judged

PAYS_EUR = 50.0


@dataclass(frozen=True)
class DrawnWorld:
    """A model's greedy decisions, and each row's chance to pay `PAYS_EUR` under every action, shape (n, A)."""

    decided: Decided
    chance: FloatArray

    def log(self, rng: np.random.Generator) -> Judged:
        """The same debtors at the same moments, each action drawn by exploration, each payment by its chance."""
        prepared = self.decided.prepared
        rows = np.arange(prepared.situation.size)
        chances = explore_probabilities(prepared.allowed, grid=GRID, p_none=0.2)
        action = draw(chances, rng.random(len(rows)))
        paid = rng.random(len(rows)) < self.chance[rows, action]
        return Judged(
            debtor=prepared.asks.debtor,
            decided_us=prepared.asks.as_of_us,
            channel=GRID.channel[action],
            hour=GRID.hour[action].astype(np.int64),
            action_probability=chances[rows, action],
            paid_eur=np.where(paid, PAYS_EUR, 0.0),
            contact_id=decision_ids(prepared.situation.debtor_id, prepared.asks.as_of_us, salt="log"),
        )

    def recovered_eur(self, decided: Decided) -> float:
        """What a policy truly recovers a decision, its cell's allowed slots equally likely."""
        cell = cell_of_action(GRID)
        inside = decided.prepared.allowed & (cell[None, :] == cell[decided.choice.action][:, None])
        return float((PAYS_EUR * (self.chance * inside).sum(axis=1) / inside.sum(axis=1)).mean())


def drawn_world(model: PropensityModel, *, seed: int, config: Config = CONFIG, debtors: int = 200) -> DrawnWorld:
    """Debtors who differ and channels that differ; what contact adds grows with what the model expects of it."""
    found = histories(random_tables(seed, debtors=debtors))
    moments = [to_us(START + timedelta(days=day, hours=6)) for day in range(150, 390, 24)]
    asked = [(debtors_with_open_claims(found, moment), moment) for moment in moments]
    asks = Asks(
        np.concatenate([people for people, _ in asked]),
        np.concatenate([np.full(len(people), moment) for people, moment in asked]),
    )
    bundle = bundle_of(found, model)
    decided = decide(found, asks, champion=bundle, config=config, packs=PACKS, everyone_champion=True)
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.05, 0.3, found.size)[asks.debtor]
    value = np.where(np.isfinite(decided.scored.value_eur), decided.scored.value_eur, 0.0)
    added = np.where(value > np.median(value[value > 0]), 0.3, 0.0)  # contacts worth little add nothing at all
    return DrawnWorld(decided, np.clip(base[:, None] + added, 0.0, 1.0))
