"""What readiness looks at. Each takes what it needs as a function, so that nothing here knows the store or the models."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from serving.telemetry.draining import Draining
from serving.telemetry.readiness import Check, Probe, Timed, guarded

STORE_LIMIT_S = 1.0
LEAST_FREE_BYTES = 500_000_000


def store_writable(beat: Callable[[], object], *, limit_s: float = STORE_LIMIT_S) -> Probe:
    """The store takes a row within the limit; `beat` writes one."""
    return Timed("store_writable", beat, limit_s=limit_s, remedy="look at the data base and at the disk")


def champion_loaded(current: Callable[[], object]) -> Probe:
    """There is a champion to decide with; `current` raises where there is none."""
    return partial(guarded, "champion_loaded", current, remedy="rettid train, then rettid promote")


def configuration_fits(fit: Callable[[], object]) -> Probe:
    """The models were trained for the configuration in force; `fit` raises where they were not."""
    remedy = "train and promote for this configuration, or take back the change in rettid.toml"
    return partial(guarded, "configuration_fits", fit, remedy=remedy)


def packs_read(countries: Callable[[], int], notices: Callable[[], Sequence[str]]) -> Probe:
    """There is a rule pack at all; a country's own pack that was refused is told and leaves the others at work."""

    def probe() -> Check:
        if countries() == 0:
            return Check("packs_read", ok=False, detail="no rule pack is in force: rettid rules check")
        refused = len(notices())
        return Check("packs_read", ok=True, detail=f"{refused} to look at: rettid rules check" if refused else "")

    return probe


def disk_space(folder: Path, *, told: Callable[[int], object], at_least_bytes: int = LEAST_FREE_BYTES) -> Probe:
    """The workspace's disk has room; `told` is given what is left (`Telemetry.disk_free`)."""

    def probe() -> Check:
        try:
            free = shutil.disk_usage(folder).free
        except OSError as error:
            return Check("disk_space", ok=False, detail=f"{type(error).__name__}: look at the disk of the workspace")
        told(free)
        detail = f"{free // 1_000_000:,} MB left, {at_least_bytes // 1_000_000:,} wanted"
        return Check("disk_space", ok=free >= at_least_bytes, detail=detail)

    return probe


def warm(is_warm: Callable[[], bool]) -> Probe:
    """The kernels are compiled: before, the first decisions would take seconds."""

    def probe() -> Check:
        ok = is_warm()
        return Check("warm", ok=ok, detail="" if ok else "kernels are being compiled: wait a minute")

    return probe


def not_draining(draining: Draining) -> Probe:
    """No stop was asked for."""

    def probe() -> Check:
        return Check("not_draining", ok=not draining.active, detail="stopping" if draining.active else "")

    return probe
