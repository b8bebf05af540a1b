"""A portfolio of several chunks: laid out by debtor, alike for any number of processes, taken up where it was left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from data.check import check
from data.config import Config
from data.portfolio import Portfolio, read_portfolio
from data.schemas import DECISION_SCHEMA, SCHEMAS
from data.shards import read_shards, shard_count
from data.simulator.behaviour import Choices
from data.simulator.continuation import BadDecisions, continue_simulation, read_decisions
from data.simulator.settings import UNTIL, BadSettings, SimulationSettings
from data.simulator.simulate import simulate
from data.simulator.store import NotSimulated, read_world
from data.situation import BoolArray, Situation
from tests.simulator_fakes import Fake

CHUNK = 40
SETTINGS = SimulationSettings(debtors=100, months=5, seed=7, truth=45)
ALONE = replace(SETTINGS, debtors=CHUNK)
"""The first chunk of `SETTINGS`, and nobody else."""
HIDDEN = ("truth/actions.parquet", "truth/debtors.parquet", "truth/truth.json", "truth/world.json")


class Counting(Fake):
    """Counts the rounds it decides, and is interrupted in the one that it is told."""

    def __init__(self, stop_at: int = 10**9) -> None:
        super().__init__(Config())
        self.rounds = 0
        self.stop_at = stop_at

    def choose(self, situation: Situation, allowed: BoolArray, *, rng: np.random.Generator) -> Choices:
        self.rounds += 1
        if self.rounds >= self.stop_at:
            raise KeyboardInterrupt
        return super().choose(situation, allowed, rng=rng)


def made(
    directory: Path,
    settings: SimulationSettings = SETTINGS,
    *,
    behaviour: Fake | None = None,
    jobs: int = 1,
    shown: Callable[[str, float], None] = lambda label, done: None,
) -> Path:
    simulate(
        directory,
        settings=settings,
        behaviour=behaviour or Fake(Config()),
        config=Config(),
        progress=shown,
        jobs=jobs,
        chunk_debtors=CHUNK,
    )
    return directory


def go_on(directory: Path, decisions: pa.Table, *, days: int = 20) -> None:
    continue_simulation(directory, days=days, decisions=decisions, config=Config(), progress=lambda label, done: None)


def files(directory: Path) -> dict[str, bytes]:
    """Every file of a folder, with what it holds."""
    found = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


def sms_to_all(parts: Sequence[Portfolio]) -> pa.Table:
    """One text message for every debtor with an open claim, on all of these."""
    tables = [part["claims"].select(["debtor_id", "claim_id", "closed_at"]) for part in parts]
    open_claims = pa.concat_tables(tables).filter(pc.is_null(pc.field("closed_at")))
    size = open_claims.num_rows
    given = {
        "decision_id": pc.binary_join_element_wise("z", open_claims["debtor_id"], "-"),
        "debtor_id": open_claims["debtor_id"],
        "claim_id": open_claims["claim_id"],
        "decided_at": pa.array([UNTIL] * size, DECISION_SCHEMA.field("decided_at").type),
        "send_at": pa.array([UNTIL.replace(hour=10)] * size, DECISION_SCHEMA.field("send_at").type),
        "action_probability": pa.array([1.0] * size),
    }
    words = {"channel": "sms", "payment_option": "link", "tone": "neutral", "arm": "champion", "policy_version": "v1"}
    return pa.table(given | {name: pa.array([word] * size) for name, word in words.items()})


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 debtors in chunks of 40; to be read only."""
    return made(tmp_path_factory.mktemp("sharded"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 40 of them, in single files; to be read only."""
    return made(tmp_path_factory.mktemp("alone"), ALONE)


def test_each_shard_holds_its_own_debtors_and_all_that_concerns_them(sharded: Path) -> None:
    assert shard_count(sharded) == 3
    parts = list(read_shards(sharded))
    numbers = [sorted(int(name[1:]) for name in part["debtors"]["debtor_id"].to_pylist()) for part in parts]
    assert [(found[0], found[-1], len(found)) for found in numbers] == [(0, 39, 40), (40, 79, 40), (80, 99, 20)]
    for part in parts:
        for name, key, owner in (
            ("claims", "debtor_id", "debtors"),
            ("contact_points", "debtor_id", "debtors"),
            ("debtor_profiles", "debtor_id", "debtors"),
            ("contacts", "claim_id", "claims"),
            ("claim_events", "claim_id", "claims"),
            ("payments", "claim_id", "claims"),
            ("contact_events", "contact_id", "contacts"),
        ):
            assert part[name].num_rows, name
            assert pc.all(pc.is_in(part[name][key], value_set=pc.unique(part[owner][key]))).as_py(), name


def test_all_shards_together_keep_the_contract_and_no_id_stands_twice(sharded: Path) -> None:
    assert check(sharded).ok
    whole = read_portfolio(sharded)
    for name, key in (("contact_events", "event_id"), ("claim_events", "event_id"), ("payments", "payment_id")):
        assert pc.count_distinct(whole[name][key]).as_py() == whole[name].num_rows


def test_a_shard_holds_the_rows_that_its_debtors_have_in_single_files(sharded: Path, alone: Path) -> None:
    assert not shard_count(alone)
    first, single = read_portfolio(sharded, shard=0), read_portfolio(alone)
    assert all(first[name].equals(single[name]) for name in SCHEMAS)
    assert all((alone / f"{name}.parquet").is_file() for name in SCHEMAS)


def test_a_shard_does_not_depend_on_those_before_or_after_it(sharded: Path, tmp_path: Path) -> None:
    shorter = made(tmp_path, replace(SETTINGS, debtors=2 * CHUNK))
    for shard in (0, 1):
        mine, other = (read_portfolio(folder, shard=shard) for folder in (sharded, shorter))
        assert all(mine[name].equals(other[name]) for name in SCHEMAS)


def test_two_processes_write_what_one_does_and_say_how_far_they_are(sharded: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []
    two = made(tmp_path, jobs=2, shown=lambda label, done: seen.append((label, done)))
    assert files(two) == files(sharded)
    assert [done for label, done in seen if label == "rounds"] == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_the_truth_goes_on_from_chunk_to_chunk_until_it_is_enough(sharded: Path, alone: Path, tmp_path: Path) -> None:
    truth = pq.read_table(sharded / "truth" / "actions.parquet")
    names = pc.unique(truth["debtor_id"]).to_pylist()
    assert len(names) == 45
    assert names == sorted(names)
    assert names[-1] > "d0000040"
    of_one = pq.read_table(alone / "truth" / "actions.parquet")
    assert truth.slice(0, of_one.num_rows).equals(of_one)
    traits = pq.ParquetFile(sharded / "truth" / "debtors.parquet")
    assert traits.num_row_groups == 3
    assert traits.read()["debtor_id"].to_pylist() == [f"d{number:07d}" for number in range(100)]
    none = made(tmp_path, replace(SETTINGS, truth=0))
    assert pq.read_table(none / "truth" / "actions.parquet").num_rows == 0
    assert pq.read_table(none / "truth" / "debtors.parquet").num_rows == 100


def test_overwriting_leaves_nothing_of_the_other_form(sharded: Path, alone: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sharded, tmp_path / "one"))
    (folder / "rettid.toml").write_text("")
    for settings, same in ((ALONE, alone), (SETTINGS, sharded)):
        made(folder, settings)
        assert files(folder) == files(same) | {"rettid.toml": b""}
        assert not list(folder.glob(".*"))


def test_what_was_interrupted_is_no_portfolio_and_leaves_the_older_one_alone(alone: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(alone, tmp_path / "one"))
    for place in (folder, tmp_path / "new"):
        with pytest.raises(KeyboardInterrupt):
            made(place, behaviour=Counting(stop_at=12))
    kept = {name: content for name, content in files(folder).items() if not name.startswith(".unfinished/")}
    assert kept == files(alone)
    assert not check(tmp_path / "new").ok
    with pytest.raises(NotSimulated, match="holds no simulation"):
        read_world(tmp_path / "new")


def test_a_run_is_taken_up_without_the_chunks_that_are_whole(sharded: Path, tmp_path: Path) -> None:
    whole, again = Counting(), Counting()
    made(tmp_path / "whole", behaviour=whole)
    a_chunk = whole.rounds // 3
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "left", behaviour=Counting(stop_at=2 * a_chunk + 2))
    left = tmp_path / "left" / ".unfinished" / "truth" / "state"
    assert sorted(path.parent.name for path in left.glob("*/whole.json")) == ["00000", "00001"]
    made(tmp_path / "left", behaviour=again)
    assert again.rounds == a_chunk
    assert files(tmp_path / "left") == files(sharded)


def test_a_run_with_other_settings_begins_anew(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "one", replace(SETTINGS, seed=8), behaviour=Counting(stop_at=12))
    again, from_nothing = Counting(), Counting()
    made(tmp_path / "one", behaviour=again)
    made(tmp_path / "two", behaviour=from_nothing)
    assert again.rounds == from_nothing.rounds
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_run_interrupted_while_it_is_put_in_place_is_put_there_whole(sharded: Path, tmp_path: Path) -> None:
    """As if the process had ended after two of the tables: the others and the truth still wait."""
    folder = tmp_path / "one"
    with pytest.raises(KeyboardInterrupt):
        made(folder, behaviour=Counting(stop_at=12))
    waiting = shutil.copytree(sharded, tmp_path / "copy")
    run = json.loads((folder / ".unfinished" / "run.json").read_text())
    shutil.rmtree(folder)
    folder.mkdir()
    for name in ("debtors", "claims"):
        (waiting / name).rename(folder / name)
    for mark in ("layout.json", "truth/world.json"):
        (waiting / mark).unlink()
    waiting.rename(folder / ".unfinished")
    (folder / ".unfinished" / "run.json").write_text(json.dumps(run, sort_keys=True) + "\n")
    traits = pq.read_table(sharded / "truth" / "debtors.parquet")
    for index in range(3):
        part = folder / ".unfinished" / "traits" / f"{index:05d}.parquet"
        part.parent.mkdir(exist_ok=True)
        pq.write_table(traits.slice(CHUNK * index, CHUNK), part)
    behaviour = Counting()
    made(folder, behaviour=behaviour)
    assert not behaviour.rounds
    assert files(folder).keys() == files(sharded).keys()
    assert all(read_portfolio(folder)[name].equals(read_portfolio(sharded)[name]) for name in SCHEMAS)


def test_continued_shards_hold_what_continued_single_files_do(sharded: Path, alone: Path, tmp_path: Path) -> None:
    one, many = (Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in (alone, sharded))
    decisions = sms_to_all(list(read_shards(many)))
    mine = decisions.filter(pc.less(decisions["debtor_id"], f"d{CHUNK:07d}"))
    assert 0 < mine.num_rows < decisions.num_rows
    for folder, rows in ((one, mine), (many, decisions)):
        go_on(folder, rows)
        go_on(folder, rows.slice(0, 0), days=9)
    first, single = read_portfolio(many, shard=0), read_portfolio(one)
    assert all(first[name].equals(single[name]) for name in SCHEMAS)
    assert check(many).ok
    assert shard_count(many) == 3
    ours = [pc.sum(pc.equal(part["contacts"]["policy"], "v1/champion")).as_py() for part in read_shards(many)]
    assert all(ours)
    assert sum(ours) == decisions.num_rows
    assert pq.read_table(many / "truth" / "actions.parquet").equals(
        pq.read_table(sharded / "truth" / "actions.parquet")
    )


def test_a_later_shard_goes_on_by_its_own_decisions_alone(sharded: Path, tmp_path: Path) -> None:
    folders = [Path(shutil.copytree(sharded, tmp_path / name)) for name in ("one", "two")]
    decisions = sms_to_all(list(read_shards(sharded)))
    go_on(folders[0], decisions)
    go_on(folders[1], decisions.filter(pc.greater_equal(decisions["debtor_id"], f"d{CHUNK:07d}")))
    same = [
        all(read_portfolio(folders[0], shard=shard)[name].equals(read_portfolio(folders[1], shard=shard)[name])
            for name in SCHEMAS)
        for shard in range(3)
    ]  # fmt: skip
    assert same == [False, True, True]


def test_decisions_that_cannot_be_played_leave_shards_as_they_were(sharded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sharded, tmp_path / "one"))
    before, good = files(folder), sms_to_all(list(read_shards(folder)))
    at, taken = (
        good.schema.get_field_index("claim_id"),
        read_portfolio(folder, shard=2)["contacts"]["contact_id"][-1].as_py(),
    )
    cases = {
        "is not open": good.set_column(at, "claim_id", pa.array([f"c9999999-{row}" for row in range(good.num_rows)])),
        "already holds": good.set_column(0, "decision_id", pa.array([taken] * good.num_rows)),
        "does not have": good.set_column(1, "debtor_id", pa.array(["d9999999"] * good.num_rows)),
    }
    for words, decisions in cases.items():
        with pytest.raises(BadDecisions, match=words):
            go_on(folder, decisions)
    assert files(folder) == before


def test_a_folder_laid_out_otherwise_than_simulated_is_not_continued(sharded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sharded, tmp_path / "one"))
    (folder / "layout.json").unlink()
    with pytest.raises(NotSimulated, match="expected the tables of 3 chunks"):
        go_on(folder, sms_to_all(list(read_shards(sharded))))


def test_a_world_file_with_one_count_of_rows_is_still_read(alone: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(alone, tmp_path / "one"))
    path = folder / "truth" / "world.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"rows": content["rows"][0]}))
    assert read_world(folder) == replace(read_world(alone), rows=read_world(folder).rows)
    assert list(read_world(folder).rows) == list(read_world(alone).rows)


def test_decisions_are_read_with_the_columns_that_matter(sharded: Path, tmp_path: Path) -> None:
    decisions = sms_to_all(list(read_shards(sharded)))
    pq.write_table(decisions.append_column("reasons", pa.nulls(decisions.num_rows)), tmp_path / "decisions.parquet")
    read = read_decisions(tmp_path / "decisions.parquet")
    assert set(read.column_names) == set(decisions.column_names)
    pq.write_table(decisions.drop_columns(["arm"]), tmp_path / "other.parquet")
    with pytest.raises(BadDecisions, match="missing are arm"):
        go_on(sharded, read_decisions(tmp_path / "other.parquet"))


def test_jobs_below_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="jobs: expected at least 1, came 0"):
        made(tmp_path, jobs=0)


def test_a_mistake_in_another_process_is_told(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        made(tmp_path, behaviour=Broken(Config()), jobs=2)
    assert not (tmp_path / "truth").exists()


class Broken(Fake):
    """Fails at once."""

    def options(self, situation: Situation) -> BoolArray:
        raise ZeroDivisionError(f"{situation.size} debtors")
