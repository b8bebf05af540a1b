"""The digest of features: that of the same numbers wherever they were made, another one where a single bit differs."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow.compute as pc
import pytest

from data.times import to_us
from features.digest import features_digest
from features.pipeline import ClaimRows, Targets, build, open_targets
from features.reference import learn_reference
from tests.portfolios import CONFIG, built, histories
from tests.samples import moment, sample_tables
from tests.strategies import DAYS, START, random_tables

AS_OF = START + timedelta(days=DAYS)


@pytest.fixture(scope="module")
def described() -> tuple[Targets, ClaimRows]:
    return built(histories(random_tables(7)), AS_OF)


def test_each_moment_has_sixteen_digits_of_the_hash_of_its_own_rows(described: tuple[Targets, ClaimRows]) -> None:
    targets, rows = described
    found = features_digest(rows, targets)
    assert len(found) == len(targets.debtor)
    for number, one in enumerate(found):
        own = rows.matrix[targets.moment == number]
        assert one == hashlib.sha256(own.tobytes()).hexdigest()[:16]


def test_a_debtor_alone_has_the_digest_that_it_has_among_others() -> None:
    tables = sample_tables()
    together = histories(tables)
    reference = learn_reference(together, until_us=to_us(AS_OF), config=CONFIG)
    as_of_us = to_us(moment(3, 10))
    targets = open_targets(together, np.arange(3), as_of_us=np.full(3, as_of_us))
    among = features_digest(build(together, targets, reference=reference, rates=CONFIG.rates), targets)
    tables["debtors"] = tables["debtors"].filter(pc.equal(tables["debtors"]["debtor_id"], "d2"))
    alone = histories(tables)
    target = open_targets(alone, np.zeros(1, dtype=np.int64), as_of_us=np.array([as_of_us]))
    rows = build(alone, target, reference=reference, rates=CONFIG.rates)
    assert features_digest(rows, target) == [among[1]]


@pytest.mark.parametrize("column", [0, 100, -1])
def test_one_bit_of_one_feature_changes_the_digest_of_its_debtor_alone(
    described: tuple[Targets, ClaimRows], column: int
) -> None:
    targets, rows = described
    changed = rows.matrix.copy()
    changed.view(np.uint32)[3, column] ^= 1
    before, after = features_digest(rows, targets), features_digest(replace(rows, matrix=changed), targets)
    differ = [number for number, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    assert differ == [targets.moment[3]]


def test_a_moment_without_an_open_claim_has_the_digest_of_nothing() -> None:
    targets, rows = built(histories(sample_tables()), moment(1, 2))
    assert features_digest(rows, targets) == [hashlib.sha256(b"").hexdigest()[:16]] * 3
