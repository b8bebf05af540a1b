"""The whole portfolio decided under limits, by prices: arrays in, an action for each debtor and a price for each limit out."""

from models.capacity.allotment import Allotment, ResourceUse, solve
from models.capacity.candidates import Candidates, reduce
from models.capacity.prices import ActionPrices, price_of_actions
from models.capacity.usage import Coverage, creditors_reached, usage_of_contacts

__all__ = [
    "ActionPrices",
    "Allotment",
    "Candidates",
    "Coverage",
    "ResourceUse",
    "creditors_reached",
    "price_of_actions",
    "reduce",
    "solve",
    "usage_of_contacts",
]
