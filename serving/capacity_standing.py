"""What contacts that stand already use of what is limited, and the price list of the last night, kept in the workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from data.capacity_settings import CapacitySettings
from data.config import Config
from data.online_decisions import DecisionRow
from data.times import DAY_US, to_us
from data.whole import whole_file
from models.capacity.usage import usage_of_contacts
from models.limits import Allotted, Priced

FOLDER = "capacity"
FILE = "prices.json"
A_DAY = timedelta(days=1)


def taken_by(
    contacts: Sequence[DecisionRow], config: Config, *, at: datetime, answer_rate: Sequence[float]
) -> dict[str, float]:
    """What contacts use that were confirmed before a moment and are sent on the day of it or later, by name of the limit.

    Parameters
    ----------
    contacts
        Rows of confirmed decisions; a contact counts once, by its leading row.
    answer_rate
        Usual chance of an answer by channel of the grid: what a call costs depends on it.
    """
    standing = [row for row in contacts if row.lead and row.send_at is not None and row.send_at > at - A_DAY]
    answered = dict(zip(config.grid.channels, answer_rate, strict=True))
    cost = [_cost_eur(row.channel, row.send_at or at, config, answered) for row in standing]
    return usage_of_contacts(
        np.array([row.channel for row in standing], dtype=np.object_),
        np.array([to_us(row.send_at or at) for row in standing], dtype=np.int64),
        cost_eur=np.array(cost, dtype=np.float64),
        settings=config.capacity,
    )


def _cost_eur(channel: str, at: datetime, config: Config, answered: Mapping[str, float]) -> float:
    price = config.costs.on(channel, to_us(at) // DAY_US)
    return price.amount + price.per_answer * answered.get(channel, 0.0)


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
        return {str(one["name"]): float(one["price_eur"]) for one in limits if one["price_eur"] > 0}
    except (OSError, ValueError, KeyError, TypeError):
        return None
