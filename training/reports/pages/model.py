"""The model card: what decides, what it is for and never does, what it learnt from, how it was judged, what it looks at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.times import read_moment, to_us
from models.bundle import Role
from models.bundle_files import BadBundle
from training.reports.blocks import (
    Block,
    Chart,
    Column,
    Kind,
    Moment,
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
from training.reports.facts import Facts
from training.reports.model_card import Card, card_of
from training.reports.pages.gain_blocks import channel_title
from training.reports.pages.gate_table import gate_table, plain
from training.reports.pages.verdict_texts import verdict_of
from training.reports.withholding import quantity
from training.trials.intervals import Interval

NAME = "model"
SHOWN_FEATURES = 15
LEARNERS = ("t_learner", "x_learner", "r_learner", "dr_learner")
RECIPES = ("logistic", "lightgbm", "per_channel", "time_to_payment", "chain", "tree", "incumbent", "constant")
"""Recipes with words of their own; the learners of what contact changes share theirs."""

CHOOSERS = ("value", "control", "constant", "tree")


def model(facts: Facts) -> Page | None:
    """Card of the champion, and of the challenger where there is one; None for one creditor: models learn from all.

    Where nothing has been promoted, or what was cannot be read, the page says so in words.
    """
    if facts.creditor is not None:
        return None
    roles: tuple[Role, ...] = ("champion", "challenger")
    cards = {role: _card(facts, role) for role in roles}
    found = [card for card in cards.values() if isinstance(card, Card)]
    sections = (
        _purpose(),
        *(_unreadable(role, one) for role, one in cards.items() if isinstance(one, str)),
        *(section for card in found for section in _sections(card)),
        _in_use(facts),
    )
    return Page(
        name=NAME,
        title=Text("model.title"),
        known_until_us=facts.known_until_us,
        sections=sections,
        verdict=_verdict(cards["champion"]),
        span_us=facts.span_us,
    )


def _card(facts: Facts, role: Role) -> Card | str | None:
    """A card, or why it cannot be read."""
    try:
        return card_of(facts.workspace, role)
    except BadBundle as error:
        return str(error)


def _verdict(champion: Card | str | None) -> Verdict:
    """Whether the champion was judged good enough, forced, or is not there."""
    if champion is None:
        return verdict_of(NAME, "no_model", Mood.NONE)
    if isinstance(champion, str):
        return verdict_of(NAME, "unreadable", Mood.BAD)
    if champion.forced:
        return verdict_of(NAME, "forced", Mood.BAD, {"reason": Name(champion.forced)})
    if champion.gain is None:
        return verdict_of(NAME, "unmeasured", Mood.WAIT)
    gain = {"gain": quantity(Kind.SIGNED_MONEY, plain(champion.gain.gain))}
    return verdict_of(NAME, "better" if champion.gain.gain.low > 0 else "not_worse", Mood.GOOD, gain)


def _purpose() -> Section:
    """What a model is for, what it is not for, what it never does: the same for every one."""
    notes = tuple(Note(Text(f"model.purpose.{what}")) for what in ("for", "not_for", "never", "people"))
    return Section("purpose", Text("model.purpose.title"), notes, ("contact_rule", "uplift"))


def _unreadable(role: Role, why: str) -> Section:
    note = Note(Text("model.unreadable", {"why": Name(why)}), caution=True)
    return Section(f"{role}-unreadable", Text(f"arm.{role}"), (note,))


def _sections(card: Card) -> Iterator[Section]:
    role = {"role": Text(f"arm.{card.role}")}
    yield Section(
        f"{card.role}-identity",
        Text("model.identity.title", role),
        (_identity(card), *_forced(card)),
        ("model_version",),
    )
    yield Section(f"{card.role}-data", Text("model.data.title", role), (_data(card),), ("followed",))
    yield Section(f"{card.role}-judged", Text("model.judged.title", role), tuple(_judged(card)), JUDGED)
    if card.weights:
        yield Section(f"{card.role}-features", Text("model.features.title", role), tuple(_features(card)), ("feature",))
    yield Section(f"{card.role}-limits", Text("model.limits.title", role), tuple(_limits(card)))


JUDGED = ("calibration_error", "ranking", "policy_value", "pressure_ratio")


def _facts_table(key: str, caption: Text, lines: list[tuple[str, Said | None]]) -> Table:
    rows = tuple(Row(name, Text(f"model.{key}.{name}"), (said,)) for name, said in lines if said is not None)
    return Table(key, caption, Text("model.what"), (Column("value", Text("model.value")),), rows)


def _identity(card: Card) -> Table:
    head, inner = card.head, card.card
    lines: list[tuple[str, Said | None]] = [
        ("recipe", _recipe_title(head["recipe"])),
        ("chooser", Text(f"model.chooser.{head['chooser']}") if head["chooser"] in CHOOSERS else Name(head["chooser"])),
        ("promoted", Moment(card.promoted_us)),
        ("promoted_by", Text("model.not_kept")),
        ("version", Name(card.version)),
        ("digest", Name(card.digest)),
        ("configuration", Name(str(inner.get("config", "")))),
        ("feature_set", Name(str(head.get("feature_fingerprint", "")))),
        ("library", Name(f"LightGBM {head['lightgbm']}") if head.get("lightgbm") else None),
        ("settings", Name(_settings(inner)) if inner.get("settings") else Text("model.usual_settings")),
    ]
    return _facts_table("identity", Text("model.identity.caption"), lines)


def _recipe_title(recipe: str) -> Text | Name:
    """A recipe in words; by its name where it has none."""
    if recipe in LEARNERS:
        return Text("model.recipe.uplift")
    return Text(f"model.recipe.{recipe}") if recipe in RECIPES else Name(recipe)


def _settings(inner: Any) -> str:  # noqa: ANN401 # a card of any age
    return ", ".join(f"{name} = {value}" for name, value in sorted(dict(inner["settings"]).items()))


def _forced(card: Card) -> Iterator[Note]:
    if card.forced:
        yield Note(Text("model.forced", {"reason": Name(card.forced)}), caution=True)


def _data(card: Card) -> Table:
    """What it learnt from and was judged on."""
    inner = card.card
    rows: dict[str, Any] = inner.get("rows") or {}
    lines: list[tuple[str, Said | None]] = [
        *((name, _day(inner.get(name))) for name in ("as_of", "learnt_from", "learnt_until", "judged_from")),
        *((f"rows_{name}", _count(rows.get(name))) for name in ("learn", "calibrate", "judge")),
        ("horizon", quantity(Kind.DAYS, float(inner["horizon_days"])) if "horizon_days" in inner else None),
        ("features", _count(len(card.head.get("features", ())))),
    ]
    return _facts_table("data", Text("model.data.caption"), lines)


def _day(text: object) -> date | Moment | None:
    return Moment(to_us(read_moment(str(text)))) if text else None


def _count(value: float | None) -> Quantity | None:
    return None if value is None else quantity(Kind.COUNT, float(value))


def _judged(card: Card) -> Iterator[Block]:
    """Figures on debtors and days that it had not learnt from, and what the gate asked."""
    metrics: dict[str, Any] = card.card.get("metrics") or {}
    refused = card.card.get("policy_value_refused", "")
    value = Interval(*(metrics.get(f"value_{end}eur", np.nan) for end in ("", "low_", "high_")))
    gain = UNKNOWN_GAIN if card.gain is None else plain(card.gain.gain)
    lines: list[tuple[str, Said | None]] = [
        ("gain", quantity(Kind.SIGNED_MONEY, gain)),
        ("value", quantity(Kind.MONEY, value) if "value_eur" in metrics else None),
        ("auc", _number(metrics.get("auc"))),
        ("error", _share(metrics.get("calibration_error"))),
        ("log_loss", _number(metrics.get("log_loss"))),
        ("base_log_loss", _number(metrics.get("base_log_loss"))),
        ("contacts", _number(metrics.get("contacts_per_decision"))),
        ("paid_share", _share(metrics.get("paid_share"))),
        ("rows", _count(metrics.get("rows"))),
    ]
    yield _facts_table("judged", Text("model.judged.caption"), lines)
    if refused:
        yield Note(Text("model.value_refused", {"why": Name(refused)}), caution=True)
    if card.evidence is None:
        yield Note(Text("model.no_evidence"))
    else:
        yield gate_table(card, card.evidence)


UNKNOWN_GAIN = Interval(float("nan"), float("nan"), float("nan"))


def _number(value: float | None) -> Quantity | None:
    return None if value is None else quantity(Kind.NUMBER, float(value))


def _share(value: float | None) -> Quantity | None:
    return None if value is None else quantity(Kind.SHARE, float(value))


def _features(card: Card) -> Iterator[Block]:
    """What splits gained by subject, and the families that gained most."""
    by_group: defaultdict[str, float] = defaultdict(float)
    for one in card.weights:
        by_group[one.group] += one.share
    ordered = sorted(by_group.items(), key=lambda pair: -pair[1])
    points = tuple(
        Point(Text(f"model.group.{name.replace(' ', '_')}"), quantity(Kind.SHARE, share)) for name, share in ordered
    )
    title, caption = Text("model.groups.title"), Text("model.groups.caption")
    series = (Series(card.role, Text(f"arm.{card.role}"), points),)
    yield Chart("groups", Shape.BARS, title, caption, Text("model.group"), Text("model.weight"), series)
    rows = tuple(
        Row(
            one.family,
            feature_title(one.family),
            (Text(f"model.group.{one.group.replace(' ', '_')}"), quantity(Kind.SHARE, one.share)),
        )
        for one in card.weights[:SHOWN_FEATURES]
    )
    columns = (Column("group", Text("model.group")), Column("weight", Text("model.weight")))
    yield Table("features", Text("model.features.caption"), Text("model.feature"), columns, rows)
    sensitive = [Note(Text("model.sensitive", {"name": feature_title(name)}), caution=True) for name in card.sensitive]
    yield from sensitive or [Note(Text("model.no_sensitive"))]


def feature_title(family: str) -> Text:
    """A family of features in words.

    >>> feature_title("sent_{channel}_{window}").key
    'feature.sent_channel_window'
    """
    return Text(f"feature.{family.replace('{', '').replace('}', '')}")


def _limits(card: Card) -> Iterator[Note]:
    """What it cannot know, as far as the card tells."""
    for channel in card.head.get("untried", ()):
        yield Note(Text("model.untried", {"channel": channel_title(channel)}))
    if not card.card.get("none_rows_in_log", True):
        yield Note(Text("model.no_none_rows"), caution=True)
    if card.head.get("mean_share") is not None:
        learnt = bool((card.card.get("amounts") or {}).get("learnt"))
        share = quantity(Kind.SHARE, float(card.head["mean_share"]))
        yield Note(Text("model.share_learnt" if learnt else "model.share_mean", {"share": share}))
    yield Note(Text("model.limits.portfolio"))


def _in_use(facts: Facts) -> Section:
    """Which versions of model, policy and rules took the decisions of the log."""
    named = ("model_version", "policy_version", "rules_version")
    table = (
        facts.decisions.select(["decision_id", *named])
        .group_by(list(named))
        .aggregate([("decision_id", "count_distinct")])
    )
    counts = table["decision_id_count_distinct"].to_numpy()
    total = int(counts.sum())
    order = np.argsort(-counts, kind="stable")
    names = [[str(one) for one in table[name].to_pylist()] for name in named]
    rows = tuple(
        Row(
            " ".join(column[place] for column in names),
            Name(names[0][place]),
            (
                Name(names[1][place]),
                Name(names[2][place]),
                quantity(Kind.COUNT, float(counts[place])),
                quantity(Kind.SHARE, counts[place] / total),
                *_span(facts, {name: column[place] for name, column in zip(named, names, strict=True)}),
            ),
        )
        for place in order.tolist()
    )
    keys = ("policy", "rules", "decisions", "share", "first", "last")
    columns = tuple(Column(key, Text(f"model.in_use.{key}")) for key in keys)
    told = Table("in_use", Text("model.in_use.caption"), Text("model.in_use.model"), columns, rows)
    return Section("in-use", Text("model.in_use.title"), (told,), ("model_version",))


def _span(facts: Facts, versions: dict[str, str]) -> tuple[Moment, Moment]:
    """First and last decision of these versions."""
    here = pa.array(np.ones(facts.decisions.num_rows, dtype=bool))
    for name, version in versions.items():
        here = pc.and_(here, pc.equal(facts.decisions[name], version))
    ends = pc.min_max(facts.decisions["decided_at"].filter(here).cast(pa.int64())).as_py()
    return Moment(int(ends["min"])), Moment(int(ends["max"]))
