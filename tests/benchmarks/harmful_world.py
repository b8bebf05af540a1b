"""Whether contact is withheld from debtors whom it hurts, in the world `harmful`: the recipe `chain`, greedy.

    make bench-harmful          seeds 1 and 2, 40,000 debtors, 24 months

The bundle is what `rettid train` makes, the decisions are what `rettid decide --greedy` takes, for every debtor with an open
claim and at least one allowed contact. The truth file says what each allowed action truly brings. Two ways to be hurt:

net
    Every allowed contact is worth less than none: what its claims pay more, less cost and harm, is negative.
payment
    Every allowed contact makes its claims pay less, before any price.

Withheld: share of the hurt who get `none`. Kept: of those with a contact whose true net value is above 0, the sum of the true net
values of what was chosen, over the sum of the best. Asked: withheld at least .90, kept at least .70.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from learnt_bundle import learnt, material_of, processor_s
from share_of_best import rettid
from three_lines import Truth, covered_way, truth_of

from models.bundle import Bundle
from models.chain import ChainModel
from models.decide import decide
from models.prepare import Asks
from training.material import Material

AT_ONCE = 2_000


@dataclass(frozen=True)
class Known:
    """Truth by debtor and action, shape (n, A): net EUR (−inf where not allowed) and EUR paid more than under `none`."""

    net_eur: np.ndarray
    paid_eur: np.ndarray
    incumbent: np.ndarray

    @property
    def reachable(self) -> np.ndarray:
        """Debtors with an allowed contact, shape (n,)."""
        return np.isfinite(self.net_eur[:, 1:]).any(axis=1)


def known_of(truth: Truth) -> Known:
    """Net values, and the same without the price."""
    price = np.zeros(truth.net_eur.shape)
    price[truth.debtor, truth.cells.action] = truth.price_eur
    return Known(truth.net_eur, truth.net_eur + price, truth.incumbent)


def greedy(material: Material, bundle: Bundle, asks: Asks) -> tuple[np.ndarray, np.ndarray]:
    """Action of each debtor asked about, and the value expected of it, shape (n,) each."""
    action, value = [], []
    for part in np.array_split(np.arange(len(asks.debtor)), len(asks.debtor) // AT_ONCE + 1):
        here = Asks(asks.debtor[part], asks.as_of_us[part])
        found = decide(
            material.histories,
            here,
            champion=bundle,
            config=material.config,
            packs=material.packs,
            everyone_champion=True,
        )
        action.append(found.choice.action)
        value.append(found.scored.value_eur[np.arange(len(part)), found.choice.action])
    return np.concatenate(action), np.concatenate(value)


def withheld(hurt: np.ndarray, action: np.ndarray) -> str:
    """Share of the hurt without contact, of how many."""
    return f"{float((action[hurt] == 0).mean()):.3f} of {int(hurt.sum()):,}" if hurt.any() else "nobody is hurt"


def lines_of(known: Known, action: np.ndarray, expected: np.ndarray) -> list[tuple[str, str]]:
    """Everything that is told of a policy, over the debtors with an allowed contact."""
    here = known.reachable
    known = Known(known.net_eur[here], known.paid_eur[here], known.incumbent[here])
    action, expected = action[here], expected[here]
    row = np.arange(len(action))
    best = known.net_eur.max(axis=1)
    net, paid = known.net_eur[row, action], known.paid_eur[row, action]
    if not np.isfinite(net).all():
        raise LookupError(
            f"{int((~np.isfinite(net)).sum())} of {len(net)} decisions are no allowed actions of the truth"
        )
    contact = known.net_eur[:, 1:].max(axis=1)
    hurt = contact < 0
    paying = np.where(np.isfinite(known.net_eur), known.paid_eur, -np.inf)[:, 1:].max(axis=1)
    helped, chosen = best > 0, action > 0
    hurt_eur = float(-net[hurt & chosen].sum())
    return [
        ("debtors with an allowed contact", f"{len(action):,}"),
        ("hurt by every contact, net: withheld", withheld(hurt, action)),
        ("hurt by every contact, net: mean true net EUR of what was chosen", f"{net[hurt].mean():+.3f}"),
        ("hurt by .50 EUR or more by every contact, net: withheld", withheld(contact < -0.5, action)),
        ("payments made fewer by every contact: withheld", withheld(paying < 0, action)),
        ("contacts chosen", f"{float(chosen.mean()):.3f}"),
        ("chosen contacts that truly lower payments", f"{float((paid[chosen] < 0).mean()):.3f}"),
        ("chosen contacts whose true net value is negative", f"{float((net[chosen] < 0).mean()):.3f}"),
        ("helped: kept of the truth's value", f"{net[helped].sum() / best[helped].sum():.3f} of {int(helped.sum()):,}"),
        ("helped: contacted", f"{float(chosen[helped].mean()):.3f}"),
        ("lost on those hurt, over the truth's value of those helped", f"{hurt_eur / best[helped].sum():.4f}"),
        ("mean net EUR: present rules / this / best", _three(known, net, best)),
        ("share of the way from the present rules to the best", f"{covered_way(known.net_eur, action, known.incumbent):.3f}"),
        ("expected by the model / true net EUR of chosen contacts", f"{expected[chosen].mean():.2f} / {net[chosen].mean():.2f}"),
        ("present rules: withheld from those hurt, net", withheld(hurt, known.incumbent)),
    ]  # fmt: skip


def _three(known: Known, net: np.ndarray, best: np.ndarray) -> str:
    present = known.net_eur[np.arange(len(net)), known.incumbent]
    return f"{present.mean():.2f} / {net.mean():.2f} / {best.mean():.2f}"


def curve_of(known: Known, action: np.ndarray, expected: np.ndarray) -> list[tuple[float, float, float]]:
    """Withheld from those hurt and kept of those helped, were contacts expected below a least value left out."""
    here = known.reachable
    net_eur, action, expected = known.net_eur[here], action[here], expected[here]
    row, best = np.arange(len(action)), net_eur.max(axis=1)
    hurt, helped = net_eur[:, 1:].max(axis=1) < 0, best > 0
    found = []
    for least in (0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0):
        mine = np.where(expected >= least, action, 0)
        kept = float(net_eur[row, mine][helped].sum() / best[helped].sum())
        found.append((least, float((mine[hurt] == 0).mean()), kept))
    return found


def measured(portfolio: Path, *, seed: int, recipe: str) -> None:
    """Print one seed's figures."""
    material = material_of(portfolio)
    begin, used = time.perf_counter(), processor_s()
    found = learnt(material, recipe)
    took = f"{time.perf_counter() - begin:.0f} s, {processor_s() - used:.0f} s of processor"
    print(f"seed {seed}: {len(material.rows):,} rows, learnt in {took}", flush=True)
    if isinstance(found.shipped.model, ChainModel):
        links, channels = found.shipped.model.links, material.reference.channels
        for code in range(1, len(channels)):
            print(f"  {channels[code]:<16} change {links.change[code]:+.3f}, lift {links.lift[code]:.3f}")
    # The rows are most of the memory, and from here on nobody looks at them.
    material = replace(material, rows=None)  # type: ignore[arg-type]
    prepared, truth = truth_of(portfolio, material, debtors=10**9, seed=seed)
    action, expected = greedy(material, found.shipped, prepared.asks)
    known = known_of(truth)
    judged = np.unique(prepared.targets.moment[truth.cells.claim])
    for what, figure in lines_of(known, action[judged], expected[judged]):
        print(f"  {what:<70} {figure}", flush=True)
    for least, kept_away, kept in curve_of(known, action[judged], expected[judged]):
        print(f"  expected at least {least:5.2f} EUR: withheld {kept_away:.3f}, kept {kept:.3f}", flush=True)


def main() -> None:
    """Print each seed's figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--debtors", type=int, default=40_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--recipe", default="chain")
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-share"))
    given = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {given.debtors} debtors, {given.months} months, {given.recipe}"
    )
    for seed in given.seeds:
        portfolio = given.folder / f"harmful-{seed}"
        if not (portfolio / "truth" / "actions.parquet").is_file():
            size = ("--debtors", str(given.debtors), "--months", str(given.months), "--truth", str(given.debtors))
            rettid(
                given.folder / "workspace", "simulate", str(portfolio), *size, "--seed", str(seed), "--world", "harmful"
            )
        measured(portfolio, seed=seed, recipe=given.recipe)


if __name__ == "__main__":
    main()
