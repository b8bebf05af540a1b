"""The segments of the debtors asked about, from the features that a model was handed of them."""

from __future__ import annotations

from functools import lru_cache

from features.catalogue import claim_features, debtor_features, names
from models.prepare import Prepared
from models.segments import SegmentModel, Segments, nobody, segments_of
from models.segments_indicators import needed_by_debtor


def segments_asked(model: SegmentModel | None, prepared: Prepared) -> Segments:
    """Segment of each debtor asked about by one model, n entries; `unknown` for one without an open claim."""
    size = prepared.situation.size
    if model is None:
        return nobody(size)
    known = _known(prepared.histories.channels)
    return segments_of(model, needed_by_debtor(prepared.rows.matrix, prepared.targets.moment, names=known, size=size))


@lru_cache(maxsize=64)
def _known(channels: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns of debtor and claim."""
    return names((*debtor_features(channels), *claim_features()))
