"""Every number of the report, computed once, as one nested dictionary that JSON can hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config
from data.portfolio import Portfolio
from data.times import DAY_US, from_us
from data.vocabulary import ARMS
from models.sample_ratio import SampleRatio, sample_ratio
from training.reports import experiment as arms
from training.reports.evidence import Evidence, gather
from training.reports.intervals import UNKNOWN, Interval
from training.reports.responses import Moments, Response, calibration, moments, response, send_hours
from training.reports.verdict import NO_EXPERIMENT, detectable, judge

Figures = dict[str, Any]
"""Plain values only; a number that could not be computed is None."""


SEED = 20_260_301
"""Of the fresh draws of the arms: the same log gives the same page."""


def figures(decisions: pa.Table, portfolio: Portfolio, *, config: Config, known_until_us: int) -> Figures:
    """All numbers of the report; docs/reports.md defines each.

    Parameters
    ----------
    decisions
        Rows of the decision log, at least one.
    portfolio
        The portfolio they were decided on, as it is now known.
    known_until_us
        Instant up to which facts are known; later ones are not seen.
    """
    evidence = gather(decisions, portfolio, config=config, known_until_us=known_until_us)
    entrants = arms.enter(evidence)
    looks = arms.look_days(entrants, config.horizon, known_until_us=known_until_us)
    found = moments(evidence, days=config.horizon.days)
    return {
        "about": _about(decisions, evidence, entrants, config),
        **_experiment(entrants, evidence, config, looks),
        "days": _days(entrants, evidence, looks[-1]),
        "decided": _decided(found, evidence),
        "channels": _channels(found, evidence),
        "hours": _hours(found, evidence, portfolio),
        "calibration": _calibration(evidence, config.horizon.days),
    }


def _about(decisions: pa.Table, evidence: Evidence, entrants: arms.Entrants, config: Config) -> Figures:
    span = pc.min_max(decisions["decided_at"]).as_py()
    last_us = int(evidence.rows.decided_us.max())
    return {
        "first_decision": _minute(span["min"].isoformat()),
        "last_decision": _minute(span["max"].isoformat()),
        "known_until": _minute(from_us(evidence.known_until_us).isoformat()),
        "days_since_last_decision": (evidence.known_until_us - last_us) // DAY_US,
        "debtors": len(evidence.rows.debtor_id),
        "claims": len(evidence.rows.claim_id),
        "decisions": len(evidence.rows.decision_id),
        "debtors_compared": len(entrants.debtor),
        "debtors_switched_arm": entrants.switched,
        "debtors_objected": entrants.objected,
        "horizon_days": config.horizon.days,
        "longer_horizon_days": config.horizon.also_days,
        "contacts_counted": "as recorded by the collection system" if evidence.recorded else "as decided",
        "models": sorted(decisions["model_version"].unique().to_pylist()),
        "policies": sorted(decisions["policy_version"].unique().to_pylist()),
        "rules": sorted(decisions["rules_version"].unique().to_pylist()),
        "configuration": config.fingerprint,
        "currency": "EUR",
    }


def _minute(iso: str) -> str:
    return iso[:16].replace("T", " ") + " UTC"


def _experiment(entrants: arms.Entrants, evidence: Evidence, config: Config, looks: tuple[int, ...]) -> Figures:
    totals = {days: arms.totals(entrants, evidence, days=days) for days in looks}
    tables = [_look(found, entrants, days) for days, found in totals.items()]
    if not entrants.randomised:
        return {"verdict": vars(NO_EXPERIMENT), "looks": tables, "sample_ratio": None}
    gains = {days: arms.gains(found) for days, found in totals.items()}
    chances = {days: arms.chance_alone(found, rng=np.random.default_rng(SEED)) for days, found in totals.items()}
    for table in tables:
        table["gains"] = {name: _interval(one) for name, one in gains[table["days"]].items()}
        table["chance"] = chances[table["days"]]._asdict()
        table["contacts_avoided"] = _avoided(totals[table["days"]])
        table["detectable_eur_per_debtor"] = _number(detectable(gains[table["days"]]["recovered_eur_per_debtor"]))
    ratio = sample_ratio(arms.arm_sizes(entrants), config.arms)
    first = looks[0]
    verdict = judge(totals[first], gains[first], chance=chances[first], ratio=ratio, days=first)
    return {"verdict": vars(verdict), "looks": tables, "sample_ratio": _sample_ratio(ratio)}


def _look(found: arms.Totals, entrants: arms.Entrants, days: int) -> Figures:
    met = [code for code in range(len(ARMS)) if (entrants.arm == code).any()]
    return {
        "days": days,
        "debtors": len(found.arm),
        "debtors_waiting": len(entrants.debtor) - len(found.arm),
        "recovered_eur": _number(found.recovered_eur.sum()),
        "contacts": int(found.contacts.sum()),
        "arms": [_arm(found.of(code), ARMS[code]) for code in met],
        "gains": None,
        "chance": None,
        "contacts_avoided": None,
        "detectable_eur_per_debtor": None,
    }


def _arm(found: arms.Totals, name: str) -> Figures:
    size = len(found.arm)
    return {
        "arm": name,
        "debtors": size,
        "claims": int(found.claims.sum()),
        "recovered_eur": _number(found.recovered_eur.sum()),
        "recovered_eur_per_debtor": _per(found.recovered_eur.sum(), size),
        "debtors_paid": int((found.claims_paid > 0).sum()),
        "share_debtors_paid": _interval(arms.share_paid(found)),
        "claims_paid": int(found.claims_paid.sum()),
        "share_claims_paid": _interval(arms.claims_paid(found)),
        "contacts": int(found.contacts.sum()),
        "contacts_per_debtor": _per(found.contacts.sum(), size),
        "cost_eur": _number(found.cost_eur.sum()),
        "cost_eur_per_debtor": _per(found.cost_eur.sum(), size),
        "harm_eur": _number(found.harm_eur.sum()),
        "harm_eur_per_debtor": _per(found.harm_eur.sum(), size),
        "net_eur_per_debtor": _per(found.net_eur.sum(), size),
        "opted_out": int(found.opted_out.sum()),
        "opted_out_per_1000": _per(1000 * found.opted_out.sum(), size),
        "complained": int(found.complained.sum()),
        "complained_per_1000": _per(1000 * found.complained.sum(), size),
    }


def _avoided(found: arms.Totals) -> Figures:
    """Contacts that the champion's debtors would have had more at the control arm's pace; negative: fewer."""
    ours, theirs = found.of(arms.CHAMPION), found.of(arms.CONTROL)
    if not len(ours.arm) or not len(theirs.arm):
        return {"contacts": None, "per_1000_debtors": None}
    fewer = float(theirs.contacts.mean() - ours.contacts.mean())
    return {"contacts": round(fewer * len(ours.arm)), "per_1000_debtors": _number(1000 * fewer)}


def _sample_ratio(ratio: SampleRatio) -> Figures:
    rows = zip(ratio.arms, ratio.debtors, ratio.expected, strict=True)
    return {
        "arms": [{"arm": arm, "debtors": debtors, "planned": _number(planned)} for arm, debtors, planned in rows],
        "chi_square": _number(ratio.chi_square),
        "p_value": _number(ratio.p_value),
    }


def _days(entrants: arms.Entrants, evidence: Evidence, days: int) -> list[Figures]:
    curves = arms.day_by_day(entrants, evidence, days=days)
    return [
        {"arm": ARMS[arm], "day": day, **_interval(one)}
        for arm, curve in curves.items()
        for day, one in enumerate(curve)
    ]


def _decided(found: Moments, evidence: Evidence) -> list[Figures]:
    """Decisions by arm and channel, with their share within the arm; every channel met, in every arm met."""
    rows = []
    for code in np.unique(found.arm).tolist():
        here = found.arm == code
        counts = np.bincount(found.channel[here], minlength=len(evidence.rows.channels))
        for channel, count in zip(evidence.rows.channels, counts.tolist(), strict=True):
            rows.append({"arm": ARMS[code], "channel": channel, "decisions": count, "share": count / int(here.sum())})
    met = {row["channel"] for row in rows if row["decisions"]}
    return [row for row in rows if row["channel"] in met]


def _channels(found: Moments, evidence: Evidence) -> list[Figures]:
    names = enumerate(evidence.rows.channels)
    rows = [{"channel": name, **_response(response(found, found.channel == code))} for code, name in names]
    return [row for row in rows if row["decisions"]]


def _hours(found: Moments, evidence: Evidence, portfolio: Portfolio) -> list[Figures]:
    hour = send_hours(found, evidence.rows, portfolio)
    rows = [{"hour": one, **_response(response(found, hour == one))} for one in range(24)]
    return [row for row in rows if row["decisions"]]


def _response(found: Response) -> Figures:
    return {
        "decisions": found.decisions,
        "paid": found.paid,
        "share_paid": _interval(found.share_paid),
        "credited_eur": _number(found.credited_eur),
        "cost_eur": _number(found.cost_eur),
    }


def _calibration(evidence: Evidence, days: int) -> Figures:
    bins = calibration(evidence, days=days)
    claims = sum(one.claims for one in bins)
    predicted = sum(one.predicted * one.claims for one in bins)
    paid = sum(one.observed.value * one.claims for one in bins)
    return {
        "claims": claims,
        "claims_paid_predicted": _number(predicted),
        "claims_paid": round(paid),
        "bins": [
            {
                "bin": place,
                "claims": one.claims,
                "predicted": _number(one.predicted),
                "observed": _interval(one.observed),
            }
            for place, one in enumerate(bins, start=1)
        ],
    }


def _per(total: float, size: int) -> float | None:
    return _number(total / size) if size else None


def _interval(found: Interval = UNKNOWN) -> Figures:
    return {"value": _number(found.value), "low": _number(found.low), "high": _number(found.high)}


def _number(value: float) -> float | None:
    """The value to six decimals, None where it is not finite: JSON has no other numbers."""
    return round(float(value), 6) if math.isfinite(value) else None
