"""The tenant's own caps beside the law's: they go the same way, and can only bar more."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from data.company_caps import ANY, CompanyCap, CompanyCaps
from models.rules.pack import Cap, Pack, Packs

STATUS = "company_policy"


def with_company_caps(packs: Packs, caps: CompanyCaps) -> Packs:
    """Every pack with the tenant's caps added, counted per debtor over all claims; `any` counts all channels of the pack."""
    if not caps:
        return packs
    rows = tuple(sorted(caps.items()))
    return {country: _capped(pack, rows) for country, pack in packs.items()}


@lru_cache(maxsize=256)
def _capped(pack: Pack, rows: tuple[tuple[str, CompanyCap], ...]) -> Pack:
    """The same object for the same pack: calendars are cached by it."""
    return replace(pack, caps=(*pack.caps, *(_cap(pack, name, cap) for name, cap in rows)))


def _cap(pack: Pack, name: str, cap: CompanyCap) -> Cap:
    channels = tuple(sorted(pack.channels())) if name == ANY else (name,)
    return Cap(channels, cap.most, cap.days, "debtor", STATUS, "[caps] in rettid.toml")
