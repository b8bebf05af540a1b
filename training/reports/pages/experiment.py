"""One page for each experiment: sizes of the arms, gain by every way of looking, where it comes from, how long still."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.times import DAY_US, IntArray, from_day
from data.vocabulary import ARMS
from models.sample_ratio import SampleRatio
from training.reports.background import COLUMNS
from training.reports.blocks import (
    Block,
    Chart,
    Column,
    Kind,
    Moment,
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
)
from training.reports.cohorts import gain_over_time
from training.reports.experiment import CHAMPION, CONTROL, Entrants, day_by_day, totals
from training.reports.facts import Facts
from training.reports.gains import SEED, Comparison, by_horizon, chance_now, compare, gain_in, hidden_arms, share_of_two
from training.reports.pages.gain_blocks import (
    arm_table,
    arm_title,
    day_chart,
    gain_chart,
    gain_table,
    hidden,
    horizon_chart,
    horizon_table,
    known_chart,
)
from training.reports.periods import Experiment, experiments
from training.reports.verdict import WORTH_SHARE, Case, case_of, inflow_of, judge
from training.reports.withholding import few, quantity, withheld_in_table
from training.trials.adjusted import narrower_by
from training.trials.curves import Curve, drawn_gain, policy_curve
from training.trials.sequential import ready


def experiment_pages(facts: Facts) -> tuple[Page, ...]:
    """A page for each experiment of the log, the oldest first; none where no arms were compared."""
    return tuple(_page(facts, one) for one in experiments(facts.entrants))


def _page(facts: Facts, one: Experiment) -> Page:
    two = compare(one.entrants, facts.evidence, days=facts.config.horizon.days)
    case = case_of(one, two, known_until_us=facts.known_until_us)
    sections = (
        _result(case),
        *_days(facts, one.entrants),
        *_horizons(facts, one.entrants),
        *_over_time(one, two),
        _sizes(case.ratio),
        *_arms(facts, one, case),
        _sure(case, one),
        *(_ranked(one, two) if facts.creditor is None else ()),  # ranked by what is owed to all creditors
        *_crossed(one.entrants, facts),
        _still(case, one, facts),
        *_models(facts, one.entrants),
    )
    last_us = int(one.entrants.entered_us.max())
    return Page(
        name=one.name,
        title=Text("experiment.title", {"day": from_day(int(one.from_us // DAY_US))}),
        known_until_us=facts.known_until_us,
        sections=sections,
        creditor=facts.creditor,
        verdict=judge(case),
        span_us=(one.from_us, last_us),
    )


def _result(case: Case) -> Section:
    blocks = (gain_chart(case.two, case.gains), gain_table(case.two, case.gains))
    terms = ("gain", "recovered", "net", "largest_cut", "adjusted", "daily_looks", "intention_to_treat")
    return Section("result", Text("experiment.result"), blocks, terms)


def _days(facts: Facts, entrants: Entrants) -> Iterator[Section]:
    days = facts.config.horizon.days
    curves = day_by_day(entrants, facts.evidence, days=days)
    sizes = np.bincount(totals(entrants, facts.evidence, days=days).arm, minlength=len(ARMS))
    if curves:
        yield Section("days", Text("gains.by_day.title"), (day_chart(curves, sizes),), ("day_by_day", "recovered"))


def _horizons(facts: Facts, entrants: Entrants) -> Iterator[Section]:
    each = by_horizon(entrants, facts.evidence, settings=facts.config.horizon)
    if each:
        blocks = (horizon_chart(each), horizon_table(each))
        yield Section("horizons", Text("gains.horizons.title"), blocks, ("horizon", "followed", "largest_cut"))


def _over_time(one: Experiment, two: Comparison) -> Iterator[Section]:
    known = gain_over_time(two, _of_both(one).entered_us[two.found.row])
    if known:
        chart = known_chart(known, days=two.days)
        yield Section("time", Text("gains.known.title"), (chart,), ("daily_looks", "gain"))


def _of_both(one: Experiment) -> Entrants:
    """Debtors of the two arms compared, whose rows a comparison names."""
    return one.entrants.only(np.isin(one.entrants.arm, (CONTROL, CHAMPION)))


def _sizes(ratio: SampleRatio) -> Section:
    """Debtors of each arm against the shares they were drawn with."""
    sizes = dict(zip(ratio.arms, ratio.debtors, strict=True))
    gone = hidden_arms(np.array([sizes.get(arm, 0) for arm in ARMS]))
    hide = np.array([gone[ARMS.index(arm)] for arm in ratio.arms])
    rows = [
        Row(
            arm,
            Text(f"arm.{arm}"),
            (
                quantity(Kind.COUNT, debtors, withheld=gone),
                quantity(Kind.COUNT, round(planned)),
                quantity(Kind.SHARE, planned / max(1, sum(ratio.debtors))),
            ),
        )
        for arm, debtors, planned, gone in zip(ratio.arms, ratio.debtors, ratio.expected, hide.tolist(), strict=True)
    ]
    columns = tuple(Column(name, Text(f"experiment.sizes.{name}")) for name in ("debtors", "planned", "share"))
    table = Table("sizes", Text("experiment.sizes.caption"), Text("arms.arm"), columns, tuple(rows))
    note = Note(Text("experiment.sizes.note", {"chance": quantity(Kind.P_VALUE, ratio.p_value)}))
    return Section("sizes", Text("experiment.sizes.title"), (table, note), ("sample_ratio", "arm"))


def _arms(facts: Facts, one: Experiment, case: Case) -> Iterator[Section]:
    """What came of each arm, and the gain of each over control."""
    found = totals(one.entrants, facts.evidence, days=case.two.days)
    if not len(found.arm):
        return
    blocks: list[Block] = [arm_table(found, days=case.two.days)]
    others = [arm for arm in np.unique(one.entrants.arm).tolist() if arm != CONTROL]
    rows = []
    for arm in others:
        two = compare(one.entrants, facts.evidence, days=case.two.days, arm=arm)
        cells = [gain_in(measure, two) for measure in ("recovered", "net", "debtors_paid")]
        kinds = (Kind.SIGNED_MONEY, Kind.SIGNED_MONEY, Kind.POINTS)
        said = tuple(quantity(kind, gain.always, withheld=hidden(two)) for kind, gain in zip(kinds, cells, strict=True))
        rows.append(Row(ARMS[arm], arm_title(arm), said))
    names = ("recovered", "net", "debtors_paid")
    columns = tuple(Column(name, Text(f"measure.{name}"), bars=name == "recovered") for name in names)
    blocks.append(
        Table("over_control", Text("experiment.over_control"), Text("arms.arm"), columns, tuple(rows)),
    )
    yield Section("arms", Text("arms.title"), tuple(blocks), ("arm", "gain", "daily_looks"))


def _sure(case: Case, one: Experiment) -> Section:
    """How sure the gain is: what adjusting did, and what drawing the arms anew would show."""
    gain, now = case.gains["recovered"], chance_now(case.two)
    hide = hidden(case.two)
    said: dict[str, Said] = {
        "adjusted": quantity(Kind.SIGNED_MONEY, gain.adjusted, withheld=hide),
        "raw": quantity(Kind.SIGNED_MONEY, gain.raw, withheld=hide),
        "narrower": quantity(Kind.SHARE, narrower_by(gain.adjusted, gain.raw), withheld=hide),
        "chance_gain": quantity(Kind.P_VALUE, case.chance.of_gain, withheld=hide),
        "chance_loss": quantity(Kind.P_VALUE, case.chance.of_loss, withheld=hide),
        "now_gain": quantity(Kind.P_VALUE, now.of_gain, withheld=hide),
        "now_loss": quantity(Kind.P_VALUE, now.of_loss, withheld=hide),
        "cap": quantity(Kind.MONEY, case.two.cap_eur, withheld=hide),
        "share": quantity(Kind.SHARE, share_of_two(one)),
    }
    rows = tuple(Row(key, Text(f"experiment.sure.{key}"), (value,)) for key, value in said.items())
    columns = (Column("value", Text("experiment.sure.value")),)
    table = Table("sure", Text("experiment.sure.caption"), Text("experiment.sure.what"), columns, rows)
    terms = ("adjusted", "daily_looks", "randomisation_test", "largest_cut")
    unlike = (Note(Text("experiment.sure.unlike"), caution=True),) if case.two.left_out else ()
    return Section("sure", Text("experiment.sure.title"), (table, *unlike), terms)


def _ranked(one: Experiment, two: Comparison) -> Iterator[Section]:
    """Gain by the share of debtors whom the champion decides on, those ranked first of whom most is at stake."""
    both = _of_both(one)
    known = both.before[two.found.row]
    if known.shape[1] != len(COLUMNS) or two.left_out or not ready(two.found.recovered_eur, two.treated):
        return
    cut, unit = np.minimum(two.found.recovered_eur, two.cap_eur), np.arange(len(two.treated))
    left, expected = (
        np.expm1(two.before[:, COLUMNS.index(name)]) for name in ("outstanding", "expected_without_contact")
    )
    gain = drawn_gain(cut, two.treated, share=share_of_two(one))
    rng = np.random.default_rng(SEED)
    curve = policy_curve(gain, np.zeros(len(gain)), left - expected, unit=unit, rng=rng)
    area = Note(Text("experiment.ranked.area", {"area": _quantity_of(curve)}))
    blocks = (_curve_chart(curve), area)
    yield Section("ranked", Text("experiment.ranked.title"), blocks, ("qini", "gain", "largest_cut"))


def _quantity_of(curve: Curve) -> Quantity:
    return Quantity(Kind.SIGNED_MONEY, curve.area.value, curve.area.low, curve.area.high)


def _curve_chart(curve: Curve) -> Chart:
    points = tuple(
        Point(float(round(100 * share)), Quantity(Kind.SIGNED_MONEY, float(value), float(low), float(high)))
        for share, value, low, high in zip(curve.share, curve.value, curve.low, curve.high, strict=True)
    )
    return Chart(
        "ranked",
        Shape.LINES,
        Text("experiment.ranked.title"),
        Text("experiment.ranked.caption"),
        Text("experiment.ranked.share"),
        Text("gains.per_debtor"),
        (Series("champion", Text("experiment.ranked.series"), points),),
    )


def _crossed(entrants: Entrants, facts: Facts) -> Iterator[Section]:
    """Debtors whom the log shows in another arm later, by the arm in which they count."""
    if not entrants.crossed.any():
        return
    arms = np.unique(entrants.arm).tolist()
    later = _last_arm(entrants, facts)
    counts = np.array([[((entrants.arm == arm) & (later == to)).sum() for to in range(len(ARMS))] for arm in arms])
    hide = withheld_in_table(counts)
    rows = tuple(
        Row(
            ARMS[arm],
            arm_title(arm),
            tuple(quantity(Kind.COUNT, n, withheld=gone) for n, gone in zip(line, mask, strict=True)),
        )
        for arm, line, mask in zip(arms, counts.tolist(), hide.tolist(), strict=True)
    )
    columns = tuple(Column(name, Text(f"arm.{name}")) for name in ARMS)
    table = Table("crossed", Text("experiment.crossed.caption"), Text("experiment.crossed.first"), columns, rows)
    yield Section("crossed", Text("experiment.crossed.title"), (table,), ("intention_to_treat", "arm"))


def _last_arm(entrants: Entrants, facts: Facts) -> IntArray:
    """Arm of each debtor's last drawn decision."""
    rows = facts.evidence.rows
    drawn = np.flatnonzero(rows.randomised)
    order = drawn[np.argsort(rows.decided_us[drawn], kind="stable")]
    last = np.full(len(rows.debtor_id), -1)
    last[rows.debtor[order]] = rows.arm[order]  # of several for one debtor, NumPy keeps the last
    found: IntArray = last[entrants.debtor]
    return found


def _still(case: Case, one: Experiment, facts: Facts) -> Section:
    """How long it has been going, how many enter, and how long still."""
    inflow = inflow_of(one, days=case.two.days, known_until_us=facts.known_until_us)
    waiting = case.two.waiting
    said: dict[str, Said] = {
        "age": Quantity(Kind.WEEKS, round(case.age_weeks, 1)),
        "per_week": quantity(Kind.COUNT, round(inflow.per_week), withheld=few(round(inflow.per_week))),
        "waiting": quantity(Kind.COUNT, waiting, withheld=few(waiting)),
        "worth_share": Quantity(Kind.SHARE, WORTH_SHARE),
        "worth": quantity(Kind.MONEY, case.worth_eur, withheld=hidden(case.two)),
        "weeks": Quantity(Kind.WEEKS, None if case.weeks is None else float(case.weeks)),
    }
    rows = tuple(Row(key, Text(f"experiment.still.{key}"), (value,)) for key, value in said.items())
    columns = (Column("value", Text("experiment.sure.value")),)
    table = Table("still", Text("experiment.still.caption"), Text("experiment.sure.what"), columns, rows)
    return Section("still", Text("experiment.still.title"), (table,), ("worth_having", "weeks_left"))


def _models(facts: Facts, entrants: Entrants) -> Iterator[Section]:
    """Versions of the model that decided for the champion arm in this experiment, since when and on how many debtors."""
    rows = facts.evidence.rows
    ours = entrants.debtor[entrants.arm == CHAMPION]
    table = facts.decisions.select(["debtor_id", "decided_at", "model_version", "arm"])
    mine = pc.is_in(table["debtor_id"], value_set=rows.debtor_id.take(pa.array(ours)))
    table = table.filter(pc.and_(mine, pc.equal(table["arm"], ARMS[CHAMPION])))
    found = table.group_by("model_version").aggregate([("decided_at", "min"), ("debtor_id", "count_distinct")])
    found = found.sort_by([("decided_at_min", "ascending"), ("model_version", "ascending")])
    lines = []
    instants = found["decided_at_min"].cast(pa.int64()).to_pylist()
    each = zip(found["model_version"].to_pylist(), instants, found["debtor_id_count_distinct"].to_pylist(), strict=True)
    for version, since_us, debtors in each:
        cells = (Moment(since_us), quantity(Kind.COUNT, debtors, withheld=few(debtors)))
        lines.append(Row(version, Name(version), cells))
    if lines:
        columns = tuple(Column(name, Text(f"experiment.models.{name}")) for name in ("since", "debtors"))
        caption, first = Text("experiment.models.caption"), Text("experiment.models.version")
        shown = Table("models", caption, first, columns, tuple(lines))
        yield Section("models", Text("experiment.models.title"), (shown,), ("experiment", "model_version"))
