"""Does anything forbidden come out at the end of the whole chain? Tables in, `decide` with bad models, decision rows out.

    make rules-proof
    python -m tests.proof.chain_proof --seed 1 --batches 130 --debtors 400 --kept FILE

Two bad models, as champion and challenger, want the worst action; the four arms have a quarter each, and what a model
chooses is taken for certain or drawn with a floor under every cell. Every contact in the contract's rows is judged from the raw
tables. `--sabotage` takes one rule away. Ends with 1 if anything is wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.company_caps import CompanyCap
from data.config import ArmSettings, Config, GridSettings
from data.policy_settings import PolicySettings
from data.portfolio import Portfolio
from features.catalogue import catalogue, names
from features.histories import histories_of
from features.reference import learn_reference
from models.bundle import Bundle
from models.cells import Cells
from models.decide import decide
from models.decision_rows import decision_table
from models.protocol import PropensityModel
from models.rules.mask import rules_version
from tests.deciding import asks_of
from tests.proof.documents import Document, dense, packs_of, shipped, with_company
from tests.proof.judge import Judge
from tests.proof.nasty import Nasty
from tests.proof.nights import nights
from tests.proof.raw import Raw, us
from tests.proof.running import Usual, run
from tests.proof.tally import Tally
from tests.strategies import START, random_tables

FloatArray = npt.NDArray[np.float64]
CONFIG = Config()
COLUMNS = names(catalogue(CONFIG.grid.channels))
QUARTERS = ArmSettings(0.25, 0.25, 0.25, 0.25)
GRIDS = ((7, (8, 10, 12, 14, 16, 18, 20)), (4, (0, 7, 8, 12, 20, 21, 23)), (2, tuple(range(24))))
CAPS = {"any": (3, 14), "phone": (1, 10)}
LOUDNESS = np.array([0.0, 0.7, 0.5, 0.3, 0.1, 0.9, 0.4])
"""What a model hopes for from each of the contract's channels."""


@dataclass(frozen=True)
class Wanting(PropensityModel):
    """A model sure that one kind of contact brings everything, and that none brings nothing."""

    wish: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]

    def chance(self, cells: Cells) -> FloatArray:
        channel, hour, weekday = (
            np.nan_to_num(cells.column(COLUMNS.index(name)).astype(np.float64), nan=0.0)
            for name in ("channel", "hour", "weekday")
        )
        wished = self.wish(LOUDNESS[channel.astype(np.int64)], hour, weekday)
        chance: FloatArray = np.broadcast_to(np.where(channel > 0, 0.1 + 0.85 * wished, 0.0), cells.shape).copy()
        return chance

    def contributions(self, rows: npt.NDArray[np.floating[Any]]) -> FloatArray:
        return np.zeros(rows.shape)

    def dump(self) -> dict[str, str]:
        return {}


LOUD_AND_LATE = Wanting(lambda loud, hour, weekday: 0.8 * loud + 0.2 * hour / 24)
SUNDAY_MORNING = Wanting(lambda loud, hour, weekday: 0.5 * weekday / 6 + 0.3 * (1 - hour / 24) + 0.2 * loud)


class Batch:
    """One portfolio, its packs and settings, and the moments at which is decided."""

    def __init__(self, seed: int, number: int, debtors: int) -> None:
        rng = np.random.default_rng([seed, number, 1])
        night = nights()[int(rng.integers(len(nights())))]
        self.moments: list[datetime]
        self.tables: dict[str, pa.Table]
        if number % 4 == 0:
            self.tables = random_tables(seed * 10_000 + number, debtors=debtors, unusual=number % 8 == 0)
            self.moments = [
                START + timedelta(days=int(day), hours=int(rng.integers(24))) for day in rng.integers(90, 390, 3)
            ]
        else:
            self.tables = Nasty(rng, night, debtors=debtors).tables()
            self.moments = [night, night + timedelta(hours=int(rng.integers(1, 40)))]
        caps = CAPS if number % 3 == 0 else {}
        documents = shipped() if number % 2 else dense(number, on=(self.moments[0] + timedelta(days=2)).date())
        self.documents: dict[str, Document] = with_company(documents, caps)
        self.packs = packs_of(documents)
        self.config = replace(
            CONFIG,
            arms=QUARTERS,
            grid=GridSettings(days=GRIDS[number % 3][0], hours=GRIDS[number % 3][1]),
            policy=PolicySettings("softmax" if number % 5 > 1 else "greedy", temperature_eur=200.0, floor=0.04),
            caps={name: CompanyCap(*cap) for name, cap in caps.items()},
        )

    def rows(self, as_of: datetime) -> tuple[list[str], list[dict[str, Any]]]:
        """Debtors decided on, and the contract's decision rows."""
        found = histories_of(Portfolio.from_tables(self.tables, checked=False), channels=self.config.grid.channels)
        reference = learn_reference(found, until_us=us(as_of), config=self.config)
        champion, challenger = (
            Bundle(name, "wanting", "value", model, reference, 0.5, {})
            for name, model in (("late-1", LOUD_AND_LATE), ("sunday-1", SUNDAY_MORNING))
        )
        asks = asks_of(found, as_of)
        decided = decide(found, asks, champion=champion, challenger=challenger, config=self.config, packs=self.packs)
        table = decision_table(decided, packs_version=rules_version(self.packs))
        wanted = table.select(["debtor_id", "claim_id", "channel", "send_at", "arm", "explored", "blocked"])
        return found.debtor_id[asks.debtor].tolist(), wanted.to_pylist()


def judged(batch: Batch) -> Tally:
    """What came of a batch."""
    tally, raw = Tally(), Raw(batch.tables)
    for as_of in batch.moments:
        debtors, rows = batch.rows(as_of)
        mine: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            mine[row["debtor_id"]].append(row)
        for debtor_id in debtors:
            person = raw.person(debtor_id, as_of)
            judge = Judge(person, batch.documents.get(person.country))
            tally.add("decisions", person.country)
            tally.add("arms", mine[debtor_id][0]["arm"])
            _judge_rows(judge, mine[debtor_id], tally)
    return tally


def _judge_rows(judge: Judge, rows: list[dict[str, Any]], tally: Tally) -> None:
    """One contact at most, lawful, and about claims that no rule holds."""
    person = judge.person
    for one in rows[0]["blocked"] or []:
        tally.add("channels blocked", one["rule"])
    if (person.objected and rows[0]["arm"] != "control") or (person.vulnerable and rows[0]["explored"]):
        tally.found("forbidden", "arm", f"{rows[0]['arm']}: {person}")
    contacts = {(row["channel"], row["send_at"]) for row in rows if row["channel"] != "none"}
    if len(contacts) > 1:
        tally.found("forbidden", "two contacts", str(rows))
    for channel, send_at in contacts:
        tally.add("contacts", person.country)
        covered = {row["claim_id"] for row in rows if row["channel"] != "none"}
        told = f"{channel} at {send_at}, {rows[0]['arm']}, about {sorted(covered)}: {person}"
        bars = judge.barring(channel, us(send_at))
        held = {str(judge.held_by(claim)) for claim in covered} - {"None"}
        if bars | held:
            tally.add("forbidden at", person.country)
        for rule in bars | held:
            tally.found("forbidden", rule, told)


if __name__ == "__main__":
    usual = Usual("contacts at the end of the whole chain", batches=130, size=400, size_name="--debtors")
    run(lambda seed, number, debtors: judged(Batch(seed, number, debtors)), usual, about=__doc__)
