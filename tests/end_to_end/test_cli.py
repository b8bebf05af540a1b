"""The command line from tables to a report, in one workspace; and what it says to bad input."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import rettid
from data.schemas import DECISION_SCHEMA, SCHEMAS
from features.catalogue import catalogue, claim_features, debtor_features, names
from models.bundle import champion
from tests.portfolios import CHANNELS
from tests.samples import moment, sample_tables, with_cell, write_tables
from tests.small_service import decision_table as decision_rows

AS_OF = "2026-03-02T05:00Z"


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All of it in one line, so that it does not matter where the terminal breaks it."""
        return " ".join((self.out + self.err).split())


def run(*words: object) -> Ended:
    """The program called with these words."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            rettid.main([str(word) for word in words])
        except SystemExit as end:
            code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Chain:
    """The whole chain, played once."""

    folder: Path
    ended: dict[str, Ended] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def portfolio(self) -> Path:
        return self.folder / "portfolio"

    def play(self, step: str, *words: object) -> None:
        self.ended[step] = run("--workspace", self.workspace, *words)

    def read(self, name: str) -> pa.Table:
        return pq.read_table(self.folder / name)


STEPS = (
    "simulate", "check", "features", "train", "train incumbent", "compare", "promote", "decide", "decide again",
    "decide greedy", "continue", "check after", "report",
)  # fmt: skip


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    subject = Chain(tmp_path_factory.mktemp("chain"))
    folder, portfolio = subject.folder, subject.portfolio
    at = ("--as-of", AS_OF)
    subject.play("simulate", "simulate", portfolio, "--debtors", 300, "--months", 8, "--seed", 1, "--truth", 50)
    subject.play("check", "check", portfolio)
    subject.play("features", "features", portfolio, *at, "--out", folder / "features.parquet")
    subject.play("train", "train", portfolio, *at, "--set", "own_rounds=40")
    subject.play("train incumbent", "train", portfolio, *at, "--model", "incumbent")
    subject.play("refuse", "promote", "chain")
    subject.play("promote", "promote", "chain", "--force", "a test")
    subject.play("compare", "compare")
    subject.play("decide greedy", "decide", portfolio, *at, "--out", folder / "greedy.parquet", "--greedy")
    subject.play("decide", "decide", portfolio, *at, "--out", folder / "decisions.parquet")
    subject.play("decide again", "decide", portfolio, *at, "--out", folder / "again.parquet")
    subject.play("continue", "simulate", portfolio, "--continue", 28, "--decisions", folder / "decisions.parquet")
    subject.play("check after", "check", portfolio)
    subject.play("report", "report", "--out", folder / "report", "--pdf", "none")
    return subject


@pytest.mark.parametrize("step", STEPS)
def test_every_step_of_the_chain_ends_well(chain: Chain, step: str) -> None:
    ended = chain.ended[step]
    assert ended.code == 0, ended.said
    assert "Traceback" not in ended.said


@pytest.mark.parametrize("step", ["check", "check after"])
def test_a_simulated_portfolio_keeps_the_contract_before_and_after_it_is_played_forward(
    chain: Chain, step: str
) -> None:
    lines = chain.ended[step].out.splitlines()
    assert [line.split(":")[0] for line in lines[: len(SCHEMAS)]] == list(SCHEMAS)
    assert all("0 problems" in line for line in lines[: len(SCHEMAS)])


def test_features_has_a_row_for_every_open_claim_and_a_column_for_every_feature(chain: Chain) -> None:
    table = chain.read("features.parquet")
    expected = names((*debtor_features(CHANNELS), *claim_features()))
    assert table.column_names == ["claim_id", "debtor_id", "as_of", *expected]
    assert sorted(table["claim_id"].to_pylist()) == sorted(chain.read("decisions.parquet")["claim_id"].to_pylist())


def test_training_leaves_a_bundle_and_a_run_and_says_how_good_it_is(chain: Chain) -> None:
    said = chain.ended["train"].said
    assert "AUC" in said
    assert "judged on" in said
    assert (chain.workspace / "runs.db").is_file()
    bundle = champion(chain.workspace)
    assert bundle.recipe == "chain"
    assert bundle.card["settings"] == {"own_rounds": 40}
    assert bundle.model_version in said


def test_a_run_that_the_log_does_not_show_to_be_good_enough_is_refused_with_its_figures(chain: Chain) -> None:
    ended = chain.ended["refuse"]
    assert ended.code == 1
    assert "is not made the champion: value against the present rules" in ended.said
    assert "--challenger" in ended.said


def test_compare_shows_every_run_and_who_decides(chain: Chain) -> None:
    lines = [line for line in chain.ended["compare"].out.splitlines() if "2026" in line or "│" in line]
    assert len(lines) >= 2
    assert "cham" in chain.ended["compare"].out


def test_there_is_one_decision_row_for_every_open_claim_in_the_contracts_columns(chain: Chain) -> None:
    table = chain.read("decisions.parquet")
    assert table.schema.equals(DECISION_SCHEMA)
    assert pc.count_distinct(table["claim_id"]).as_py() == table.num_rows > 100
    assert set(table["decided_at"].to_pylist()) == {datetime.fromisoformat(AS_OF)}
    assert set(table["model_version"].to_pylist()) == {champion(chain.workspace).model_version}
    assert {"control", "champion"} <= set(table["arm"].to_pylist())
    leads = table.filter(table["lead"])
    assert leads.num_rows == pc.count_distinct(table["decision_id"]).as_py()


def test_deciding_again_gives_the_same_decisions(chain: Chain) -> None:
    assert chain.read("again.parquet").equals(chain.read("decisions.parquet"))


def test_greedy_gives_everybody_to_the_champion_for_certain(chain: Chain) -> None:
    table = chain.read("greedy.parquet")
    assert set(table["arm"].to_pylist()) == {"champion"}
    assert set(table["action_probability"].to_pylist()) == {1.0}
    assert not pc.any(table["explored"]).as_py()


def test_decisions_played_forward_become_contacts_under_their_own_number(chain: Chain) -> None:
    decided = chain.read("decisions.parquet")
    contacts = pq.read_table(chain.portfolio / "contacts.parquet")
    later = contacts.filter(pc.equal(contacts["decided_at"], pa.scalar(datetime.fromisoformat(AS_OF))))
    assert set(later["contact_id"].to_pylist()) == set(decided["decision_id"].to_pylist())
    assert later.num_rows == decided.num_rows
    events = pq.read_table(chain.portfolio / "contact_events.parquet")
    assert set(later["contact_id"].to_pylist()) & set(events["contact_id"].to_pylist())


def test_the_report_is_a_page_with_its_numbers_beside_it_and_nothing_from_elsewhere(chain: Chain) -> None:
    pages = list((chain.folder / "report").rglob("*.html"))
    assert pages
    assert str(chain.folder / "report" / "index.html") in chain.ended["report"].out.replace("\n", "")
    assert "Overview: " in chain.ended["report"].said
    text = (chain.folder / "report" / "overview.html").read_text(encoding="utf-8")
    assert 'src="http' not in text
    assert '<link rel="stylesheet" href="http' not in text
    numbers = list((chain.folder / "report").rglob("*.json"))
    assert all(json.loads(path.read_text(encoding="utf-8")) for path in numbers)


def test_config_prints_the_configuration_in_force_as_json(tmp_path: Path) -> None:
    (tmp_path / "rettid.toml").write_text("[horizon]\ndays = 21\n", encoding="utf-8")
    found = json.loads(run("--workspace", tmp_path, "config").out)
    assert found["horizon"]["days"] == 21
    assert len(found["grid"]["channels"]) == len(CHANNELS)
    assert len(found["fingerprint"]) == 16


def test_features_list_names_every_feature() -> None:
    said = run("features", "--list").out
    assert all(feature.side in said for feature in catalogue(CHANNELS))
    assert "country" in said


# Bad input -----------------------------------------------------------------------------------------------------------

Break = Callable[[Path], None]


def rewritten(name: str, change: Callable[[pa.Table], pa.Table]) -> Break:
    """A table of the sample portfolio written anew."""

    def apply(directory: Path) -> None:
        path = directory / f"{name}.parquet"
        pq.write_table(change(pq.read_table(path)), path)

    return apply


def cast(column: str, kind: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        place = table.column_names.index(column)
        return table.set_column(place, column, table[column].cast(kind))

    return change


def truncate(directory: Path) -> None:
    path = directory / "claims.parquet"
    path.write_bytes(path.read_bytes()[:-40])


def remove_everything(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink()


def remove_folder(directory: Path) -> None:
    remove_everything(directory)
    directory.rmdir()


BAD: dict[str, tuple[Break, tuple[str, ...]]] = {
    "missing folder": (remove_folder, ("no such folder",)),
    "empty folder": (remove_everything, ("claims", "contacts", "debtors")),
    "missing table": (lambda directory: (directory / "contacts.parquet").unlink(), ("contacts", "missing")),
    "wrong type": (rewritten("claims", cast("principal", pa.string())), ("claims.principal", "decimal128")),
    "unknown channel": (
        rewritten("contacts", lambda table: with_cell(table, "channel", "fax")),
        ("contacts.channel", "'fax'", "1 row"),
    ),
    "naive time": (rewritten("claims", cast("registered_at", pa.timestamp("us"))), ("claims.registered_at", "UTC")),
    "duplicate ids": (
        rewritten("claims", lambda table: pa.concat_tables([table, table.slice(0, 1)])),
        ("claims.claim_id", "'c1'"),
    ),
    "truncated Parquet": (truncate, ("claims",)),
    "contact before its claim": (
        rewritten("contacts", lambda table: with_cell(table, "decided_at", moment(1, 1), row=2)),
        ("contacts", "decided_at"),
    ),
}


@pytest.fixture
def broken(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    directory = write_tables(sample_tables(), tmp_path / "portfolio")
    BAD[request.param][0](directory)
    return directory


@pytest.mark.parametrize(("broken", "fault"), [(name, name) for name in BAD], indirect=["broken"])
def test_check_names_what_is_wrong_and_ends_with_1(broken: Path, fault: str) -> None:
    ended = run("--workspace", broken.parent / "workspace", "check", broken)
    assert ended.code == 1
    for words in BAD[fault][1]:
        assert words in ended.said
    assert "Traceback" not in ended.said


@pytest.mark.parametrize(("broken", "fault"), [(name, name) for name in BAD], indirect=["broken"])
def test_no_command_works_on_bad_tables(broken: Path, fault: str, tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"
    ended = run("--workspace", tmp_path / "workspace", "features", broken, "--as-of", AS_OF, "--out", out)
    assert ended.code == 1
    assert ended.err.lstrip().startswith("rettid: ")  # a progress bar that got nowhere leaves an empty line
    for words in BAD[fault][1]:
        assert words in ended.said
    assert "Traceback" not in ended.said
    assert not out.exists()


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "a moment without its zone": (("features", "P", "--as-of", "2026-03-02T05:00", "--out", "O"), "with its zone"),
    "no moment": (("features", "P", "--as-of", "yesterday", "--out", "O"), "such as 2026-03-02T05:00Z"),
    "no champion": (("decide", "P", "--as-of", AS_OF, "--out", "O"), "no champion"),
    "no world": (("simulate", "NEW", "--world", "mars"), "no world 'mars'"),
    "no debtors": (("simulate", "NEW", "--debtors", "0"), "debtors: expected"),
    "no decisions to play": (("simulate", "P", "--continue", "5", "--decisions", "O"), "no such file"),
    "not simulated": (("simulate", "P", "--continue", "5", "--decisions", "D"), "simulat"),
    "no setting": (("train", "P", "--as-of", AS_OF, "--set", "leaves=3"), "no setting 'leaves'"),
    "no model": (("train", "P", "--as-of", AS_OF, "--model", "forest"), "forest"),
    "nothing mature": (("train", "P", "--as-of", "2020-01-01T00:00Z"), "give a later --as-of"),
    "no decisions to report on": (("report", "--out", "O"), "decide"),
}


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_a_mistake_in_the_call_ends_with_1_and_says_what_would_be_right(mistake: str, tmp_path: Path) -> None:
    portfolio = write_tables(sample_tables(), tmp_path / "portfolio")
    pq.write_table(decision_rows(), tmp_path / "D")
    places = {"P": portfolio, "O": tmp_path / "O", "D": tmp_path / "D", "NEW": tmp_path / "new"}
    words, expected = MISTAKES[mistake]
    ended = run("--workspace", tmp_path / "workspace", *(places.get(word, word) for word in words))
    assert ended.code == 1, ended.said
    assert expected in ended.said
    assert "Traceback" not in ended.said


def test_a_bad_configuration_ends_with_1_and_names_the_key(tmp_path: Path) -> None:
    (tmp_path / "rettid.toml").write_text("[horizon]\ndais = 21\n", encoding="utf-8")
    ended = run("--workspace", tmp_path, "config")
    assert ended.code == 1
    assert "[horizon] has no key 'dais'" in ended.said


def test_a_frame_that_is_not_there_ends_with_1(tmp_path: Path) -> None:
    for word in ("check", "learn", "evaluate"):
        ended = run("frame", word, tmp_path / "log.csv", "--spec", tmp_path / "spec.toml")
        assert ended.code == 1
        assert "spec.toml" in ended.said
        assert "Traceback" not in ended.said
