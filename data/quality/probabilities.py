"""Which contacts carry the probability with which their action was chosen, by policy and month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from data.quality.finding import ENOUGH, Finding, share_of
from data.quality.linked import Linked
from data.quality.tally import Tally, added, folded, tally
from data.times import DAY_US, NEVER

HEADING = "Action probabilities"

SUMS = ("known", "certain", "impossible", "rare")
RARE = 0.001
MONTHS = (-840, 2759)
"""Months since January 1970 of 1900 and 2199: earlier and later ones count as these."""

POLICIES_SHOWN = 12


@dataclass(frozen=True)
class Probabilities:
    """Contacts by what is known of how they were chosen.

    Attributes
    ----------
    months
        (policy, month since January 1970): contacts, then one count for each of `SUMS`: with an `action_probability`,
        with 1, with one outside 0 to 1, with one under a thousandth.
    """

    months: Tally

    def plus(self, other: Probabilities) -> Probabilities:
        """Both shards together."""
        return added(self, other)

    def policies(self) -> list[dict[str, Any]]:
        """One entry for each policy, largest first."""
        found = folded(self.months, keep=1, width=len(SUMS) + 1)
        rows: list[dict[str, Any]] = [
            {"policy": policy, "contacts": contacts, **dict(zip(SUMS, counts, strict=True))}
            | {"share": share_of(counts[0], contacts)}
            for (policy,), (contacts, *counts) in found.items()
        ]
        return sorted(rows, key=lambda row: (-row["contacts"], row["policy"]))

    def rows(self) -> dict[str, Any]:
        """Policies, and known shares by policy and month for the largest of them."""
        policies = self.policies()
        shown = [row["policy"] for row in policies[:POLICIES_SHOWN]]
        months = [
            {"policy": policy, "month": _month(int(month)), "contacts": values[0], "share": values[1] / values[0]}
            for (policy, month), values in sorted(self.months.items(), key=lambda item: (str(item[0][0]), item[0][1]))
            if policy in shown
        ]
        return {"policies": policies, "months": months}

    def findings(self) -> Iterator[Finding]:
        """What is missing for judging other policies on this log."""
        contacts, known, certain, _, rare = folded(self.months, keep=0, width=5).get((), (0,) * 5)
        if not contacts:
            return
        missing = contacts - known
        if missing:
            sentence = "contacts have no action_probability: they are left out of every comparison of policies"
            remedy = "log the probability when deciding, 1 where the policy left no choice"
            share = share_of(missing, contacts)
            yield Finding("look", HEADING, "contacts", sentence, missing, share, remedy)
        if rare > known / 100:
            sentence = f"contacts were chosen with a probability under {RARE}: each would weigh for a thousand others"
            remedy = "log the probability of channel and part of the day too, or explore more evenly"
            yield Finding("look", HEADING, "contacts", sentence, rare, share_of(rare, contacts), remedy)
        if known >= ENOUGH and certain == known:
            sentence = "every known action_probability is 1: the log holds no choice that was left to chance"
            remedy = "let a small share of decisions be drawn at random, or no policy can be compared with this one"
            yield Finding("look", HEADING, "contacts", sentence, certain, 1.0, remedy)
        yield from self._breaks()

    def _breaks(self) -> Iterator[Finding]:
        """Policies that carry probabilities in some months and none in others."""
        for row in self.policies():
            months = [(int(k[1]), v) for k, v in sorted(self.months.items(), key=_by_month) if k[0] == row["policy"]]
            blank = [month for month, values in months if values[0] >= ENOUGH and not values[1]]
            if blank and any(values[1] > values[0] / 2 for _, values in months):
                count = sum(values[0] for month, values in months if month in blank)
                listed = ", ".join(_month(month) for month in blank[:3]) + (" …" if len(blank) > 3 else "")
                sentence = f"policy {row['policy']} has action probabilities, but none in {listed}"
                remedy = "see what changed then: logging, or the policy under the same name"
                yield Finding("look", HEADING, "contacts", sentence, count, share_of(count, row["contacts"]), remedy)


def _by_month(item: tuple[tuple[str | int, ...], tuple[int, ...]]) -> int:
    return int(item[0][1])


def _month(month: int) -> str:
    """A month in ISO style.

    >>> _month(673)
    '2026-02'
    """
    return str(np.datetime64(month, "M"))


def probabilities(linked: Linked) -> Probabilities:
    """How the contacts of a portfolio were chosen; those without a time count in 1900."""
    decided_us = linked.contact_us("decided_at")
    day = np.clip(np.where(decided_us == NEVER, -(10**9), decided_us // DAY_US), -30_000, 90_000)
    month = np.clip(day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64), *MONTHS)
    given = linked.tables["contacts"].column("action_probability")
    known = pc.is_valid(given).to_numpy()[linked.first]
    value = pc.fill_null(given, -1.0).to_numpy()[linked.first]
    possible = (value > 0) & (value <= 1)
    columns = {
        "policy": linked.of_contact("policy"),
        "month": month,
        "known": known,
        "certain": known & (value == 1),
        "impossible": known & ~possible,
        "rare": known & possible & (value < RARE),
    }
    return Probabilities(tally(columns, sums=SUMS))
