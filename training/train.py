"""`rettid train`: rows of a portfolio, fit, calibrate, judge on the later part, record, write a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data.config import Config
from data.portfolio import Portfolio
from data.progress import Say
from data.times import from_us
from data.vocabulary import NONE
from features.histories import has_none_rows, histories_of
from features.reference import Reference, learn_reference
from features.tables import Histories
from models.bundle import Bundle, feature_fingerprint, write_bundle
from models.rules.mask import rules_version
from models.rules.pack import Packs
from training.figures import calibration_picture, importance_picture
from training.fit import Fitted, Setting, recipe
from training.judge import Judgement, judge
from training.policy_value import Judged, decide_again, judged_decisions, policy_value
from training.rows import TrainingRows, known_until, last_fact_us, training_rows
from training.splits import Split, judged_debtors, later_from, split_rows
from training.tracking import Tracking

FEWEST_CONTACTS = 30
"""Logged decisions for a channel below which a model never chooses it."""


@dataclass(frozen=True)
class Material:
    """What every recipe learns from: made once for a portfolio and a moment."""

    histories: Histories
    reference: Reference
    rows: TrainingRows
    split: Split
    judged: Judged
    as_of_us: int
    config: Config
    packs: Packs
    seed: int


@dataclass(frozen=True)
class Order:
    """Which recipe to train, with which settings; `source` names the portfolio in the run's tags."""

    model: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True)
class Trained:
    """A run and what was found."""

    run_id: str
    model: str
    directory: Path
    judgement: Judgement
    untried: tuple[str, ...]

    def lines(self) -> list[str]:
        """What was found, for the terminal."""
        found, value = self.judgement, self.judgement.value
        worth = (
            value.refusal
            if value.dr is None
            else (
                f"{value.dr.value:.2f} EUR net a decision (95 %: {value.dr.low:.2f} to {value.dr.high:.2f}, doubly robust)"
            )
        )
        return [
            f"run {self.run_id}, model {self.model}",
            f"judged on {found.rows:,} later decisions on other debtors, {found.paid_share:.1%} paid",
            f"AUC {found.auc:.3f}, log loss {found.log_loss:.4f} (base rate {found.base_log_loss:.4f})",
            f"calibration error {found.calibration_error:.4f}",
            f"policy: {worth}" + (f", contacts in {value.contacts:.0%} of decisions" if value.contacts >= 0 else ""),
            *self._untried_lines(),
            f"bundle {self.directory}",
        ]

    def _untried_lines(self) -> list[str]:
        others = [name for name in self.untried if name != NONE]
        lines = [f"hardly in the log, so never chosen by the model: {', '.join(others)}"] if others else []
        if NONE in self.untried:
            lines.append(
                "the log holds no decisions for `none`: nothing over no contact is identified; the present rules decide "
                "whether, the model how and when, and `uplift` is no causal number"
            )
        return lines


def gather(portfolio: Portfolio, *, as_of_us: int, config: Config, packs: Packs, seed: int, progress: Say) -> Material:
    """Histories, training rows, their parts, and the decisions to judge policies on.

    Raises
    ------
    NoTrainingRows, TooShort
        The log holds too little.
    """
    progress("histories")
    histories = histories_of(portfolio, channels=config.grid.channels)
    known_us = known_until(last_fact_us(histories, as_of_us=as_of_us), as_of_us=as_of_us)
    if known_us < as_of_us:
        progress(
            f"the last fact is of {from_us(known_us):%Y-%m-%d}, before as_of: what was decided in the horizon before it is left out"
        )
    begin_us = later_from(portfolio, as_of_us=known_us, horizon_days=config.horizon.days)
    reference = learn_reference(histories, until_us=begin_us, config=config)
    progress("features of every decision")
    rows = training_rows(portfolio, histories, as_of_us=known_us, reference=reference, config=config)
    held_out = judged_debtors(histories.debtor_id, seed=seed)
    split = split_rows(rows, held_out, later_from_us=begin_us, horizon_days=config.horizon.days)
    judged = judged_decisions(portfolio, histories, as_of_us=known_us, debtors=held_out, config=config)
    return Material(histories, reference, rows, split, judged, as_of_us, config, packs, seed)


def train(material: Material, order: Order, *, workspace: Path, progress: Say) -> Trained:
    """Fit one recipe, judge it, record the run in MLflow and write its bundle to `models/<run>/`.

    Raises
    ------
    UnknownRecipe
        There is no recipe of that name.
    """
    fit = recipe(order.model)
    params = {
        **{key: str(value) for key, value in order.settings.items()},
        "model": order.model,
        "seed": str(material.seed),
    }
    tracking = Tracking(workspace)
    with tracking.run(order.model, params=params, tags=_tags(material, order)) as run_id:
        progress(f"fitting {order.model}")
        fitted = fit(material.rows, material.split, material.reference, order.settings, material.seed)
        progress(f"judging {order.model} on other debtors, later")
        judgement = _judged(material, fitted, order, run_id)
        bundle = _bundle(material, fitted, order, run_id, judgement)
        directory = write_bundle(bundle, workspace / "models" / run_id)
        pictures = {"calibration.svg": calibration_picture(judgement.bins)}
        if order.model == "lightgbm":
            pictures["importance.svg"] = importance_picture(fitted.shipped, material.rows.names)
        tracking.record(run_id, metrics=judgement.metrics(), bundle=directory, pictures=pictures)
    return Trained(run_id, order.model, directory, judgement, bundle.untried)


def _judged(material: Material, fitted: Fitted, order: Order, run_id: str) -> Judgement:
    draft = _bundle(material, fitted, order, run_id, None)
    again = decide_again(
        material.histories, material.judged, bundle=draft, config=material.config, packs=material.packs
    )
    value = policy_value(material.judged, again)
    return judge(fitted.model, material.rows, split=material.split, value=value)


def _bundle(material: Material, fitted: Fitted, order: Order, run_id: str, judgement: Judgement | None) -> Bundle:
    learn = material.split.learn
    shares = material.rows.share[learn & material.rows.paid]
    return Bundle(
        model_version=run_id,
        recipe=order.model,
        chooser=fitted.chooser,
        model=fitted.shipped if judgement else fitted.model,
        reference=material.reference,
        mean_share=float(shares.mean()) if len(shares) else 1.0,
        card=_card(material, order, judgement),
        constant=fitted.constant,
        untried=_untried(material.rows, material.reference.channels),
    )


def _untried(rows: TrainingRows, channels: tuple[str, ...]) -> tuple[str, ...]:
    """Channels, `none` included, with too few decisions to have learnt anything of them."""
    count = np.bincount(rows.channel[rows.channel >= 0], minlength=len(channels))
    return tuple(name for code, name in enumerate(channels) if count[code] < FEWEST_CONTACTS)


def _card(material: Material, order: Order, judgement: Judgement | None) -> dict[str, object]:
    decided_us, split = material.rows.decided_us, material.split
    return {
        "recipe": order.model,
        "settings": dict(order.settings),
        "seed": material.seed,
        "as_of": from_us(material.as_of_us).isoformat(),
        "learnt_from": from_us(int(decided_us[split.learn].min())).isoformat(),
        "learnt_until": from_us(int(decided_us[split.learn].max())).isoformat(),
        "judged_from": from_us(split.later_from_us).isoformat(),
        "rows": {name: int(np.sum(getattr(split, name))) for name in ("learn", "calibrate", "judge")},
        "horizon_days": material.config.horizon.days,
        "config": material.config.fingerprint,
        "none_rows_in_log": has_none_rows(material.histories),
        "metrics": judgement.metrics() if judgement else {},
        "policy_value_refused": judgement.value.refusal if judgement else "",
    }


def _tags(material: Material, order: Order) -> dict[str, str]:
    return {
        "portfolio": order.source,
        "as_of": from_us(material.as_of_us).isoformat(),
        "judged_from": from_us(material.split.later_from_us).isoformat(),
        "features": feature_fingerprint(material.histories.channels),
        "config": material.config.fingerprint,
        "rules": rules_version(material.packs),
    }
