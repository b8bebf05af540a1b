"""The page on how long an experiment would take on a portfolio, and what it could show by when."""

from __future__ import annotations

import math
from dataclasses import dataclass

from training.reports.blocks import (
    Chart,
    Column,
    Kind,
    Mood,
    Note,
    Page,
    Point,
    Quantity,
    Row,
    Said,
    Section,
    Series,
    Shape,
    Table,
    Text,
    Tile,
    Tiles,
    Verdict,
)
from training.reports.plan_figures import (
    CONTROLS,
    LEVELS,
    Basis,
    Plan,
    Way,
    debtors_to_verdict,
    detectable_gain,
    weeks_for,
    weeks_to_verdict,
)
from training.trials.planning import Look

NAME = "plan"
LONG_WEEKS = 52
"""An experiment that takes longer is called long: models and seasons change meanwhile."""
SHOWN_WEEKS, MOST_SHOWN_WEEKS = 26, 156
"""Weeks that the chart covers at least and at most."""
POINTS = 26
LARGEST_SHOWN = 1.0
"""Gains that are larger than what is recovered are left out of the chart: nobody plans for one."""
LINES = ((Way.RAW, Look.DAILY), (Way.ADJUSTED, Look.DAILY), (Way.CUT_ADJUSTED, Look.DAILY), (Way.ADJUSTED, Look.ONCE))


@dataclass(frozen=True)
class Planned:
    """All that the page is computed from: a basis for each horizon, the first the configured one."""

    plan: Plan
    bases: tuple[Basis, ...]
    known_until_us: int

    @property
    def basis(self) -> Basis:
        """At the configured horizon."""
        return self.bases[0]

    @property
    def weeks(self) -> int | None:
        """Weeks until the reports' verdict would show the planned gain."""
        return weeks_to_verdict(self.basis, self.plan)

    @property
    def year(self) -> Quantity:
        """Gain that would show after a year."""
        found = detectable_gain(self.basis, self.plan, weeks=LONG_WEEKS, way=Way.ADJUSTED, look=Look.DAILY)
        return Quantity(Kind.SHARE, found if math.isfinite(found) else None)


def plan_page(planned: Planned) -> Page:
    """The page of a plan."""
    sections = (_answer(planned), _once(planned), _reach(planned), _controls(planned), _basis(planned))
    return Page(NAME, Text("plan.title"), planned.known_until_us, sections, verdict=_verdict(planned))


def _verdict(planned: Planned) -> Verdict:
    weeks = planned.weeks
    code, mood = ("within_a_year", Mood.GOOD) if weeks is not None else ("never", Mood.BAD)
    if weeks is not None and weeks > LONG_WEEKS:
        code, mood = "long", Mood.WAIT
    half = weeks_to_verdict(planned.basis, planned.plan, control=_half(planned.plan))
    places: dict[str, Quantity | Text] = {
        "gain": Quantity(Kind.SHARE, planned.plan.gain),
        "power": Quantity(Kind.SHARE, planned.plan.power),
        "control": Quantity(Kind.SHARE, planned.plan.control),
        "weeks": _weeks(weeks),
        "half": _weeks(half),
        "debtors": _debtors(planned),
        "year": planned.year,
    }
    texts = [Text(f"plan.verdict.{code}.{part}", places) for part in ("headline", "sentence", "advice")]
    return Verdict(code, mood, *texts)


def _half(plan: Plan) -> float:
    """Control arm as large as the model's."""
    return (plan.control + plan.treated) / 2


def _debtors(planned: Planned) -> Quantity:
    needed = debtors_to_verdict(planned.basis, planned.plan, gain=planned.plan.gain, look=Look.DAILY)
    return Quantity(Kind.COUNT, needed)


def _weeks(weeks: int | None) -> Quantity | Text:
    return Text("plan.never") if weeks is None else Quantity(Kind.WEEKS, weeks)


def _answer(planned: Planned) -> Section:
    basis, plan = planned.basis, planned.plan
    said: tuple[tuple[str, Said], ...] = (
        ("weeks", _weeks(planned.weeks)),
        ("gain", Quantity(Kind.SIGNED_MONEY, plan.gain * basis.paid[Way.RAW].mean)),
        ("debtors", _debtors(planned)),
        ("at_start", Quantity(Kind.COUNT, basis.inflow.at_start)),
        ("per_week", Quantity(Kind.COUNT, round(basis.inflow.per_week))),
    )
    tiles = Tiles(tuple(Tile(Text(f"plan.tile.{name}"), one) for name, one in said))
    blocks = (tiles, _table(planned, Look.DAILY), Note(Text("plan.answer.note")))
    terms = ("plan_gain", "plan_power", "plan_daily", "plan_cut", "plan_adjusted", "plan_payers")
    return Section("answer", Text("plan.answer.title"), blocks, terms)


def _once(planned: Planned) -> Section:
    blocks = (Note(Text("plan.once.note")), _table(planned, Look.ONCE))
    return Section("once", Text("plan.once.title"), blocks)


def _table(planned: Planned, look: Look) -> Table:
    """Weeks by gain and way; the debtors are those that both figures of the verdict need."""
    columns = [Column("gain_eur", Text("plan.gain_eur")), Column("debtors", Text("plan.debtors"))]
    columns += [Column(f"weeks_{way}", Text(f"plan.way.{way}")) for way in Way]
    levels = sorted({*LEVELS, planned.plan.gain})
    return Table(
        key=f"weeks_{look}",
        caption=Text(f"plan.table.{look}"),
        first=Text("plan.gain"),
        columns=tuple(columns),
        rows=tuple(_level(planned, gain, look) for gain in levels),
    )


def _level(planned: Planned, gain: float, look: Look) -> Row:
    basis, plan = planned.basis, planned.plan
    money = Quantity(Kind.SIGNED_MONEY, gain * basis.paid[Way.RAW].mean)
    debtors = Quantity(Kind.COUNT, debtors_to_verdict(basis, plan, gain=gain, look=look))
    weeks = (_weeks(weeks_for(basis, plan, gain=gain, way=way, look=look)) for way in Way)
    title = Text("plan.share", {"share": Quantity(Kind.SHARE, gain)})
    return Row(f"gain_{gain:g}", title, (money, debtors, *weeks), strong=gain == plan.gain)


def _reach(planned: Planned) -> Section:
    last = min(MOST_SHOWN_WEEKS, max(SHOWN_WEEKS, round(1.5 * (planned.weeks or MOST_SHOWN_WEEKS))))
    weeks = sorted({max(1, round(last * step / POINTS)) for step in range(1, POINTS + 1)})
    chart = Chart(
        key="detectable",
        shape=Shape.LINES,
        title=Text("plan.reach.chart"),
        caption=Text("plan.reach.caption", {"power": Quantity(Kind.SHARE, planned.plan.power)}),
        across=Text("plan.reach.across"),
        up=Text("plan.reach.up"),
        series=tuple(_line(planned, way, look, weeks) for way, look in LINES),
    )
    return Section("reach", Text("plan.reach.title"), (chart,), ("plan_power",))


def _line(planned: Planned, way: Way, look: Look, weeks: list[int]) -> Series:
    found = [(one, detectable_gain(planned.basis, planned.plan, weeks=one, way=way, look=look)) for one in weeks]
    points = (Point(float(week), Quantity(Kind.SHARE, gain)) for week, gain in found if gain <= LARGEST_SHOWN)
    return Series(f"{way}_{look}", Text(f"plan.line.{way}_{look}"), tuple(points))


def _controls(planned: Planned) -> Section:
    basis, plan = planned.basis, planned.plan
    shares = [one for one in sorted({*CONTROLS, plan.control}) if one < plan.control + plan.treated]
    rows = tuple(
        Row(
            f"control_{share:g}",
            Text("plan.share", {"share": Quantity(Kind.SHARE, share)}),
            tuple(_weeks(weeks_to_verdict(basis, plan, look=look, control=share)) for look in (Look.DAILY, Look.ONCE)),
            strong=share == plan.control,
        )
        for share in shares
    )
    table = Table(
        "controls",
        Text("plan.controls.caption", {"gain": Quantity(Kind.SHARE, plan.gain)}),
        Text("plan.control"),
        (Column("daily", Text("plan.look.daily")), Column("once", Text("plan.look.once"))),
        rows,
    )
    return Section("controls", Text("plan.controls.title"), (Note(Text("plan.controls.note")), table))


def _basis(planned: Planned) -> Section:
    names = ("debtors", "payers", "recovered", "cap", "known", "known_cut", "weeks")
    table = Table(
        "basis",
        Text("plan.basis.caption"),
        Text("plan.basis.days"),
        tuple(Column(name, Text(f"plan.basis.{name}")) for name in names),
        tuple(_horizon(planned, basis) for basis in planned.bases),
    )
    return Section("basis", Text("plan.basis.title"), (Note(Text("plan.basis.note")), table), ("plan_adjusted",))


def _horizon(planned: Planned, basis: Basis) -> Row:
    cells = (
        Quantity(Kind.COUNT, basis.debtors),
        Quantity(Kind.SHARE, basis.payers),
        Quantity(Kind.MONEY, basis.paid[Way.RAW].mean),
        Quantity(Kind.MONEY, basis.cap),
        Quantity(Kind.SHARE, basis.paid[Way.ADJUSTED].explained),
        Quantity(Kind.SHARE, basis.paid[Way.CUT_ADJUSTED].explained),
        _weeks(weeks_to_verdict(basis, planned.plan)),
    )
    title = Text("plan.days", {"days": Quantity(Kind.DAYS, basis.days)})
    return Row(f"days_{basis.days}", title, cells, strong=basis is planned.basis)


def told(planned: Planned) -> list[str]:
    """The answer in a few lines, for the terminal."""
    basis, plan = planned.basis, planned.plan
    inflow = f"{basis.inflow.at_start:,.0f} debtors at the start and {basis.inflow.per_week:,.0f} new ones a week"
    paid = f"{basis.paid[Way.RAW].mean:,.2f} EUR recovered per debtor within {basis.days} days, {basis.payers:.1%} pay"
    arms = f"control {plan.control:.0%}, champion {plan.treated:.0%}, power {plan.power:.0%}"
    lines = [
        f"{inflow}; {paid}",
        f"{arms}; weeks until a gain is shown, looked at daily (once in brackets; –: over ten years):",
    ]
    for gain in sorted({*LEVELS, plan.gain}):
        each = ", ".join(f"{way.replace('_', ' and ')} {_told_weeks(planned, gain, way)}" for way in Way)
        needed = debtors_to_verdict(basis, plan, gain=gain, look=Look.DAILY)
        lines.append(f"{'>' if gain == plan.gain else ' '} {gain:5.1%}: {each}; {needed:,} debtors")
    return lines


def _told_weeks(planned: Planned, gain: float, way: Way) -> str:
    daily, once = (
        weeks_for(planned.basis, planned.plan, gain=gain, way=way, look=look) for look in (Look.DAILY, Look.ONCE)
    )
    return f"{_or_never(daily)} ({_or_never(once)})"


def _or_never(weeks: int | None) -> str:
    return "–" if weeks is None else str(weeks)
