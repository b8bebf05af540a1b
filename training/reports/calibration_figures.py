"""Predicted chances of payment held against what was paid: overall, in parts, over time, and in money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import numpy.typing as npt
from scipy import stats

from data.outcomes import paid_within
from data.times import IntArray
from training.gate.calibration import calibration_slice
from training.judge import BINS
from training.reports.cost_figures import ratio_interval
from training.reports.facts import Facts
from training.reports.owed import owed_eur
from training.trials.intervals import LEVEL, UNKNOWN, WINSOR, Interval, never_negative, share_interval

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]

REDRAWS = 4_000
"""Draws of chance deviations behind the interval of a calibration error."""


@dataclass(frozen=True)
class Claims:
    """Claims decided on whose horizon is over, one entry per claim and decision, shape (n,).

    Attributes
    ----------
    debtor, channel, country
        Row in the log; channel of the decision; country of the debtor, "" where not known.
    month
        Of the decision, such as 2026-03, UTC.
    predicted, paid
        Chance of any payment under the action chosen; whether any came within the horizon.
    owed_eur
        Outstanding on the claim when it was decided on.
    expected_eur, paid_eur
        Chance times mean share paid times what was owed, NaN where the model's share is not known; what came.
    """

    debtor: IntArray
    channel: TextArray
    country: TextArray
    month: TextArray
    predicted: FloatArray
    paid: BoolArray
    owed_eur: FloatArray
    expected_eur: FloatArray
    paid_eur: FloatArray

    def of(self, chosen: BoolArray) -> Claims:
        """Some of them, `chosen` of shape (n,)."""
        return Claims(*(getattr(self, one.name)[chosen] for one in fields(Claims)))

    @property
    def debtors(self) -> int:
        """Debtors behind them."""
        return len(np.unique(self.debtor))


def claims_judged(facts: Facts, *, days: int, shares: Mapping[str, float]) -> Claims:
    """Claims of decisions that stand and whose horizon of so many days is over.

    Parameters
    ----------
    shares
        Mean share of what is owed that a payer pays, by version of the model.
    """
    rows, countries = facts.evidence.rows, facts.evidence.countries
    outcome = paid_within(
        rows.decided_us,
        rows.claim,
        payments=facts.evidence.payments,
        horizon_days=days,
        known_until_us=facts.known_until_us,
    )
    versions = facts.decisions["model_version"].to_pylist()
    owed = owed_eur(facts)
    share = np.array([shares.get(one, np.nan) for one in versions], dtype=np.float64)
    whole = Claims(
        debtor=rows.debtor,
        channel=np.array(rows.channels, dtype=np.object_)[rows.channel],
        country=np.array([*countries.name, ""], dtype=np.object_)[countries.of_debtor][rows.debtor],
        month=rows.decided_us.astype("datetime64[us]").astype("datetime64[M]").astype(str).astype(np.object_),
        predicted=rows.payment_probability,
        paid=outcome.paid,
        owed_eur=owed,
        expected_eur=rows.payment_probability * share * owed,
        paid_eur=outcome.amount_eur,
    )
    return whole.of(outcome.mature & rows.standing)


@dataclass(frozen=True)
class Agreement:
    """How near predictions come to what was observed among some claims.

    Attributes
    ----------
    who
        Debtors of the claims, without repeats.
    observed
        Share of claims paid on.
    above
        Observed share less mean prediction.
    error
        Expected calibration error, less the part that chance makes; its interval; not known where claims are few.
    raw_error, by_chance
        The same as it comes out, and what would come out on average of perfect predictions; NaN where claims are few.
    """

    name: str
    claims: int
    who: IntArray
    predicted: float
    observed: Interval
    above: Interval
    error: Interval
    raw_error: float
    by_chance: float

    @property
    def debtors(self) -> int:
        """Debtors of the claims."""
        return len(self.who)


def agreement(name: str, found: Claims, *, rng: np.random.Generator | None) -> Agreement:
    """Agreement of some claims, at least one; without `rng` no calibration error is told."""
    gap = found.paid - found.predicted
    per_debtor = np.unique(found.debtor, return_inverse=True)[1]
    sums, sizes = np.bincount(per_debtor, weights=gap).astype(np.float64), np.bincount(per_debtor).astype(np.float64)
    error, raw, by_chance = UNKNOWN, np.nan, np.nan
    if rng is not None:
        slice_ = calibration_slice(name, found.predicted, found.paid, rng=rng)
        error, raw, by_chance = error_interval(found, rng=rng), slice_.error, slice_.by_chance
    return Agreement(
        name=name,
        claims=len(found.paid),
        who=np.unique(found.debtor),
        predicted=float(found.predicted.mean()),
        observed=share_interval(found.paid, found.debtor),
        above=ratio_interval(sums, sizes),
        error=error,
        raw_error=float(raw),
        by_chance=float(by_chance),
    )


def deciles(found: Claims) -> Iterator[Agreement]:
    """Ten groups of about equally many claims by predicted chance, lowest first, as the gate's error has them."""
    place = _bins(found.predicted)
    for one in range(BINS):
        here = place == one
        if here.any():
            yield agreement(str(one + 1), found.of(here), rng=None)


def _bins(predicted: FloatArray) -> IntArray:
    """Number of each prediction's tenth, shape (n,)."""
    place = np.empty(len(predicted), dtype=np.int64)
    for number, group in enumerate(np.array_split(np.argsort(predicted, kind="stable"), BINS)):
        place[group] = number
    return place


def error_interval(found: Claims, *, rng: np.random.Generator) -> Interval:
    """Expected calibration error over tenths, freed of what chance adds to it, with its interval; debtors are the units.

    Notes
    -----
    A calibration error is never negative, so that chance only adds to it: the mean of what it adds is taken off, once, by
    draws around what was found. The ends hold whatever the errors of the tenths are: by the triangle inequality the error
    found exceeds the true one by no more than the sum of the tenths' chance deviations, of which a high quantile is drawn;
    and it falls short of it by no more than their sum with fixed signs, which is normal, its error no larger than with all
    covariances counted as positive.
    """
    gap, cover = _gaps(found)
    seen = float(np.abs(gap).sum())
    deviations = rng.multivariate_normal(np.zeros(BINS), cover, REDRAWS, method="eigh")
    added = float(np.abs(gap + deviations).sum(axis=1).mean()) - seen
    above = float(np.quantile(np.abs(deviations).sum(axis=1), (1 + LEVEL) / 2))
    below = float(stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(np.abs(cover).sum()))
    return Interval(max(seen - added, 0.0), max(seen - above, 0.0), seen + below)


def _gaps(found: Claims) -> tuple[FloatArray, FloatArray]:
    """Paid less predicted of each tenth over all claims, shape (10,), and its covariance, clustered by debtor (linearised)."""
    per_debtor = np.unique(found.debtor, return_inverse=True)[1]
    size, claims = int(per_debtor.max()) + 1, len(found.paid)
    cell = per_debtor * BINS + _bins(found.predicted)
    sums = np.bincount(cell, weights=found.paid - found.predicted, minlength=size * BINS).reshape(size, BINS)
    gap = sums.sum(axis=0) / claims
    residual = (sums - np.bincount(per_debtor)[:, None] * gap) / claims
    return gap, residual.T @ residual * size / max(size - 1, 1)


def parts(found: Claims, by: TextArray) -> Iterator[tuple[str, Claims]]:
    """The claims of each name in `by`, shape (n,), names in order; unnamed ones are left out."""
    for name in sorted({one for one in by.tolist() if one}):
        yield name, found.of(by == name)


@dataclass(frozen=True)
class Cash:
    """Expected and real money of the same claims; `ratio` is real over expected, `small` the same without the largest claims.

    `who` are the debtors of the claims, without repeats.
    """

    who: IntArray
    expected_eur: float
    paid_eur: float
    ratio: Interval
    small: Interval

    @property
    def debtors(self) -> int:
        """Debtors of the claims."""
        return len(self.who)

    def off(self, margin: float) -> bool:
        """Whether money is shown to lie further from what was expected, and not because of a few large claims alone."""
        both = (self.ratio, self.small)
        return all(one.low > 1 + margin for one in both) or all(one.high < 1 - margin for one in both)


def cash(found: Claims) -> Cash | None:
    """Expected against real money; None where no model's share is known."""
    known = found.of(np.isfinite(found.expected_eur))
    if not len(known.paid):
        return None
    small = known.of(known.owed_eur <= np.quantile(known.owed_eur, WINSOR))
    expected, real = float(known.expected_eur.sum()), float(known.paid_eur.sum())
    return Cash(np.unique(known.debtor), expected, real, _real_over_expected(known), _real_over_expected(small))


def _real_over_expected(found: Claims) -> Interval:
    per_debtor = np.unique(found.debtor, return_inverse=True)[1]
    real, expected = (
        np.bincount(per_debtor, weights=one).astype(np.float64) for one in (found.paid_eur, found.expected_eur)
    )
    return never_negative(ratio_interval(real, expected))


def first_of(month: str) -> date:
    """First day of a month such as 2026-03."""
    return date.fromisoformat(f"{month}-01")
