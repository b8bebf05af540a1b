"""The decision log frame: SPEC, reading, checking."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from data.decision_frame import DecisionFrame, NoTimeOrder, read_frame
from data.frame_spec import FrameSpec, parse_spec, read_spec
from data.frame_table import BadFrame, codes, labels, levelled
from data.spec_section import BadSpec

SPECS = Path(__file__).parents[2] / "data" / "frames"

BASE = """
unit = "customer"
time = "at"
action = "arm"
action_probability = "p"
[reward]
column = "paid"
kind = "0/1"
[context]
columns = ["age", "town"]
"""


def spec_of(text: str) -> FrameSpec:
    return parse_spec(tomllib.loads(text), "spec.toml")


def table(rows: int = 60) -> pa.Table:
    number = np.arange(rows)
    return pa.table(
        {
            "customer": pa.array([f"c{i // 2}" for i in number]),
            "at": pa.array(number * 1_000_000, pa.timestamp("us", tz="Europe/Copenhagen")),
            "arm": pa.array([("none", "sms", "letter")[i % 3] for i in number]),
            "p": pa.array(np.full(rows, 1 / 3)),
            "paid": pa.array(number % 4 == 0),
            "age": pa.array([None if i % 10 == 0 else float(i % 7) for i in number]),
            "town": pa.array([None if i % 9 == 0 else f"t{i % 5}" for i in number]).dictionary_encode(),
        }
    )


def put(folder: Path, rows: pa.Table, name: str = "log.parquet") -> Path:
    file = folder / name
    pq.write_table(rows, file)
    return file


def changed(rows: pa.Table, name: str, values: object) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, pa.array(values))


def read(folder: Path, rows: pa.Table, text: str = BASE) -> DecisionFrame:
    return read_frame(put(folder, rows), spec_of(text))


def test_a_frame_holds_what_the_spec_names(tmp_path: Path) -> None:
    frame = read(tmp_path, table())
    assert len(frame) == 60
    assert frame.actions == ("letter", "none", "sms")
    assert len(np.unique(frame.unit)) == 30
    assert frame.context.names == ("x_age", "x_town")
    assert frame.context.levels == (None, ("t0", "t1", "t2", "t3", "t4"))
    assert np.isnan(frame.context.values[0]).all()
    assert frame.reward.mean() == 0.25


def test_csv_and_parquet_read_alike(tmp_path: Path) -> None:
    rows = changed(table(), "town", table()["town"].combine_chunks().dictionary_decode())
    pacsv.write_csv(rows.set_column(1, "at", rows["at"].cast(pa.timestamp("us", tz="UTC"))), tmp_path / "log.csv")
    text = BASE.replace('"at"', '"@order"')
    from_csv, from_parquet = read_frame(tmp_path / "log.csv", spec_of(text)), read(tmp_path, rows, text)
    assert np.array_equal(from_csv.context.values, from_parquet.context.values, equal_nan=True)
    assert np.array_equal(from_csv.reward, from_parquet.reward)
    assert from_csv.actions == from_parquet.actions


def test_a_csv_with_semicolons_and_late_text_is_read(tmp_path: Path) -> None:
    lines = ["arm;paid;code", *(f"a{i % 2};{i % 3 == 0:d};{i}" for i in range(200_000)), "a1;0;K7"]
    (tmp_path / "log.csv").write_text("\n".join(lines))
    text = 'action = "arm"\n[reward]\ncolumn = "paid"\nkind = "0/1"\n'
    assert len(read_frame(tmp_path / "log.csv", spec_of(text))) == 200_001


def test_several_columns_join_into_one_action(tmp_path: Path) -> None:
    text = BASE.replace('action = "arm"', 'action = ["arm", "town"]')
    rows = table().filter(pa.compute.is_valid(table()["town"]))
    frame = read(tmp_path, rows, text.replace('["age", "town"]', '["age"]'))
    assert "sms@t1" in frame.actions
    assert frame.action_features.names == ("action", "action_arm", "action_town")


def test_fixed_columns_stand_beside_the_action_and_in_the_context(tmp_path: Path) -> None:
    rows = table().append_column("place", pa.array(np.arange(60) % 2 + 1))
    text = BASE.replace('action = "arm"', "") + '[action]\ncolumns = ["arm"]\nfixed = ["place"]\n'
    frame = read(tmp_path, rows, text)
    assert frame.fixed_labels == ("1", "2")
    assert "x_place" in frame.context.names


def test_all_columns_but_those_left_out_or_used_become_context(tmp_path: Path) -> None:
    text = BASE.replace('columns = ["age", "town"]', 'all = true\nleave_out = ["town"]')
    assert read(tmp_path, table(), text).context.names == ("x_age",)


def test_constant_columns_and_identifiers_are_left_out_with_a_word(tmp_path: Path) -> None:
    rows = (
        table().append_column("same", pa.array(["x"] * 60)).append_column("id", pa.array([f"k{i}" for i in range(60)]))
    )
    frame = read(tmp_path, rows, BASE.replace('"town"', '"town", "same", "id"'))
    assert frame.context.names == ("x_age", "x_town")
    said = " ".join(str(notice) for notice in frame.notices)
    assert "same" in said
    assert "identifier" in said


def test_censored_rows_need_no_reward(tmp_path: Path) -> None:
    rows = changed(table(), "paid", [None if i < 5 else bool(i % 2) for i in range(60)])
    rows = rows.append_column("open", pa.array([i < 5 for i in range(60)]))
    frame = read(tmp_path, rows, 'censored = "open"\n' + BASE)
    assert frame.censored.sum() == 5
    assert np.isnan(frame.reward).sum() == 5


def test_rare_levels_share_one() -> None:
    column = pa.chunked_array([[f"z{i}" for i in range(300)] + [f"z{i}" for i in range(150)] * 3])
    number, levels = levelled(column)
    assert len(levels) == 200
    assert levels[-1] == "(rarer)"
    assert number.max() == 199


def test_labels_of_whole_floats_have_no_point() -> None:
    assert labels(pa.chunked_array([[1.0, None, 2.0]])).to_pylist() == ["1", None, "2"]
    assert codes(pa.chunked_array([[True, None, False]]))[1] == ("false", "true")


def test_a_frame_without_time_refuses_the_split_by_time(tmp_path: Path) -> None:
    frame = read(tmp_path, table(), BASE.replace('time = "at"', ""))
    with pytest.raises(NoTimeOrder, match='neither a column nor "@order": add time'):
        frame.times()


def test_row_selection_keeps_everything_in_step(tmp_path: Path) -> None:
    frame = read(tmp_path, table(), BASE + '[target_policy]\nconstant = "sms"\n')
    kept = frame.rows(frame.action == frame.actions.index("sms"))
    assert len(kept) == 20
    assert kept.target is not None
    assert (kept.target.of_logged(kept.action) == 1).all()


def problem(folder: Path, rows: pa.Table, text: str = BASE) -> str:
    with pytest.raises(BadFrame) as error:
        read(folder, rows, text)
    return str(error.value)


def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    said = problem(tmp_path, table(), BASE.replace('"arm"', '"amr"'))
    assert "log.parquet.amr: expected this column (action)" in said
    assert "did you mean 'arm'?" in said


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("p", [0.0] * 2 + [0.5] * 58, "above 0 and at most 1, '0' in 2 rows"),
        ("p", ["half"] * 60, "expected probabilities, came string"),
        ("paid", ["ja", "nej"] * 30, "expected 0 or 1, 'ja' in 60 rows; say which value means 1"),
        ("paid", [None] * 3 + [1] * 57, "reward is missing or infinite in 3 rows"),
        ("arm", [None] * 4 + ["sms", "none"] * 28, "action is missing in 4 rows"),
        ("customer", ["only"] * 60, "one unit only"),
        ("age", [[1]] * 60, "expected numbers, text or times, came list"),
        ("at", list(range(60)), "came whole numbers; say what they count"),
        ("at", ["Monday"] * 60, "texts that are no ISO times"),
    ],
)
def test_bad_columns_are_told_with_rows_and_remedy(tmp_path: Path, column: str, values: object, words: str) -> None:
    assert words in problem(tmp_path, changed(table(), column, values))


def test_times_without_zone_are_refused_until_the_spec_names_one(tmp_path: Path) -> None:
    rows = table().set_column(1, "at", table()["at"].cast(pa.timestamp("us")))
    assert "expected times with their zone" in problem(tmp_path, rows)
    text = BASE.replace('time = "at"', "") + '[time]\ncolumn = "at"\nzone = "Europe/Copenhagen"\n'
    assert read(tmp_path, rows, text).time_us is not None


def test_times_in_words_of_their_own_are_read_with_a_format(tmp_path: Path) -> None:
    rows = changed(table(), "at", [f"{1 + i % 28:02d}/03/2024 08:15" for i in range(60)])
    text = BASE.replace('time = "at"', "") + '[time]\ncolumn = "at"\nzone = "UTC"\nformat = "%d/%m/%Y %H:%M"\n'
    assert len(np.unique(read(tmp_path, rows, text).times())) == 28


def test_decisions_that_stand_twice_are_counted(tmp_path: Path) -> None:
    rows = table().append_column("id", pa.array([i // 2 for i in range(60)]))
    assert "decisions stand more than once in 30 rows" in problem(tmp_path, rows, 'decision_id = "id"\n' + BASE)


def test_an_action_feature_that_differs_within_an_action_is_refused(tmp_path: Path) -> None:
    said = problem(tmp_path, table(), BASE.replace('["age", "town"]', "[]") + '[action_features]\ncolumns = ["age"]\n')
    assert "differs within an action" in said


def test_a_short_file_is_refused(tmp_path: Path) -> None:
    assert "expected at least 20 rows with a known outcome, came 8 of 8" in problem(tmp_path, table(8))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("log.parquet", b"PAR1 and then nothing", "cannot be read"),
        ("log.csv", b"", "cannot be read"),
        ("log.csv", b"a,b\n1,2\n3\n", "cannot be read"),
        ("log.csv", b"a,a\n1,2\n", "column names that stand twice: a"),
        ("log.xlsx", b"", "expected a name ending in one of .parquet"),
    ],
)
def test_files_that_cannot_be_read_say_so(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadFrame, match=words):
        read_frame(tmp_path / name, spec_of(BASE))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadFrame, match="there is no such file"):
        read_frame(tmp_path / "none.parquet", spec_of(BASE))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("actions = 'arm'", "unknown key; did you mean 'action'"),
        ("[context]\nleaveout = ['a']", r"\[context\] leaveout: unknown key; did you mean 'leave_out'"),
        ("unit = 3", "unit: expected a text"),
        ("action_probability = 0", "action_probability: expected a column, a number above 0"),
        ("[action_probability]\nsms = 1.5", "expected a column, a number above 0"),
        ("[context]\nall = true\ncolumns = ['a']", "either all = true or a list"),
        ("[context]\nleave_out = ['a']", "all = true beside it"),
        ("[target_policy]\nfile = 'x.parquet'", "one of constant, uniform = true, probability, columns"),
        ("[target_policy]\nprobability = 'p'", "the columns of the action in that file"),
        ("[support]\neffective_share = 2", "a number above 0 and at most 1"),
        ("[action_features]\ncolumns = ['a']\nfile = 'x.csv'", "file and key together"),
        ("[time]\ncolumn = 'at'\nunit = 'h'", "one of s, ms, us, order"),
    ],
)
def test_a_wrong_spec_says_where_and_what(text: str, words: str) -> None:
    values = {"action": "arm", "reward": {"column": "paid", "kind": "0/1"}, **tomllib.loads(text)}
    with pytest.raises(BadSpec, match=words):
        parse_spec(values, "spec.toml")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"reward": {"column": "paid", "kind": "0/1"}}, "action: expected the column of the action"),
        ({"action": "arm"}, r"reward: expected a table \[reward\]"),
        ({"action": "arm", "reward": {"column": "paid", "kind": "yes"}}, 'expected "0/1" or "amount"; came'),
        ({"action": "arm", "reward": {"column": "paid", "kind": "amount", "one": 1}}, "only where kind"),
    ],
)
def test_a_spec_without_action_or_reward_is_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(BadSpec, match=words):
        parse_spec(values, "spec.toml")


def test_a_spec_that_is_no_toml_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text("unit = ")
    with pytest.raises(BadSpec, match="expected TOML"):
        read_spec(tmp_path / "spec.toml")
    with pytest.raises(BadSpec, match="it cannot be read"):
        read_spec(tmp_path / "other.toml")


@pytest.mark.parametrize("spec", sorted(SPECS.glob("*.toml")), ids=lambda file: file.stem)
def test_shipped_specs_parse(spec: Path) -> None:
    assert read_spec(spec).source == spec.name


def target(folder: Path, text: str, rows: pa.Table | None = None) -> DecisionFrame:
    return read(folder, table() if rows is None else rows, BASE + "[target_policy]\n" + text)


def test_a_constant_and_a_uniform_target_are_the_same_for_all_rows(tmp_path: Path) -> None:
    constant, uniform = target(tmp_path, 'constant = "sms"'), target(tmp_path, "uniform = true")
    assert constant.target is not None
    assert uniform.target is not None
    assert constant.target.table.tolist() == [[0.0, 0.0, 1.0]]
    assert uniform.target.of_logged(uniform.action) == pytest.approx(np.full(60, 1 / 3))


def test_a_target_in_a_file_of_its_own_counts_what_was_never_logged(tmp_path: Path) -> None:
    put(tmp_path, pa.table({"arm": ["sms", "none", "fax"], "q": [0.5, 0.25, 0.25]}), "policy.parquet")
    frame = target(tmp_path, 'file = "policy.parquet"\nkey = ["arm"]\nprobability = "q"')
    assert frame.target is not None
    assert frame.target.table.tolist() == [[0.0, 0.25, 0.5]]
    assert frame.target.unlogged_mass == 0.25


def test_a_target_in_columns_beside_the_rows(tmp_path: Path) -> None:
    rows = table().append_column("q1", pa.array([0.5] * 60)).append_column("q2", pa.array([0.5] * 60))
    frame = target(tmp_path, 'columns = { sms = "q1", none = "q2" }', rows)
    assert frame.target is not None
    assert frame.target.table[0].tolist() == [0.0, 0.5, 0.5]


def test_a_target_by_place_takes_its_column_for_each_row(tmp_path: Path) -> None:
    policy = pa.table({"arm": ["sms", "none", "letter"], "a": [1.0, 0.0, 0.0], "b": [0.0, 1.0, 0.0]})
    put(tmp_path, policy, "policy.parquet")
    rows = table().append_column("place", pa.array(np.arange(60) % 2 + 1))
    text = BASE.replace('action = "arm"', "") + '[action]\ncolumns = ["arm"]\nfixed = ["place"]\n'
    text += '[target_policy]\nfile = "policy.parquet"\nkey = ["arm"]\nby = "place"\ncolumns = { 1 = "a", 2 = "b" }\n'
    frame = read(tmp_path, rows, text)
    assert frame.target is not None
    assert frame.target.table[frame.target.row[:2]].tolist() == [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('constant = "fax"', "expected one of the logged actions letter, none, sms; came 'fax'"),
        ('file = "none.parquet"\nkey = ["arm"]\nprobability = "q"', "there is no such file"),
        ('columns = { sms = "p" }', "sum to 1 over the actions; 60 of 60 sums differ, such as 0.3333"),
        ('columns = { sms = "nowhere" }', "expected the column 'nowhere'"),
    ],
)
def test_a_target_that_cannot_be_is_told(tmp_path: Path, text: str, words: str) -> None:
    assert words in problem(tmp_path, table(), BASE + "[target_policy]\n" + text)


def test_the_example_in_the_documents_reads(tmp_path: Path) -> None:
    page = (SPECS.parents[1] / "docs" / "frames.md").read_text()
    spec = spec_of(page.partition("```toml\n")[2].partition("```")[0])
    head = page.partition("```text\n")[2].partition("```")[0].splitlines()
    whats = ("none", "sms", "none", "letter")
    lines = [
        f"K{i};2025-03-{1 + i % 28:02d} 09:00;{whats[i % 4]};{'ja' if i % 3 else 'nej'};0.00;;syd;1;{i}"
        for i in range(40)
    ]
    (tmp_path / "letters.csv").write_text("\n".join([*head, *lines]))
    frame = read_frame(tmp_path / "letters.csv", spec)
    assert len(frame) == 42
    assert frame.context.names == ("x_age", "x_region", "x_open_bills")
    assert frame.action_probability is not None
    assert sorted(set(frame.action_probability)) == [0.2, 0.3, 0.5]
