"""The verdict on segments: a difference is told where there is one, none where chance explains it, and what is asked is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.config import Config
from data.times import to_us
from tests.training.reports.pages.page_parts import read_in_all_languages, table
from tests.training.reports.worlds import at, decision, log_of, payment, portfolio_of
from training.reports.blocks import Quantity
from training.reports.facts import Facts, facts_of
from training.reports.pages.segments import segments
from training.reports.site.catalogue import LANGUAGES, the_catalogue
from training.reports.site.reader import reader_of
from training.trials.sequential import FIRST_PAYERS


def two_segments(size: int, *, extra: float) -> Facts:
    """Debtors of two segments, of whom 60 % pay; the champion earns so much more in one of them."""
    rng, rows, paid = np.random.default_rng(3), [], []
    for place in range(size):
        name, ours = f"d{place:04d}", bool(rng.random() < 0.5)
        segment = "forgot" if place % 2 else "unwilling"
        arm = "champion" if ours else "control"
        rows.append(decision(name, f"{name}/0", arm=arm, arm_probability=0.5, segment=segment))
        money = 20 + 5 * rng.random() + (extra if ours and segment == "forgot" else 0)
        paid += [payment(f"{name}/0", 3, money)] if rng.random() < 0.6 else []
    log = log_of(rows)
    portfolio = portfolio_of(log, payments=[*paid, payment(rows[0]["claim_id"], 30, 1)])
    return facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(30)))


@pytest.mark.parametrize(
    ("size", "extra", "code"), [(1600, 15, "differs"), (1600, 0, "alike"), (200, 15, "not_yet_known")]
)
def test_the_verdict_says_whether_the_gain_differs(size: int, extra: float, code: str) -> None:
    page = segments(two_segments(size, extra=extra))
    assert page is not None
    assert page.verdict is not None
    assert page.verdict.code == code
    assert read_in_all_languages(page) > 30


def test_the_page_names_as_many_payers_as_are_asked_for() -> None:
    page = segments(two_segments(200, extra=0))
    assert page is not None
    caption = table(page, "segment").caption
    said = caption.values["payers"]
    assert isinstance(said, Quantity)
    assert said.value == FIRST_PAYERS
    for language in LANGUAGES:
        assert "50" not in reader_of(language, the_catalogue()).text(caption)
        assert str(FIRST_PAYERS) in reader_of(language, the_catalogue()).word("definition.daily_looks.meaning")
        assert "50" not in reader_of(language, the_catalogue()).word("definition.daily_looks.meaning")
