"""No call over a claim of which the debtor has not been told in writing."""

from __future__ import annotations

import numpy as np

from data.times import NEVER, IntArray
from models.rules.coverage import coverable
from models.rules.pack import InWriting
from models.rules.rule import Barred, Facts, Rule
from models.rules.waits import extend, no_wait

MOMENT_US = 1
"""A slot may begin after a text was sent, not with it."""


def bars(facts: Facts) -> Barred:
    """Slots before every claim that a contact would cover has been written about."""
    claims = facts.situation.claims
    if all(pack.in_writing is None for pack in facts.packs_here):
        return Barred()
    until_us = no_wait(facts)
    for pack, here in facts.with_pack():
        if pack.in_writing is not None:
            rows = np.flatnonzero(coverable(facts) & here[claims.debtor])
            written_us = _written_us(facts, pack.in_writing, rows)
            free_us = np.where(written_us == NEVER, NEVER, written_us + MOMENT_US)
            channels = facts.channels_named(*pack.in_writing.channels)
            extend(until_us, claims.debtor[rows], free_us, channels=channels)
    return Barred(until_us=until_us)


def _written_us(facts: Facts, rule: InWriting, rows: IntArray) -> IntArray:
    """When some claims (k,) were first written about in one of the forms that count, or in a letter that the law prescribes."""
    forms = np.append(False, facts.channels_named(*rule.by))
    first_us = facts.situation.claims.first_sent_us[rows]
    by_form: IntArray = np.where(forms, first_us, NEVER).min(axis=1, initial=NEVER)
    return np.minimum(by_form, facts.situation.claims.first_statutory_us[rows])


RULE = Rule(
    "first_in_writing",
    "legal",
    "Channels for which the country's rule pack asks for it are used only once every claim that the contact would cover has been "
    "written about in a form that the pack names or in a letter that the law prescribes; what is known to have bounced does not count.",
    bars,
)
