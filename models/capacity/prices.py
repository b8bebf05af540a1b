"""Prices by name, and what they put on each action, so that the batch and the service decide by the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION, ActionGrid
from data.capacity_settings import CapacitySettings
from models.capacity.usage import CREDITOR, Coverage, grid_usage

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ActionPrices:
    """What prices put on the actions of a grid, for K calendar classes.

    Attributes
    ----------
    contact
        EUR for a contact, whoever is contacted, shape (K, A); 0 for `none`.
    per_eur
        EUR for each EUR the contact costs: the price of that day's budget, shape (K, A).
    channel
        Channel code of each action, shape (A,).
    creditor
        EUR that a contact gains for covering a claim of a creditor.
    """

    contact: FloatArray
    per_eur: FloatArray
    channel: npt.NDArray[np.int16]
    creditor: Mapping[str, float]

    def of_debtors(self, of_class: IntArray, *, cost_eur: FloatArray, coverage: Coverage | None = None) -> FloatArray:
        """What is to be taken from the value of each action, shape (n, A); below 0 where a minimum wants the contact.

        Parameters
        ----------
        of_class
            Calendar class of each debtor, shape (n,).
        cost_eur
            What a contact costs, shape (n, channels).
        coverage
            Covered claims; None: nobody's.
        """
        found: FloatArray = self.contact[of_class]
        if self.per_eur.any():
            found = found + cost_eur[:, self.channel] * self.per_eur[of_class]
        bonus = self._bonus(coverage or Coverage.nobody(), len(of_class))
        if bonus.any():
            found = found - bonus[:, None]
        found[:, NO_ACTION] = 0.0
        return found

    def _bonus(self, coverage: Coverage, debtors: int) -> FloatArray:
        bonus = np.zeros(debtors)
        if self.creditor:
            pairs = set(zip(coverage.debtor.tolist(), coverage.creditor_id.tolist(), strict=True))
            for row, creditor in sorted(pairs):
                bonus[row] += self.creditor.get(creditor, 0.0)
        return bonus


def price_of_actions(
    prices: Mapping[str, float], *, grid: ActionGrid, send_us: IntArray, settings: CapacitySettings
) -> ActionPrices:
    """What prices by name put on every action.

    What has no price is free: hours that lay beyond the grid of the batch that made the prices.

    Parameters
    ----------
    send_us
        When each calendar class sends (`Slots.send_us`), shape (K, A).

    >>> grid, limits = ActionGrid(("none", "sms"), 1, (8, 10)), CapacitySettings(per_hour={"sms": 5})
    >>> send = np.array([[-1, 8 * 3_600_000_000, 10 * 3_600_000_000]])
    >>> price_of_actions({"sms@1970-01-01T10": 0.4}, grid=grid, send_us=send, settings=limits).contact
    array([[0. , 0. , 0.4]])
    """
    usage = grid_usage(grid.channels, grid.channel, send_us=send_us, settings=settings)
    price = np.array([prices.get(name, 0.0) for name in usage.names], dtype=np.float64)
    contact = (usage.amount @ price).reshape(usage.budget.shape)
    creditor = {
        name.removeprefix(CREDITOR): one for name, one in prices.items() if name.startswith(CREDITOR) and one > 0
    }
    return ActionPrices(contact, np.append(price, 0.0)[usage.budget], grid.channel, creditor)
