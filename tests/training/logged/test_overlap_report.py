"""The overlap map, the questions, and the page they stand on."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from data.portfolio import Portfolio
from data.simulator.settings import UNTIL
from data.times import to_us
from tests.deciding import COLUMNS
from tests.portfolios import CHANNELS, CONFIG, portfolio_of
from training.logged.chances import ESTIMATED, LOGGED, ActionChances, ChanceSettings
from training.logged.effect import EffectSettings
from training.logged.loggers import Kind, Logger, Loggers
from training.logged.multinomial import FitSettings
from training.logged.report import OverlapReport, OverlapSettings, overlap_report
from training.logged.segments import EVERYONE, Segment, segments_of
from training.logged.support_map import WHOLE_DAY, Cell, Taken, support_map
from training.reports.overlap import report_overlap, write_overlap
from training.reports.overlap_page import verdict

FIT = FitSettings(folds=2, most_rounds=30, column_share=0.5, threads=1)
QUICK = OverlapSettings(ChanceSettings(FIT), EffectSettings(FIT, outcome_rounds=20))
SIZE = 900


def known_chances(kind: Kind, channel: Any, part: Any) -> ActionChances:
    """Chances of a policy that draws evenly from none and two channels, and from two parts of the day."""
    size = len(channel)
    of_channel = np.tile([1 / 3, 1 / 3, 1 / 3, 0.0], (size, 1))
    of_part = np.zeros((size, 4, 3), dtype=np.float32)
    of_part[:, 1:3, :2] = 0.5
    chosen = np.full(size, 1 / 3)
    logger = Logger("old", kind, 0, 1, size, (1 / 3, 1 / 3, 1 / 3, 0.0), 0.0, 0.0)
    return ActionChances(
        of_channel, of_part, chosen, np.where(channel > 0, 1 / 6, 1 / 3),
        np.full(size, LOGGED if kind == "drawn" else ESTIMATED), np.full(size, kind == "drawn"),
        Loggers((logger,), np.zeros(size, dtype=np.int64)), (),
    )  # fmt: skip


def cells_of(kind: Kind) -> dict[tuple[str, int, int], Cell]:
    """Map of 900 decisions: 300 of each action, half of the contacts in the morning; phone-free, a tenth of them in `few`."""
    channel = np.arange(SIZE) % 3
    part = np.where(channel > 0, (np.arange(SIZE) // 3) % 2, -1)
    paid = (np.arange(SIZE) % 7 < 2 + channel).astype(np.float64)
    segments = (
        Segment(EVERYONE, EVERYONE, np.ones(SIZE, dtype=np.bool_)),
        Segment("size", "few", np.arange(SIZE) < 60),
    )
    taken = Taken(channel, part, paid, np.arange(SIZE))
    found = support_map(taken, known_chances(kind, channel, part), segments)
    return {(one.segment, one.channel, one.part): one for one in found}


def test_every_decision_on_an_action_counts_once_where_all_chances_are_alike() -> None:
    cells = cells_of("drawn")
    assert len(cells) == 2 * (1 + 3 * 4)
    whole = cells[EVERYONE, 1, WHOLE_DAY]
    assert whole.found is not None
    assert whole.paid is not None
    assert whole.found.effective == pytest.approx(300)
    assert whole.found.mean == pytest.approx(1.0)
    assert (whole.taken, whole.taken_drawn, whole.basis, whole.possible) == (300, 300, "drawn", 1.0)
    assert whole.paid.value == pytest.approx(3 / 7, abs=0.01)
    assert whole.paid.low < 3 / 7 < whole.paid.high
    assert cells[EVERYONE, 1, 0].found is not None
    assert cells[EVERYONE, 1, 0].least == pytest.approx(1 / 6)


def test_below_the_stated_support_there_is_no_number_but_a_reason() -> None:
    cells = cells_of("drawn")
    assert cells[EVERYONE, 3, WHOLE_DAY].refusal == "never done in 900 decisions"
    assert cells[EVERYONE, 1, 2].refusal == "never done in 900 decisions"
    few = cells["few", 1, WHOLE_DAY]
    assert few.refusal == "effective rows 20.0 of 20 that count, expected at least 30"
    assert few.found is not None
    assert all((one.paid is None) == bool(one.refusal) for one in cells.values())


def test_observed_decisions_are_marked_and_decided_ones_bear_nothing() -> None:
    assert cells_of("unlogged")[EVERYONE, 1, WHOLE_DAY].basis == "observed"
    for kind in ("decided", "slots drawn"):
        cell = cells_of(kind)[EVERYONE, 1, WHOLE_DAY]  # type: ignore[arg-type]  # both are kinds
        assert (cell.basis, cell.paid) == ("none", None)
        assert "nobody alike got anything else" in cell.refusal


def test_segments_of_a_family_part_the_decisions() -> None:
    rng = np.random.default_rng(1)
    matrix = np.full((500, len(COLUMNS)), np.nan, dtype=np.float32)
    matrix[:, COLUMNS.index("country")] = rng.integers(0, 12, 500)
    matrix[:, COLUMNS.index("days_past_due")] = rng.integers(-20, 200, 500)
    matrix[:400, COLUMNS.index("outstanding_log")] = np.log1p(rng.choice([50.0, 100.0, 700.0], 400))
    matrix[:, COLUMNS.index("contacts_90")] = rng.integers(0, 9, 500)
    found = segments_of(matrix, COLUMNS, countries=tuple(f"C{one}" for one in range(12)))
    families = {one.family for one in found}
    assert families == {EVERYONE, "country", "days past due", "EUR outstanding", "contacts in 90 days"}
    for family in families:
        assert (np.sum([one.here for one in found if one.family == family], axis=0) == 1).all()
    assert sum(one.family == "country" for one in found) == 9
    due = next(one for one in found if one.name == "31 to 90").here
    np.testing.assert_array_equal(due, np.isin(matrix[:, COLUMNS.index("days_past_due")], np.arange(31, 91)))
    not_known = next(one for one in found if one.name == "not known")
    assert not_known.here.tolist() == [False] * 400 + [True] * 100


def reported(portfolio: Portfolio) -> OverlapReport:
    return overlap_report(portfolio, as_of_us=to_us(UNTIL), config=CONFIG, seed=1, settings=QUICK)


@pytest.fixture(scope="module")
def report(simulated: Portfolio) -> OverlapReport:
    return reported(simulated)


def test_a_drawn_slice_answers_by_draw_and_the_rule_does_not_help(report: OverlapReport) -> None:
    kinds = {one.policy: one.kind for one in report.loggers}
    assert kinds == {"incumbent": "slots drawn", "random": "drawn"}
    assert sum(report.sources.values()) == report.decisions
    letter = next(one for one in report.questions if one.kind == "channel" and CHANNELS[one.channel] == "letter")
    assert letter.answer == "drawn"
    assert letter.effect is not None
    assert letter.effect.rows <= sum(one.decisions for one in report.loggers if one.kind == "drawn")
    assert letter.need is None
    everyone = {one.channel: one for one in report.cells if one.family == EVERYONE and one.part == WHOLE_DAY}
    assert everyone[CHANNELS.index("letter")].basis == "drawn"
    drawn = [one for one in report.cells if one.basis == "drawn"]
    assert all(one.taken_drawn > 0 for one in drawn)


def test_every_question_without_an_answer_says_why_and_what_would_answer_it(report: OverlapReport) -> None:
    dark = [one for one in report.questions if one.answer == "no"]
    assert dark
    for one in dark:
        assert one.reason
        assert one.need is not None
        assert one.need.decisions > one.need.drawn > 0


def test_the_same_seed_tells_the_same(report: OverlapReport, simulated: Portfolio) -> None:
    assert reported(simulated).as_dict() == report.as_dict()


def with_contacts(portfolio: Portfolio, contacts: pa.Table) -> Portfolio:
    names = ("debtors", "claims", "contact_points", "claim_events", "contact_events", "payments", "debtor_profiles")
    return portfolio_of({**{name: portfolio[name] for name in names}, "contacts": contacts})


def test_without_probabilities_answers_rest_on_trust_and_say_what_overturns_them(simulated: Portfolio) -> None:
    contacts = simulated["contacts"]
    place = contacts.schema.get_field_index("action_probability")
    blank = contacts.set_column(place, "action_probability", pa.nulls(len(contacts), pa.float64()))
    found = reported(with_contacts(simulated, blank))
    assert {one.kind for one in found.loggers} == {"unlogged"}
    assert found.sources == {"unknown": 0, "logged": 0, "estimated": found.decisions}
    answers = [one for one in found.questions if one.kind == "channel"]
    trusted = [one for one in answers if one.answer == "on trust"]
    assert trusted
    assert not [one for one in answers if one.answer == "drawn"]
    for one in trusted:
        assert one.effect is not None
        assert one.need is not None
        assert len(one.effect.bounds) == 4
        assert "no probability was logged" in one.reason
        assert "sign" in one.reason


def test_without_none_rows_nothing_over_no_contact_is_identified(simulated: Portfolio, tmp_path: Path) -> None:
    contacts = simulated["contacts"]
    found = reported(with_contacts(simulated, contacts.filter(pc.not_equal(contacts["channel"], "none"))))
    first = found.questions[0]
    assert (first.answer, first.channel) == ("no", 0)
    assert "nothing over no contact is identified" in first.reason
    assert all("over no contact" not in one.asks for one in found.questions[1:])
    page = write_overlap(found, tmp_path, source="p").read_text(encoding="utf-8")
    assert "nothing over no contact is identified" in page


def test_page_numbers_and_tables_say_the_same(report: OverlapReport, tmp_path: Path) -> None:
    html = write_overlap(report, tmp_path, source="my <portfolio>").read_text(encoding="utf-8")
    figures = json.loads((tmp_path / "overlap.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader((tmp_path / "overlap_map.csv").read_text(encoding="utf-8").splitlines()))
    asked = list(csv.DictReader((tmp_path / "overlap_questions.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(report.cells) == len(figures["cells"])
    assert [one["asks"] for one in asked] == [one.asks for one in report.questions]
    assert rows[0]["channel"] == "none"
    assert float(rows[0]["effective"]) == pytest.approx(figures["cells"][0]["found"]["effective"])
    assert "my &lt;portfolio&gt;" in html
    for question in report.questions:
        assert question.asks in html
    assert "± +" not in html


def test_the_page_is_one_file_without_script_or_content_from_elsewhere(report: OverlapReport, tmp_path: Path) -> None:
    html = write_overlap(report, tmp_path, source="p").read_text(encoding="utf-8")
    assert "<script" not in html
    assert not re.search(r'(src|href)="(?!#)', html)
    assert "url(http" not in html


def test_the_headline_follows_the_answers() -> None:
    def of(*answers: str) -> str:
        return str(verdict([{"kind": "channel", "answer": one} for one in answers])["code"])

    assert of("drawn", "drawn") == "usable"
    assert of("drawn", "on trust", "no") == "aside"
    assert of("no", "no") == "unusable"


def test_the_last_line_names_the_page(report: OverlapReport, simulated: Portfolio, tmp_path: Path) -> None:
    folder = tmp_path / "portfolio"
    folder.mkdir()
    for name in ("debtors", "claims", "contact_points", "claim_events", "contacts", "contact_events", "payments"):
        pq.write_table(simulated[name], folder / f"{name}.parquet")
    found = report_overlap(folder, tmp_path / "out", as_of_us=to_us(UNTIL), config=CONFIG, seed=1, settings=QUICK)
    assert found.lines()[-1] == str(tmp_path / "out" / "overlap.html")
    assert found.page.is_file()
    assert len(found.lines()) > len(report.loggers)
