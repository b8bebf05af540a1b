"""The figures as Prometheus reads them: those kept, and those that follow from them at the moment of reading.

Ages follow from moments and shares from counts, because moments and counts of several workers can be put together.

With several workers, each keeps its values in files of a folder that the variable `PROMETHEUS_MULTIPROC_DIR` names. It
must be set before the client library is imported: `serving.run` sets it before the workers start.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, multiprocess
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = CONTENT_TYPE_LATEST

AGES = {
    "rettid_model_promoted_timestamp_seconds": ("rettid_model_age_seconds", "Since the model was promoted"),
    "rettid_newest_event_timestamp_seconds": ("rettid_newest_event_age_seconds", "Since the newest event came"),
    "rettid_base_portfolio_timestamp_seconds": ("rettid_base_portfolio_age_seconds", "Of the base portfolio"),
}
SHARES = {
    "rettid_recent_decisions": ("rettid_policy_share", "Share of each channel in the last decisions"),
    "rettid_batch_decisions": ("rettid_batch_policy_share", "Share of each channel in the last batch"),
}


class Derived(Collector):
    """What another collector gives, with ages and shares beside it."""

    def __init__(self, inner: CollectorRegistry, at: datetime) -> None:
        self._inner = inner
        self._now_s = at.timestamp()

    def collect(self) -> Iterator[Metric]:
        """Each family, and what follows from it."""
        for family in self._inner.collect():
            family.samples = [one for one in family.samples if _told(family.name, one)]
            yield family
            if family.name in AGES:
                yield self._ages(family)
            if family.name in SHARES:
                yield _shares(family)

    def _ages(self, family: Metric) -> Metric:
        ages = ((one.labels, max(self._now_s - one.value, 0.0)) for one in family.samples)
        return _gauge(AGES[family.name], ages)


def _told(family: str, one: Sample) -> bool:
    """Whether a sample says something: no moment of making, no value that was never told."""
    never = math.isnan(one.value) or (family in AGES and one.value == 0)
    return not never and not one.name.endswith("_created")


def _shares(family: Metric) -> Metric:
    total = sum(one.value for one in family.samples)
    return _gauge(SHARES[family.name], ((one.labels, one.value / total) for one in family.samples if total))


def _gauge(named: tuple[str, str], values: Iterable[tuple[Mapping[str, str], float]]) -> Metric:
    family = GaugeMetricFamily(*named)
    for labels, value in values:
        family.add_sample(named[0], dict(labels), value)
    return family


def exposed(own: CollectorRegistry, at: datetime) -> bytes:
    """All figures in Prometheus' text form: of all workers where there are several, else of this process."""
    folder = os.environ.get(FOLDER)
    source = own
    if folder:
        source = CollectorRegistry()
        multiprocess.MultiProcessCollector(source, path=folder)  # type: ignore[no-untyped-call] # it has no types
    whole = CollectorRegistry()
    whole.register(Derived(source, at))
    return generate_latest(whole)


def make_folder(folder: Path) -> dict[str, str]:
    """An empty folder for the workers' values, and the variable to set before they start.

    Called once by the process that starts them: values of an earlier start would be counted again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.db"):
        old.unlink()
    return {FOLDER: str(folder)}


def forget_ended_workers() -> None:
    """Takes out the gauges of workers that are no more; called by each worker at its start, nothing without a folder."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    for path in Path(folder).glob("gauge_live*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdecimal() and not _alive(int(pid)):
            path.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
