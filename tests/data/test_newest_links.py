"""The end of the log, looked at often: a change in its newest links is found, and so is an end that was cut off."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from data.decision_log import DecisionLog
from data.decision_log_tables import CHAINED, chain, decision_steps
from data.log_proof import Anchor, Broken
from data.newest_links import newest
from data.online_decisions import add_step
from tests.data.log_places import Place
from tests.data.test_decision_log import AS_OF
from tests.data.test_log_trust import fill, plain, unguarded


def look(log: DecisionLog, seen: Anchor | None = None, **most: int) -> Anchor | Broken | None:
    with log.reading() as connection:
        return newest(connection, seen=seen, **most)


def step(log: DecisionLog, number: int) -> None:
    with log.writing() as connection:
        add_step(connection, "b" * 32, step=f"s{number}", at=AS_OF)


def test_an_empty_log_says_nothing_and_one_as_it_was_written_holds(log: DecisionLog) -> None:
    assert look(log) is None
    fill(log)
    seen = look(log)
    assert isinstance(seen, Anchor)
    step(log, 1)
    later = look(log, seen)
    assert isinstance(later, Anchor)
    assert later.number == seen.number + 1
    for most_links in range(1, 8):
        assert look(log, seen, most_links=most_links) == later
    assert look(log, seen, most_rows=1) == later


@pytest.mark.parametrize("name", CHAINED)
def test_a_row_of_the_newest_links_that_is_gone_or_was_added_is_found(
    log: DecisionLog, place: Place, name: str
) -> None:
    fill(log)
    table = plain(CHAINED[name])
    with place.behind() as connection:
        unguarded(connection)
        row = dict(connection.execute(sa.select(table).order_by(table.c.sequence.desc()).limit(1)).mappings().one())
        connection.execute(sa.delete(table).where(table.c.sequence == row["sequence"]))
    gone = look(log)
    assert isinstance(gone, Broken)
    assert (gone.link, gone.table) == (row["link"], name)
    with place.behind() as connection:
        connection.execute(sa.insert(table).values(row))
        more = {"batch_id": "x", "decision_id": "x", "answer_id": "x", "event_key": "x"}
        added = row | {"sequence": 1_000} | {key: value for key, value in more.items() if key in row}
        connection.execute(sa.insert(table).values(added))
    extra = look(log)
    assert isinstance(extra, Broken)
    assert extra.table == name


@pytest.mark.parametrize("column", ["at", "digest", "parts", "ends"])
def test_a_link_that_was_changed_is_found_even_where_it_cannot_be_read(
    log: DecisionLog, place: Place, column: str
) -> None:
    fill(log)
    last = look(log)
    assert isinstance(last, Anchor)
    with place.behind() as connection:
        unguarded(connection)
        changed = {column: 7 if column == "at" else "{" if column in ("parts", "ends") else "0" * 64}
        table = plain(chain)
        connection.execute(sa.update(table).where(table.c.number == last.number).values(changed))
    found = look(log)
    assert isinstance(found, Broken)
    assert (found.link, found.table) == (last.number, "chain")


def test_a_log_that_was_cut_off_or_written_anew_does_not_hold_the_link_seen_before(log: DecisionLog) -> None:
    fill(log)
    seen = look(log)
    assert isinstance(seen, Anchor)
    for other in (replace(seen, number=seen.number + 1), replace(seen, digest="0" * 64)):
        found = look(log, other)
        assert isinstance(found, Broken)
        assert found.link == other.number


def test_it_looks_no_further_back_than_it_is_asked_to(log: DecisionLog, place: Place) -> None:
    fill(log)
    for number in range(5):
        step(log, number)
    with place.behind() as connection:
        unguarded(connection)
        last = connection.scalar(sa.select(sa.func.max(decision_steps.c.sequence)))
        connection.execute(sa.update(decision_steps).where(decision_steps.c.sequence == last - 3).values(step="x"))
    assert isinstance(look(log, most_links=3), Anchor)
    assert isinstance(look(log, most_rows=3), Anchor)
    assert isinstance(look(log, most_links=4), Broken)
    assert isinstance(look(log, most_rows=4), Broken)
