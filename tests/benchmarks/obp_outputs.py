"""What obp 0.5.7 (Open Bandit Pipeline, Apache-2.0) gives for a log, as JSON. Runs in an environment that has obp.

    PYTHONPATH=. PYTHON tests/benchmarks/obp_outputs.py > tests/training/ope/obp_outputs.json
    PYTHONPATH=. PYTHON tests/benchmarks/obp_outputs.py --inputs log.npz

PYTHON is the interpreter of an environment of its own, made by

    pip install numpy scipy scikit-learn pandas matplotlib seaborn tqdm pyyaml torch
    pip install --no-deps --ignore-requires-python obp==0.5.7

(obp's own pins need Python below 3.11; of its requirements the estimators use numpy, scipy and scikit-learn alone, the
others are only imported.) Without arguments the log is that of `tests/training/ope/obp_inputs.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from obp.ope import estimators as single
from obp.ope import estimators_embed as embedded
from obp.ope import estimators_multi as multi
from obp.ope import estimators_tuning as tuning

from tests.training.ope.obp_inputs import (
    ACTIONS,
    CANDIDATES,
    CELLS,
    ROWS,
    SHRINKAGES,
    THRESHOLDS,
    Inputs,
    fingerprint,
    made_inputs,
)

FloatArray = npt.NDArray[np.float64]
TOLERATED_MISS = 0.05


def common(log: dict[str, Any]) -> dict[str, float]:
    """Estimators that need reward, action, pscore, action_dist and estimated rewards alone."""
    inputs = dict(log)
    model = inputs.pop("estimated_rewards_by_reg_model")
    both = {**inputs, "estimated_rewards_by_reg_model": model}
    dist = {"action_dist": inputs["action_dist"], "position": inputs["position"]}
    found = {
        "IPS": single.InverseProbabilityWeighting().estimate_policy_value(**inputs),
        "SNIPS": single.SelfNormalizedInverseProbabilityWeighting().estimate_policy_value(**inputs),
        "DM": single.DirectMethod().estimate_policy_value(**dist, estimated_rewards_by_reg_model=model),
        "DR": single.DoublyRobust().estimate_policy_value(**both),
        "SN-DR": single.SelfNormalizedDoublyRobust().estimate_policy_value(**both),
    }
    return {name: float(value) for name, value in found.items()}


def under(log: dict[str, Any], *, thresholds: tuple[float, ...], shrinkages: tuple[float, ...]) -> dict[str, float]:
    """Switch-DR and DR with optimistic shrinkage under given parameters."""
    switched = {
        f"Switch-DR {each:g}": single.SwitchDoublyRobust(lambda_=each).estimate_policy_value(**log)
        for each in thresholds
    }
    shrunk = {
        f"shrunk DR {each:g}": single.DoublyRobustWithShrinkage(lambda_=each).estimate_policy_value(**log)
        for each in shrinkages
    }
    return {name: float(value) for name, value in (switched | shrunk).items()}


def chosen(log: dict[str, Any], candidates: tuple[float, ...]) -> dict[str, float]:
    """Parameters that obp chooses, by SLOPE and by its estimate of the squared error."""
    classes = {"Switch-DR": tuning.SwitchDoublyRobustTuning, "shrunk DR": tuning.DoublyRobustWithShrinkageTuning}
    found = {}
    for name, kind in classes.items():
        for method in ("slope", "mse"):
            estimator = kind(
                lambdas=list(candidates), tuning_method=method, delta=TOLERATED_MISS, use_bias_upper_bound=False
            )
            estimator.estimate_policy_value(**log)
            found[f"{name} by {method}"] = float(estimator.best_hyperparam)
    return found


def by_cells(inputs: Inputs) -> dict[str, float]:
    """Marginalised estimators with the embedding's true distribution."""
    shares = np.eye(CELLS)[inputs.cell][:, :, None]
    given = {
        "reward": inputs.reward,
        "action": inputs.action,
        "action_embed": inputs.cell[inputs.action][:, None],
        "pi_b": inputs.logging[:, :, None],
        "action_dist": inputs.target[:, :, None],
        "context": np.zeros((ROWS, 1)),
        "p_e_a": shares,
        "position": np.zeros(ROWS, dtype=int),
    }
    plain = embedded.MarginalizedInverseProbabilityWeighting(n_actions=ACTIONS)
    normed = embedded.SelfNormalizedMarginalizedInverseProbabilityWeighting(n_actions=ACTIONS)
    return {
        "marginalised IPS": float(plain.estimate_policy_value(**given)),
        "marginalised SNIPS": float(normed.estimate_policy_value(**given)),
    }


def by_loggers(inputs: Inputs) -> dict[str, float]:
    """Estimators for several loggers."""
    share = np.bincount(inputs.logger) / ROWS
    pooled = inputs.of_logged(np.tensordot(share, inputs.loggers, axes=1))
    given = {"reward": inputs.reward, "action": inputs.action, "action_dist": inputs.target[:, :, None]}
    mixture = {**given, "pscore_avg": pooled}
    own = {**given, "pscore": inputs.of_logged(inputs.logging), "stratum_idx": inputs.logger}
    model = {"estimated_rewards_by_reg_model": inputs.predicted[:, :, None]}
    found = {
        "pooled IPS": multi.MultiLoggersBalancedInverseProbabilityWeighting().estimate_policy_value(**mixture),
        "pooled DR": multi.MultiLoggersBalancedDoublyRobust().estimate_policy_value(**mixture, **model),
        "IPS by precision": multi.MultiLoggersWeightedInverseProbabilityWeighting().estimate_policy_value(**own),
    }
    return {name: float(value) for name, value in found.items()}


def arguments(
    reward: FloatArray, action: FloatArray, *, chance: FloatArray, target: FloatArray, predicted: FloatArray
) -> dict[str, Any]:
    """A log under obp's names; it wants a last axis of positions."""
    return {
        "reward": reward,
        "action": action,
        "pscore": chance,
        "action_dist": target[:, :, None],
        "estimated_rewards_by_reg_model": predicted[:, :, None],
        "position": np.zeros(len(reward), dtype=int),
    }


def of_made() -> dict[str, float]:
    """All outputs on the seeded inputs."""
    inputs = made_inputs()
    chance = inputs.of_logged(inputs.logging)
    log = arguments(inputs.reward, inputs.action, chance=chance, target=inputs.target, predicted=inputs.predicted)
    found = common(log) | under(log, thresholds=THRESHOLDS, shrinkages=SHRINKAGES) | chosen(log, CANDIDATES)
    return {"fingerprint": fingerprint(inputs)} | found | by_cells(inputs) | by_loggers(inputs)


def of_file(path: Path) -> dict[str, float]:
    """Outputs on a stored log: reward, action, chance, target, predicted, threshold, shrinkage."""
    with np.load(path) as kept:
        log = arguments(
            kept["reward"],
            kept["action"],
            chance=kept["chance"],
            target=kept["target"],
            predicted=kept["predicted"],
        )
        parameters = float(kept["threshold"]), float(kept["shrinkage"])
    tuned = under(log, thresholds=parameters[:1], shrinkages=parameters[1:])
    return common(log) | {name.rsplit(" ", 1)[0]: value for name, value in tuned.items()}


def main() -> None:
    """Print the outputs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=Path, help="a log as written by open_bandit.py")
    given = parser.parse_args()
    json.dump(of_made() if given.inputs is None else of_file(given.inputs), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
