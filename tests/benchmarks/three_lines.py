"""Share of the way from the incumbent's rules to the best allowed action: plain, ours, and ours knowing what is hidden.

    make bench-three            seeds 1 to 5 of worlds default, overlap and self_cure, 40,000 debtors, 24 months

Three learners from the same log, judged by the truth file on the same debtors, one contact for each debtor, greedy:

plain
    One LightGBM over debtor, claim and action, with the 74 features of the first version and its settings.
ours
    The recipe `chain`, as `rettid train` fits it.
hidden
    The same recipe, with the simulator's hidden traits as further features of the debtor.
unlogged, unlinked
    With `--lines`: ours from the log without its action probabilities; ours without looking at which payment came through
    which contact.

The value of an action is what its claims are expected to pay more than under `none`, less cost and harm. "By chance" chooses by
chance of payment instead, without prices, and is judged by true chance.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from feature_ceiling import AS_OF_US, Cells, cells_of, expanded
from share_of_best import rettid

from data.config import Config, read_config
from data.portfolio import read_portfolio
from data.times import to_day
from models.bundle import Bundle
from models.control import control_actions
from models.decide import price_of
from models.prepare import Asks, Prepared, debtors_with_open_claims, prepare
from models.propensity import RateModel
from models.protocol import PropensityModel
from models.rules.pack import read_packs
from training.fit import recipe
from training.material import Material, gather
from training.rows import TrainingRows

FIRST_VERSION = Path(__file__).with_name("first_features.txt")
BLOCK = 100_000


@dataclass(frozen=True)
class Truth:
    """Cells of the grid (claim, action) with their features and what they are truly worth; a sample of debtors.

    `net_eur` and `chance` are by debtor and action, shape (n, A), −inf where not allowed; `incumbent` the action of the
    tenant's rules, shape (n,).
    """

    cells: Cells
    debtor: np.ndarray
    outstanding_eur: np.ndarray
    price_eur: np.ndarray
    net_eur: np.ndarray
    chance: np.ndarray
    incumbent: np.ndarray


@dataclass(frozen=True)
class Line:
    """One learner: its share by value and by chance, contacts, and seconds to learn."""

    name: str
    value: float
    chance: float
    contacts: float
    seconds: float


def prepared_by(material: Material) -> tuple[Prepared, Bundle]:
    """Every debtor with an open claim at the end, features and rules as the learnt models see them; a bundle for prices."""
    config, packs, histories = material.config, material.packs, material.histories
    rates = RateModel((0.1,) * len(config.grid.channels), 0)
    bundle = Bundle("none", "rates", "value", rates, material.reference, 0.5, {})
    debtor = debtors_with_open_claims(histories, AS_OF_US)
    asks = Asks(debtor, np.full(len(debtor), AS_OF_US))
    return prepare(histories, asks, config=config, packs=packs, bundle=bundle), bundle


def truth_of(portfolio: Path, material: Material, *, debtors: int, seed: int) -> tuple[Prepared, Truth]:
    """What the truth file says of a sample of debtors, with their features."""
    prepared, bundle = prepared_by(material)
    config = material.config
    cells = cells_of(portfolio, prepared)
    moment = prepared.targets.moment[cells.claim]
    every = np.unique(moment)
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.choice(every, min(debtors, len(every)), replace=False))
    mine = np.flatnonzero(np.isin(moment, kept))
    paid = expected_paid_eur(portfolio, prepared, config=config)[mine]
    cells = Cells(cells.claim[mine], cells.action[mine], cells.truth[mine])
    debtor = np.searchsorted(kept, moment[mine])
    price = price_of(prepared, bundle).total[moment[mine], prepared.grid.channel[cells.action]]
    size, actions = len(kept), prepared.grid.size
    covered = prepared.covered[cells.claim]
    without = by_claim_without(cells, paid)
    net = summed((paid - without) * covered, debtor, cells.action, shape=(size, actions))
    prices = np.full((size, actions), np.nan)
    prices[debtor, cells.action] = price
    left = replace(prepared.mask, allowed=prepared.allowed, covered=prepared.covered)
    control = control_actions(prepared.situation, left, settings=config.control, grid=prepared.grid)[kept]
    some = -np.expm1(
        summed(np.log1p(-cells.truth.clip(0, 1 - 1e-12)) * covered, debtor, cells.action, shape=(size, actions))
    )
    allowed = ~np.isnan(prices)
    return prepared, Truth(
        cells, debtor, prepared.rows.outstanding_eur[cells.claim], price,
        np.where(allowed, net - np.nan_to_num(prices), -np.inf), np.where(allowed, some, -np.inf), control,
    )  # fmt: skip


def expected_paid_eur(portfolio: Path, prepared: Prepared, *, config: Config) -> np.ndarray:
    """Expected EUR of the truth file's rows in the order of `cells_of`."""
    truth = pq.read_table(portfolio / "truth" / "actions.parquet", columns=["as_of", "claim_id", "expected_paid"])
    frame = truth.to_pandas()
    histories, targets = prepared.histories, prepared.targets
    row = frame["claim_id"].map(pd.Series(np.arange(len(targets.claim)), index=histories.claim_id[targets.claim]))
    known = row.notna().to_numpy()
    currency = histories.claims.currency[targets.claim[row[known].to_numpy().astype(np.int64)]]
    day = to_day(frame["as_of"].iloc[0].date())
    rate = np.array([config.rates.on(name, day).amount for name in histories.currencies])
    return frame["expected_paid"].to_numpy()[known] * rate[currency]


def by_claim_without(cells: Cells, value: np.ndarray) -> np.ndarray:
    """Each cell's value of the same claim under `none`."""
    without = np.zeros(int(cells.claim.max()) + 1)
    none = cells.action == 0
    without[cells.claim[none]] = value[none]
    return without[cells.claim]


def summed(value: np.ndarray, debtor: np.ndarray, action: np.ndarray, *, shape: tuple[int, int]) -> np.ndarray:
    """Sums by debtor and action."""
    total = np.zeros(shape)
    np.add.at(total, (debtor, action), value)
    return total


def judge(
    name: str,
    model: PropensityModel,
    truth: Truth,
    rows: np.ndarray,
    *,
    share: float,
    prepared: Prepared,
    seconds: float,
) -> Line:
    """Shares of the way from the incumbent to the best, by value and by chance."""
    chance = np.concatenate([model.probability(part) for part in np.array_split(rows, len(rows) // BLOCK + 1)])
    cells, shape = truth.cells, truth.net_eur.shape
    covered = prepared.covered[cells.claim]
    lift = (chance - by_claim_without(cells, chance)) * share * truth.outstanding_eur * covered
    value = summed(lift, truth.debtor, cells.action, shape=shape)
    prices = np.zeros(shape)
    prices[truth.debtor, cells.action] = truth.price_eur
    allowed = np.isfinite(truth.net_eur)
    chosen = np.argmax(np.round(np.where(allowed, value - prices, -np.inf), 12), axis=1)
    none_paid = summed(np.log1p(-chance.clip(0, 1 - 1e-12)) * covered, truth.debtor, cells.action, shape=shape)
    likeliest = np.argmax(np.where(allowed, -none_paid, -np.inf), axis=1)
    return Line(
        name, covered_way(truth.net_eur, chosen, truth.incumbent), covered_way(truth.chance, likeliest, truth.incumbent),
        float((chosen > 0).mean()), seconds,
    )  # fmt: skip


def covered_way(worth: np.ndarray, chosen: np.ndarray, incumbent: np.ndarray) -> float:
    """(chosen − incumbent) / (best − incumbent), of means over debtors."""
    row = np.arange(len(worth))
    base, best = worth[row, incumbent].mean(), worth.max(axis=1).mean()
    return float((worth[row, chosen].mean() - base) / (best - base))


def with_columns(rows: TrainingRows, extra: np.ndarray, names: tuple[str, ...]) -> TrainingRows:
    """The rows with further columns behind all others, so that every position stays what it is."""
    return replace(rows, names=(*rows.names, *names), matrix=np.hstack([rows.matrix, extra]))


def hidden_traits(portfolio: Path, debtor_id: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and values of the simulator's hidden traits by debtor."""
    frame = pq.read_table(portfolio / "truth" / "debtors.parquet").to_pandas().set_index("debtor_id").reindex(debtor_id)
    frame["segment"] = pd.factorize(frame["segment"], sort=True)[0]
    return tuple(f"hidden_{name}" for name in frame), frame.to_numpy().astype(np.float32)


def fitted(material: Material, name: str, rows: TrainingRows) -> tuple[PropensityModel, float]:
    """The model that would decide, and the seconds it took to learn."""
    begin = time.perf_counter()
    fit = recipe("lightgbm" if name == "plain" else "chain")
    settings = {"attribution": False} if name == "unlinked" else {}
    return fit(rows, material.split, material.reference, settings, material.seed).shipped, time.perf_counter() - begin


def three_lines(portfolio: Path, *, lines: list[str], debtors: int, seed: int) -> Iterator[Line]:
    """The learners on one portfolio, one after the other."""
    config = read_config(portfolio)
    packs = read_packs(channels=config.grid.channels[1:])
    material = gather(
        read_portfolio(portfolio), as_of_us=AS_OF_US, config=config, packs=packs, seed=1, progress=lambda _: None
    )
    prepared, truth = truth_of(portfolio, material, debtors=debtors, seed=seed)
    grid_rows = expanded(prepared, truth.cells, np.arange(len(truth.cells.claim)))
    learn = material.split.learn & material.rows.paid
    share = float(material.rows.share[learn].mean())
    for name in lines:
        rows, cells = material.rows, grid_rows
        if name == "plain":
            kept = set(FIRST_VERSION.read_text(encoding="utf-8").split())
            new = [column for column, one in enumerate(rows.names) if one not in kept]
            matrix, cells = rows.matrix.copy(), cells.copy()
            matrix[:, new], cells[:, new] = np.nan, np.nan
            rows = replace(rows, matrix=matrix)
        if name == "hidden":
            names, traits = hidden_traits(portfolio, material.histories.debtor_id)
            owner = prepared.asks.debtor[prepared.targets.moment[truth.cells.claim]]
            rows = with_columns(rows, traits[rows.debtor], names)
            cells = np.hstack([cells, traits[owner]])
        if name == "unlogged":
            rows = replace(rows, action_probability=np.full(len(rows), np.nan))
        model, seconds = fitted(material, name, rows)
        yield judge(name, model, truth, cells, share=share, prepared=prepared, seconds=seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--worlds", nargs="+", default=["default", "overlap", "self_cure"])
    parser.add_argument("--lines", nargs="+", default=["plain", "ours", "hidden"])
    parser.add_argument("--debtors", type=int, default=40_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--judged", type=int, default=6_000, help="debtors whose every action is scored, at most")
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-share"))
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, {given.debtors} debtors, {given.months} months")
    print("| world | seed | learner | share by value | share by chance | contacts | seconds to learn |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for world in given.worlds:
        for seed in given.seeds:
            portfolio = given.folder / f"{world}-{seed}"
            if not (portfolio / "truth" / "actions.parquet").is_file():
                size = ("--debtors", str(given.debtors), "--months", str(given.months), "--truth", str(given.debtors))
                rettid(
                    given.folder / "workspace", "simulate", str(portfolio), *size, "--seed", str(seed), "--world", world
                )
            for line in three_lines(portfolio, lines=given.lines, debtors=given.judged, seed=seed):
                figures = f"{line.value:.3f} | {line.chance:.3f} | {line.contacts:.2f} | {line.seconds:.0f}"
                print(f"| {world} | {seed} | {line.name} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
