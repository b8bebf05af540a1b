"""`rettid train`: rows of a portfolio, fit, calibrate, judge on the later part, record, write a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from data.progress import Say
from data.times import from_us
from data.vocabulary import NONE
from features.histories import has_none_rows
from models.bundle import Bundle, write_bundle
from models.decide import Decided
from training.compare import CONTRIBUTIONS, EVIDENCE, GATE, kept_contributions
from training.fit import Fitted, Setting, recipe
from training.gate.contributions import CONTROL, Difference, OtherDecisions, difference
from training.gate.gather import Gathered, gather_evidence, write_evidence
from training.gate.rivals import Rival, champion_part, present_champion
from training.judge import Judgement, judge
from training.material import Material, gather
from training.policy_tree import LearntTree, fit_tree, with_tree
from training.policy_value import decide_again, policy_value
from training.recipes.amounts import Amounts, learn_amounts, mean_share
from training.rows import TrainingRows
from training.run_record import data_used, pictures, tags_of, texts_of
from training.segments import learn_segments
from training.tracking import Tracking

__all__ = ["Material", "Order", "Trained", "gather", "train"]

FEWEST_CONTACTS = 30
"""Logged decisions for a channel below which a model never chooses it."""


@dataclass(frozen=True)
class Order:
    """Which recipe to train, with which settings; `source` names the portfolio in the run's tags, `study` its tuning."""

    model: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    source: str = ""
    study: str = ""


@dataclass(frozen=True)
class Trained:
    """A run and what was found."""

    run_id: str
    model: str
    directory: Path
    judgement: Judgement
    untried: tuple[str, ...]
    over_control: Difference | None = None
    tree: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

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
            *self._control_lines(),
            *self.tree,
            *self.notes,
            *self._untried_lines(),
            f"bundle {self.directory}",
        ]

    def _control_lines(self) -> list[str]:
        if self.over_control is None:
            return []
        gain = self.over_control.gain
        return [f"over the present rules: {gain.value:+.2f} EUR a decision (95 %: {gain.low:+.2f} to {gain.high:+.2f})"]

    def _untried_lines(self) -> list[str]:
        others = [name for name in self.untried if name != NONE]
        lines = [f"hardly in the log, so never chosen by the model: {', '.join(others)}"] if others else []
        if NONE in self.untried:
            lines.append(
                "the log holds no decisions for `none`: nothing over no contact is identified; the present rules decide "
                "whether, the model how and when, and `uplift` is no causal number"
            )
        return lines


def train(material: Material, order: Order, *, workspace: Path, progress: Say) -> Trained:
    """Fit one recipe, judge it, record the run in MLflow and write its bundle to `models/<run>/`.

    Raises
    ------
    UnknownRecipe
        There is no recipe of that name.
    """
    tracking = Tracking(workspace)
    with tracking.run(order.model, params=_params(material, order), tags=tags_of(material, order.source)) as run_id:
        progress(f"fitting {order.model}")
        fitted, tree = _fit(material, order, progress)
        amounts = _amounts(material, fitted)
        progress(f"judging {order.model} on other debtors, later")
        again, judgement = _judged(material, fitted, order, run_id, amounts, tree)
        gathered = gather_evidence(
            material, order.model, settings=order.settings, decided=again, judgement=judgement,
            rival=_rival(material, workspace, again),
        )  # fmt: skip
        bundle = _bundle(material, fitted, order, run_id, judgement, amounts, tree)
        bundle = replace(bundle, segments=learn_segments(material.rows, material.split.learn))
        drawn = pictures(material, fitted, again, judgement)
        directory = write_bundle(bundle, workspace / "models" / run_id)
        over = _over_control(gathered)
        tracking.record(run_id, metrics=judgement.metrics() | _gained(over), bundle=directory, pictures=drawn)
        _keep(tracking, run_id, material, order, gathered)
    return Trained(
        run_id,
        order.model,
        directory,
        judgement,
        bundle.untried,
        over,
        tuple(tree.lines()) if tree else (),
        fitted.notes,
    )


def _fit(material: Material, order: Order, progress: Say) -> tuple[Fitted, LearntTree | None]:
    """What the recipe makes; of a tree its base's model, and the tree that chooses in its place."""
    if order.model == "tree":
        channels = material.reference.channels
        untried = _untried(material.rows, channels)
        return fit_tree(material.drawn, material, settings=order.settings, untried=untried, progress=progress)
    fit = recipe(order.model)
    return fit(material.rows, material.split, material.reference, order.settings, material.seed), None


def _params(material: Material, order: Order) -> dict[str, str]:
    settings = {key: str(value) for key, value in order.settings.items()}
    return {**settings, "model": order.model, "seed": str(material.seed)}


def _amounts(material: Material, fitted: Fitted) -> Amounts:
    """How much a payer pays: learnt for what chooses by value, and kept if it is better; else the mean."""
    rows, split = material.rows, material.split
    if fitted.chooser != "value":
        return Amounts(mean_share(rows, split), None, None, "the choice does not go by value")
    return learn_amounts(rows, split, reference=material.reference, seed=material.seed)


def _judged(
    material: Material, fitted: Fitted, order: Order, run_id: str, amounts: Amounts, tree: LearntTree | None
) -> tuple[Decided, Judgement]:
    draft = _bundle(material, fitted, order, run_id, None, amounts, tree)
    again = decide_again(
        material.histories, material.judged, bundle=draft, config=material.config, packs=material.packs
    )
    value = policy_value(material.judged, again)
    return again, judge(fitted.model, material.rows, split=material.split, value=value)


def _rival(material: Material, workspace: Path, again: Decided) -> Rival:
    """The present champion on the judged decisions."""
    champion, why = present_champion(workspace, material.config)
    if champion is None or not len(material.judged.debtor):
        return Rival("", why, None)
    stored = kept_contributions(workspace, champion.model_version)
    return champion_part(champion, stored, material=material, again=again)


def _over_control(gathered: Gathered) -> Difference | None:
    """What the run earns more than the present rules, None where the log bears no number."""
    if gathered.evidence.value_refused:
        return None
    try:
        return difference(gathered.contributions, gathered.contributions, others=CONTROL)
    except OtherDecisions:
        return None


def _gained(over: Difference | None) -> dict[str, float]:
    if over is None:
        return {}
    gain = over.gain
    return {"gain_eur": gain.value, "gain_low_eur": gain.low, "gain_high_eur": gain.high}


def _keep(tracking: Tracking, run_id: str, material: Material, order: Order, gathered: Gathered) -> None:
    """Evidence, contributions, signature and example among the run's files; which data it learnt from."""
    with TemporaryDirectory() as folder:
        write_evidence(gathered, Path(folder), names=(EVIDENCE, CONTRIBUTIONS))
        tracking.keep(run_id, Path(folder), place=GATE)
    for name, text in texts_of(material).items():
        tracking.text(run_id, name, text)
    study = {"study": order.study} if order.study else {}
    tracking.figures(run_id, gathered.evidence.metrics(), tags=study)
    tracking.used(run_id, data_used(material, order.source))


def _bundle(
    material: Material,
    fitted: Fitted,
    order: Order,
    run_id: str,
    judgement: Judgement | None,
    amounts: Amounts,
    tree: LearntTree | None,
) -> Bundle:
    draft = Bundle(
        model_version=run_id,
        recipe=order.model,
        chooser=fitted.chooser,
        model=fitted.shipped if judgement else fitted.model,
        reference=material.reference,
        mean_share=amounts.mean_share,
        card={**_card(material, order, judgement), "amounts": amounts.as_dict(), "notes": fitted.notes},
        constant=fitted.constant,
        untried=_untried(material.rows, material.reference.channels),
        usual=material.usual,
        share_model=amounts.model,
    )
    return with_tree(draft, tree) if tree else draft


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
