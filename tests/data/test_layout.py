"""Laying out by debtor: every row in one shard, with all that concerns its debtor."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.check import check
from data.config import SIMULATED_TENANT, read_config
from data.layout import CannotLayOut, lay_out
from data.portfolio import Portfolio, read_portfolio
from data.shards import BadLayout, read_shards, shard_count
from data.times import to_us
from features.histories import histories_of
from features.pipeline import build, open_targets
from features.reference import count, learn_reference, reference_of
from tests.portfolios import CHANNELS, CONFIG
from tests.samples import sample_tables, write_tables
from tests.strategies import START, random_tables

AS_OF_US = to_us(START + timedelta(days=300))


def quiet(what: str, share: float) -> None:
    del what, share


@pytest.fixture
def portfolio(tmp_path: Path) -> Path:
    return write_tables(random_tables(4, debtors=40), tmp_path / "portfolio")


def laid_out(portfolio: Path, shards: int) -> Path:
    out = portfolio.parent / "out"
    assert lay_out(portfolio, out, shards=shards, progress=quiet) == shards
    return out


@pytest.mark.parametrize("shards", [1, 3, 100])
def test_every_row_stands_in_one_shard_and_no_other(portfolio: Path, shards: int) -> None:
    out = laid_out(portfolio, shards)
    whole, parts = read_portfolio(portfolio), list(read_shards(out))
    assert len(parts) == shard_count(out) == shards
    for name, table in whole.tables.items():
        together = pa.concat_tables([part[name] for part in parts])
        by_row = [(key, "ascending") for key in table.column_names]
        assert together.sort_by(by_row).equals(table.sort_by(by_row)), name


def test_a_shard_holds_all_that_concerns_its_debtors_and_nothing_else(portfolio: Path) -> None:
    for part in read_shards(laid_out(portfolio, 3)):
        debtors = set(part["debtors"]["debtor_id"].to_pylist())
        for name in ("claims", "contacts", "payments", "contact_points", "debtor_profiles"):
            assert set(part[name]["debtor_id"].to_pylist()) <= debtors, name


def features_of(portfolio: Portfolio, reference: object) -> dict[str, bytes]:
    histories = histories_of(portfolio, channels=CHANNELS)
    targets = open_targets(histories, np.arange(histories.size), as_of_us=np.full(histories.size, AS_OF_US))
    rows = build(histories, targets, reference=reference, rates=CONFIG.rates)  # type: ignore[arg-type] # a Reference
    return dict(zip(histories.claim_id[targets.claim].tolist(), map(np.ndarray.tobytes, rows.matrix), strict=True))


def test_features_shard_by_shard_are_those_of_the_whole(portfolio: Path) -> None:
    whole, parts = read_portfolio(portfolio), list(read_shards(laid_out(portfolio, 3)))
    reference = learn_reference(histories_of(whole, channels=CHANNELS), until_us=AS_OF_US, config=CONFIG)
    counts = [count(histories_of(part, channels=CHANNELS), until_us=AS_OF_US, config=CONFIG) for part in parts]
    assert reference_of(counts, until_us=AS_OF_US, config=CONFIG) == reference
    together: dict[str, bytes] = {}
    for part in parts:
        together |= features_of(part, reference)
    assert together == features_of(whole, reference)


def test_the_tenants_configuration_goes_along_and_so_does_a_partitioned_folder(tmp_path: Path) -> None:
    tables, folder = sample_tables(), tmp_path / "portfolio"
    write_tables(tables, folder)
    (folder / "rettid.toml").write_text("[horizon]\ndays = 21\n", encoding="utf-8")
    (folder / "claims.parquet").unlink()
    for year in (0, 1):
        part = folder / "claims" / f"year={2025 + year}"
        part.mkdir(parents=True)
        pq.write_table(tables["claims"].slice(year * 2, 2 + year * 9), part / "one.parquet")
    out = laid_out(folder, 2)
    assert (out / "rettid.toml").read_text(encoding="utf-8") == "[horizon]\ndays = 21\n"
    assert sum(part["claims"].num_rows for part in read_shards(out)) == len(tables["claims"])
    assert check(out).ok


def test_rows_of_nobody_go_along_for_the_check_to_tell_of(portfolio: Path) -> None:
    events = pq.read_table(portfolio / "contact_events.parquet")
    stray = events.slice(0, 1).set_column(
        events.schema.get_field_index("contact_id"), "contact_id", pa.array(["nobody"], pa.string())
    )
    pq.write_table(pa.concat_tables([events, stray.cast(events.schema)]), portfolio / "contact_events.parquet")
    out = laid_out(portfolio, 2)
    (problem,) = [one for one in check(out).problems if one.column == "contact_id"]
    assert (problem.table, problem.count) == ("contact_events", 1)


def test_nothing_is_written_over_a_folder_that_is_there(portfolio: Path) -> None:
    with pytest.raises(CannotLayOut, match="is there already, or inside the portfolio"):
        lay_out(portfolio, portfolio, shards=2, progress=quiet)


def test_a_portfolio_without_claims_cannot_be_laid_out(portfolio: Path) -> None:
    (portfolio / "claims.parquet").unlink()
    with pytest.raises(CannotLayOut, match="has no table claims"):
        laid_out(portfolio, 2)


@pytest.mark.parametrize("table", ["payments", "contact_events", "claim_events", "debtor_profiles"])
def test_a_table_without_a_row_stays_a_table(portfolio: Path, table: str) -> None:
    path = portfolio / f"{table}.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    out = laid_out(portfolio, 2)
    assert read_portfolio(out, checked=False).given == read_portfolio(portfolio, checked=False).given


def test_a_table_that_stands_twice_is_refused(portfolio: Path) -> None:
    (portfolio / "claims").mkdir()
    pq.write_table(pq.read_table(portfolio / "claims.parquet"), portfolio / "claims" / "one.parquet")
    with pytest.raises(CannotLayOut, match="has both a file and a folder for claims"):
        laid_out(portfolio, 2)


def test_what_was_made_from_a_simulation_is_still_known_as_simulated(portfolio: Path) -> None:
    (portfolio / "truth").mkdir()
    (portfolio / "truth" / "world.json").write_text("{}", encoding="utf-8")
    assert read_config(laid_out(portfolio, 2)) == read_config(portfolio) == SIMULATED_TENANT


def test_a_file_that_cannot_be_read_leaves_nothing_behind(portfolio: Path) -> None:
    (portfolio / "payments.parquet").write_bytes(b"PAR1")
    with pytest.raises(CannotLayOut, match="`rettid check` tells what is wrong"):
        laid_out(portfolio, 2)
    assert [path.name for path in portfolio.parent.iterdir()] == ["portfolio"]


@pytest.mark.parametrize("content", ["{", "[]", '{"by": "creditor", "shards": 2}', '{"by": "debtor", "shards": 0}'])
def test_a_layout_that_says_something_else_is_refused(portfolio: Path, content: str) -> None:
    (portfolio / "layout.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadLayout, match=r"layout\.json"):
        shard_count(portfolio)
