"""The page on fairness: whether some groups of debtors are pressed more than others who need contact as much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from data.times import from_us
from data.vocabulary import ARMS
from training.gate.fairness import FEWEST_IN_GROUP, HIGHEST_RATIO
from training.reports.blocks import (
    Chart,
    Column,
    Kind,
    Mood,
    Name,
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
from training.reports.calibration_figures import Claims, claims_judged
from training.reports.experiment import CONTROL
from training.reports.facts import Facts
from training.reports.fairness_figures import (
    AGES,
    AUDIT,
    Choices,
    Course,
    Explored,
    Outcome,
    Shown,
    choices,
    course_of,
    groups,
    named,
    outcomes,
    pressure_by,
    rate_interval,
    vulnerable_explored,
)
from training.reports.pages.verdict_texts import verdict_of
from training.reports.periods import experiments, judged
from training.reports.withholding import few, quantity, withheld

TextArray = npt.NDArray[np.object_]

NAME = "fairness"
BY_MODELS = tuple(ARMS.index(name) for name in ("champion", "challenger"))
DEFINITIONS = ("equal_need", "pressure_ratio", "vulnerable")

SHOWN_GROUPS = 60
"""Groups of one kind on the page, those of most debtors."""


@dataclass(frozen=True)
class _Whole:
    """All that the sections are made of; `group` names each debtor of the log by each way to group.

    `begun` is the first day of the experiment that outcomes are of, None where the arms' shares never changed.
    """

    facts: Facts
    group: dict[str, TextArray]
    models: Choices
    control: Choices
    course: Course
    judged: Claims
    begun: date | None

    def pressures(self) -> dict[str, Shown]:
        """Pressure by each way to group, of the models' decisions."""
        return {by: pressure_by(by, self.models, group=names) for by, names in self.group.items()}


def fairness(facts: Facts) -> Page:
    """Contact pressure, recovery, gain and objections by group; of all arms together where no model decided."""
    whole = _gathered(facts)
    pressures, explored = whole.pressures(), vulnerable_explored(facts)
    met = [by for by, names in whole.group.items() if len(named(names)) > 1]
    sections = (
        _overall(whole, pressures, explored),
        *(_by(whole, by, pressures[by]) for by in met),
        _left_out(whole, met),
    )
    return Page(
        name=NAME,
        title=Text("fairness.title"),
        known_until_us=facts.known_until_us,
        sections=sections,
        creditor=facts.creditor,
        verdict=_verdict(tuple(pressures.values()), explored),
        span_us=facts.span_us,
    )


def _gathered(facts: Facts) -> _Whole:
    days = facts.config.horizon.days
    models, experiment = choices(facts, BY_MODELS), judged(facts.entrants)
    several = len(experiments(facts.entrants)) > 1
    return _Whole(
        facts=facts,
        group=groups(facts),
        models=models if len(models.debtor) else choices(facts, range(len(ARMS))),
        control=choices(facts, (CONTROL,)),
        course=course_of(facts, experiment),
        judged=claims_judged(facts, days=days, shares={}),
        begun=from_us(experiment.from_us).date() if experiment is not None and several else None,
    )


def _verdict(pressures: tuple[Shown, ...], explored: Explored) -> Verdict:
    """Whether anybody is treated unfairly: vulnerable debtors first, then groups by the gate's limit."""
    if explored.explored:
        count = {"explored": quantity(Kind.COUNT, explored.explored, withheld=few(explored.explored))}
        return verdict_of(NAME, "vulnerable_explored", Mood.BAD, count)
    judged = [one for one in pressures if np.isfinite(one.ratio.value)]
    if not judged:
        return verdict_of(NAME, "not_enough_data", Mood.WAIT, {"needed": quantity(Kind.COUNT, FEWEST_IN_GROUP)})
    flagged = [one for one in judged if one.too_high]
    worst = max(flagged or judged, key=lambda one: one.ratio.value)
    values: dict[str, Said] = {
        "limit": quantity(Kind.NUMBER, HIGHEST_RATIO),
        "needed": quantity(Kind.COUNT, FEWEST_IN_GROUP),
        "ratio": quantity(Kind.NUMBER, worst.ratio),
        "by": _by_title(worst.by),
    }
    if flagged:
        return verdict_of(NAME, "unequal", Mood.BAD, values)
    if any(one.open for one in judged):
        return verdict_of(NAME, "not_yet_known", Mood.WAIT, values)
    return verdict_of(NAME, "equal", Mood.GOOD, values)


def _by_title(by: str) -> Text:
    """A way to group, in words; an audited column by its own name."""
    if by.startswith(AUDIT):
        return Text("fairness.by.audit", {"name": Name(by.removeprefix(AUDIT).replace("_", " "))})
    return Text(f"fairness.by.{by}")


def _group_title(by: str, name: str) -> Text | Name:
    return Text(f"fairness.age.{AGES.index(name)}") if by == "age" else Name(name)


def _overall(whole: _Whole, pressures: dict[str, Shown], explored: Explored) -> Section:
    """The ratio of every way to group, and the vulnerable."""
    rows = tuple(
        Row(
            by,
            _by_title(by),
            (
                quantity(Kind.COUNT, len(one.rates)),
                quantity(Kind.NUMBER, one.ratio),
                quantity(Kind.NUMBER, HIGHEST_RATIO),
                _state(one),
            ),
            strong=one.too_high,
        )
        for by, one in pressures.items()
    )
    names = ("groups", "ratio", "limit", "state")
    columns = tuple(Column(name, Text(f"fairness.{name}"), bars=name == "ratio") for name in names)
    table = Table("ratios", Text("fairness.ratios.caption"), Text("fairness.by"), columns, rows)
    hidden = few(explored.debtors)
    tiles = Tiles(
        (
            Tile(Text("fairness.decisions"), quantity(Kind.COUNT, len(whole.models.debtor))),
            Tile(Text("fairness.vulnerable"), quantity(Kind.COUNT, explored.debtors, withheld=hidden)),
            Tile(
                Text("fairness.explored"),
                quantity(Kind.COUNT, explored.explored, withheld=few(explored.explored)),
                Text(
                    "fairness.explored.more", {"decisions": quantity(Kind.COUNT, explored.decisions, withheld=hidden)}
                ),
            ),
        )
    )
    notes = [Note(Text("fairness.intro"))]
    if whole.begun is not None:
        notes.append(Note(Text("fairness.newest_experiment", {"day": whole.begun})))
    return Section("overall", Text("fairness.overall.title"), (*notes, tiles, table), DEFINITIONS)


def _state(one: Shown) -> Text:
    if not np.isfinite(one.ratio.value):
        return Text("fairness.state.few")
    if one.too_high:
        return Text("fairness.state.flagged")
    return Text("fairness.state.open" if one.open else "fairness.state.fine")


def _by(whole: _Whole, by: str, shown: Shown) -> Section:
    """One way to group: pressure of models and of present rules, then what came of it."""
    names = whole.group[by]
    sizes = {name: len(np.unique(whole.models.debtor[names[whole.models.debtor] == name])) for name in named(names)}
    kept = sorted(sizes, key=lambda name: -sizes[name])[:SHOWN_GROUPS]
    ordered = [name for name in sizes if name in kept]
    hidden = dict(zip(ordered, withheld(np.array([sizes[name] for name in ordered])).tolist(), strict=True))
    rules = pressure_by(by, whole.control, group=names)
    chart = _chart(by, (("champion", shown), ("control", rules)), [name for name in ordered if not hidden[name]])
    table = _pressure_table(by, shown, rules, sizes, hidden)
    blocks = (chart, table, _outcome_table(whole, by)) if chart.series else (table, _outcome_table(whole, by))
    return Section(by.replace("_", "-"), _by_title(by), blocks, (*DEFINITIONS, "gain", "per_thousand"))


def _chart(by: str, each: tuple[tuple[str, Shown], ...], ordered: list[str]) -> Chart:
    """Contacts per decision at equal need; groups with too few decisions have no point."""
    series = tuple(
        Series(
            arm,
            Text(f"fairness.decided_by.{arm}"),
            tuple(
                Point(_group_title(by, name), quantity(Kind.SHARE, rate_interval(shown.rates[name])))
                for name in ordered
                if name in shown.rates
            ),
        )
        for arm, shown in each
        if shown.rates
    )
    return Chart(
        f"pressure_{by}",
        Shape.INTERVALS,
        Text("fairness.pressure.title"),
        Text("fairness.pressure.caption"),
        _by_title(by),
        Text("fairness.contacts"),
        series,
    )


def _pressure_table(by: str, shown: Shown, rules: Shown, sizes: dict[str, int], hidden: dict[str, bool]) -> Table:
    rows = tuple(
        Row(
            name,
            _group_title(by, name),
            (
                quantity(Kind.COUNT, sizes[name]),
                *(
                    quantity(Kind.SHARE, rate_interval(side.rates[name]))
                    if name in side.rates
                    else Text("fairness.too_few")
                    for side in (shown, rules)
                ),
            ),
        )
        for name, hide in hidden.items()
        if not hide
    )
    columns = (
        Column("debtors", Text("fairness.debtors")),
        Column("models", Text("fairness.decided_by.champion"), bars=True),
        Column("control", Text("fairness.decided_by.control"), bars=True),
    )
    caption = Text("fairness.pressure.table", {"needed": quantity(Kind.COUNT, FEWEST_IN_GROUP)})
    return Table(f"pressure_{by}_table", caption, _by_title(by), columns, rows)


def _outcome_table(whole: _Whole, by: str) -> Table:
    """Recovery, gain, opt-outs and errors of the chances, of debtors whose horizon is over."""
    each = list(outcomes(whole.course, whole.judged, group=whole.group[by]))
    each = sorted(sorted(each, key=lambda one: -one.debtors)[:SHOWN_GROUPS], key=each.index)
    hidden = withheld(np.array([one.debtors for one in each])).tolist()
    rows = tuple(
        Row(one.name, _group_title(by, one.name), tuple(_outcome_cells(one, hide)))
        for one, hide in zip(each, hidden, strict=True)
    )
    keys = ("debtors", "recovered", "gain", "opted_out", "above")
    columns = tuple(Column(key, Text(f"fairness.{key}"), bars=key in ("gain", "above")) for key in keys)
    caption = Text("fairness.outcomes.caption", {"days": quantity(Kind.DAYS, whole.facts.config.horizon.days)})
    return Table(f"outcomes_{by}", caption, _by_title(by), columns, rows)


def _outcome_cells(one: Outcome, hidden: bool) -> Iterator[Quantity]:
    yield quantity(Kind.COUNT, one.debtors, withheld=hidden)
    yield quantity(Kind.MONEY, one.recovered_eur, withheld=hidden)
    yield quantity(Kind.SIGNED_MONEY, one.gain_eur, withheld=hidden)
    yield quantity(Kind.NUMBER, one.opted_out, withheld=hidden)
    yield quantity(Kind.POINTS, one.above, withheld=hidden)


def _left_out(whole: _Whole, met: list[str]) -> Section:
    """What could not be looked at, and what the page does not say."""
    without = [by for by in whole.group if by not in met]
    notes = [Note(Text("fairness.limits.note"))]
    notes += [Note(Text("fairness.limits.one_group", {"by": _by_title(by)})) for by in without]
    if not any(by.startswith(AUDIT) for by in whole.group):
        notes.append(Note(Text("fairness.limits.no_audit")))
    return Section("limits", Text("fairness.limits.title"), tuple(notes), ())
