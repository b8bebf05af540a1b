"""No contact through a channel that has reached somebody else."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Channels in which a wrong person was met."""
    return Barred(channels=facts.situation.wrong_person[:, 1:])


RULE = Rule(
    "wrong_person",
    "identity",
    "A channel in which a contact has reached the wrong person is not used for that debtor.",
    bars,
)
