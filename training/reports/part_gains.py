"""Gain part by part, as every page tells it: adjusted, money with the largest totals cut, intervals for all parts at once."""

from __future__ import annotations

from data.times import IntArray
from training.reports.gains import Comparison, outcome_of
from training.trials.many import Segments, segment_differences


def money_by_part(two: Comparison, part: IntArray) -> Segments:
    """Recovered money per debtor of each part; `part` is the number of each debtor's part, shape (n,), -1 for none."""
    return segment_differences(outcome_of("recovered_cut", two), two.treated, part, covariates=two.before)


def payers_by_part(two: Comparison, part: IntArray) -> Segments:
    """Share of debtors who paid, of each part."""
    return segment_differences(outcome_of("debtors_paid", two), two.treated, part, covariates=two.before)
