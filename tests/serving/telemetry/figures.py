"""The figures that an application gives, as Prometheus reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from serving.telemetry.telemetry import Telemetry
from tests.serving.telemetry.watched import NOW


def figures(text: str) -> dict[str, float]:
    """Each sample by its name and labels, as Prometheus reads it."""
    found = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
            found[f"{one.name}{{{labels}}}" if labels else one.name] = one.value
    return found


def read(told: Telemetry) -> dict[str, float]:
    return figures(told.text().decode())


def everything(told: Telemetry, word: str) -> None:
    """Every call, with one word wherever a word can be given."""
    told.request(word, word, status=200, seconds=0.004)
    told.rate_limited(word)
    told.sign_in_failed(word)
    told.decided({(word, word): 1}, blocks={word: 2}, reused=1, dry_runs=1)
    told.confirmed()
    told.refused(word)
    told.events({word: 1}, newest=NOW, duplicates=1)
    told.erased()
    told.fallback(word)
    told.model(word, word, promoted_at=NOW)
    told.bundle_refused(word)
    told.decide_group(3)
    told.write_group(3)
    told.base_portfolio(NOW)
    told.batch_mix({word: 1})
    told.calibration(0.2, 0.1, n=5)
    told.chain(ok=True)
    told.checks({word: True})
    told.disk_free(10)
