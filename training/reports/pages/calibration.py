"""The page on calibration: whether the predicted chances of payment can be trusted, in shares and in money."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training.gate.calibration import FEWEST_IN_SLICE
from training.gate.verdict import HIGHEST_ERROR, HIGHEST_SLICE_ERROR
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
from training.reports.calibration_figures import (
    Agreement,
    Claims,
    agreement,
    cash,
    claims_judged,
    deciles,
    first_of,
    parts,
)
from training.reports.facts import Facts
from training.reports.model_card import mean_shares
from training.reports.pages.gain_blocks import channel_title
from training.reports.pages.verdict_texts import verdict_of
from training.reports.withholding import few, quantity, withheld_among, withheld_in_table_among

NAME = "calibration"
SEED = 20_260_314
"""Of the draws of debtors: the same log gives the same page."""

CASH_MARGIN = 0.05
"""Real money may be this share above or below what was expected."""

DEFINITIONS = ("predicted_chance", "calibration_error", "followed")


def calibration(facts: Facts) -> Page:
    """Predicted against observed payment; the page says so where no horizon is over yet."""
    shares = mean_shares(facts.workspace, facts.decisions["model_version"].unique().to_pylist())
    found = claims_judged(facts, days=facts.config.horizon.days, shares=shares)
    rng = np.random.default_rng(SEED)
    whole = agreement("all", found, rng=rng) if len(found.paid) else None
    slices = tuple(_slices(found, rng=rng))
    sections: tuple[Section, ...] = ()
    if whole is not None:
        sections = (_overall(facts, whole, found), _parts(found, slices), *_months(found), *_cash(found, shares))
    return Page(
        name=NAME,
        title=Text("calibration.title"),
        known_until_us=facts.known_until_us,
        sections=sections,
        creditor=facts.creditor,
        verdict=_verdict(whole, slices),
        span_us=facts.span_us,
    )


def _slices(found: Claims, *, rng: np.random.Generator) -> Iterator[tuple[str, str, Agreement]]:
    """Agreement by channel and country, as the gate cuts; with an error where there are as many claims as it asks for."""
    for channel, through in parts(found, found.channel):
        for country, there in parts(through, through.country):
            large = len(there.paid) >= FEWEST_IN_SLICE
            yield channel, country, agreement(f"{channel} {country}", there, rng=rng if large else None)


def _verdict(whole: Agreement | None, slices: tuple[tuple[str, str, Agreement], ...]) -> Verdict:
    """Whether the chances can be trusted: the gate's limits, held against intervals."""
    if whole is None or whole.claims < FEWEST_IN_SLICE:
        claims = 0 if whole is None else whole.claims
        hidden = whole is not None and few(whole.debtors)
        needed = {
            "claims": quantity(Kind.COUNT, claims, withheld=hidden),
            "needed": quantity(Kind.COUNT, FEWEST_IN_SLICE),
        }
        return verdict_of(NAME, "not_enough_data", Mood.WAIT, needed)
    values: dict[str, Said] = {
        "predicted": quantity(Kind.SHARE, whole.predicted),
        "observed": quantity(Kind.SHARE, whole.observed),
        "error": quantity(Kind.SHARE, whole.error),
        "limit": quantity(Kind.SHARE, HIGHEST_ERROR),
    }
    if whole.error.low > HIGHEST_ERROR:
        return verdict_of(NAME, "not_trusted", Mood.BAD, values)
    worse = [one for _, _, one in slices if one.error.low > HIGHEST_SLICE_ERROR]
    if worse:
        worst = max(worse, key=lambda one: one.error.low)
        return verdict_of(NAME, "not_trusted_everywhere", Mood.BAD, values | {"part": Name(worst.name)})
    if whole.error.high <= HIGHEST_ERROR:
        return verdict_of(NAME, "trusted", Mood.GOOD, values)
    return verdict_of(NAME, "not_yet_known", Mood.WAIT, values)


def _overall(facts: Facts, whole: Agreement, found: Claims) -> Section:
    hidden = few(whole.debtors)
    tiles = Tiles(
        (
            Tile(Text("calibration.claims"), quantity(Kind.COUNT, whole.claims, withheld=hidden)),
            Tile(Text("calibration.predicted"), quantity(Kind.SHARE, whole.predicted, withheld=hidden)),
            Tile(Text("calibration.observed"), quantity(Kind.SHARE, whole.observed, withheld=hidden)),
            Tile(Text("calibration.error"), quantity(Kind.SHARE, whole.error, withheld=hidden), _by_chance(whole)),
        )
    )
    tenths = tuple(deciles(found))
    gone = withheld_among([one.who for one in tenths]).tolist()
    points = tuple(
        Point(one.predicted, quantity(Kind.SHARE, one.observed))
        for one, hide in zip(tenths, gone, strict=True)
        if not hide
    )
    chart = Chart(
        "agreement",
        Shape.AGREEMENT,
        Text("calibration.agreement.title"),
        Text("calibration.agreement.caption"),
        Text("calibration.predicted"),
        Text("calibration.observed"),
        (Series("observed", Text("calibration.observed"), points),),
    )
    rows = tuple(
        Row(one.name, Text("calibration.tenth", {"number": quantity(Kind.COUNT, float(place))}), _cells(one, hide))
        for place, (one, hide) in enumerate(zip(tenths, gone, strict=True), start=1)
    )
    table = Table(
        "tenths", Text("calibration.tenths.caption"), Text("calibration.tenths"), _columns(), rows, folded=True
    )
    intro = Note(Text("calibration.intro", {"days": quantity(Kind.DAYS, facts.config.horizon.days)}))
    return Section("overall", Text("calibration.overall.title"), (intro, tiles, chart, table), DEFINITIONS)


def _by_chance(whole: Agreement) -> Text | None:
    if not np.isfinite(whole.raw_error):
        return None
    raw, chance = (quantity(Kind.SHARE, one) for one in (whole.raw_error, whole.by_chance))
    return Text("calibration.by_chance", {"raw": raw, "chance": chance})


def _columns() -> tuple[Column, ...]:
    names = ("claims", "predicted", "observed", "above")
    return tuple(Column(name, Text(f"calibration.{name}"), bars=name == "above") for name in names)


def _cells(one: Agreement, hidden: bool) -> tuple[Quantity, ...]:
    return (
        quantity(Kind.COUNT, one.claims, withheld=hidden),
        quantity(Kind.SHARE, one.predicted, withheld=hidden),
        quantity(Kind.SHARE, one.observed, withheld=hidden),
        quantity(Kind.POINTS, one.above, withheld=hidden),
    )


def _parts(found: Claims, slices: tuple[tuple[str, str, Agreement], ...]) -> Section:
    """By channel and country together, then by each alone."""
    gone = _hidden_parts(found, slices)
    rows = tuple(
        Row(
            f"{channel} {country}",
            Text("calibration.part", {"channel": channel_title(channel), "country": Name(country)}),
            (*_cells(one, hide), quantity(Kind.SHARE, one.error, withheld=hide), _state(one)),
        )
        for (channel, country, one), hide in zip(slices, gone, strict=True)
    )
    more = (Column("error", Text("calibration.error"), bars=True), Column("state", Text("calibration.state")))
    asked = quantity(Kind.COUNT, FEWEST_IN_SLICE)
    caption = Text("calibration.parts.caption", {"needed": asked})
    table = Table("parts", caption, Text("calibration.part.head"), (*_columns(), *more), rows)
    blocks = (_alone("channels", found, found.channel), _alone("countries", found, found.country), table)
    return Section("parts", Text("calibration.parts.title"), blocks, DEFINITIONS)


def _hidden_parts(found: Claims, slices: tuple[tuple[str, str, Agreement], ...]) -> list[bool]:
    """Which parts are withheld: channels and countries alone stand beside them, so that rows and columns have totals.

    Claims of debtors whose country is not known are no part; they are what is left of a channel, and count as a column.
    """
    channels, countries = sorted(set(found.channel.tolist())), sorted(set(found.country.tolist()))
    cells = [
        [np.unique(found.debtor[(found.channel == one) & (found.country == two)]) for two in countries]
        for one in channels
    ]
    gone = withheld_in_table_among(cells)
    return [bool(gone[channels.index(one), countries.index(two)]) for one, two, _ in slices]


def _alone(key: str, found: Claims, by: np.ndarray) -> Table:
    each = [agreement(name, some, rng=None) for name, some in parts(found, by)]
    gone = withheld_among([one.who for one in each]).tolist()
    rows = tuple(
        Row(one.name, channel_title(one.name) if key == "channels" else Name(one.name), _cells(one, hide))
        for one, hide in zip(each, gone, strict=True)
    )
    return Table(key, Text(f"calibration.{key}.caption"), Text(f"calibration.{key}"), _columns(), rows)


def _state(one: Agreement) -> Text:
    """Whether a part keeps the gate's limit: unknown where its claims are too few, or its interval holds the limit."""
    if not np.isfinite(one.error.value):
        return Text("calibration.state.few")
    if one.error.low > HIGHEST_SLICE_ERROR:
        return Text("calibration.state.off")
    return Text("calibration.state.fine" if one.error.high <= HIGHEST_SLICE_ERROR else "calibration.state.open")


def _months(found: Claims) -> Iterator[Section]:
    """Predicted and observed share by month of the decision, where there is more than one."""
    each = [agreement(name, some, rng=None) for name, some in parts(found, found.month)]
    if len(each) < 2:
        return
    gone = withheld_among([one.who for one in each]).tolist()
    shown = list(zip(each, gone, strict=True))
    predicted = tuple(Point(first_of(one.name), quantity(Kind.SHARE, one.predicted, withheld=h)) for one, h in shown)
    observed = tuple(Point(first_of(one.name), quantity(Kind.SHARE, one.observed, withheld=h)) for one, h in shown)
    chart = Chart(
        "months",
        Shape.LINES,
        Text("calibration.months.title"),
        Text("calibration.months.caption"),
        Text("calibration.month"),
        Text("calibration.share"),
        (
            Series("predicted", Text("calibration.predicted"), predicted),
            Series("observed", Text("calibration.observed"), observed),
        ),
    )
    rows = tuple(Row(one.name, first_of(one.name), _cells(one, hide)) for one, hide in shown)
    table = Table(
        "months_table", Text("calibration.months.table"), Text("calibration.month"), _columns(), rows, folded=True
    )
    yield Section("months", Text("calibration.months.title"), (chart, table), DEFINITIONS)


def _cash(found: Claims, shares: dict[str, float]) -> Iterator[Section]:
    """Expected against real money, in all and by month."""
    title = Text("calibration.cash.title")
    whole = cash(found)
    if whole is None or not shares:
        yield Section("cash", title, (Note(Text("calibration.cash.unknown")),), ("expected_cash",))
        return
    named = [("all", cash(found)), *((name, cash(some)) for name, some in parts(found, found.month))]
    lines = [(name, one) for name, one in named if one is not None]
    gone = [few(whole.debtors), *withheld_among([one.who for _, one in lines[1:]]).tolist()]
    rows = tuple(
        Row(
            name,
            Text("calibration.all") if name == "all" else first_of(name),
            (
                quantity(Kind.MONEY, one.expected_eur, withheld=hide),
                quantity(Kind.MONEY, one.paid_eur, withheld=hide),
                quantity(Kind.SHARE, one.ratio, withheld=hide),
                quantity(Kind.SHARE, one.small, withheld=hide),
            ),
            strong=name == "all",
        )
        for (name, one), hide in zip(lines, gone, strict=True)
    )
    names = ("expected", "real", "ratio", "small")
    columns = tuple(Column(key, Text(f"calibration.cash.{key}"), bars=key in ("ratio", "small")) for key in names)
    table = Table("cash", Text("calibration.cash.caption"), Text("calibration.month"), columns, rows)
    margin = {"margin": quantity(Kind.SHARE, CASH_MARGIN), "ratio": quantity(Kind.SHARE, whole.ratio)}
    off = whole.off(CASH_MARGIN)
    note = Note(Text("calibration.cash.off" if off else "calibration.cash.note", margin), caution=off)
    yield Section("cash", title, (note, table), ("expected_cash",))
