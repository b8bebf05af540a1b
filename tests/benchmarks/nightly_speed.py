"""The nightly job on 20,000 debtors, features to decision rows, against the same job with the grid in plain pandas and LightGBM.

    make bench-nightly        simulates 20,000 debtors with seven claims each, learns `lightgbm` from them (10 minutes)

Both jobs take the same histories, features, rules, draw and rows, which are ours; what differs is the grid. The plain one joins
claims and actions to one data frame, lets LightGBM predict its rows on one thread, and sums values by debtor and action; as it would
take an hour, it is given the claims of some debtors, and its time is that of all claims in proportion. Processor seconds.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from share_of_best import rettid

from data.config import read_config
from data.portfolio import read_portfolio
from data.stopwatch import Stopwatch
from data.times import to_us
from features.action import grid_actions
from features.catalogue import catalogue, names
from features.histories import histories_of
from features.tables import Histories
from models.bundle import Bundle, champion
from models.decide import Decided, decide
from models.decision_rows import decision_table
from models.prepare import Asks, debtors_with_open_claims
from models.propensity import BoosterModel
from models.rules.mask import rules_version
from models.rules.pack import Packs, read_packs
from serving.nightly import DEBTORS_AT_ONCE

AS_OF = datetime(2026, 3, 2, 5, tzinfo=UTC)
CLAIMS_AT_ONCE = 50


def ours(histories: Histories, bundle: Bundle, portfolio: Path, packs: Packs) -> tuple[dict[str, float], Decided]:
    """Processor seconds by part, and the last block decided."""
    config = read_config(portfolio)
    debtors = debtors_with_open_claims(histories, to_us(AS_OF))
    clock = Stopwatch(time.process_time)
    for start in range(0, len(debtors), DEBTORS_AT_ONCE):
        mine = debtors[start : start + DEBTORS_AT_ONCE]
        asks = Asks(mine, np.full(len(mine), to_us(AS_OF)))
        found = decide(histories, asks, champion=bundle, config=config, packs=packs, done=clock.lap)
        clock.lap("draw")
        decision_table(found, packs_version=rules_version(packs))
        clock.lap("rows")
    return clock.seconds, found


def plain_grid(decided: Decided, model: BoosterModel, *, share: np.ndarray, claims: int) -> pd.Series:
    """What the first claims' cells bring in over `none`, by debtor and action, in pandas and LightGBM; nothing is barred."""
    prepared = decided.prepared
    columns = names(catalogue(prepared.grid.channels))
    actions = grid_actions(prepared.grid, prepared.mask.slots, of=prepared.calendar)
    width, parts = prepared.rows.matrix.shape[1], []
    for first in range(0, claims, CLAIMS_AT_ONCE):
        rows = slice(first, min(first + CLAIMS_AT_ONCE, claims))
        left = pd.DataFrame(prepared.rows.matrix[rows], columns=columns[:width])
        left["debtor"] = prepared.targets.moment[rows]
        left["worth"] = share[rows] * prepared.rows.outstanding_eur[rows]
        left["calendar"] = actions.of_debtor[prepared.targets.moment[rows]]
        for calendar, mine in left.groupby("calendar"):
            grid = pd.DataFrame(actions.matrix[calendar], columns=columns[width:])
            grid["action"] = np.arange(len(grid))
            cells = mine.merge(grid, how="cross")
            raw = model.booster.predict(cells[list(columns)], raw_score=True, num_threads=1)
            cells["paid"] = model.calibration.probability(np.asarray(raw)) * cells["worth"]
            cells["lift"] = cells["paid"] - np.repeat(cells.loc[cells["action"] == 0, "paid"].to_numpy(), len(grid))
            parts.append(cells.groupby(["debtor", "action"])["lift"].sum())
    return pd.concat(parts).groupby(level=[0, 1]).sum()


def furthest(decided: Decided, plain: pd.Series, *, claims: int) -> float:
    """Largest difference in EUR to our values, of the debtors all of whose claims were given and covered, where allowed."""
    moment, covered = decided.prepared.targets.moment, decided.prepared.covered
    last = int(moment[claims - 1])
    whole = [one for one in range(last) if covered[moment == one].all()]
    value = plain.unstack().reindex(whole).to_numpy() - decided.price.total[whole][:, decided.prepared.grid.channel]
    allowed = decided.prepared.allowed[whole]
    return float(np.abs(value - decided.scored.value_eur[whole])[allowed].max())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-nightly"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sample", type=int, default=400, help="claims given to the plain job at a time")
    given = parser.parse_args()
    portfolio, workspace = given.folder / "portfolio", given.folder / "workspace"
    if not (workspace / "models" / "champion.json").is_file():
        size = ("--debtors", "20000", "--months", "12", "--claims", "7", "--truth", "0", "--seed", "3")
        rettid(workspace, "simulate", str(portfolio), *size)
        learn = (
            "--model",
            "lightgbm",
            "--set",
            "num_leaves=63",
            "--set",
            "rounds=400",
            "--set",
            "patience=400",
            "--set",
            "learning_rate=0.02",
        )
        rettid(workspace, "train", str(portfolio), "--as-of", AS_OF.isoformat(), *learn)
        rettid(workspace, "promote", "lightgbm", "--force", "a benchmark")
    bundle, config = champion(workspace), read_config(portfolio)
    assert isinstance(bundle.model, BoosterModel)
    packs = read_packs(channels=config.grid.channels[1:])
    histories = histories_of(read_portfolio(portfolio, channels=config.grid.channels), channels=config.grid.channels)
    claims, rounds, ratios = len(open_claims(histories)), [], []
    ours(histories, bundle, portfolio, packs)
    for _ in range(given.rounds):
        seconds, found = ours(histories, bundle, portfolio, packs)
        begin = time.process_time()
        share = np.broadcast_to(bundle.share(found.prepared.rows.matrix[: given.sample]), given.sample)
        plain = plain_grid(found, bundle.model, share=share, claims=given.sample)
        slow = (time.process_time() - begin) / given.sample * claims
        whole = sum(seconds.values())
        rounds.append(seconds)
        ratios.append((whole - seconds["grid"] + slow) / whole)
    debtors, trees = len(debtors_with_open_claims(histories, to_us(AS_OF))), bundle.model.booster.num_trees()
    print(f"{debtors:,} debtors with {claims:,} open claims, {trees} trees, {found.prepared.grid.size} actions")
    print(f"values differ by {furthest(found, plain, claims=given.sample):.1e} EUR at most")
    for part in rounds[0]:
        spent = float(np.median([one[part] for one in rounds]))
        print(f"| {part} | {spent:.3f} s | {spent / claims * 1e6:.1f} us a claim |")
    print(f"| plain over ours, the whole job | **{np.median(ratios):.0f}** |")


def open_claims(histories: Histories) -> np.ndarray:
    """Claims that are open at the moment."""
    claims, now = histories.claims, to_us(AS_OF)
    return np.flatnonzero((claims.registered_us <= now) & (claims.closed_us > now))


if __name__ == "__main__":
    main()
