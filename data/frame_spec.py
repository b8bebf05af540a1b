"""What a SPEC says of a decision log frame: which column means what. Parsed from TOML, every key known."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from data.spec_section import BadSpec, Section, TomlTable

ROW = "@row"
ORDER = "@order"
BINARY = "0/1"
AMOUNT = "amount"
TIME_UNITS = ("s", "ms", "us", "order")


@dataclass(frozen=True)
class TimeSpec:
    """When a decision was taken: a column, or `"@order"` for the order of the rows."""

    column: str
    zone: str | None = None
    unit: str | None = None
    format: str | None = None


@dataclass(frozen=True)
class ActionSpec:
    """Columns joined into an action's label, and `fixed` ones settled before the choice was made."""

    columns: tuple[str, ...]
    join: str = "@"
    fixed: tuple[str, ...] = ()


@dataclass(frozen=True)
class ActionFeaturesSpec:
    """Columns that describe an action; in the data itself, or in `file` with one row per action."""

    columns: tuple[str, ...]
    file: str | None = None
    key: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContextSpec:
    """Columns known before the choice; `columns` is None where all are meant but those left out."""

    columns: tuple[str, ...] | None = ()
    leave_out: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    known_before: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProbabilitySpec:
    """Chance with which the logged action was chosen: one of a column, a number, a number per action."""

    column: str | None = None
    constant: float | None = None
    by_action: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class RewardSpec:
    """What came of a decision: 0/1 (with the value that means 1) or an amount."""

    column: str
    kind: str
    one: str | None = None


@dataclass(frozen=True)
class TargetSpec:
    """Policy to be valued: a constant action, the uniform draw, or columns of action probabilities."""

    constant: str | None = None
    uniform: bool = False
    file: str | None = None
    key: tuple[str, ...] = ()
    probability: str | None = None
    by: str | None = None
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SupportSpec:
    """Support below which no number is given; the default is the strict one."""

    effective_share: float = 0.05
    largest_weight: float = 100.0


@dataclass(frozen=True)
class FrameSpec:
    """A SPEC, typed. `source` is the file's name, for messages."""

    source: str
    unit: str
    decision_id: str
    action: ActionSpec
    reward: RewardSpec
    context: ContextSpec
    time: TimeSpec | None = None
    action_features: ActionFeaturesSpec | None = None
    action_probability: ProbabilitySpec | None = None
    censored: str | None = None
    target_policy: TargetSpec | None = None
    on_policy: str | None = None
    support: SupportSpec = SupportSpec()


def read_spec(path: Path) -> FrameSpec:
    """The SPEC in a TOML file.

    Raises
    ------
    BadSpec
        The file is missing, is not TOML, has an unknown key or a value of the wrong kind.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSpec(f"{path}: expected a SPEC in TOML (UTF-8); it cannot be read: {error}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSpec(f"{path.name}: expected TOML; {error}") from error
    return parse_spec(values, path.name)


def parse_spec(values: TomlTable, source: str) -> FrameSpec:
    """The SPEC in TOML values already loaded; `source` names it in messages.

    >>> spec = parse_spec({"action": "arm", "reward": {"column": "paid", "kind": "0/1"}}, "spec.toml")
    >>> spec.unit, spec.action.columns, spec.time
    ('@row', ('arm',), None)
    >>> parse_spec({"acton": "arm", "action": "arm", "reward": {"column": "paid", "kind": "0/1"}}, "spec.toml")
    Traceback (most recent call last):
    data.spec_section.BadSpec: spec.toml: acton: unknown key; did you mean 'action'?
    """
    top = Section(values, "", source)
    spec = FrameSpec(
        source=source,
        unit=top.text("unit") or ROW,
        decision_id=top.text("decision_id") or ROW,
        time=_time(top),
        action=_action(top),
        action_features=_action_features(top),
        context=_context(top),
        action_probability=_action_probability(top),
        reward=_reward(top),
        censored=top.text("censored"),
        target_policy=_target_policy(top),
        on_policy=_on_policy(top),
        support=_support(top),
    )
    top.close()
    return spec


def _time(top: Section) -> TimeSpec | None:
    if isinstance(top.raw("time"), str):
        return TimeSpec(top.needed("time", 'the column of the time, or "@order"'))
    table = top.section("time")
    if table is None:
        return None
    spec = TimeSpec(
        column=table.needed("column", 'the column of the time, or "@order"'),
        zone=table.text("zone"),
        unit=table.text("unit"),
        format=table.text("format"),
    )
    if spec.unit is not None and spec.unit not in TIME_UNITS:
        raise table.bad("unit", f"one of {', '.join(TIME_UNITS)}")
    table.close()
    return spec


def _action(top: Section) -> ActionSpec:
    expected = 'the column of the action, several to be joined, or [action] with "columns"'
    table = top.section("action") if isinstance(top.raw("action"), dict) else None
    if table is None:
        spec = ActionSpec(top.texts("action"))
    else:
        spec = ActionSpec(table.texts("columns"), join=table.text("join") or "@", fixed=table.texts("fixed"))
        table.close()
    if not spec.columns:
        raise top.bad("action", expected)
    return spec


def _action_features(top: Section) -> ActionFeaturesSpec | None:
    table = top.section("action_features")
    if table is None:
        return None
    spec = ActionFeaturesSpec(
        columns=table.texts("columns"),
        file=table.text("file"),
        key=table.texts("key"),
        categorical=table.texts("categorical"),
    )
    if not spec.columns:
        raise table.bad("columns", "the columns that describe an action")
    if (spec.file is None) != (not spec.key):
        raise table.bad("key", "file and key together: the file with a row per action, its columns of the action")
    table.close()
    return spec


def _context(top: Section) -> ContextSpec:
    table = top.section("context")
    if table is None:
        return ContextSpec()
    columns, every, leave_out = table.texts("columns"), table.flag("all"), table.texts("leave_out")
    if every and columns:
        raise table.bad("columns", "either all = true or a list of columns, not both")
    if leave_out and not every:
        raise table.bad("leave_out", "all = true beside it: only then is there something to leave out")
    spec = ContextSpec(
        columns=None if every else columns,
        leave_out=leave_out,
        categorical=table.texts("categorical"),
        known_before=table.texts("known_before"),
    )
    table.close()
    return spec


def _action_probability(top: Section) -> ProbabilitySpec | None:
    expected = "a column, a number above 0 and at most 1, or such a number for each action"
    value = top.raw("action_probability")
    if value is None:
        return None
    if isinstance(value, str) and value:
        return ProbabilitySpec(column=value)
    if _is_probability(value):
        return ProbabilitySpec(constant=float(str(value)))
    if isinstance(value, dict) and value and all(_is_probability(p) for p in value.values()):
        return ProbabilitySpec(by_action=tuple((str(label), float(p)) for label, p in value.items()))
    raise top.bad("action_probability", expected)


def _is_probability(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1


def _reward(top: Section) -> RewardSpec:
    table = top.section("reward")
    if table is None:
        raise top.bad("reward", 'a table [reward] with column and kind ("0/1" or "amount")')
    kind = table.needed("kind", '"0/1" or "amount"')
    if kind not in (BINARY, AMOUNT):
        raise table.bad("kind", '"0/1" or "amount"')
    one = table.raw("one")
    if one is not None and (kind != BINARY or not isinstance(one, str | int | float | bool)):
        raise table.bad("one", 'the value that means 1, and only where kind = "0/1"')
    spec = RewardSpec(table.needed("column", "the column of the reward"), kind, None if one is None else as_label(one))
    table.close()
    return spec


def as_label(value: object) -> str:
    """How a value of a SPEC is written when it is compared with a file's: as text, true and false in small letters.

    >>> as_label(True), as_label(2), as_label("yes")
    ('true', '2', 'yes')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def _target_policy(top: Section) -> TargetSpec | None:
    table = top.section("target_policy")
    if table is None:
        return None
    columns = table.raw("columns")
    if columns is not None and not _is_names(columns):
        raise table.bad("columns", 'a column for each action or each value of "by": {label = "column"}')
    constant = table.raw("constant")
    spec = TargetSpec(
        constant=None if constant is None else as_label(constant),
        uniform=table.flag("uniform"),
        file=table.text("file"),
        key=table.texts("key"),
        probability=table.text("probability"),
        by=table.text("by"),
        columns=tuple((str(k), str(v)) for k, v in columns.items()) if isinstance(columns, dict) else (),
    )
    table.close()
    _check_target(spec, table)
    return spec


def _is_names(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(name, str) and name for name in value.values())


def _check_target(spec: TargetSpec, table: Section) -> None:
    ways = (spec.constant is not None, spec.uniform, spec.probability is not None, bool(spec.columns))
    if sum(ways) != 1:
        raise table.bad("constant", "one of constant, uniform = true, probability, columns")
    if spec.key and spec.file is None:
        raise table.bad("file", "the file that has the key's columns")
    if spec.probability is not None and not spec.key:
        raise table.bad("key", "the columns of the action in that file")
    if (spec.by is None) != (not (spec.key and spec.columns)):
        raise table.bad("by", 'key, by and columns together: a row per action, a column per value of "by"')


def _on_policy(top: Section) -> str | None:
    table = top.section("on_policy")
    if table is None:
        return None
    file = table.needed("file", "the log of the target policy itself")
    table.close()
    return file


def _support(top: Section) -> SupportSpec:
    table = top.section("support")
    if table is None:
        return SupportSpec()
    strict = SupportSpec()
    spec = SupportSpec(
        effective_share=table.number("effective_share", low=0.0, high=1.0, default=strict.effective_share),
        largest_weight=table.number("largest_weight", low=1.0, high=1e6, default=strict.largest_weight),
    )
    table.close()
    return spec
