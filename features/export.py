"""The feature rows of a portfolio as a table, for `rettid features` and for looking at."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.config import Config
from data.times import IntArray
from features.catalogue import claim_features, debtor_features
from features.columns import FloatArray
from features.histories import Histories
from features.pipeline import build, open_targets
from features.reference import Reference, learn_reference


def feature_table(histories: Histories, debtor: IntArray, *, as_of_us: int, config: Config) -> pa.Table:
    """One row for each open claim of the debtors, with every debtor and claim feature as knowable at `as_of`.

    Category columns hold their words. Rates are shrunk towards those of the portfolio before `as_of`.
    """
    reference = learn_reference(histories, until_us=as_of_us)
    targets = open_targets(histories, debtor, as_of_us=np.full(len(debtor), as_of_us, dtype=np.int64))
    rows = build(histories, targets, reference=reference, rates=config.rates)
    columns: dict[str, pa.Array] = {
        "claim_id": pa.array(histories.claims.claim_id[targets.claim].tolist(), pa.string()),
        "debtor_id": pa.array(histories.debtor_id[debtor[targets.moment]].tolist(), pa.string()),
        "as_of": pa.array(targets.as_of_us[targets.moment], pa.int64()).cast(pa.timestamp("us", tz="UTC")),
    }
    for number, feature in enumerate((*debtor_features(histories.channels), *claim_features())):
        values = rows.matrix[:, number]
        columns[feature.name] = _words(values, feature.name, reference) if feature.category else _numbers(values)
    return pa.table(columns)


def _numbers(values: FloatArray) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _words(values: FloatArray, name: str, reference: Reference) -> pa.Array:
    words = reference.words()[name]
    codes = pa.array(np.nan_to_num(values, nan=-1.0).astype(np.int64), mask=np.isnan(values))
    return pa.DictionaryArray.from_arrays(codes.cast(pa.int32()), pa.array(words, pa.string())).cast(pa.string())
