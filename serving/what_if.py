"""What another configuration would decide, beside today's: figures for a page, nothing logged, nothing kept."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.config import BadConfiguration, Config, parse_config
from data.log_place import LogPlace
from data.progress import Progress
from data.vocabulary import ARMS
from models.decide import Decided, settle
from models.limits import Allotted
from models.plan import Plan, outlook, plan_of, together
from serving.nightly import Night, allotted_for, night_of, told_of
from serving.nightly_told import Told

IntArray = npt.NDArray[np.int64]
Figures = dict[str, Any]

Z = 1.959964
"""Half-width of a 95 % interval of the normal distribution, in standard deviations."""


@dataclass(frozen=True)
class Both:
    """What both configurations decide for some debtors: `moved` counts debtors by channel today and then (C, C).

    `sd_eur2` is the variance of the difference of what is paid by debtors whose action differs.
    """

    today: Plan
    then: Plan
    moved: IntArray
    others: int
    sd_eur2: float


def plan_on_top(file: Path, today: Config) -> Config:
    """Today's configuration with what a TOML file says otherwise.

    Raises
    ------
    BadConfiguration
        It is no TOML, says what no configuration can, or changes the channels, the grid or the horizon: a model is made for those.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration(f"{file} is not TOML: {error}") from error
    then = parse_config(document, base=today)
    if (then.grid, then.horizon) != (today.grid, today.horizon):
        raise BadConfiguration(
            f"{file}: expected the grid and horizon of today's configuration: a model is made for them"
        )
    if then == today:
        raise BadConfiguration(f"{file} says nothing that today's configuration does not say already")
    return then


def what_if(
    directory: Path,
    plan: Path,
    *,
    as_of: datetime,
    workspace: Path,
    config: Config,
    progress: Progress,
    log_place: LogPlace | None = None,
) -> Figures:
    """Figures of tonight's decisions under today's configuration and under that of a file, as plain values.

    Both decide for the same debtors with the same model, rules and arms. Limits act in both as they would in the night.

    Raises
    ------
    BadConfiguration
        As `plan_on_top`.
    data.problems.BadPortfolio, models.bundle.NoChampion, models.bundle.OtherConfiguration
        As `serving.nightly.run_nightly`.
    """
    changed = plan_on_top(plan, config)
    today = night_of(workspace, as_of=as_of, config=config)
    then = replace(today, config=changed)
    with closing((log_place or LogPlace(workspace)).open()) as log, log.reading() as connection:
        told = told_of(connection, directory, workspace, today)
        limits = [allotted_for(night, told, progress=progress) for night in (today, then)]
        nights = [
            replace(night, limits=found.limits if found else None)
            for night, found in zip((today, then), limits, strict=True)
        ]
        both = _sum_of(list(_both(told, *nights, progress=progress)))
    progress("deciding", 1.0)
    return _figures(both, today, then, limits=(limits[0], limits[1])) | {"portfolio": directory.name, "plan": plan.name}


def _both(told: Told, today: Night, then: Night, *, progress: Progress) -> Iterator[Both]:
    count = len(told.shards)
    for number in range(count):
        histories = told.histories(number)
        for (share, one), (_, other) in zip(today.weighed(histories), then.weighed(histories), strict=True):
            progress("deciding", (number + share) / count)
            yield _compared(settle(one, today.limits), settle(other, then.limits))


def _compared(today: Decided, then: Decided) -> Both:
    channel = today.prepared.grid.channel.astype(np.int64)
    moved = np.zeros((len(today.prepared.grid.channels),) * 2, dtype=np.int64)
    np.add.at(moved, (channel[today.choice.action], channel[then.choice.action]), 1)
    other = today.choice.action != then.choice.action
    now, later = outlook(today), outlook(then)
    spread = now.sd_eur**2 + later.sd_eur**2
    return Both(plan_of(today, now), plan_of(then, later), moved, int(other.sum()), float(spread[other].sum()))


def _sum_of(parts: list[Both]) -> Both:
    if not parts:
        raise LookupError("nobody in this portfolio has an open claim at that moment: there is nothing to decide")
    return Both(
        together([one.today for one in parts]),
        together([one.then for one in parts]),
        np.sum([one.moved for one in parts], axis=0),
        sum(one.others for one in parts),
        sum(one.sd_eur2 for one in parts),
    )


def _figures(both: Both, today: Night, then: Night, *, limits: tuple[Allotted | None, Allotted | None]) -> Figures:
    more, half = float(both.then.with_eur - both.today.with_eur), Z * sqrt(both.sd_eur2)
    return {
        "as_of": today.as_of.isoformat(),
        "model": today.champion.recipe,
        "model_version": today.champion.model_version,
        "horizon_days": today.config.horizon.days,
        "calibration_error": today.champion.card.get("metrics", {}).get("calibration_error"),
        "channels": list(today.config.grid.channels),
        "hours": list(today.config.grid.hours),
        "changes": _changes(today.config.as_dict(), then.config.as_dict()),
        "sides": [
            _side("today", both.today, today.config, limits[0]),
            _side("with the plan", both.then, then.config, limits[1]),
        ],
        "difference": {
            "debtors": both.others,
            "paid": {"value": more, "low": more - half, "high": more + half},
            "value_eur": float(both.then.value_eur - both.today.value_eur),
            "moved": both.moved.tolist(),
        },
    }


def _side(name: str, plan: Plan, config: Config, limits: Allotted | None) -> Figures:
    value, half = float(plan.with_eur), Z * sqrt(float(plan.spread_eur2))
    return {
        "name": name,
        "debtors": int(plan.debtors),
        "claims": int(plan.claims),
        "contacts": plan.contacts,
        "by_channel": dict(zip(config.grid.channels, plan.by_channel.tolist(), strict=True)),
        "by_hour": plan.by_hour.tolist(),
        "by_arm": dict(zip(ARMS, plan.by_arm.tolist(), strict=True)),
        "explored": int(plan.explored),
        "displaced": int(plan.displaced),
        "paid": {"value": value, "low": max(value - half, 0.0), "high": value + half},
        "without_eur": float(plan.without_eur),
        "added_eur": plan.added_eur,
        "cost_eur": float(plan.cost_eur),
        "harm_eur": float(plan.harm_eur),
        "value_eur": float(plan.value_eur),
        "annoyed": plan.annoyed_expected,
        "limits": limits.as_dict() if limits else None,
    }


def _changes(today: Figures, then: Figures, where: str = "") -> list[Figures]:
    """Settings that differ, each with both values."""
    found: list[Figures] = []
    for key in sorted({*today, *then}):
        one, other, place = today.get(key), then.get(key), f"{where}.{key}" if where else key
        if isinstance(one, dict) and isinstance(other, dict):
            found += _changes(one, other, place)
        elif one != other:
            found.append({"setting": place.replace(".rows.", "."), "today": one, "then": other})
    return found
