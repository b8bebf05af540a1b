"""The page on data quality: states of decisions and reach counted by hand, a verdict by the worst finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from data.config import Config
from data.quality.quality import HEADINGS
from data.times import to_us
from tests.training.reports.long_world import long_world
from tests.training.reports.pages.page_parts import cell, number, read_in_all_languages, table
from tests.training.reports.worlds import at, decision, log_of, payment, portfolio_of
from training.reports.blocks import Text
from training.reports.decision_states import decision_states
from training.reports.facts import Facts, facts_of, of_creditor
from training.reports.pages.data_quality import data_quality
from training.reports.point_figures import reach

STATUS = ("confirmed", "refused", "refused", "refused", "replaced", "decided", "sent")
WHY = (None, "paid", "quiet_hours", "paid", None, None, None)


def made(*, points: list[dict[str, Any]] | None = None, last: float = 20, times: int = 1) -> Facts:
    """Seven debtors with an SMS each, and one with none; so many times."""
    rows = []
    for more in range(times):
        names = [f"d{place + 8 * more}" for place in range(8)]
        rows += [
            decision(one, f"{one}/0", channel="sms", day=0.0 if place else 12.0) for place, one in enumerate(names[:7])
        ]
        rows.append(decision(names[7], f"{names[7]}/0", action_probability=None))
    log = log_of(rows)
    portfolio = portfolio_of(log, payments=[payment("d1/0", last, 5)], contact_points=points or [])
    log = log.append_column("status", [[*STATUS, "decided"] * times])
    log = log.append_column("refused_for", pa.array([*WHY, None] * times, pa.string()))
    return facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(last)))


def point(debtor: str, channel: str, **more: Any) -> dict[str, Any]:
    fixed = {"debtor_id": debtor, "channel": channel, "valid_from": at(-9), "verified": True, "consent": "given"}
    return fixed | {"kind": "private"} | more


def test_states_and_reasons_of_decisions_are_counted() -> None:
    found = decision_states(made())
    assert found.contacts == {"decided": 1, "confirmed": 1, "sent": 1, "refused": 3, "replaced": 1}
    assert found.refused_for == {"paid": 2, "quiet_hours": 1}
    assert (found.decisions, found.waiting, found.displaced) == (8, 1, 1)


def test_refusals_stand_in_words_rules_among_them() -> None:
    page = data_quality(made())
    assert page is not None
    found = table(page, "refusals")
    assert [one.title for one in found.rows] == [Text("data-quality.reason.paid"), Text("rule.quiet_hours")]
    assert number(found, "paid", "share").withheld
    assert number(table(page, "states"), "refused", "count").withheld
    many = data_quality(made(times=12))
    assert many is not None
    assert number(table(many, "refusals"), "paid", "share").value == 2 / 3
    assert number(table(many, "states"), "refused", "count").value == 36


def test_reach_counts_debtors_with_a_point_that_is_valid_today() -> None:
    points = [
        point("d0", "sms"),
        point("d0", "sms", verified=False),
        point("d1", "sms", verified=False, consent="withdrawn"),
        point("d2", "sms", kind=None),
        point("d3", "sms", valid_to=at(19)),
        point("d4", "sms", valid_from=at(21)),
        point("stranger", "sms"),
        point("d5", "email"),
    ]
    found = {one.channel: one for one in reach(made(points=points))}
    assert set(found) == {"sms", "email"}
    assert found["sms"][1:] == (3, 2, 2, 2, 8)


def test_late_facts_and_missing_columns_are_told() -> None:
    facts = long_world(debtors=120, rng=np.random.default_rng(1))
    page = data_quality(facts)
    assert page is not None
    missing = table(page, "missing")
    assert cell(missing, "contacts.known_at", "state") == Text("data-quality.state.empty")
    assert not any(one.key.startswith("debtors.debtor_id") for one in missing.rows)
    assert len(table(page, "findings").rows) == len(HEADINGS) - 1
    assert read_in_all_languages(page) > 200


def test_there_is_no_page_for_one_creditor() -> None:
    facts = long_world(debtors=60, rng=np.random.default_rng(1))
    assert data_quality(of_creditor(facts, "big")) is None


def test_every_heading_of_a_finding_and_every_table_has_words() -> None:
    page = data_quality(made(points=[point(f"d{place}", "phone") for place in range(8)]))
    assert page is not None
    assert page.verdict is not None
    assert page.verdict.code in ("problems", "to_explain", "sound")
    assert read_in_all_languages(page) > 200
