"""The page of the features, written from the catalogue; a test holds `docs/features.md` against it.

.venv/bin/python -m features.catalogue_page > docs/features.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from data.vocabulary import CHANNELS
from features.catalogue import ACTION, CLAIM, DEBTOR, Family
from features.hours import BANDWIDTH_HOURS
from features.reference import PRIOR_CONTACTS, PRIOR_HOURS, PRIOR_PARTS

HEAD = f"""# Features

Written from `features/catalogue.py` by `features/catalogue_page.py`; `rettid features --list` shows every single column for the
channels of a configuration. The counts here are for the contract's channels.

A feature belongs to the debtor, to the claim or to the action, never to two of them. An event counts when it happened
before the moment asked about, `as_of`, and was known before it (`known_at`, where a table has it); a claim counts from the
instant it is registered, a payment until it is reversed. One function computes them for training, the nightly batch and the
service. All are 32-bit floats.

- A name with braces stands for several columns: `{{channel}}` (all but `none`), `{{decision}}` (with `none`), `{{window}}` (30, 90, 365
  days, ever), `{{part}}` of the day (morning before 12, afternoon before 17, evening), `{{weekday}}`, `{{hour}}` (00 to 23), `{{measure}}`
  (delivered, opened, clicked, answered, promised).
- A rate over a window looks at the contacts made in it, whenever they were answered; each contact counts once for each kind. It
  never exceeds 1.
- *Shrunk*: the debtor's own share, mixed with the portfolio's as if the portfolio's had been seen {PRIOR_CONTACTS:g} times (shares over
  parts of the day and weekdays: {PRIOR_PARTS:g} times).
- *Relative to what is usual*: each payment counts for the hours around its own, on a bell around the clock with a standard deviation
  of {BANDWIDTH_HOURS:g} hours, and so do the portfolio's; {PRIOR_HOURS:g} payments more are as usual. The logarithm of the one over the other.
- Hours, weekdays and days of the month are on the debtor's own clock; days past due and distances from pay days of the debtor's
  and claim's side count from the date in UTC, those of the action from its local date.
- Where an optional table is not handed over, every feature that needs it is missing.
- A *code* is a word of a closed list, kept with the model; a word that the model has not met counts as missing.
- Nothing is filled in: a missing value stays missing, and the last column says what it means.
- A model sees `age` only where the tenant declares it lawful: `[features] lawful = ["age"]` in `rettid.toml` (a simulated
  portfolio's tenant does). `[features] leave_out` names features, or families as they stand here, that no model is to see.
"""


def page(channels: tuple[str, ...]) -> str:
    """The page for a grid's channels (`none` first), in Markdown.

    >>> "| `response_rate_{channel}` |" in page(("none", "sms"))
    True
    """
    parts = (("The debtor", DEBTOR), ("The claim", CLAIM), ("The action", ACTION))
    return "\n".join([HEAD, *(line for title, families in parts for line in _part(title, families, channels))])


def _part(title: str, families: tuple[Family, ...], channels: tuple[str, ...]) -> Iterator[str]:
    yield f"## {title}: {sum(len(one.columns(channels)) for one in families)}\n"
    for group in dict.fromkeys(one.group for one in families):
        mine = [one for one in families if one.group == group]
        if group != title.removeprefix("The "):
            yield f"### {group.capitalize()}\n"
        yield "| feature | columns | what it means | unit | from | window | missing means |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
        yield from (_line(one, channels) for one in mine)
        yield ""


def _line(one: Family, channels: tuple[str, ...]) -> str:
    window = "each" if "window" in one.axes else one.window
    meaning = one.meaning.replace("{window}", "in the window")
    width = len(one.columns(channels))
    return f"| `{one.name}` | {width} | {meaning} | {one.unit} | {one.tables} | {window} | {one.null} |"


if __name__ == "__main__":
    sys.stdout.write(page(CHANNELS))
