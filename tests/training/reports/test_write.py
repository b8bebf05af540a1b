"""The report of a workspace: which pages there are, about whom, and what is said where there is nothing to tell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.config import Config
from data.decision_log import DecisionLog
from data.portfolio import Portfolio
from data.schemas import write_table
from data.times import to_us
from tests.training.reports.worlds import EVENING, at, decision, log_of, world
from training.reports.all_pages import OF_A_CREDITOR, all_pages, name_of, told_creditors
from training.reports.facts import Facts, NothingDecided, facts_of, of_creditor
from training.reports.site.files import Order, write_pages
from training.reports.write import report, workspace_facts

KNOWN_US = to_us(at(28))
SMALL, MIDDLE, LARGE = "small <&>", "middle", "large"


@pytest.fixture(scope="module")
def evening() -> tuple[pa.Table, Portfolio]:
    return world(debtors=700, rng=np.random.default_rng(3), effect=0.05)


@pytest.fixture(scope="module")
def facts(evening: tuple[pa.Table, Portfolio], tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """Claims of three creditors: one with nine debtors, one with forty, one with all others."""
    log, portfolio = evening
    claims = portfolio["claims"]
    names = sorted(set(claims["debtor_id"].to_pylist()))
    whose = {one: SMALL if place < 9 else MIDDLE for place, one in enumerate(names[:49])}
    creditor = [whose.get(one, LARGE) for one in claims["debtor_id"].to_pylist()]
    place = claims.column_names.index("creditor_id")
    tables = portfolio.tables | {"claims": claims.set_column(place, claims.field(place), pa.array(creditor))}
    workspace = tmp_path_factory.mktemp("workspace")
    mixed = replace(portfolio, tables=tables)
    return facts_of(log, mixed, config=Config(), workspace=workspace, known_until_us=KNOWN_US)


def test_there_are_pages_about_all_and_about_each_creditor_with_enough_debtors(facts: Facts) -> None:
    shares: list[float] = []
    pages = all_pages(facts, progress=lambda _what, share: shares.append(share))
    names = [page.name for page in pages if page.creditor is None]
    assert names[0] == "overview"
    assert {"costs", "channels", "calibration", "fairness"} <= set(names)
    assert any(name.startswith("experiment-") for name in names)
    theirs = {page.name for page in pages if page.creditor == LARGE}
    assert name_of("overview", LARGE) in theirs
    assert {page.creditor for page in pages} == {None, LARGE}
    assert shares == sorted(shares)
    assert len(names) > len(OF_A_CREDITOR)


def test_of_few_debtors_without_pages_one_more_creditor_has_none_so_that_a_difference_tells_nothing(
    facts: Facts,
) -> None:
    assert told_creditors(facts) == [LARGE]
    assert told_creditors(of_creditor(facts, MIDDLE)) == [MIDDLE]


def test_what_tells_of_other_creditors_whoever_asks_has_no_page_about_one(facts: Facts) -> None:
    single = {page.name.partition("-of-")[0] for page in all_pages(facts) if page.creditor}
    assert not single & {"model", "prices", "data-quality", "fairness"}


def test_nothing_of_another_creditor_stands_in_the_files_of_one(facts: Facts, tmp_path: Path) -> None:
    pages = all_pages(facts)
    write_pages(pages, tmp_path, order=Order(("en",), KNOWN_US, "none"))
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    theirs = [name for name, entry in manifest.items() if entry["creditors"] == [LARGE]]
    assert len(theirs) == sum(page.creditor == LARGE for page in pages) > 3
    for name in theirs:
        for kind in ("html", "json", "csv"):
            text = (tmp_path / f"{name}.{kind}").read_text(encoding="utf-8")
            assert "small" not in text.replace("<small>", "").replace("</small>", "").partition("</style>")[2]


def test_all_pages_are_written_in_every_language_and_are_small_enough(facts: Facts, tmp_path: Path) -> None:
    first = [page for page in all_pages(facts) if page.creditor is None]
    write_pages(first, tmp_path, order=Order(("en", "sv", "nb", "da"), KNOWN_US, "none"))
    pages = list(tmp_path.glob("*.html"))
    assert len(pages) == 4 * (len(first) + 1)
    assert max(path.stat().st_size for path in pages) < 2_000_000


def test_the_same_log_gives_the_same_files(facts: Facts, tmp_path: Path) -> None:
    order = Order(("en",), KNOWN_US, "none")
    for name in ("one", "two"):
        write_pages([page for page in all_pages(facts) if page.creditor is None][:2], tmp_path / name, order=order)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_workspace_is_reported_on_from_its_log_and_the_last_batchs_portfolio(
    evening: tuple[pa.Table, Portfolio], tmp_path: Path
) -> None:
    log, portfolio = evening
    folder, other = tmp_path / "portfolio", tmp_path / "other"
    for name, table in portfolio.tables.items():
        write_table(table, folder / f"{name}.parquet")
    foreign = log_of([decision("d000001", "d000001/0", day=-5, arm="control", arm_probability=0.1, decision_id="x")])
    with_log = DecisionLog.open(tmp_path)
    with_log.write_batch(foreign, portfolio=other, as_of=at(-5), config_fingerprint="c")
    with_log.write_batch(log, portfolio=folder, as_of=EVENING, config_fingerprint="c")
    with_log.close()
    steps: list[str] = []
    order = Order(("en",), KNOWN_US, "none")
    done = report(tmp_path, tmp_path / "out", order=order, progress=lambda what, _share: steps.append(what))
    assert workspace_facts(tmp_path).decisions.num_rows == log.num_rows
    assert done.pages[0].span_us == (to_us(EVENING), to_us(EVENING))
    assert list(dict.fromkeys(steps)) == ["reading", "computing pages", "drawing pages"]
    assert done.lines()[0].startswith("Overview: ")
    assert str(tmp_path / "out" / "index.html") in done.lines()


def test_nothing_to_report_on_is_said_with_its_remedy(tmp_path: Path) -> None:
    order = Order(("en",), KNOWN_US, "none")
    with pytest.raises(NothingDecided, match="run `rettid decide` first"):
        report(tmp_path, tmp_path / "out", order=order)
    DecisionLog.open(tmp_path / "decisions.db").close()
    with pytest.raises(NothingDecided, match="names its portfolio"):
        report(tmp_path, tmp_path / "out", order=order)
