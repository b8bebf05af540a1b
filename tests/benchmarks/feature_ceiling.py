"""How far features could lead if labels had no noise: a LightGBM learnt from the truth of some debtors, judged on others.

    make bench-ceiling          seed 1, 40,000 debtors, 24 months, all features and those named by --leave-out

The truth file of a simulated portfolio says what every lawful action of a debtor is worth. A model that learns these very
values from seven tenths of the debtors' features, and then picks the best action for the others, shows how much the
features know of a person, apart from how hard it is to learn from a log.
"""

from __future__ import annotations

import argparse
import os
import platform
from dataclasses import dataclass, replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from share_of_best import AS_OF, net_values, rettid

from data.config import SIMULATED_TENANT, Config, FeatureSettings
from data.portfolio import read_portfolio
from data.times import read_moment, to_us
from features.action import grid_actions
from features.catalogue import catalogue
from features.histories import histories_of
from features.reference import learn_reference
from features.tables import Histories
from models.bundle import Bundle
from models.decide import price_of
from models.prepare import Asks, Prepared, debtors_with_open_claims, prepare
from models.propensity import RateModel
from models.rules.pack import read_packs

AS_OF_US = to_us(read_moment(AS_OF))
ACTIONS_LEARNT = 24
"""Actions of each claim, drawn at random, that are learnt from."""

PARAMS = {
    "objective": "cross_entropy", "learning_rate": 0.08, "num_leaves": 63, "min_data_in_leaf": 50, "feature_fraction": 0.6,
    "num_threads": 2, "verbosity": -1, "seed": 1, "deterministic": True, "force_col_wise": True,
}  # fmt: skip
ROUNDS = 500


@dataclass(frozen=True)
class Cells:
    """Every lawful action of every claim: its row among the claims, its action, and its true chance of payment."""

    claim: np.ndarray
    action: np.ndarray
    truth: np.ndarray


def prepared_for(histories: Histories, config: Config) -> tuple[Prepared, Bundle]:
    """Features and rules of every debtor with an open claim at the end of the portfolio."""
    reference = learn_reference(histories, until_us=AS_OF_US, config=config)
    rates = RateModel((0.1,) * len(config.grid.channels), 0)
    bundle = Bundle("none", "rates", "value", rates, reference, 0.5, {})
    debtor = debtors_with_open_claims(histories, AS_OF_US)
    packs = read_packs(channels=config.grid.channels[1:])
    asks = Asks(debtor, np.full(len(debtor), AS_OF_US))
    return prepare(histories, asks, config=config, packs=packs, bundle=bundle), bundle


def cells_of(portfolio: Path, prepared: Prepared) -> Cells:
    """The truth file as cells of the grid."""
    truth = pq.read_table(portfolio / "truth" / "actions.parquet").to_pandas()
    grid, targets = prepared.grid, prepared.targets
    row = pd.Series(np.arange(len(targets.claim)), index=prepared.histories.claim_id[targets.claim])
    truth["row"] = truth["claim_id"].map(row)
    truth = truth[truth["row"].notna()]
    claim = truth["row"].to_numpy().astype(np.int64)
    slots = prepared.mask.slots
    send_us = truth["send_at"].astype("int64").to_numpy() if truth["send_at"].dt.unit == "us" else (
        truth["send_at"].dt.as_unit("us").astype("int64").to_numpy()
    )  # fmt: skip
    channel = truth["channel"].astype(str).map({name: code for code, name in enumerate(grid.channels)}).to_numpy()
    action = np.zeros(len(truth), dtype=np.int64)
    of_class = slots.of_debtor[targets.moment[claim]]
    for one in np.unique(of_class):
        for code in range(1, len(grid.channels)):
            here = np.flatnonzero((of_class == one) & (channel == code))
            mine = np.flatnonzero(grid.channel == code)
            order = mine[np.argsort(slots.send_us[one][mine])]
            action[here] = order[np.searchsorted(slots.send_us[one][order], send_us[here])]
    return Cells(claim, action, truth["payment_probability"].to_numpy())


def expanded(prepared: Prepared, cells: Cells, chosen: np.ndarray) -> np.ndarray:
    """Feature rows of some cells, shape (n, F)."""
    actions = grid_actions(prepared.grid, prepared.mask.slots, of=prepared.calendar)
    claim, action = cells.claim[chosen], cells.action[chosen]
    kind = actions.of_debtor[prepared.targets.moment[claim]]
    return np.hstack([prepared.rows.matrix[claim], actions.matrix[kind, action]])


def ceiling(
    portfolio: Path, histories: Histories, nets: pd.DataFrame, *, config: Config, seed: int
) -> tuple[float, float]:
    """Share of the distance from no contact to the best action on debtors not learnt from, and columns used."""
    prepared, bundle = prepared_for(histories, config)
    cells = cells_of(portfolio, prepared)
    rng = np.random.default_rng(seed)
    learns = rng.random(len(prepared.asks.debtor)) < 0.7
    of_debtor = prepared.targets.moment[cells.claim]
    wanted = np.flatnonzero(learns[of_debtor])
    per_claim = len(wanted) / max(len(np.unique(cells.claim[wanted])), 1)
    wanted = wanted[rng.random(len(wanted)) < min(ACTIONS_LEARNT / per_claim, 1.0)]
    columns = catalogue(config.grid.channels)
    categories = [number for number, one in enumerate(columns) if one.category]
    data = lgb.Dataset(expanded(prepared, cells, wanted), cells.truth[wanted], categorical_feature=categories)
    booster = lgb.train(PARAMS, data, num_boost_round=ROUNDS)
    judged = np.flatnonzero(~learns[of_debtor])
    chance = np.concatenate(
        [booster.predict(expanded(prepared, cells, part)) for part in np.array_split(judged, max(len(judged) // 200_000, 1))]
    )  # fmt: skip
    used = int(np.sum(booster.feature_importance() > 0))
    return chosen_share(prepared, bundle, cells, judged=judged, chance=chance, nets=nets), used


def chosen_share(
    prepared: Prepared, bundle: Bundle, cells: Cells, *, judged: np.ndarray, chance: np.ndarray, nets: pd.DataFrame
) -> float:
    """True value of the actions that look best by `chance`, over that of the best."""
    claim, action = cells.claim[judged], cells.action[judged]
    owed = prepared.rows.outstanding_eur[claim]
    table = pd.DataFrame(
        {"debtor": prepared.targets.moment[claim], "claim": claim, "action": action, "eur": chance * owed}
    )
    without = table[table["action"] == 0].set_index("claim")["eur"]
    table["lift"] = table["eur"] - table["claim"].map(without)
    value = table.groupby(["debtor", "action"])["lift"].sum().reset_index()
    price = price_of(prepared, bundle).total
    value["net"] = value["lift"] * SHARE_PAID - price[value["debtor"], prepared.grid.channel[value["action"]]]
    value.loc[value["action"] == 0, "net"] = 0.0
    best = value.loc[value.groupby("debtor")["net"].idxmax()]
    names = prepared.situation.debtor_id[best["debtor"].to_numpy()]
    slots, chosen = prepared.mask.slots, best["action"].to_numpy()
    send_us = np.where(chosen == 0, 0, slots.send_us[slots.of_debtor[best["debtor"].to_numpy()], chosen])
    keys = pd.MultiIndex.from_arrays(
        [
            names,
            np.array(prepared.grid.channels)[prepared.grid.channel[chosen]],
            pd.to_datetime(send_us, unit="us", utc=True),
        ]
    )
    found = nets["net"].reindex(keys).to_numpy()
    most = nets["net"].groupby("debtor_id").max().reindex(names).to_numpy()
    return float(np.nansum(found) / np.nansum(most))


SHARE_PAID = 0.75
"""Mean share of what is owed that a payment brings; one number for all, as in a bundle."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--debtors", type=int, default=40_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--keep", type=Path, help="Text file: names of features to compare with all of them.")
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-share"))
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, {given.debtors} debtors, {given.months} months")
    print("| seed | features | columns used | share of the best with noise-free labels |")
    print("| --- | --- | --- | --- |")
    kept = set(given.keep.read_text(encoding="utf-8").split()) if given.keep else set()
    names = [one.name for one in catalogue(SIMULATED_TENANT.grid.channels) if one.side != "action"]
    sets = {"all": ()} | (
        {f"{len(kept & set(names))} of {given.keep.name}": tuple(n for n in names if n not in kept)} if kept else {}
    )
    for seed in given.seeds:
        portfolio = given.folder / f"default-{seed}"
        if not (portfolio / "truth" / "actions.parquet").is_file():
            size = ("--debtors", str(given.debtors), "--months", str(given.months), "--truth", str(given.debtors))
            rettid(given.folder, "simulate", str(portfolio), *size, "--seed", str(seed))
        histories = histories_of(read_portfolio(portfolio), channels=SIMULATED_TENANT.grid.channels)
        nets = net_values(portfolio)
        for label, without in sets.items():
            config = replace(SIMULATED_TENANT, features=FeatureSettings(("age",), without))
            share, used = ceiling(portfolio, histories, nets, config=config, seed=seed)
            print(f"| {seed} | {label} | {used} | {share:.3f} |", flush=True)


if __name__ == "__main__":
    main()
