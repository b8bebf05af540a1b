"""What contacts that stand already use of what is limited, and the price list of the last night, kept in the workspace."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import inf
from pathlib import Path

import numpy as np

from data.capacity_settings import CapacitySettings
from data.config import Config
from data.times import DAY_US, to_us
from data.whole import whole_file
from features.tables import Histories
from models.capacity.usage import usage_of_contacts
from models.limits import Allotted, Priced

FOLDER = "capacity"
FILE = "prices.json"
A_DAY = timedelta(days=1)


def taken_by(
    histories: Iterable[Histories], config: Config, *, at: datetime, answer_rate: Sequence[float]
) -> dict[str, float]:
    """What contacts use that are sent on the day of a moment or later and known by then, by name of the limit.

    Whoever decided them: our own, once confirmed or told of, stand among the contacts like any others; statutory letters, too,
    go through the same post.

    Parameters
    ----------
    answer_rate
        Usual chance of an answer by channel of the grid: what a call costs depends on it.
    """
    used: Counter[str] = Counter()
    cost = np.array(
        [_cost_eur(name, at, config, rate) for name, rate in zip(config.grid.channels, answer_rate, strict=True)]
    )
    names = np.array(config.grid.channels, dtype=np.object_)
    for one in histories:
        contacts = one.contacts
        begun = to_us(at - A_DAY)
        rows = (contacts.channel > 0) & (contacts.send_us > begun) & (contacts.known_us <= to_us(at))
        channel = contacts.channel[rows]
        used.update(
            usage_of_contacts(names[channel], contacts.send_us[rows], cost_eur=cost[channel], settings=config.capacity)
        )
    return dict(used)


def _cost_eur(channel: str, at: datetime, config: Config, answered: float) -> float:
    price = config.costs.on(channel, to_us(at) // DAY_US)
    return price.amount + price.per_answer * answered


def keep_prices(workspace: Path, allotted: Allotted, *, as_of: datetime) -> Path:
    """Writes the price list of a night, there whole or not at all."""
    path = workspace / FOLDER / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as unfinished:
        text = json.dumps({"as_of": as_of.isoformat(), **allotted.as_dict()}, indent=1)
        unfinished.write_text(f"{text}\n", encoding="utf-8")
    return path


class KeptPrices:
    """The prices of the last night, read again when the file has changed: the service decides by them as the night did.

    They concern the days they name; for any other day nothing has a price.
    """

    def __init__(self, workspace: Path, settings: CapacitySettings) -> None:
        self._path = workspace / FOLDER / FILE
        self._settings = settings
        self._read: tuple[int, Priced | None] = (-1, None)

    def current(self) -> Priced | None:
        """Limits by price alone; None where nothing is limited, or no night has written prices yet.

        A file that is no price list leaves the last good one in use.
        """
        if self._settings.limits_nothing or not self._path.is_file():
            return None
        changed = self._path.stat().st_mtime_ns
        if self._read[0] != changed:
            found = _prices(self._path)
            self._read = (changed, self._read[1] if found is None else Priced(self._settings, found))
        return self._read[1]


def _prices(path: Path) -> dict[str, float] | None:
    try:
        limits = json.loads(path.read_text(encoding="utf-8"))["limits"]
        prices = {str(one["name"]): float(one["price_eur"]) for one in limits}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # A creditor's minimum is that of a night's contacts: it has no day, and no price between two nights.
    return {name: price for name, price in prices.items() if 0 < price < inf and "@" in name}
