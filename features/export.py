"""The feature rows of a portfolio as tables, for `rettid features` and for looking at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.config import MoneySettings
from features.catalogue import Feature, claim_features, debtor_features
from features.pipeline import Matrix, Targets, build, open_targets
from features.reference import Reference
from features.tables import Histories


def feature_table(histories: Histories, *, as_of_us: int, reference: Reference, rates: MoneySettings) -> pa.Table:
    """One row for each open claim, with every debtor and claim feature as knowable at `as_of`.

    Category columns hold their words, the others numbers (float32); a missing value is null.
    """
    every = np.arange(histories.size)
    debtor = np.unique(open_targets(histories, every, as_of_us=np.full(len(every), as_of_us)).moment)
    targets = open_targets(histories, debtor, as_of_us=np.full(len(debtor), as_of_us))
    rows = build(histories, targets, reference=reference, rates=rates)
    features = (*debtor_features(histories.channels), *claim_features())
    return pa.table({**keys_of(histories, targets), **columns_of(rows.matrix, features, reference)})


def keys_of(histories: Histories, targets: Targets) -> dict[str, pa.Array]:
    """Claim, debtor and moment of each target, by column name."""
    debtor = targets.debtor[targets.moment]
    return {
        "claim_id": pa.array(histories.claim_id[targets.claim], pa.string()),
        "debtor_id": pa.array(histories.debtor_id[debtor], pa.string()),
        "as_of": pa.array(targets.as_of_us[targets.moment], pa.int64()).cast(pa.timestamp("us", tz="UTC")),
    }


def columns_of(matrix: Matrix, features: tuple[Feature, ...], reference: Reference) -> dict[str, pa.Array]:
    """Columns of a matrix by feature name, words for the codes of categories, null for missing."""
    by_column = np.ascontiguousarray(matrix.T)
    return {
        feature.name: _words(values, reference.words()[feature.name])
        if feature.category
        else pa.array(values, pa.float32(), from_pandas=True)
        for feature, values in zip(features, by_column, strict=True)
    }


def _words(values: npt.NDArray[np.float32], words: tuple[str, ...]) -> pa.Array:
    codes = pa.array(np.nan_to_num(values, nan=-1.0).astype(np.int32), mask=np.isnan(values))
    return pa.DictionaryArray.from_arrays(codes, pa.array(words, pa.string()))
