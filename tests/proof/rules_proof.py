"""Does any model, however bad, get past the contact rules? Debtors made up by the hundred thousand, every contact judged.

    make rules-proof
    python -m tests.proof.rules_proof --seed 1 --batches 210 --size 1000 --kept FILE
    python -m tests.proof.rules_proof --batches 4 --sabotage quiet_hours

Five choosers want the worst of what the mask leaves. Each contact they get, each claim it covers and each reason for a
blocked channel is held against a judge that shares no code with the rules. `--kept` goes on where a run was cut short;
`--sabotage` takes one rule away, and must find what it then lets through. Ends with 1 if anything is wrong.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from data.action_grid import ActionGrid
from data.company_caps import CompanyCap
from data.vocabulary import CHANNELS
from models.rules.company_caps import with_company_caps
from models.rules.mask import Mask, contact_mask
from tests.proof.cases import people, situation
from tests.proof.choosers import CHOOSERS, Night, chosen
from tests.proof.documents import Document, dense, packs_of, shipped, with_company
from tests.proof.judge import ORDER, Judge, Memory
from tests.proof.nights import nights
from tests.proof.running import Usual, run
from tests.proof.tally import Tally

EVERY = (*CHANNELS, "chat")
OTHERS = ("none", "sms", "email", "letter", "phone", "chat")
"""Channels of a deployment that has not all of the contract's and one of its own."""

GRIDS = (
    (2, (0, 2, 3, 8, 9, 13, 20, 23)),
    (2, (7, 8, 12, 19, 20, 21)),
    (6, (8, 20)),
    (4, (1, 9, 22)),
    (3, (13,)),
    (1, (9, 10, 11)),
    (2, (9, 13, 18)),
    (1, tuple(range(24))),
    (7, (8, 10, 12, 14, 16, 18, 20)),
)
COMPANY = {"any": (3, 14), "phone": (1, 10), "letter": (0, 1)}
THOROUGH = 40
"""Of one debtor in so many every slot is compared with the judge, both ways."""


class Batch:
    """Debtors of one night under one set of packs and one grid, and what the mask left them."""

    def __init__(self, seed: int, number: int, size: int) -> None:
        self.rng = np.random.default_rng([seed, number])
        night = nights()[int(self.rng.integers(len(nights())))]
        self.grid = ActionGrid(OTHERS if number % 8 > 5 else CHANNELS, *GRIDS[number % len(GRIDS)])
        caps = COMPANY if number % 5 == 4 else {}
        self.under = f"under {'shipped' if number % 2 else 'dense'} packs{', tenant caps' if caps else ''}"
        documents = shipped() if number % 2 else dense(number, on=night.date())
        self.documents: dict[str, Document] = with_company(documents, caps)
        self.packs = with_company_caps(packs_of(documents), {name: CompanyCap(*cap) for name, cap in caps.items()})
        self.situation, told = situation(self.rng, night, size=size, channels=self.grid.channels)
        self.mask = self._masked()
        self.people = people(self.situation, told, self.grid.channels, EVERY)
        self._memory: Memory = {}

    def _masked(self) -> Mask:
        return contact_mask(self.situation, grid=self.grid, packs=self.packs)

    def again(self) -> Batch:
        """The same debtors under the rules as they are now."""
        other = copy(self)
        other.mask = self._masked()
        return other

    def judge(self, row: int) -> Judge:
        return Judge(self.people[row], self.documents.get(self.people[row].country), self._memory)

    def send(self, row: int, action: int) -> int:
        return int(self.mask.slots.send_us[self.mask.slots.of_debtor[row], action])

    def told(self, row: int, action: int) -> str:
        """A debtor and an action in words, to make the case again."""
        return f"{self.grid.label(action)} sent at {self.send(row, action)} to {self.people[row]}"


def judged(batch: Batch) -> Tally:
    """What came of a batch."""
    tally = Tally()
    wanted = _choices(batch, tally)
    for row, person in enumerate(batch.people):
        judge = batch.judge(row)
        tally.add("debtors", batch.under)
        tally.add("decisions", person.country, len(CHOOSERS))
        contacts = [int(action) for action in wanted[:, row] if action]
        tally.add("contacts", person.country, len(contacts))
        for action in set(contacts):
            _judge_contact(batch, judge, row, action, tally, times=contacts.count(action))
        _judge_reasons(batch, judge, row, tally)
        if row % THOROUGH == 0:
            _compare(batch, judge, row, tally)
    _judge_claims(batch, tally)
    return tally


def _choices(batch: Batch, tally: Tally) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Action of each chooser for each debtor, shape (choosers, n)."""
    night = Night(
        batch.grid,
        batch.mask.slots,
        batch.mask.allowed,
        place=batch.situation.place,
        documents=batch.documents,
        rng=batch.rng,
    )
    found = []
    for name, wishes_of in CHOOSERS.items():
        wished, taken = chosen(wishes_of(night), batch.mask.allowed)
        rows = np.arange(len(wished))
        tally.add("wishes", name, len(wished))
        tally.add("wishes that the mask barred", name, int((~batch.mask.allowed[rows, wished]).sum()))
        found.append(taken)
    return np.stack(found)


def _judge_contact(batch: Batch, judge: Judge, row: int, action: int, tally: Tally, *, times: int) -> None:
    channel = batch.grid.channels[batch.grid.channel[action]]
    if judge.first(channel, batch.send(row, action)) is not None:
        tally.add("forbidden at", judge.person.country, times)
        for rule in judge.barring(channel, batch.send(row, action)):
            tally.found("forbidden", rule, batch.told(row, action))


def _judge_reasons(batch: Batch, judge: Judge, row: int, tally: Tally) -> None:
    """Each blocked channel has no lawful slot, and the rule that it names took the last."""
    per = batch.grid.slots
    for channel, rule in batch.mask.blocked(row):
        tally.add("channels blocked", rule)
        first = 1 + (batch.grid.channels.index(channel) - 1) * per
        ranks = [judge.first(channel, batch.send(row, action)) for action in range(first, first + per)]
        lawful = [action for action, rank in zip(range(first, first + per), ranks, strict=True) if rank is None]
        last = None if lawful else ORDER[max(rank for rank in ranks if rank is not None)]
        if last != rule:
            tally.found("untrue", last or "none", f"the mask says {rule}, {lawful} lawful: {batch.told(row, first)}")


def _judge_claims(batch: Batch, tally: Tally) -> None:
    """Each claim is covered, or held by the rule that is named."""
    judges = {row: batch.judge(row) for row in range(len(batch.people))}
    debtor = batch.situation.claims.debtor.tolist()
    for claim, row in enumerate(debtor):
        rule, true = batch.mask.claim_barred(claim), judges[row].held_by(claim)
        if rule is not None:
            tally.add("claims held", rule)
        if bool(batch.mask.covered[claim]) is not (rule is None) or rule != true:
            kind = "untrue" if true is None or rule is not None else "forbidden"
            tally.found(kind, true or str(rule), f"claim {claim} of {batch.people[row]} is held by {rule}")


def _compare(batch: Batch, judge: Judge, row: int, tally: Tally) -> None:
    """Every slot of a debtor: what the mask leaves is what the judge lets through."""
    tally.add("compared", "debtors")
    for action in range(1, batch.grid.size):
        channel = batch.grid.channels[batch.grid.channel[action]]
        lawful = judge.first(channel, batch.send(row, action)) is None
        tally.add("compared", "slots")
        tally.add("compared", "slots left", int(lawful))
        if lawful != bool(batch.mask.allowed[row, action]):
            names = judge.barring(channel, batch.send(row, action)) or {"nothing"}
            tally.found("untrue" if lawful else "forbidden", "+".join(sorted(names)), batch.told(row, action))


if __name__ == "__main__":
    usual = Usual("contacts that rules left to five bad models", batches=210, size=1_000, size_name="--size")
    run(lambda seed, number, size: judged(Batch(seed, number, size)), usual, about=__doc__)
