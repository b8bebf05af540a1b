"""What the gate looked at when a model was promoted: every check with its figure and what it asks."""

from __future__ import annotations

from collections.abc import Iterator

from training.gate.calibration import CalibrationSlice
from training.gate.evidence import Evidence
from training.gate.fairness import HIGHEST_RATIO, Pressure
from training.gate.leakage import ALARM
from training.gate.verdict import HIGHEST_ERROR, HIGHEST_SLICE_ERROR, MARGIN
from training.ope.intervals import Interval as Judged
from training.reports.blocks import Column, Kind, Name, Row, Table, Text
from training.reports.model_card import Card
from training.reports.withholding import quantity
from training.trials.intervals import Interval

BY = ("age", "sex", "area")
"""Ways to group debtors that have a word of their own."""


def gate_table(card: Card, evidence: Evidence) -> Table:
    """Every check of the gate that has a figure, with what it asks."""
    rows = [
        *_worth(card),
        *(_calibration(one) for one in evidence.calibration),
        *(_pressure(one) for one in evidence.pressure),
        *_leakage(evidence),
        _check("barred", Text("model.gate.barred"), evidence.barred, (0, Kind.COUNT), failed=evidence.barred > 0),
    ]
    columns = tuple(Column(key, Text(f"model.gate.{key}")) for key in ("found", "asked", "state"))
    return Table("gate", Text("model.gate.caption"), Text("model.gate.check"), columns, tuple(rows))


def _check(key: str, title: Text, found: float, most: tuple[float, Kind], *, failed: bool) -> Row:
    """A check whose figure may not exceed a limit."""
    limit, kind = most
    asked = Text("model.gate.at_most", {"limit": quantity(kind, limit)})
    return Row(key, title, (quantity(kind, found), asked, _state(failed)), strong=failed)


def _state(failed: bool) -> Text:
    return Text("model.gate.failed" if failed else "model.gate.met")


def _worth(card: Card) -> Iterator[Row]:
    """The value against the present rules; a promotion may have been held against a champion before this one as well."""
    if card.gain is not None:
        least = -MARGIN * abs(card.gain.other.value)
        found = quantity(Kind.SIGNED_MONEY, plain(card.gain.gain))
        asked = Text("model.gate.lower_end", {"limit": quantity(Kind.SIGNED_MONEY, least)})
        failed = card.gain.gain.low < least
        yield Row("worth", Text("model.gate.worth"), (found, asked, _state(failed)), strong=failed)


def _calibration(one: CalibrationSlice) -> Row:
    limit = HIGHEST_ERROR if one.name == "all" else HIGHEST_SLICE_ERROR
    part = Text("model.gate.all") if one.name == "all" else Name(one.name)
    title = Text("model.gate.calibration", {"part": part})
    return _check(f"calibration {one.name}", title, one.error, (limit, Kind.SHARE), failed=one.error > limit)


def _pressure(one: Pressure) -> Row:
    title = Text("model.gate.pressure", {"by": Text(f"model.by.{one.by}") if one.by in BY else Name(one.by)})
    return _check(f"pressure {one.by}", title, one.ratio, (HIGHEST_RATIO, Kind.NUMBER), failed=one.too_high)


def _leakage(evidence: Evidence) -> Iterator[Row]:
    """No feature, and not all together, may tell outcomes better than anything known beforehand can."""
    telling = Text("model.gate.telling", {"name": Name(evidence.telling.feature)})
    for key, title, auc in (("auc", Text("model.gate.auc"), evidence.auc), ("telling", telling, evidence.telling.auc)):
        yield _check(key, title, auc, (ALARM, Kind.NUMBER), failed=auc > ALARM)


def plain(found: Judged) -> Interval:
    """An interval of off-policy evaluation as pages show it."""
    return Interval(found.value, found.low, found.high)
