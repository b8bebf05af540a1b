"""Tables and charts of arms and their gain, which several pages show."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from data.vocabulary import ARMS, CHANNELS
from training.reports.blocks import (
    Chart,
    Column,
    Kind,
    Name,
    Point,
    Quantity,
    Row,
    Series,
    Shape,
    Table,
    Text,
)
from training.reports.cohorts import Cohort, Known
from training.reports.experiment import CHAMPION, CONTROL, Totals, claims_paid, share_paid
from training.reports.gains import Comparison, Gain, hidden_arms
from training.reports.withholding import quantity, withheld, withheld_in_table
from training.trials.intervals import Interval, mean_interval, never_negative

KINDS = {"debtors_paid": Kind.POINTS, "claims_paid": Kind.POINTS, "contacts": Kind.SIGNED}
"""Of measures that are not money."""


def kind_of(measure: str) -> Kind:
    """How a gain in the measure is shown."""
    return KINDS.get(measure, Kind.SIGNED_MONEY)


def arm_title(arm: int) -> Text:
    """An arm in words."""
    return Text(f"arm.{ARMS[arm]}")


def channel_title(channel: str) -> Text | Name:
    """A channel in words; one that a deployment has added by its name."""
    return Text(f"channel.{channel}") if channel in CHANNELS else Name(channel)


def hidden(two: Comparison) -> bool:
    """Whether an arm of the comparison is too small to be shown, or withheld lest a smaller one can be worked out."""
    return two.hidden


def days_of(two: Comparison) -> Quantity:
    """The horizon, as it is shown."""
    return Quantity(Kind.DAYS, two.days)


def gain_table(two: Comparison, gains: dict[str, Gain]) -> Table:
    """Gain in every measure: as it is, adjusted, and for daily looks."""
    ways = ("always", "adjusted", "raw")
    rows = tuple(
        Row(
            measure,
            Text(f"measure.{measure}"),
            tuple(quantity(kind_of(measure), getattr(gain, way), withheld=hidden(two)) for way in ways),
            strong=measure == "recovered",
        )
        for measure, gain in gains.items()
    )
    columns = tuple(Column(way, Text(f"gains.{way}"), bars=False) for way in ways)
    caption = Text(
        "gains.table.caption", {"days": days_of(two), "cap": quantity(Kind.MONEY, two.cap_eur, withheld=hidden(two))}
    )
    return Table("gains", caption, Text("gains.measure"), columns, rows)


def gain_chart(two: Comparison, gains: dict[str, Gain]) -> Chart:
    """Gain in money with its intervals for daily looks, one below the other."""
    points = tuple(
        Point(Text(f"measure.{one}"), quantity(Kind.SIGNED_MONEY, gains[one].always, withheld=hidden(two)))
        for one in ("recovered", "recovered_cut", "net", "net_cut")
    )
    return Chart(
        "gains_chart",
        Shape.INTERVALS,
        Text("gains.chart.title"),
        Text("gains.chart.caption", {"days": days_of(two)}),
        Text("gains.measure"),
        Text("gains.per_debtor"),
        (Series("champion", Text("gains.difference"), points),),
    )


HORIZON_COLUMNS = (
    ("recovered", "always"),
    ("recovered", "raw"),
    ("recovered_cut", "raw"),
    ("debtors_paid", "adjusted"),
    ("claims_paid", "raw"),
)


def horizon_table(each: list[tuple[Comparison, dict[str, Gain]]]) -> Table:
    """Gain by days after the first decision, with how many debtors were followed for so long."""
    counts = ("champion", "control", "waiting")
    columns = tuple(Column(one, Text(f"gains.{one}")) for one in counts)
    columns += tuple(
        Column(f"{measure}_{way}", Text(f"gains.{measure}_{way}"), bars=measure == "recovered" and way == "always")
        for measure, way in HORIZON_COLUMNS
    )
    rows = []
    for two, gains in each:
        sizes = np.array([int(two.treated.sum()), int((~two.treated).sum()), two.waiting])
        gone = (withheld(sizes) | np.array([two.hidden, two.hidden, False])).tolist()
        cells = [quantity(Kind.COUNT, float(one), withheld=hide) for one, hide in zip(sizes, gone, strict=True)]
        cells += [
            quantity(kind_of(measure), getattr(gains[measure], way), withheld=hidden(two))
            for measure, way in HORIZON_COLUMNS
        ]
        rows.append(Row(f"{two.days}", Text("gains.days", {"days": days_of(two)}), tuple(cells)))
    return Table("horizons", Text("gains.horizons.caption"), Text("gains.horizon"), columns, tuple(rows))


def horizon_chart(each: list[tuple[Comparison, dict[str, Gain]]]) -> Chart:
    """Gain in recovered money by days after the first decision."""
    points = tuple(
        Point(
            Text("gains.days", {"days": days_of(two)}),
            quantity(Kind.SIGNED_MONEY, gains["recovered"].always, withheld=hidden(two)),
        )
        for two, gains in each
    )
    return Chart(
        "horizons_chart",
        Shape.INTERVALS,
        Text("gains.horizons.title"),
        Text("gains.horizons.chart"),
        Text("gains.horizon"),
        Text("gains.per_debtor"),
        (Series("champion", Text("gains.difference"), points),),
    )


def arm_table(found: Totals, *, days: int) -> Table:
    """What came of the debtors of each arm within the days."""
    sizes = np.bincount(found.arm, minlength=len(ARMS))
    hide = hidden_arms(sizes)
    rows = tuple(
        Row(ARMS[arm], arm_title(arm), _arm_cells(found.of(arm), hide=bool(hide[arm])))
        for arm in np.flatnonzero(sizes).tolist()
    )
    columns = tuple(Column(one, Text(f"arms.{one}")) for one in ARM_COLUMNS)
    caption = Text("arms.caption", {"days": Quantity(Kind.DAYS, days)})
    return Table("arms", caption, Text("arms.arm"), columns, rows)


ARM_COLUMNS = ("debtors", "debtors_paid", "claims_paid", "recovered", "per_debtor", "contacts", "cost", "net")


def _arm_cells(found: Totals, *, hide: bool) -> tuple[Quantity, ...]:
    return (
        quantity(Kind.COUNT, len(found.arm), withheld=hide),
        quantity(Kind.SHARE, share_paid(found), withheld=hide),
        quantity(Kind.SHARE, claims_paid(found), withheld=hide),
        quantity(Kind.MONEY, float(found.recovered_eur.sum()), withheld=hide),
        quantity(Kind.MONEY, never_negative(mean_interval(found.recovered_eur)), withheld=hide),
        quantity(Kind.NUMBER, _mean(found.contacts), withheld=hide),
        quantity(Kind.MONEY, _mean(found.cost_eur), withheld=hide),
        quantity(Kind.MONEY, _mean(found.net_eur), withheld=hide),
    )


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def cohort_blocks(found: tuple[Cohort, ...]) -> tuple[Chart, Table]:
    """Recovered money per debtor by the week or month of the first decision, drawn for two arms, told for all."""
    begins = sorted({one.begins for one in found})
    arms = sorted({one.arm for one in found})
    cell = {(one.begins, one.arm): one for one in found}
    sizes = np.array([[cell[begin, arm].debtors for arm in arms] for begin in begins])
    whole = np.zeros(len(ARMS), dtype=np.int64)
    whole[arms] = sizes.sum(axis=0)
    hide = withheld_in_table(sizes) | hidden_arms(whole)[arms]
    shown = [arm for arm in arms if arm in (CONTROL, CHAMPION)] or arms
    series = tuple(
        Series(
            ARMS[arm], arm_title(arm), _cohort_points([cell[begin, arm] for begin in begins], hide[:, arms.index(arm)])
        )
        for arm in shown
    )
    chart = Chart(
        "cohorts_chart",
        Shape.LINES,
        Text("cohorts.title"),
        Text("cohorts.caption"),
        Text("cohorts.begins"),
        Text("arms.per_debtor"),
        series,
    )
    return chart, _cohort_table(cell, begins, arms, hide)


def _cohort_points(each: list[Cohort], hide: npt.NDArray[np.bool_]) -> tuple[Point, ...]:
    return tuple(
        Point(one.begins, quantity(Kind.MONEY, one.per_debtor, withheld=gone))
        for one, gone in zip(each, hide.tolist(), strict=True)
    )


def _cohort_table(
    cell: dict[tuple[date, int], Cohort], begins: list[date], arms: list[int], hide: npt.NDArray[np.bool_]
) -> Table:
    columns = tuple(
        Column(f"{ARMS[arm]}_{name}", Text(f"cohorts.{name}", {"arm": arm_title(arm)}))
        for arm in arms
        for name in ("debtors", "recovered")
    )
    rows = []
    for row, begin in enumerate(begins):
        cells: list[Quantity] = []
        for place, arm in enumerate(arms):
            one, gone = cell[begin, arm], bool(hide[row, place])
            cells.append(quantity(Kind.COUNT, one.debtors, withheld=gone))
            cells.append(quantity(Kind.MONEY, one.recovered_eur, withheld=gone))
        rows.append(Row(begin.isoformat(), begin, tuple(cells)))
    return Table("cohorts", Text("cohorts.table"), Text("cohorts.begins"), columns, tuple(rows), folded=True)


def known_chart(known: tuple[Known, ...], *, days: int) -> Chart:
    """The gain as it was known day after day, with the band that holds at all of them."""
    points = tuple(Point(one.day, quantity(Kind.SIGNED_MONEY, one.gain)) for one in known)
    return Chart(
        "gain_over_time",
        Shape.LINES,
        Text("gains.known.title"),
        Text("gains.known.caption", {"days": Quantity(Kind.DAYS, days)}),
        Text("gains.known.day"),
        Text("gains.per_debtor"),
        (Series("champion", Text("gains.difference"), points),),
    )


def day_chart(curves: dict[int, list[Interval]], sizes: IntArray) -> Chart:
    """Recovered money per debtor, day by day since the first decision."""
    hide = hidden_arms(sizes)
    series = tuple(
        Series(
            ARMS[arm],
            arm_title(arm),
            tuple(
                Point(float(day), quantity(Kind.MONEY, one, withheld=bool(hide[arm]))) for day, one in enumerate(curve)
            ),
        )
        for arm, curve in curves.items()
    )
    return Chart(
        "days",
        Shape.LINES,
        Text("gains.by_day.title"),
        Text("gains.by_day.caption"),
        Text("gains.by_day.day"),
        Text("arms.per_debtor"),
        series,
    )
