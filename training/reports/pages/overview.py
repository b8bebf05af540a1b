"""The first page: did it pay, how much, how sure are we, where, and what should be done now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.times import DAY_US, from_day
from training.reports import gains as gaining
from training.reports.blocks import (
    Block,
    Column,
    Kind,
    Moment,
    Name,
    Note,
    Page,
    Quantity,
    Row,
    Said,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Value,
)
from training.reports.cohorts import cohorts, gain_over_time
from training.reports.evidence import Rows, facts_after
from training.reports.experiment import CHAMPION, CONTROL, Entrants, totals
from training.reports.facts import SHOWN_CREDITORS, Facts, creditors
from training.reports.gains import Comparison, Gain, by_horizon, compare
from training.reports.pages.gain_blocks import (
    arm_table,
    cohort_blocks,
    gain_chart,
    gain_table,
    hidden,
    horizon_chart,
    horizon_table,
    known_chart,
)
from training.reports.periods import Experiment, experiments, judged
from training.reports.uplift import Uplift, over_none
from training.reports.verdict import NO_EXPERIMENT, Case, case_of, judge
from training.reports.withholding import few, quantity, withheld, withheld_in_table

NAME = "overview"


@dataclass(frozen=True)
class _Looked:
    """The experiment that the page judges, with its case, and the gain at every horizon that debtors were followed for."""

    facts: Facts
    experiment: Experiment
    case: Case
    horizons: list[tuple[Comparison, dict[str, Gain]]]

    @property
    def days(self) -> int:
        return self.case.two.days


def overview(facts: Facts) -> Page:
    """The overview of all debtors, or of one creditor's."""
    experiment = judged(facts.entrants)
    if experiment is None:
        verdict, sections = NO_EXPERIMENT, _described(facts)
    else:
        looked = _looked(facts, experiment)
        verdict, sections = judge(looked.case), _judged(looked)
    return Page(
        name=NAME,
        title=Text("overview.title"),
        known_until_us=facts.known_until_us,
        sections=tuple(sections),
        creditor=facts.creditor,
        verdict=verdict,
        span_us=facts.span_us,
    )


def _looked(facts: Facts, experiment: Experiment) -> _Looked:
    two = compare(experiment.entrants, facts.evidence, days=facts.config.horizon.days)
    case = case_of(experiment, two, known_until_us=facts.known_until_us)
    return _Looked(
        facts, experiment, case, by_horizon(experiment.entrants, facts.evidence, settings=facts.config.horizon)
    )


def _described(facts: Facts) -> Iterator[Section]:
    """What was done and came of it, where nobody can be compared with anybody."""
    yield from _arms(facts, facts.entrants)
    yield from _cohorts(facts, facts.entrants, ())
    yield _data(facts)


def _judged(looked: _Looked) -> Iterator[Section]:
    facts, entrants = looked.facts, looked.experiment.entrants
    several = experiments(facts.entrants)
    yield _result(looked)
    if looked.horizons:
        blocks = (horizon_chart(looked.horizons), horizon_table(looked.horizons))
        yield Section("horizons", Text("gains.horizons.title"), blocks, ("horizon", "followed", "largest_cut"))
    if facts.creditor is None:  # a claim held back beside a contact for another creditor is not "no contact"
        yield _over_none(looked)
    yield from _cohorts(facts, entrants, tuple(_known(looked)))
    yield from _arms(facts, entrants)
    if facts.creditor is None:
        yield from _creditors(looked)
    yield from _experiments(facts, several)
    yield _data(facts)


def _result(looked: _Looked) -> Section:
    two, found = looked.case.two, looked.case.gains
    blocks = (_tiles(looked), gain_chart(two, found), gain_table(two, found))
    terms = ("gain", "recovered", "net", "largest_cut", "adjusted", "daily_looks", "arm", "intention_to_treat")
    return Section("result", Text("overview.result.title"), blocks, terms)


def _tiles(looked: _Looked) -> Tiles:
    two, found, hide = looked.case.two, looked.case.gains, hidden(looked.case.two)
    per = Text("overview.per_debtor")
    avoided = float(-found["contacts"].raw.value * two.treated.sum()) if two.smaller else np.nan
    followed = quantity(Kind.COUNT, len(two.treated), withheld=hide or few(len(two.treated)))
    return Tiles(
        (
            _tile("recovered", quantity(Kind.SIGNED_MONEY, found["recovered"].always, withheld=hide), per),
            _tile("net", quantity(Kind.SIGNED_MONEY, found["net"].always, withheld=hide), per),
            _tile("debtors_paid", quantity(Kind.POINTS, found["debtors_paid"].always, withheld=hide), None),
            _tile("avoided", quantity(Kind.COUNT, avoided, withheld=hide), Text("overview.avoided.more")),
            _tile("followed", followed, Text("overview.followed.more", {"days": Quantity(Kind.DAYS, two.days)})),
        )
    )


def _tile(name: str, said: Quantity, more: Text | None) -> Tile:
    return Tile(Text(f"overview.tile.{name}"), said, more)


def _over_none(looked: _Looked) -> Section:
    """What deciding adds over no contact at all, at every horizon, or why that cannot be said."""
    entrants = looked.experiment.entrants
    each = [
        (two.days, over_none(entrants, looked.facts, days=two.days, cap_eur=two.cap_eur)) for two, _ in looked.horizons
    ]
    blocks: list[Block] = [Note(Text("overview.none.note"))]
    if any(not one.refusal for _, one in each):
        blocks.append(_none_table(each))
    elif each:
        blocks.append(Note(_why_not(each[0][1]), caution=True))
    return Section("over_none", Text("overview.none.title"), tuple(blocks), ("uplift", "explore", "weighted"))


def _why_not(found: Uplift) -> Text:
    values = {
        "drawn": quantity(Kind.COUNT, found.drawn, withheld=few(found.drawn)),
        "effective": quantity(Kind.COUNT, float(np.floor(found.effective)), withheld=few(found.drawn)),
    }
    return Text(f"uplift.{found.refusal}", values)


def _none_table(each: list[tuple[int, Uplift]]) -> Table:
    rows = []
    for days, found in each:
        hide = few(found.drawn) or few(found.treated)
        cells = (
            quantity(Kind.COUNT, found.treated, withheld=few(found.treated)),
            quantity(Kind.COUNT, found.drawn, withheld=few(found.drawn)),
            quantity(Kind.SIGNED_MONEY, found.recovered_eur, withheld=hide),
            quantity(Kind.POINTS, found.debtors_paid, withheld=hide),
            _why_not(found) if found.refusal else None,
        )
        rows.append(Row(f"{days}", Text("gains.days", {"days": Quantity(Kind.DAYS, days)}), cells))
    names = ("champion", "drawn", "recovered", "debtors_paid", "why")
    columns = tuple(Column(one, Text(f"overview.none.{one}"), bars=one == "recovered") for one in names)
    return Table("over_none", Text("overview.none.caption"), Text("gains.horizon"), columns, tuple(rows))


def _known(looked: _Looked) -> Iterator[Block]:
    two = looked.case.two
    entered_us = _of_both(looked).entered_us[two.found.row]
    known = gain_over_time(two, entered_us)
    if known:
        yield known_chart(known, days=two.days)


def _of_both(looked: _Looked) -> Entrants:
    entrants = looked.experiment.entrants
    return entrants.only(np.isin(entrants.arm, (CONTROL, CHAMPION)))


def _cohorts(facts: Facts, entrants: Entrants, before: tuple[Block, ...]) -> Iterator[Section]:
    found = totals(entrants, facts.evidence, days=facts.config.horizon.days)
    if len(found.arm):
        blocks = (*before, *cohort_blocks(cohorts(found, entrants.entered_us[found.row])))
        yield Section("time", Text("overview.time.title"), blocks, ("cohort", "daily_looks", "recovered"))


def _arms(facts: Facts, entrants: Entrants) -> Iterator[Section]:
    days = facts.config.horizon.days
    found = totals(entrants, facts.evidence, days=days)
    if len(found.arm):
        terms = ("arm", "recovered", "contacts", "cost", "harm", "net")
        yield Section("arms", Text("arms.title"), (arm_table(found, days=days),), terms)


def _creditors(looked: _Looked) -> Iterator[Section]:
    """Gain by creditor, of those with most debtors, the others together."""
    facts, names = looked.facts, creditors(looked.facts)
    if len(names) < 2:
        return
    of_claim = facts.evidence.creditors.of_claim[looked.experiment.entrants.claim]
    groups = [(name, np.array([facts.evidence.creditors.name.index(name)])) for name in names[:SHOWN_CREDITORS]]
    rest = [facts.evidence.creditors.name.index(name) for name in names[SHOWN_CREDITORS:]]
    groups += [("", np.array(rest))] if rest else []
    each = []
    for name, codes in groups:
        theirs = looked.experiment.entrants.with_claims(np.isin(of_claim, codes))
        each.append((name, compare(theirs, facts.evidence, days=looked.days)))
    sizes = np.array([[int(two.treated.sum()), int((~two.treated).sum())] for _, two in each])
    hide = withheld_in_table(sizes) | looked.case.two.hidden
    rows = tuple(_creditor_row(name, two, gone) for (name, two), gone in zip(each, hide.tolist(), strict=True))
    names_of = ("champion", "control", "control_eur", "recovered", "adjusted", "debtors_paid")
    columns = tuple(Column(one, Text(f"overview.creditors.{one}"), bars=one == "recovered") for one in names_of)
    caption = Text("overview.creditors.caption", {"days": Quantity(Kind.DAYS, looked.days)})
    table = Table("creditors", caption, Text("overview.creditor"), columns, rows)
    blocks = (table, Note(Text("overview.creditors.note")))
    yield Section("creditors", Text("overview.creditors.title"), blocks, ("gain", "creditor", "daily_looks"))


def _creditor_row(name: str, two: Comparison, gone: list[bool]) -> Row:
    found = {one: gaining.gain_in(one, two) for one in ("recovered", "debtors_paid")}
    control = two.found.recovered_eur[~two.treated]
    cells = (
        quantity(Kind.COUNT, int(two.treated.sum()), withheld=gone[0]),
        quantity(Kind.COUNT, int((~two.treated).sum()), withheld=gone[1]),
        quantity(Kind.MONEY, float(control.mean()) if len(control) else np.nan, withheld=gone[1]),
        quantity(Kind.SIGNED_MONEY, found["recovered"].always, withheld=any(gone)),
        quantity(Kind.SIGNED_MONEY, found["recovered"].adjusted, withheld=any(gone)),
        quantity(Kind.POINTS, found["debtors_paid"].adjusted, withheld=any(gone)),
    )
    return Row(name or "others", Name(name) if name else Text("overview.other_creditors"), cells)


def _experiments(facts: Facts, several: tuple[Experiment, ...]) -> Iterator[Section]:
    """Every experiment of the log in a line, where there was more than one."""
    if len(several) < 2:
        return
    rows = []
    for one, gone in zip(several, _hidden_experiments(facts, several).tolist(), strict=True):
        two = compare(one.entrants, facts.evidence, days=facts.config.horizon.days)
        gain = gaining.gain_in("recovered", two)
        until = None if one.to_us is None else from_day(int(one.to_us // DAY_US))
        cells = (
            from_day(int(one.from_us // DAY_US)),
            until,
            quantity(Kind.COUNT, len(one.entrants.debtor), withheld=gone),
            quantity(Kind.SHARE, one.shares["control"]),
            quantity(Kind.SIGNED_MONEY, gain.always, withheld=hidden(two)),
        )
        rows.append(Row(one.name, Name(one.name), cells))
    names = ("from", "until", "debtors", "control_share", "gain")
    columns = tuple(Column(one, Text(f"overview.experiments.{one}"), bars=one == "gain") for one in names)
    table = Table(
        "experiments", Text("overview.experiments.caption"), Text("overview.experiment"), columns, tuple(rows)
    )
    yield Section("experiments", Text("overview.experiments.title"), (table,), ("experiment", "arm"))


def _hidden_experiments(facts: Facts, several: tuple[Experiment, ...]) -> npt.NDArray[np.bool_]:
    """Experiments whose number of debtors is withheld, beside all who are compared in any or in none."""
    sizes = [len(one.entrants.debtor) for one in several]
    return withheld(np.array([*sizes, len(facts.entrants.debtor) - sum(sizes)]))[:-1]


def _hidden_counts(facts: Facts, debtors: int) -> tuple[bool, bool]:
    """Whether the numbers of debtors compared and of those who objected are withheld: with the others they add up to all."""
    compared, objected = len(facts.entrants.debtor), facts.entrants.objected
    gone = withheld(np.array([compared, objected, max(0, debtors - compared - objected)]))
    apart = bool(_hidden_experiments(facts, experiments(facts.entrants)).any())
    return bool(gone[0]) or apart, bool(gone[1])


def _data(facts: Facts) -> Section:
    """What the page is made of, and what was left out."""
    evidence, rows = facts.evidence, facts.evidence.rows
    debtors = len(np.unique(rows.debtor))
    first, last = facts.span_us
    hide_compared, hide_objected = _hidden_counts(facts, debtors)
    said: dict[str, Said] = {
        "first": Moment(first),
        "last": Moment(last),
        "known": Moment(facts.known_until_us),
        "debtors": quantity(Kind.COUNT, debtors, withheld=few(debtors)),
        "claims": quantity(Kind.COUNT, len(np.unique(rows.claim)), withheld=few(debtors)),
        "decisions": quantity(Kind.COUNT, _moments(rows), withheld=few(debtors)),
        "compared": quantity(Kind.COUNT, len(facts.entrants.debtor), withheld=hide_compared),
        "crossed": quantity(Kind.COUNT, facts.entrants.switched, withheld=few(facts.entrants.switched)),
        "objected": quantity(Kind.COUNT, facts.entrants.objected, withheld=hide_objected),
        "counted": Text("overview.data.recorded" if evidence.recorded else "overview.data.planned"),
        "configuration": Name(facts.config.fingerprint),
    }
    lines = tuple(Row(key, Text(f"overview.data.{key}"), (value,)) for key, value in said.items())
    columns = (Column("value", Text("overview.data.value")),)
    table = Table("data", Text("overview.data.caption"), Text("overview.data.what"), columns, lines)
    blocks: tuple[Block, ...] = (table, *_later(facts))
    return Section("data", Text("overview.data.title"), blocks, ("known_until", "decision", "payment", "withheld"))


def _later(facts: Facts) -> Iterator[Note]:
    """A caution about facts that are dated after the page was written."""
    later = facts_after(facts.portfolio, facts.known_until_us)
    if later:
        values: dict[str, Value | Text] = {
            "later": quantity(Kind.COUNT, later, withheld=few(later)),
            "known": Moment(facts.known_until_us),
        }
        yield Note(Text("overview.data.later", values), caution=True)


def _moments(rows: Rows) -> int:
    """Decisions: debtors at moments; a claim held back beside a contact has a row with an identifier of its own."""
    order = np.lexsort((rows.decided_us, rows.debtor))
    debtor, decided_us = rows.debtor[order], rows.decided_us[order]
    return len(order) and 1 + int(((np.diff(debtor) != 0) | (np.diff(decided_us) != 0)).sum())
