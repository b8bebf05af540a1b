"""Gain by segment, country and creditor: with intervals that hold for all at once, and whether they differ at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from data.times import IntArray
from data.vocabulary import SEGMENTS
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
    Verdict,
)
from training.reports.experiment import CHAMPION, CONTROL, Entrants
from training.reports.facts import SHOWN_CREDITORS, Facts, creditors
from training.reports.gains import Comparison, compare
from training.reports.pages.verdict_texts import verdict_of
from training.reports.part_gains import money_by_part, payers_by_part
from training.reports.periods import judged
from training.reports.withholding import few, quantity, withheld_in_table
from training.trials.intervals import UNKNOWN
from training.trials.many import Segment, Segments, holm
from training.trials.sequential import FIRST_DEBTORS, FIRST_PAYERS

NAME = "segments"


@dataclass(frozen=True)
class Split:
    """A way to divide the debtors: its name, each part's key and title, and each debtor's part (-1: none)."""

    name: str
    keys: tuple[str, ...]
    titles: tuple[Text | Name, ...]
    of_debtor: IntArray


def segments(facts: Facts) -> Page | None:
    """The page on where the gain comes from; None where no arms were compared."""
    experiment = judged(facts.entrants)
    if experiment is None:
        return None
    entrants = experiment.entrants.only(np.isin(experiment.entrants.arm, (CONTROL, CHAMPION)))
    two = compare(entrants, facts.evidence, days=facts.config.horizon.days)
    found = [_found(split, two) for split in splits(entrants, facts)]
    corrected = _corrected(found)
    return Page(
        name=NAME,
        title=Text("segments.title"),
        known_until_us=facts.known_until_us,
        sections=tuple(_section(one, two, same) for one, same in zip(found, corrected, strict=True)),
        creditor=facts.creditor,
        verdict=_verdict(found, corrected),
        span_us=facts.span_us,
    )


def splits(entrants: Entrants, facts: Facts) -> Iterator[Split]:
    """By the segment at the first decision, by country, and, on the page about all, by creditor."""
    yield Split("segment", SEGMENTS, tuple(Text(f"segment.{one}") for one in SEGMENTS), entrants.segment)
    countries = facts.evidence.countries
    titles = tuple(Name(one) for one in countries.name)
    yield Split("country", countries.name, titles, countries.of_debtor[entrants.debtor])
    if facts.creditor is None and len(facts.evidence.creditors.name) > 1:
        yield _by_creditor(entrants, facts)


def _by_creditor(entrants: Entrants, facts: Facts) -> Split:
    """Debtors by the one creditor they owe; who owes several, or a creditor with few debtors, counts among the others."""
    shown = creditors(facts)[:SHOWN_CREDITORS]
    code = np.full(len(facts.evidence.creditors.name) + 1, len(shown))
    code[[facts.evidence.creditors.name.index(one) for one in shown]] = np.arange(len(shown))
    of_claim = facts.evidence.creditors.of_claim[entrants.claim]
    first, last = np.full(len(entrants.debtor), np.iinfo(np.int64).max), np.full(len(entrants.debtor), -1)
    np.minimum.at(first, entrants.of_claim, of_claim)
    np.maximum.at(last, entrants.of_claim, of_claim)
    of_debtor = np.where(first == last, code[last], len(shown) + 1)
    keys = (*shown, "others", "several")
    rest = (Text("segments.creditor.others"), Text("segments.creditor.several"))
    titles: tuple[Text | Name, ...] = (*map(Name, shown), *rest)
    return Split("creditor", keys, titles, of_debtor)


@dataclass(frozen=True)
class _Found:
    """A split with the numbers of its parts met, and what was gained in each: money, and debtors who paid."""

    split: Split
    here: tuple[int, ...]
    money: Segments
    payers: Segments


def _found(split: Split, two: Comparison) -> _Found:
    part = split.of_debtor[two.found.row]
    here = [one for one in range(len(split.keys)) if (part == one).any()]
    place = np.full(len(split.keys) + 1, -1)
    place[here] = np.arange(len(here))
    numbered = place[part]
    return _Found(split, tuple(here), money_by_part(two, numbered), payers_by_part(two, numbered))


def _corrected(found: list[_Found]) -> list[float]:
    """Chance that the parts of each split differ as they do although the gain is the same, corrected for all splits (Holm)."""
    same = np.array([one.money.same for one in found])
    known = np.isfinite(same)
    same[known] = holm(same[known])
    return [float(one) for one in same]


def _verdict(found: list[_Found], corrected: list[float]) -> Verdict:
    """Whether the gain differs between parts at all."""
    known = [(chance, one.split.name) for one, chance in zip(found, corrected, strict=True) if np.isfinite(chance)]
    if not known:
        return verdict_of(NAME, "not_yet_known", Mood.WAIT)
    least, name = min(known)
    values: dict[str, Said] = {"chance": quantity(Kind.P_VALUE, least), "by": Text(f"segments.{name}")}
    return verdict_of(NAME, "differs" if least < DIFFER else "alike", Mood.NONE, values)


def _section(found: _Found, two: Comparison, same: float) -> Section:
    split, here, money, payers = found.split, found.here, found.money, found.payers
    sizes = np.array([[one.treated, one.control] for one in money.each], dtype=np.int64).reshape(-1, 2)
    hide = [ours or theirs for ours, theirs in withheld_in_table(sizes).tolist()]
    keys = [split.keys[one] for one in here]
    titles = [split.titles[one] for one in here]
    speaks = any(np.isfinite(one.together.value) for one in money.each)
    blocks = (
        _differ(same),
        *((_chart(split.name, titles, money, hide, two.days),) if speaks else ()),
        _table(split.name, list(zip(keys, titles, strict=True)), (money, payers), hide, two.days),
    )
    terms = ("gain", split.name, "simultaneous", "drawn_in", "largest_cut", "withheld")
    return Section(split.name, Text(f"segments.{split.name}.title"), blocks, terms)


def _differ(same: float) -> Note:
    """Whether the gain differs between the parts by more than chance."""
    if not np.isfinite(same):
        return Note(Text("segments.same.unknown"))
    key = "segments.same.differ" if same < DIFFER else "segments.same.alike"
    return Note(Text(key, {"chance": quantity(Kind.P_VALUE, same)}))


DIFFER = 0.05


def _chart(name: str, titles: list[Text | Name], found: Segments, hide: list[bool], days: int) -> Chart:
    points = tuple(
        Point(title, quantity(Kind.SIGNED_MONEY, one.together, withheld=gone))
        for title, one, gone in zip(titles, found.each, hide, strict=True)
    )
    return Chart(
        f"{name}_chart",
        Shape.INTERVALS,
        Text(f"segments.{name}.chart"),
        Text("segments.chart.caption", {"days": Quantity(Kind.DAYS, days)}),
        Text(f"segments.{name}"),
        Text("gains.per_debtor"),
        (Series("champion", Text("gains.difference"), points),),
    )


def _table(
    name: str, parts: list[tuple[str, Text | Name]], found: tuple[Segments, Segments], hide: list[bool], days: int
) -> Table:
    money, payers = found
    rows = tuple(
        Row(key, title, _cells(one, paid, hide=gone))
        for (key, title), one, paid, gone in zip(parts, money.each, payers.each, hide, strict=True)
    )
    names = ("champion", "control", "together", "alone", "drawn_in", "debtors_paid", "chance")
    columns = tuple(Column(one, Text(f"segments.{one}"), bars=one in ("together", "drawn_in")) for one in names)
    needed = {"debtors": quantity(Kind.COUNT, FIRST_DEBTORS), "payers": quantity(Kind.COUNT, FIRST_PAYERS)}
    caption = Text("segments.table.caption", {"days": Quantity(Kind.DAYS, days)} | needed)
    return Table(name, caption, Text(f"segments.{name}"), columns, rows)


def _cells(money: Segment, payers: Segment, *, hide: bool) -> tuple[Quantity, ...]:
    guess = money.drawn_in if np.isfinite(money.drawn_in.low) else UNKNOWN
    return (
        quantity(Kind.COUNT, money.treated, withheld=hide or few(money.treated)),
        quantity(Kind.COUNT, money.control, withheld=hide or few(money.control)),
        quantity(Kind.SIGNED_MONEY, money.together, withheld=hide),
        quantity(Kind.SIGNED_MONEY, money.alone, withheld=hide),
        quantity(Kind.SIGNED_MONEY, guess, withheld=hide),
        quantity(Kind.POINTS, payers.together, withheld=hide),
        quantity(Kind.P_VALUE, money.p_value, withheld=hide),
    )
