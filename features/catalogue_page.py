"""The page of the features, written from the catalogue; a test holds `docs/features.md` against it.

.venv/bin/python -m features.catalogue_page > docs/features.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from data.vocabulary import CHANNELS
from features.catalogue import ACTION, Feature, claim_features, debtor_features
from features.reference import PRIOR_CONTACTS, PRIOR_PARTS

HEAD = f"""# Features

Written from `features/catalogue.py` by `features/catalogue_page.py`; `rettid features --list` shows the same list for the
channels of a configuration.

A feature belongs to the debtor, to the claim or to the action, never to two of them. An event counts when it happened
before the moment asked about, `as_of`, and was known before it (`known_at`, where a table has it); a claim counts from the
instant it is registered. One function computes them for training, the nightly batch and the service.

- *Shrunk*: the debtor's own share, mixed with the portfolio's as if the portfolio's had been seen {PRIOR_CONTACTS:g} times (shares over
  parts of the day: {PRIOR_PARTS:g} times).
- Parts of the day, on the debtor's own clock: morning before 12, afternoon before 17, evening.
- A *code* is a word of a closed list, kept with the model; a word that the model has not met counts as missing.
- Nothing is filled in: a missing value stays missing, and the last column says what it means.
"""


def page(channels: tuple[str, ...]) -> str:
    """The page for a grid's channels (`none` first), in Markdown.

    >>> "| `response_rate_sms` |" in page(("none", "sms"))
    True
    """
    parts = (
        ("The debtor", debtor_features(channels)),
        ("The claim", claim_features()),
        ("The action", ACTION),
    )
    return "\n".join([HEAD, *(line for title, features in parts for line in _part(title, features))])


def _part(title: str, features: tuple[Feature, ...]) -> Iterator[str]:
    yield f"## {title}: {len(features)}\n"
    yield "| feature | what it means | unit | from | missing means |"
    yield "| --- | --- | --- | --- | --- |"
    for one in features:
        yield f"| `{one.name}` | {one.meaning} | {one.unit} | {one.tables} | {one.null} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(page(CHANNELS))
