"""How far a trained model goes from the incumbent's rules to the best allowed action, in true expected net value.

    make bench-share            seeds 1 to 3, 40,000 debtors, 24 months

Every seed goes through the command line: simulate, train, promote, decide --greedy, once for the incumbent's rules and
once for the model. The truth file then says what each decision was worth: what its claims are expected to pay more than
under `none`, less cost and harm (contract section 0), one contact per debtor.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from data.config import Config
from data.portfolio import read_portfolio
from data.times import to_day

ROOT = Path(__file__).parents[2]
AS_OF = "2026-03-02T05:00:00+00:00"


@dataclass(frozen=True)
class Shares:
    """Mean true net value per debtor in EUR: the incumbent's rules, the model, the best allowed action."""

    seed: int
    debtors: int
    incumbent: float
    model: float
    best: float
    seconds: float

    @property
    def share(self) -> float:
        """Part of the distance from the incumbent to the best that the model covers."""
        return (self.model - self.incumbent) / (self.best - self.incumbent)


def rettid(workspace: Path, *arguments: str) -> None:
    """One command of the program."""
    command = [sys.executable, str(ROOT / "rettid.py"), "--workspace", str(workspace), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def net_values(portfolio: Path) -> pd.DataFrame:
    """True net EUR of every allowed action of every debtor, by debtor, channel and time of sending."""
    truth = pq.read_table(portfolio / "truth" / "actions.parquet").to_pandas()
    config, day = Config(), to_day(truth["as_of"].iloc[0].date())
    claims = pq.read_table(portfolio / "claims.parquet", columns=["claim_id", "currency"]).to_pandas()
    rate = claims.set_index("claim_id")["currency"].map(lambda name: config.rates.on(name, day).amount)
    truth["eur"] = truth["expected_paid"] * truth["claim_id"].map(rate)
    truth["sent"] = truth["send_at"].fillna(pd.Timestamp(0, tz="UTC"))
    actions = truth.groupby(["debtor_id", "channel", "sent"], observed=True, as_index=False)["eur"].sum()
    without = actions[actions["channel"] == "none"].set_index("debtor_id")["eur"]
    answered = answer_rate(portfolio)
    price = {
        name: config.costs.on(name, day).amount
        + config.costs.on(name, day).per_answer * answered
        + config.harm.on(name, day).amount
        for name in config.grid.channels
    }
    actions["net"] = actions["eur"] - actions["debtor_id"].map(without) - actions["channel"].astype(str).map(price)
    return actions.set_index(["debtor_id", "channel", "sent"])["net"].to_frame()


def answer_rate(portfolio: Path) -> float:
    """Share of all calls that were answered."""
    tables = read_portfolio(portfolio)
    calls = tables["contacts"].select(["contact_id", "channel"]).to_pandas().query("channel == 'phone'")
    answered = tables["contact_events"].select(["contact_id", "kind"]).to_pandas().query("kind == 'answered'")
    ids = set(calls["contact_id"])
    return len(ids & set(answered["contact_id"])) / max(len(ids), 1)


def value_of(decisions: Path, nets: pd.DataFrame) -> float:
    """Mean true net EUR per debtor of decisions; every one of them must stand in the truth."""
    rows = pq.read_table(decisions, columns=["debtor_id", "channel", "send_at"]).to_pandas()
    contacts = rows[rows["channel"] != "none"].drop_duplicates("debtor_id")
    debtors = nets.index.get_level_values("debtor_id").unique()
    contacts = contacts[contacts["debtor_id"].isin(set(debtors))]
    keys = pd.MultiIndex.from_arrays([contacts["debtor_id"], contacts["channel"], contacts["send_at"]])
    found = nets["net"].reindex(keys)
    if found.isna().any():
        raise LookupError(f"{int(found.isna().sum())} of {len(found)} decisions are not allowed actions of the truth")
    return float(found.sum()) / len(debtors)


def share_of_best(seed: int, *, debtors: int, months: int, world: str, model: str, folder: Path) -> Shares:
    """One seed, from simulation to the share."""
    begin = time.perf_counter()
    portfolio, workspace = folder / f"{world}-{seed}", folder / f"{world}-{seed}-workspace"
    if not (portfolio / "truth" / "actions.parquet").is_file():
        size = ("--debtors", str(debtors), "--months", str(months), "--truth", str(debtors))
        rettid(workspace, "simulate", str(portfolio), *size, "--seed", str(seed), "--world", world)
    nets = net_values(portfolio)
    values = {}
    rettid(workspace, "train", str(portfolio), "--as-of", AS_OF, "--model", "incumbent", "--model", model)
    for name in ("incumbent", model):
        out = folder / f"{world}-{seed}-{name}.parquet"
        rettid(workspace, "promote", name, "--force", "measured against the truth")
        rettid(workspace, "decide", str(portfolio), "--as-of", AS_OF, "--out", str(out), "--greedy")
        values[name] = value_of(out, nets)
    best = nets["net"].groupby("debtor_id").max()
    seconds = time.perf_counter() - begin
    return Shares(seed, len(best), values["incumbent"], values[model], float(np.mean(best)), seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--debtors", type=int, default=40_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--world", default="default")
    parser.add_argument("--model", default="lightgbm")
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-share"))
    given = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {given.debtors} debtors, {given.months} months, {given.world}"
    )
    print("| seed | debtors judged | incumbent EUR | model EUR | best EUR | share of the distance | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for seed in given.seeds:
        found = share_of_best(
            seed, debtors=given.debtors, months=given.months, world=given.world, model=given.model, folder=given.folder
        )
        figures = f"{found.incumbent:.2f} | {found.model:.2f} | {found.best:.2f} | {found.share:.3f}"
        print(f"| {seed} | {found.debtors:,} | {figures} | {found.seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
