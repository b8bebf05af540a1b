"""One bundle's choice for its debtors, by its own way of choosing: certain, and drawn where the configuration says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from data.vocabulary import DAYPARTS
from models.arms import constant_action
from models.bundle import Bundle
from models.policies.greedy import worth_it
from models.policies.offer import Offer, best, chances
from models.policies.thompson import members_of
from models.policies.tree import Columns
from models.protocol import PropensityModel

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """A bundle's debtors with all that its choice hangs on.

    Attributes
    ----------
    control, objected
        Action of the tenant's present rules, and who objected to profiling and gets it whatever the bundle says, shape (n,).
    columns
        Each debtor's own features by name, shape (n,) each; only a tree looks.
    value_under
        Value of every action, shape (n, A), were another model the bundle's; only `thompson` asks.
    """

    bundle: Bundle
    offer: Offer
    control: IntArray
    objected: BoolArray
    columns: Columns
    value_under: Callable[[PropensityModel], FloatArray]

    def less(self, shadow_eur: FloatArray) -> View:
        """The same where every action is worth so much less, shape (n, A): what it uses of what is scarce has a price."""
        offer, value_under = self.offer, self.value_under
        return replace(
            self,
            offer=replace(offer, value_eur=offer.value_eur - shadow_eur),
            value_under=lambda model: value_under(model) - shadow_eur,
        )

    def action(self) -> IntArray:
        """Action of each debtor, taken for certain, shape (n,)."""
        return np.where(self.objected, self.control, self._chosen())

    def drawn(self) -> FloatArray | None:
        """Chance of every action, shape (n, A); None where nothing is drawn: `greedy`, or a bundle that has no use for values.

        Raises
        ------
        NoMembers
            The kind is `thompson` and the bundle's model is no ensemble.
        """
        kind = self.offer.settings.kind
        if kind == "greedy" or self.bundle.chooser != "value":
            return None
        if kind == "softmax":
            return chances(self.offer, ())
        members = members_of(self.bundle.model, named=f"model {self.bundle.model_version} ({self.bundle.recipe})")
        return chances(self.offer, (self.value_under(member) for member in members))

    def _chosen(self) -> IntArray:
        bundle, offer = self.bundle, self.offer
        if bundle.chooser == "control":
            return self.control
        if bundle.chooser == "constant" and bundle.constant is not None:
            channel, part = bundle.constant
            if channel == offer.grid.channels[0]:
                return np.zeros(len(self.control), dtype=np.int64)
            return constant_action(offer.candidates, grid=offer.grid, channel=channel, daypart=DAYPARTS.index(part))
        if bundle.chooser == "tree" and bundle.tree is not None:
            return bundle.tree.actions(self.columns, self._worth_it(), grid=offer.grid)
        return best(offer)

    def _worth_it(self) -> BoolArray:
        """Candidates; where the tenant asks for a least value, those that the bundle's model finds worth it."""
        offer, least = self.offer, self.offer.settings.least_value_eur
        return worth_it(offer.value_eur, offer.candidates, least_value_eur=least) if least > 0 else offer.candidates
