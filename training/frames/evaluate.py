"""What a decision log frame says about policies: arms, the logging policy, a learned one, the SPEC's target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.decision_frame import DecisionFrame
from data.frame_table import FloatArray, IntArray
from training.frames.cells import cells_of
from training.frames.estimates import Log, Model
from training.frames.evaluation import EvaluateResult, Gain, NaiveMean
from training.frames.leakage import CERTAIN, moved_by_action, telling
from training.frames.learn import last_by_time
from training.frames.outcome import FOLDS, TooSmall, cross_fit, predict_each, rows_of, unit_folds
from training.frames.policy import arm_levels, choose, trust_in
from training.frames.values import PolicyValue, arm_value, policy_value
from training.ope.anytime import anytime_interval
from training.ope.estimators import dr
from training.ope.intervals import bootstrap_interval, normal_interval


def evaluate_frame(frame: DecisionFrame, *, seed: int) -> EvaluateResult:
    """Values of policies on the frame, or why it gives none.

    Raises
    ------
    TooFewUnits
        Fewer than two units.
    """
    frame = frame.rows(~frame.censored)
    probability = frame.action_probability
    if probability is None or np.isnan(probability).all():
        return _describe(frame)
    logged = ~np.isnan(probability)
    notices = [str(notice) for notice in frame.notices]
    if not logged.all():
        notices.append(f"{int((~logged).sum()):,} rows without action_probability are left out of every value")
    frame = frame.rows(logged)
    log = Log(frame.action, probability[logged], frame.reward, frame.unit)
    arms = _arms(frame, log)
    judged = _judged(frame, log, arms=arms, seed=seed)
    return EvaluateResult(
        file=frame.file.name,
        reward=frame.spec.reward.column,
        identified=True,
        logging=normal_interval(frame.reward, frame.unit),
        rows=len(frame),
        naive=(),
        arms=arms,
        learned=judged.learned,
        gain=judged.gain,
        why_no_policy=judged.why,
        target=judged.target,
        on_policy=None if frame.on_policy is None else normal_interval(*frame.on_policy),
        notices=tuple(notices),
    )


def _describe(frame: DecisionFrame) -> EvaluateResult:
    """Naive means by action, most frequent first, and nothing that sounds like an effect."""
    count = np.bincount(frame.action, minlength=len(frame.actions))
    sums = np.bincount(frame.action, frame.reward, len(frame.actions))
    order = [int(i) for i in np.argsort(-count, kind="stable") if count[i] > 0]
    return EvaluateResult(
        file=frame.file.name,
        reward=frame.spec.reward.column,
        identified=False,
        logging=normal_interval(frame.reward, frame.unit),
        rows=len(frame),
        naive=tuple(NaiveMean(frame.actions[i], int(count[i]), float(sums[i] / count[i])) for i in order),
        arms=(),
        learned=None,
        gain=None,
        why_no_policy="",
        target=None,
        on_policy=None,
        notices=tuple(str(notice) for notice in frame.notices),
    )


def _arms(frame: DecisionFrame, log: Log) -> tuple[PolicyValue, ...]:
    """Each action given to all, the most frequent first."""
    count = np.bincount(frame.action, minlength=len(frame.actions))
    order = np.argsort(-count, kind="stable")
    return tuple(arm_value(log, int(i), name=frame.actions[i]) for i in order)


@dataclass(frozen=True)
class Judged:
    """Values that need a model of the reward."""

    learned: PolicyValue | None
    gain: Gain | None
    target: PolicyValue | None
    why: str


@dataclass(frozen=True)
class Predictions:
    """Cross-fitted rewards of every action, shape (n, A), and the learned policy's action, shape (n,)."""

    each: FloatArray
    chosen: IntArray


def _judged(frame: DecisionFrame, log: Log, *, arms: tuple[PolicyValue, ...], seed: int) -> Judged:
    afterwards = _afterwards(frame, log, seed=seed)
    if afterwards:
        what = f"{', '.join(afterwards)} alone all but tell the reward, as what is known only afterwards does"
        remedy = "leave them out, or declare them known_before"
        return Judged(None, None, _target(frame, log, None), f"{what}; {remedy}")
    try:
        predictions = predict(frame, log, seed=seed)
    except TooSmall as error:
        return Judged(None, None, _target(frame, log, None), str(error))
    target = _target(frame, log, predictions)
    if len(frame.actions) < 2:
        return Judged(None, None, target, "one action only: there is nothing to choose from")
    learned = _learned(frame, log, predictions)
    gain, why = _gain(frame, log, arms, predictions, seed=seed) if not learned.refused else (None, "")
    return Judged(learned, gain, target, why)


def _afterwards(frame: DecisionFrame, log: Log, *, seed: int) -> tuple[str, ...]:
    """Features that alone all but tell the reward and that actions moved: with one of them DR values all alike."""
    if frame.time_us is None:
        held = unit_folds(frame.unit, FOLDS, seed=seed) == 0
    else:
        held = last_by_time(frame.time_us)
    known = frame.spec.context.known_before
    return tuple(
        found.feature
        for found in telling(rows_of(frame), held, frame.context, known_before=known)
        if found.alone >= CERTAIN or moved_by_action(found.score, log.action, 1 / log.action_probability, log.unit)
    )


def predict(frame: DecisionFrame, log: Log, *, seed: int) -> Predictions:
    """Rewards of every action by models that have not seen the row's unit, and the policy learnt without it.

    Raises
    ------
    TooSmall
        Fewer rows or units than a fit needs.
    """
    each = np.zeros((len(frame), len(frame.actions)))
    folds = []
    for fold in cross_fit(frame, seed=seed):
        each[fold.held] = predict_each(fold.outcome, frame.rows(fold.held))
        folds.append(fold.held)
    chosen = np.zeros(len(frame), dtype=np.int64)
    weight = 1 / log.action_probability
    residual = weight * (log.reward - each[np.arange(len(frame)), log.action])
    for held in folds:
        seen = ~held
        level = arm_levels(log.action[seen], log.reward[seen], weight[seen], actions=len(frame.actions))
        trust = trust_in(each[seen], log.action[seen], residual[seen])
        chosen[held] = choose(each[held], level, trust=trust)
    return Predictions(each, chosen)


def _learned(frame: DecisionFrame, log: Log, predictions: Predictions) -> PolicyValue:
    """Value of the learned policy, which takes one action per row."""
    chosen, cells = predictions.chosen, cells_of(frame)
    row, marginal = np.arange(len(chosen)), None
    if cells is not None:
        marginal = cells.marginal(np.eye(len(frame.actions))[chosen], frame.action, each=predictions.each)
    return policy_value(
        log,
        (log.action == chosen).astype(np.float64),
        model=Model(predictions.each[row, log.action], predictions.each[row, chosen]),
        marginal=marginal,
        name="learned policy",
    )


def _target(frame: DecisionFrame, log: Log, predictions: Predictions | None) -> PolicyValue | None:
    target = frame.target
    if target is None:
        return None
    chances, cells = target.table[target.row], cells_of(frame)
    each, model = None if predictions is None else predictions.each, None
    if predictions is not None:
        expected = np.einsum("na,na->n", chances, predictions.each)
        model = Model(predictions.each[np.arange(len(frame)), frame.action], expected)
    return policy_value(
        log,
        target.of_logged(frame.action),
        model=model,
        marginal=None if cells is None else cells.marginal(chances, frame.action, each=each),
        name=target.name,
        unlogged_mass=target.unlogged_mass,
        bounds=frame.spec.support,
    )


def _gain(
    frame: DecisionFrame, log: Log, arms: tuple[PolicyValue, ...], predictions: Predictions, *, seed: int
) -> tuple[Gain | None, str]:
    """The learned policy's gain over the action that does best given to all, by DR."""
    known = {arm.name: interval.value for arm in arms if (interval := arm.of("SNIPS")) is not None}
    if not known:
        return None, "no action has a value of its own to compare with"
    best = max(known, key=lambda name: known[name])
    constant = np.full(len(frame), frame.actions.index(best))
    difference = _dr_rows(log, predictions, predictions.chosen) - _dr_rows(log, predictions, constant)
    resampled = bootstrap_interval(difference, log.unit, rng=np.random.default_rng(seed))
    return Gain(best, normal_interval(difference, log.unit), resampled, anytime_interval(difference, log.unit)), ""


def _dr_rows(log: Log, predictions: Predictions, chosen: IntArray) -> FloatArray:
    row = np.arange(len(chosen))
    weight = (log.action == chosen) / log.action_probability
    predicted = predictions.each[row, log.action]
    return dr(log.reward, weight, predicted=predicted, expected=predictions.each[row, chosen])
