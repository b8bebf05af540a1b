"""What is known and lawful of the debtors asked about, before any value is put on it: features, situation, rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from data.action_grid import ActionGrid
from data.config import Config, GridSettings
from data.situation import Situation
from data.times import HOUR_US, IntArray
from features.action import CalendarClass
from features.catalogue import debtor_features, names
from features.pipeline import ClaimRows, Targets, build, open_targets
from features.situation import situation_of
from features.tables import Histories
from models.bundle import Bundle
from models.protocol import Rows
from models.rules.company_caps import with_company_caps
from models.rules.mask import Mask, contact_mask
from models.rules.pack import Packs

BoolArray = npt.NDArray[np.bool_]


class UnknownDebtor(LookupError):
    """A decision was asked for a debtor that the histories do not hold."""


@dataclass(frozen=True)
class Asks:
    """Whom to decide for, and when.

    Attributes
    ----------
    debtor, as_of_us
        Row in `histories.debtor_id` and moment of each, shape (n,).
    channels, not_before_us, not_after_us
        Narrow the grid for all of them; None leaves it as it is.
    claim_ids
        Only these claims may be covered; None: all that no rule holds.
    """

    debtor: IntArray
    as_of_us: IntArray
    channels: tuple[str, ...] | None = None
    not_before_us: int | None = None
    not_after_us: int | None = None
    claim_ids: frozenset[str] | None = None


@dataclass(frozen=True)
class Prepared:
    """What is known and lawful before any value is put on it; `packs` hold the tenant's own caps too."""

    histories: Histories
    asks: Asks
    config: Config
    grid: ActionGrid
    packs: Packs
    targets: Targets
    rows: ClaimRows
    situation: Situation
    mask: Mask
    allowed: BoolArray
    covered: BoolArray

    @property
    def calendar(self) -> CalendarClass:
        """Calendar class of each debtor asked about, shape (n,)."""
        whole = self.histories
        return CalendarClass(whole.countries, whole.country[self.asks.debtor], self.rows.debtors.pay_day)


def debtors_with_open_claims(histories: Histories, as_of_us: int) -> IntArray:
    """Rows of debtors who owe something open at a moment, in order."""
    claims = histories.claims
    is_open = (claims.registered_us <= as_of_us) & (claims.closed_us > as_of_us)
    return np.unique(claims.debtor[is_open])


def prepare(
    histories: Histories,
    asks: Asks,
    *,
    config: Config,
    packs: Packs,
    bundle: Bundle,
    done: Callable[[str], None] = lambda _: None,
) -> Prepared:
    """Features, situation and rules of the debtors asked about; `done` as for `decide`."""
    grid = _grid_of(config.grid)
    targets = open_targets(histories, asks.debtor, as_of_us=asks.as_of_us)
    rows = build(histories, targets, reference=bundle.reference, rates=config.rates)
    done("features")
    situation = situation_of(histories, targets, rows=rows)
    packs = with_company_caps(packs, config.caps)
    mask = contact_mask(situation, grid=grid, packs=packs)
    covered = mask.covered & (rows.outstanding_eur > 0)
    if asks.claim_ids is not None:
        names_of = histories.claim_id[targets.claim]
        covered &= np.array([name in asks.claim_ids for name in names_of.tolist()], dtype=np.bool_)
    allowed = _narrowed(mask, asks, grid)
    something = np.bincount(targets.moment[covered], minlength=len(asks.debtor)) > 0
    allowed[:, 1:] &= something[:, None]
    done("rules")
    return Prepared(histories, asks, config, grid, packs, targets, rows, situation, mask, allowed, covered)


@lru_cache(maxsize=64)
def _grid_of(settings: GridSettings) -> ActionGrid:
    """The same grid for the same settings: what is worked out of it once is kept with it."""
    return ActionGrid.of(settings)


def _narrowed(mask: Mask, asks: Asks, grid: ActionGrid) -> BoolArray:
    allowed = mask.allowed.copy()
    if asks.channels is not None:
        wanted = [code for code, name in enumerate(grid.channels) if name in asks.channels]
        allowed[:, 1:] &= np.isin(grid.channel[1:], wanted)[None, :]
    if asks.not_before_us is None and asks.not_after_us is None:
        return allowed
    send_us = mask.slots.send_us[mask.slots.of_debtor]
    if asks.not_before_us is not None:
        allowed[:, 1:] &= send_us[:, 1:] >= asks.not_before_us
    if asks.not_after_us is not None:
        allowed[:, 1:] &= send_us[:, 1:] + HOUR_US <= asks.not_after_us
    return allowed


def debtor_columns(prepared: Prepared) -> dict[str, Rows]:
    """Each debtor's own features by name, shape (n,) each; those of a debtor without open claims are another's."""
    moment, count = prepared.targets.moment, len(prepared.asks.debtor)
    first = np.minimum(np.searchsorted(moment, np.arange(count)), max(len(moment) - 1, 0))
    rows = prepared.rows.matrix[first] if len(moment) else np.full((count, prepared.rows.matrix.shape[1]), np.nan)
    return {name: rows[:, place] for place, name in enumerate(names(debtor_features(prepared.grid.channels)))}
